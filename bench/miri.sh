#!/usr/bin/env bash
# The kernels' unit tests that Miri can run, at the portable level: undefined behaviour in `unsafe` that no
# sanitizer sees. Vectors of AVX and inline assembly (tiles) are beyond Miri; what runs is the portable form
# and all that shares memory among threads.
#   bench/miri.sh [TEST...]
# Needs Miri and the sources of the standard library, which the nightly toolchain alone has:
#   rustup toolchain install nightly --component miri --component rust-src
# VLPT_NIGHTLY names another toolchain. Ends with 2 and says what is missing where it cannot run.
set -euo pipefail
cd "$(dirname "$0")/.."
nightly="${VLPT_NIGHTLY:-nightly}"
missing() {
    echo "bench/miri.sh: $1" >&2
    echo "  it takes: rustup toolchain install $nightly --component miri --component rust-src" >&2
    exit 2
}
command -v rustup >/dev/null || missing "there is no rustup, which would choose the toolchain"
root="$(rustc "+$nightly" --print sysroot 2>/dev/null)" || missing "there is no toolchain \`$nightly\`"
[ -x "$root/bin/cargo-miri" ] || missing "the toolchain \`$nightly\` has no Miri"
[ -d "$root/lib/rustlib/src/rust/library" ] || missing "the toolchain \`$nightly\` has no sources of the standard library"
export VLPT_KERNELS=portable MIRIFLAGS="${MIRIFLAGS:--Zmiri-disable-isolation -Zmiri-ignore-leaks -Zmiri-tree-borrows}"
export CARGO_TARGET_DIR=target/miri
[ $# -gt 0 ] || set -- threads:: matrix:: arena:: rows:: lines::
for test in "$@"; do
    nice -n 19 cargo "+$nightly" miri test -p vlpt-kernels --lib --locked -- "$test"
done
