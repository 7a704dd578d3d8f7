"""Zero-shot accuracy on pre-training images held out, of all classes or of classes left out."""

import random

import numpy as np
import torch

import precision

MEAN = torch.tensor([0.48145466, 0.4578275, 0.40821073]).view(1, 3, 1, 1)
STD = torch.tensor([0.26862954, 0.26130258, 0.27577711]).view(1, 3, 1, 1)


def left_out(count, names):
    """Classes to train without: half of them Tiny-ImageNet's, half CIFAR-100's."""
    draw, half = random.Random(7), count // 2
    return sorted(draw.sample(range(200), half) + draw.sample(range(200, len(names)), count - half))


@torch.no_grad()
def accuracy(model, tokenizer, source, classes=None, limit=2000):
    """Top-1 on the held-out images of all classes, or on `limit` images of the given ones."""
    if classes is None:
        classes, chosen = range(len(source.names)), source.held_out
    else:
        chosen = np.flatnonzero(np.isin(source.labels, classes))[:limit]
    right = 0
    with precision.autocast():
        texts, _ = model.texts(*tokenizer.batch([f"a photo of a {source.names[c][0]}." for c in classes]))
        for part in np.array_split(np.sort(chosen), len(chosen) // 250):
            images, _ = model.images((source.pixels(part) - MEAN) / STD)
            guess = np.array(classes)[(images @ texts.T).argmax(1).numpy()]
            right += (guess == source.labels[part]).sum()
    return round(float(right) / len(chosen), 4)
