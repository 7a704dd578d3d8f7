#!/usr/bin/env bash
# The kernels' unit tests that Miri can run, at the portable level: undefined behaviour in `unsafe` that no
# sanitizer sees. Vectors of AVX and inline assembly (tiles) are beyond Miri; what runs is the portable form
# and all that shares memory among threads.
#   bench/miri.sh [TEST...]
# Needs: rustup component add miri rust-src --toolchain nightly
set -euo pipefail
cd "$(dirname "$0")/.."
if ! cargo +nightly miri --version >/dev/null 2>&1; then
    echo "the nightly toolchain has no Miri: rustup component add miri rust-src --toolchain nightly" >&2
    exit 2
fi
export VLPT_KERNELS=portable MIRIFLAGS="${MIRIFLAGS:--Zmiri-disable-isolation -Zmiri-ignore-leaks -Zmiri-tree-borrows}"
export CARGO_TARGET_DIR=target/miri
[ $# -gt 0 ] || set -- threads:: matrix:: arena:: rows:: lines::
for test in "$@"; do
    nice -n 19 cargo +nightly miri test -p vlpt-kernels --lib --locked -- "$test"
done
