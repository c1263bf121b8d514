#!/usr/bin/env bash
# Stress test: kills PostgreSQL a hundred times during checkouts. Usage: bench/chaos.sh [KILLS]. See README.md.
set -euo pipefail
cd "$(dirname "$0")"
source ./lib.sh

kills=${1-100}
[[ $kills =~ ^[1-9][0-9]*$ ]] || { echo "usage: bench/chaos.sh [KILLS]" >&2; exit 2; }

need psql
find_souk
cd ..
SOUK_BIN=$souk SOUK_PROOF_KILLS=$kills cargo test --locked --test it checkout_outage:: -- --nocapture
