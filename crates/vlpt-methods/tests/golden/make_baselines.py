"""Writes baselines.json: scikit-learn's logistic regression and a PyTorch twin of Tip-Adapter.

    python make_baselines.py                 # from this folder; scikit-learn 1.9, PyTorch 2
"""

import json
import math
import pathlib

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.linear_model import LogisticRegression

HERE = pathlib.Path(__file__).parent


def floats(values, digits=9):
    return [float(f"{v:.{digits}g}") for v in np.asarray(values, dtype=np.float64).ravel()]


def fit(x, y, strength):
    # Newton steps end far nearer to the minimum than scikit-learn's L-BFGS does.
    return LogisticRegression(C=strength, tol=1e-12, max_iter=1000, solver="newton-cholesky").fit(x, y)


def probes():
    rng = np.random.default_rng(0)
    cases = []
    for name, counts, width, strength, gap in [
        ("ragged", [9, 4, 1], 6, 1.0, 0.5),
        ("weak", [6, 6, 6, 6], 5, 1e-3, 0.5),
        ("pair", [7, 12], 4, 0.5, 0.7),
        ("separable", [5, 5, 5, 5, 5], 12, 100.0, 4.0),
        ("separable pair", [8, 3], 6, 1000.0, 4.0),
    ]:
        y = np.repeat(np.arange(len(counts)), counts)
        centres = gap * rng.standard_normal((len(counts), width))
        x = (centres[y] + rng.standard_normal((len(y), width))).astype(np.float32)
        model = fit(x.astype(np.float64), y, strength)
        cases.append(dict(
            name=name, width=width, classes=len(counts), strength=strength, multi_label=False,
            features=floats(x), labels=[[int(c)] for c in y],
            probabilities=floats(model.predict_proba(x.astype(np.float64))),
            weight=floats(model.coef_), bias=floats(model.intercept_),
        ))
    x = rng.standard_normal((20, 5)).astype(np.float32)
    hot = (x @ rng.standard_normal((5, 3)) + rng.standard_normal((20, 3))) > 0
    models = [fit(x.astype(np.float64), hot[:, c], 2.0) for c in range(3)]
    cases.append(dict(
        name="several labels", width=5, classes=3, strength=2.0, multi_label=True,
        features=floats(x), labels=[[int(c) for c in np.flatnonzero(row)] for row in hot],
        probabilities=floats(np.stack([m.predict_proba(x)[:, 1] for m in models], 1)),
        weight=floats(np.concatenate([m.coef_ for m in models])),
        bias=floats(np.concatenate([m.intercept_ for m in models])),
    ))
    return cases


def tip_adapter():
    """20 steps: batches of 4 of 15 images, two views, an epoch uses one of them in turn."""
    torch.manual_seed(0)
    images, width, classes, scale, batch, epochs = 15, 8, 3, 20.0, 4, 5
    alpha, beta, rate = 1.2, 2.5, 0.01
    labels = torch.arange(images) % classes
    centres = torch.randn(classes, width)
    views = torch.stack([centres[labels] + torch.randn(images, width) for _ in range(2)])
    text = F.normalize(centres + torch.randn(classes, width), dim=-1)
    tests = torch.randn(6, width)

    keys = torch.nn.Parameter(F.normalize(views.mean(0), dim=-1))
    hot = F.one_hot(labels, classes).float()

    def forward(features):
        unit = F.normalize(features, dim=-1)
        cache = torch.exp(-beta * (1 - unit @ keys.T)) @ hot
        return scale * unit @ text.T + alpha * cache

    before = forward(tests)
    optimizer = torch.optim.AdamW([keys], lr=rate, eps=1e-4, weight_decay=0.01)
    steps = math.ceil(images / batch)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs * steps)
    losses, orders = [], []
    for epoch in range(epochs):
        order = torch.randperm(images)
        orders.append(order.tolist())
        for chosen in order.split(batch):
            loss = F.cross_entropy(forward(views[epoch % 2][chosen]), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
    return dict(
        width=width, classes=classes, scale=scale, alpha=alpha, beta=beta, rate=rate, batch=batch,
        eps=1e-4, weight_decay=0.01,
        views=[floats(view) for view in views], labels=labels.tolist(), text=floats(text),
        orders=orders, tests=floats(tests), before=floats(before.detach()), losses=floats(losses),
        keys=floats(keys.detach()), after=floats(forward(tests).detach()),
    )


probe_cases = probes()
rows = ",\n".join(json.dumps(case, separators=(",", ":")) for case in probe_cases)
twin = json.dumps(tip_adapter(), separators=(",", ":"))
(HERE / "baselines.json").write_text(f'{{"linear_probe":[\n{rows}\n],\n"tip_adapter":{twin}}}\n')
