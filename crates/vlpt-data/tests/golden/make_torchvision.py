"""Writes tiny files in the formats that torchvision's data sets leave on disk, and their pixels' hashes.

    python make_torchvision.py        writes torchvision/

Needs NumPy alone (2.4 was used). Pixels are a formula; they go to RGB as torchvision's data sets have them:
CIFAR's rows as three planes of 32 x 32, MNIST's and FER2013's grey as three equal channels.
"""

import gzip
import hashlib
import io
import json
import pathlib
import pickle
import struct

import numpy as np

OUT = pathlib.Path(__file__).parent / "torchvision"


class Python2(pickle._Pickler):
    """Bytes and texts as Python 2's cPickle writes its `str`, as the published CIFAR files have them."""

    dispatch = dict(pickle._Pickler.dispatch)

    def save_str2(self, value):
        raw = value.encode("ascii") if isinstance(value, str) else value
        if len(raw) < 256:
            self.write(b"U" + bytes([len(raw)]) + raw)
        else:
            self.write(b"T" + struct.pack("<I", len(raw)) + raw)
        self.memoize(value)

    dispatch[bytes] = save_str2
    dispatch[str] = save_str2

    def save_global(self, obj, name=None):
        module = "numpy.core.multiarray" if obj.__name__ == "_reconstruct" else obj.__module__
        self.write(b"c" + module.encode() + b"\n" + obj.__name__.encode() + b"\n")
        self.memoize(obj)

    dispatch[type] = save_global
    dispatch[type(len)] = save_global
    dispatch[type(lambda: 0)] = save_global


def pickled_by_python_2(value):
    out = io.BytesIO()
    Python2(out, protocol=2).dump(value)
    return out.getvalue()


def planes(count, add):
    n, c, y, x = np.ogrid[:count, :3, :32, :32]
    return ((x * 7 + y * 13 + c * 50 + n * 31 + add) % 256).astype(np.uint8)


def grey(count, height, width, add):
    n, y, x = np.ogrid[:count, :height, :width]
    return ((x * 11 + y * 5 + n * 17 + add) % 256).astype(np.uint8)


def hashes(rgb):
    return [hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest() for image in rgb]


def idx(array):
    head = struct.pack(">BBBB", 0, 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.tobytes()


def main():
    OUT.mkdir(exist_ok=True)
    index = {}

    names = [b"apple", b"aquarium_fish", b"baby"]
    meta = {b"fine_label_names": names, b"coarse_label_names": [b"fish"]}
    (OUT / "meta").write_bytes(pickled_by_python_2(meta))
    images = planes(2, 3)
    rows = images.reshape(2, 3072)
    batch = {
        b"filenames": [b"a_s_000001.png", b"a_s_000002.png"],
        b"batch_label": b"training batch 1 of 1",
        b"fine_labels": [2, 0],
        b"coarse_labels": [0, 0],
        b"data": rows,
    }
    (OUT / "batch-python-2").write_bytes(pickled_by_python_2(batch))
    for protocol in [2, 3, 4]:
        (OUT / f"batch-protocol-{protocol}").write_bytes(pickle.dumps(batch, protocol=protocol))
    columns = {**batch, b"data": np.asfortranarray(rows)}
    (OUT / "batch-columns").write_bytes(pickled_by_python_2(columns))
    index["cifar"] = hashes(images.transpose(0, 2, 3, 1))

    digits = grey(3, 4, 5, 1)
    (OUT / "images-idx3-ubyte").write_bytes(idx(digits))
    (OUT / "images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(digits), mtime=0))
    labels = np.array([7, 0, 9], np.uint8)
    (OUT / "labels-idx1-ubyte").write_bytes(idx(labels))
    (OUT / "labels-idx1-ubyte.gz").write_bytes(gzip.compress(idx(labels), mtime=0))
    index["idx"] = hashes(np.stack([digits] * 3, axis=-1))

    faces = grey(2, 48, 48, 2)
    lines = ["emotion,pixels,Usage"]
    for face, (emotion, usage) in zip(faces, [(3, "Training"), (6, "PrivateTest")]):
        lines.append(f"{emotion},{' '.join(str(value) for value in face.ravel())},{usage}")
    (OUT / "fer2013.csv").write_text("\n".join(lines) + "\n")
    index["fer2013"] = hashes(np.stack([faces] * 3, axis=-1))

    (OUT / "index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()
