#!/usr/bin/env python3
"""Draws a set shaped as ImageNet with its four variants, for `vlpt bench domain` without any download.

    bench/variants.py FOLDER

Eight classes of ImageNet with their WordNet ids, each a plain thing on a noisy ground. ImageNet and ImageNetV2 are
drawn alike, ImageNet-Sketch in grey outlines, ImageNet-A (four of the classes) on a ground of the thing's own
colour, ImageNet-R (four others) in coarse squares of other hues. The layouts, the folders of V2 numbered by line of
`classnames.txt` among them, are those that the published readers expect. Needs Python alone; the same images each time.
"""

import pathlib
import random
import struct
import sys
import zlib

SIDE = 64
# id, name, colour, half width, half height, round
CLASSES = [
    ("n07749582", "lemon", (240, 220, 60), 20, 14, True),
    ("n07747607", "orange", (245, 140, 20), 18, 18, True),
    ("n07745940", "strawberry", (220, 30, 50), 13, 17, True),
    ("n07742313", "Granny Smith", (110, 190, 60), 18, 17, True),
    ("n03942813", "ping-pong ball", (250, 250, 245), 11, 11, True),
    ("n03291819", "envelope", (240, 235, 215), 24, 14, False),
    ("n03345487", "fire truck", (200, 25, 25), 26, 12, False),
    ("n04146614", "school bus", (245, 190, 10), 27, 11, False),
]
IN_A, IN_R = (0, 2, 4, 6), (1, 3, 5, 7)


def png(path, pixels):
    raw = b"".join(b"\0" + bytes(v for pixel in row for v in pixel) for row in pixels)
    chunk = lambda kind, body: struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    head = struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))


def draw(rng, label, way):
    _, _, colour, wide, high, round_ = CLASSES[label]
    x0, y0, size = rng.randint(26, 38), rng.randint(26, 38), rng.uniform(0.75, 1.15)
    ground = [rng.randint(40, 200) for _ in range(3)]
    if way == "a":
        ground = [max(0, c - 35) for c in colour]
    if way == "r":
        colour = colour[1:] + colour[:1]
    cell = 4 if way == "r" else 1
    rows = []
    for y in range(SIDE):
        row = []
        for x in range(SIDE):
            u = (x // cell * cell - x0) / (wide * size)
            v = (y // cell * cell - y0) / (high * size)
            far = (u * u + v * v) ** 0.5 if round_ else max(abs(u), abs(v))
            if way == "sketch":
                value = 60 if 0.85 < far < 1.0 else 245
                row.append([max(0, min(255, value + rng.randint(-8, 8)))] * 3)
                continue
            base = colour if far < 1.0 else ground
            row.append([max(0, min(255, c + rng.randint(-18, 18))) for c in base])
        rows.append(row)
    return rows


def main(root):
    rng = random.Random(0)
    names = "".join(f"{wnid} {name}\n" for wnid, name, *_ in CLASSES)
    every = range(len(CLASSES))
    sets = [
        ("imagenet/images/train", "", every, 20, False),
        ("imagenet/images/val", "", every, 10, False),
        ("imagenetv2/imagenetv2-matched-frequency-format-val", "", every, 10, True),
        ("imagenet-sketch/images", "sketch", every, 10, False),
        ("imagenet-adversarial/imagenet-a", "a", IN_A, 20, False),
        ("imagenet-rendition/imagenet-r", "r", IN_R, 20, False),
    ]
    for folder, way, labels, count, numbered in sets:
        for label in labels:
            own = str(label) if numbered else CLASSES[label][0]
            for image in range(count):
                png(root / folder / own / f"{image}.png", draw(rng, label, way))
        (root / folder.split("/")[0] / "classnames.txt").write_text(names)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]))
