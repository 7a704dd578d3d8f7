#!/usr/bin/env bash
# Every method on eight data sets at 1 to 16 shots, seeds 0, 1, 2, with the embedded mini-clip.
#
#   cargo build --release
#   bench/methods.sh run DATA docs/results/methods-16-shots.csv     # trains what the file lacks, a line each
#   bench/methods.sh page docs/results/methods-16-shots.csv FOLDER  # tables and figures, by `vlpt compare`
#
# DATA holds coop/{eurosat,caltech-101,dtd}, elevater/classification/{mnist_20211008,gtsrb_20210923}, wds/wds_cifar10,
# hf/cifar100 and imagefolder/imagenet20. The file also feeds `vlpt inspect variance ... --results FILE`. VLPT names the
# program; SEEDS, SHOTS (16), ONLY (methods) and TASKS choose a part.
set -euo pipefail
vlpt=${VLPT:-target/release/vlpt}
header=task,method,seed,shots,zero_shot,value,seconds

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

# Name in the file, options. Rates were chosen on tasks that the program draws itself (quick-csc also with a look at
# EuroSAT, seed 0); methods that run a tower in every step have few epochs, for the sake of time.
methods() {
  cat <<'METHODS'
zero-shot --method zero-shot --set zero_shot.templates=one
zero-shot-ensemble --method zero-shot
linear-probe --recipe linear-probe
tip-adapter --recipe tip-adapter
tip-adapter-f --recipe tip-adapter-f
gda --recipe gda
lp++ --recipe lp++
clap --recipe clap
prolip --recipe prolip
coop --recipe quick
coop-csc --recipe quick-csc
cocoop --recipe quick-visual --method cocoop --lr 0.01
vpt --recipe quick-visual --method vpt
vlpt --recipe quick-visual --method vlpt
upt --recipe quick-visual --method upt --lr 0.002
METHODS
}

percent() { sed -n 's/.*: [a-z_A-Z0-9]* \([0-9.]*\) %.*/\1/p'; }

run() {
  local data=$1 file=$2
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  export VLPT_CACHE_DIR="$work/cache" VLPT_QUIET=true
  [ -e "$file" ] || echo "$header" >"$file"
  for shots in ${SHOTS:-16}; do for seed in ${SEEDS:-0 1 2}; do
    while read -r -u 3 name path; do
      while read -r -u 4 method options; do
        grep -qF "$name,$method,$seed,$shots," "$file" && continue
        case " ${ONLY:-$method} " in *" $method "*) ;; *) continue ;; esac
        case " ${TASKS:-$name} " in *" $name "*) ;; *) continue ;; esac
        extra=()
        if [ "$name" = cifar100 ]; then
          case $method in
            # 100 classes with a context each: hours on two cores.
            coop-csc) continue ;;
            # Ten times the images of the others: a fifth of the epochs still makes twice their steps.
            cocoop | vpt | vlpt | upt) extra=(--set train.epochs=3) ;;
          esac
        fi
        began=$(date +%s.%N)
        # shellcheck disable=SC2086 # the options are words
        "$vlpt" train "$data/$path" --model mini-clip --shots "$shots" --seed "$seed" $options "${extra[@]}" --out "$work/run" >/dev/null
        ended=$(date +%s.%N)
        value=$("$vlpt" eval "$work/run" "$data/$path" | percent)
        zero=$(awk -F, -v n="$name" '$1 == n && $2 == "zero-shot" { print $6; exit }' "$file")
        echo "$name,$method,$seed,$shots,${zero:-$value},$value,$(awk -v a="$began" -v b="$ended" 'BEGIN { printf "%.1f", b - a }')" | tee -a "$file" >&2
        rm -rf "$work/run"
      done 4< <(methods)
    done 3< <(sets)
  done; done
}

page() { "$vlpt" compare "$1" --shots 16 --against zero-shot --without eurosat --format markdown --out "$2"; }

case ${1:-} in
  run) run "$2" "$3" ;;
  page) page "$2" "$3" ;;
  *) sed -n '2,10p' "$0" >&2; exit 2 ;;
esac
