"""Eight evaluation sets in the formats that users have. None of them is trained on."""

import io
import json
import pathlib
import tarfile
import zipfile

import numpy as np
import pyarrow.parquet as pq
from PIL import Image

ENDS = {".jpg", ".jpeg", ".png", ".webp", ".cls"}


def picture(content):
    return Image.open(io.BytesIO(content)).convert("RGB")


def prepare(image, side):
    """CLIP's preprocessing: the shorter side to `side`, and the middle square."""
    scale = side / min(image.size)
    width, height = (max(side, round(v * scale)) for v in image.size)
    image = image.resize((width, height), Image.BICUBIC)
    left, top = (width - side) // 2, (height - side) // 2
    return np.asarray(image.crop((left, top, left + side, top + side)))


def coop(folder, images):
    """A folder of images and CoOp's split file."""
    (split,) = folder.glob("split_zhou_*.json")
    parts = json.loads(split.read_text())
    names = {label: name for rows in parts.values() for _, label, name in rows}
    read = lambda rows: [((folder / images / p).read_bytes(), label) for p, label, _ in rows]
    return [names[i] for i in range(len(names))], read(parts["train"]), read(parts["test"])


def elevater(folder, labels):
    """Images in zips, and lines of `zip@path label`."""
    opened = {}

    def read(part):
        for line in (folder / part).read_text().splitlines():
            place, label = line.rsplit(" ", 1)
            archive, path = place.split("@")
            if archive not in opened:
                opened[archive] = zipfile.ZipFile(folder / archive)
            yield opened[archive].read(path), int(label)

    return (folder / labels).read_text().splitlines(), list(read("train.txt")), list(read("test.txt"))


def webdataset(folder):
    def read(part):
        rows = {}
        for path in sorted((folder / part).glob("*.tar")):
            with tarfile.open(path) as archive:
                for member in archive:
                    stem, end = member.name.rsplit(".", 1)
                    rows.setdefault((path.name, stem), {})[end] = archive.extractfile(member).read()
        for row in rows.values():
            label = int(row.pop("cls"))
            yield next(iter(row.values())), label

    return (folder / "classnames.txt").read_text().splitlines(), list(read("train")), list(read("test"))


def parquet(folder):
    def read(part):
        for path in sorted((folder / "data").glob(f"{part}-*.parquet")):
            for row in pq.read_table(path).to_pylist():
                yield row[image]["bytes"], row[label]

    schema = pq.read_schema(next((folder / "data").glob("*.parquet")))
    features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
    image = next(k for k, v in features.items() if v.get("_type") == "Image")
    label = "fine_label" if "fine_label" in features else "label"
    return features[label]["names"], list(read("train")), list(read("test"))


def folders(folder):
    names = sorted(path.name for path in (folder / "train").iterdir())
    read = lambda part: [
        (path.read_bytes(), i) for i, name in enumerate(names) for path in sorted((folder / part / name).iterdir())
    ]
    return names, read("train"), read("test")


def all(root):
    """Name, and a function to class names, training and test images with labels."""
    readers = {
        "CIFAR-100": lambda: parquet(root / "hf/cifar100"),
        "CIFAR-10": lambda: webdataset(root / "wds/wds_cifar10"),
        "EuroSAT": lambda: coop(root / "coop/eurosat", "2750"),
        "MNIST": lambda: elevater(root / "elevater/classification/mnist_20211008", "labels.txt"),
        "GTSRB": lambda: elevater(root / "elevater/classification/gtsrb_20210923", "labelmap.txt"),
        "Caltech-101": lambda: coop(root / "coop/caltech-101", "101_ObjectCategories"),
        "DTD": lambda: coop(root / "coop/dtd", "images"),
        "ImageNet-20": lambda: folders(root / "imagefolder/imagenet20"),
    }
    for name, reader in readers.items():
        yield name, lambda reader=reader: opened(reader)


def opened(reader):
    names, *parts = reader()
    names = [name.replace("_", " ").lower() for name in names]
    return names, *(([picture(c) for c, _ in rows], np.array([label for _, label in rows])) for rows in parts)
