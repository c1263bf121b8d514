#!/usr/bin/env bash
# Measures what one anonymous client that sends expensive operations at full speed does to the others, and what operations
# cost. Usage: bench/one_client.sh [--quick] [ROWS]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh

usage() { echo "usage: bench/one_client.sh [--quick] [ROWS]; ROWS: a multiple of 1000, at least 20000" >&2; exit 2; }
seconds=15 rows=60000
for argument; do
  case $argument in
    --quick) seconds=5 ;;
    *) [[ $argument =~ ^[1-9][0-9]*000$ ]] && ((argument >= 20000)) && rows=$argument || usage ;;
  esac
done

need curl psql python3
find_souk
create_workdir
# The clients set their addresses in X-Forwarded-For, as behind a proxy, so that they are different networks.
export SOUK_LOG=warn SOUK_TRUSTED_PROXIES=1
serve
echo "seeding $rows products ..." >&2
psql -Xq -v first=1 -v last="$rows" -f search_at_scale.sql "$url"
until [[ $(query "SELECT count(*) FROM jobs WHERE state = 'queued' AND run_at <= now()") == 0 ]]; do sleep 0.2; done
query 'VACUUM (ANALYZE)'
query CHECKPOINT
query "SELECT word FROM bench.words WHERE char_length(word) >= 6 AND rank BETWEEN 300 AND 2000 ORDER BY rank LIMIT 200" >"$work/words"
# A user who logs in: argon2id with 19,456 KiB, 2 iterations, 1 lane.
query "INSERT INTO users (name, email, role_id, password_hash) SELECT 'Bench', 'user@bench.example', id,
  '\$argon2id\$v=19\$m=19456,t=2,p=1\$yGfpKu6DqDT7TVuyyiyVAw\$spIrUT2fr/K+oCEs8ndoOVjv0mj9jtvb7B0iYZ6UECU' FROM roles WHERE code = 'customer'"

echo "$("$souk" --version), PostgreSQL $(query 'SHOW server_version'), $(nproc) cores, $rows products; rounds of $seconds s"
python3 one_client.py "$port" "$pid" "$work/words" "$seconds"
