"""Makes golden/resize_order.json: resizes of Pillow 13, which takes the height first for some shapes.

    python -m pip install pillow==13.0.0
    python crates/vlpt-data/tests/golden/make_resize_order.py

Sources are the noise of make_images.py, or columns of black and white, which show the order best.
"""

import hashlib
import json
from pathlib import Path

import PIL
from PIL import Image

assert int(PIL.__version__.split(".")[0]) >= 13, "needs Pillow 13"
FILTERS = {"bicubic": Image.Resampling.BICUBIC, "bilinear": Image.Resampling.BILINEAR}


def noise(count, seed):
    state, out = seed, bytearray()
    for _ in range(count):
        state = (state * 1664525 + 1013904223) % 2**32
        out.append(state >> 24)
    return bytes(out)


SIZES = [
    (65, 200, 48, 147), (65, 200, 48, 48), (200, 65, 147, 48), (50, 300, 20, 100), (50, 110, 20, 50), (50, 111, 20, 50),
    (50, 109, 20, 50), (20, 100, 40, 50), (20, 100, 40, 100), (20, 40, 40, 60), (3, 500, 20, 20), (1, 300, 1, 20),
    (1, 300, 5, 20), (100, 90, 100, 50), (120, 90, 110, 70), (120, 90, 110, 69), (300, 200, 224, 149), (7, 7, 7, 7),
]
cases = []
for seed, (w, h, to_w, to_h) in enumerate(SIZES):
    for columns in (False, True):
        if columns:
            data = bytes(255 * ((x // 2 + y // 3) % 2) for y in range(h) for x in range(w) for _ in range(3))
        else:
            data = noise(w * h * 3, seed)
        image = Image.frombytes("RGB", (w, h), data)
        for name, kind in FILTERS.items():
            pixels = image.resize((to_w, to_h), kind).tobytes()
            cases.append({"from": [w, h], "to": [to_w, to_h], "columns": columns, "seed": seed, "filter": name, "sha256": hashlib.sha256(pixels).hexdigest()})
path = Path(__file__).parent / "resize_order.json"
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
