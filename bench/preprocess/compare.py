"""Times Pillow and vlpt on the same images in the same run, one thread each, and prints the ratios.

    cargo build --release -p vlpt-data --example time_images
    PYTHONPATH=... python bench/preprocess/compare.py target/release/examples/time_images [IMAGE...]

Without images, synthetic photographs of common sizes are drawn. Needs Pillow and numpy.
"""

import io
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import PIL
from PIL import Image, ImageFilter

SECONDS = 0.4
MEAN = np.array([0.48145466, 0.4578275, 0.40821073], np.float32)
STD = np.array([0.26862954, 0.26130258, 0.27577711], np.float32)


def median(call):
    begin, times = time.perf_counter(), []
    while len(times) < 5 or time.perf_counter() - begin < SECONDS:
        start = time.perf_counter()
        call()
        times.append((time.perf_counter() - start) * 1e6)
    return sorted(times)[len(times) // 2]


def decoded(data):
    return Image.open(io.BytesIO(data)).convert("RGB")


def square(image, n=224):
    w, h = image.size
    size = (n, int(n * h / w)) if w <= h else (int(n * w / h), n)
    image = image.resize(size, Image.Resampling.BICUBIC)
    left, top = round((size[0] - n) / 2), round((size[1] - n) / 2)
    return image.crop((left, top, left + n, top + n))


def tensor(image):
    values = np.asarray(square(image)).astype(np.float32) / np.float32(255)
    return np.ascontiguousarray(((values - MEAN) / STD).transpose(2, 0, 1))


def photographs(folder):
    rng = np.random.default_rng(0)
    for w, h in ((32, 32), (500, 375), (375, 500), (1024, 768), (3000, 2000)):
        small = Image.fromarray(rng.integers(0, 256, (h // 8 + 2, w // 8 + 2, 3), np.uint8))
        image = small.resize((w, h), Image.Resampling.BICUBIC).filter(ImageFilter.GaussianBlur(1))
        path = Path(folder) / f"{w}x{h}.jpg"
        image.save(path, quality=90)
        yield path


def main():
    binary, *paths = sys.argv[1:]
    print(f"Pillow {PIL.__version__}, medians in microseconds; ratio = Pillow / vlpt")
    print("image | decode | ratio | resize + crop | ratio | file to tensor | ratio")
    with tempfile.TemporaryDirectory() as folder:
        for path in paths or list(photographs(folder)):
            data = Path(path).read_bytes()
            image = decoded(data)
            ours = subprocess.run([binary, str(SECONDS), str(path)], check=True, capture_output=True, text=True)
            ours = [float(v) for v in ours.stdout.split()]
            theirs = [median(lambda: decoded(data)), median(lambda: square(image)), median(lambda: tensor(decoded(data)))]
            cells = " | ".join(f"{a:.0f} / {b:.0f} | {b / a:.2f}" for a, b in zip(ours, theirs))
            print(f"{Path(path).name} {image.size[0]}x{image.size[1]} | {cells}")


if __name__ == "__main__":
    main()
