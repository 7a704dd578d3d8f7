"""Writes upt.json: unified prompts and their gradients, from PyTorch.

    python make_upt.py > upt.json        # PyTorch on the CPU

Written from the description of the two published networks, with PyTorch's own multi-head
attention. That layer takes (sequence, batch, width):

* joint: the T tokens are one sequence, (T, 1, width);
* tokenwise: the tensor is (1, T, width), as the published codes hold it, so that the layer sees
  T sequences of length one.
"""

import json

import torch
from torch import nn

TEXT, VISION, PATCH, BLOCKS = 6, 10, 4, 3
CLASSES = 3


def numbers(tensor):
    return [float(f"{float(x):.8g}") for x in tensor.detach().flatten()]


def attend(attn, x, kind):
    """x and the result: (tokens, width)."""
    x = x.unsqueeze(1 if kind == "joint" else 0)
    out, _ = attn(x, x, x, need_weights=False)
    return out.reshape(-1, out.shape[-1])


class QuickGELU(nn.Module):
    def forward(self, x):
        return x * torch.sigmoid(1.702 * x)


class Block(nn.Module):
    """CLIP's residual attention block."""

    def __init__(self, width, heads):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads)
        self.ln_1 = nn.LayerNorm(width)
        self.mlp = nn.Sequential()
        self.mlp.add_module("c_fc", nn.Linear(width, 4 * width))
        self.mlp.add_module("gelu", QuickGELU())
        self.mlp.add_module("c_proj", nn.Linear(4 * width, width))
        self.ln_2 = nn.LayerNorm(width)

    def forward(self, x, kind):
        x = x + attend(self.attn, self.ln_1(x), kind)
        return x + self.mlp(self.ln_2(x))


class Mvlpt(nn.Module):
    def __init__(self, case):
        super().__init__()
        classes = (CLASSES,) if case["class_specific"] else ()
        self.ctx = nn.Parameter(torch.randn(*classes, case["text_count"], TEXT))
        visual = case["visual_count"], VISION
        self.vpt_embeddings = nn.Parameter(torch.rand(1, *visual) - 0.5)
        if case["layers"] > 1:
            self.vpt_embeddings_deep = nn.Parameter(torch.rand(case["layers"] - 1, *visual) - 0.5)
        width = case["width"]
        for name, outer in [("coop", TEXT), ("vpt", VISION)]:
            there = outer != width
            pre = nn.Linear(outer, width) if there else nn.Identity()
            post = nn.Linear(width, outer) if there else nn.Identity()
            setattr(self, f"mvlpt_proj_ctx_{name}_pre", pre)
            setattr(self, f"mvlpt_proj_ctx_{name}_post", post)
        self.mvlpt_proj = nn.Module()
        self.mvlpt_proj.resblocks = nn.ModuleList([Block(width, case["heads"])])

    def forward(self, case):
        visual = self.vpt_embeddings
        if case["layers"] > 1:
            visual = torch.cat([visual, self.vpt_embeddings_deep])
        text = self.mvlpt_proj_ctx_coop_pre(self.ctx.reshape(-1, TEXT))
        visual = self.mvlpt_proj_ctx_vpt_pre(visual.reshape(-1, VISION))
        x = torch.cat([text, visual])
        x = self.mvlpt_proj.resblocks[0](x, case["attention"])
        text, visual = x[: len(text)], x[len(text) :]
        return self.mvlpt_proj_ctx_coop_post(text), self.mvlpt_proj_ctx_vpt_post(visual)


class Release(nn.Module):
    def __init__(self, case):
        super().__init__()
        self.texts = case["text_count"] * (CLASSES if case["class_specific"] else 1)
        tokens = self.texts + case["layers"] * case["visual_count"]
        self.uni_ctx = nn.Parameter(torch.randn(1, tokens, TEXT))
        self.attn = nn.MultiheadAttention(TEXT, case["heads"], dropout=0.1)
        self.norm1 = nn.LayerNorm(TEXT)
        self.norm2 = nn.LayerNorm(TEXT)
        self.linear1 = nn.Linear(TEXT, TEXT)
        self.linear2 = nn.Linear(TEXT, TEXT)
        self.visual_proj = nn.Linear(TEXT, VISION)

    def forward(self, case):
        x = self.uni_ctx[0]
        x = self.norm1(x + attend(self.attn, x, case["attention"]))
        x = x + self.linear2(torch.relu(self.linear1(self.norm2(x))))
        return x[: self.texts], self.visual_proj(x[self.texts :])


def shake(module):
    """Layer norms and zero biases off their initial values, so that a mix-up shows."""
    with torch.no_grad():
        for name, p in module.named_parameters():
            if "ln_" in name or "norm" in name or name.endswith("bias"):
                p += 0.3 * torch.randn(p.shape)


def case(name, shape="mvlpt", attention="joint", layers=BLOCKS, width=4, heads=1, specific=False):
    torch.manual_seed(len(name))
    out = {
        "name": name,
        "shape": shape,
        "attention": attention,
        "layers": layers,
        "width": width,
        "heads": heads,
        "class_specific": specific,
        "text_count": 2,
        "visual_count": 1 if shape == "mvlpt" else 2,
    }
    module = Mvlpt(out) if shape == "mvlpt" else Release(out)
    module.eval()
    shake(module)
    text, visual = module(out)
    d_text, d_visual = torch.randn(text.shape), torch.randn(visual.shape)
    ((text * d_text).sum() + (visual * d_visual).sum()).backward()
    parameters = dict(module.named_parameters())
    out["text"], out["visual"] = numbers(text), numbers(visual)
    out["d_text"], out["d_visual"] = numbers(d_text), numbers(d_visual)
    out["parameters"] = {k: numbers(v) for k, v in parameters.items()}
    out["gradients"] = {k: numbers(v.grad) for k, v in parameters.items()}
    return out


def initial(width):
    """The largest absolute value of each parameter of a block, as PyTorch starts it."""
    torch.manual_seed(0)
    return {k: float(v.detach().abs().max()) for k, v in Block(width, 1).named_parameters()}


print(
    json.dumps(
        {
            "text": TEXT,
            "vision": VISION,
            "patch": PATCH,
            "blocks": BLOCKS,
            "classes": CLASSES,
            "cases": [
                case("mvlpt, joint"),
                case("mvlpt, tokenwise", attention="tokenwise"),
                case("mvlpt, joint, two heads", heads=2),
                case("mvlpt, tokenwise, two heads", attention="tokenwise", heads=2),
                case("mvlpt, joint, shallow, text width", layers=1, width=TEXT),
                case("mvlpt, tokenwise, two blocks, vision width", "mvlpt", "tokenwise", 2, VISION),
                case("mvlpt, joint, class-specific", specific=True),
                case("release, joint, shallow", "release", "joint", 1, TEXT),
                case("release, tokenwise, shallow", "release", "tokenwise", 1, TEXT),
                case("release, joint, deep, three heads", "release", "joint", 3, TEXT, 3),
                case("release, tokenwise, deep", "release", "tokenwise", 3, TEXT, 2, True),
            ],
            "initial": {"width": 96, "largest": initial(96)},
        }
    )
)
