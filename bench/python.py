"""What bench/python.sh measures; it builds and installs what is measured."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from PIL import Image

#: Starts are of some hundredths of a second, so the middle of so many is told.
STARTS = 15


def middle(values: list[float]) -> float:
    return sorted(values)[len(values) // 2]


def seconds(words: list[object], repeat: int = 1) -> float:
    taken = []
    for _ in range(repeat):
        began = time.perf_counter()
        subprocess.run([str(word) for word in words], check=True, capture_output=True)
        taken.append(time.perf_counter() - began)
    return middle(taken)


def sizes(wheel: Path, program: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        module = next(info for info in archive.infolist() if "_vlpt" in info.filename and ".so" in info.filename)
    print(f"wheel             {wheel.name}")
    print(f"wheel, MB         {wheel.stat().st_size / 1e6:.1f}")
    print(f"its module, MB    {module.file_size / 1e6:.1f}")
    print(f"the program, MB   {program.stat().st_size / 1e6:.1f}")


def starts(program: Path, script: Path) -> None:
    python = sys.executable
    for name, words in {
        "python": [python, "-c", ""],
        "import numpy": [python, "-c", "import numpy"],
        "import vlpt": [python, "-c", "import vlpt"],
        "vlpt.Classifier": [python, "-c", "import vlpt; vlpt.Classifier"],
        "script --version": [script, "--version"],
        "program --version": [program, "--version"],
    }.items():
        print(f"{name:<17} {1000 * seconds(list(words), STARTS):.0f} ms")


def photos(folder: Path, count: int) -> Path:
    """Photos of the size that phones send, links to a few files."""
    random = np.random.default_rng(0)
    (folder / "few").mkdir()
    for number in range(20):
        small = random.integers(0, 256, (24, 32, 3), dtype=np.uint8)
        Image.fromarray(small).resize((1024, 768), Image.Resampling.BICUBIC).save(folder / f"few/{number:02}.jpg")
    (folder / "photos").mkdir()
    for number in range(count):
        os.link(folder / f"few/{number % 20:02}.jpg", folder / f"photos/{number:05}.jpg")
    return folder / "photos"


def predictions(program: Path, folder: Path, count: int, rounds: int) -> None:
    import vlpt

    few = photos(folder, count)
    for label in ("a", "b"):
        (folder / "classes" / label).mkdir(parents=True)
    for number, path in enumerate(sorted((folder / "few").iterdir())):
        os.link(path, folder / "classes" / "ab"[number % 2] / path.name)
    run = folder / "run"
    train = ["train", folder / "classes", "--method", "vpt", "--epochs", "1", "--shots", "2", "--out", run]
    subprocess.run([str(word) for word in [program, *train]], check=True, capture_output=True)
    classifier = vlpt.Classifier.from_pretrained(run)
    commands, calls, alike = [], [], True
    for _ in range(rounds):
        began = time.perf_counter()
        made = subprocess.run([program, "predict", run, few, "--json"], check=True, capture_output=True)
        commands.append(time.perf_counter() - began)
        began = time.perf_counter()
        answers = classifier.predict(few)
        calls.append(time.perf_counter() - began)
        alike = alike and (answers.to_json() + "\n").encode() == made.stdout
    print(f"images            {count}, JPEG of 1024 x 768, {vlpt.Clip.of(classifier).name}, {classifier.threads} threads")
    print(f"vlpt predict      {middle(commands):.2f} s, {60 * count / middle(commands):.0f} a minute")
    print(f"predict           {middle(calls):.2f} s, {60 * count / middle(calls):.0f} a minute")
    print(f"the same bytes    {'yes' if alike else 'NO'}")
    pixels = [np.asarray(Image.open(path)) for path in sorted(few.iterdir())[:200]]
    began = time.perf_counter()
    shares = classifier.predict_proba(pixels)
    took = time.perf_counter() - began
    print(f"of arrays         {60 * len(pixels) / took:.0f} a minute")
    print(f"the same numbers  {'yes' if np.array_equal(shares, answers.probabilities[:200]) else 'NO'}")
    one = pixels[0]
    each = []
    for _ in range(50):
        began = time.perf_counter()
        classifier.predict_proba(one)
        each.append(time.perf_counter() - began)
    print(f"one array         {1000 * middle(each):.1f} ms")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("wheel", type=Path)
    parser.add_argument("program", type=Path)
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    os.environ.setdefault("VLPT_MODEL", "mini-clip")
    sizes(given.wheel, given.program)
    starts(given.program, Path(sys.executable).with_name("vlpt"))
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        predictions(given.program.resolve(), Path(folder), given.photos, given.rounds)


if __name__ == "__main__":
    main()
