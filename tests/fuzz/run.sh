#!/usr/bin/env bash
# Sends random valid queries and mutations to a running server with demo data, as a guest and as the admin:
# tests/fuzz/run.sh http://127.0.0.1:8000/graphql
# More arguments are options of schemathesis, such as --seed 2. The last value of an option counts.
# Changes and deletes data: the server must be there for this test only.
set -euo pipefail

export SOUK_URL=${1:?usage: run.sh <url of the GraphQL endpoint> [<option of schemathesis>...]}
shift
cd "$(dirname "$0")"

# An older copy belongs to another list of packages.
if [[ ! venv/requirements.txt -nt requirements.txt ]]; then
  python3 -m venv --clear venv
  venv/bin/pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
  cp requirements.txt venv/requirements.txt
fi

options=(
  # Random documents. The other phases are for OpenAPI, or need a server whose state nothing else changes.
  --phases fuzzing
  # Documents that break the schema end in the validation.
  --mode positive
  # Per query and mutation, so 3,456 in both runs.
  --max-examples 12
  # One seed and one worker: a failure can be repeated. A failed run of yesterday must not add cases to this one.
  --seed 1 --workers 1 --generation-database none
  # Only this check of hooks.py. Those of schemathesis reject coded errors, which random input deserves.
  --checks is_sound
  # Data that the run itself has changed makes shrinking useless.
  --no-shrink --continue-on-failure --request-timeout 40
  --warnings off --no-color
)
code=0
for viewer in guest admin; do
  echo "fuzz: $viewer"
  SOUK_VIEWER=$viewer SCHEMATHESIS_HOOKS=hooks.py venv/bin/schemathesis run "$SOUK_URL" "${options[@]}" "$@" || code=$?
done
exit "$code"
