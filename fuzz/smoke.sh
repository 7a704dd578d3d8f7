#!/usr/bin/env bash
# Every target under libFuzzer for SECONDS each (60 by default), one after the other on one core:
#   fuzz/smoke.sh [SECONDS [TARGET...]]
# Ends with 1 where a target found something; the input is then in fuzz/artifacts/TARGET.
set -uo pipefail
cd "$(dirname "$0")"
seconds="${1:-60}"
shift || true
work="${VLPT_FUZZ_WORK:-target/corpus}" # inputs found on the way: kept, and not in git
sanitizer="${VLPT_SANITIZER:-address}"
cargo +nightly fuzz build --sanitizer "$sanitizer" || exit 2
(cd .. && cargo run --quiet -p vlpt-fuzz --bin vlpt-seeds -- "fuzz/target/seeds") || exit 2
targets=("$@")
[ ${#targets[@]} -gt 0 ] || mapfile -t targets < <(cargo +nightly fuzz list)
found=0
for target in "${targets[@]}"; do
    mkdir -p "$work/$target" "artifacts/$target"
    folders=("$work/$target" "target/seeds/$target")
    for kept in corpus regressions; do
        [ -d "$kept/$target" ] && folders+=("$kept/$target")
    done
    # libjpeg has tables of one name in several files, which are no fault
    log="target/$target.log"
    nice -n 19 env RAYON_NUM_THREADS=1 ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_odr_violation=0" \
        "target/x86_64-unknown-linux-gnu/release/$target" "${folders[@]}" \
        -artifact_prefix="artifacts/$target/" -max_total_time="$seconds" -max_len=65536 \
        -rss_limit_mb=2048 -malloc_limit_mb=512 -timeout=10 -print_final_stats=1 >"$log" 2>&1
    code=$?
    runs="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")"
    peak="$(sed -n 's/^stat::peak_rss_mb: *//p' "$log")"
    printf '%-16s exit %s, %s runs, %s MiB\n' "$target" "$code" "${runs:-?}" "${peak:-?}"
    [ "$code" -eq 0 ] || { found=1; tail -n 25 "$log"; }
done
exit "$found"
