#!/usr/bin/env bash
# Methods on cached features, by time and memory: made features of CLASSES x SHOTS images in VIEWS views, in the sizes
# of ViT-B/16 (768 before the projection, 512 after it). Each method with its built-in options, in a process of its own.
#
#   bench/heads.sh                          # all of them, 1,000 classes x 16 shots
#   bench/heads.sh prolip tip-adapter       # some
#   CLASSES=100 SHOTS=4 VIEWS=4 bench/heads.sh
#
# Prints a table as Markdown. Seconds are those of the fit, texts of a small text tower included; the second number is
# what all threads computed, which other work on the machine does not change much. Memory is the process's peak, which
# holds the views too. A method that takes longer than LIMIT seconds (600) is stopped.
set -euo pipefail
cd "$(dirname "$0")/.."
cargo build --release --quiet -p vlpt-methods --example heads
heads=target/release/examples/heads
classes=${CLASSES:-1000} shots=${SHOTS:-16} views=${VIEWS:-10}
[ $# -gt 0 ] || mapfile -t names < <("$heads" list)
[ $# -eq 0 ] || names=("$@")

echo "$classes classes x $shots shots, $views views, $(nproc) threads:"
echo
echo "| method | seconds | seconds of all threads | peak MiB | learned values | accuracy on made images |"
echo "|---|---|---|---|---|---|"
for name in "${names[@]}"; do
  if line=$(timeout "${LIMIT:-600}" "$heads" "$name" "$classes" "$shots" "$views"); then
    read -r method seconds busy memory values accuracy <<<"$line"
    echo "| \`$method\` | $seconds | $busy | $memory | $values | $accuracy |"
  else
    echo "| \`$name\` | stopped or refused | | | | |"
  fi
done
