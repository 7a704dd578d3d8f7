"""Images with class names out of Parquet parts, their views, and captions made from the names."""

import io
import json
import pathlib

import numpy as np
import pyarrow.parquet as pq
import torch
import torch.nn.functional as F
from PIL import Image

SIDE = 64
HELD_OUT = 2000
TEMPLATES = [
    "a photo of a {}.",
    "a {}.",
    "a photo of the {}.",
    "a photo of {}.",
    "a blurry photo of a {}.",
    "a low resolution photo of a {}.",
    "a close-up photo of a {}.",
    "an image of a {}.",
    "{}",
    "the {}",
    "a cropped photo of a {}.",
    "a centered satellite photo of {}.",
    "a photo of the small {}.",
    "a photo of the large {}.",
    "a bad photo of a {}.",
    "a good photo of a {}.",
    "a drawing of a {}.",
    "a picture of a {}.",
    "a pixelated photo of a {}.",
    "{} texture.",
]


def decode(folder, cache):
    """Writes all images as bytes into `cache` once: a memory map costs a step nothing to read."""
    folder, cache = pathlib.Path(folder), pathlib.Path(cache)
    parts = sorted(folder.glob("*.parquet"))
    if not parts:
        raise SystemExit(f"no .parquet file in {folder}")
    count = sum(pq.ParquetFile(part).metadata.num_rows for part in parts)
    images = np.memmap(cache / "images.part", np.uint8, "w+", shape=(count, SIDE, SIDE, 3))
    labels = []
    for part in parts:
        for batch in pq.ParquetFile(part).iter_batches(batch_size=2048):
            for row in batch.to_pylist():
                image = Image.open(io.BytesIO(row["image"]["bytes"])).convert("RGB")
                if image.size != (SIDE, SIDE):
                    image = image.resize((SIDE, SIDE), Image.BICUBIC)
                images[len(labels)] = np.asarray(image)
                labels.append(row["label"])
        print(f"{part.name}: {len(labels)} images", flush=True)
    images.flush()
    np.save(cache / "labels.npy", np.array(labels))
    (cache / "images.part").rename(cache / "images.u8")


def load(folder, cache):
    """All images as `n x side x side x 3` bytes, their labels, and the names of each label."""
    folder, cache = pathlib.Path(folder), pathlib.Path(cache)
    cache.mkdir(parents=True, exist_ok=True)
    if not (cache / "images.u8").exists():
        decode(folder, cache)
    labels = np.load(cache / "labels.npy")
    images = np.memmap(cache / "images.u8", np.uint8, "r", shape=(len(labels), SIDE, SIDE, 3))
    return images, labels, names(folder)


def names(folder):
    """The names of each label, the usual one first."""
    entries = json.loads((pathlib.Path(folder) / "classes.json").read_text())
    return [entry["names"] for entry in entries]


def split(labels):
    """The images never trained on, and the rest."""
    shuffled = np.random.RandomState(1).permutation(len(labels))
    return shuffled[:HELD_OUT], shuffled[HELD_OUT:]


def boxes(view, count):
    """What each image shows in a view, as half extents and centre in -1..1: all of it in view 0,
    else a crop. Drawn from the view's number alone, so that teacher and student see the same."""
    if view == 0:
        return np.tile(np.float32([1, 1, 0, 0]), (count, 1))
    uniform = np.random.RandomState(view).uniform
    scale = np.sqrt(uniform(0.35, 1, count))
    ratio = np.sqrt(np.exp(uniform(np.log(0.75), np.log(4 / 3), count)))
    half = np.minimum(np.stack([scale * ratio, scale / ratio], 1), 1)
    return np.concatenate([half, uniform(-1, 1, (count, 2)) * (1 - half)], 1).astype(np.float32)


def crop(images, box, side, mode="bilinear", flip=None):
    """Images of 0..1, cut to their boxes and resized, mirrored where `flip` says."""
    box = torch.as_tensor(box)
    grid = torch.zeros(len(box), 2, 3)
    grid[:, 0, 0], grid[:, 1, 1] = box[:, 0], box[:, 1]
    grid[:, :, 2] = box[:, 2:]
    if flip is not None:
        grid[:, 0, 0] = torch.where(flip, -grid[:, 0, 0], grid[:, 0, 0])
    places = F.affine_grid(grid, (len(box), 3, side, side), align_corners=False)
    cut = F.grid_sample(images, places, mode=mode, padding_mode="reflection", align_corners=False)
    return cut.clamp(0, 1)


def pixels(images, chosen):
    """The chosen images as `n x 3 x side x side` floats of 0..1."""
    return torch.from_numpy(images[chosen]).permute(0, 3, 1, 2).float() / 255


def caption(name, random):
    """A name in one of the templates."""
    return random.choice(TEMPLATES).format(name)
