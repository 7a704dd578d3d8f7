"""Images with class names out of Parquet parts, and captions made from the names."""

import io
import json
import pathlib

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

TEMPLATES = [
    "a photo of a {}.",
    "a {}.",
    "a photo of the {}.",
    "a blurry photo of a {}.",
    "a low resolution photo of a {}.",
    "a close-up photo of a {}.",
    "an image of a {}.",
    "{}",
    "a cropped photo of a {}.",
    "a small photo of the {}.",
    "a picture of a {}.",
    "a pixelated photo of a {}.",
]


def load(folder, side):
    """All images as `n x side x side x 3` bytes, their labels, and the names of each label."""
    folder = pathlib.Path(folder)
    parts = sorted(folder.glob("*.parquet"))
    if not parts:
        raise SystemExit(f"no .parquet file in {folder}")
    names = [entry["names"] for entry in json.loads((folder / "classes.json").read_text())]
    images, labels = [], []
    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches(batch_size=2048):
            for row in batch.to_pylist():
                image = Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB")
                if image.size != (side, side):
                    image = image.resize((side, side), Image.BICUBIC)
                images.append(np.asarray(image))
                labels.append(row["label"])
        print(f"{part.name}: {len(images)} images", flush=True)
    return np.stack(images), np.array(labels), names


def caption(names, random):
    """One of a class's names in one of the templates; sometimes only what kind of thing it is."""
    name = random.choice(names)
    words, template = name.split(), random.choice(TEMPLATES)
    if len(words) > 1 and random.random() < 0.3:
        name = f"{name}, a type of {words[-1]}" if random.random() < 0.5 else words[-1]
    return template.format(name)
