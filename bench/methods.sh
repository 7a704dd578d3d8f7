#!/usr/bin/env bash
# Every method and baseline on five data sets, 16 shots, seeds 0, 1, 2, with the embedded mini-clip.
#
#   cargo build --release
#   bench/methods.sh run DATA docs/results/methods-16-shots.csv     # trains what the file lacks, a line each
#   bench/methods.sh page docs/results/methods-16-shots.csv         # the tables, as Markdown
#
# DATA holds coop/eurosat, elevater/classification/mnist_20211008, wds/wds_cifar10, hf/cifar100 and imagefolder/imagenet20.
# The file also feeds `vlpt inspect variance ... --results FILE`. VLPT names the program, SEEDS the seeds,
# ONLY the methods to run.
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
  for seed in ${SEEDS:-0 1 2}; do
    while read -r -u 3 name path; do
      while read -r -u 4 method options; do
        grep -q "^$name,$method,$seed," "$file" && continue
        case " ${ONLY:-$method} " in *" $method "*) ;; *) continue ;; esac
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
        "$vlpt" train "$data/$path" --model mini-clip --shots 16 --seed "$seed" $options "${extra[@]}" --out "$work/run" >/dev/null
        ended=$(date +%s.%N)
        value=$("$vlpt" eval "$work/run" "$data/$path" | percent)
        zero=$(awk -F, -v n="$name" '$1 == n && $2 == "zero-shot" { print $6; exit }' "$file")
        echo "$name,$method,$seed,16,${zero:-$value},$value,$(awk -v a="$began" -v b="$ended" 'BEGIN { printf "%.1f", b - a }')" | tee -a "$file" >&2
        rm -rf "$work/run"
      done 4< <(methods)
    done 3< <(sets)
  done
}

# Mean and Student's interval over the seeds (4.303: two degrees of freedom, two-sided 95 %), and the seconds of a training.
page() {
  awk -F, '
    NR == 1 { next }
    !($1 in sets) { sets[$1]; order[++s] = $1 }
    !($2 in seen) { seen[$2]; methods[++m] = $2 }
    { k = $2 SUBSEP $1; n[k]++; sum[k] += $6; sq[k] += $6 * $6; sec[k] += $7 }
    END {
      for (table = 1; table <= 2; table++) {
        line = table == 1 ? "| accuracy %" : "| seconds"; rule = "|---"
        for (j = 1; j <= s; j++) { line = line " | " order[j]; rule = rule "|---" }
        print line " |\n" rule "|"
        for (i = 1; i <= m; i++) {
          line = "| " methods[i]
          for (j = 1; j <= s; j++) {
            k = methods[i] SUBSEP order[j]
            if (!(k in n)) { line = line " | not run"; continue }
            mean = sum[k] / n[k]
            if (table == 2) { line = line sprintf(" | %.0f", sec[k] / n[k]); continue }
            v = n[k] > 1 ? (sq[k] - n[k] * mean * mean) / (n[k] - 1) : 0
            t = n[k] == 3 ? 4.303 : n[k] == 2 ? 12.706 : 0
            line = line (v > 1e-9 ? sprintf(" | %.1f ± %.1f", mean, t * sqrt(v / n[k])) : sprintf(" | %.1f", mean))
          }
          print line " |"
        }
        print ""
      }
    }' "$1"
}

case ${1:-} in
  run) run "$2" "$3" ;;
  page) page "$2" ;;
  *) sed -n '2,9p' "$0" >&2; exit 2 ;;
esac
