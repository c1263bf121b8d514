#!/usr/bin/env bash
# Time and peak memory of the renditions of a JPEG of 12 megapixels: bench/renditions.sh. See README.md beside it.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo test --release --locked --test it renditions:: -- --ignored --nocapture
