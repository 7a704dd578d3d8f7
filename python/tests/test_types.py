"""Types, stubs and docstrings are those of the code."""

from __future__ import annotations

import doctest
import importlib
import inspect
import os
import subprocess
import sys
from pathlib import Path

import pytest
import vlpt

PACKAGE = Path(vlpt.__file__).parent
MODULES = sorted(path.stem for path in PACKAGE.glob("*.py") if path.stem not in ("__init__", "__main__"))


def checked(*words: object) -> None:
    made = subprocess.run([sys.executable, "-m", *map(str, words)], capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stdout + made.stderr


def test_the_package_passes_mypy_strictly(tmp_path):
    assert (PACKAGE / "py.typed").is_file()
    settings = tmp_path / "mypy.ini"
    settings.write_text("[mypy]\nstrict = true\n[mypy-sklearn.*,tqdm.*]\nignore_missing_imports = true\n")
    checked("mypy", "--config-file", settings, "--cache-dir", tmp_path / "cache", "-p", "vlpt")


def test_what_users_write_is_typed(tmp_path):
    use = tmp_path / "use.py"
    use.write_text(
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from numpy.typing import NDArray\n"
        "import vlpt\n"
        "classifier = vlpt.Classifier.from_pretrained(Path('run'), threads=2)\n"
        "shares: NDArray[np.float32] = classifier.predict_proba([Path('a.jpg'), b'', np.zeros((1, 1, 3), np.uint8)])\n"
        "label: str | None = classifier.predict('a.jpg')[0].label\n"
        "estimate: vlpt.Estimate | None = vlpt.tune('photos', minutes=1).estimate\n"
        "features: NDArray[np.float32] = vlpt.Clip.from_pretrained().encode_text('a cat')\n"
    )
    settings = tmp_path / "mypy.ini"
    settings.write_text("[mypy]\nstrict = true\n")
    checked("mypy", "--config-file", settings, "--cache-dir", tmp_path / "cache", use)
    use.write_text("import vlpt\nvlpt.Classifier.from_pretrained('run').predict('a.jpg', top_k='3')\n")
    with pytest.raises(AssertionError, match="arg-type"):
        checked("mypy", "--config-file", settings, "--cache-dir", tmp_path / "cache", use)


def test_the_stubs_are_those_of_the_module(tmp_path, monkeypatch):
    allowed = tmp_path / "allowed"
    # what Rust's side does not say of itself
    allowed.write_text("vlpt._vlpt.__all__\n")
    monkeypatch.setenv("MYPY_CACHE_DIR", str(tmp_path / "cache"))
    checked("mypy.stubtest", "vlpt._vlpt", "--allowlist", allowed, "--ignore-unused-allowlist")


def public() -> list[tuple[str, object]]:
    found: list[tuple[str, object]] = []
    classes = [getattr(vlpt, name) for name in vlpt.__all__]
    classes.append(importlib.import_module("vlpt.sklearn").PromptClassifier)
    for one in classes:
        if not callable(one) or not getattr(one, "__module__", "").startswith("vlpt"):
            continue
        found.append((one.__name__, one))
        if inspect.isclass(one):
            own = {name: value for name, value in vars(one).items() if not name.startswith("_")}
            found += [(f"{one.__name__}.{name}", value) for name, value in own.items()]
    return found


@pytest.mark.parametrize(("name", "thing"), public(), ids=[name for name, _ in public()])
def test_docstrings_name_every_parameter(name, thing):
    thing = getattr(thing, "__func__", thing)
    if not callable(thing) and not isinstance(thing, property):
        return
    text = inspect.getdoc(thing) or ""
    assert text.strip(), f"{name} has no docstring"
    if isinstance(thing, property):
        return
    if inspect.isclass(thing):
        if thing.__name__ != "PromptClassifier":
            return
    elif thing.__name__ in ("count", "index"):
        return
    else:
        assert "Returns\n" in text or "Raises\n" in text, f"{name} says not what it returns"
    for parameter in inspect.signature(thing).parameters:
        if parameter in ("self", "cls"):
            continue
        assert parameter in text, f"{name} does not tell of {parameter}"


@pytest.mark.parametrize("module", MODULES)
def test_examples_of_docstrings_run(module):
    import numpy as np

    loaded = importlib.import_module(f"vlpt.{module}")
    outcome = doctest.testmod(loaded, extraglobs={"np": np, "vlpt": vlpt}, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0
