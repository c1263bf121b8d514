#!/usr/bin/env bash
# Measures page 1 and page 1,000 of orders by every filter and every order at 1,000,000 orders: bench/orders_at_scale.sh
# [--quick]. See README.md beside it.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh

readonly ROWS=20 PAGE=1000 FACTOR=1.5
case ${1-} in
  '') times=41 orders=(PLACED_AT:DESC PLACED_AT:ASC TOTAL_AMOUNT:DESC TOTAL_AMOUNT:ASC ORDER_NUMBER:DESC ORDER_NUMBER:ASC) ;;
  --quick) times=11 orders=(PLACED_AT:DESC TOTAL_AMOUNT:DESC ORDER_NUMBER:ASC) ;;
  *) echo "usage: bench/orders_at_scale.sh [--quick]" >&2; exit 2 ;;
esac

need curl psql
find_souk
open_work
export SOUK_LOG=warn
serve

echo "seeding ..." >&2
psql -Xq -f orders_at_scale.sql "$url"

# post BODY [TOKEN]: the answer; fails where it has errors.
post() {
  local answer
  answer=$(curl -sf "http://127.0.0.1:$port/graphql" -H 'Content-Type: application/json' ${2:+-H "Authorization: Bearer $2"} -d "$1")
  [[ $answer != *'"errors"'* ]] || { echo "$1: unexpected answer: $answer" >&2; exit 1; }
  echo "$answer"
}
login='{"query": "mutation { login(input: {email: \"admin@bench.example\", password: \"bench-admin-password\"}) { accessToken } }"}'
token=$(post "$login" | sed -n 's/.*"accessToken": *"\([^"]*\)".*/\1/p')

# id TYPE KEY: the global id, which is base64url of `Type:key`.
id() { printf '%s:%s' "$1" "$2" | base64 | tr '+/' '-_' | tr -d '='; }

# Every filter of `OrderWhere` alone, wide and narrow, then the pairs that a shop's staff asks for. Names, then JSON.
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
  'placed in a month long ago' "{\"placedAt\": $old_month}"
  'number' '{"orderNumber": {"eq": "S-00770000"}}'
  'number contains 77712' '{"orderNumber": {"contains": "77712"}}'
  'number contains S-00' '{"orderNumber": {"contains": "S-00"}}'
  'number contains nothing known' '{"orderNumber": {"contains": "nothing"}}'
  'website of 3 %, pending' "{\"sourceWebsite\": {\"eq\": $site4}, \"status\": {\"eq\": \"PENDING\"}}"
  'website of 70 %, last month' "{\"sourceWebsite\": {\"eq\": $site1}, \"placedAt\": $month}"
  'delivered, a month long ago' "{\"status\": {\"eq\": \"DELIVERED\"}, \"placedAt\": $old_month}"
  'delivered, last month (none)' "{\"status\": {\"eq\": \"DELIVERED\"}, \"placedAt\": {\"gte\": \"2026-11-25T00:00:00Z\"}}"
  'customer of 30,000, pending' "{\"user\": {\"eq\": $big}, \"status\": {\"eq\": \"PENDING\"}}"
)

# body ROWS SELECTION WHERE ORDER AFTER: a request.
body() {
  printf '{"query": "query ($where: OrderWhere, $order: OrderOrder, $after: String) { orders(first: %s, after: $after, where: $where, orderBy: $order) { %s } }", "variables": {"where": %s, "order": {"field": "%s", "direction": "%s"}, "after": %s}}' \
    "$1" "$2" "$3" "${4%:*}" "${4#*:}" "$5"
}

# millis BODY: the median time of the request, on one connection.
millis() {
  printf '%s' "$1" >"$work/body"
  curl -sf "http://127.0.0.1:$port/graphql?[1-$times]" -o "$work/answer" -w '%{time_total}\n' \
    -H 'Content-Type: application/json' -H "Authorization: Bearer $token" -d "@$work/body" |
    median | awk '{ printf "%.2f", $1 * 1000 }'
  grep -q '"nodes"' "$work/answer" || { echo "$1: $(<"$work/answer")" >&2; exit 1; }
}

# cursor WHERE ORDER: of the last row before page 1,000; empty where the list ends before.
cursor() {
  local left=$((ROWS * (PAGE - 1))) after=null step answer
  while ((left)); do
    step=$((left < 100 ? left : 100))
    answer=$(post "$(body $step 'pageInfo { hasNextPage endCursor }' "$1" "$2" "$after")" "$token")
    [[ $answer == *'"hasNextPage":true'* ]] || return 0
    [[ $answer =~ \"endCursor\":(\"[^\"]*\") ]]
    after=${BASH_REMATCH[1]}
    left=$((left - step))
  done
  echo "$after"
}

echo
echo "$("$souk" --version), PostgreSQL $(query 'SHOW server_version'), $(nproc) cores; 1,000,000 orders, pages of $ROWS, one client, medians of $times"
printf '\n%-30s %-14s %10s %12s %7s\n' 'orders where' 'in order of' 'page 1, ms' 'page 1,000' 'ratio'
selection='nodes { id orderNumber status totalAmount { amount currency } placedAt } pageInfo { hasNextPage endCursor }'
slower=0
for ((index = 0; index < ${#cases[@]}; index += 2)); do
  name=${cases[index]} where=${cases[index + 1]}
  for order in "${orders[@]}"; do
    first=$(millis "$(body $ROWS "$selection" "$where" "$order" null)")
    after=$(cursor "$where" "$order")
    far='' ratio=''
    if [[ -n $after ]]; then
      far=$(millis "$(body $ROWS "$selection" "$where" "$order" "$after")")
      ratio=$(awk -v first="$first" -v far="$far" 'BEGIN { printf "%.2f", far / first }')
      ! awk -v ratio="$ratio" -v factor=$FACTOR 'BEGIN { exit ratio <= factor }' || slower=$((slower + 1))
    fi
    printf '%-30s %-14s %10s %12s %7s\n' "$name" "$(tr '[:upper:]_:' '[:lower:]  ' <<<"${order/_AT/}")" "$first" "${far:--}" "${ratio:--}"
    name=
  done
done
echo
echo "- : the list has fewer than 1,000 pages. Lists whose page 1,000 takes more than $FACTOR times page 1: $slower"
