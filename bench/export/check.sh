#!/usr/bin/env bash
# Exported files run by the programs that they are for: ONNX Runtime in Python, and the image-classification
# pipeline of transformers.js in a headless Chromium. Prompts are tuned on images that the program draws, one with
# the embedded mini-clip and one with a ViT-B/16 of random weights that transformers makes; a graph's answers on made
# photos of many sizes are compared with those of `vlpt predict`. Also loads the PEFT folder and the Hugging Face folder.
#
#   bench/export/check.sh                # writes the tables of docs/results/export.md
#   WORK=/tmp/export bench/export/check.sh
#
# Needs, beside Rust: Python 3.10 or newer (PYTHON names one that has the packages below; left out, an environment is made
# in $WORK), Node.js 20 or newer with npm, and a `chromium` (CHROMIUM names another one). Some 2 GB in $WORK, which is
# target/export-check unless it is named, and a quarter of an hour.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=$PWD/bench/export
work=${WORK:-target/export-check}
mkdir -p "$work"
work=$(cd "$work" && pwd)
if [ -z "${PYTHON:-}" ]; then
  PYTHON=$work/python/bin/python
  if [ ! -x "$PYTHON" ]; then
    python3 -m venv "$work/python"
    "$work/python/bin/pip" install --quiet numpy onnx==1.23.2 onnxruntime==1.32.0 peft==0.21.2 pillow torch transformers
  fi
fi
if [ ! -d "$work/node_modules/@huggingface/transformers" ]; then
  # without scripts: those of a package that runs outside of browsers fetch a library that is not needed
  npm install --silent --no-fund --no-audit --ignore-scripts --prefix "$work" @huggingface/transformers@4.3.2 playwright-core@1.65.1
fi
if [ -z "${VLPT:-}" ]; then
  cargo build --release --quiet
  VLPT=$PWD/target/release/vlpt
fi
export VLPT VLPT_PRECISION=f32 HF_HUB_OFFLINE=1 CHROMIUM=${CHROMIUM:-$(command -v chromium || command -v chromium-browser || command -v google-chrome)}
cd "$work"
rm -rf runs exports results.json
[ -d b16 ] || "$PYTHON" "$here/make_model.py" "$here/../../crates/vlpt-clip/assets/mini-clip" b16
[ -d photos ] || "$PYTHON" "$here/make_photos.py" photos
mkdir exports

# name, model, method, settings of the training
run() {
  local name=$1 model=$2 method=$3
  shift 3
  "$VLPT" train synthetic:shapes --model "$model" --method "$method" --shots 2 --out "runs/$name" --quiet "$@" >/dev/null
  "$VLPT" export "runs/$name" --out "exports/$name" --int8 --with-preprocessing --quiet >/dev/null
  "$VLPT" predict "runs/$name" photos --top 1000 --json --quiet >"exports/$name.json"
  "$VLPT" preprocess photos --model "$model" --out "exports/$name.npy" --quiet
}
run mini-clip-maple mini-clip maple --epochs 2
run vit-b-16-vpt ./b16 vpt --epochs 1
run mini-clip-lora mini-clip clip-lora --epochs 20 --lr 0.01
"$VLPT" export runs/mini-clip-lora --out exports/peft --format peft --quiet >/dev/null
"$VLPT" export runs/mini-clip-lora --out exports/hf --format hf --quiet >/dev/null
"$VLPT" export runs/mini-clip-lora --out exports/towers --format onnx-towers --quiet >/dev/null

"$PYTHON" "$here/runtime.py" "$here/../../crates/vlpt-clip/assets/mini-clip"
node "$here/browser.mjs" "$work"
"$PYTHON" "$here/table.py" "$here/../../docs/results/export.md"
