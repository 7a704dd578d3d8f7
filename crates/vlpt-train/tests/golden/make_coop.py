"""Fifty CoOp steps on the embedded mini-clip in PyTorch, f32: the loss curve that the trainer must give.

    python make_coop.py        # writes coop.json beside this file

The text tower is the one of text_tower.py; image features are a formula.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from transformers import CLIPTokenizer

from text_tower import MODEL, TextTower, pictures

HERE = Path(__file__).parent
CLASSES = ["apple", "school bus", "polar bear", "cup"]
IMAGES, STEPS = 10, 50
PEAK, WARMUP, MOMENTUM, DECAY = 0.02, 1e-5, 0.9, 5e-4

torch.set_num_threads(1)
tokenizer = CLIPTokenizer.from_pretrained(str(MODEL))
tower = TextTower(torch.float32)
embedding = tower.embedding


def ids(text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def curve(position):
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    words = ids("a photo of a")
    context = embedding[words].clone().requires_grad_()
    n = len(words)
    before = {"end": n, "middle": n // 2, "front": 0}[position]
    images = F.normalize(pictures(IMAGES, tower.embed).float(), dim=-1)
    labels = torch.tensor([i % 4 for i in range(IMAGES)])
    optimizer = torch.optim.SGD([context], lr=PEAK, momentum=MOMENTUM, weight_decay=DECAY)
    losses = []
    for epoch in range(STEPS):
        cosine = 0.5 * PEAK * (1 + math.cos(math.pi * (epoch - 1) / STEPS))
        optimizer.param_groups[0]["lr"] = WARMUP if epoch == 0 else cosine
        texts = []
        for name in CLASSES:
            own = ids(name)
            rest = ids("X " * n + name + ".")[n + len(own) :]
            parts = [embedding[[start]], context[:before], embedding[own], context[before:]]
            parts.append(embedding[rest + [end]])
            texts.append(torch.cat(parts))
        logits = tower.scale * images @ tower.features(texts).T
        loss = F.cross_entropy(logits, labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 7))
    return losses


result = {position: curve(position) for position in ["end", "middle", "front"]}
(HERE / "coop.json").write_text(json.dumps(result) + "\n")
for position, losses in result.items():
    print(position, losses[0], losses[-1])
