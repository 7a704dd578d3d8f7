#!/usr/bin/env bash
# Tests of the only crate with `unsafe`, and the replay of hostile input, under sanitizers:
#   bench/sanitizers.sh [address|thread|leak]...       (address and thread by default)
# Needs the nightly compiler; thread also its sources (rustup component add rust-src --toolchain nightly),
# because the standard library has to be built with it.
set -euo pipefail
cd "$(dirname "$0")/.."
host="$(rustc -vV | sed -n 's/^host: //p')"
[ $# -gt 0 ] || set -- address thread
for sanitizer in "$@"; do
    echo "== $sanitizer"
    std=()
    [ "$sanitizer" = thread ] && std=(-Z build-std)
    export RUSTFLAGS="-Z sanitizer=$sanitizer" RUSTDOCFLAGS="-Z sanitizer=$sanitizer"
    export CARGO_TARGET_DIR="target/$sanitizer"
    nice -n 19 cargo +nightly test "${std[@]}" --target "$host" -p vlpt-kernels --lib --tests --locked
    [ "$sanitizer" = thread ] ||
        nice -n 19 cargo +nightly test --target "$host" -p vlpt-fuzz --test replay --locked
done
