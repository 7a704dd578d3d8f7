"""Every mode, compression and flag of the image formats, judged by Pillow.

    python -m pip install pillow numpy
    cargo build --release -p vlpt-data --example decode_all
    python bench/preprocess/formats.py target/release/examples/decode_all

Writes some hundred tiny files (all drawn here), decodes each with Pillow and with the program, and counts: equal
pixels, refused by both, refused by the program alone (the message must name the feature), refused by Pillow alone,
and different pixels, which must not happen. For the test `crates/vlpt-data/tests/formats.rs` smaller files are packed with
the beginnings of Pillow's hashes:

    python bench/preprocess/formats.py --size 13x8 --golden crates/vlpt-data/tests/golden/formats.zip
"""

import argparse
import collections
import hashlib
import io
import json
import struct
import subprocess
import sys
import tempfile
import warnings
import zipfile
import zlib
from pathlib import Path

import PIL
from PIL import Image

warnings.simplefilter("ignore")
WIDTH, HEIGHT = 21, 10


def noise(count, seed):
    state, out = seed * 7919 + 1, bytearray()
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out.append(state >> 24)
    return bytes(out)


# ---------------------------------------------------------------- TIFF

def packbits(data):
    out = bytearray()
    for i in range(0, len(data), 100):
        part = data[i : i + 100]
        out += bytes([len(part) - 1]) + part
    return bytes(out)


def lzw(data):
    """TIFF's LZW with a clear code so often that codes stay at nine bits."""
    bits = ""
    for i in range(0, len(data), 200):
        bits += format(256, "09b") + "".join(format(b, "09b") for b in data[i : i + 200])
    bits += format(257, "09b")
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i : i + 8], 2) for i in range(0, len(bits), 8))


REVERSED = bytes(int(format(i, "08b")[::-1], 2) for i in range(256))
PACK = {1: lambda d: d, 5: lzw, 8: lambda d: zlib.compress(d, 9), 32773: packbits, 32946: lambda d: zlib.compress(d, 9)}


def predict(data, width, samples, bits, order):
    """Horizontal differences."""
    size = bits // 8
    row = width * samples * size
    out = bytearray()
    kind = {1: "B", 2: "H", 4: "I"}[size]
    for start in range(0, len(data), row):
        line = data[start : start + row]
        values = list(struct.unpack(f"{order}{len(line) // size}{kind}", line))
        for i in range(len(values) - 1, samples - 1, -1):
            values[i] = (values[i] - values[i - samples]) % 2**bits
        out += struct.pack(f"{order}{len(values)}{kind}", *values)
    return bytes(out)


def tiff(samples, bits, photometric, *, extra=None, compression=1, predictor=None, planar=False, fill=None, tile=False, big_endian=False, big=False, format=None, colours=None, really_predict=None, seed=1, rows_per_strip=4, pixels=None):
    width, height = WIDTH, HEIGHT
    order = ">" if big_endian else "<"
    pitch = -(-width * samples * bits // 8)
    data = pixels if pixels is not None else noise(pitch * height, seed)
    if format == 3:
        data = struct.pack(f"{order}{width * height}f", *(b * 1.7 - 60 for b in noise(width * height, seed)))
    elif bits in (16, 32) and samples == 1 and pixels is None:
        kind = {(16, 2): "h", (32, 2): "i", (16, 1): "H", (32, 1): "I"}[bits, format or 1]
        values = [(b - 40) * 3 if format == 2 else b * 3 for b in noise(width * height, seed)]
        data = struct.pack(f"{order}{width * height}{kind}", *values)
    size = max(bits // 8, 1)
    if planar:
        planes = [b"".join(data[i : i + size] for i in range(s * size, len(data), samples * size)) for s in range(samples)]
        of_plane = 1
    else:
        planes, of_plane = [data], samples
    apply = (predictor == 2 and compression in (5, 8, 32946)) if really_predict is None else really_predict
    chunks = []
    for plane in planes:
        line = -(-width * of_plane * bits // 8)
        if tile:
            wide, high = 16, 16
            for top in range(0, height, high):
                for left in range(0, width, wide):
                    block = bytearray()
                    for y in range(top, top + high):
                        row = plane[y * line : (y + 1) * line] if y < height else b"\0" * line
                        part = row[left * of_plane * bits // 8 : (left + wide) * of_plane * bits // 8]
                        block += part + b"\0" * (wide * of_plane * bits // 8 - len(part))
                    chunks.append((bytes(block), wide))
        else:
            for top in range(0, height, rows_per_strip):
                chunks.append((plane[top * line : min(top + rows_per_strip, height) * line], width))
    coded = []
    for chunk, wide in chunks:
        if apply:
            chunk = predict(chunk, wide, of_plane, bits, order)
        chunk = PACK[compression](chunk)
        coded.append(chunk.translate(REVERSED) if fill == 2 else chunk)
    tags = [(256, 3, [width]), (257, 3, [height]), (258, 3, [bits] * samples), (259, 3, [compression]), (262, 3, [photometric]), (277, 3, [samples])]
    if fill:
        tags.append((266, 3, [fill]))
    tags.append((284, 3, [2 if planar else 1]))
    if predictor:
        tags.append((317, 3, [predictor]))
    if colours is not None:
        tags.append((320, 3, colours))
    if extra is not None:
        tags.append((338, 3, extra))
    if format:
        tags.append((339, 3, [format] * samples))
    if tile:
        tags += [(322, 3, [16]), (323, 3, [16]), (324, 4, None), (325, 4, [len(c) for c in coded])]
    else:
        tags += [(273, 4, None), (278, 3, [rows_per_strip]), (279, 4, [len(c) for c in coded])]
    tags.sort()
    word = "Q" if big else "I"
    head = 16 if big else 8
    entry = 20 if big else 12
    at = head
    offsets = []
    for chunk in coded:
        offsets.append(at)
        at += len(chunk) + len(chunk) % 2
    directory = at
    after = directory + (8 if big else 2) + len(tags) * entry + (8 if big else 4)
    body, extra_data = b"", b""
    for tag, kind, values in tags:
        values = offsets if values is None else values
        raw = struct.pack(f"{order}{len(values)}{'H' if kind == 3 else 'I'}", *values)
        room = 8 if big else 4
        if len(raw) > room:
            place = struct.pack(order + word, after + len(extra_data))
            extra_data += raw + b"\0" * (len(raw) % 2)
        else:
            place = raw + b"\0" * (room - len(raw))
        body += struct.pack(f"{order}HH{word}", tag, kind, len(values)) + place
    mark = b"MM" if big_endian else b"II"
    if big:
        start = mark + struct.pack(f"{order}HHHQ", 43, 8, 0, directory)
    else:
        start = mark + struct.pack(f"{order}HI", 42, directory)
    data = b"".join(c + b"\0" * (len(c) % 2) for c in coded)
    count = struct.pack(order + ("Q" if big else "H"), len(tags))
    return start + data + count + body + struct.pack(order + word, 0) + extra_data


def tiff_modes():
    """Name, samples, bits, photometric, options."""
    for bits in (1, 2, 4, 8):
        for photometric in (0, 1):
            yield f"l{bits}-{photometric}", 1, bits, photometric, {}
        colours = [v * 257 for v in noise(3 * 2**bits, 5)]
        yield f"p{bits}", 1, bits, 3, {"colours": colours}
    colours = [v * 257 for v in noise(768, 5)]
    yield "pa", 2, 8, 3, {"colours": colours, "extra": [2]}
    yield "px", 2, 8, 3, {"colours": colours, "extra": [0]}
    yield "la", 2, 8, 1, {"extra": [2]}
    yield "la-unnamed", 2, 8, 1, {}
    yield "lx", 2, 8, 1, {"extra": [0]}
    yield "l-multiplied", 2, 8, 1, {"extra": [1]}
    yield "i16-0", 1, 16, 0, {}
    yield "i16", 1, 16, 1, {}
    yield "i16-signed", 1, 16, 1, {"format": 2}
    yield "i8-signed", 1, 8, 1, {"format": 2}
    yield "i32", 1, 32, 1, {}
    yield "i32-signed", 1, 32, 1, {"format": 2}
    yield "f32", 1, 32, 1, {"format": 3}
    yield "f32-0", 1, 32, 0, {"format": 3}
    yield "rgb", 3, 8, 2, {}
    yield "rgb16", 3, 16, 2, {}
    for name, extra in (("rgba", [2]), ("rgbx", [0]), ("rgb-multiplied", [1]), ("rgba-unnamed", None), ("rgb999", [999])):
        yield name, 4, 8, 2, {"extra": extra}
        yield f"{name}16", 4, 16, 2, {"extra": extra}
    yield "rgbxx", 5, 8, 2, {"extra": [0, 0]}
    yield "rgbax", 5, 8, 2, {"extra": [2, 0]}
    yield "rgb-multiplied-x", 5, 8, 2, {"extra": [1, 0]}
    yield "rgbxxx", 6, 8, 2, {"extra": [0, 0, 0]}
    yield "cmyk", 4, 8, 5, {}
    yield "cmyk16", 4, 16, 5, {}
    yield "cmykx", 5, 8, 5, {"extra": [0]}
    yield "cmyka", 5, 8, 5, {"extra": [2]}
    yield "ycbcr", 3, 8, 6, {}
    yield "lab", 3, 8, 8, {}
    yield "l-ycbcr", 1, 8, 6, {}


def tiff_files():
    for name, samples, bits, photometric, options in tiff_modes():
        make = lambda **more: tiff(samples, bits, photometric, **options, **more)
        for compression in PACK:
            for big_endian in (False, True):
                end = "mm" if big_endian else "ii"
                yield f"{name}-{compression}-{end}", make(compression=compression, big_endian=big_endian)
        for compression in (1, 5, 8, 32773):
            yield f"{name}-{compression}-fill2", make(compression=compression, fill=2)
            if bits >= 8:
                yield f"{name}-{compression}-tiles", make(compression=compression, tile=True)
            if bits >= 8 and options.get("format") != 3:
                yield f"{name}-{compression}-predictor", make(compression=compression, predictor=2)
                yield f"{name}-{compression}-predictor-tiles", make(compression=compression, predictor=2, tile=True)
            if samples > 1:
                yield f"{name}-{compression}-planes", make(compression=compression, planar=True)
                yield f"{name}-{compression}-planes-tiles", make(compression=compression, planar=True, tile=True)
                if bits == 8:
                    yield f"{name}-{compression}-planes-predictor", make(compression=compression, planar=True, predictor=2)
        yield f"{name}-big", make(big=True)
        yield f"{name}-big-mm-lzw", make(big=True, big_endian=True, compression=5)
        yield f"{name}-one-strip", make(compression=8, rows_per_strip=HEIGHT)
    image = Image.frombytes("1", (WIDTH, HEIGHT), noise(-(-WIDTH // 8) * HEIGHT, 3))
    for compression in ("group3", "group4", "tiff_ccitt"):
        for photometric in (0, 1):
            buffer = io.BytesIO()
            image.save(buffer, "TIFF", compression=compression, tiffinfo={262: photometric})
            yield f"fax-{compression}-{photometric}", buffer.getvalue()
        buffer = io.BytesIO()
        image.save(buffer, "TIFF", compression=compression, tiffinfo={266: 2})
        yield f"fax-{compression}-fill2", buffer.getvalue()
    for compression in ("jpeg", "lzma"):
        try:
            buffer = io.BytesIO()
            Image.frombytes("RGB", (WIDTH, HEIGHT), noise(WIDTH * HEIGHT * 3, 4)).save(buffer, "TIFF", compression=compression)
            yield f"rgb-{compression}", buffer.getvalue()
        except Exception:
            pass


# ---------------------------------------------------------------- BMP

def bmp(bits, compression, pixels, *, header=40, palette=b"", masks=(), top_down=False, colours=None, gap=0):
    width, height = WIDTH, HEIGHT
    said = len(palette) // 4 if colours is None else colours
    raw_masks = struct.pack(f"<{len(masks)}I", *masks)
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
        palette = b"".join(palette[i : i + 3] for i in range(0, len(palette), 4))
        tail = b""
    else:
        info = struct.pack("<IiiHHIIiiII", header, width, -height if top_down else height, 1, bits, compression, len(pixels), 2835, 2835, said, 0)
        inside = (raw_masks + b"\0" * 100)[: max(header - 40, 0)]
        info += inside
        tail = raw_masks if header == 40 else b""
    at = 14 + len(info) + len(tail) + len(palette) + gap
    head = b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at)
    return head + info + tail + palette + b"\0" * gap + pixels


def bmp_files():
    grey = b"".join(bytes([i, i, i, 0]) for i in range(256))
    for bits in (1, 2, 4, 8, 16, 24, 32):
        pitch = (WIDTH * bits + 31) // 32 * 4
        pixels = noise(pitch * HEIGHT, bits)
        palette = noise(4 << bits, 9) if bits <= 8 else b""
        for header in (12, 16, 40, 41, 48, 52, 56, 60, 64, 100, 108, 120, 124, 128):
            yield f"{bits}-header{header}", bmp(bits, 0, pixels, header=header, palette=palette)
        yield f"{bits}-top-down", bmp(bits, 0, pixels, palette=palette, top_down=True)
        yield f"{bits}-gap", bmp(bits, 0, pixels, palette=palette, gap=6)
        for compression in (1, 2, 3, 4, 5, 6, 11):
            yield f"{bits}-compression{compression}", bmp(bits, compression, pixels, palette=palette)
            yield f"{bits}-compression{compression}-64", bmp(bits, compression, pixels, palette=palette, header=64)
        if bits <= 8:
            yield f"{bits}-few-colours", bmp(bits, 0, pixels, palette=palette[: 4 * max(2, (1 << bits) // 2)])
            yield f"{bits}-grey", bmp(bits, 0, pixels, palette=grey[: 4 << bits])
            yield f"{bits}-black-white", bmp(bits, 0, pixels, palette=bytes([0, 0, 0, 0, 255, 255, 255, 0]))
            yield f"{bits}-many-colours", bmp(bits, 0, pixels, palette=noise(1200, 3))
    sets = {
        16: [(0xF800, 0x7E0, 0x1F), (0x7C00, 0x3E0, 0x1F), (0xF00, 0xF0, 0xF), (0x1F, 0x7E0, 0xF800)],
        24: [(0xFF0000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000)],
        32: [(0xFF0000, 0xFF00, 0xFF), (0xFF000000, 0xFF0000, 0xFF00), (0xFF000000, 0xFF00, 0xFF), (0xFF, 0xFF00, 0xFF0000), (0, 0, 0), (0xFF0000, 0xFF, 0xFF00), (0x3FF00000, 0xFFC00, 0x3FF)],
    }
    for bits, many in sets.items():
        pixels = noise((WIDTH * bits + 31) // 32 * 4 * HEIGHT, bits + 50)
        for number, masks in enumerate(many):
            for header in (40, 52, 56, 108, 124):
                for alpha in (0, 0xFF, 0xFF0000, 0xFF000000):
                    if header in (40, 52) and alpha:
                        continue
                    yield f"{bits}-masks{number}-{header}-{alpha:x}", bmp(bits, 3, pixels, header=header, masks=(*masks, alpha) if header > 52 else masks)
    palette = noise(1024, 8)
    line = lambda seed: b"".join(bytes([3, b]) for b in noise(7, seed)) + b"\0\0"
    full = b"".join(line(y) for y in range(HEIGHT)) + b"\0\1"
    runs = {
        "lines": full,
        "no-line-ends": b"".join(line(y)[:-2] for y in range(HEIGHT)) + b"\0\1",
        "past-row": b"".join(bytes([200, y, 0, 0]) for y in range(HEIGHT)) + b"\0\1",
        "delta": line(1) + bytes([0, 2, 5, 2]) + b"".join(line(y) for y in range(HEIGHT)) + b"\0\1",
        "plain-even": b"".join(bytes([0, 20]) + noise(20, y) + bytes([1, y, 0, 0]) for y in range(HEIGHT)),
        "plain-odd": b"".join(bytes([0, 21]) + noise(22, y) + bytes([0, 0]) for y in range(HEIGHT)) + b"\0\1" * 40,
        "early-end": line(1) + b"\0\1",
        "short": line(1),
    }
    for bits, compression in ((8, 1), (4, 2)):
        for name, pixels in runs.items():
            if bits == 4 and name.startswith("plain"):
                count = 20 if name == "plain-even" else 21
                pixels = b"".join(bytes([0, count]) + noise(10 if count == 20 else 12, y) + (bytes([1, y, 0, 0]) if count == 20 else bytes([0, 0])) for y in range(HEIGHT)) + b"\0\1" * 40
            for colours in (palette[: 4 << bits], grey[: 4 << bits]):
                tint = "grey" if colours is not palette[: 4 << bits] and colours[:4] == b"\0\0\0\0" else "colours"
                yield f"rle{bits}-{name}-{tint}", bmp(bits, compression, pixels, palette=colours)
            yield f"rle{bits}-{name}-gap1", bmp(bits, compression, pixels, palette=palette[: 4 << bits], gap=1)


# ---------------------------------------------------------------- PNM

def pnm_files():
    size = WIDTH * HEIGHT
    for name, kind, channels in (("pgm", "5", 1), ("ppm", "6", 3)):
        for most in (1, 2, 7, 100, 254, 255, 256, 300, 1000, 4095, 65534, 65535, 0, 65536):
            wide = 2 if most > 255 else 1
            values = noise(size * channels * 2, most % 97)
            if wide == 1:
                data = bytes(v * most // 255 for v in values[: size * channels])
            else:
                data = b"".join(struct.pack(">H", (values[2 * i] * 256 + values[2 * i + 1]) * min(most, 65535) // 65535) for i in range(size * channels))
            head = f"P{kind}\n{WIDTH} {HEIGHT}\n{most}\n".encode()
            yield f"{name}-{most}", head + data
            yield f"{name}-{most}-short", head + data[:-1]
            plain = {"5": "2", "6": "3"}[kind]
            if wide == 1:
                words = [str(v) for v in data]
            else:
                words = [str(v) for v in struct.unpack(f">{size * channels}H", data)]
            text = " ".join(words)
            yield f"{name}-plain-{most}", f"P{plain} {WIDTH}\t{HEIGHT}\r\n{most}\n{text}\n".encode()
        over = bytes(min(255, v) for v in noise(size * channels, 3))
        yield f"{name}-over", f"P{kind}\n{WIDTH} {HEIGHT}\n100\n".encode() + over
        yield f"{name}-comments", f"P{kind}\n# made here\n{WIDTH} # wide\n{HEIGHT}#high\n\n2#x\r55\n".encode() + over
        words = "# one\n" + " ".join(f"{v}" for v in over[:5]) + "#two\n " + "\n".join(f"{v}" for v in over[5:])
        yield f"{name}-plain-comments", f"P{plain}\n{WIDTH} {HEIGHT} 255\n{words}".encode()
        yield f"{name}-plain-over", f"P{plain}\n{WIDTH} {HEIGHT} 10\n{' '.join(['11'] * size * channels)}".encode()
        yield f"{name}-plain-negative", f"P{plain}\n{WIDTH} {HEIGHT} 10\n{' '.join(['-1'] * size * channels)}".encode()
        yield f"{name}-plain-short", f"P{plain}\n{WIDTH} {HEIGHT} 10\n1 2 3".encode()
    rows = noise(-(-WIDTH // 8) * HEIGHT, 4)
    yield "pbm", f"P4\n{WIDTH} {HEIGHT}\n".encode() + rows
    yield "pbm-short", f"P4\n{WIDTH} {HEIGHT}\n".encode() + rows[:-1]
    bits = "".join(format(b, "08b") for b in noise(size, 5))[:size]
    yield "pbm-plain", f"P1\n{WIDTH} {HEIGHT}\n{bits}\n".encode()
    yield "pbm-plain-spaces", f"P1\n{WIDTH} {HEIGHT}\n{' '.join(bits)}\n# end\n".encode()
    yield "pbm-plain-comment", f"P1\n{WIDTH} {HEIGHT}\n#0101\n{bits[:9]}# 01\n{bits[9:]}".encode()
    yield "pbm-plain-bad", f"P1\n{WIDTH} {HEIGHT}\n{bits[:-1]}2".encode()
    yield "pam", f"P7\nWIDTH {WIDTH}\nHEIGHT {HEIGHT}\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n".encode() + noise(size * 3, 6)


# ---------------------------------------------------------------- PNG, GIF, WebP, JPEG

def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_files():
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
    for colour, many in channels.items():
        for bits in (1, 2, 4, 8, 16):
            row = -(-WIDTH * many * bits // 8)
            for filtered in range(5):
                data = b"".join(bytes([filtered]) + noise(row, y) for y in range(HEIGHT))
                for transparent in (False, True):
                    extra = b""
                    if colour == 3:
                        extra += chunk(b"PLTE", noise(3 << min(bits, 8), 4))
                    if transparent:
                        extra += chunk(b"tRNS", {0: b"\0\1", 2: b"\0\1\0\2\0\3", 3: b"\0\x80"}.get(colour, b"\0"))
                    if transparent and filtered not in (0, 4):
                        continue
                    header = chunk(b"IHDR", struct.pack(">IIBBBBB", WIDTH, HEIGHT, bits, colour, 0, 0, 0))
                    body = header + extra + chunk(b"IDAT", zlib.compress(data, 9)) + chunk(b"IEND", b"")
                    name = f"c{colour}-{bits}-f{filtered}" + ("-trns" if transparent else "")
                    yield name, b"\x89PNG\r\n\x1a\n" + body


def webp_animation(frames, canvas, alpha):
    body = b""
    for data, x, y, flags in frames:
        image = Image.open(io.BytesIO(data))
        inner = data[12:]
        if inner[:4] == b"VP8X":
            inner = inner[8 + 10 :]
        head = struct.pack("<I", x // 2)[:3] + struct.pack("<I", y // 2)[:3]
        head += struct.pack("<I", image.width - 1)[:3] + struct.pack("<I", image.height - 1)[:3]
        head += struct.pack("<I", 50)[:3] + bytes([flags])
        payload = head + inner
        body += b"ANMF" + struct.pack("<I", len(payload)) + payload
    width, height = canvas
    extended = bytes([(0x10 if alpha else 0) | 2, 0, 0, 0]) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3]
    animation = struct.pack("<IH", 0xFF2080C0, 0)
    body = b"VP8X" + struct.pack("<I", 10) + extended + b"ANIM" + struct.pack("<I", 6) + animation + body
    return b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body


def webp_files():
    rgb = Image.frombytes("RGB", (WIDTH, HEIGHT), noise(WIDTH * HEIGHT * 3, 11))
    rgba = Image.frombytes("RGBA", (WIDTH, HEIGHT), noise(WIDTH * HEIGHT * 4, 12))
    small = rgba.resize((7, 5))

    def saved(image, **options):
        buffer = io.BytesIO()
        image.save(buffer, "WEBP", **options)
        return buffer.getvalue()

    kinds = {"lossless": {"lossless": True, "exact": True}, "lossy": {"quality": 60}}
    for name, options in kinds.items():
        for mode, image in (("rgb", rgb), ("rgba", rgba), ("l", rgb.convert("L"))):
            yield f"{name}-{mode}", saved(image, **options)
        for alpha in (False, True):
            for flags in (0, 1, 2, 3):
                for mode, frame in (("rgb", rgb), ("rgba", rgba)):
                    data = saved(frame, **options)
                    yield f"animated-{name}-{mode}-{flags}-{int(alpha)}", webp_animation([(data, 0, 0, flags), (data, 0, 0, 0)], (WIDTH, HEIGHT), alpha)
                data = saved(small, **options)
                yield f"animated-{name}-part-{flags}-{int(alpha)}", webp_animation([(data, 4, 2, flags)], (WIDTH, HEIGHT), alpha)


def gif_files():
    grey = Image.frombytes("L", (WIDTH, HEIGHT), noise(WIDTH * HEIGHT, 13))
    colours = Image.frombytes("RGB", (WIDTH, HEIGHT), noise(WIDTH * HEIGHT * 3, 14))
    for count in (2, 3, 16, 100, 256):
        for interlace in (False, True):
            for transparent in (None, 1):
                buffer = io.BytesIO()
                options = {} if transparent is None else {"transparency": transparent}
                colours.quantize(count).save(buffer, "GIF", interlace=interlace, **options)
                yield f"p{count}-{int(interlace)}-{transparent}", buffer.getvalue()
    buffer = io.BytesIO()
    grey.save(buffer, "GIF")
    yield "l", buffer.getvalue()


def jpeg_files():
    rgb = Image.frombytes("RGB", (WIDTH, HEIGHT), noise(WIDTH * HEIGHT * 3, 15))
    modes = {"rgb": rgb, "l": rgb.convert("L"), "cmyk": rgb.convert("CMYK")}
    for name, image in modes.items():
        for progressive in (False, True):
            for subsampling in (0, 1, 2) if name == "rgb" else (0,):
                for optimize in (False, True):
                    for quality in (10, 95):
                        buffer = io.BytesIO()
                        image.save(buffer, "JPEG", quality=quality, subsampling=subsampling, progressive=progressive, optimize=optimize)
                        yield f"{name}-{int(progressive)}-{subsampling}-{int(optimize)}-{quality}", buffer.getvalue()


FORMATS = {"tif": tiff_files, "bmp": bmp_files, "pnm": pnm_files, "png": png_files, "webp": webp_files, "gif": gif_files, "jpg": jpeg_files}


def pillow(data):
    """Size and hash, or why not."""
    try:
        image = Image.open(io.BytesIO(data)).convert("RGB")
    except Exception as error:
        return None, f"{type(error).__name__}: {error}"
    return f"{image.width}x{image.height}", hashlib.sha256(image.tobytes()).hexdigest()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", nargs="?")
    parser.add_argument("--golden", type=Path)
    parser.add_argument("--only", help="one of " + ", ".join(FORMATS))
    parser.add_argument("--show", default="different", help="print the files of these outcomes, separated by commas")
    parser.add_argument("--size", default="21x10", help="of the pictures")
    arguments = parser.parse_args()
    global WIDTH, HEIGHT
    WIDTH, HEIGHT = map(int, arguments.size.split("x"))
    files = {}
    for ending, make in FORMATS.items():
        if arguments.only in (None, ending):
            for name, data in make():
                files[f"{ending}-{name}.{ending}"] = data
    judged = {name: pillow(data) for name, data in files.items()}
    if arguments.golden:
        # one member for all files, so that equal bytes of neighbours are packed away
        blob, entries = bytearray(), []
        for name, data in files.items():
            size, sha = judged[name]
            entries.append([name, len(data), size or "", sha[:16] if size else ""])
            blob += data
        index = json.dumps({"pillow": PIL.__version__, "files": entries}, separators=(",", ":")).encode()
        with zipfile.ZipFile(arguments.golden, "w") as golden:
            for name, data in {"index.json": index, "files.bin": bytes(blob)}.items():
                golden.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), data, zipfile.ZIP_DEFLATED, 9)
        print(f"wrote {arguments.golden}: {len(files)} files, {arguments.golden.stat().st_size} bytes")
    if not arguments.program:
        return
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for name, data in files.items():
            path = Path(folder) / name
            path.write_bytes(data)
            paths.append(str(path))
        out = ""
        for i in range(0, len(paths), 500):
            out += subprocess.run([arguments.program, *paths[i : i + 500]], check=True, capture_output=True, text=True).stdout
    counts = collections.defaultdict(collections.Counter)
    shown = arguments.show.split(",")
    for line in out.splitlines():
        path, outcome, size, sha = line.split("\t")
        name = Path(path).name
        want_size, want_sha = judged[name]
        if outcome == "pixels":
            kind = "only here" if want_size is None else "equal" if (size, sha) == (want_size, want_sha) else "different"
        elif want_size is None:
            kind = "both refuse"
        else:
            kind = "Pillow only" if "unsupported" in size else "Pillow only, unnamed"
        counts[name.split("-")[0]][kind] += 1
        if kind.replace(" ", "-") in shown or kind in shown:
            print(f"{kind}: {name}: here {size.split(': ', 1)[-1]}; Pillow {want_size or want_sha}")
    kinds = ["equal", "both refuse", "Pillow only", "Pillow only, unnamed", "only here", "different"]
    print(f"Pillow {PIL.__version__}")
    print("| format | files | " + " | ".join(kinds) + " |")
    for name, count in counts.items():
        print(f"| {name} | {sum(count.values())} | " + " | ".join(str(count[k]) for k in kinds) + " |")
    if any(count["different"] for count in counts.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
