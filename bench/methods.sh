#!/usr/bin/env bash
# Every method on eight data sets at 1 to 16 shots, seeds 0, 1, 2, with the embedded mini-clip.
#
#   cargo build --release
#   bench/methods.sh run DATA docs/results/methods.csv       # trains what the file lacks, a line each
#   bench/methods.sh page DATA docs/results/methods.csv docs/results/methods.md    # puts its tables and figures in place
#   bench/methods.sh findings docs/results/methods.csv       # one of them: what wins at each number of shots
#   bench/methods.sh rates docs/results/methods-rates.csv    # the grid on drawn tasks that rates were chosen by
#
# DATA holds coop/{eurosat,caltech-101,dtd}, elevater/classification/{mnist_20211008,gtsrb_20210923}, wds/wds_cifar10,
# hf/cifar100 and imagefolder/imagenet20. VLPT names the program; SEEDS, SHOTS (1 2 4 8 16), ONLY (methods) and TASKS
# choose a part, so that several can run side by side with VLPT_THREADS=1 on one file. Seconds are those of all threads of
# a training together, features and pixels included: other work on the machine hardly changes them.
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
describable-textures coop/dtd
gtsrb elevater/classification/gtsrb_20210923
SETS
}

# Name in the file, kind (see `epochs`), chosen rate or -, rates tried, options. CLAP, LP++, GDA and Tip-Adapter are told
# no rate: they have none, or claim to need no choice.
methods() {
  cat <<'METHODS'
zero-shot head - - --method zero-shot --set zero_shot.templates=one
zero-shot-ensemble head - - --method zero-shot
linear-probe head - - --recipe linear-probe
tip-adapter head - - --recipe tip-adapter
tip-adapter-f head - - --recipe tip-adapter-f
gda head - - --recipe gda
lp++ head - - --recipe lp++
clap head - - --recipe clap
prolip head 0.003 3e-5,3e-4,3e-3,3e-2 --recipe prolip
coop text 0.15 0.002,0.01,0.05,0.15,0.5 --recipe quick
coop-csc class 0.01 0.001,0.003,0.01 --recipe quick-csc
kgcoop text 0.05 0.002,0.01,0.05,0.2,0.5 --recipe quick --set coop.kg_weight=8
tcp text 0.05 0.001,0.004,0.016,0.05,0.15 --recipe quick-visual --method tcp
cocoop image 0.1 0.0025,0.01,0.03,0.1 --recipe quick-visual --method cocoop
vpt tower 0.02 0.005,0.02,0.05 --recipe quick-visual --method vpt
vlpt tower 0.02 0.005,0.02,0.04 --recipe quick-visual --method vlpt
upt tower 0.008 0.0005,0.002,0.008,0.02 --recipe quick-visual --method upt
ivlp tower 0.008 0.002,0.008,0.02 --recipe quick-visual --method ivlp
maple tower 0.02 0.0005,0.002,0.008,0.02,0.05 --recipe quick-visual --method maple
promptsrc tower 0.008 0.002,0.008,0.02 --recipe quick-visual --method promptsrc
mmrl tower 0.03 0.001,0.004,0.01,0.03 --recipe quick-mmrl
mmrlpp tower 0.015 0.001,0.004,0.015,0.05 --recipe quick-mmrl --method mmrlpp
2sfs stages 0.01 0.0003,0.001,0.003,0.01,0.03 --recipe 2sfs-quick
clip-lora tower 0.05 0.0005,0.002,0.008,0.02,0.05 --recipe quick-visual --method clip-lora
METHODS
}

# Epochs of a kind of method on a set at some shots; nothing where they are the recipe's. Fewer where a step takes long:
# with many classes (whose texts are of each class's or each image's own), and through the image tower, where they come
# to some 30 steps, as many as the grid of rates has (50 with CIFAR-100's 1,600 images).
epochs() {
  local size=few
  case $2 in cifar100 | caltech-101 | gtsrb) size=many ;; esac
  case $1-$size-$3 in
    text-many-*) echo 10 ;;
    class-many-*) echo 5 ;;
    image-many-[12]) echo 3 ;;
    image-many-4) echo 2 ;;
    image-many-*) echo 1 ;;
    tower-few-[12] | stages-few-[12]) echo 20 ;;
    tower-few-4 | stages-few-4) echo 15 ;;
    tower-few-8 | stages-few-8) echo 10 ;;
    tower-few-16 | stages-few-16) echo 6 ;;
    tower-many-[12] | stages-many-[12]) echo 6 ;;
    tower-many-4 | stages-many-*) echo 2 ;; # an epoch for each of the two stages at least
    tower-many-*) [ "$2" = cifar100 ] && echo 1 || echo 2 ;;
  esac
}

# Images a class that a set has, where they are fewer than 16: more shots draw the same images.
largest() {
  case $1 in
    imagenet20) echo 4 ;;
    caltech-101) echo 5 ;;
    gtsrb) echo 10 ;;
    describable-textures) echo 13 ;;
    *) echo 16 ;;
  esac
}

# The values and seconds of the same training under another number of shots, where the file has it: the same images, and
# the same epochs.
same() {
  local file=$1 name=$2 method=$3 kind=$4 seed=$5 shots=$6 other
  for other in 4 8 16; do
    [ "$other" != "$shots" ] && [ "$other" -ge "$(largest "$name")" ] && [ "$shots" -ge "$(largest "$name")" ] || continue
    [ "$(epochs "$kind" "$name" "$other")" = "$(epochs "$kind" "$name" "$shots")" ] || continue
    grep -F "$name,$method,$seed,$other," "$file" | cut -d, -f6,7 | tr , ' ' && return
  done
}

# The option that sets a method's rate.
at_rate() { [ "$1" = prolip ] && echo "--set prolip.lr=$2" || echo "--lr $2"; }

percent() { sed -n 's/.*: [a-z_A-Z0-9]* \([0-9.]*\) %.*/\1/p'; }

# Trains into $work/run and evaluates on the test images: "percent seconds".
trained() {
  local data=$1 took
  shift
  rm -rf "$work/run"
  { TIMEFORMAT='%U %S' && time "$vlpt" train "$data" --model mini-clip "$@" --out "$work/run" >/dev/null 2>"$work/log"; } 2>"$work/time" ||
    { cat "$work/log" >&2 && return 1; }
  took=$(awk '{ printf "%.1f", $1 + $2 }' "$work/time")
  echo "$("$vlpt" eval "$work/run" "$data" | percent) $took"
}

run() {
  local data=$1 file=$2 extra value took zero
  [ -e "$file" ] || echo "$header" >"$file"
  for shots in ${SHOTS:-1 2 4 8 16}; do for seed in ${SEEDS:-0 1 2}; do
    while read -r -u 3 name path; do
      while read -r -u 4 method kind rate _ options; do
        grep -qF "$name,$method,$seed,$shots," "$file" && continue
        case " ${ONLY:-$method} " in *" $method "*) ;; *) continue ;; esac
        case " ${TASKS:-$name} " in *" $name "*) ;; *) continue ;; esac
        extra=()
        [ "$rate" = - ] || read -ra extra < <(at_rate "$method" "$rate")
        count=$(epochs "$kind" "$name" "$shots")
        [ -z "$count" ] || extra+=(--epochs "$count")
        value=
        read -r value took < <(same "$file" "$name" "$method" "$kind" "$seed" "$shots") || true
        # shellcheck disable=SC2086 # the options are words
        [ -n "$value" ] || read -r value took < <(trained "$data/$path" --shots "$shots" --seed "$seed" $options "${extra[@]}")
        zero=$(awk -F, -v n="$name" '$1 == n && $2 == "zero-shot" { print $6; exit }' "$file")
        echo "$name,$method,$seed,$shots,${zero:-$value},$value,$took" | tee -a "$file" >&2
      done 4< <(methods)
    done 3< <(sets)
  done; done
}

# Each rate on two drawn tasks of 8 images a class, by the test images of these tasks.
rates() {
  local file=$1 value took
  [ -e "$file" ] || echo task,method,rate,value >"$file"
  for task in textures counts; do
    while read -r -u 3 method _ _ tried options; do
      [ "$tried" != - ] || continue
      for rate in ${tried//,/ }; do
        grep -qF "$task,$method,$rate," "$file" && continue
        # shellcheck disable=SC2086 # the options are words
        read -r value took < <(trained "synthetic:$task" --shots 8 --seed 0 $options $(at_rate "$method" "$rate"))
        echo "$task,$method,$rate,$value" | tee -a "$file" >&2
      done
    done 3< <(methods)
  done
}

# Points above zero-shot at each number of shots: mean over the tasks that every method has there, and its standard
# error over tasks; the best average first. As Markdown.
findings() {
  awk -F, -v wanted="${SHOTS:-1 2 4 8 16}" '
    NR > 1 { sum[$2, $1, $4] += $6 - $5; count[$2, $1, $4]++; methods[$2]; tasks[$1]; shots[$4] }
    END {
      columns = split(wanted, all, " "); used = 0
      for (i = 1; i <= columns; i++) if (all[i] in shots) order[++used] = all[i]
      head = "| method |"; line = "|---|"
      for (i = 1; i <= used; i++) {
        k = order[i]; n = 0; delete whole
        for (t in tasks) { has = 1; for (m in methods) if (!((m, t, k) in count)) has = 0; if (has) { whole[t]; n++ } }
        if (!n) continue
        head = head " " k (k == 1 ? " shot" : " shots") ", " n " tasks |"; line = line "---:|"
        for (m in methods) {
          total = squares = 0
          for (t in whole) { gain = sum[m, t, k] / count[m, t, k]; total += gain; squares += gain * gain }
          error = n > 1 ? sqrt((squares - total * total / n) / (n - 1) / n) : 0
          cells[m] = cells[m] sprintf(" %+.1f (%.1f) |", total / n, error); rank[m] += total / n
        }
      }
      print "0\t" head; print "1\t" line
      for (m in methods) printf "%.9f\t| %s |%s\n", 2 + 1 / (1000 + rank[m]), m, cells[m]
    }' "$1" | sort -k1,1g | cut -f2-
}

# Seconds of a training at each number of shots: mean over the tasks, of each the mean over seeds. As Markdown.
seconds() {
  awk -F, '
    NR > 1 { sum[$2, $1, $4] += $7; count[$2, $1, $4]++; tasks[$1]; shots[$4]; if (!($2 in known)) { known[$2]; order[++m] = $2 } }
    END {
      columns = split("1 2 4 8 16", all, " ")
      head = "| seconds |"; line = "|---|"
      for (i = 1; i <= columns; i++) if (all[i] in shots) { head = head " " all[i] (all[i] == 1 ? " shot" : " shots") " |"; line = line "---:|" }
      print head; print line
      for (j = 1; j <= m; j++) {
        row = "| " order[j] " |"
        for (i = 1; i <= columns; i++) if (all[i] in shots) {
          total = n = 0
          for (t in tasks) if ((order[j], t, all[i]) in count) { total += sum[order[j], t, all[i]] / count[order[j], t, all[i]]; n++ }
          row = row (n ? sprintf(total / n < 9.95 ? " %.1f |" : " %.0f |", total / n) : " |")
        }
        print row
      }
    }' "$1"
}

# The page's tables and figures; its prose stays.
page() {
  local data=$1 file=$2 page=$3 shots
  figures "$file" "${page%.md}"
  put findings "$page" findings "$file"
  for shots in 16 1; do put "shots-$shots" "$page" at "$shots" "$file"; done
  put seconds "$page" seconds "$file"
  put variance "$page" variance "$data" "$file" "${page%.md}"
}

# What a command prints between the page's lines `<!-- NAME -->` and `<!-- /NAME -->`.
put() {
  local name=$1 page=$2
  shift 2
  "$@" >"$work/table"
  grep -qxF "<!-- $name -->" "$page" && grep -qxF "<!-- /$name -->" "$page" || { echo "$page has no place for $name" >&2 && return 1; }
  awk -v table="$work/table" -v from="<!-- $name -->" -v to="<!-- /$name -->" '
    BEGIN { while ((getline line < table) > 0) text = text line "\n" }
    $0 == to { inside = 0 }
    !inside
    $0 == from { inside = 1; printf "\n%s\n", text }' "$page" >"$work/page"
  cat "$work/page" >"$page"
}

# Every task at one number of shots; its times are in a table of their own.
at() {
  "$vlpt" compare "$2" --shots "$1" --against zero-shot --without eurosat --format markdown |
    awk '/^\| seconds \|/ { times = 1 } !times; /^Seconds of/ { times = 0; getline }'
}

# Curves over the shots, of fits to features and of what is learned in steps apart, since two dozen lines in one figure
# cannot be told from each other.
figures() {
  local file=$1 stem=$2 figure name kind _
  for figure in fits steps; do
    local others=()
    while read -r name kind _; do
      [ "$name" = zero-shot ] && continue
      [ "$kind" = head ] && kind=fits || kind=steps
      [ "$kind" = "$figure" ] || others+=(--leave-out "$name")
    done < <(methods)
    "$vlpt" compare "$file" --shots 16 "${others[@]}" --out "$work/figure" >/dev/null
    cp "$work/figure/shots.svg" "$stem-shots-$figure.svg"
  done
}

# The UPT paper's variances beside the gains, and what they have to do with each other.
variance() {
  local data=$1 file=$2 stem=$3 paths=() path _
  while read -r _ path; do paths+=("$data/$path"); done < <(sets)
  "$vlpt" inspect variance "${paths[@]}" --model mini-clip --results "$file" --shots 16 --out "$work/variance" >"$work/printed"
  cp "$work/variance/variance.svg" "$stem-variance.svg"
  awk '
    $1 == "task" { print "| data set | visual variance | text variance | gain of coop | gain of vpt | gain of upt |\n|---|---:|---:|---:|---:|---:|"; rows = 1; next }
    rows && NF == 9 { print "| " $1 " | " $5 " | " $6 " | " $7 " | " $8 " | " $9 " |"; next }
    { rows = 0 }
    /^rank correlations/ { print "\nRank correlations of the variances with the gains:\n" }
    /: rho / { print "* " $0 }' "$work/printed"
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export VLPT_CACHE_DIR="$work/cache" VLPT_QUIET=true
case ${1:-} in
  run) run "$2" "$3" ;;
  page) page "$2" "$3" "$4" ;;
  findings) findings "$2" ;;
  rates) rates "$2" ;;
  *) sed -n '2,13p' "$0" | cut -c3- >&2; exit 2 ;;
esac
