#!/usr/bin/env bash
# Which task helps which: a transfer study over sixteen tasks (eight public sets, three of them as two halves of their
# classes, and five synthetic ones) with CoOp, VPT and UPT on the embedded mini-clip: zero-shot transfer with seeds 0, 1, 2,
# adapted transfer with seed 0, then groups.
#
#   cargo build --release
#   bench/study.sh run DATA runs/study                           # goes on where it was interrupted
#   bench/study.sh page runs/study >docs/results/transfer-study.md
#   bench/study.sh copy runs/study docs/results                  # tables and figures that the page names
#
# DATA holds coop/, elevater/classification/, wds/, hf/ and imagefolder/ as docs/results/methods.md has them.
# VLPT names the program, METHODS a part of the methods. To try the script out: SHORT=1 takes five tasks and two epochs.
set -euo pipefail
vlpt=${VLPT:-target/release/vlpt}

# Name, path below DATA, classes: halves share a set's look and templates and no class.
sets() {
  if [ -n "${SHORT:-}" ]; then
    printf '%s\n' 'dtd-base coop/dtd base' 'dtd-new coop/dtd new' 'eurosat coop/eurosat all'
    return
  fi
  cat <<'SETS'
eurosat coop/eurosat all
dtd coop/dtd all
mnist elevater/classification/mnist_20211008 all
cifar10 wds/wds_cifar10 all
imagenet20 imagefolder/imagenet20 all
caltech-base coop/caltech-101 base
caltech-new coop/caltech-101 new
gtsrb-base elevater/classification/gtsrb_20210923 base
gtsrb-new elevater/classification/gtsrb_20210923 new
cifar100-base hf/cifar100 base
cifar100-new hf/cifar100 new
SETS
}
synthetic="colours digits landscapes shapes textures"
# One rate of a method for all jobs: CoOp's is nearly the best for every start (docs/results/multitask-rates.csv), VPT's and
# UPT's are their recipe's, the best from a random start.
# Not many epochs and test images, for the sake of time: methods with visual prompts run the image tower in every step and
# for every pair of tasks. Small batches, because a task of ten classes has ten images at one shot.
methods=${METHODS:-coop,vpt,upt}
settings="--method $methods --shots 8 --seeds 0,1,2 --adapted --adapt-shots 1 --adapt-seeds 0 --test-images 200"
epochs=
for method in ${methods//,/ }; do
  case $method in
    coop) settings+=" --set coop:train.lr=0.02" epochs+=" --set coop:train.epochs=30" ;;
    vpt) settings+=" --recipe vpt=quick-visual --set vpt:train.batch_size=8" epochs+=" --set vpt:train.epochs=10" ;;
    upt) settings+=" --recipe upt=quick-visual --set upt:train.batch_size=8" epochs+=" --set upt:train.epochs=10" ;;
    *) echo "no settings for the method $method" >&2; exit 2 ;;
  esac
done
group_size=3
if [ -n "${SHORT:-}" ]; then
  synthetic="shapes stripes" group_size=2
  epochs="--set train.epochs=2"
fi

say() { echo "$(date +%H:%M:%S) $*" >&2; }
# Does a part of the work and adds its wall clock to a file in the study's folder, also where it is interrupted.
timed() {
  local part=$1 study=$2 began status=0
  shift 2
  began=$(date +%s)
  trap : INT TERM
  "$@" || status=$?
  trap - INT TERM
  echo "$part $(($(date +%s) - began))" >>"$study/wall.txt"
  return $status
}

run() {
  local data=$1 study=$2 name path classes
  export VLPT_MODEL=mini-clip
  if [ ! -e "$study/plan.jsonl" ]; then
    mkdir -p "$(dirname "$study")"
    {
      echo "tasks = ["
      while read -r name path classes; do
        echo "  { path = \"$data/$path\", class_subset = \"$classes\", name = \"$name\" },"
      done < <(sets)
      for name in $synthetic; do echo "  { path = \"synthetic:$name\" },"; done
      echo "]"
    } >"$study.tasks.toml"
    # shellcheck disable=SC2086 # the settings are words
    "$vlpt" study plan --tasks "$study.tasks.toml" $settings $epochs --out "$study" >&2
  fi
  if [ ! -e "$study/grouped" ]; then
    say "jobs; \`$vlpt study status $study\` says how far they are"
    timed jobs "$study" "$vlpt" study run "$study" >&2
    timed merge "$study" "$vlpt" study merge "$study" >&2
    "$vlpt" study status "$study" --json >"$study/status.json"
    "$vlpt" study groups "$study" --size $group_size --method coop --transfer zero-shot --add agglomerative --seeds 0 >&2
    touch "$study/grouped"
  fi
  say "groups"
  timed groups "$study" "$vlpt" study run "$study" >&2
  "$vlpt" study merge "$study" >&2
  say "done"
}

wall() { awk -v part="$2" '$1 == part { sum += $2 } END { printf "%d", sum }' "$1/wall.txt"; }

page() {
  local study=$1
  cat <<HEAD
# Which task helps which: sixteen tasks

$(finding "$study")

Eight public sets, three of them (Caltech-101, GTSRB, CIFAR-100) as two halves of their classes, and five synthetic tasks, each the source of a prompt and a target of all others, on the
embedded mini-clip, with CoOp, VPT and UPT. Zero-shot transfer: a prompt learned on the source with 8 images a class, judged on the target as it is, seeds 0, 1, 2. Adapted transfer: tuned on the target with 1 image a class from the
source's prompt, seed 0. At most 200 test images a target, the same for every prompt. Gains are relative to the same method, seed and shots on the target alone.

\`\`\`sh
cargo build --release
bench/study.sh run DATA runs/study
bench/study.sh page runs/study >docs/results/transfer-study.md
bench/study.sh copy runs/study docs/results
\`\`\`

CoOp has 30 epochs of SGD at 0.02, nearly the best of six rates both for a random start and for one from a source prompt ([all of them](multitask-rates.csv)); VPT (0.02) and UPT (0.008) have 10 epochs of AdamW with 8 images a step, the best rates from random starts;
VPT's source prompts are better learned at 0.005 ([the same table](multitask-rates.csv)), so that its adapted transfer may be too low by some points. The tables are
[matrix](transfer-study-matrix.csv), [correlation](transfer-study-correlation.csv) and [similarity](transfer-study-similarity.csv); figures stand below, and \`runs/study/merged/report.html\` has all of them.
200 test images tell five points apart at best.

HEAD
  summary "$study/merged/matrix.csv"
  best "$study/merged/matrix.csv"
  sources "$study/merged/matrix.csv"
  echo "![Zero-shot transfer of CoOp prompts: gain over the target alone](transfer-study-coop-zero-shot.svg)"
  echo
  correlations "$study/merged/correlation.csv"
  joint "$study/merged/matrix.csv"
  times "$study"
}

# The page in a few sentences, out of its tables.
finding() {
  awk -F, '
    NR == 1 || $1 == "joint" || $5 == $6 || $13 == "" { next }
    { k = $1 " " $2; if (!(k in n)) order[++m] = k; n[k]++; if ($13 > 0) up[k]++; if ($17 != "" && $8 > $17) over[k]++ }
    END {
      for (i = 1; i <= m; i++) {
        k = order[i]
        line = line (i > 1 ? ", " : "") sprintf("%.0f %% (%s)", 100 * up[k] / n[k], k)
        clip = clip (i > 1 ? ", " : "") sprintf("%.0f %%", 100 * over[k] / n[k])
      }
      printf "**Share of pairs in which another task'"'"'s prompt is better than the target'"'"'s own: %s; better than CLIP without a prompt, in the same order: %s.** ", line, clip
    }' "$1/merged/matrix.csv"
  awk -F, '
    NR == 1 { next }
    { all++; if (!($1 in n)) order[++m] = $1; n[$1]++
      if ($8 == "" || ($8 <= 0 && $9 >= 0)) next
      sure[$1]++; some++; size = $7 < 0 ? -$7 : $7; if (size > most) { most = size; which = sprintf("%s with %s, %.2f", $1 " " $2, $5, $7) } }
    END {
      if (!some) { printf "**None of %d correlations of similarity and transfer is clear.**\n", all; exit }
      for (i = 1; i <= m; i++) line = line (i > 1 ? ", " : "") sprintf("%d of %d (%s)", sure[order[i]], n[order[i]], order[i])
      printf "**Similarity tells transfer in %s correlations, the strongest %s.**\n", line, which
    }' "$1/merged/correlation.csv"
}

summary() {
  echo "## Transfer as a whole"
  echo
  awk -F, '
    NR == 1 || $1 == "joint" || $5 == $6 { next }
    {
      k = $1 " | " $2
      if (!(k in n)) order[++m] = k
      n[k]++; score[k] += $8; single[k] += $12; clip[k] += $17
      if ($13 != "") { gains[k, ++known[k]] = $13 + 0; if ($13 > 0) up[k]++ }
      if ($17 != "" && $8 > $17) over[k]++
      if ($15 != "" && $15 > 0) sure[k]++
      if ($16 != "" && $16 < 0) lost[k]++
      if ($15 != "") spread[k]++
    }
    function median(k,   i, j, t, c) {
      c = known[k]
      for (i = 1; i <= c; i++) a[i] = gains[k, i]
      for (i = 2; i <= c; i++) for (j = i; j > 1 && a[j - 1] > a[j]; j--) { t = a[j]; a[j] = a[j - 1]; a[j - 1] = t }
      return c % 2 ? a[(c + 1) / 2] : (a[c / 2] + a[c / 2 + 1]) / 2
    }
    END {
      print "| transfer | method | pairs | CLIP % | target alone % | transferred % | median gain % | above the target alone | above CLIP | clearly above alone | clearly below |"
      print "|---|---|---|---|---|---|---|---|---|---|---|"
      for (i = 1; i <= m; i++) {
        k = order[i]
        printf "| %s | %d | %.1f | %.1f | %.1f | %+.0f | %d | %d | %s | %s |\n", k, n[k], 100 * clip[k] / n[k], 100 * single[k] / n[k],
          100 * score[k] / n[k], 100 * median(k), up[k], over[k], spread[k] ? sure[k] + 0 : "one seed", spread[k] ? lost[k] + 0 : "one seed"
      }
      printf "\nMeans over pairs of different tasks. \"Clearly\": the 95 %% interval of the gain over three seeds does not hold zero; of %d pairs without any effect %.0f would be clearly above and as many below.\n\n", n[order[1]], n[order[1]] / 40
    }' "$1"
}

best() {
  echo "## Best sources"
  echo
  awk -F, '
    NR == 1 || $1 == "joint" || $5 == $6 { next }
    {
      k = $1 " " $2
      if (!(k in seen)) { seen[k]; ways[++w] = k }
      if (!($6 in known)) { known[$6]; targets[++t] = $6 }
      if (!((k, $6) in top) || $8 > top[k, $6]) { top[k, $6] = $8; name[k, $6] = $5 }
      alone[k, $6] = $12
    }
    END {
      line = "| target"; rule = "|---"
      for (j = 1; j <= w; j++) { line = line " | " ways[j]; rule = rule "|---" }
      print line " |\n" rule "|"
      for (i = 1; i <= t; i++) {
        line = "| " targets[i]
        for (j = 1; j <= w; j++) { k = ways[j] SUBSEP targets[i]; line = line sprintf(" | %s %.0f (%.0f)", name[k], 100 * top[k], 100 * alone[k]) }
        print line " |"
      }
      print "\nThe best other source, its accuracy in %, and in brackets that of the target alone. The best of fifteen is better than a typical one by luck, too.\n"
    }' "$1"
}

sources() {
  awk -F, '
    NR == 1 || $1 == "joint" || $5 == $6 || $13 == "" { next }
    { k = $1 " " $2; if (!(k in seen)) { seen[k]; ways[++w] = k } if (!($5 in known)) { known[$5]; names[++m] = $5 } n[k, $5]++; gain[k, $5] += $13 }
    END {
      line = "| source"; rule = "|---"
      for (j = 1; j <= w; j++) { line = line " | " ways[j]; rule = rule "|---" }
      print line " |\n" rule "|"
      for (i = 1; i <= m; i++) {
        line = "| " names[i]
        for (j = 1; j <= w; j++) { k = ways[j] SUBSEP names[i]; line = line (n[k] ? sprintf(" | %+.0f", 100 * gain[k] / n[k]) : " | ") }
        print line " |"
      }
      print "\nMean gain in % that a source gives to the other targets.\n"
    }' "$1"
}

correlations() {
  echo "## Does similarity tell transfer?"
  echo
  awk -F, '
    NR == 1 { next }
    {
      k = $1 " " $2
      if (!(k in seen)) { seen[k]; ways[++w] = k }
      if (!($5 in known)) { known[$5]; measures[++m] = $5 }
      all++
      cell[k, $5] = $7 == "" ? "" : $8 == "" ? sprintf("%.2f", $7) : sprintf("%.2f (%.2f to %.2f)", $7, $8, $9)
      if ($8 != "" && ($8 > 0 || $9 < 0)) sure[++s] = sprintf("%s with %s (%.2f)", k, $5, $7)
      if ($10 > 1 && $12 != "") seeds[++q] = sprintf("%s with %s %.2f (%.2f to %.2f)", k, $5, $11, $12, $13)
    }
    END {
      line = "| similarity"; rule = "|---"
      for (j = 1; j <= w; j++) { line = line " | " ways[j]; rule = rule "|---" }
      print line " |\n" rule "|"
      for (i = 1; i <= m; i++) {
        line = "| " measures[i]
        for (j = 1; j <= w; j++) line = line " | " cell[ways[j], measures[i]]
        print line " |"
      }
      print "\nSpearman rank correlation of the gain over the target alone with the similarity of source and target, over pairs of different tasks; in brackets the 95 % interval of a bootstrap over tasks."
      print "`visual-frechet` is a distance: there a negative number means that alike tasks help each other.\n"
      if (s) { line = ""; for (i = 1; i <= s; i++) line = line (i > 1 ? "; " : "") sure[i]; printf "Of %d correlations, %d have an interval without zero: %s. About one in twenty has by chance.\n\n", all, s, line }
      else printf "None of the %d correlations has an interval without zero.\n\n", all
      if (q) { print "<details><summary>The same seed by seed: means with intervals over seeds</summary>\n"; for (i = 1; i <= q; i++) print "* " seeds[i]; print "\n</details>\n" }
    }' "$1"
}

joint() {
  awk -F, '
    NR == 1 || $1 != "joint" { next }
    { rows[++r] = sprintf("| %s with %s | %s | %.1f | %.1f | %+.0f |", $6, $5, $2, 100 * $12, 100 * $8, 100 * $13); n[$2]++; gain[$2] += $13; if ($13 > 0) up[$2]++; if (!($2 in seen)) { seen[$2]; order[++m] = $2 } }
    END {
      if (!r) exit
      print "## Groups\n\nGroups of tasks that help each other most in the zero-shot transfer of CoOp, each with one prompt learned jointly (8 images a class, seed 0).\n"
      print "| task with its group | method | alone % | joint % | gain % |\n|---|---|---|---|---|"
      for (i = 1; i <= r; i++) print rows[i]
      print ""
      for (i = 1; i <= m; i++) printf "* %s: %d of %d members gain; mean gain %+.0f %%.\n", order[i], up[order[i]], n[order[i]], 100 * gain[order[i]] / n[order[i]]
      print ""
    }' "$1"
}

times() {
  local study=$1
  echo "## Times"
  echo
  # One key a line, kinds one after another.
  sed -n 's/^ *"\([a-z_]*\)": "\{0,1\}\([^",]*\)"\{0,1\},\{0,1\}$/\1 \2/p' "$study/status.json" | awk -v jobs="$(wall "$study" jobs)" -v merge="$(wall "$study" merge)" -v groups="$(wall "$study" groups)" '
    $1 == "kind" { kind = $2 }
    $1 == "method" { method = $2 }
    $1 == "done" { done = $2 }
    $1 == "seconds" { seconds = $2 }
    $1 == "seconds_of_training" {
      if (kind == "all") { total = done; next }
      rows[++r] = sprintf("| %s %s | %d | %.0f | %.0f |", kind, method, done, seconds, $2)
      if (kind == "train" && method == "coop") ratio = seconds / $2
    }
    END {
      printf "%d jobs in %.1f minutes of wall clock on two cores, merged with similarities in %.1f more; the groups after that took %.1f.\n\n", total, jobs / 60, merge / 60, groups / 60
      print "| jobs | number | seconds, one after another | of these training |\n|---|---|---|---|"
      for (i = 1; i <= r; i++) print rows[i]
      printf "\nThe text-prompt zero-shot matrix (`train coop`: every prompt trained and judged on all targets, images of the targets embedded once) costs %.2f times its trainings alone.\n", ratio
    }'
}

copy() {
  local merged=$1/merged to=$2 name
  for name in matrix correlation similarity; do cp "$merged/$name.csv" "$to/transfer-study-$name.csv"; done
  cp "$merged/figures/coop-zero-shot-transfer-gain-over-single-task.svg" "$to/transfer-study-coop-zero-shot.svg"
}

case ${1:-} in
  run) run "$2" "$3" ;;
  page) page "$2" ;;
  copy) copy "$2" "$3" ;;
  *) sed -n '2,12p' "$0" >&2; exit 2 ;;
esac
