"""Writes losses.json and schedules.json here, and optimisers.json for vlpt-optim, with PyTorch.

    python make_training.py                  # from this folder; PyTorch 2
"""

import json
import pathlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent


def floats(tensor):
    return [float(f"{v:.9g}") for v in tensor.detach().flatten().tolist()]


def write(name, rows):
    text = ",\n".join(json.dumps(row, separators=(",", ":")) for row in rows)
    (HERE / name).write_text(f"[\n{text}\n]\n")


def losses():
    torch.manual_seed(0)
    rows = []
    for n, classes, width, scale, kind in [
        (1, 1, 3, 100.0, "hard"),
        (4, 3, 8, 100.0, "hard"),
        (6, 5, 21, 30.0, "soft"),
        (3, 40, 33, 100.0, "soft"),
        (5, 4, 16, 10.0, "binary"),
    ]:
        images = torch.randn(n, width, requires_grad=True)
        texts = torch.randn(classes, width, requires_grad=True)
        if kind == "hard":
            hot = F.one_hot(torch.randint(classes, (n,)), classes)
        else:
            hot = (torch.rand(n, classes) < 0.4).long()
            if kind == "soft":
                hot[:, 0] |= hot.sum(1) == 0
        unit = [x / x.norm(dim=-1, keepdim=True) for x in (images, texts)]
        logits = scale * unit[0] @ unit[1].T
        if kind == "hard":
            loss = F.cross_entropy(logits, hot.argmax(1))
        elif kind == "soft":
            loss = F.cross_entropy(logits, hot.float() / hot.sum(1, keepdim=True))
        else:
            loss = F.binary_cross_entropy_with_logits(logits, hot.float())
        loss.backward()
        rows.append({
            "loss": kind, "scale": scale, "width": width,
            "images": floats(images), "texts": floats(texts),
            "targets": [row.nonzero().flatten().tolist() for row in hot],
            "value": loss.item(), "logits": floats(logits),
            "d_images": floats(images.grad), "d_texts": floats(texts.grad),
        })
    write("losses.json", rows)


def optimisers():
    """Fifty steps on a fixed sequence of gradients that depends on the values, with a rate that
    changes every ten steps."""
    torch.manual_seed(1)
    rows = []
    for kind, options in [
        ("sgd", {"momentum": 0.9, "weight_decay": 5e-4}),
        ("sgd", {"momentum": 0.0, "weight_decay": 0.0}),
        ("sgd", {"momentum": 0.5, "weight_decay": 0.1}),
        ("adamw", {"betas": [0.9, 0.999], "eps": 1e-8, "weight_decay": 1e-2}),
        ("adamw", {"betas": [0.8, 0.95], "eps": 1e-3, "weight_decay": 0.0}),
    ]:
        start = torch.randn(6) * 0.1
        targets = torch.randn(6)
        value = start.clone().requires_grad_()
        new = torch.optim.SGD if kind == "sgd" else torch.optim.AdamW
        optimiser = new([value], lr=1.0, foreach=False, **options)
        trace = []
        for step in range(50):
            rate = 0.05 * 0.5 ** (step // 10)
            optimiser.param_groups[0]["lr"] = rate
            value.grad = (value.detach() - targets) * ((step % 3) + 1)
            optimiser.step()
            if step % 10 == 9 or step == 0:
                trace.append([step, floats(value)])
        rows.append({"kind": kind, **options, "start": floats(start), "targets": floats(targets), "trace": trace})
    write("../../../vlpt-optim/tests/golden/optimisers.json", rows)


def schedules():
    """The rates that PyTorch's schedulers give when they are stepped as Dassl steps them: during
    the warm-up the warm-up's rate, afterwards the successor's, stepped once an epoch."""
    rows = []
    for decay in ["constant", "cosine", "steps"]:
        for warmup, epochs_up in [("none", 0), ("constant", 1), ("constant", 3), ("linear", 4)]:
            for recount in [True, False]:
                if warmup == "none" and not recount:
                    continue
                epochs, peak, low = 20, 0.002, 1e-5
                milestones, gamma = [2, 6, 6, 15], 0.3
                optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
                if decay == "cosine":
                    after = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
                else:
                    marks = milestones if decay == "steps" else []
                    after = torch.optim.lr_scheduler.MultiStepLR(optimiser, marks, gamma)
                if not recount:
                    after.last_epoch = epochs_up
                rates = []
                for epoch in range(epochs):
                    if epoch < epochs_up:
                        linear = warmup == "linear" and epoch > 0
                        rates.append(peak * epoch / epochs_up if linear else low)
                    else:
                        if epoch > epochs_up:
                            optimiser.step()
                            after.step()
                        rates.append(after.get_last_lr()[0])
                rows.append({
                    "peak": peak, "epochs": epochs, "decay": decay, "milestones": milestones,
                    "gamma": gamma, "warmup": warmup, "warmup_epochs": epochs_up,
                    "warmup_lr": low, "recount": recount, "rates": rates,
                })
    for epochs, peak, floor in [(20, 2e-4, 1e-6), (7, 0.5, 0.1)]:
        optimiser = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=peak)
        after = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs, eta_min=floor)
        rates = []
        for _ in range(epochs):
            rates.append(after.get_last_lr()[0])
            optimiser.step()
            after.step()
        rows.append({
            "peak": peak, "epochs": epochs, "decay": "cosine", "milestones": [], "gamma": 1.0, "warmup": "none",
            "warmup_epochs": 0, "warmup_lr": 0.0, "recount": True, "floor": floor, "rates": rates,
        })
    write("schedules.json", rows)


if __name__ == "__main__":
    losses()
    optimisers()
    schedules()
