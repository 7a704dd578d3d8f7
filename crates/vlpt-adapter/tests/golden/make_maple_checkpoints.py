"""Writes checkpoints/maple*.pth.tar: what MaPLe's trainer saves, for a model of towers 16 and 24 wide.

    python make_maple_checkpoints.py     (torch, safetensors, numpy; any recent versions)

The trainer saves the whole model: prompts and buffers behind `prompt_learner.`, then the towers, of
which one tensor stands here. The context and its projection are half precision, the rest is single.
Values are a formula that the test computes too. `maple-extra` has a tensor that MaPLe does not have,
`maple-gap` lacks the prompts of a block.
"""

from collections import OrderedDict
from math import prod

import torch

from make_checkpoints import CLASSES, TOKENS, save

TEXT, VISION, PROMPTS, DEPTH = 16, 24, 2, 3


def values(index, shape, dtype):
    """Multiples of 1/1024, the same in half precision; `index` is the place in the sorted names."""
    at = torch.arange(prod(shape))
    return (((7 * at + 13 * index) % 251 - 125) / 1024).to(dtype).view(shape)


def maple():
    shapes = {"ctx": (PROMPTS, TEXT), "proj.weight": (VISION, TEXT), "proj.bias": (VISION,)}
    for i in range(DEPTH - 1):
        shapes[f"compound_prompts_text.{i}"] = (PROMPTS, TEXT)
        shapes[f"compound_prompt_projections.{i}.weight"] = (VISION, TEXT)
        shapes[f"compound_prompt_projections.{i}.bias"] = (VISION,)
    half = lambda name: torch.float32 if name.startswith("compound") else torch.float16
    return OrderedDict(
        (name, values(index, shapes[name], half(name))) for index, name in enumerate(sorted(shapes))
    )


def write(file, params):
    whole = OrderedDict(params)
    whole["token_prefix"] = torch.zeros(CLASSES, 1, TEXT).half()
    whole["token_suffix"] = torch.zeros(CLASSES, TOKENS, TEXT).half()
    whole["image_encoder.ln_pre.bias"] = torch.zeros(VISION)
    inside = lambda name: name if name.startswith("image_encoder.") else "prompt_learner." + name
    save(file, whole, epoch=5, rename=inside, buffers=False, train=False)


def main():
    write("maple.pth.tar", maple())
    write("maple-extra.pth.tar", maple() | {"compound_prompts_vision.0": torch.zeros(PROMPTS, VISION)})
    gap = maple()
    del gap["compound_prompts_text.0"]
    write("maple-gap.pth.tar", gap)


if __name__ == "__main__":
    main()
