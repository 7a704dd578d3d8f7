#!/usr/bin/env bash
# What bf16 towers do to accuracy and time: 16 shots, seeds 0, 1, 2, with the embedded mini-clip, beside f32.
#
#   cargo build --release
#   bench/precision.sh DATA          # prints the table, as Markdown
#
# DATA holds coop/eurosat, elevater/classification/mnist_20211008, wds/wds_cifar10 and imagefolder/imagenet20. Each run is trained and judged in its
# own number format, nothing is taken from a cache; vpt has few epochs, for the sake of time. VLPT names the program,
# SEEDS the seeds.
set -euo pipefail
vlpt=${VLPT:-target/release/vlpt}
data=${1:?usage: bench/precision.sh DATA}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export VLPT_QUIET=true

methods() {
  cat <<'METHODS'
coop --recipe quick
vpt --recipe quick-visual --method vpt --epochs 5
METHODS
}

percent() { sed -n 's/.*: [a-z_A-Z0-9]* \([0-9.]*\) %.*/\1/p'; }

for path in coop/eurosat elevater/classification/mnist_20211008 wds/wds_cifar10 imagefolder/imagenet20; do
  while read -r -u 3 method options; do
    for seed in ${SEEDS:-0 1 2}; do
      for precision in f32 bf16; do
        began=$(date +%s.%N)
        # shellcheck disable=SC2086 # the options are words
        "$vlpt" train "$data/$path" --model mini-clip --shots 16 --seed "$seed" $options --precision "$precision" --no-cache --out "$work/run" >/dev/null
        ended=$(date +%s.%N)
        value=$("$vlpt" eval "$work/run" "$data/$path" --precision "$precision" --no-cache | percent)
        echo "${path##*/},$method,$seed,$precision,$value,$(awk -v a="$began" -v b="$ended" 'BEGIN { print b - a }')" | tee -a "$work/results" >&2
        rm -rf "$work/run"
      done
    done
  done 3< <(methods)
done

# Means and Student's intervals over the seeds (4.303: two degrees of freedom, two-sided 95 %) of each format, and of
# the differences seed by seed.
awk -F, '
  function interval(sum, sq, n,   mean, v) {
    mean = sum / n; v = n > 1 ? (sq - n * mean * mean) / (n - 1) : 0
    t = n == 3 ? 4.303 : n == 2 ? 12.706 : 0
    return n > 1 ? sprintf("± %.2f", t * sqrt(v > 0 ? v / n : 0)) : ""
  }
  { k = $1 SUBSEP $2
    if (!(k in sets)) { sets[k] = $1; methods[k] = $2; order[++rows] = k }
    if ($4 == "f32") { before = $5; n[k]++; a[k] += $5; aa[k] += $5 * $5; at[k] += $6 }
    else { b[k] += $5; bb[k] += $5 * $5; bt[k] += $6; d = $5 - before; dd[k] += d * d } }
  END {
    print "| data | method | f32 % | bf16 % | bf16 - f32 | seconds f32 | seconds bf16 |\n|---|---|---|---|---|---|---|"
    for (i = 1; i <= rows; i++) {
      k = order[i]; c = n[k]; d = b[k] - a[k]
      printf "| %s | %s | %.2f %s | %.2f %s | %+.2f %s | %.1f | %.1f |\n", sets[k], methods[k], a[k] / c, interval(a[k], aa[k], c),
        b[k] / c, interval(b[k], bb[k], c), d / c, interval(d, dd[k], c), at[k] / c, bt[k] / c
      total += d / c
    }
    printf "| mean | | | | %+.2f | | |\n", total / rows
  }' "$work/results"
