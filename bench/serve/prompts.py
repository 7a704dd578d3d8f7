"""Draws photos, and copies one tuned prompt many times with other numbers.

python prompts.py --photos FOLDER
python prompts.py --prompt RUN --copies 100 --out FOLDER
"""

import argparse
import hashlib
import pathlib
import random
import shutil
import struct
import zlib


def png(path, colour, width=160, height=120, seed=0):
    """A picture of one colour with noise."""
    dice = random.Random(seed)
    rows = b"".join(
        b"\0" + bytes(min(255, max(0, c + dice.randrange(-20, 21))) for _ in range(width) for c in colour)
        for _ in range(height)
    )

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def copy(run, out):
    """The prompt folder under another name: text features in another order of signs are another prompt."""
    prompt = pathlib.Path(run) / "prompt"
    shutil.copytree(prompt, out)
    path = out / "classifier.safetensors"
    data = bytearray(path.read_bytes())
    data[-4:] = struct.pack("<f", struct.unpack("<f", data[-4:])[0] * 1.001)
    path.write_bytes(data)
    sums = out / "checksums.sha256"
    lines = []
    for line in sums.read_text().splitlines():
        _, name = line.split(maxsplit=1)
        lines.append(f"{hashlib.sha256((out / name.lstrip('*')).read_bytes()).hexdigest()}  {name}")
    sums.write_text("\n".join(lines) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos")
    parser.add_argument("--prompt")
    parser.add_argument("--copies", type=int, default=100)
    parser.add_argument("--out")
    args = parser.parse_args()
    if args.photos:
        for name, colour in {"red": (200, 40, 30), "green": (40, 180, 60), "blue": (30, 60, 200)}.items():
            for i in range(8):
                png(pathlib.Path(args.photos) / name / f"{i}.png", colour, seed=i)
    if args.prompt:
        for i in range(args.copies):
            copy(args.prompt, pathlib.Path(args.out) / f"prompt-{i:03}")


if __name__ == "__main__":
    main()
