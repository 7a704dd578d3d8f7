"""Photos that are drawn here, a classifier tuned on them, and the program to compare with."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

ROOT = Path(__file__).resolve().parents[2]
SHAPES = ("circle", "square", "triangle")
SCRIPT = Path(sys.executable).with_name("vlpt")


def drawn(shape: str, number: int) -> Image.Image:
    """A photo of a shape, every number another one."""
    random = np.random.default_rng([SHAPES.index(shape), number])
    width, height = random.integers(60, 140, 2)
    noise = random.integers(0, 60, (height, width, 3), dtype=np.uint8)
    image = Image.fromarray(noise)
    draw = ImageDraw.Draw(image)
    x, y = random.integers(30, width - 29), random.integers(30, height - 29)
    size = int(random.integers(18, 28))
    colour = tuple(int(value) for value in random.integers(140, 256, 3))
    if shape == "circle":
        draw.ellipse((x - size, y - size, x + size, y + size), fill=colour)
    elif shape == "square":
        draw.rectangle((x - size, y - size, x + size, y + size), fill=colour)
    else:
        draw.polygon([(x, y - size), (x - size, y + size), (x + size, y + size)], fill=colour)
    return image


def draw_photos(folder: Path, each: int, first: int = 0) -> Path:
    """Class folders of PNG and JPEG files in turn."""
    for shape in SHAPES:
        (folder / shape).mkdir(parents=True)
        for number in range(first, first + each):
            ending = "png" if number % 2 else "jpg"
            drawn(shape, number).save(folder / shape / f"{number:03}.{ending}")
    return folder


def environment(home: Path) -> dict[str, str]:
    """The environment without what a user may have set: the small model, no network, a cache of its own."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VLPT_", "HF_", "RAYON_"))}
    return kept | {
        "VLPT_MODEL": "mini-clip",
        "VLPT_PRECISION": "f32",
        "HF_HUB_OFFLINE": "1",
        "XDG_CACHE_HOME": str(home / "cache"),
        "NO_COLOR": "1",
    }


@pytest.fixture(scope="session", autouse=True)
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("home")
    before, kept = dict(os.environ), environment(home)
    os.environ.clear()
    os.environ.update(kept)
    yield home
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture(scope="session")
def photos(home: Path) -> Path:
    return draw_photos(home / "photos", 8)


@pytest.fixture(scope="session")
def new(home: Path) -> Path:
    """Photos without labels: no class folders, another number than a batch."""
    folder = home / "new"
    folder.mkdir()
    for number in range(13):
        for shape in SHAPES:
            ending = "png" if number % 2 else "jpg"
            drawn(shape, 100 + number).save(folder / f"{number:02}-{shape}.{ending}")
    return folder


@pytest.fixture(scope="session")
def run(home: Path, photos: Path) -> Path:
    """A run folder with a calibrated classifier and its threshold."""
    import vlpt

    return vlpt.tune(photos, out=home / "run", minutes=0.3, methods=["gda", "lp++"], progress=False).folder


@pytest.fixture(scope="session")
def prompt(home: Path, photos: Path) -> Path:
    """A run folder with tuned rows in the image tower, trained by the command line."""
    out = home / "prompt"
    words = ["train", photos, "--method", "vpt", "--epochs", "1", "--shots", "2", "--out", out]
    subprocess.run([SCRIPT, *words], check=True, capture_output=True)
    return out


@pytest.fixture(scope="session")
def program() -> Path:
    """The program that cargo builds, to compare the package with."""
    named = os.environ.get("CARGO_VLPT")
    path = Path(named) if named else ROOT / "target/debug/vlpt"
    if not path.is_file():
        pytest.fail(f"no program at {path}: build it with `cargo build -p vlpt`")
    return path


@pytest.fixture(scope="session")
def vlpt_of_cargo(program: Path) -> Callable[..., subprocess.CompletedProcess[bytes]]:
    def call(*words: object, **options: object) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run([str(program), *map(str, words)], capture_output=True, **options)  # type: ignore[call-overload,no-any-return]

    return call
