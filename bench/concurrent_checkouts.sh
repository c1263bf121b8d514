#!/usr/bin/env bash
# Sells the same pieces to 64 clients at once, over and over, and sends keys in parallel: bench/concurrent_checkouts.sh [ROUNDS]. See README.md
# beside it.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1-20}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { echo "usage: bench/concurrent_checkouts.sh [ROUNDS]" >&2; exit 2; }

SOUK_PROOF_ROUNDS=$rounds cargo test --locked --test it checkout_ -- --skip checkout_outage:: --nocapture --test-threads=1
