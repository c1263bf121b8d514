#!/usr/bin/env bash
# Measures page 1 and page 1,000 of `orders` for every filter and sort order, with 1,000,000 orders.
# Usage: bench/orders_at_scale.sh [--quick]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh
source ./pages.sh

case ${1-} in
  '') times=41 orders=(PLACED_AT:DESC PLACED_AT:ASC TOTAL_AMOUNT:DESC TOTAL_AMOUNT:ASC ORDER_NUMBER:DESC ORDER_NUMBER:ASC) ;;
  --quick) times=11 orders=(PLACED_AT:DESC TOTAL_AMOUNT:DESC ORDER_NUMBER:ASC) ;;
  *) echo "usage: bench/orders_at_scale.sh [--quick]" >&2; exit 2 ;;
esac

need curl psql
find_souk
create_workdir
export SOUK_LOG=warn
serve

echo "seeding ..." >&2
psql -Xq -f orders_at_scale.sql "$url"

log_in

# Each filter of `OrderWhere` with low and high selectivity, then common pairs. Alternating names and JSON.
site1="\"$(id Website 1)\"" site3="\"$(id Website 3)\"" site4="\"$(id Website 4)\"" big="\"$(id User 7)\"" small="\"$(id User 2)\""
month='{"gte": "2026-11-23T00:00:00Z"}' old_month='{"gte": "2024-11-23T00:00:00Z", "lte": "2024-12-23T00:00:00Z"}'
cases=(
  'no filter' '{}'
  'id in 3' "{\"id\": {\"in\": [\"$(id Order 5)\", \"$(id Order 500000)\", \"$(id Order 999999)\"]}}"
  'status pending' '{"status": {"eq": "PENDING"}}'
  'status delivered' '{"status": {"eq": "DELIVERED"}}'
  'status pending or confirmed' '{"status": {"in": ["PENDING", "CONFIRMED"]}}'
  'website of 70 %' "{\"sourceWebsite\": {\"eq\": $site1}}"
  'website of 3 %' "{\"sourceWebsite\": {\"eq\": $site4}}"
  'websites of 7 and 3 %' "{\"sourceWebsite\": {\"in\": [$site3, $site4]}}"
  'customer of 30,000 orders' "{\"user\": {\"eq\": $big}}"
  'customer of 5 orders' "{\"user\": {\"eq\": $small}}"
  'guests' '{"user": {"isNull": true}}'
  'amount over 1,500' '{"totalAmount": {"gte": "1500"}}'
  'amount 100 to 120' '{"totalAmount": {"gte": "100", "lte": "120"}}'
  'amount 49.90' '{"totalAmount": {"eq": "49.90"}}'
  'placed in the last month' "{\"placedAt\": $month}"
  'placed in an old month' "{\"placedAt\": $old_month}"
  'number' '{"orderNumber": {"eq": "S-00770000"}}'
  'number contains 77712' '{"orderNumber": {"contains": "77712"}}'
  'number contains S-00' '{"orderNumber": {"contains": "S-00"}}'
  'number without matches' '{"orderNumber": {"contains": "nothing"}}'
  'website of 3 %, pending' "{\"sourceWebsite\": {\"eq\": $site4}, \"status\": {\"eq\": \"PENDING\"}}"
  'website of 70 %, last month' "{\"sourceWebsite\": {\"eq\": $site1}, \"placedAt\": $month}"
  'delivered, old month' "{\"status\": {\"eq\": \"DELIVERED\"}, \"placedAt\": $old_month}"
  'delivered, last month (none)' "{\"status\": {\"eq\": \"DELIVERED\"}, \"placedAt\": {\"gte\": \"2026-11-25T00:00:00Z\"}}"
  'customer of 30,000, pending' "{\"user\": {\"eq\": $big}, \"status\": {\"eq\": \"PENDING\"}}"
)

list=orders resource=Order
selection='nodes { id orderNumber status totalAmount { amount currency } placedAt } pageInfo { hasNextPage endCursor }'
measure '1,000,000 orders'
