#!/usr/bin/env bash
# The Python package in numbers: the wheel's size, what its import and its script take to start, and `predict` from Python
# beside the command line, in turns, with the same bytes.
#
#   bench/python.sh [--photos 2000] [--rounds 3]
#
# PYTHON names an interpreter; NumPy and maturin are fetched into an environment below target/python-bench. WHEEL and VLPT
# name a wheel and a program that are there already; left out, both are built with the profile `dist`.
set -euo pipefail
cd "$(dirname "$0")/.."
target=${CARGO_TARGET_DIR:-$PWD/target}
home=$target/python-bench
export PIP_CACHE_DIR=$home/pip PIP_DISABLE_PIP_VERSION_CHECK=1
[ -x "$home/venv/bin/python" ] || "${PYTHON:-python3}" -m venv "$home/venv"
"$home/venv/bin/pip" install --quiet numpy pillow maturin
if [ -z "${WHEEL:-}" ]; then
  rm -rf "$home/wheels"
  "$home/venv/bin/maturin" build --profile dist --locked --quiet --interpreter "$home/venv/bin/python" --out "$home/wheels"
  WHEEL=$(ls "$home"/wheels/vlpt-*.whl)
fi
if [ -z "${VLPT:-}" ]; then
  cargo build --profile dist --locked --quiet -p vlpt
  VLPT=$target/dist/vlpt
fi
"$home/venv/bin/pip" install --quiet --force-reinstall --no-deps --no-index "$WHEEL"
exec "$home/venv/bin/python" bench/python.py "$WHEEL" "$VLPT" "$@"
