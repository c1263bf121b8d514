#!/usr/bin/env bash
# Runs the GraphQL-over-HTTP audits against a running server: tests/audits/run.sh http://127.0.0.1:8000/graphql
set -euo pipefail

url=${1:?usage: run.sh <url of the GraphQL endpoint>}
cd "$(dirname "$0")"

# npm writes its own copy of the lock file last: an older one belongs to another lock file.
if [[ ! node_modules/.package-lock.json -nt package-lock.json ]]; then
  npm ci --ignore-scripts --no-audit --no-fund
fi
exec node run.mjs "$url"
