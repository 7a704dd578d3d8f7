#!/usr/bin/env bash
# `vlpt tune` on eight data sets at 5 and 16 photos a class, seeds 0, 1, 2: what it chose, what it expected, what the
# test images say; beside each fit to features by itself, AutoGluon's recipe and plain logistic regression on the same
# features of the same photos.
#
#   cargo build --release && cargo build --release -p vlpt-tune --example features
#   bench/tune.sh run DATA docs/results/tune.csv          # what the file lacks, a line a run
#   bench/tune.sh table docs/results/tune.csv             # averages, coverage of the intervals, regret
#
# DATA as in bench/methods.sh. MODEL (mini-clip), MINUTES (10), SHOTS, SEEDS, TASKS (names) and WHO (tune, peers, and
# names of methods) choose a part; VLPT, FEATURES and PYTHON (with numpy and scikit-learn) name the programs.
set -euo pipefail
cd "$(dirname "$0")/.."
vlpt=${VLPT:-target/release/vlpt} features=${FEATURES:-target/release/examples/features} python=${PYTHON:-python3}
model=${MODEL:-mini-clip}
header=task,model,shots,seed,who,chosen,expected,low,high,truth,images,seconds

# Name in the file, path below DATA.
sets() {
  cat <<'SETS'
eurosat coop/eurosat
mnist elevater/classification/mnist_20211008
cifar10 wds/wds_cifar10
imagenet20 imagefolder/imagenet20
cifar100 hf/cifar100
caltech-101 coop/caltech-101
dtd coop/dtd
gtsrb elevater/classification/gtsrb_20210923
SETS
}

methods='zero-shot linear-probe tip-adapter tip-adapter-f gda lp++ clap prolip'

# A field of one JSON document on standard input, `.a.b`.
field() { "$python" -c 'import functools, json, sys
found = functools.reduce(lambda value, key: (value or {}).get(key), sys.argv[1].split("."), json.load(sys.stdin))
print("" if found is None else found)' "$1"; }

seconds_since() { awk -v a="$1" -v b="$(date +%s.%N)" 'BEGIN { printf "%.1f", b - a }'; }

run() {
  local data=$1 file=$2
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  export VLPT_CACHE_DIR=${VLPT_CACHE_DIR:-$work/cache} VLPT_QUIET=true
  [ -e "$file" ] || echo "$header" >"$file"
  for shots in ${SHOTS:-5 16}; do for seed in ${SEEDS:-0 1 2}; do
    while read -r -u 3 name path; do
      case " ${TASKS:-$name} " in *" $name "*) ;; *) continue ;; esac
      for who in ${WHO:-tune peers $methods}; do
        start="$name,$model,$shots,$seed"
        # The peers are two lines; the second one is written last.
        case $who in peers) last=autogluon-svc ;; *) last=$who ;; esac
        grep -qF "$start,$last," "$file" && continue
        began=$(date +%s.%N)
        case $who in
          tune)
            "$vlpt" tune "$data/$path" --model "$model" --shots "$shots" --seed "$seed" --minutes "${MINUTES:-10}" \
              --out "$work/run" --json >"$work/tune.json"
            took=$(seconds_since "$began")
            "$vlpt" eval "$work/run" --json >"$work/eval.json"
            line=$start,tune
            for key in chosen estimate.value estimate.low estimate.high; do
              line+=,$(field $key <"$work/tune.json")
            done
            line+=,$(field accuracy <"$work/eval.json"),$(field images <"$work/eval.json"),$took
            echo "$line" | tee -a "$file" >&2
            ;;
          peers)
            "$features" "$data/$path" "$shots" "$seed" "$model" "$work/features" 2>/dev/null
            "$python" bench/tune.py peers "$work/features" | while IFS=, read -r peer truth images took; do
              echo "$start,$peer,,,,,$truth,$images,$took"
            done | tee -a "$file" >&2
            ;;
          *)
            "$vlpt" train "$data/$path" --model "$model" --method "$who" --shots "$shots" --seed "$seed" \
              --set data.all_to_train=true --exif apply --out "$work/run" >/dev/null
            took=$(seconds_since "$began")
            "$vlpt" eval "$work/run" --json >"$work/eval.json"
            echo "$start,$who,,,,,$(field accuracy <"$work/eval.json"),$(field images <"$work/eval.json"),$took" |
              tee -a "$file" >&2
            ;;
        esac
        rm -rf "$work/run" "$work/features"
      done
    done 3< <(sets)
  done; done
}

case ${1:-} in
  run) run "$2" "$3" ;;
  table) "$python" bench/tune.py table "$2" ;;
  *) sed -n '2,13p' "$0" | cut -c3- && exit 2 ;;
esac
