"""Fifty steps of every prompt method on a small random CLIP in PyTorch: the loss curves that the trainer must give.

    python make_twins.py        # writes twins.json beside this file

Both towers are written out here by their definition, in f64, without any of the trainer's shortcuts:
texts padded to 77 positions, visual prompts concatenated between the class token and the patches and
replaced block by block, every image's conditional texts encoded one by one. Gradients are autograd's.
Pixels and initial values are formulas that the test computes too; the model's weights are drawn as
`Clip::random` draws them, the tokenizer is mini-clip's.
"""

import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from transformers import CLIPTokenizer

HERE = Path(__file__).parent
CLASSES = ["apple", "school bus", "polar bear", "cup"]
IMAGES, STEPS, SIDE, PATCH = 8, 50, 24, 8
VOCABULARY, CONTEXT, DT, DV, EMBED = 8706, 77, 32, 48, 32
TEXT_BLOCKS, TEXT_HEADS, BLOCKS, HEADS, SEED = 2, 2, 3, 3, 5
WARMUP, MOMENTUM, DECAY = 1e-5, 0.9, 5e-4

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
tokenizer = CLIPTokenizer.from_pretrained(str(HERE / "../../../vlpt-clip/assets/mini-clip"))
mask = torch.full((CONTEXT, CONTEXT), -math.inf).triu(1)


# ---- the frozen model

class Draw:
    """SplitMix64, and normal numbers as the sum of twelve uniform ones less six."""

    def __init__(self, seed):
        self.state = seed

    def values(self, *shape, deviation=1.0, mean=0.0):
        count = math.prod(shape)
        with np.errstate(over="ignore"):
            steps = np.arange(1, 3 * count + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
            z = np.uint64(self.state) + steps
            self.state = int(z[-1])
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z = z ^ (z >> np.uint64(31))
        parts = sum((z >> np.uint64(16 * part)) & np.uint64(0xFFFF) for part in range(4))
        ones = (parts.reshape(count, 3).sum(1) + np.uint64(6)).astype(np.float64) / 65536 - 6
        values = np.float32(mean) + np.float32(deviation) * ones.astype(np.float32)
        return torch.tensor(values.reshape(shape)).double()


def draw_norm(draw, name, width):
    return {name + ".weight": draw.values(width, deviation=0.1, mean=1.0),
            name + ".bias": draw.values(width, deviation=0.02)}


def draw_linear(draw, name, out, into, deviation):
    return {name + ".weight": draw.values(out, into, deviation=deviation),
            name + ".bias": draw.values(out, deviation=0.02)}


def draw_block(draw, name, width, mlp, layers):
    into_stream = width**-0.5 * (2 * layers) ** -0.5
    return {
        **draw_norm(draw, name + ".ln_1", width),
        **draw_linear(draw, name + ".qkv", 3 * width, width, width**-0.5),
        **draw_linear(draw, name + ".out", width, width, into_stream),
        **draw_norm(draw, name + ".ln_2", width),
        **draw_linear(draw, name + ".fc1", mlp, width, (2 * width) ** -0.5),
        **draw_linear(draw, name + ".fc2", width, mlp, into_stream),
    }


def draw_model():
    draw, tokens = Draw(SEED), 1 + (SIDE // PATCH) ** 2
    w = {"token": draw.values(VOCABULARY, DT, deviation=0.02),
         "text_position": draw.values(CONTEXT, DT, deviation=0.01)}
    for i in range(TEXT_BLOCKS):
        w |= draw_block(draw, f"text.{i}", DT, 2 * DT, TEXT_BLOCKS)
    w |= draw_norm(draw, "ln_final", DT)
    w["text_projection"] = draw.values(DT, EMBED, deviation=DT**-0.5)
    patch = 3 * PATCH * PATCH
    w["patch"] = draw.values(DV, 3, PATCH, PATCH, deviation=patch**-0.5)
    w["class"] = draw.values(DV, deviation=DV**-0.5)
    w["image_position"] = draw.values(tokens, DV, deviation=DV**-0.5)
    w |= draw_norm(draw, "ln_pre", DV)
    for i in range(BLOCKS):
        w |= draw_block(draw, f"image.{i}", DV, 2 * DV, BLOCKS)
    w |= draw_norm(draw, "ln_post", DV)
    w["image_projection"] = draw.values(DV, EMBED, deviation=DV**-0.5)
    return w


weights = draw_model()
embedding = weights["token"]
SCALE = math.exp(2.65926)


def linear(x, name):
    return F.linear(x, weights[name + ".weight"], weights[name + ".bias"])


def norm(x, name):
    return F.layer_norm(x, x.shape[-1:], weights[name + ".weight"], weights[name + ".bias"], 1e-5)


def block(x, layer, heads, mask=0):
    n, tokens, width = x.shape
    split = lambda t: t.view(n, tokens, heads, width // heads).transpose(1, 2)
    q, k, v = (split(t) for t in linear(norm(x, layer + ".ln_1"), layer + ".qkv").chunk(3, -1))
    a = (q @ k.transpose(2, 3) / math.sqrt(width // heads) + mask).softmax(-1) @ v
    x = x + linear(a.transpose(1, 2).reshape(x.shape), layer + ".out")
    h = linear(norm(x, layer + ".ln_2"), layer + ".fc1")
    return x + linear(h * torch.sigmoid(1.702 * h), layer + ".fc2")


def text_features(texts):
    """texts: for each its embedded tokens (tokens x width), the end token last."""
    ends = [len(text) - 1 for text in texts]
    x = torch.stack([F.pad(text, (0, 0, 0, CONTEXT - len(text))) for text in texts])
    x = x + weights["text_position"]
    for i in range(TEXT_BLOCKS):
        x = block(x, f"text.{i}", TEXT_HEADS, mask)
    return norm(x, "ln_final")[torch.arange(len(x)), ends] @ weights["text_projection"]


def image_features(pixels, prompts=None, before=False):
    """prompts: blocks x count x width; `before`: those of the first block go through ln_pre."""
    x = F.conv2d(pixels, weights["patch"], stride=PATCH).flatten(2).transpose(1, 2)
    x = torch.cat([weights["class"].expand(len(x), 1, -1), x], 1) + weights["image_position"]
    count = 0 if prompts is None else prompts.shape[1]
    own = lambda i: prompts[i].expand(len(x), -1, -1)
    if count and before:
        x = torch.cat([x[:, :1], own(0), x[:, 1:]], 1)
    x = norm(x, "ln_pre")
    if count and not before:
        x = torch.cat([x[:, :1], own(0), x[:, 1:]], 1)
    for i in range(BLOCKS):
        if count and 0 < i < len(prompts):
            x = torch.cat([x[:, :1], own(i), x[:, 1 + count :]], 1)
        x = block(x, f"image.{i}", HEADS)
    return norm(x[:, 0], "ln_post") @ weights["image_projection"]


# ---- texts

def ids(text):
    return tokenizer(text, add_special_tokens=False)["input_ids"]


def template(name):
    return embedding[[tokenizer.bos_token_id] + ids(f"a photo of a {name}.") + [tokenizer.eos_token_id]]


def with_context(name, context):
    rest = ids("X " * len(context) + name + ".")[len(context) :]
    return torch.cat([embedding[[tokenizer.bos_token_id]], context, embedding[rest + [tokenizer.eos_token_id]]])


# ---- methods: (parameter shapes, parameters and pixels -> logits)

def scaled(images, texts):
    """Logits; texts: classes x embed, or images x classes x embed."""
    images, texts = F.normalize(images, dim=-1), F.normalize(texts, dim=-1)
    return SCALE * (texts @ images.unsqueeze(-1)).squeeze(-1)


def layer(p, name, x):
    return F.linear(x, p[name + ".weight"], p[name + ".bias"])


def attend(p, name, x, joint):
    """Multi-head attention with one head; token by token it is given sequences of length one."""
    x = x.unsqueeze(1 if joint else 0)
    y, _ = F.multi_head_attention_forward(
        x, x, x, x.shape[-1], 1, p[name + ".in_proj_weight"], p[name + ".in_proj_bias"], None, None,
        False, 0.0, p[name + ".out_proj.weight"], p[name + ".out_proj.bias"], need_weights=False)
    return y.squeeze(1 if joint else 0)


def prompts_of(p):
    return torch.cat([p[name] for name in ("vpt_embeddings", "vpt_embeddings_deep") if name in p])


def vpt(depth):
    shapes = {"vpt_embeddings": (1, 3, DV)}
    if depth > 1:
        shapes["vpt_embeddings_deep"] = (depth - 1, 3, DV)
    texts = text_features([template(name) for name in CLASSES])
    return shapes, lambda p, pixels: scaled(image_features(pixels, prompts_of(p)), texts)


def vlpt():
    shapes = {"ctx": (4, DT), **vpt(BLOCKS)[0]}

    def forward(p, pixels):
        texts = text_features([with_context(name, p["ctx"]) for name in CLASSES])
        return scaled(image_features(pixels, prompts_of(p)), texts)

    return shapes, forward


def upt_mvlpt(joint, width=16, n=2):
    deep = BLOCKS - 1
    shapes = {"ctx": (n, DT), "vpt_embeddings": (1, n, DV), "vpt_embeddings_deep": (deep, n, DV)}
    for kind, outer in (("coop", DT), ("vpt", DV)):
        for end, (inputs, outputs) in (("pre", (outer, width)), ("post", (width, outer))):
            shapes[f"mvlpt_proj_ctx_{kind}_{end}.weight"] = (outputs, inputs)
            shapes[f"mvlpt_proj_ctx_{kind}_{end}.bias"] = (outputs,)
    b = "mvlpt_proj.resblocks.0"
    shapes |= {f"{b}.attn.in_proj_weight": (3 * width, width), f"{b}.attn.in_proj_bias": (3 * width,)}
    shapes |= {f"{b}.attn.out_proj.weight": (width, width), f"{b}.attn.out_proj.bias": (width,)}
    shapes |= {f"{b}.ln_{i}.{part}": (width,) for i in (1, 2) for part in ("weight", "bias")}
    shapes |= {f"{b}.mlp.c_fc.weight": (4 * width, width), f"{b}.mlp.c_fc.bias": (4 * width,)}
    shapes |= {f"{b}.mlp.c_proj.weight": (width, 4 * width), f"{b}.mlp.c_proj.bias": (width,)}

    def forward(p, pixels):
        own_norm = lambda x, i: F.layer_norm(x, (width,), p[f"{b}.ln_{i}.weight"], p[f"{b}.ln_{i}.bias"])
        visual = prompts_of(p)
        x = torch.cat([
            layer(p, "mvlpt_proj_ctx_coop_pre", p["ctx"]),
            layer(p, "mvlpt_proj_ctx_vpt_pre", visual.flatten(0, 1)),
        ])
        x = x + attend(p, f"{b}.attn", own_norm(x, 1), joint)
        h = layer(p, f"{b}.mlp.c_fc", own_norm(x, 2))
        x = x + layer(p, f"{b}.mlp.c_proj", h * torch.sigmoid(1.702 * h))
        context = layer(p, "mvlpt_proj_ctx_coop_post", x[:n])
        visual = layer(p, "mvlpt_proj_ctx_vpt_post", x[n:]).view(visual.shape)
        texts = text_features([with_context(name, context) for name in CLASSES])
        return scaled(image_features(pixels, visual), texts)

    return shapes, forward


def upt_release(joint=False, n=4):
    shapes = {"uni_ctx": (1, 2 * n, DT)}
    shapes |= {"attn.in_proj_weight": (3 * DT, DT), "attn.in_proj_bias": (3 * DT,)}
    shapes |= {"attn.out_proj.weight": (DT, DT), "attn.out_proj.bias": (DT,)}
    shapes |= {f"norm{i}.{part}": (DT,) for i in (1, 2) for part in ("weight", "bias")}
    for i in (1, 2):
        shapes |= {f"linear{i}.weight": (DT, DT), f"linear{i}.bias": (DT,)}
    shapes |= {"visual_proj.weight": (DV, DT), "visual_proj.bias": (DV,)}

    def forward(p, pixels):
        own_norm = lambda x, i: F.layer_norm(x, (DT,), p[f"norm{i}.weight"], p[f"norm{i}.bias"])
        x = p["uni_ctx"][0]
        x = own_norm(x + attend(p, "attn", x, joint), 1)
        x = x + layer(p, "linear2", layer(p, "linear1", own_norm(x, 2)).relu())
        visual = layer(p, "visual_proj", x[n:]).unsqueeze(0)
        texts = text_features([with_context(name, x[:n]) for name in CLASSES])
        return scaled(image_features(pixels, visual, before=True), texts)

    return shapes, forward


def cocoop(n=4):
    hidden = EMBED // 16
    shapes = {"ctx": (n, DT)}
    shapes |= {"meta_net.linear1.weight": (hidden, EMBED), "meta_net.linear1.bias": (hidden,)}
    shapes |= {"meta_net.linear2.weight": (DT, hidden), "meta_net.linear2.bias": (DT,)}

    def forward(p, pixels):
        images = image_features(pixels)
        units = F.normalize(images, dim=-1)
        shift = layer(p, "meta_net.linear2", layer(p, "meta_net.linear1", units).relu())
        texts = [text_features([with_context(name, p["ctx"] + own) for name in CLASSES]) for own in shift]
        return scaled(images, torch.stack(texts))

    return shapes, forward


# ---- formulas shared with the test

def initial(name, index, shape):
    """`index`: place of the name among the method's sorted names."""
    j = torch.arange(math.prod(shape), dtype=torch.float64)
    a = j % 1009
    wave = torch.sin(0.013 * a * a + 0.7 * j + 1.9 * index)
    gain = any(part in name for part in ("ln_1.weight", "ln_2.weight", "norm1.weight", "norm2.weight"))
    values = 1 + 0.1 * wave if gain else 0.08 * wave
    return values.float().double().view(shape)


def pixels_of(i):
    at = torch.arange(3 * SIDE * SIDE, dtype=torch.float64)
    values = torch.sin(0.05 * at * (1 + 0.1 * (i % 5)) + i) + 0.5 * torch.cos(0.003 * at * (i % 4 + 1))
    return values.float().double().view(3, SIDE, SIDE)


def curve(method, optimizer, peak):
    shapes, forward = method
    p = {
        name: initial(name, index, shapes[name]).requires_grad_()
        for index, name in enumerate(sorted(shapes))
    }
    pixels = torch.stack([pixels_of(i) for i in range(IMAGES)])
    labels = torch.tensor([i % len(CLASSES) for i in range(IMAGES)])
    if optimizer == "sgd":
        optimizer = torch.optim.SGD(list(p.values()), lr=peak, momentum=MOMENTUM, weight_decay=DECAY)
    else:
        optimizer = torch.optim.AdamW(list(p.values()), lr=peak, betas=(0.9, 0.999), eps=1e-8, weight_decay=DECAY)
    losses = []
    for epoch in range(STEPS):
        cosine = 0.5 * peak * (1 + math.cos(math.pi * (epoch - 1) / STEPS))
        optimizer.param_groups[0]["lr"] = WARMUP if epoch == 0 else cosine
        loss = F.cross_entropy(forward(p, pixels), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 7))
    return losses


CASES = {
    "vpt-shallow": (vpt(1), "sgd", 0.02),
    "vpt-deep": (vpt(BLOCKS), "sgd", 0.02),
    "vlpt": (vlpt(), "adamw", 0.002),
    "upt-mvlpt-joint": (upt_mvlpt(True), "sgd", 0.01),
    "upt-mvlpt-tokenwise": (upt_mvlpt(False), "sgd", 0.01),
    "upt-release": (upt_release(), "sgd", 0.002),
    "cocoop": (cocoop(), "sgd", 0.005),
}

if __name__ == "__main__":
    result = {name: curve(*case) for name, case in CASES.items()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(losses)}" for name, losses in result.items())
    (HERE / "twins.json").write_text("{\n" + lines + "\n}\n")
    for name, losses in result.items():
        print(name, *losses[::7], losses[-1])
