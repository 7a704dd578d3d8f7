"""Fifty steps of KgCoOp and TCP on the embedded mini-clip in PyTorch: the loss curves that the trainer must give.

    python make_tcp.py        # writes tcp.json beside this file

The text tower is that of text_tower.py, here in f64, and image features are a formula; initial values are those of
make_twins.py. TCP's rows of each class overwrite positions 1 to n of its text before one block. In `tcp-tasks` the
first two classes and the last two are tasks of their own: an image's loss is among the classes of its task.
"""

import json
import math

import torch
import torch.nn.functional as F

from make_twins import CLASSES, HERE, STEPS, WARMUP, ids, initial, tokenizer
from text_tower import TextTower, pictures

IMAGES, DECAY = 10, 5e-4
tower = TextTower(torch.float64)
embedding, features, width, embed = tower.embedding, tower.features, tower.width, tower.embed


def with_context(context, text):
    """The start, the context, and the rest of a text after as many placeholders."""
    rest = ids("X " * len(context) + text)[len(context) :]
    start, end = [tokenizer.bos_token_id], [tokenizer.eos_token_id]
    return torch.cat([embedding[start], context, embedding[rest + end]])


def frozen(template):
    own = lambda name: [tokenizer.bos_token_id] + ids(template.replace("{}", name)) + [tokenizer.eos_token_id]
    return features([embedding[own(name)] for name in CLASSES])


def kgcoop(form, weight, template):
    old = frozen(template)

    def forward(p):
        new = features([with_context(p["ctx"], name + ".") for name in CLASSES])
        if form == "cosine":
            return new, weight * (1 - F.cosine_similarity(new, old).mean())
        return new, weight * (new - old).square().sum(-1).mean()

    return {"ctx": (3, width)}, forward


def tcp(n, hidden, block, template, class_template, weight):
    shapes = {"ctx": (n, width)}
    shapes |= {"meta_net.linear1.weight": (hidden, embed), "meta_net.linear1.bias": (hidden,)}
    shapes |= {"meta_net.linear2.weight": (n * width, hidden), "meta_net.linear2.bias": (n * width,)}
    old = frozen(class_template)

    def forward(p):
        h = F.linear(old, p["meta_net.linear1.weight"], p["meta_net.linear1.bias"])
        h = h * torch.sigmoid(1.702 * h)
        rows = F.linear(h, p["meta_net.linear2.weight"], p["meta_net.linear2.bias"]).view(-1, n, width)
        texts = [with_context(p["ctx"], template.replace("{}", name)) for name in CLASSES]
        new = features(texts, rows, block)
        return new, weight * (1 - F.cosine_similarity(new, old).mean())

    return shapes, forward


def curve(method, optimizer, peak, tasks=None, **options):
    shapes, forward = method
    names = enumerate(sorted(shapes))
    p = {name: initial(name, i, shapes[name]).requires_grad_() for i, name in names}
    labels = torch.tensor([i % len(CLASSES) for i in range(IMAGES)])
    images = F.normalize(pictures(IMAGES, embed).float().double(), dim=-1)
    optimizer = optimizer(list(p.values()), lr=peak, weight_decay=DECAY, **options)
    losses = []
    for epoch in range(STEPS):
        cosine = 0.5 * peak * (1 + math.cos(math.pi * (epoch - 1) / STEPS))
        optimizer.param_groups[0]["lr"] = WARMUP if epoch == 0 else cosine
        texts, term = forward(p)
        logits = tower.scale * images @ texts.T
        if tasks:
            own = torch.tensor([[any(a <= c < b and a <= y < b for a, b in tasks) for c in range(len(CLASSES))]
                                for y in labels.tolist()])
            logits = logits.masked_fill(~own, -math.inf)
        loss = F.cross_entropy(logits, labels) + term
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(round(loss.item(), 7))
    return losses


SGD, ADAM = torch.optim.SGD, torch.optim.Adam
PLAIN = (4, embed // 4, 2, "{}.", "a photo of a {}.", 8.0)
CASES = {
    "kgcoop-cosine": (kgcoop("cosine", 8.0, "a photo of a {}."), SGD, 0.02, {"momentum": 0.9}),
    "kgcoop-squared": (kgcoop("squared", 2.0, "{}, a drawing."), SGD, 0.02, {"momentum": 0.9}),
    "tcp": (tcp(*PLAIN), ADAM, 0.002, {"eps": 1e-8}),
    "tcp-other-options": (tcp(3, 5, 3, "drawing of {}, big", "my {}", 1.5), ADAM, 0.002, {"eps": 1e-3}),
    "tcp-tasks": (tcp(*PLAIN), ADAM, 0.002, {"eps": 1e-8, "tasks": [(0, 2), (2, 4)]}),
}

if __name__ == "__main__":
    result = {name: curve(*case[:3], **case[3]) for name, case in CASES.items()}
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(losses)}" for name, losses in result.items())
    (HERE / "tcp.json").write_text("{\n" + lines + "\n}\n")
    for name, losses in result.items():
        print(name, *losses[::7], losses[-1])
