#!/usr/bin/env bash
# Measures searches with 100,000 and 1,000,000 products.
# Usage: bench/search_at_scale.sh [--quick] [--old] [ROWS...]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh

readonly PAGE=20 CONNECTIONS=(1 32)
usage() { echo "usage: bench/search_at_scale.sh [--quick] [--old] [ROWS...]; ROWS: ascending multiples of 1000, at least 20000" >&2; exit 2; }
seconds=5 rounds=3 queries=20 old= sizes=() operations=() last=0
for argument; do
  case $argument in
    --quick) seconds=2 rounds=1 queries=5 ;;
    # For older versions whose search has no facets, filters or suggestions.
    --old) old=1 ;;
    *)
      [[ $argument =~ ^[1-9][0-9]*000$ ]] && ((argument >= 20000 && argument > last)) || usage
      sizes+=("$argument") last=$argument
      ;;
  esac
done
((${#sizes[@]})) || sizes=(100000 1000000)

need wrk curl psql pgbench python3
find_souk
create_workdir
export SOUK_LOG=warn
serve

# settle: waits until Souk has processed the new products.
settle() {
  until [[ $(query "SELECT count(*) FROM jobs WHERE state = 'queued' AND run_at <= now()") == 0 ]]; do sleep 0.2; done
  query 'VACUUM (ANALYZE)'
  query CHECKPOINT
}

# pairs REMAINDER: prints pairs of rare words of one name, one per line; the same for every size.
pairs() {
  query "SELECT (array_agg(word ORDER BY place))[1:2] FROM products p, regexp_split_to_table(lower(name), ' ') WITH ORDINALITY words (one, place)
      JOIN (SELECT word FROM bench.words GROUP BY word HAVING min(rank) BETWEEN 300 AND 8000) rarer ON one = word
    WHERE is_active AND p.id <= 20000 AND p.id % 97 = $1 AND char_length(word) >= 6
    GROUP BY p.id HAVING count(DISTINCT word) >= 2 ORDER BY p.id LIMIT $queries" | tr -d '{}' | tr ',' ' '
}

# bodies SELECTION WHERE: prints a request for each line of standard input.
bodies() {
  while read -r words; do
    printf '{"query": "{ search(query: \\"%s\\", types: [PRODUCT], first: %s%s) { %s } }"}\n' "$words" $PAGE "${2:+, where: $2}" "$1"
  done
}

# make_bodies: sets operations to their names, and writes the requests of each to a file with its name.
make_bodies() {
  local nodes='nodes { __typename ... on Product { id sku name price { amount currency } availability } } pageInfo { hasNextPage endCursor }'
  local all="$nodes totalCount { value } didYouMean facets { categories { value count } brands { value count } websites { value count }"
  all+=' prices { min { amount } max { amount } count } ratings { value count } availability { value count } options { name values { value count } } }'
  [[ -z $old ]] || all="$nodes totalCount { value }"
  operations=('two words, facets' 'classic, facets' 'typo, facets' 'classic, page 1')
  pairs 1 | bodies "$all" '' >"$work/two words, facets"
  bodies "$all" '' <<<classic >"$work/classic, facets"
  pairs 2 | grep -vE '^..(.)\1' | sed -E 's/^(..)(.)(.)/\1\3\2/' | bodies "$all" '' >"$work/typo, facets"
  bodies "$nodes" '' <<<classic >"$work/classic, page 1"
  if [[ -z $old ]]; then
    operations+=('classic, filtered, facets' suggestions)
    # The id of a category is base64url of `Category:<key>`.
    local root
    root=$(printf 'Category:1' | base64 | tr '+/' '-_' | tr -d '=')
    bodies "$all" "{category: {eq: \\\"$root\\\", includeDescendants: true}, price: {lte: \\\"20\\\"}}" <<<classic >"$work/classic, filtered, facets"
    query "SELECT left(word, 3 + rank % 2) FROM bench.words WHERE rank % 37 = 1 ORDER BY rank LIMIT $queries" | while read -r prefix; do
      printf '{"query": "{ searchSuggestions(prefix: \\"%s\\", first: 10) { text kind node { __typename } } }"}\n' "$prefix"
    done >"$work/suggestions"
  fi
}

# record_statements OPERATION: sends each request twice; sets hits and statements (averages). The statements of the second
# run become the pgbench scripts `<operation>.<n>.sql`.
record_statements() {
  local body response from number=0 sum=0 log=$SOUK_DATA_DIR/postgres/server.log
  local address="http://127.0.0.1:$port/graphql" type='Content-Type: application/json'
  hits=- statements=0
  rm -f "$work/$1".*.sql
  while read -r body; do
    curl -sf "$address" -H "$type" -d "$body" >/dev/null
    from=$(stat -c %s "$log")
    response=$(curl -sf "$address" -H "$type" -d "$body")
    [[ $response != *'"errors"'* ]] || { echo "$body: unexpected response: $response" >&2; exit 1; }
    number=$((number + 1))
    tail -c "+$((from + 1))" "$log" | python3 log_to_pgbench.py >"$work/$1.$number.sql"
    [[ ! $response =~ \"totalCount\":\{\"value\":([0-9]+) ]] || { sum=$((sum + BASH_REMATCH[1])) && hits=$((sum / number)); }
    statements=$((statements + $(grep -cvE '^(BEGIN|COMMIT|SET)\b' "$work/$1.$number.sql" || true)))
  done <"$work/$1"
  statements=$(awk -v all="$statements" -v number="$number" 'BEGIN { printf "%.3g", all / number }')
}

# load_souk OPERATION CONNECTIONS: prints requests/s, p50 and p99 in microseconds, and failures. If a round ends without a
# response, it is repeated with 30 s.
load_souk() {
  local time result
  for time in $seconds 30; do
    result=$(wrk -t $(($2 < 2 ? 1 : 2)) -c "$2" -d "$time" --timeout 30s -s search.lua "http://127.0.0.1:$port/graphql" -- "$work/$1" | tail -1)
    [[ $result == '0.0 '* ]] || break
  done
  echo "$result"
}

# load_pgbench OPERATION CONNECTIONS: prints the same for pgbench. Each client plans once, for the literal values.
load_pgbench() {
  local rate files=()
  for file in "$work/$1".*.sql; do [[ ! -s $file ]] || files+=(-f "$file"); done
  # Operations served from memory have no statements.
  ((${#files[@]})) || { echo 0 0 0 0; return; }
  rm -f "$work"/pgbench.*
  rate=$(pgbench -n -M prepared -c "$2" -j $(($2 < 2 ? 1 : 2)) -T $seconds "${files[@]}" -l --log-prefix="$work/pgbench" "$url" \
    2>"$work/errors" | sed -n 's/^tps = \([0-9.]*\).*/\1/p') || { cat "$work/errors" >&2; rate=0; }
  find "$work" -name 'pgbench.*' -exec cat {} + | awk '{ print $3 }' | sort -n | awk -v rate="${rate:-0}" '
    { all[NR] = $1 } END { print rate, all[int((NR + 1) / 2)] + 0, all[int((NR * 99 + 99) / 100)] + 0, 0 }'
}

# column FILE N: prints the median of a column.
column() { cut -d ' ' -f "$2" "$work/$1" | median; }

# row TITLE HITS STATEMENTS ENGINE FILE: prints a row of the table.
row() {
  printf '%-26s %7s %10s %-8s' "$1" "$2" "$3" "$4"
  for connections in "${CONNECTIONS[@]}"; do
    awk -v rate="$(column "$5.$connections" 1)" -v p50="$(column "$5.$connections" 2)" -v p99="$(column "$5.$connections" 3)" \
      'BEGIN { printf " %9.1f %9.2f %9.2f", rate, p50 / 1000, p99 / 1000 }'
  done
  awk '{ failed += $4 } END { print failed ? "  failed: " failed : "" }' "$work/$5".*
}

echo "$("$souk" --version), PostgreSQL $(query 'SHOW server_version'), $(nproc) cores; medians of $rounds rounds of $seconds s" \
  "of $queries queries${old:+; --old}"
last=0
for size in "${sizes[@]}"; do
  echo "seeding $size ..." >&2
  begin=$EPOCHREALTIME
  psql -Xq -v first=$((last + 1)) -v last="$size" -f search_at_scale.sql "$url"
  settle
  last=$size
  ((${#operations[@]})) || make_bodies
  echo
  seeded=$(awk "BEGIN { printf \"%d\", $EPOCHREALTIME - $begin }")
  echo "$size products, seeded in $seeded s, $(query 'SELECT pg_size_pretty(pg_database_size(current_database()))')"
  printf '%-26s %7s %10s %-8s %9s %9s %9s %9s %9s %9s\n' '' hits statements '' '1: 1/s' 'p50 ms' 'p99 ms' '32: 1/s' 'p50 ms' 'p99 ms'
  for operation in "${operations[@]}"; do
    query "ALTER SYSTEM SET log_statement = 'all'" && query 'SELECT pg_reload_conf()' >/dev/null
    sleep 0.3
    record_statements "$operation"
    query 'ALTER SYSTEM RESET log_statement' && query 'SELECT pg_reload_conf()' >/dev/null
    sleep 0.3
    for ((round = 1; round <= rounds; round++)); do
      for connections in "${CONNECTIONS[@]}"; do
        load_souk "$operation" "$connections" >>"$work/$size $operation.souk.$connections"
        load_pgbench "$operation" "$connections" >>"$work/$size $operation.pgbench.$connections"
      done
    done
    row "$operation" "$hits" "$statements" souk "$size $operation.souk"
    row '' '' '' pgbench "$size $operation.pgbench"
  done
done

if ((${#sizes[@]} > 1)); then
  printf '\n%-26s %s\n' "p50, ${sizes[-1]} to ${sizes[0]}" '1 connection, 32 connections'
  for operation in "${operations[@]}"; do
    printf '%-26s' "$operation"
    for connections in "${CONNECTIONS[@]}"; do
      awk -v few="$(column "${sizes[0]} $operation.souk.$connections" 2)" -v many="$(column "${sizes[-1]} $operation.souk.$connections" 2)" \
        'BEGIN { printf " %8.2f", many / few }'
    done
    echo
  done
fi
