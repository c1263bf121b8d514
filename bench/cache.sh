#!/usr/bin/env bash
# Measures the cache of responses: anonymous reads with it, while products change, and without it. Usage:
# bench/cache.sh [--quick]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
. ./lib.sh

readonly CONNECTIONS=32 THREADS=2 ROUNDS=3 UPDATES_PER_SECOND=20 SAMPLES=200
case ${1-} in
  '') seconds=8 ;;
  --quick) seconds=2 ;;
  *) echo "usage: bench/cache.sh [--quick]" >&2; exit 2 ;;
esac
need wrk curl psql
find_souk
create_workdir
export SOUK_LOG=warn SOUK_RATE_LIMITS=false

# id TYPE KEY: prints the global id, which is base64url of `Type:key`.
id() { printf '%s:%s' "$1" "$2" | base64 | tr '+/' '-_' | tr -d '='; }

# bodies: writes the requests of each operation: 1,000 products, 100 category pages, 200 searches.
bodies() {
  local n word
  for ((n = 1; n <= 1000; n++)); do
    printf '{"query":"query ($id: ID!) { product(id: $id) { id name sku price { amount } availability category { id name } brand { id name } } }","variables":{"id":"%s"}}\n' "$(id Product $n)"
  done >"$work/product"
  for ((n = 1; n <= 100; n++)); do
    printf '{"query":"query ($category: ID!) { products(where: {category: {eq: $category}}, orderBy: {field: PRICE}) { totalCount { value } nodes { id name sku price { amount } availability brand { name } } } }","variables":{"category":"%s"}}\n' "$(id Category $n)"
  done >"$work/category"
  for ((n = 1; n <= 10; n++)); do
    for ((word = 1; word <= 20; word++)); do
      printf '{"query":"query ($query: String!, $category: ID!) { search(query: $query, where: {category: {eq: $category}}) { totalCount { value } nodes { ... on Product { id name sku price { amount } availability } } } }","variables":{"query":"product %s","category":"%s"}}\n' "$word" "$(id Category $n)"
    done
  done >"$work/search"
}

# load OPERATION SECONDS: prints requests/s, p50 and p99 in microseconds, and failed requests.
load() {
  wrk -t$THREADS -c$CONNECTIONS -d"$2"s -s post.lua "http://127.0.0.1:$port/graphql" -- "$work/$1" | tail -1
}

# processor_ms: prints the processor time of Souk so far.
processor_ms() { awk -v ticks="$(getconf CLK_TCK)" '{ print ($14 + $15) * 1000 / ticks }' "/proc/$pid/stat"; }

# hits OPERATION: prints which percentage of requests comes from the cache. A response from the cache has no estimated cost.
hits() {
  local body
  shuf -r -n $SAMPLES "$work/$1" | while IFS= read -r body; do
    curl -sf "http://127.0.0.1:$port/graphql" -H 'Content-Type: application/json' -H 'X-Query-Cost: 1' -d "$body"
    echo
  done | awk -v samples=$SAMPLES '/"requested":0(\.0)?[,}]/ { hits++ } END { printf "%.0f", 100 * hits / samples }'
}

# update: changes the prices of random products, at a steady rate, until it is killed.
update() {
  while sleep "$(awk -v rate=$UPDATES_PER_SECOND 'BEGIN { print 1 / rate }')"; do
    echo "UPDATE products SET price = price + 1 WHERE id = 1 + (random() * 19999)::int;"
  done | psql -XAtq "$url" >/dev/null
}

# column N: prints the median of a column of the rounds.
column() { cut -d' ' -f"$1" "$work/rounds" | median; }

# report NAME OPERATION: prints the line of an operation from its rounds.
report() {
  local cpu total memory failed
  cpu=$(awk '{ sum += $2 - $1 } END { print sum }' "$work/$2.cpu")
  total=$(awk -v seconds=$seconds '{ sum += $1 * seconds } END { print sum }' "$work/rounds")
  memory=$(awk '/VmHWM/ { print $2 / 1024 }' "/proc/$pid/status")
  failed=$(awk '{ sum += $4 } END { print sum ? "  " sum " failed" : "" }' "$work/rounds")
  awk -v name="$1" -v operation="$2" -v rate="$(column 1)" -v p50="$(column 2)" -v p99="$(column 3)" -v each="$cpu $total" -v hits="$(hits "$2")" \
    -v memory="$memory" -v failed="$failed" 'BEGIN {
      split(each, of, " ")
      printf "%-28s %-9s %8.0f/s %8.2f ms %8.2f ms %8.3f ms %5s %% %6.0f MB%s\n", name, operation, rate, p50 / 1000, p99 / 1000, of[1] / of[2], hits, memory, failed
    }'
}

# measure NAME BYTES [UPDATES]: prints a line for each operation.
measure() {
  local operation round before after updater=
  export SOUK_CACHE_BYTES=$2
  serve
  if [[ -n ${3-} ]]; then
    update &
    updater=$!
  fi
  for operation in product category search; do
    load $operation 2 >/dev/null
    for ((round = 1; round <= ROUNDS; round++)); do
      before=$(processor_ms)
      load $operation $seconds
      after=$(processor_ms)
      echo "$before $after" >>"$work/$operation.cpu"
    done >"$work/rounds"
    report "$1" $operation
    rm "$work/$operation.cpu"
  done
  if [[ -n $updater ]]; then
    pkill -P "$updater" || true
    kill "$updater" 2>/dev/null || true
    wait "$updater" 2>/dev/null || true
  fi
  kill "$pid"
  wait "$pid" || true
  pid=
}

bodies
serve
psql -Xq "$url" -f seed.sql >/dev/null
kill "$pid"
wait "$pid" || true
echo "$("$souk" --version), $(nproc) cores, $CONNECTIONS connections, medians of $ROUNDS rounds of $seconds s"
printf '\n%-28s %-9s %10s %11s %11s %11s %7s %9s\n' '' operation requests p50 p99 'server each' hits 'peak memory'
measure 'cache' $((64 * 1024 * 1024))
measure "cache, $UPDATES_PER_SECOND updates/s" $((64 * 1024 * 1024)) updates
measure 'no cache' 0
