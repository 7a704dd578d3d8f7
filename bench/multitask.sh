#!/usr/bin/env bash
# One prompt for many tasks on real images, with the embedded mini-clip, seeds 0, 1, 2: a source prompt learned on three
# real sets and the synthetic tasks together; five other sets started from it and from scratch at 1, 5 and 20 images a
# class; two groups of these sets with one prompt each beside prompts of their own. For CoOp, VPT and UPT.
#
#   cargo build --release
#   bench/multitask.sh run DATA docs/results/multitask.csv      # does what the file lacks, a line or a group at a time
#   bench/multitask.sh page docs/results/multitask.csv          # the page, as Markdown
#   bench/multitask.sh rates docs/results/multitask-rates.csv   # rates on drawn tasks, each start by itself
#
# DATA holds coop/, elevater/classification/, wds/, hf/ and imagefolder/ as docs/results/methods.md has them.
# VLPT names the program, SEEDS the seeds, METHODS the methods, SHOTS the shots, WORK a folder for source prompts
# and features (kept, so that a broken run goes on), EPOCHS a number of epochs for everything, to try the script out.
set -euo pipefail
vlpt=${VLPT:-target/release/vlpt}
work=${WORK:-runs/multitask}
header=part,group,task,method,shots,seed,zero_shot,source,alone,shared,seconds
source_shots=8
group_shots=5

sources() {
  cat <<'SOURCES'
dtd coop/dtd
cifar10 wds/wds_cifar10
imagenet20 imagefolder/imagenet20
SOURCES
}
synthetic="colours counts digits landscapes shapes stripes textures"

# Name in the file, path below DATA, size: sets of many classes have fewer epochs.
targets() {
  cat <<'TARGETS'
eurosat coop/eurosat small
mnist elevater/classification/mnist_20211008 small
gtsrb elevater/classification/gtsrb_20210923 large
caltech101 coop/caltech-101 large
cifar100 hf/cifar100 large
TARGETS
}

groups() {
  cat <<'GROUPS'
simple eurosat mnist
objects caltech101 cifar100
GROUPS
}

# Options of a method, for source prompts and what starts from them. Rates were chosen on tasks that the program draws,
# for each start by itself (`rates` below). VPT and UPT begin near the model and have their recipe's rate for both
# starts; CoOp begins at random vectors and from there wants a larger rate than from a source prompt: at one rate for
# both, the lower one, every source prompt would seem to help.
options() {
  case $1 in
    coop) echo "--method coop --lr 0.02" ;;
    vpt) echo "--recipe quick-visual --method vpt" ;;
    upt) echo "--recipe quick-visual --method upt" ;;
    *) echo "no method $1" >&2; exit 2 ;;
  esac
}
# What a start from scratch has otherwise.
from_scratch() { [ "$1" != coop ] || echo "--scratch-set train.lr=0.15"; }
# Epochs of a method on a source prompt, a small set, or a large one at some shots.
epochs() {
  if [ -n "${EPOCHS:-}" ]; then echo "$EPOCHS"; return; fi
  case $1-$2-${3:-} in
    coop-source-* | coop-small-*) echo 30 ;;
    coop-large-*) echo 10 ;;
    *-source-* | *-small-*) echo 10 ;;
    *-large-1) echo 6 ;;
    *-large-*) echo 2 ;;
  esac
}

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }
# A number of a JSON document, as it is printed: one key a line.
number() { sed -n "s/^ *\"$1\": \\([0-9.e-]*\\),*\$/\\1/p"; }
say() { echo "$(date +%H:%M:%S) $*" >&2; }

run() {
  local data=$1 file=$2
  mkdir -p "$work"
  export VLPT_CACHE_DIR="$work/cache" VLPT_QUIET=true VLPT_JSON=true VLPT_MODEL=mini-clip
  [ -e "$file" ] || echo "$header" >"$file"
  for seed in ${SEEDS:-0 1 2}; do
    for method in ${METHODS:-coop vpt upt}; do
      source_prompt "$data" "$file" "$method" "$seed"
      while read -r -u 3 name path size; do
        for shots in ${SHOTS:-1 5 20}; do adapt "$data" "$file" "$method" "$seed" "$name" "$path" "$size" "$shots"; done
      done 3< <(targets)
      while read -r -u 3 group members; do
        joint "$data" "$file" "$method" "$seed" "$group" "$members"
      done 3< <(groups)
    done
  done
}

source_prompt() {
  local data=$1 file=$2 method=$3 seed=$4
  prompt="$work/source-$method-$seed${EPOCHS:+-$EPOCHS}"
  local tasks=() name path began=
  while read -r name path; do tasks+=(--task "$data/$path"); done < <(sources)
  for name in $synthetic; do tasks+=(--task "synthetic:$name"); done
  began=$(now)
  # Given again it goes on, and does nothing that is done.
  # shellcheck disable=SC2046 # the options are words
  "$vlpt" multitask source "${tasks[@]}" --label-space per-task --mix one-task-per-batch --shots $source_shots \
    $(options "$method") --epochs "$(epochs "$method" source)" --seed "$seed" --out "$prompt" >/dev/null
  grep -q "^source,,,$method,$source_shots,$seed," "$file" && return
  echo "source,,,$method,$source_shots,$seed,,,,,$(since "$began")" >>"$file"
  say "source prompt of $method, seed $seed: $(since "$began") s"
}

adapt() {
  local data=$1 file=$2 method=$3 seed=$4 name=$5 path=$6 size=$7 shots=$8 began out
  grep -q "^adapt,,$name,$method,$shots,$seed," "$file" && return
  began=$(now)
  rm -rf "$work/run"
  # shellcheck disable=SC2046
  out=$("$vlpt" multitask adapt "$data/$path" --init-from "$prompt" --scratch --shots "$shots" $(options "$method") \
    $(from_scratch "$method") --epochs "$(epochs "$method" "$size" "$shots")" --seed "$seed" --out "$work/run")
  local took row
  took=$(since "$began")
  row=$(for key in zero_shot source scratch adapted; do echo "$out" | number $key; done | paste -sd,)
  echo "adapt,,$name,$method,$shots,$seed,$row,$took" >>"$file"
  say "$name, $method, $shots shots, seed $seed: zero-shot, source, from scratch, from the source $row, $took s"
}

joint() {
  local data=$1 file=$2 method=$3 seed=$4 group=$5 members=$6 began took rows
  [ "$(grep -c "^joint,$group,.*,$method,$group_shots,$seed," "$file")" = "$(echo "$members" | wc -w)" ] && return
  local tasks=() name path size largest=small
  while read -r name path size; do
    case " $members " in *" $name "*) tasks+=(--task "$data/$path"); [ "$size" = large ] && largest=large ;; esac
  done < <(targets)
  began=$(now)
  rm -rf "$work/run"
  # shellcheck disable=SC2046
  "$vlpt" multitask joint "${tasks[@]}" --init-from "$prompt" --single --label-space per-task --mix one-task-per-batch \
    --shots $group_shots $(options "$method") --epochs "$(epochs "$method" $largest $group_shots)" --seed "$seed" \
    --out "$work/run" >/dev/null
  took=$(since "$began")
  # Members are in the order of the list; the time is written to the first.
  rows=$(paste -d, <(echo "$members" | tr ' ' '\n') <(number zero_shot <"$work/run/joint.json") \
    <(number single <"$work/run/joint.json") <(number joint <"$work/run/joint.json") |
    awk -F, -v g="$group" -v m="$method" -v k=$group_shots -v s="$seed" -v t="$took" \
      '{ print "joint," g "," $1 "," m "," k "," s "," $2 ",," $3 "," $4 "," (NR == 1 ? t : 0) }')
  # A group that was cut off in the middle is written anew.
  grep -v "^joint,$group,.*,$method,$group_shots,$seed," "$file" >"$file.new" || true
  printf '%s\n' "$rows" >>"$file.new"
  mv "$file.new" "$file"
  say "group $group, $method, seed $seed: $took s"
}

page() {
  local body
  body=$(tables "$1")
  echo "# One prompt for many tasks, on real images"
  echo
  # the finding first: the methods at the fewest images
  echo "**$(grep '^\* .*, 1 shot: ' <<<"$body" | sed 's/^\* //' | paste -sd' ')**"
  cat <<'HEAD'

A source prompt learned on DTD, CIFAR-10, imagenet20 and the seven synthetic tasks together (8 images a class, each image told apart among the classes of its own task, one task a batch); five other sets
started from it and from scratch, with the same images, seed and schedule; and groups of them with one prompt together. The embedded mini-clip, subsets of public sets with at most 1,600 training
images, the task's own metric on the test images, which chose nothing.

```sh
cargo build --release
bench/multitask.sh run DATA docs/results/multitask.csv      # what the file lacks
bench/multitask.sh page docs/results/multitask.csv          # this page
```

Each seed has its own source prompt, from which its targets start. Epochs: CoOp 30 (10 on GTSRB, Caltech-101 and CIFAR-100), VPT and UPT 10 (on these three 6 at 1 shot and else 2).
Caltech-101 has 5 training images a class here, so that its 20 shots are its 5. Rates were chosen on drawn tasks: CoOp (SGD) 0.15 from scratch and 0.02 from a source prompt, which itself was learned at 0.02, each the best of those tried for its start; VPT (AdamW) 0.02 and UPT (AdamW) 0.008 for both starts and for source prompts ([all of them](multitask-rates.csv), `bench/multitask.sh rates`). UPT's is within five points of the best for each start, VPT's within four from scratch, but source prompts of VPT are better learned at 0.005 or started from at 0.05, up to ten points at 4 shots with one seed: VPT's gains here may be too low by some points. A gain is the difference of the same seed, in points; ± is Student's 95 % interval over the seeds, a wide one with three.
CoOp starts from random vectors; VPT and UPT start near the model as it is. One rate for both starts would decide the result: at 0.005, which suits a source prompt, CoOp from scratch has learned little after 30 epochs.
"Clear" is a gain or loss whose interval does not hold zero: of a hundred comparisons without any effect five would be clear.

HEAD
  printf '%s\n' "$body"
  local tried="${1%.csv}-rates.csv"
  [ -e "$tried" ] || return 0
  echo
  echo "## Rates"
  echo
  echo "On the drawn tasks stripes and textures, percent: means over both tasks and the seeds 10, 11, 12 (of VPT and UPT seed 10 alone). The source prompts are of the other five drawn tasks. CoOp read along a column, as one rate for"
  echo "both starts would have it, is helped by a source prompt up to a rate of 0.005 and hurt beyond 0.02; read by each row's best, it is not helped."
  echo
  for method in coop vpt upt; do
    grep -q "^$method," "$tried" || continue
    echo "**$method**"
    echo
    rates_table "$tried" "$method"
    echo
  done
}

tables() {
  awk -F, '
    function add(k, v) { n[k]++; sum[k] += v; sq[k] += v * v }
    function mean(k) { return sum[k] / n[k] }
    function half(k,   v, t) {
      if (n[k] < 2) return 0
      v = (sq[k] - n[k] * mean(k) * mean(k)) / (n[k] - 1)
      t = n[k] == 2 ? 12.706 : n[k] == 3 ? 4.303 : n[k] == 4 ? 3.182 : n[k] == 5 ? 2.776 : 2.571
      return v > 1e-12 ? t * sqrt(v / n[k]) : 0
    }
    function show(k) { return k in n ? sprintf("%.1f", 100 * mean(k)) : "" }
    function gain(k) {
      if (!(k in n)) return ""
      return n[k] < 2 ? sprintf("%+.1f", 100 * mean(k)) : sprintf("%+.1f ± %.1f", 100 * mean(k), 100 * half(k))
    }
    function clear(k) { return n[k] < 2 ? 0 : mean(k) - half(k) > 0 ? 1 : mean(k) + half(k) < 0 ? -1 : 0 }
    function count(name, list,   i) { for (i = 1; i <= list[0]; i++) if (list[i] == name) return; list[++list[0]] = name }
    NR == 1 { next }
    { count($4, methods) }
    $1 == "source" { add("source" SUBSEP $4, $11); next }
    $1 == "adapt" {
      count($3, targets); count($5, shots); count($6, seeds)
      k = $4 SUBSEP $3 SUBSEP $5
      add("zero" SUBSEP $3, $7); add("asis" SUBSEP $4 SUBSEP $3, $8)
      add("alone" SUBSEP k, $9); add("shared" SUBSEP k, $10); add("gain" SUBSEP k, $10 - $9)
      of = $4 SUBSEP $5 SUBSEP $6
      m[of]++; g[of] += $10 - $9
      seconds["adapt" SUBSEP $4] += $11
    }
    $1 == "joint" {
      k = $2 SUBSEP $3; count(k, members); k = $4 SUBSEP k
      add("jz" SUBSEP k, $7); add("js" SUBSEP k, $9); add("jj" SUBSEP k, $10); add("jg" SUBSEP k, $10 - $9)
      seconds["joint" SUBSEP $4] += $11
    }
    END {
      for (i = 1; i <= methods[0]; i++) for (j = 1; j <= shots[0]; j++) for (s = 1; s <= seeds[0]; s++) {
        of = methods[i] SUBSEP shots[j] SUBSEP seeds[s]
        # A mean over all targets only.
        if (m[of] == targets[0]) add("all" SUBSEP methods[i] SUBSEP shots[j], g[of] / m[of])
      }
      print "## From a source prompt, against from scratch\n"
      for (i = 1; i <= methods[0]; i++) {
        w = methods[i]
        line = "| " w ", % | zero-shot | source prompt as it is"; rule = "|---|---|---"
        for (j = 1; j <= shots[0]; j++) { line = line " | " shots[j] "-shot scratch | from source | gain"; rule = rule "|---|---|---" }
        print line " |\n" rule "|"
        for (t = 1; t <= targets[0]; t++) {
          line = "| " targets[t] " | " show("zero" SUBSEP targets[t]) " | " show("asis" SUBSEP w SUBSEP targets[t])
          for (j = 1; j <= shots[0]; j++) {
            k = w SUBSEP targets[t] SUBSEP shots[j]
            line = line " | " show("alone" SUBSEP k) " | " show("shared" SUBSEP k) " | " gain("gain" SUBSEP k)
          }
          print line " |"
        }
        line = "| mean gain | |"
        for (j = 1; j <= shots[0]; j++) line = line " | | | " gain("all" SUBSEP w SUBSEP shots[j])
        print line " |\n"
      }
      print "**What it says.**\n"
      for (i = 1; i <= methods[0]; i++) for (j = 1; j <= shots[0]; j++) {
        k = "all" SUBSEP methods[i] SUBSEP shots[j]
        if (!(k in n)) continue
        up = down = better = worse = ""
        for (t = 1; t <= targets[0]; t++) {
          one = "gain" SUBSEP methods[i] SUBSEP targets[t] SUBSEP shots[j]
          if (clear(one) > 0) up = up (up == "" ? "" : ", ") targets[t]
          if (clear(one) < 0) down = down (down == "" ? "" : ", ") targets[t]
        }
        what = clear(k) > 0 ? "helps on average" : clear(k) < 0 ? "hurts on average" : "makes no clear difference on average"
        printf "* %s, %s: the source prompt %s (%s points over %d sets); clear gains on %s, clear losses on %s.\n",
          methods[i], shots[j] == 1 ? "1 shot" : shots[j] " shots", what, gain(k), targets[0],
          up == "" ? "none" : up, down == "" ? "none" : down
      }
      print "\n## One prompt for a group, against one for each member\n"
      print "Both start from the source prompt of the same seed, with 5 images a class.\n"
      print "| group | set | method | zero-shot | single | joint | gain |\n|---|---|---|---|---|---|---|"
      for (j = 1; j <= members[0]; j++) for (i = 1; i <= methods[0]; i++) {
        split(members[j], part, SUBSEP); k = methods[i] SUBSEP members[j]
        if (!(("jg" SUBSEP k) in n)) continue
        print "| " part[1] " | " part[2] " | " methods[i] " | " show("jz" SUBSEP k) " | " show("js" SUBSEP k) " | " show("jj" SUBSEP k) " | " gain("jg" SUBSEP k) " |"
        c = clear("jg" SUBSEP k); jn++
        label = part[2] " with " methods[i]
        if (c > 0) jup = jup (jup == "" ? "" : ", ") label
        if (c < 0) jdown = jdown (jdown == "" ? "" : ", ") label
      }
      printf "\nOf %d comparisons, clear gains: %s; clear losses: %s.\n\n", jn, jup == "" ? "none" : jup, jdown == "" ? "none" : jdown
      print "## Times\n"
      print "| seconds | a source prompt (mean) | all targets (both starts, evaluation included) | all groups |\n|---|---|---|---|"
      for (i = 1; i <= methods[0]; i++)
        printf "| %s | %.0f | %.0f | %.0f |\n", methods[i], mean("source" SUBSEP methods[i]), seconds["adapt" SUBSEP methods[i]], seconds["joint" SUBSEP methods[i]]
      print "\nWall clock on the machine that made the file, which may have done other work."
    }' "$1"
}

# Tasks that rates are chosen on; a source prompt for them is learned on the other drawn ones.
rate_tasks="stripes textures"

# Method, rates of source prompts, rates of what starts there or from scratch, options. With the epochs of small sets.
rate_grid() {
  cat <<'GRID'
coop 0.005,0.02,0.05 0.002,0.005,0.02,0.05,0.15,0.5 --method coop --epochs 30
vpt 0.005,0.02 0.001,0.002,0.005,0.02,0.05 --recipe quick-visual --method vpt --epochs 10
upt 0.002,0.008 0.0005,0.002,0.008,0.02,0.05 --recipe quick-visual --method upt --epochs 10
GRID
}

# Each method at several rates on drawn tasks, from scratch and from source prompts, which have rates of their own; with
# seeds that neither the page nor the demo shows.
rates() {
  local file=$1 seed method sources rates options source_rate name shots rate
  mkdir -p "$work"
  export VLPT_CACHE_DIR="$work/cache" VLPT_QUIET=true VLPT_MODEL=mini-clip
  [ -e "$file" ] || echo "method,task,shots,seed,start,source_rate,rate,value" >"$file"
  for seed in ${SEEDS:-10 11 12}; do
    while read -r -u 3 method sources rates options; do
      case " ${METHODS:-coop vpt upt} " in *" $method "*) ;; *) continue ;; esac
      for source_rate in - ${sources//,/ }; do
        [ "$source_rate" = - ] || rate_source "$method" "$source_rate" "$seed" "$options"
        for shots in 1 4; do for name in $rate_tasks; do for rate in ${rates//,/ }; do
          one_rate "$file" "$method" "$name" "$shots" "$seed" "$source_rate" "$rate" "$options"
        done; done; done
      done
    done 3< <(rate_grid)
  done
}

rate_source() {
  local tasks=() name
  prompt="$work/rate-source-$1-$2-$3"
  for name in $synthetic; do case " $rate_tasks " in *" $name "*) ;; *) tasks+=(--task "synthetic:$name") ;; esac; done
  # shellcheck disable=SC2086 # the options are words
  "$vlpt" multitask source "${tasks[@]}" --label-space per-task --mix one-task-per-batch --shots $source_shots \
    $4 --lr "$2" --seed "$3" --out "$prompt" >/dev/null
}

one_rate() {
  local file=$1 method=$2 name=$3 shots=$4 seed=$5 source_rate=$6 rate=$7 options=$8 start=source value
  [ "$source_rate" = - ] && start=scratch
  grep -q "^$method,$name,$shots,$seed,$start,$source_rate,$rate," "$file" && return
  rm -rf "$work/run"
  # shellcheck disable=SC2086 # the options are words
  set -- --shots "$shots" --seed "$seed" $options --lr "$rate" --out "$work/run"
  if [ $start = scratch ]; then
    "$vlpt" train "synthetic:$name" "$@" >/dev/null
  else
    "$vlpt" multitask adapt "synthetic:$name" --init-from "$prompt" "$@" >/dev/null
  fi
  value=$(VLPT_JSON=true "$vlpt" eval "$work/run" "synthetic:$name" | number value)
  echo "$method,$name,$shots,$seed,$start,$source_rate,$rate,$value" | tee -a "$file" >&2
}

# Percent of each start of a method at each rate: means over tasks and seeds.
rates_table() {
  local order
  order=$(rate_grid | awk -v m="$2" '$1 == m { gsub(",", " ", $3); print $3 }')
  awk -F, -v method="$2" -v rates="$order" '
    $1 == method { k = $3 SUBSEP $5 SUBSEP $6; rows[k]; s[k, $7] += 100 * $8; n[k, $7]++ }
    END {
      count = split(rates, order, " ")
      line = "| shots | start |"; rule = "|---|---|"
      for (i = 1; i <= count; i++) { line = line " rate " order[i] " |"; rule = rule "---:|" }
      print "0\t" line; print "1\t" rule
      for (k in rows) {
        split(k, part, SUBSEP)
        line = "| " part[1] " | " (part[2] == "scratch" ? part[2] : "source learned at " part[3]) " |"
        for (i = 1; i <= count; i++) line = line (((k, order[i]) in n) ? sprintf(" %.1f |", s[k, order[i]] / n[k, order[i]]) : " |")
        print part[1] * 10 + (part[2] != "scratch") + part[3] "\t" line
      }
    }' "$1" | sort -k1,1g | cut -f2-
}

case ${1:-} in
  run) run "$2" "$3" ;;
  rates) rates "$2" ;;
  page) page "$2" ;;
  *) sed -n '2,14p' "$0" >&2; exit 2 ;;
esac
