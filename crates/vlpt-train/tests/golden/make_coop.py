"""Fifty CoOp steps on the embedded mini-clip in PyTorch, f32: the loss curve that the trainer must give.

    python make_coop.py        # writes coop.json beside this file

The text tower is written out here by its definition, over padded texts of 77 positions, without any
of the trainer's shortcuts. Image features are a formula, so that no image is needed.
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file
from transformers import CLIPTokenizer

HERE = Path(__file__).parent
MODEL = HERE / "../../../vlpt-clip/assets/mini-clip"
CLASSES = ["apple", "school bus", "polar bear", "cup"]
IMAGES, STEPS = 10, 50
PEAK, WARMUP, MOMENTUM, DECAY = 0.02, 1e-5, 0.9, 5e-4

torch.set_num_threads(1)
weights = {name: value.float() for name, value in load_file(MODEL / "model.safetensors").items()}
text = json.loads((MODEL / "config.json").read_text())["text_config"]
assert text["hidden_act"] == "gelu"
HEADS, layers = text["num_attention_heads"], text["num_hidden_layers"]
tokenizer = CLIPTokenizer.from_pretrained(str(MODEL))
embedding = weights["text_model.embeddings.token_embedding.weight"]
positions = weights["text_model.embeddings.position_embedding.weight"]
width, embed = embedding.shape[1], text["projection_dim"]
mask = torch.full((77, 77), -math.inf).triu(1)


def linear(x, name):
    return F.linear(x, weights[name + ".weight"], weights[name + ".bias"])


def norm(x, name):
    return F.layer_norm(x, (width,), weights[name + ".weight"], weights[name + ".bias"], 1e-5)


def tower(x, ends):
    """x: texts x 77 x width, before positions; ends: position of the end token of each text."""
    x = x + positions
    for i in range(layers):
        layer = f"text_model.encoder.layers.{i}"
        h = norm(x, layer + ".layer_norm1")
        split = lambda t: t.view(len(x), 77, HEADS, width // HEADS).transpose(1, 2)
        q, k, v = (split(linear(h, f"{layer}.self_attn.{p}_proj")) for p in "qkv")
        a = (q @ k.transpose(2, 3) / math.sqrt(width // HEADS) + mask).softmax(-1) @ v
        x = x + linear(a.transpose(1, 2).reshape(x.shape), layer + ".self_attn.out_proj")
        h = linear(norm(x, layer + ".layer_norm2"), layer + ".mlp.fc1")
        x = x + linear(F.gelu(h), layer + ".mlp.fc2")
    x = norm(x, "text_model.final_layer_norm")[torch.arange(len(x)), ends]
    return x @ weights["text_projection.weight"].T


def ids(text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def curve(position):
    start, end = tokenizer.bos_token_id, tokenizer.eos_token_id
    words = ids("a photo of a")
    context = embedding[words].clone().requires_grad_()
    n = len(words)
    before = {"end": n, "middle": n // 2, "front": 0}[position]
    scale = weights["logit_scale"].exp()
    images = torch.tensor(
        [
            [math.sin(0.37 * (i * embed + j)) + math.cos(0.11 * j * (i % 4 + 1)) for j in range(embed)]
            for i in range(IMAGES)
        ],
        dtype=torch.float64,
    ).float()
    labels = torch.tensor([i % 4 for i in range(IMAGES)])
    optimizer = torch.optim.SGD([context], lr=PEAK, momentum=MOMENTUM, weight_decay=DECAY)
    losses = []
    for epoch in range(STEPS):
        cosine = 0.5 * PEAK * (1 + math.cos(math.pi * (epoch - 1) / STEPS))
        optimizer.param_groups[0]["lr"] = WARMUP if epoch == 0 else cosine
        rows, ends = [], []
        for name in CLASSES:
            own = ids(name)
            rest = ids("X " * n + name + ".")[n + len(own) :]
            parts = [embedding[[start]], context[:before], embedding[own], context[before:]]
            parts.append(embedding[rest + [end]])
            text = torch.cat(parts)
            ends.append(len(text) - 1)
            rows.append(F.pad(text, (0, 0, 0, 77 - len(text))))
        texts = F.normalize(tower(torch.stack(rows), ends), dim=-1)
        logits = scale * F.normalize(images, dim=-1) @ texts.T
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
