"""Fifty steps of MaPLe on the model of make_twins.py: the loss curves that the trainer must give.

    python make_maple_twins.py        # writes maple.json beside this file

Texts are padded to 77 positions and hold the whole template, the words between prompts and name
included; visual prompts stand behind the patches. Before each prompted block after the first, the
rows of the prompts are written over in both towers.
"""

import json

import torch
import torch.nn.functional as F

from make_twins import (
    BLOCKS, CLASSES, CONTEXT, DT, DV, HEADS, HERE, PATCH, TEXT_BLOCKS, TEXT_HEADS, block, curve, embedding,
    ids, layer, mask, norm, scaled, tokenizer, weights,
)


def tokens(text):
    return [tokenizer.bos_token_id] + ids(text) + [tokenizer.eos_token_id]


def deep_text_features(texts, prompts):
    """texts: lists of token ids; prompts: of each prompted block, count x width, from position 1 on."""
    count, ends = len(prompts[0]), [len(text) - 1 for text in texts]
    x = torch.stack([F.pad(embedding[text], (0, 0, 0, CONTEXT - len(text))) for text in texts])
    own = lambda i: prompts[i].expand(len(x), -1, -1)
    x = torch.cat([x[:, :1], own(0), x[:, 1 + count :]], 1) + weights["text_position"]
    for i in range(TEXT_BLOCKS):
        if 0 < i < len(prompts):
            x = torch.cat([x[:, :1], own(i), x[:, 1 + count :]], 1)
        x = block(x, f"text.{i}", TEXT_HEADS, mask)
    return norm(x, "ln_final")[torch.arange(len(x)), ends] @ weights["text_projection"]


def deep_image_features(pixels, prompts):
    """prompts: of each prompted block, count x width, behind the patches."""
    x = F.conv2d(pixels, weights["patch"], stride=PATCH).flatten(2).transpose(1, 2)
    x = torch.cat([weights["class"].expand(len(x), 1, -1), x], 1) + weights["image_position"]
    own = lambda i: prompts[i].expand(len(x), -1, -1)
    x = norm(torch.cat([x, own(0)], 1), "ln_pre")
    for i in range(BLOCKS):
        if 0 < i < len(prompts):
            x = torch.cat([x[:, : -len(prompts[i])], own(i)], 1)
        x = block(x, f"image.{i}", HEADS)
    return norm(x[:, 0], "ln_post") @ weights["image_projection"]


def maple(n, depth, words):
    shapes = {"ctx": (n, DT), "proj.weight": (DV, DT), "proj.bias": (DV,)}
    for i in range(depth - 1):
        shapes[f"compound_prompts_text.{i}"] = (n, DT)
        shapes[f"compound_prompt_projections.{i}.weight"] = (DV, DT)
        shapes[f"compound_prompt_projections.{i}.bias"] = (DV,)
    texts = [tokens(f"{words} {name}.") for name in CLASSES]

    def forward(p, pixels):
        text, visual = [p["ctx"]], [layer(p, "proj", p["ctx"])]
        for i in range(depth - 1):
            text.append(p[f"compound_prompts_text.{i}"])
            visual.append(layer(p, f"compound_prompt_projections.{i}", text[-1]))
        return scaled(deep_image_features(pixels, visual), deep_text_features(texts, text))

    return shapes, forward


CASES = {
    "words-between": (maple(2, 2, "a photo of a"), "sgd", 0.01),
    "no-words": (maple(5, 2, "X X X X X"), "adamw", 0.002),
    "shallow": (maple(3, 1, "a photo of a"), "sgd", 0.01),
}

if __name__ == "__main__":
    for text in ("a photo of a", "X X X X X"):
        assert len(ids(text)) == len(text.split()), text
    result = {name: curve(*case) for name, case in CASES.items()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(losses)}" for name, losses in result.items())
    (HERE / "maple.json").write_text("{\n" + lines + "\n}\n")
    for name, losses in result.items():
        print(name, *losses[::7], losses[-1])
