#!/usr/bin/env bash
# Runs the tests of GraphQL clients against a running server with demo data:
# tests/clients/run.sh http://127.0.0.1:8000/graphql
# More arguments are the files to run, such as apollo.test.mjs. The default is all of them.
set -euo pipefail

export SOUK_URL=${1:?usage: run.sh <url of the GraphQL endpoint> [<test file>...]}
shift
cd "$(dirname "$0")"

# npm writes its own copy of the lock file last: an older one belongs to another lock file.
if [[ ! node_modules/.package-lock.json -nt package-lock.json ]]; then
  npm ci --ignore-scripts --no-audit --no-fund
fi
if (($# == 0)); then
  set -- *.test.mjs
fi
# One file at a time: the tests change the same products.
exec node --test --test-concurrency=1 "$@"
