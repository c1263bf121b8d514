#!/usr/bin/env bash
# Measures import and export of 100,000 products as Souk CSV. Usage: bench/transfers.sh [ROWS]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh

rows=${1-100000}
[[ $rows =~ ^[1-9][0-9]*$ ]] || { echo "usage: bench/transfers.sh [ROWS]" >&2; exit 2; }

need curl psql
find_souk
create_workdir
export SOUK_LOG=warn
serve

query "INSERT INTO websites (code, name, base_url, currency) VALUES ('bench', 'Bench', 'https://bench.example', 'GBP')"
# Names of two or three words, 400 categories at three levels, 200 brands, every twentieth product in a group of four.
psql -XAtqc "COPY (
    SELECT 'x' || i AS external_id, 'SKU-' || lpad(i::text, 6, '0') AS sku, initcap(w[1 + i % 20] || ' ' || w[1 + i * 7 % 20] || ' ' || i) AS name,
        'p-' || i AS slug, lpad(i::text, 8, '0') AS barcode,
        'A ' || w[1 + i * 3 % 20] || ' ' || w[1 + i % 20] || ' for those who like ' || w[1 + i * 11 % 20] || ' and ' || w[1 + i * 13 % 20] AS description,
        (100 + i % 9900) / 100.0 AS price, 'Home > ' || w[1 + i % 20] || ' > ' || w[1 + i / 20 % 20] AS category,
        'Brand ' || i % 200 AS brand, 'Supplier ' || i % 50 AS supplier,
        CASE WHEN i % 20 = 0 THEN 'group-' || i / 80 END AS \"group\", CASE WHEN i % 20 = 0 THEN 'Size=' || i END AS options, i % 300 AS stock
    FROM generate_series(1, $rows) i,
        (SELECT '{oak,tea,tray,blue,enamel,mug,felt,basket,small,paper,star,gift,lamp,chair,table,linen,towel,copper,kettle,glass}'::text[] AS w) words
    ) TO STDOUT WITH (FORMAT csv, HEADER)" "$url" >"$work/products.csv"

# measure_command NAME COMMAND...: runs the command; prints its duration, rows/s and peak memory.
measure_command() {
  local name=$1 begin end peak=0 now command
  shift
  begin=$EPOCHREALTIME
  "$@" >"$work/out" &
  command=$!
  while kill -0 "$command" 2>/dev/null; do
    now=$(awk '/VmHWM/ { print $2 }' "/proc/$command/status" 2>/dev/null || true)
    [[ -z $now ]] || peak=$now
    sleep 0.05
  done
  wait "$command"
  end=$EPOCHREALTIME
  awk -v name="$name" -v rows="$rows" -v begin="$begin" -v end="$end" -v peak="$peak" \
    'BEGIN { printf "%-28s %8.1f s %10d rows/s %8.0f MB\n", name, end - begin, rows / (end - begin), peak / 1024 }'
}

measure_command 'import, all rows new' "$souk" import products "$work/products.csv" --website bench --report "$work/report"
measure_command 'same import again' "$souk" import products "$work/products.csv" --website bench
measure_command 'export' "$souk" export products --website bench --out "$work/exported.csv"
measure_command 'import of the export' "$souk" import products "$work/exported.csv" --website bench --report "$work/report"
grep -q '"unchanged": '"$rows" "$work/report" || { echo "the import of the export changed rows" >&2; cat "$work/report" >&2; exit 1; }
