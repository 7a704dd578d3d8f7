"""Writes clap.json: a PyTorch twin of CLAP over 50 epochs, with and without what holds the vectors.

    python make_clap.py                      # from this folder; PyTorch 2
"""

import json
import math
import pathlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
EPOCHS, BATCH, RATE, WARMUP, MOMENTUM = 50, 8, 0.1, 1e-5, 0.9


def floats(values):
    return [float(f"{v:.9g}") for v in values.detach().flatten().double().tolist()]


def rate(epoch):
    if epoch == 0:
        return WARMUP
    return 0.5 * RATE * (1 + math.cos(math.pi * (epoch - 1) / EPOCHS))


def twin(views, labels, texts, scale, orders, constraint):
    rows, classes = torch.cat(list(views)), len(texts)
    targets = labels.repeat(len(views))
    units = F.normalize(rows, dim=-1)
    with torch.no_grad():
        chances = (scale * units @ F.normalize(texts, dim=-1).T).softmax(-1)
        own = F.one_hot(targets, classes).float()
        held = (chances * own).sum(0) / own.sum(0)
    holds = held if constraint == "l2" else torch.zeros(classes)
    vectors = torch.nn.Parameter(texts.clone())
    optimizer = torch.optim.SGD([vectors], lr=RATE, momentum=MOMENTUM)
    losses = []
    for epoch, order in enumerate(orders):
        optimizer.param_groups[0]["lr"] = rate(epoch)
        total = 0.0
        for chosen in order.split(BATCH):
            logits = scale * units[chosen] @ F.normalize(vectors, dim=-1).T
            penalty = (holds * (vectors - texts).square().sum(-1)).sum() / classes
            loss = F.cross_entropy(logits, targets[chosen]) + penalty
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.item() * len(chosen)
        losses.append(total / len(order))
    return dict(
        constraint=constraint, held=floats(held), losses=losses,
        units=floats(F.normalize(vectors, dim=-1)),
    )


def main():
    torch.manual_seed(0)
    classes, width, images, count, scale = 4, 7, 18, 3, 20.0
    labels = torch.cat([torch.arange(classes), torch.randint(classes, (images - classes,))])
    centres = torch.randn(classes, width)
    views = 3 * (centres[labels] + torch.randn(count, images, width))
    texts = 2 * (centres + 0.7 * torch.randn(classes, width))
    taken = images // BATCH * BATCH
    orders = [torch.randperm(count * images)[:taken] for _ in range(EPOCHS)]
    runs = [twin(views, labels, texts, scale, orders, hold) for hold in ["l2", "none"]]
    parts = dict(
        width=width, scale=scale, views=[floats(view) for view in views],
        labels=labels.tolist(), texts=floats(texts), batch=BATCH, rate=RATE, warmup=WARMUP,
        momentum=MOMENTUM, orders=[order.tolist() for order in orders], runs=runs,
    )
    (HERE / "clap.json").write_text(json.dumps(parts, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main()
