"""Made photos of many sizes, colours in smooth fields with noise on them: make_photos.py OUT. numpy, Pillow."""

import pathlib
import sys

import numpy
from PIL import Image

SIZES = [(640, 480), (480, 640), (224, 224), (300, 301), (1000, 400), (97, 251), (64, 64), (33, 50), (2000, 1500), (225, 224)]

out = pathlib.Path(sys.argv[1])
out.mkdir()
for number, (width, height) in enumerate(SIZES):
    random = numpy.random.default_rng(number)
    field = Image.fromarray(random.integers(0, 256, (5, 7, 3), dtype=numpy.uint8)).resize((width, height), Image.BICUBIC)
    noise = random.integers(-25, 26, (height, width, 3))
    pixels = numpy.clip(numpy.asarray(field).astype(int) + noise, 0, 255).astype(numpy.uint8)
    Image.fromarray(pixels).save(out / f"{number}-{width}x{height}.png")
