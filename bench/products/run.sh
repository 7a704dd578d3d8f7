#!/usr/bin/env bash
# Products of frozen layers beside PyTorch, oneDNN, MKL and faer, in turns.
#
#   bench/products/run.sh [--rounds 9] [--threads 1 2] [--shapes 1656x768x3072 ...] [--skip faer ...]
#
# PYTHON names an interpreter that has torch (and the wheel mkl, to measure it); left out, one is made in target/peers.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${PYTHON:-}" ]; then
  PYTHON=target/peers/bin/python
  [ -x "$PYTHON" ] || python3 -m venv target/peers
  target/peers/bin/pip install --quiet torch safetensors numpy mkl
fi
target=${CARGO_TARGET_DIR:-target}
cargo build --release --quiet -p vlpt-kernels --example products
cargo build --release --quiet --locked --manifest-path bench/products/faer/Cargo.toml --target-dir "$target/faer"
exec "$PYTHON" bench/products/compare.py "$target/release/examples/products" --faer "$target/faer/release/faer-products" "$@"
