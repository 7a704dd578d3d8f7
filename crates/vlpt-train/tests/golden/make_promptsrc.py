"""Fifty steps of IVLP and PromptSRC on the small random CLIP of make_twins.py in PyTorch.

    python make_promptsrc.py        # writes promptsrc.json beside this file

The curves are those of the losses with all terms; `average` holds the parameters that the run of
PromptSRC ends with. As in make_twins.py everything is f64 and written out by its definition: rows of
later text blocks overwrite those of the block before in padded texts, and the teacher's texts are
encoded template by template.
"""

import json
import math
import torch
import torch.nn.functional as F

from make_twins import (
    BLOCKS, CLASSES, CONTEXT, DECAY, DT, DV, HERE, IMAGES, MOMENTUM, SCALE, STEPS, TEXT_BLOCKS, TEXT_HEADS, WARMUP,
    block, embedding, ids, image_features, initial, mask, norm, pixels_of, text_features, tokenizer, weights,
    with_context,
)

TEMPLATES = ["a photo of a {}.", "{}", "art of many {}s, and more."]
MEAN, DEVIATION = 30.0, 10.0


def text_name(i):
    return f"text_encoder.transformer.resblocks.{i}.VPT_shallow" if i else "ctx"


def image_name(i):
    return f"image_encoder.transformer.resblocks.{i}.VPT_shallow" if i else "image_encoder.VPT"


def shapes(n, m, depth_text, depth_visual):
    return {text_name(i): (n, DT) for i in range(depth_text)} | {
        image_name(i): (m, DV) for i in range(depth_visual)}


def tuned_texts(p, depth):
    texts = [with_context(name, p["ctx"]) for name in CLASSES]
    ends, n = [len(text) - 1 for text in texts], len(p["ctx"])
    x = torch.stack([F.pad(text, (0, 0, 0, CONTEXT - len(text))) for text in texts]) + weights["text_position"]
    for i in range(TEXT_BLOCKS):
        if 0 < i < depth:
            x = torch.cat([x[:, :1], p[text_name(i)].expand(len(x), -1, -1), x[:, 1 + n :]], 1)
        x = block(x, f"text.{i}", TEXT_HEADS, mask)
    return norm(x, "ln_final")[torch.arange(len(x)), ends] @ weights["text_projection"]


def teacher():
    def of(name, template):
        tokens = [tokenizer.bos_token_id] + ids(template.replace("{}", name)) + [tokenizer.eos_token_id]
        return text_features([embedding[tokens]])[0]

    return F.normalize(torch.stack([sum(of(name, t) for t in TEMPLATES) / len(TEMPLATES) for name in CLASSES]), dim=-1)


def run(n, m, depth_text, depth_visual, peak, regulated):
    own = shapes(n, m, depth_text, depth_visual)
    p = {name: initial(name, i, own[name]).requires_grad_() for i, name in enumerate(sorted(own))}
    pixels = torch.stack([pixels_of(i) for i in range(IMAGES)])
    labels = torch.tensor([i % len(CLASSES) for i in range(IMAGES)])
    with torch.no_grad():
        frozen_texts, frozen_images = teacher(), F.normalize(image_features(pixels), dim=-1)
        frozen = (SCALE * frozen_images @ frozen_texts.T).log_softmax(-1)
    optimizer = torch.optim.SGD(list(p.values()), lr=peak, momentum=MOMENTUM, weight_decay=DECAY)
    density = [math.exp(-0.5 * ((epoch - MEAN) / DEVIATION) ** 2) for epoch in range(1, STEPS + 1)]
    average, losses = {name: torch.zeros(shape) for name, shape in own.items()}, []
    for epoch in range(STEPS):
        cosine = 0.5 * peak * (1 + math.cos(math.pi * (epoch - 1) / STEPS))
        optimizer.param_groups[0]["lr"] = WARMUP if epoch == 0 else cosine
        texts = F.normalize(tuned_texts(p, depth_text), dim=-1)
        rows = torch.stack([p[image_name(i)] for i in range(depth_visual)])
        images = F.normalize(image_features(pixels, rows, before=True), dim=-1)
        logits = SCALE * images @ texts.T
        loss = F.cross_entropy(logits, labels)
        if regulated:
            loss = loss + 25 * F.l1_loss(texts, frozen_texts) + 10 * F.l1_loss(images, frozen_images)
            divergence = F.kl_div(logits.log_softmax(-1), frozen, reduction="sum", log_target=True)
            loss = loss + divergence / logits.numel()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 7))
        for name, value in p.items():
            average[name] += density[epoch] / sum(density) * value.detach()
    return losses, {name: [round(v, 7) for v in value.flatten().tolist()] for name, value in average.items()}


if __name__ == "__main__":
    ivlp, _ = run(3, 2, TEXT_BLOCKS, BLOCKS - 1, 0.01, False)
    shallow, _ = run(4, 2, 1, BLOCKS, 0.01, False)
    promptsrc, average = run(4, 2, TEXT_BLOCKS, BLOCKS, 0.0025, True)
    parts = {"ivlp": ivlp, "ivlp-shallow-text": shallow, "promptsrc": promptsrc, "average": average}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(part)}" for name, part in parts.items())
    (HERE / "promptsrc.json").write_text("{\n" + lines + "\n}\n")
    for name in ("ivlp", "ivlp-shallow-text", "promptsrc"):
        print(name, *parts[name][::7], parts[name][-1])
