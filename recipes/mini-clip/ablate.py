"""What each term of the loss does for names without images, in minutes instead of hours.

python ablate.py --data DIR --cache DIR [--without TERM ...] [--opinion 0]

The image tower is replaced by one linear map of the image teacher's features, 30 classes are left out,
and accuracy is among those 30 by their names: what it shows is the text side's doing alone.
"""

import argparse
import time

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

import batches
import check
import data
import loss
import model
import optimizer
import precision
import vocabulary
from train import MERGES


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True)
    parser.add_argument("--cache", required=True)
    parser.add_argument("--steps", type=int, default=150)
    parser.add_argument("--without", nargs="*", default=[], choices=loss.WEIGHTS)
    parser.add_argument("--opinion", type=float, default=loss.OPINION)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


@torch.no_grad()
def unseen(clip, bridge, tokenizer, source, classes):
    """Top-1 among the left-out classes on the whole images that the teacher has seen."""
    chosen = np.flatnonzero(np.isin(source.labels, classes) & source.ready[:, 0])
    rows = torch.from_numpy(source.features[0][chosen].astype(np.float32))
    images = F.normalize(bridge((rows - source.mean) @ source.basis), dim=-1)
    texts, _ = clip.texts(*tokenizer.batch([f"a photo of a {source.names[c][0]}." for c in classes]))
    guess = np.array(classes)[(images @ texts.T).argmax(1).numpy()]
    return (guess == source.labels[chosen]).mean(), len(chosen)


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    torch.manual_seed(0)
    loss.OPINION = args.opinion
    weights = {n: 0 if n in [*args.without, "feature", "relation"] else w for n, w in loss.WEIGHTS.items()}
    classes = check.left_out(30, data.names(args.data))
    source = batches.Source(args.data, args.cache, 128, 0, classes)
    vocabulary.write(MERGES, args.cache, 8192)
    tokenizer = vocabulary.Tokenizer(args.cache)
    clip = model.Clip(tokenizer.size, batches.COMPONENTS, source.concept_text.shape[1])
    del clip.vision_model, clip.visual_projection, clip.image_head
    clip.bridge = nn.Linear(batches.COMPONENTS, model.JOINT, bias=False)
    steps, began = optimizer.Optimizers(clip, 1.5e-3), time.time()
    for step in range(args.steps):
        batch = source.batch(step)
        images = F.normalize(clip.bridge(batch.features), dim=-1)
        with precision.autocast():
            texts = clip.texts(*tokenizer.batch(batch.captions))
        total, _ = loss.total(clip, batch, (images, None), texts, weights)
        total.backward()
        steps.step(optimizer.factor(step, 50, (args.steps * 2 // 3, args.steps)))
    right, count = unseen(clip, clip.bridge, tokenizer, source, classes)
    print(
        f"without {args.without}, opinion {args.opinion}: {100 * right:.1f} % of {count} images, "
        f"{time.time() - began:.0f} s",
        flush=True,
    )


if __name__ == "__main__":
    main()
