#!/usr/bin/env bash
# Published protocols at small size, on real sets with the embedded mini-clip: CoOp's few shots and base-to-new, on the
# three of its sets that lie in DATA, and ELEVATER's few shots on three of its tasks.
#
#   cargo build --release
#   bench/protocols.sh run DATA FOLDER          # what is missing of the three benchmarks
#   bench/protocols.sh page FOLDER docs/results # results of each as CSV
#
# DATA holds coop/, elevater/classification/, wds/ and hf/ as docs/results/methods-16-shots.md has them. VLPT names the
# program, SEEDS the seeds, IMAGES the test images of each task.
set -euo pipefail
vlpt=${VLPT:-target/release/vlpt}
seeds=${SEEDS:-1,2,3}
images=${IMAGES:-200}

bench() {
  local name=$1
  shift
  "$vlpt" bench "$name" --data "$data" --out "$folder/$name" --seeds "$seeds" --test-images "$images" --model mini-clip --own-values "$@"
}

run() {
  data=$1 folder=$2
  bench coop --only EuroSAT,DescribableTextures --methods coop,linear-probe,gda --shots 1,4,16 --against coop
  bench base-to-new --only EuroSAT,DescribableTextures,Caltech101 --methods coop,kgcoop=kgcoop-base2new \
    --set kgcoop:views.mode=none --set kgcoop:train.epochs=50 --shots 16
  bench elevater --only mnist,gtsrb,cifar-10 --methods coop,linear-probe --shots 5 --against coop
}

page() {
  for name in coop base-to-new elevater; do
    "$vlpt" bench table "$1/$name" --format markdown
    cp "$1/$name/results.csv" "$2/bench-$name.csv"
  done
}

case ${1:-} in
  run) run "$2" "$3" ;;
  page) page "$2" "$3" ;;
  *) sed -n '2,11p' "$0" >&2; exit 2 ;;
esac
