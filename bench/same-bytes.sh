#!/usr/bin/env bash
# Whether two builds of the program leave the same bytes: every method and baseline that both know, on synthetic tasks
# with the embedded model, in f32 and in what the processor prefers, whole and interrupted, one task and several.
#
#   bench/same-bytes.sh OLD NEW          e.g. bench/same-bytes.sh /tmp/vlpt-0 target/release/vlpt
#
# Compared: checkpoints, events, prompt folders, subsets, and what eval and predict print. Each line says "same" or
# names the files that differ; the exit status is 1 where one does. config.toml is compared by reading: the new program
# has to resolve the old one's file to its own.
set -euo pipefail
old=$(realpath "$1") new=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
differ=0

# One command with each program, in folders of their own, so that paths in files are equal.
both() {
  for side in old new; do
    mkdir -p "$side"
    (cd "$side" && "${!side}" "$@" >>stdout 2>>stderr) || { echo "failed ($side): vlpt $*"; tail -5 "$side/stderr"; exit 2; }
  done
}

# Tip-Adapter-F was an option of Tip-Adapter (`finetune`) and is a method of its own since methods are one list: the
# name in adapter_config.json is all that differs.
one_name() {
  sed -i -e '/"finetune": /d' -e 's/"tip-adapter-f": {/"tip-adapter": {/' {old,new}/run/prompt/adapter_config.json
}

# What the two folders hold, but for what may differ: lock files and pages with times in them.
compare() {
  local what=$1 found
  one_name
  found=$(diff -rq old new -x stderr -x report.html -x run.lock -x config.toml 2>&1 || true)
  if [ -z "$found" ]; then
    echo "same     $what ($(find old -type f -not -name stderr -not -name report.html -not -name run.lock | wc -l) files)"
  else
    echo "differs  $what"
    sed 's/^/           /' <<<"$found"
    differ=1
  fi
  rm -rf old new
}

train() {
  local name=$1
  shift
  both train drawn:shapes --model mini-clip --shots 4 --epochs 3 --seed 3 --out run --threads 2 "$@"
  both eval run/prompt drawn:shapes --json
  (cd new && "$new" train --config ../old/run/config.toml --out again >>stderr 2>&1 && diff -q run/config.toml again/config.toml >/dev/null) ||
    { echo "differs  $name: config.toml of the old program is read as something else"; differ=1; }
  rm -rf new/again
  compare "$name"
}

for precision in f32 auto; do
  set -- --precision "$precision"
  train "coop $precision" --method coop "$@"
  train "coop, middle, class-specific $precision" --method coop --set coop.position=middle --set coop.class_specific=true "$@"
  train "coop, AdamW, best on validation $precision" --method coop --set train.optimizer=adamw --set train.select=best_val "$@"
  train "cocoop $precision" --method cocoop --set train.batch_size=4 "$@"
  train "vpt, deep $precision" --method vpt "$@"
  train "vpt, shallow, dropout, projection $precision" --method vpt --set vpt.depth=shallow --set vpt.dropout=0.1 --set vpt.project=32 "$@"
  train "vlpt $precision" --method vlpt "$@"
  train "upt, joint $precision" --method upt "$@"
  train "upt, as released $precision" --recipe upt-release --method upt "$@"
  train "views $precision" --method coop --set views.mode=fresh "$@"
done
for baseline in zero-shot linear-probe tip-adapter tip-adapter-f; do
  train "$baseline" --method "$baseline"
done

exit $differ
