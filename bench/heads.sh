#!/usr/bin/env bash
# Methods on cached features, by time and memory: made features of CLASSES x SHOTS images, in the sizes of ViT-B/16 (768
# before the projection, 512 after it). Each method as its recipe has it: views, epochs, and else the built-in options;
# in a process of its own.
#
#   bench/heads.sh                          # all of them, 1,000 classes x 16 shots
#   bench/heads.sh prolip tip-adapter       # some
#   CLASSES=100 SHOTS=4 bench/heads.sh
#
# Prints a table as Markdown. Seconds are those of the fit, texts of a small text tower included; the second number is
# what all threads computed, which other work on the machine does not change much. Memory is the process's peak, which
# holds the views too. A method that takes longer than LIMIT seconds (600) is stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet -p vlpt-methods --example heads
heads=target/release/examples/heads
classes=${CLASSES:-1000} shots=${SHOTS:-16}
[ $# -gt 0 ] || mapfile -t names < <("$heads" list)
[ $# -eq 0 ] || names=("$@")


# Views of a recipe, and its epochs where they are not the built-in ones.
recipe() {
  case $1 in
    clap) echo 20 ;;
    prolip) echo 10 100 ;;
    gda | tip-adapter*) echo 10 ;;
    *) echo 1 ;;
  esac
}

echo "$classes classes x $shots shots, $(nproc) threads:"
echo
echo "| method | views | seconds | seconds of all threads | peak MiB | learned values | accuracy on made images |"
echo "|---|---|---|---|---|---|---|"
for name in "${names[@]}"; do
  read -ra numbers < <(recipe "$name")
  if line=$(timeout "${LIMIT:-600}" "$heads" "$name" "$classes" "$shots" "${numbers[@]}"); then
    read -r method seconds busy memory values accuracy <<<"$line"
    echo "| \`$method\` | ${numbers[0]} | $seconds | $busy | $memory | $values | $accuracy |"
  else
    echo "| \`$name\` | ${numbers[0]} | stopped or refused | | | | |"
  fi
done
