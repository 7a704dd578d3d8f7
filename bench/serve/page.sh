#!/usr/bin/env bash
# Headless Chromium with the server's page: a photo by keyboard, bars, attention, no request to elsewhere.
# Needs: apt-get install chromium; npm (takes playwright-core).
set -euo pipefail
cd "$(dirname "$0")/../.."
vlpt=$PWD/target/release/vlpt
[ -x "$vlpt" ] || cargo build --release
work=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$work"' EXIT
here=$PWD/bench/serve
cd "$work"
export VLPT_MODEL=mini-clip
python3 "$here/prompts.py" --photos drawn
for method in coop vpt; do
  "$vlpt" -q train drawn --method $method --shots 4 --epochs 1 --out runs/$method >/dev/null
done
"$vlpt" serve runs/coop runs/vpt --listen 127.0.0.1:0 --json --log off >about.json &
until [ -s about.json ] && python3 -c 'import json; json.load(open("about.json"))' 2>/dev/null; do sleep 0.1; done
address=$(python3 -c 'import json; print(json.load(open("about.json"))["listening"])')
photo=$work/$(find drawn -name '*.png' | sort | head -1)
cp "$here/page.mjs" .
npm install --silent --no-fund --no-audit playwright-core >/dev/null
node page.mjs "$address" "$photo" "${PICTURE:-$work/page.png}"
