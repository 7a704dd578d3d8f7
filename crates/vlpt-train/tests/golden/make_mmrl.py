"""Fifty steps of MMRL and MMRL++ on the small random CLIP of make_twins.py in PyTorch.

    python make_mmrl.py        # writes mmrl.json beside this file

The curves are those of the whole loss. As in make_twins.py everything is f64 and written out by its
definition: rows are inserted behind the start token and the class token in padded texts and in images
before the first block with rows, and written over, or mixed with what came out, before each one after it.
"""

import json
import math

import torch
import torch.nn.functional as F

from make_twins import (
    BLOCKS, CLASSES, CONTEXT, DECAY, DT, DV, EMBED, HEADS, HERE, IMAGES, MOMENTUM, PATCH, SCALE, STEPS, TEXT_BLOCKS,
    TEXT_HEADS, WARMUP, block, image_features, initial, norm, pixels_of, template, text_features, weights,
)

K, WIDTH = 3, 10


def through(x, name, blocks, heads, rows, beta, mask=0):
    """Blocks of a tower, rows entering behind the first token of the last len(rows) blocks."""
    first = blocks - len(rows)
    for i in range(blocks):
        if i >= first:
            own = rows[i - first].expand(len(x), -1, -1)
            if i == first:
                x = torch.cat([x[:, :1], own, x[:, 1:]], 1)
            else:
                x = torch.cat([x[:, :1], beta * own + (1 - beta) * x[:, 1 : 1 + K], x[:, 1 + K :]], 1)
        size = x.shape[1]
        x = block(x, f"{name}.{i}", heads, mask if isinstance(mask, int) else mask[:size, :size])
    return x


def tuned_texts(rows, beta):
    texts = [template(name) for name in CLASSES]
    ends = [len(text) - 1 + K for text in texts]
    x = torch.stack([F.pad(text, (0, 0, 0, CONTEXT - len(text))) for text in texts]) + weights["text_position"]
    mask = torch.full((CONTEXT + K, CONTEXT + K), -math.inf).triu(1)
    x = through(x, "text", TEXT_BLOCKS, TEXT_HEADS, rows, beta, mask)
    return norm(x, "ln_final")[torch.arange(len(x)), ends] @ weights["text_projection"]


def tuned_images(pixels, rows, projection, beta):
    x = F.conv2d(pixels, weights["patch"], stride=PATCH).flatten(2).transpose(1, 2)
    x = torch.cat([weights["class"].expand(len(x), 1, -1), x], 1) + weights["image_position"]
    x = through(norm(x, "ln_pre"), "image", BLOCKS, HEADS, rows, beta)
    own = norm(x[:, 0], "ln_post") @ weights["image_projection"]
    return own, norm(x[:, 1 : 1 + K], "ln_post").mean(1) @ projection


def mmrl(text_blocks, image_blocks):
    shapes = {"tokens": (K, WIDTH), "row_projection": (DV, EMBED)}
    for side, blocks, width in (("text", text_blocks, DT), ("visual", image_blocks, DV)):
        for i in range(blocks):
            shapes[f"{side}_projections.{i}.weight"] = (width, WIDTH)
            shapes[f"{side}_projections.{i}.bias"] = (width,)

    def parts(p):
        of = lambda side, blocks: [
            F.linear(p["tokens"], p[f"{side}_projections.{i}.weight"], p[f"{side}_projections.{i}.bias"])
            for i in range(blocks)]
        return of("text", text_blocks), of("visual", image_blocks), p["row_projection"]

    return shapes, parts


def mmrl_plus(text_blocks, image_blocks, rank, projection_rank):
    shapes = {"tokens": (K, WIDTH), "row_projection.a": (DV, projection_rank), "row_projection.b": (projection_rank, EMBED)}
    for side, blocks, width in (("text", text_blocks, DT), ("visual", image_blocks, DV)):
        shapes[f"{side}_projection.weight"] = (width, WIDTH)
        for i in range(blocks):
            shapes[f"{side}_projection.{i}.a"] = (width, rank)
            shapes[f"{side}_projection.{i}.b"] = (rank, WIDTH)
            shapes[f"{side}_projection.{i}.bias"] = (width,)

    def parts(p):
        def of(side, blocks):
            own = lambda i, part: p[f"{side}_projection.{i}.{part}"]
            return [
                F.linear(p["tokens"], p[f"{side}_projection.weight"] + own(i, "a") @ own(i, "b"), own(i, "bias"))
                for i in range(blocks)]

        projection = weights["image_projection"] + p["row_projection.a"] @ p["row_projection.b"]
        return of("text", text_blocks), of("visual", image_blocks), projection

    return shapes, parts


def run(method, name, peak, alpha=0.7, weight=0.5, beta=1.0):
    shapes, parts = method
    p = {name: initial(name, i, shapes[name]).requires_grad_() for i, name in enumerate(sorted(shapes))}
    pixels = torch.stack([pixels_of(i) for i in range(IMAGES)])
    labels = torch.tensor([i % len(CLASSES) for i in range(IMAGES)])
    with torch.no_grad():
        frozen_texts = text_features([template(name) for name in CLASSES])
        frozen_images = image_features(pixels)
    values = list(p.values())
    optimizer = {
        "sgd": lambda: torch.optim.SGD(values, lr=peak, momentum=MOMENTUM, weight_decay=DECAY),
        "adamw": lambda: torch.optim.AdamW(values, lr=peak, betas=(0.9, 0.999), eps=1e-8, weight_decay=DECAY),
    }[name]()
    losses = []
    for epoch in range(STEPS):
        cosine = 0.5 * peak * (1 + math.cos(math.pi * (epoch - 1) / STEPS))
        optimizer.param_groups[0]["lr"] = WARMUP if epoch == 0 else cosine
        text_rows, image_rows, projection = parts(p)
        texts = F.normalize(tuned_texts(text_rows, beta), dim=-1)
        images, rows = tuned_images(pixels, image_rows, projection, beta)
        of = lambda features: F.cross_entropy(SCALE * F.normalize(features, dim=-1) @ texts.T, labels)
        near = lambda a, b: 1 - F.cosine_similarity(a, b, dim=-1).mean()
        loss = alpha * of(images) + (1 - alpha) * of(rows)
        loss = loss + weight * near(images, frozen_images) + weight * near(texts, frozen_texts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 7))
    return losses


if __name__ == "__main__":
    result = {
        "mmrl": run(mmrl(1, 2), "adamw", 0.002),
        "mmrl-one-block": run(mmrl(1, 1), "sgd", 0.02, alpha=0.4, weight=2.0),
        "mmrlpp": run(mmrl_plus(1, 2, 2, 4), "adamw", 0.002, beta=0.6),
        "mmrlpp-replaced": run(mmrl_plus(1, 2, 1, 3), "sgd", 0.02, alpha=0.5, weight=1.0),
    }
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(losses)}" for name, losses in result.items())
    (HERE / "mmrl.json").write_text("{\n" + lines + "\n}\n")
    for name, losses in result.items():
        print(name, *losses[::7], losses[-1])
