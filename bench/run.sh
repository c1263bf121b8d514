#!/usr/bin/env bash
# Compares Souk with pgbench running the same SQL on the same server. Usage: bench/run.sh [--quick]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"

readonly CONNECTIONS=32 THREADS=2 ROUNDS=3 STARTS=5
case ${1-} in
  '') seconds=10 ;;
  --quick) seconds=2 ;;
  *) echo "usage: bench/run.sh [--quick]" >&2; exit 2 ;;
esac

# Debian does not add PostgreSQL's programs to PATH. Like Souk, use the newest version.
programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
PATH="$programs:$PATH"
for program in wrk curl psql pgbench; do
  command -v "$program" >/dev/null || { echo "$program is missing: apt-get install wrk curl postgresql" >&2; exit 1; }
done
if [[ -n ${SOUK_BIN-} ]]; then
  souk=$(cd "$OLDPWD" && realpath -e "$SOUK_BIN")
else
  cargo build --release --locked
  souk=${CARGO_TARGET_DIR:-../target}/release/souk
fi

# The postgres user must be able to access it.
work=$(mktemp -d)
chmod 755 "$work"
mkfifo "$work/stdout"
pid=
cleanup() {
  [[ -z $pid ]] || { kill "$pid"; wait "$pid"; } 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

unset DATABASE_URL
# All clients have the same address.
export SOUK_UNPAID_SHARE=100 SOUK_UNPAID_ORDERS=0
export SOUK_DATA_DIR=$work/data SOUK_ENV=production SOUK_JWT_SECRET=only-for-this-run-of-the-benchmark

# start: starts Souk; sets pid, port, and millis (from the start of the process to the first 200 of /readyz).
start() {
  local begin=$EPOCHREALTIME end line
  "$souk" serve --listen 127.0.0.1:0 >"$work/stdout" 2>>"$work/log" &
  pid=$!
  port=
  exec {stdout}<"$work/stdout"
  while [[ -z $port ]] && read -r line <&"$stdout"; do
    [[ $line != *http://127.0.0.1:*/readyz ]] || { port=${line##*:} && port=${port%/*}; }
  done
  [[ -n $port ]] || { cat "$work/log" >&2; exit 1; }
  until ready; do kill -0 "$pid"; done
  end=$EPOCHREALTIME
  millis=$(((${end/./} - ${begin/./}) / 1000))
}

# ready: uses the shell's TCP support, because starting curl would take longer than the request.
ready() {
  local status="" response
  { exec {response}<>"/dev/tcp/127.0.0.1/$port"; } 2>/dev/null || return
  printf 'GET /readyz HTTP/1.0\r\n\r\n' >&"$response"
  read -r _ status _ <&"$response" || true
  exec {response}>&-
  [[ $status == 200 ]]
}

stop() {
  kill "$pid"
  wait "$pid"
  pid=
  exec {stdout}<&-
}

# query SQL: prints a single value.
query() { psql -XAtq -v ON_ERROR_STOP=1 -c "$1" "$url"; }

# post BODY [TOKEN]: prints the response; exits if it contains errors.
post() {
  local response
  response=$(curl -sf "http://127.0.0.1:$port/graphql" -H 'Content-Type: application/json' ${2:+-H "Authorization: Bearer $2"} -d "$1")
  [[ $response != *'"errors"'* ]] || { echo "unexpected response: $response" >&2; exit 1; }
  echo "$response"
}

resident() { awk '/^VmRSS/ { print $2 }' "/proc/$pid/status"; }
median() { sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

# load_souk QUERY SECONDS [TOKEN]: prints requests/s, p50 and p99 in microseconds.
load_souk() {
  local load result
  wrk -t $THREADS -c $CONNECTIONS -d "$2" -s post.lua "http://127.0.0.1:$port/graphql" -- "$work/$1.bodies" ${3+"$3"} >"$work/wrk" &
  load=$!
  while kill -0 "$load" 2>/dev/null; do
    resident >>"$work/resident"
    sleep 0.2
  done
  wait "$load"
  result=$(tail -1 "$work/wrk")
  [[ $result == *' 0' ]] || { cat "$work/wrk" >&2; exit 1; }
  echo "${result% 0}"
}

# load_pgbench QUERY SECONDS: prints the same for pgbench, with the settings of Souk's read connections.
load_pgbench() {
  local rate
  rm -f "$work"/pgbench.*
  rate=$(PGOPTIONS='-c plan_cache_mode=force_generic_plan -c default_transaction_read_only=on -c statement_timeout=5000' \
    pgbench -n -M prepared -c $CONNECTIONS -j $THREADS -T "$2" -f "$1.sql" "${variables[@]}" \
    -l --log-prefix="$work/pgbench" --sampling-rate=0.1 "$url" | sed -n 's/^tps = \([0-9]*\).*/\1/p')
  cat "$work"/pgbench.* | awk '{ print $3 }' | sort -n | awk -v rate="$rate" '
    { all[NR] = $1 } END { print rate, all[int((NR + 1) / 2)], all[int((NR * 99 + 99) / 100)] }'
}

echo "seeding ..." >&2
start
url=$("$souk" db url)
psql -Xq -f seed.sql "$url"
stop

for ((i = 0; i < STARTS; i++)); do
  [[ -z $pid ]] || stop
  start
  echo "$millis" >>"$work/starts"
done
sleep 1
idle=$(resident)

# One JSON body per line. The global id of a product is base64url of `Product:<key>`.
query "SELECT json_build_object('query', \$\$$(<product.graphql)\$\$, 'variables', json_build_object('id',
  rtrim(translate(encode(convert_to('Product:' || id, 'UTF8'), 'base64'), '+/', '-_'), '='))) FROM products" >"$work/product.bodies"
query "SELECT json_build_object('query', \$\$$(<orders.graphql)\$\$)" >"$work/orders.bodies"
page='(SELECT id, user_id FROM orders ORDER BY placed_at DESC, id DESC LIMIT 20) page'
variables=(
  -D products="$(query 'SELECT count(*) FROM products')"
  -D order_ids="$(query "SELECT array_agg(id) FROM $page")"
  -D user_ids="$(query "SELECT array_agg(DISTINCT user_id) FROM $page")"
  -D product_ids="$(query "SELECT array_agg(DISTINCT product_id) FROM order_details WHERE order_id IN (SELECT id FROM $page)")"
)
login='{"query": "mutation { login(input: {email: \"admin@bench.example\", password: \"bench-admin-password\"}) { accessToken } }"}'
token=$(post "$login" | sed -n 's/.*"accessToken": *"\([^"]*\)".*/\1/p')

# Check that the queries return data before measuring them.
[[ $(post "$(head -1 "$work/product.bodies")") == *'"brand":{"id":'* ]]
[[ $(post "$(<"$work/orders.bodies")" "$token" | grep -o '"orderNumber"' | wc -l) == 20 ]]

echo "warming up ..." >&2
load_souk product 2 >/dev/null
load_souk orders 2 "$token" >/dev/null
for ((round = 1; round <= ROUNDS; round++)); do
  echo "round $round of $ROUNDS ..." >&2
  load_souk product $seconds >>"$work/product.souk"
  load_pgbench product $seconds >>"$work/product.pgbench"
  load_souk orders $seconds "$token" >>"$work/orders.souk"
  load_pgbench orders $seconds >>"$work/orders.pgbench"
done

# column FILE N: prints the median of a column.
column() { cut -d ' ' -f "$2" "$work/$1" | median; }

row() {
  awk -v title="$1" -v name="$2" -v rate="$(column "$3" 1)" -v p50="$(column "$3" 2)" -v p99="$(column "$3" 3)" \
    'BEGIN { printf "%-32s %-8s %10d %9.2f %9.2f\n", title, name, rate, p50 / 1000, p99 / 1000 }'
}

report() {
  row "$1" souk "$2.souk"
  row '' pgbench "$2.pgbench"
  awk -v souk="$(column "$2.souk" 1)" -v pgbench="$(column "$2.pgbench" 1)" 'BEGIN { printf "%-32s %-8s %10.2f\n", "", "ratio", souk / pgbench }'
}

echo
echo "$("$souk" --version), PostgreSQL $(query 'SHOW server_version'), $(nproc) cores; $CONNECTIONS connections, medians of $ROUNDS rounds of $seconds s"
echo "start to ready, including PostgreSQL: $(median <"$work/starts") ms (median of $STARTS)"
echo "resident memory of souk: $((idle / 1024)) MiB idle, $(($(sort -n "$work/resident" | tail -1) / 1024)) MiB at $CONNECTIONS connections"
printf '\n%-32s %-8s %10s %9s %9s\n' '' '' requests/s 'p50 ms' 'p99 ms'
report 'product with category and brand' product
report 'page of 20 orders' orders
