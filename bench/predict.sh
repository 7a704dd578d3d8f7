#!/usr/bin/env bash
# vlpt predict beside PyTorch on the same photos and weights, in turns: images a minute and peak memory.
#
#   bench/predict.sh [--photos 1000 10000 50000] [--models mini-clip vit-b-32] [--rounds 1] ...
#
# PYTHON names an interpreter that has torch, transformers, torchvision and Pillow already; left out, one is made in
# target/peers. FOLDER is where photos and models are made (target/predict); photos are links to a few hundred files.
set -euo pipefail
cd "$(dirname "$0")/.."
if [ -z "${PYTHON:-}" ]; then
  PYTHON=target/peers/bin/python
  [ -x "$PYTHON" ] || python3 -m venv target/peers
  target/peers/bin/pip install --quiet torch transformers torchvision pillow safetensors numpy
fi
if [ -z "${VLPT:-}" ]; then
  cargo build --release --quiet -p vlpt
  VLPT=${CARGO_TARGET_DIR:-target}/release/vlpt
fi
exec "$PYTHON" bench/predict.py drive "$VLPT" --folder "${FOLDER:-target/predict}" "$@"
