#!/usr/bin/env bash
# Measures open subscriptions: memory per idle connection, processor time while nothing happens, and the time until an order's
# change has reached all subscribers. Usage: bench/subscriptions.sh [CONNECTIONS [SUBSCRIBERS]]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh

connections=${1:-10000} subscribers=${2:-1000}
[[ $connections =~ ^[1-9][0-9]*$ && $subscribers =~ ^[1-9][0-9]*$ ]] ||
  { echo "usage: bench/subscriptions.sh [CONNECTIONS [SUBSCRIBERS]]" >&2; exit 2; }

need curl psql python3
# A file for each connection, at both ends.
ulimit -n "$(ulimit -Hn)"
find_souk
create_workdir
export SOUK_LOG=warn SOUK_MAX_CONNECTIONS=$((connections + subscribers + 100)) SOUK_MAX_CONNECTIONS_PER_ADDRESS=1000000
export SOUK_SUBSCRIPTION_PING_MS=30000 SOUK_SUBSCRIPTION_CONNECTIONS=1000000
serve
query "INSERT INTO websites (code, name, base_url, currency) VALUES ('main', 'Main', 'https://main.example', 'EUR')" >/dev/null
query "INSERT INTO products (source_website_id, name, slug, sku, price)
  SELECT id, 'Mug', 'mug', 'MUG', 10 FROM websites" >/dev/null
query "WITH placed AS (INSERT INTO orders (source_website_id, order_number, status, total_amount)
  SELECT id, '1', 'pending', 0 FROM websites RETURNING id)
  INSERT INTO order_details (order_id, product_id, name, sku, quantity, unit_price)
  SELECT placed.id, products.id, 'Mug', 'MUG', 1, 10 FROM placed, products" >/dev/null
# A staff member who logs in: argon2id with 19,456 KiB, 2 iterations, 1 lane.
query "INSERT INTO users (name, email, role_id, password_hash) SELECT 'Bench', 'user@bench.example', id,
  '\$argon2id\$v=19\$m=19456,t=2,p=1\$yGfpKu6DqDT7TVuyyiyVAw\$spIrUT2fr/K+oCEs8ndoOVjv0mj9jtvb7B0iYZ6UECU' FROM roles WHERE code = 'admin'" >/dev/null
echo "$("$souk" --version), PostgreSQL $(query 'SHOW server_version'), $(nproc) cores"
python3 subscriptions.py "$port" "$pid" "$url" "$connections" "$subscribers"
