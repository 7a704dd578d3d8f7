#!/usr/bin/env bash
# Throughput and latency of the server beside FastAPI with PyTorch, on the same tower, one after the other in the same
# run; overload; memory over many requests. MODEL: a Hugging Face folder of a CLIP.
# Needs: apt-get install wrk; pip install fastapi uvicorn torch transformers pillow numpy.
set -euo pipefail
model=$(realpath "${1:?a model folder}")
cd "$(dirname "$0")/../.."
[ -x target/release/vlpt ] || cargo build --release
exec "${PYTHON:-python3}" bench/serve/load.py target/release/vlpt "$model" "${@:2}"
