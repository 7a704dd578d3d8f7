"""Fifty steps of low-rank updates on the small random CLIP of make_twins.py: the loss curves that the trainer must give.

    python make_clip_lora_twins.py      # writes clip_lora.json beside this file

The updates are written out by their definition, W + alpha / sqrt(rank) B A in place of W, in f64, without
dropout (whose masks are the trainer's own). Steps, pixels and initial values are those of make_twins.py;
the initial B are therefore not zeros, so that the gradients of A are tested from the first step on.
"""

import json
import math

import torch
import torch.nn.functional as F

import make_twins as twins
from make_twins import BLOCKS, CLASSES, DT, DV, HERE, TEXT_BLOCKS, curve, scaled, template, text_features, weights

LAYERS = {
    "q": "self_attn.q_proj", "k": "self_attn.k_proj", "v": "self_attn.v_proj",
    "out": "self_attn.out_proj", "fc1": "mlp.fc1", "fc2": "mlp.fc2",
}


def clip_lora(rank, alpha, layers="q k v", towers="text vision", first=lambda blocks: 0):
    """`first`: of the number of a tower's blocks, how many come before those that are updated."""
    scale, shapes, places = alpha / math.sqrt(rank), {}, []
    sizes = {"text": (TEXT_BLOCKS, DT), "vision": (BLOCKS, DV)}
    for tower in towers.split():
        blocks, width = sizes[tower]
        for block in range(first(blocks), blocks):
            for layer in layers.split():
                inputs = 2 * width if layer == "fc2" else width
                outputs = 2 * width if layer == "fc1" else width
                stem = f"base_model.model.{tower}_model.encoder.layers.{block}.{LAYERS[layer]}"
                a, b = (f"{stem}.lora_{matrix}.weight" for matrix in "AB")
                shapes |= {a: (rank, inputs), b: (outputs, rank)}
                places.append((f"{'text' if tower == 'text' else 'image'}.{block}", layer, width, a, b))

    def forward(p, pixels):
        frozen = dict(weights)
        for block, layer, width, a, b in places:
            update = scale * p[b] @ p[a]
            if layer in "qkv":
                name, row = f"{block}.qkv.weight", "qkv".index(layer) * width
                update = F.pad(update, (0, 0, row, 2 * width - row))
            else:
                name = f"{block}.{layer}.weight"
            weights[name] = weights[name] + update
        logits = scaled(twins.image_features(pixels), text_features([template(name) for name in CLASSES]))
        weights.update(frozen)
        return logits

    return shapes, forward


CASES = {
    "clip-lora": (clip_lora(2, 1), "adamw", 0.002),
    "clip-lora-all-layers-half-up": (
        clip_lora(3, 2, layers="q k v out fc1 fc2", first=lambda blocks: blocks // 2), "adamw", 0.002),
    "clip-lora-text": (clip_lora(2, 1, towers="text"), "sgd", 0.02),
    "clip-lora-vision": (clip_lora(2, 1, towers="vision"), "sgd", 0.02),
}

if __name__ == "__main__":
    result = {name: curve(*case) for name, case in CASES.items()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(losses)}" for name, losses in result.items())
    (HERE / "clip_lora.json").write_text("{\n" + lines + "\n}\n")
    for name, losses in result.items():
        print(name, *losses[::7], losses[-1])
