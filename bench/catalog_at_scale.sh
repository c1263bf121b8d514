#!/usr/bin/env bash
# Measures page 1 and page 1,000 of `products` for every filter and sort order, with 100,000 products.
# Usage: bench/catalog_at_scale.sh [--quick]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh
source ./pages.sh

case ${1-} in
  '') times=41 orders=(CREATED_AT:DESC CREATED_AT:ASC NAME:ASC NAME:DESC PRICE:ASC PRICE:DESC RATING:DESC) ;;
  --quick) times=11 orders=(CREATED_AT:DESC NAME:ASC PRICE:ASC) ;;
  *) echo "usage: bench/catalog_at_scale.sh [--quick]" >&2; exit 2 ;;
esac

need curl psql
find_souk
create_workdir
export SOUK_LOG=warn
serve

echo "seeding ..." >&2
psql -Xq -f catalog_at_scale.sql "$url"

log_in

# Each filter of `ProductWhere` with low and high selectivity, then common pairs. Alternating names and JSON.
site1="\"$(id Website 1)\"" site4="\"$(id Website 4)\"" root="\"$(id Category 1)\"" leaf="\"$(id Category 600)\"" crowd="\"$(id Category 111)\""
cases=(
  'no filter' '{}'
  'one per group' 'onePerGroup: true|{}'
  'id in 2' "{\"id\": {\"in\": [\"$(id Product 5)\", \"$(id Product 99999)\"]}}"
  'sku' '{"sku": {"eq": "SKU-077712"}}'
  'barcode' '{"barcode": {"eq": "4000000077712"}}'
  'name contains Lantern' '{"name": {"contains": "Lantern"}}'
  'name contains c4ca42' '{"name": {"contains": "c4ca42"}}'
  'price up to 5' '{"price": {"lte": "5"}}'
  'price 100 to 120' '{"price": {"gte": "100", "lte": "120"}}'
  'price 9.99' '{"price": {"eq": "9.99"}}'
  'stock over 400' '{"stock": {"gte": 400}}'
  'low or out of stock' '{"availability": {"in": ["LOW_STOCK", "OUT_OF_STOCK"]}}'
  'in stock' '{"availability": {"eq": "IN_STOCK"}}'
  'category of 4 %' "{\"category\": {\"eq\": $crowd}}"
  'category of 0.1 %' "{\"category\": {\"eq\": $leaf}}"
  'root category and descendants' "{\"category\": {\"eq\": $root, \"includeDescendants\": true}}"
  'brand' "{\"brand\": {\"eq\": \"$(id Brand 7)\"}}"
  'supplier' "{\"supplier\": {\"eq\": \"$(id Supplier 7)\"}}"
  'seller' "{\"seller\": {\"eq\": \"$(id User 7)\"}}"
  'website of 70 %' "{\"sourceWebsite\": {\"eq\": $site1}}"
  'website of 3 %' "{\"sourceWebsite\": {\"eq\": $site4}}"
  'inactive' '{"isActive": false}'
  'created in the last month' '{"createdAt": {"gte": "2026-10-10T00:00:00Z"}}'
  'root and descendants, up to 20' "{\"category\": {\"eq\": $root, \"includeDescendants\": true}, \"price\": {\"lte\": \"20\"}}"
  'website of 3 %, low or out' "{\"sourceWebsite\": {\"eq\": $site4}, \"availability\": {\"in\": [\"LOW_STOCK\", \"OUT_OF_STOCK\"]}}"
  'website of 70 %, brand' "{\"sourceWebsite\": {\"eq\": $site1}, \"brand\": {\"eq\": \"$(id Brand 7)\"}}"
)
list=products resource=Product
selection='nodes { id name sku price { amount currency } availability } pageInfo { hasNextPage endCursor }'
measure '100,000 products'
