#!/usr/bin/env bash
# Compares checkouts of 3 lines with pgbench running the same SQL on the same server.
# Usage: bench/checkout.sh [--quick]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh

readonly CONNECTIONS=32 THREADS=2 ROUNDS=3
case ${1-} in
  '') seconds=10 ;;
  --quick) seconds=3 ;;
  *) echo "usage: bench/checkout.sh [--quick]" >&2; exit 2 ;;
esac
# More carts than Souk, or each pgbench client, can check out in a round.
readonly CARTS=$((seconds * 4000)) RANGE=$((seconds * 300))

need wrk curl psql pgbench
find_souk
create_workdir
serve
[[ $(query 'SHOW synchronous_commit') == on ]]

echo "seeding ..." >&2
psql -Xq -v carts=$((CARTS * (ROUNDS + 1) + RANGE * CONNECTIONS * ROUNDS)) -f checkout_seed.sql "$url"

# bodies FIRST COUNT: writes the token and the checkout request of each cart, one per line. The global id of a cart is
# base64url of `Cart:<key>`.
bodies() {
  query "SELECT 'souk_c_bench_' || i || E'\t' || json_build_object('query',
    'mutation(\$i: CheckoutInput!) { checkout(input: \$i) { orders { id orderNumber totalAmount { amount } } userErrors { code message field } } }',
    'variables', json_build_object('i', json_build_object(
      'cartId', rtrim(translate(encode(convert_to('Cart:' || i, 'UTF8'), 'base64'), '+/', '-_'), '='),
      'address', json_build_object('countryCode', 'DE', 'city', 'Hamburg', 'address', 'Hafenstrasse 1', 'postalCode', '20457'),
      'contact', json_build_object('name', 'Ada', 'email', 'ada@bench.example'),
      'expectedTotal', (SELECT sum(added_price) FROM cart_lines WHERE cart_id = i)::text,
      'idempotencyKey', 'key-' || i)))
    FROM generate_series($1, $1 + $2 - 1) i" >"$work/bodies"
}

orders() { query 'SELECT count(*) FROM orders'; }

# load_souk FIRST SECONDS: prints checkouts/s (counted by orders in the database), p50 and p99 in microseconds.
load_souk() {
  local before result
  bodies "$1" "$CARTS"
  before=$(orders)
  result=$(wrk -t $THREADS -c $CONNECTIONS -d "$2" -s checkout.lua "http://127.0.0.1:$port/graphql" -- "$work/bodies" $THREADS | tail -1)
  read -r duration p50 p99 failed <<<"$result"
  [[ $failed == 0 ]] || { echo "some checkouts failed: $result" >&2; exit 1; }
  echo "$((($(orders) - before) * 1000000 / duration)) $p50 $p99"
}

# load_pgbench FIRST SECONDS: prints the same for pgbench.
load_pgbench() {
  local before rate
  rm -f "$work"/pgbench.*
  rate=$(pgbench -n -M prepared -c $CONNECTIONS -j $THREADS -T "$2" -f checkout.sql -D n=0 -D range=$RANGE -D first="$1" \
    -l --log-prefix="$work/pgbench" --sampling-rate=0.1 "$url" | sed -n 's/^tps = \([0-9]*\).*/\1/p')
  cat "$work"/pgbench.* | awk '{ print $3 }' | sort -n | awk -v rate="$rate" '
    { all[NR] = $1 } END { print rate, all[int((NR + 1) / 2)], all[int((NR * 99 + 99) / 100)] }'
}

echo "warming up ..." >&2
load_souk 1 1 >/dev/null
line=$(sed -n "$((CARTS - 1))p" "$work/bodies")
response=$(curl -sf "http://127.0.0.1:$port/graphql" -H 'Content-Type: application/json' -H "X-Cart-Token: ${line%%$'\t'*}" -d "${line#*$'\t'}")
[[ $response == *'"userErrors":[]'* ]] || { echo "unexpected response: $response" >&2; exit 1; }

for ((round = 1; round <= ROUNDS; round++)); do
  echo "round $round of $ROUNDS ..." >&2
  load_souk $((1 + round * CARTS)) $seconds >>"$work/souk"
  load_pgbench $((CARTS * (ROUNDS + 1) + (round - 1) * RANGE * CONNECTIONS)) $seconds >>"$work/reference"
done

statements=$(grep -c '^[BIUSDC]' checkout.sql)
column() { cut -d ' ' -f "$2" "$work/$1" | median; }
row() {
  awk -v name="$1" -v rate="$(column "$2" 1)" -v p50="$(column "$2" 2)" -v p99="$(column "$2" 3)" \
    'BEGIN { printf "%-10s %12d %9.2f %9.2f\n", name, rate, p50 / 1000, p99 / 1000 }'
}
echo
echo "$("$souk" --version), PostgreSQL $(query 'SHOW server_version'), $(nproc) cores, synchronous_commit=on; $CONNECTIONS connections, medians of $ROUNDS rounds of $seconds s"
echo "checkout of 3 lines: $statements statements; souk pipelines some of them, pgbench sends them one by one"
printf '%-10s %12s %9s %9s\n' '' checkouts/s 'p50 ms' 'p99 ms'
row souk souk
row pgbench reference
awk -v souk="$(column souk 1)" -v pgbench="$(column reference 1)" 'BEGIN { printf "%-10s %12.2f\n", "ratio", souk / pgbench }'
wrong=$(query "SELECT count(*) FROM orders o WHERE total_amount <> (SELECT sum(total_price) FROM order_details d WHERE d.order_id = o.id)")
echo "orders: $(orders), with a total that differs from the sum of their lines: $wrong"
