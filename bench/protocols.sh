#!/usr/bin/env bash
# Published protocols at small size, with the embedded mini-clip: on real sets those of CoOp and ELEVATER, each with
# what it alone has (a search, a source stage, groups), and on a drawn set shaped as ImageNet domain generalisation.
#
#   cargo build --release
#   bench/protocols.sh run DATA FOLDER          # what is missing of the benchmarks; goes on where it was stopped
#   bench/protocols.sh page FOLDER docs/results # prints the tables; results of each as CSV and some figures
#
# DATA holds coop/, elevater/classification/, wds/ and hf/ as docs/results/methods.md has them. VLPT names the
# program, SEEDS the seeds, IMAGES the test images of each task.
set -euo pipefail
vlpt=$(realpath "${VLPT:-target/release/vlpt}")
seeds=${SEEDS:-1,2,3}
images=${IMAGES:-200}
names="coop base-to-new cross-dataset domain elevater elevater-test-epoch elevater-multitask elevater-search cross-task"

# the folder's name, the benchmark, where its sets lie
bench() {
  local name=$1 protocol=$2 sets=$3
  shift 3
  "$vlpt" bench "$protocol" --data "$sets" --out "$folder/$name" --seeds "$seeds" --test-images "$images" --model mini-clip --own-values "$@"
}

run() {
  data=$1 folder=$2
  mkdir -p "$folder"
  [ -d "$folder/variants" ] || python3 "$(dirname "$0")/variants.py" "$folder/variants"
  printf 'mnist,gtsrb\n' > "$folder/groups.txt"
  bench coop coop "$data" --only EuroSAT,DescribableTextures --methods coop,linear-probe,gda --shots 1,4,16 --against coop
  bench base-to-new base-to-new "$data" --only EuroSAT,DescribableTextures,Caltech101 --methods coop,kgcoop=kgcoop-base2new \
    --set kgcoop:views.mode=none --set kgcoop:train.epochs=50 --shots 16
  bench cross-dataset cross-dataset "$data" --source Caltech101 --methods coop,vpt --set train.epochs=10 --shots 4
  bench domain domain "$folder/variants" --methods coop,linear-probe --shots 4
  bench elevater elevater "$data" --only mnist,gtsrb,cifar-10 --methods coop,linear-probe --shots 5 --against coop
  bench elevater-test-epoch elevater "$data" --only mnist,gtsrb,cifar-10 --methods coop --shots 5 --with best-test-epoch
  bench elevater-multitask elevater "$data" --multitask --only mnist,gtsrb,cifar-10 --groups "$folder/groups.txt" --methods coop \
    --set train.epochs=20 --shots 5 --probabilities
  bench elevater-search elevater "$data" --only mnist,cifar-10 --methods coop --search elevater --set train.epochs=10 --shots 5
  bench cross-task cross-task "$data" --only EuroSAT,DescribableTextures,mnist,gtsrb,cifar-10 --methods coop,vpt,upt --set train.epochs=10 --shots 5
  "$vlpt" bench submission "$folder/elevater-multitask" --method 'coop (from source)' --shots 5
  # run folders side by side, image by image
  for method in coop linear-probe; do
    [ -d "$folder/runs/$method" ] || "$vlpt" train "$data/coop/dtd" --method "$method" --recipe "$([ "$method" = coop ] && echo quick || echo "$method")" \
      --shots 16 --model mini-clip --out "$folder/runs/$method"
  done
  (cd "$folder" && "$vlpt" compare runs/coop runs/linear-probe --out compared)
}

page() {
  for name in $names; do
    against=()
    case $name in coop | elevater) against=(--against coop) ;; esac
    printf '\n## %s\n\n' "$name"
    "$vlpt" bench table "$1/$name" --format markdown "${against[@]}" | sed '/^wrote /d; s/^note: /* /'
    cp "$1/$name/results.csv" "$2/bench-$name.csv"
  done
  cp "$1/elevater/figures/ranks-score-5.svg" "$2/bench-elevater-ranks.svg"
  cp "$1/coop/figures/reliability-16.svg" "$2/bench-coop-reliability.svg"
  cp "$1/coop/figures/reliability-scaled-16.svg" "$2/bench-coop-reliability-scaled.svg"
  cat "$1/compared/accuracies.md" "$1/compared/tests.md"
}

case ${1:-} in
  run) run "$2" "$3" ;;
  page) page "$2" "$3" ;;
  *) sed -n '2,11p' "$0" >&2; exit 2 ;;
esac
