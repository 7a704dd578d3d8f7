#!/usr/bin/env bash
# The peers' benchmark: PyTorch in an environment of its own and vlpt, on the same weights, in turns.
#
#   bench/peers/run.sh [--rounds 5] [--threads 2] [--skip bf16] ...
#
# PYTHON names an interpreter that has torch and safetensors already; left out, one is made in target/peers.
set -euo pipefail
cd "$(dirname "$0")/../.."
if [ -z "${PYTHON:-}" ]; then
  PYTHON=target/peers/bin/python
  if [ ! -x "$PYTHON" ]; then
    python3 -m venv target/peers
    target/peers/bin/pip install --quiet torch safetensors numpy
  fi
fi
cargo build --release --quiet -p vlpt-clip --example peer
exec "$PYTHON" bench/peers/peers.py "${CARGO_TARGET_DIR:-target}/release/examples/peer" "$@"
