"""Makes golden/images: small image files, and what Pillow makes of them.

    python -m pip install --target pillow11 pillow==11.3.0
    PYTHONPATH=pillow11 python crates/vlpt-data/tests/golden/make_images.py

Pillow below 12.2 always resizes the horizontal direction first, which is the order kept here.
Every picture is drawn by this script. `index.json` holds sizes and SHA-256 sums of pixels, and the
raw pixels (hex) of a few tiny cases, to see what is wrong when one fails.
"""

import hashlib
import io
import json
import math
import struct
import zlib
from pathlib import Path

import PIL
from PIL import Image, ImageOps

OUT = Path(__file__).parent / "images"
assert tuple(map(int, PIL.__version__.split(".")[:2])) < (12, 2), "needs horizontal-first resizing"


def noise(count, seed):
    """Bytes of a linear congruential generator; the Rust test draws the same."""
    state, out = seed, bytearray()
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out.append(state >> 24)
    return bytes(out)


def noisy(width, height, seed):
    return Image.frombytes("RGB", (width, height), noise(width * height * 3, seed))


def drawn(width, height, seed=1):
    """Ramps with a hard edge and some noise: what photographs do to a codec, in few bytes."""
    grain = noise(width * height * 3, seed)
    data = bytearray()
    for y in range(height):
        for x in range(width):
            inside = (x - width / 2) ** 2 + (y - height / 2) ** 2 < (min(width, height) / 3) ** 2
            base = (230, 40, 60) if inside else (x * 255 // width, y * 255 // height, 128)
            for c in range(3):
                data.append(min(255, max(0, base[c] + grain[(y * width + x) * 3 + c] // 16 - 8)))
    return Image.frombytes("RGB", (width, height), bytes(data))


def sha(data):
    return hashlib.sha256(data).hexdigest()


def encoded(image, format, **options):
    buffer = io.BytesIO()
    image.save(buffer, format, **options)
    return buffer.getvalue()


def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width, height, bits, colour, rows, extra=(), interlace=0):
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlace)
    body = b"".join(chunk(kind, data) for kind, data in extra)
    data = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    end = chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + body + chunk(b"IDAT", data) + end


def packed(values, bits):
    """Samples of one row, high bits first."""
    text = "".join(format(v, f"0{bits}b") for v in values)
    text += "0" * (-len(text) % 8)
    return bytes(int(text[i : i + 8], 2) for i in range(0, len(text), 8))


def adam7(width, height, bits, samples, pixel):
    rows = []
    passes = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2)]
    for x0, y0, dx, dy in passes:
        for y in range(y0, height, dy):
            row = [s for x in range(x0, width, dx) for s in pixel(x, y)]
            if row:
                assert len(row) % samples == 0
                rows.append(packed(row, bits))
    return rows


def png_files():
    image = drawn(23, 17)
    files = {
        "rgb": encoded(image, "PNG"),
        "l": encoded(image.convert("L"), "PNG"),
        "1": encoded(image.convert("1"), "PNG"),
        "la": encoded(Image.merge("LA", (image.getchannel(0), image.getchannel(1))), "PNG"),
        "rgba": encoded(Image.merge("RGBA", (*image.split(), image.getchannel(1))), "PNG"),
    }
    for bits in (1, 2, 4, 8):
        colours = image.quantize(2**bits)
        files[f"p{bits}"] = encoded(colours, "PNG", bits=bits)
        files[f"p{bits}-transparent"] = encoded(colours, "PNG", bits=bits, transparency=1)
    for bits in (2, 4):
        grey = noise(9 * 5, 3)
        rows = [packed([v >> (8 - bits) for v in grey[y * 9 : y * 9 + 9]], bits) for y in range(5)]
        files[f"l{bits}"] = png(9, 5, bits, 0, rows)
    wide = {0: 1, 2: 3, 4: 2, 6: 4}
    for colour, samples in wide.items():
        rows = [noise(7 * samples * 2, 5 + y) for y in range(6)]
        if colour == 0:  # low values too: 16-bit grey is clipped
            rows[0] = struct.pack(">7H", 0, 1, 127, 255, 256, 257, 65535)
            rows[1] = struct.pack(">7H", 10, 20, 30, 200, 254, 300, 512)
        files[f"16bit-{colour}"] = png(7, 6, 16, colour, rows)
    transparent = (b"tRNS", struct.pack(">HHH", 230, 40, 60))
    files["rgb-trns"] = png(8, 2, 8, 2, [noise(24, 1), noise(24, 2)], [transparent])
    palette = (b"PLTE", bytes([10, 20, 30, 40, 50, 60]))
    files["index-past-palette"] = png(4, 1, 8, 3, [bytes([0, 1, 2, 200])], [palette])
    grain = noise(13 * 11 * 3, 9)
    at = lambda x, y: tuple(grain[(y * 13 + x) * 3 :][:3])
    files["interlaced-rgb"] = png(13, 11, 8, 2, adam7(13, 11, 8, 3, at), interlace=1)
    one = lambda x, y: (grain[y * 13 + x] >> 7,)
    files["interlaced-1"] = png(13, 11, 1, 0, adam7(13, 11, 1, 1, one), interlace=1)
    colours = (b"PLTE", noise(48, 4))
    four = lambda x, y: (grain[y * 13 + x] >> 4,)
    files["interlaced-p4"] = png(13, 11, 4, 3, adam7(13, 11, 4, 1, four), [colours], interlace=1)
    return {f"png-{name}.png": data for name, data in files.items()}


def jpeg_files():
    image = drawn(61, 45)
    files = {}
    for name, factor in (("444", 0), ("422", 1), ("420", 2)):
        files[name] = encoded(image, "JPEG", quality=80, subsampling=factor)
        files[f"{name}-progressive"] = encoded(image, "JPEG", quality=60, subsampling=factor, progressive=True)
    for width, height in ((1, 1), (1, 17), (17, 1), (2, 3), (16, 16), (33, 7)):
        files[f"{width}x{height}"] = encoded(drawn(width, height), "JPEG", quality=90)
    files["q1"] = encoded(image, "JPEG", quality=1)
    files["q100"] = encoded(drawn(24, 20), "JPEG", quality=100)
    files["l"] = encoded(image.convert("L"), "JPEG")
    files["l-progressive"] = encoded(image.convert("L"), "JPEG", progressive=True)
    files["rgb-stored"] = encoded(drawn(24, 20), "JPEG", keep_rgb=True)
    files["restart"] = encoded(image, "JPEG", restart_marker_rows=1)
    inks = Image.merge("CMYK", (*drawn(24, 20).split(), drawn(24, 20, 2).getchannel(2)))
    files["cmyk"] = encoded(inks, "JPEG", quality=85)
    files["cmyk-progressive"] = encoded(inks, "JPEG", quality=85, progressive=True)
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[0x0112] = orientation
        files[f"orientation-{orientation}"] = encoded(drawn(9, 6), "JPEG", exif=exif)
    whole = files["444"]
    files["trailing-bytes"] = whole + b"more bytes behind the end"
    files["stray-bytes-in-header"] = whole[:20] + b"\1\2\3" + whole[20:]
    return {f"jpeg-{name}.jpg": data for name, data in files.items()}


def webp_files():
    image = drawn(37, 29)
    faded = Image.merge("RGBA", (*image.split(), drawn(37, 29, 2).getchannel(0)))
    files = {
        "lossless": encoded(image, "WEBP", lossless=True),
        "lossless-alpha": encoded(faded, "WEBP", lossless=True, exact=True),
        "lossy": encoded(image, "WEBP", quality=70),
        "lossy-q10": encoded(image, "WEBP", quality=10),
        "lossy-q100": encoded(image, "WEBP", quality=100, method=6),
        "lossy-alpha": encoded(faded, "WEBP", quality=80),
        "1x1": encoded(drawn(1, 1), "WEBP"),
        "animated": encoded(
            drawn(16, 12), "WEBP", save_all=True, append_images=[drawn(16, 12, 5)], lossless=True
        ),
    }
    return {f"webp-{name}.webp": data for name, data in files.items()}


def gif_files():
    image = drawn(21, 15)
    colours = image.quantize(16)
    plain = encoded(colours, "GIF")
    wider = bytearray(plain)
    wider[6:10] = struct.pack("<HH", 30, 20)  # a canvas larger than the frame
    narrower = bytearray(plain)
    narrower[6:10] = struct.pack("<HH", 8, 8)
    files = {
        "p": plain,
        "l": encoded(image.convert("L"), "GIF"),
        "transparent": encoded(colours, "GIF", transparency=3),
        "interlaced": encoded(colours, "GIF", interlace=True),
        "not-interlaced": encoded(colours, "GIF", interlace=False),
        "animated": encoded(
            colours, "GIF", save_all=True, append_images=[drawn(21, 15, 7).quantize(16)], duration=50
        ),
        "canvas-wider": bytes(wider),
        "canvas-narrower": bytes(narrower),
        "1x1": encoded(drawn(1, 1).quantize(2), "GIF"),
    }
    return {f"gif-{name}.gif": data for name, data in files.items()}


def bmp(width, height, bits, compression, palette, pixels, masks=b""):
    at = 54 + len(palette) + len(masks)
    head = b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 0, 0, len(palette) // 4, 0)
    return head + info + masks + palette + pixels


def bmp_files():
    image = drawn(13, 9)
    palette = noise(16 * 4, 8)
    run = bytes([5, 1, 8, 2, 0, 0, 0, 5, 3, 4, 5, 6, 7, 0, 8, 9, 0, 0, 13, 10, 0, 1])
    run4 = bytes([5, 0x12, 8, 0x34, 0, 0, 0, 6, 0x56, 0x78, 0x90, 0, 7, 0xAB, 0, 0, 13, 0xCD, 0, 1])
    five, six = noise(14 * 2 * 9, 6), noise(14 * 2 * 9, 7)
    files = {
        "rgb": encoded(image, "BMP"),
        "l": encoded(image.convert("L"), "BMP"),
        "1": encoded(image.convert("1"), "BMP"),
        "p": encoded(image.quantize(200), "BMP"),
        "rgba": encoded(Image.merge("RGBA", (*image.split(), image.getchannel(0))), "BMP"),
        "top-down": bmp(3, -2, 24, 0, b"", noise(24, 3)),
        "p4": bmp(13, 2, 4, 0, palette, noise(16, 2)),
        "rle8": bmp(13, 3, 8, 1, palette, run),
        "rle4": bmp(13, 3, 4, 2, palette, run4),
        "555": bmp(13, 9, 16, 0, b"", five),
        "565": bmp(13, 9, 16, 3, b"", six, struct.pack("<III", 0xF800, 0x7E0, 0x1F)),
        "x888": bmp(5, 3, 32, 0, b"", noise(60, 4)),
        "masks": bmp(5, 3, 32, 3, b"", noise(60, 5), struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00)),
    }
    return {f"bmp-{name}.bmp": data for name, data in files.items()}


def tiff_files():
    image = drawn(19, 11)
    grey16 = Image.frombytes("I;16", (6, 4), struct.pack("<12H", 0, 1, 255, 256, 300, 65535, 7, 77, 177, 254, 1000, 2) + noise(24, 1))
    inks = Image.merge("CMYK", (*image.split(), image.getchannel(1)))
    float32 = Image.frombytes("F", (3, 2), struct.pack("<6f", -3.0, 0.4, 1.6, 200.9, 255.5, 1e9))
    files = {
        "rgb": encoded(image, "TIFF"),
        "rgb-lzw": encoded(image, "TIFF", compression="tiff_lzw"),
        "rgb-deflate": encoded(image, "TIFF", compression="tiff_adobe_deflate"),
        "rgb-packbits": encoded(image, "TIFF", compression="packbits"),
        "rgb-predictor": encoded(image, "TIFF", compression="tiff_lzw", tiffinfo={317: 2}),
        "rgba": encoded(Image.merge("RGBA", (*image.split(), image.getchannel(0))), "TIFF"),
        "l": encoded(image.convert("L"), "TIFF"),
        "1": encoded(image.convert("1"), "TIFF"),
        "1-group4": encoded(image.convert("1"), "TIFF", compression="group4"),
        "p": encoded(image.quantize(100), "TIFF"),
        "la": encoded(Image.merge("LA", (image.getchannel(0), image.getchannel(1))), "TIFF"),
        "cmyk": encoded(inks, "TIFF"),
        "16bit": encoded(grey16, "TIFF"),
        "float": encoded(float32, "TIFF"),
        "two-pages": encoded(image, "TIFF", save_all=True, append_images=[drawn(5, 5)]),
        "big": encoded(image, "TIFF", big_tiff=True),
        "orientation-6": encoded(drawn(9, 6), "TIFF", tiffinfo={274: 6}),
        "orientation-7": encoded(drawn(9, 6), "TIFF", tiffinfo={274: 7}),
    }
    return {f"tiff-{name}.tif": data for name, data in files.items()}


def decoded(files):
    cases = []
    for name, data in sorted(files.items()):
        (OUT / name).write_bytes(data)
        image = Image.open(io.BytesIO(data))
        mode = image.mode
        upright = ImageOps.exif_transpose(image).convert("RGB")
        rgb = Image.open(io.BytesIO(data)).convert("RGB")
        case = {"file": name, "mode": mode, "size": list(rgb.size), "sha256": sha(rgb.tobytes())}
        if upright.tobytes() != rgb.tobytes():
            case["upright"] = {"size": list(upright.size), "sha256": sha(upright.tobytes())}
        if rgb.width * rgb.height <= 12:
            case["raw"] = rgb.tobytes().hex()
        cases.append(case)
    return cases


FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def resized():
    sizes = [
        (1, 1, 1, 1), (1, 1, 5, 3), (1, 50, 7, 7), (50, 1, 7, 7), (2, 2, 3, 3), (3, 2, 2, 3),
        (7, 7, 7, 7), (7, 5, 7, 9), (7, 5, 9, 5), (8, 8, 4, 4), (9, 9, 4, 4), (10, 10, 3, 3),
        (32, 32, 224, 224), (28, 28, 48, 48), (64, 48, 48, 48), (300, 200, 224, 149),
        (200, 300, 149, 224), (500, 3, 20, 20), (3, 500, 20, 20), (1, 300, 1, 20), (300, 1, 20, 1),
        (97, 61, 33, 101), (61, 97, 101, 33), (257, 255, 256, 256), (640, 427, 336, 224),
        (1000, 2, 64, 64), (2, 1000, 64, 64), (17, 13, 1, 1), (255, 255, 16, 16), (5, 4, 300, 250),
    ]
    cases = []
    for number, (w, h, to_w, to_h) in enumerate(sizes):
        image = noisy(w, h, number)
        for name, kind in FILTERS.items():
            pixels = image.resize((to_w, to_h), kind).tobytes()
            case = {"from": [w, h], "seed": number, "to": [to_w, to_h], "filter": name, "sha256": sha(pixels)}
            if len(pixels) <= 48:
                case["raw"] = pixels.hex()
            cases.append(case)
    for x, y, w, h in ((3, 5, 40, 30), (0, 0, 1, 1), (90, 0, 10, 80), (17, 29, 60, 7)):
        image = noisy(100, 80, 77).crop((x, y, x + w, y + h))
        for name, kind in FILTERS.items():
            pixels = image.resize((32, 32), kind).tobytes()
            cases.append({"from": [100, 80], "seed": 77, "crop": [x, y, w, h], "to": [32, 32], "filter": name, "sha256": sha(pixels)})
    # both extremes in one picture: sums that leave 0..=255 on either side
    cells = bytes(255 * ((x // 3 + y // 2) % 2) for y in range(40) for x in range(60) for _ in range(3))
    image = Image.frombytes("RGB", (60, 40), cells)
    for name, kind in FILTERS.items():
        for to in ((33, 21), (90, 70), (8, 8)):
            pixels = image.resize(to, kind).tobytes()
            cases.append({"checkers": [60, 40], "to": list(to), "filter": name, "sha256": sha(pixels)})
    return cases


def view(image, n, mode, kind, fill):
    """torchvision's Resize and CenterCrop, OpenCLIP's longest side, on a PIL image."""
    w, h = image.size
    if mode == "squash":
        return image.resize((n, n), kind)
    if mode == "shortest":
        size = (n, int(n * h / w)) if w <= h else (int(n * w / h), n)
    else:
        ratio = max(h / n, w / n)
        size = (max(1, round(w / ratio)), max(1, round(h / ratio)))
    image = image if size == (w, h) else image.resize(size, kind)
    w, h = image.size
    canvas = Image.new("RGB", (max(w, n), max(h, n)), (fill,) * 3)
    canvas.paste(image, ((n - w) // 2 if n > w else 0, (n - h) // 2 if n > h else 0))
    w, h = canvas.size
    left, top = int(round((w - n) / 2.0)), int(round((h - n) / 2.0))
    return canvas.crop((left, top, left + n, top + n))


def views():
    mean = [0.48145466, 0.4578275, 0.40821073]
    std = [0.26862954, 0.26130258, 0.27577711]
    single = lambda v: struct.unpack("<f", struct.pack("<f", v))[0]
    tables = []
    for m, s in zip(map(single, mean), map(single, std)):
        # f32 rounding after each operation; an f64 quotient or difference of f32 rounds the same
        tables.append([struct.pack("<f", single(single(single(x) / 255.0) - m) / s) for x in range(256)])
    cases = []
    sizes = [(500, 375), (375, 500), (224, 224), (225, 224), (227, 300), (32, 32), (1, 400), (640, 9), (33, 47)]
    for number, (w, h) in enumerate(sizes):
        image = noisy(w, h, 100 + number)
        for mode in ("shortest", "squash", "longest"):
            for name, kind in FILTERS.items():
                n = (224, 48, 63)[number % 3]
                pixels = view(image, n, mode, kind, 7).tobytes()
                tensor = b"".join(tables[c][v] for c in range(3) for v in pixels[c::3])
                cases.append({
                    "from": [w, h], "seed": 100 + number, "n": n, "resize": mode, "filter": name, "fill": 7,
                    "pixels": sha(pixels), "tensor": sha(tensor),
                })
    return cases


def main():
    OUT.mkdir(exist_ok=True)
    for old in OUT.iterdir():
        old.unlink()
    files = {}
    for part in (png_files, jpeg_files, webp_files, gif_files, bmp_files, tiff_files):
        files.update(part())
    index = {"pillow": PIL.__version__, "decode": decoded(files), "resize": resized(), "views": views()}
    lines = [f'"pillow": {json.dumps(index["pillow"])}']
    for part in ("decode", "resize", "views"):
        rows = ",\n".join("  " + json.dumps(case) for case in index[part])
        lines.append(f'"{part}": [\n{rows}\n]')
    (OUT / "index.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(len(files), "files,", sum(p.stat().st_size for p in OUT.iterdir()), "bytes")


if __name__ == "__main__":
    main()
