#!/usr/bin/env bash
# Measures search quality on the products of a real shop. Usage: bench/search_quality.sh FILE [--misses] [--seed N].
# FILE is the Online Retail data set of the UCI Machine Learning Repository as CSV, optionally xz-compressed. See README.md.
set -euo pipefail
usage() { echo "usage: bench/search_quality.sh FILE [--misses] [--seed N]" >&2; exit 2; }
[[ -f ${1-} ]] || usage
file=$(realpath -e "$1")
shift
cd "$(dirname "$0")"
source ./lib.sh

options=()
while (($#)); do
  case $1 in
    --misses) options+=("$1") && shift ;;
    --seed) [[ ${2-} =~ ^[0-9]+$ ]] || usage; options+=("$1" "$2") && shift 2 ;;
    *) usage ;;
  esac
done

need curl psql python3
find_souk
create_workdir
# All queries are of one client.
export SOUK_LOG=warn SOUK_RATE_LIMITS=false
serve

if [[ $file == *.xz ]]; then
  need xz
  xz -dc "$file" >"$work/sales.csv"
else
  ln -s "$file" "$work/sales.csv"
fi
echo "importing ..." >&2
"$souk" import sales "$work/sales.csv" --website uk --opening-stock 100 --rejects "$work/rejects.csv" >"$work/import" || { cat "$work/import" >&2; exit 1; }

echo "$("$souk" --version), PostgreSQL $(query 'SHOW server_version'); $(query 'SELECT count(*) FROM products WHERE is_active') products"
python3 search_quality.py "$port" "$url" ${options[@]+"${options[@]}"}
