"""HEIC files and their pixels as pillow-heif decodes them, into golden/heic.

    pip install pillow pillow-heif numpy    # made with Pillow 13.0, pillow-heif 1.8.1 (libheif)
    python make_heic.py
"""

import io
import struct
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

pillow_heif.register_heif_opener()
OUT = Path(__file__).parent / "heic"


def picture(width, height):
    y, x = np.mgrid[0:height, 0:width].astype(float)
    red = 128 + 110 * np.sin(x / 7) * np.cos(y / 11)
    green = 128 + 100 * np.cos((x + y) / 9)
    blue = 255 * x / width
    return Image.fromarray(np.stack([red, green, blue], -1).clip(0, 255).astype("uint8"))


def keep(name, data):
    (OUT / f"{name}.heic").write_bytes(data)
    with Image.open(io.BytesIO(data)) as image:
        image.convert("RGB").save(OUT / f"{name}.png", optimize=True)


def encoded(image, quality, chroma, **more):
    out = io.BytesIO()
    image.save(out, "HEIF", quality=quality, chroma=chroma, **more)
    return out.getvalue()


def inside(data, *path):
    """The content of the first box of these names, each in the one before."""
    at, end = 0, len(data)
    for name in path:
        while True:
            size, kind = struct.unpack(">I4s", data[at : at + 8])
            if kind == name:
                at, end = at + 8 + (4 if name == b"meta" else 0), at + size
                break
            at += size
            assert at < end, name
    return data[at:end]


def box(kind, *parts):
    content = b"".join(parts)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def full(kind, version, flags, *parts):
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def grid(image, columns, rows, side, width, height, turn, mirror, orientation):
    """As phones write photos: square tiles, cut to a size, turned, with the EXIF tag that says the turn again."""
    places = [(c * side, r * side) for r in range(rows) for c in range(columns)]
    files = [encoded(image.crop((x, y, x + side, y + side)), 60, 420) for x, y in places]
    stored = (b"meta", b"iprp", b"ipco")
    count, whole, about = len(files), len(files) + 1, len(files) + 2
    properties = [
        box(b"hvcC", inside(files[0], *stored, b"hvcC")),
        full(b"ispe", 0, 0, struct.pack(">II", side, side)),
        full(b"ispe", 0, 0, struct.pack(">II", width, height)),
        box(b"colr", inside(files[0], *stored, b"colr")),
        box(b"irot", bytes([turn])),
        box(b"imir", bytes([mirror])),
    ]
    of = [(i, [0x81, 2, 4]) for i in range(1, count + 1)] + [(whole, [3, 4, 0x85, 0x86])]
    links = b"".join(struct.pack(">HB", i, len(list_)) + bytes(list_) for i, list_ in of)
    links = full(b"ipma", 0, 0, struct.pack(">I", len(of)), links)
    kinds = [(i, 1, b"hvc1") for i in range(1, whole)] + [(whole, 0, b"grid"), (about, 1, b"Exif")]
    named = [full(b"infe", 2, hide, struct.pack(">HH4s", i, 0, kind), b"\0") for i, hide, kind in kinds]
    tiles = struct.pack(f">HH{count}H", whole, count, *range(1, whole))
    refers = full(b"iref", 0, 0, box(b"dimg", tiles), box(b"cdsc", struct.pack(">HHH", about, 1, whole)))
    exif = Image.Exif()
    exif[0x112] = orientation
    exif = struct.pack(">I", 6) + b"Exif\0\0" + exif.tobytes().removeprefix(b"Exif\0\0")
    shape = struct.pack(">BBBBHH", 0, 0, rows - 1, columns - 1, width, height)
    data = [inside(file, b"mdat") for file in files] + [shape, exif]

    def meta(start):
        ends = np.cumsum([start] + [len(part) for part in data])
        where = [struct.pack(">HHHII", i + 1, 0, 1, ends[i], len(data[i])) for i in range(len(data))]
        return full(
            b"meta", 0, 0,
            full(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"pict"), b"\0"),
            full(b"pitm", 0, 0, struct.pack(">H", whole)),
            full(b"iloc", 0, 0, struct.pack(">BBH", 0x44, 0, len(data)), *where),
            full(b"iinf", 0, 0, struct.pack(">H", len(named)), *named),
            refers,
            box(b"iprp", box(b"ipco", *properties), links),
        )

    head = box(b"ftyp", b"heic", struct.pack(">I", 0), b"mif1heic")
    return head + meta(len(head) + len(meta(0)) + 8) + box(b"mdat", *data)


OUT.mkdir(exist_ok=True)
small = picture(33, 25)
for chroma in (420, 422, 444):
    keep(f"chroma-{chroma}", encoded(small, 70, chroma))
keep("grey", encoded(small.convert("L"), 70, 420))
alpha = small.copy()
alpha.putalpha(Image.linear_gradient("L").resize(small.size))
keep("alpha", encoded(alpha, 70, 420))
keep("lossless", encoded(small, -1, 444, matrix_coefficients=0))
exif = Image.Exif()
exif[0x112] = 6
keep("turned", encoded(small, 70, 420, exif=exif))
wide = (np.array(small).astype("uint16") << 8) | 0x40
out = io.BytesIO()
pillow_heif.from_bytes("RGB;16", small.size, wide.tobytes()).save(out, quality=70, chroma=444)
keep("ten-bits", out.getvalue())
for turn, mirror, orientation in [(1, 1, 8), (3, 0, 6)]:
    keep(f"grid-{turn}-{mirror}", grid(picture(128, 128), 2, 2, 64, 80, 66, turn, mirror, orientation))
