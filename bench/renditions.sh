#!/usr/bin/env bash
# Measures time and peak memory of creating all renditions of a 12-megapixel JPEG: bench/renditions.sh. See README.md.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --release --locked --test it renditions:: -- --ignored --nocapture
