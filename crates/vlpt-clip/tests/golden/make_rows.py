"""Writes rows/: learned rows that are mixed with what became of those before, and that make a feature.

    python make_rows.py          (torch, transformers, safetensors; any recent versions)

The models, the blocks and the form of the files are those of make_adaptations.py. A feature of an image
is the class token's and, behind it, that of the mean of the learned rows after the last block.
"""

import json

import torch
from safetensors.torch import save_file
from transformers import CLIPModel

from make_adaptations import HERE, leaf, low_rank, run_image, run_text, scale_shift, texts, write_case

ROWS, IMAGES = 3, 3


def text_cases(config):
    depth, width = config.num_hidden_layers, config.hidden_size
    sizes, found = (width, config.intermediate_size), {}
    for first in range(depth):
        blocks = depth - first
        if blocks > 1:
            found[f"mixed.{first}"] = dict(first=first, carry=0.3, values=leaf(blocks, ROWS, width, size=0.6))
    if depth > 2:
        found["mixed.early"] = dict(first=0, carry=0.6, values=leaf(2, ROWS, width, size=0.6))
        updates = [u for l in range(depth) for u in low_rank(sizes, l, ["Q", "V", "Fc2"])]
        found["mixed.updated"] = dict(
            first=1, carry=0.3, values=leaf(depth - 1, ROWS, width, size=0.6), updates=updates)
    return found


def image_cases(config, embed):
    depth, width = config.num_hidden_layers, config.hidden_size
    sizes, found = (width, config.intermediate_size), {}
    projection = lambda: leaf(width, embed, size=0.3)
    for first in range(depth):
        for blocks in sorted({1, depth - first}):
            values = leaf(blocks, ROWS, width, size=0.6)
            found[f"pooled.{first}.{blocks}"] = dict(first=first, values=values, row_projection=projection())
        if depth - first > 1:
            rows = lambda: dict(first=first, values=leaf(depth - first, ROWS, width, size=0.6))
            found[f"mixed.{first}"] = rows() | dict(carry=0.3)
            found[f"mixed.pooled.{first}"] = rows() | dict(carry=0.3, row_projection=projection())
    values = leaf(depth, ROWS, width, size=0.6)
    found["pooled.before"] = dict(values=values, before=True, row_projection=projection())
    updates = [u for l in range(depth) for u in low_rank(sizes, l, ["K", "V", "Fc1"])]
    updates += list(scale_shift(sizes, depth, ["LnFinal", "LnFinal"]))
    values = leaf(depth, ROWS, width, size=0.6)
    found["pooled.updated"] = dict(
        values=values, updates=updates, projection=projection(), row_projection=projection())
    values = leaf(IMAGES, depth, ROWS, width, size=0.6)
    found["pooled.own"] = dict(values=values, per_image=True, row_projection=projection())
    if depth > 1:
        values = leaf(IMAGES, depth - 1, ROWS, width, size=0.6)
        found["mixed.own"] = dict(
            first=1, values=values, per_image=True, carry=0.3, row_projection=projection())
    return found


def main():
    (HERE / "rows").mkdir(exist_ok=True)
    for seed, name in enumerate(["quick-gelu", "gelu", "one-block"]):
        torch.manual_seed(200 + seed)
        model = CLIPModel.from_pretrained(HERE / "towers" / name).eval().requires_grad_(False)
        config = model.config
        size = config.vision_config.image_size
        pixels = torch.randn(IMAGES, 3, size, size)
        numbers, about = {"pixels": pixels}, []
        for case_name, case in text_cases(config.text_config).items():
            case.setdefault("updates", [])
            given = texts(True)
            features = torch.stack([run_text(model, t, case) for t in given])
            one = write_case(f"text.{case_name}", case, features, torch.randn_like(features), numbers)
            about.append(one | dict(texts=given))
        for case_name, case in image_cases(config.vision_config, config.projection_dim).items():
            case.setdefault("updates", [])
            features = torch.stack([run_image(model, p, i, case) for i, p in enumerate(pixels)])
            about.append(write_case(f"image.{case_name}", case, features, torch.randn_like(features), numbers))
        save_file({k: v.contiguous() for k, v in numbers.items()}, HERE / "rows" / f"{name}.safetensors")
        text = ",\n ".join(json.dumps(case) for case in about)
        (HERE / "rows" / f"{name}.json").write_text(f"[{text}]\n")


if __name__ == "__main__":
    main()
