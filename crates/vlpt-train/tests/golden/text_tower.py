"""The embedded mini-clip's text tower by its definition, over padded texts of 77 positions: no shortcut of the trainer's."""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file

MODEL = Path(__file__).parent / "../../../vlpt-clip/assets/mini-clip"


class TextTower:
    """Weights in one number format: `embedding`, `width`, `embed`, `scale` (the logit scale itself)."""

    def __init__(self, dtype):
        text = json.loads((MODEL / "config.json").read_text())["text_config"]
        assert text["hidden_act"] == "gelu"
        self.heads, self.layers = text["num_attention_heads"], text["num_hidden_layers"]
        self.weights = {name: value.to(dtype) for name, value in load_file(MODEL / "model.safetensors").items()}
        self.embedding = self.weights["text_model.embeddings.token_embedding.weight"]
        self.positions = self.weights["text_model.embeddings.position_embedding.weight"]
        self.scale = self.weights["logit_scale"].exp()
        self.width, self.embed = self.embedding.shape[1], self.weights["text_projection.weight"].shape[0]
        self.mask = torch.full((77, 77), -math.inf).triu(1)

    def linear(self, x, name):
        return F.linear(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def norm(self, x, name):
        return F.layer_norm(x, (self.width,), self.weights[name + ".weight"], self.weights[name + ".bias"], 1e-5)

    def features(self, texts, rows=None, block=None):
        """Of length one. texts: for each its embedded tokens (tokens x width), the end token last; rows: texts x n x width,
        which overwrite positions 1 to n before one block."""
        ends = [len(text) - 1 for text in texts]
        x = torch.stack([F.pad(text, (0, 0, 0, 77 - len(text))) for text in texts]) + self.positions
        for i in range(self.layers):
            if i == block:
                x = torch.cat([x[:, :1], rows, x[:, 1 + rows.shape[1] :]], 1)
            layer = f"text_model.encoder.layers.{i}"
            h = self.norm(x, layer + ".layer_norm1")
            size = self.width // self.heads
            split = lambda t: t.view(len(x), 77, self.heads, size).transpose(1, 2)
            q, k, v = (split(self.linear(h, f"{layer}.self_attn.{p}_proj")) for p in "qkv")
            a = (q @ k.transpose(2, 3) / math.sqrt(size) + self.mask).softmax(-1) @ v
            x = x + self.linear(a.transpose(1, 2).reshape(x.shape), layer + ".self_attn.out_proj")
            h = self.linear(self.norm(x, layer + ".layer_norm2"), layer + ".mlp.fc1")
            x = x + self.linear(F.gelu(h), layer + ".mlp.fc2")
        x = self.norm(x, "text_model.final_layer_norm")[torch.arange(len(x)), ends]
        return F.normalize(x @ self.weights["text_projection.weight"].T, dim=-1)


def pictures(count, embed):
    """Image features by a formula, so that no image is needed; f64, of no particular length."""
    value = lambda i, j: math.sin(0.37 * (i * embed + j)) + math.cos(0.11 * j * (i % 4 + 1))
    return torch.tensor([[value(i, j) for j in range(embed)] for i in range(count)], dtype=torch.float64)
