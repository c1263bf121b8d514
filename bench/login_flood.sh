#!/usr/bin/env bash
# Measures product reads alone and during a flood of logins. Usage: bench/login_flood.sh [--quick]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"

readonly CONNECTIONS=32 THREADS=2 FLOOD=16 ROUNDS=3
case ${1-} in
  '') seconds=10 ;;
  --quick) seconds=3 ;;
  *) echo "usage: bench/login_flood.sh [--quick]" >&2; exit 2 ;;
esac

# Debian does not add PostgreSQL's programs to PATH. Like Souk, use the newest version.
programs=$(printf '%s\n' /usr/lib/postgresql/*/bin | sort -V | tail -1)
PATH="$programs:$PATH"
for program in wrk curl psql; do
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
pid='' flood=''
cleanup() {
  [[ -z $flood ]] || { kill "$flood"; wait "$flood"; } 2>/dev/null || true
  [[ -z $pid ]] || { kill "$pid"; wait "$pid"; } 2>/dev/null || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

# With a trusted proxy, the logins set their client address in X-Forwarded-For, so that throttling does not stop them.
unset DATABASE_URL
export SOUK_DATA_DIR=$work/data SOUK_ENV=production SOUK_JWT_SECRET=only-for-this-run-of-the-benchmark SOUK_TRUSTED_PROXIES=1

"$souk" serve --listen 127.0.0.1:0 >"$work/stdout" 2>>"$work/log" &
pid=$!
exec {stdout}<"$work/stdout"
port=
while [[ -z $port ]] && read -r line <&"$stdout"; do
  [[ $line != *http://127.0.0.1:*/readyz ]] || { port=${line##*:} && port=${port%/*}; }
done
[[ -n $port ]] || { cat "$work/log" >&2; exit 1; }
until curl -sf "http://127.0.0.1:$port/readyz" >/dev/null; do kill -0 "$pid"; done
echo "seeding ..." >&2
url=$("$souk" db url)
psql -Xq -f seed.sql "$url"
psql -XAtq -c "SELECT json_build_object('query', \$\$$(<product.graphql)\$\$, 'variables', json_build_object('id',
  rtrim(translate(encode(convert_to('Product:' || id, 'UTF8'), 'base64'), '+/', '-_'), '='))) FROM products" "$url" >"$work/product.bodies"

# reads FILE: appends requests/s, p50 and p99 in microseconds.
reads() {
  local result
  result=$(wrk -t $THREADS -c $CONNECTIONS -d "$seconds" -s post.lua "http://127.0.0.1:$port/graphql" -- "$work/product.bodies" | tail -1)
  [[ $result == *' 0' ]] || { echo "reads failed: $result" >&2; exit 1; }
  echo "${result% 0}" >>"$work/$1"
}

# reads_during FLOOD: the same during logins from `many` clients or `one`.
reads_during() {
  wrk -t 1 -c $FLOOD -d $((seconds + 2)) -s login.lua "http://127.0.0.1:$port/graphql" -- "$1" >"$work/wrk" &
  flood=$!
  sleep 1
  reads "$1"
  wait "$flood"
  flood=
  tail -1 "$work/wrk" >>"$work/$1.logins"
}

echo "warming up ..." >&2
reads warm
for ((round = 1; round <= ROUNDS; round++)); do
  echo "round $round of $ROUNDS ..." >&2
  reads alone
  reads_during many
  reads_during one
  # Reset the throttling of the single client for the next round.
  psql -Xqc 'TRUNCATE login_throttles' "$url"
done

# column FILE N: prints the median of a column.
column() { cut -d ' ' -f "$2" "$work/$1" | sort -n | awk '{ all[NR] = $1 } END { print all[int((NR + 1) / 2)] }'; }

row() {
  awk -v title="$1" -v rate="$(column "$2" 1)" -v p50="$(column "$2" 2)" -v p99="$(column "$2" 3)" -v logins="${3-}" -v rejected="${4-}" \
    'BEGIN { printf "%-46s %10d %9.2f %9.2f %10s %10s\n", title, rate, p50 / 1000, p99 / 1000, logins, rejected }'
}

echo
echo "$("$souk" --version), $(nproc) cores; product reads at $CONNECTIONS connections, medians of $ROUNDS rounds of $seconds s"
printf '\n%-46s %10s %9s %9s %10s %10s\n' '' requests/s 'p50 ms' 'p99 ms' logins/s limited/s
row 'alone' alone
row "with logins on $FLOOD connections, many clients" many "$(column many.logins 1)" "$(column many.logins 2)"
row "with logins on $FLOOD connections, one client" one "$(column one.logins 1)" "$(column one.logins 2)"
