#!/usr/bin/env bash
# Measures how many products are found by their model numbers, in any spelling. Usage: bench/model_numbers.sh [--misses] [--seed N].
# The products are generated. See README.md.
set -euo pipefail
usage() { echo "usage: bench/model_numbers.sh [--misses] [--seed N]" >&2; exit 2; }
cd "$(dirname "$0")"
source ./lib.sh

seed=1 options=()
while (($#)); do
  case $1 in
    --misses) options+=("$1") && shift ;;
    --seed) [[ ${2-} =~ ^[0-9]+$ ]] || usage; seed=$2 && shift 2 ;;
    *) usage ;;
  esac
done

need curl psql python3
find_souk
create_workdir
# All queries are of one client.
export SOUK_LOG=warn SOUK_RATE_LIMITS=false
serve

query "INSERT INTO websites (code, name, base_url, currency, language) VALUES ('bench', 'Bench', 'https://bench.example', 'EUR', 'en')"
python3 model_numbers.py catalog "$work/products.csv" --seed "$seed"
echo "importing ..." >&2
"$souk" import products "$work/products.csv" --website bench --rejects "$work/rejects.csv" >"$work/import" || { cat "$work/import" >&2; exit 1; }
[[ ! -s $work/rejects.csv ]] || { head "$work/rejects.csv" >&2; exit 1; }
query 'VACUUM (ANALYZE)'

echo "$("$souk" --version), PostgreSQL $(query 'SHOW server_version'); $(query 'SELECT count(*) FROM products WHERE is_active') products"
python3 model_numbers.py ask "$port" --seed "$seed" ${options[@]+"${options[@]}"}
