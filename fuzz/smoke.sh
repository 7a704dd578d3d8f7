#!/usr/bin/env bash
# Every target under libFuzzer for SECONDS each (60 by default), one after the other on one core:
#   fuzz/smoke.sh [SECONDS [TARGET...]]
# Needs a compiler that takes `-Z` options: the toolchain that VLPT_NIGHTLY names (`nightly` by default) or,
# where there is none, the stable one with RUSTC_BOOTSTRAP=1; and cargo-fuzz, without which the targets are built
# here with the flags that it would set.
# VLPT_FUZZ_BUILD=0 takes the programs and seeds that were built before.
# VLPT_FUZZ_TIMEOUT is the most seconds of wall clock for one input, 10: more where other work has the processor.
# A line for each target, with its processor time, goes to docs/results/fuzzing.csv (VLPT_FUZZ_CSV names another file, or `none`);
# fuzz/table.sh adds them up. Ends with 1 where a target found something: the input is in
# fuzz/artifacts/TARGET; with 2 where the targets cannot be built.
set -uo pipefail
cd "$(dirname "$0")"
seconds="${1:-60}"
shift || true
work="${VLPT_FUZZ_WORK:-target/corpus}" # inputs found on the way: kept, and not in git
csv="${VLPT_FUZZ_CSV:-../docs/results/fuzzing.csv}"
sanitizer="${VLPT_SANITIZER:-address}"
nightly="${VLPT_NIGHTLY:-nightly}"
host="$(rustc -vV | sed -n 's/^host: //p')"
if rustc "+$nightly" --version >/dev/null 2>&1; then
    cargo=(cargo "+$nightly")
else
    echo "no toolchain \`$nightly\`: $(rustc --version) with RUSTC_BOOTSTRAP=1" >&2
    export RUSTC_BOOTSTRAP=1
    cargo=(cargo)
fi
build() {
    if cargo fuzz --version >/dev/null 2>&1; then
        nice -n 19 "${cargo[@]}" fuzz build --sanitizer "$sanitizer" || return
    else
        echo "no cargo-fuzz (cargo install cargo-fuzz --locked): built with its flags" >&2
        local coverage=(-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4
            -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
            -Cllvm-args=-sanitizer-coverage-trace-compares -Cllvm-args=-simplifycfg-branch-fold-threshold=0)
        [ "$sanitizer" = none ] || coverage+=("-Zsanitizer=$sanitizer")
        RUSTFLAGS="--cfg fuzzing ${coverage[*]}" \
            nice -n 19 "${cargo[@]}" build --release --target "$host" --bins --locked || return
    fi
    (cd .. && nice -n 19 cargo run --quiet --locked -p vlpt-fuzz --bin vlpt-seeds -- fuzz/target/seeds)
}
[ "${VLPT_FUZZ_BUILD:-1}" = 0 ] || build || exit 2
bin="target/$host/release"
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(find fuzz_targets -name '*.rs' -printf '%f\n' | sed 's/\.rs$//' | sort)
if [ "$csv" != none ] && [ ! -e "$csv" ]; then
    echo "date,target,seconds,runs,peak_mib,found" >"$csv"
fi
found=0
for target in "${targets[@]}"; do
    mkdir -p "$work/$target" "artifacts/$target"
    folders=("$work/$target" "target/seeds/$target")
    for kept in corpus regressions; do
        [ -d "$kept/$target" ] && folders+=("$kept/$target")
    done
    # libjpeg has tables of one name in several files, which are no fault
    log="target/$target.log"
    before="$(find "artifacts/$target" -type f ! -name 'slow-unit-*' | wc -l)"
    # Processor time: other work on the machine does not count.
    TIMEFORMAT='%U %S'
    { time nice -n 19 env RAYON_NUM_THREADS=1 ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_odr_violation=0" \
        "$bin/$target" "${folders[@]}" \
        -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" -max_len=65536 \
        -rss_limit_mb=2048 -malloc_limit_mb=512 -timeout="${VLPT_FUZZ_TIMEOUT:-10}" -print_final_stats=1 >"$log" 2>&1; } 2>"$log.time"
    code=$?
    took="$(awk 'END { printf "%.0f", $1 + $2 }' "$log.time")"
    runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    peak="$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")"
    inputs=$(($(find "artifacts/$target" -type f ! -name 'slow-unit-*' | wc -l) - before))
    printf '%-16s exit %s, %s s of processor time, %s runs, %s MiB\n' "$target" "$code" "$took" "${runs:-?}" "${peak:-?}"
    [ "$csv" = none ] || echo "$(date -u +%F),$target,$took,${runs:-0},${peak:-0},$inputs" >>"$csv"
    [ "$code" -eq 0 ] || { found=1; tail -n 25 "$log"; }
done
exit "$found"
