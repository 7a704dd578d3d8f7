#!/usr/bin/env bash
# Tests of the only crate with `unsafe`, and the replay of hostile input, under sanitizers:
#   bench/sanitizers.sh [address|thread|leak]...       (address and thread by default)
# Sanitizers need a compiler that takes `-Z` options: the toolchain that VLPT_NIGHTLY names (`nightly` by
# default), or, where there is none, the stable one told to take them (RUSTC_BOOTSTRAP=1). `thread` also needs
# the sources of the standard library, which has to be built with it:
#   rustup toolchain install nightly --component rust-src
# What cannot run here is said and left out; ends with 1 where a test failed, with 2 where nothing could run.
set -uo pipefail
cd "$(dirname "$0")/.."
host="$(rustc -vV | sed -n 's/^host: //p')"
nightly="${VLPT_NIGHTLY:-nightly}"
if root="$(rustc "+$nightly" --print sysroot 2>/dev/null)"; then
    cargo=(cargo "+$nightly")
else
    echo "no toolchain \`$nightly\`: $(rustc --version) with RUSTC_BOOTSTRAP=1" >&2
    export RUSTC_BOOTSTRAP=1
    cargo=(cargo)
    root="$(rustc --print sysroot)"
fi
declare -A short=([address]=asan [thread]=tsan [leak]=lsan)
[ $# -gt 0 ] || set -- address thread
ran=0 failed=0
for sanitizer in "$@"; do
    runtime="${short[$sanitizer]:-}"
    [ -n "$runtime" ] || { echo "no sanitizer is called $sanitizer: expected address, thread or leak" >&2; exit 2; }
    if ! compgen -G "$root/lib/rustlib/$host/lib/librustc*_rt.$runtime.a" >/dev/null; then
        echo "SKIPPED $sanitizer: the toolchain in $root has no runtime of it for $host" >&2
        continue
    fi
    std=()
    if [ "$sanitizer" = thread ]; then
        if [ ! -d "$root/lib/rustlib/src/rust/library" ]; then
            echo "SKIPPED thread: no sources of the standard library in $root (rustup component add rust-src)" >&2
            continue
        fi
        std=(-Z build-std)
    fi
    echo "== $sanitizer"
    ran=1
    export RUSTFLAGS="-Z sanitizer=$sanitizer" RUSTDOCFLAGS="-Z sanitizer=$sanitizer"
    # libjpeg has tables of one name in several files, which are no fault
    export ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_odr_violation=0"
    export CARGO_TARGET_DIR="target/$sanitizer"
    nice -n 19 "${cargo[@]}" test "${std[@]}" --target "$host" -p vlpt-kernels --lib --tests --locked || failed=1
    [ "$sanitizer" = thread ] ||
        nice -n 19 "${cargo[@]}" test --target "$host" -p vlpt-fuzz --test replay --locked || failed=1
done
[ "$ran" -eq 1 ] || exit 2
exit "$failed"
