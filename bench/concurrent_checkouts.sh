#!/usr/bin/env bash
# Stress test: 64 concurrent clients buy the same units, and idempotency keys are used in parallel.
# Usage: bench/concurrent_checkouts.sh [ROUNDS]. See README.md.
set -euo pipefail
cd "$(dirname "$0")/.."

rounds=${1-20}
[[ $rounds =~ ^[1-9][0-9]*$ ]] || { echo "usage: bench/concurrent_checkouts.sh [ROUNDS]" >&2; exit 2; }

SOUK_PROOF_ROUNDS=$rounds cargo test --locked --test it checkout_ -- --skip checkout_outage:: --nocapture --test-threads=1
