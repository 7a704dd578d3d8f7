#!/usr/bin/env bash
# Builds the wheel, installs it into an environment of its own, and runs the tests of the Python package.
# Everything that is made or fetched lies below target/python. PYTHON names the interpreter; words are given to pytest.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
target=${CARGO_TARGET_DIR:-$PWD/target}
home=$target/python
venv=$home/venv
export PIP_CACHE_DIR=$home/pip PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONDONTWRITEBYTECODE=1

# the environment is made anew when what it should hold, or the interpreter, has changed
wanted=$(cat python/requirements-test.txt; "$python" -VV)
if [ "$wanted" != "$(cat "$home/made-of" 2>/dev/null)" ]; then
    rm -rf "$venv" "$home/made-of"
    "$python" -m venv "$venv"
    "$venv/bin/pip" install --quiet --requirement python/requirements-test.txt
    printf '%s\n' "$wanted" > "$home/made-of"
fi

# the program that the package is compared with, as `cargo test --workspace` builds it
cargo test --workspace --locked --quiet --no-run --test cli_reference
export CARGO_VLPT=$target/debug/vlpt

# of the same profile, so that crates in common are built once
rm -rf "$home/wheels"
"$venv/bin/maturin" build --profile dev --locked --quiet --interpreter "$venv/bin/python" --out "$home/wheels"
"$venv/bin/pip" install --quiet --force-reinstall --no-deps --no-index "$home"/wheels/vlpt-*.whl

"$venv/bin/python" -m pytest -p no:cacheprovider python/tests "$@"
