#!/usr/bin/env bash
# Zero-shot and 16-shot CoOp on five data sets in five formats, over seeds 0, 1, 2, as a Markdown page.
#
#   cargo build --release && bench/real-data.sh DATA > docs/results/coop-16-shots.md
#
# DATA holds coop/eurosat, elevater/classification/mnist_20211008, wds/wds_cifar10, hf/cifar100 and imagefolder/imagenet20.
set -euo pipefail
data=$1
vlpt=${VLPT:-target/release/vlpt}
seeds="0 1 2"
common=(--model mini-clip --shots 16)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export VLPT_CACHE_DIR="$work/cache" VLPT_QUIET=true

percent() { sed -n 's/.*: [a-z_A-Z0-9]* \([0-9.]*\) %.*/\1/p'; }

cat <<'HEAD'
# 16-shot CoOp on real images

The embedded mini-clip, 16 images a class (fewer where a set has fewer), the default recipe with a bank of 8 views; test images of the subsets at hand. The
interval is Student's over the three seeds. mini-clip is a weak model: the table shows that the whole path works and what tuning adds, not what a good CLIP reaches.

HEAD
echo '```sh'
echo "cargo build --release && bench/real-data.sh DATA > docs/results/coop-16-shots.md"
echo "# one cell: vlpt train DATA/coop/eurosat ${common[*]} --views bank --set views.count=8 --seed 0 --out run && vlpt eval run DATA/coop/eurosat"
echo '```'
echo
echo '| data set | format | classes | test images | zero-shot % | seed 0 | seed 1 | seed 2 | CoOp % (95 % interval) | gain | training, s a seed |'
echo '|---|---|---|---|---|---|---|---|---|---|---|'
while read -r name format path; do
  set="$data/$path"
  zero=$("$vlpt" zeroshot "$set" --model mini-clip)
  images=$(sed -n 's/.*split, \([0-9]*\) images.*/\1/p' <<<"$zero")
  zero=$(percent <<<"$zero")
  values=() seconds=0
  for seed in $seeds; do
    start=$(date +%s%N)
    "$vlpt" train "$set" "${common[@]}" --views bank --set views.count=8 --seed "$seed" --out "$work/$name-$seed" >/dev/null
    seconds=$(awk -v a="$start" -v b="$(date +%s%N)" -v s="$seconds" 'BEGIN { print s + (b - a) / 1e9 / 3 }')
    values+=("$("$vlpt" eval "$work/$name-$seed" "$set" | percent)")
  done
  classes=$(wc -l <"$work/$name-0/prompt/class_names.txt")
  # 4.303: Student's t for two degrees of freedom, two-sided 95 %.
  awk -v n="$name" -v f="$format" -v c="$classes" -v i="$images" -v z="$zero" -v a="${values[0]}" -v b="${values[1]}" -v d="${values[2]}" -v s="$seconds" 'BEGIN {
    m = (a + b + d) / 3; v = ((a - m)^2 + (b - m)^2 + (d - m)^2) / 2; h = 4.303 * sqrt(v / 3)
    printf "| %s | %s | %d | %d | %.1f | %.1f | %.1f | %.1f | %.1f ± %.1f | %+.1f | %.0f |\n", n, f, c, i, z, a, b, d, m, h, m - z, s }'
done <<'SETS'
EuroSAT CoOp coop/eurosat
MNIST ELEVATER elevater/classification/mnist_20211008
CIFAR-10 WebDataset wds/wds_cifar10
CIFAR-100 Parquet hf/cifar100
imagenet20 ImageFolder imagefolder/imagenet20
SETS
echo
echo "Machine: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), $(nproc) cores. $("$vlpt" --version)."
