"""Fifty steps of the two stages of 2SFS on the small random CLIP of make_twins.py: the loss curves that the trainer must give.

    python make_two_stage_twins.py      # writes two_stage.json beside this file

Gains and biases stand in the layer norms themselves, in f64. The first 30 steps train them by AdamW with
weight decay and PyTorch's cosine schedule; the other 20 train one feature for each class, with a new AdamW
and a new schedule, against the image features of the tuned tower. Pixels and initial values are those of
make_twins.py: gains and biases do not start at the model's own.
"""

import json

import torch
import torch.nn.functional as F

import make_twins as twins
from make_twins import (
    BLOCKS, CLASSES, DT, DV, EMBED, HERE, IMAGES, SCALE, STEPS, TEXT_BLOCKS, initial, pixels_of, template,
    text_features, weights,
)

PEAK, FLOOR, DECAY, FIRST = 0.01, 1e-3, 1e-2, 30


def places(norms):
    """The norms' names here by those of the parameters, with their widths."""
    found = {}
    for tower, own, blocks, width in [("text", "text", TEXT_BLOCKS, DT), ("vision", "image", BLOCKS, DV)]:
        for block in range(blocks):
            for i in (1, 2):
                found[f"{tower}_model.encoder.layers.{block}.layer_norm{i}"] = (f"{own}.{block}.ln_{i}", width)
    if norms == "all":
        found["text_model.final_layer_norm"] = ("ln_final", DT)
        found["vision_model.pre_layrnorm"] = ("ln_pre", DV)
        found["vision_model.post_layernorm"] = ("ln_post", DV)
    return {f"{name}.{part}": (f"{place}.{part}", width)
            for name, (place, width) in found.items() for part in ("weight", "bias")}


def curve(norms):
    known = places(norms)
    names = sorted([*known, "class_features"])
    p = {name: initial(name, index, (known[name][1],)).requires_grad_()
         for index, name in enumerate(names) if name in known}
    weights.update({known[name][0]: value for name, value in p.items()})
    pixels = torch.stack([pixels_of(i) for i in range(IMAGES)])
    labels = torch.tensor([i % len(CLASSES) for i in range(IMAGES)])
    texts = [template(name) for name in CLASSES]
    losses = []

    def train(values, steps, logits):
        optimizer = torch.optim.AdamW(values, lr=PEAK, betas=(0.9, 0.999), eps=1e-8, weight_decay=DECAY)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps, eta_min=FLOOR)
        for _ in range(steps):
            loss = F.cross_entropy(logits(), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(round(loss.item(), 7))

    train(list(p.values()), FIRST, lambda: twins.scaled(twins.image_features(pixels), text_features(texts)))
    with torch.no_grad():
        images = twins.image_features(pixels)
        features = F.normalize(text_features(texts), dim=-1)
    features.requires_grad_()
    train([features], STEPS - FIRST, lambda: SCALE * F.normalize(images, dim=-1) @ F.normalize(features, dim=-1).T)
    return losses


if __name__ == "__main__":
    frozen = dict(weights)
    result = {}
    for norms in ("blocks", "all"):
        weights.update(frozen)
        result[norms] = curve(norms)
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(losses)}" for name, losses in result.items())
    (HERE / "two_stage.json").write_text("{\n" + lines + "\n}\n")
    for name, losses in result.items():
        print(name, *losses[::7], losses[-1])
