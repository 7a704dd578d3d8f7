"""Writes lp_plus_plus.json: a PyTorch twin of LP++ over 50 epochs, with both gradients of alpha.

    python make_lp_plus_plus.py              # from this folder; PyTorch 2
"""

import json
import pathlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
EPOCHS, EVERY, MOMENTUM = 50, 10, 0.9


def floats(values):
    return [float(f"{v:.9g}") for v in values.detach().flatten().double().tolist()]


def twin(features, labels, texts, bias, weights, accumulated):
    rows, classes = len(labels), len(texts)
    own = F.one_hot(labels, classes).float()
    cosines = features @ texts.T
    layer = torch.nn.Linear(features.shape[1], classes)
    with torch.no_grad():
        layer.weight.copy_(own.T @ features)
        layer.bias.copy_(bias)
        mean_own = (own * cosines).sum(0) / own.sum(0)
    alpha = torch.nn.Parameter(torch.full((classes,), 250 * mean_own.mean().item()))

    each = weights[labels]
    counted = (features * (each / each.mean()).sqrt()[:, None]).double()
    rate = 4 * rows / torch.linalg.eigvalsh(counted.T @ counted).max().item()
    alpha_rate = rows / (4 * (counted @ texts.double().T).square().sum(0).max().item())

    optimizer = torch.optim.SGD(layer.parameters(), lr=rate, momentum=MOMENTUM)
    first_alpha, losses = alpha[0].item(), []
    for epoch in range(1, EPOCHS + 1):
        loss = F.cross_entropy(layer(features) + alpha * cosines, labels, weight=weights)
        optimizer.zero_grad()
        if not accumulated:
            alpha.grad = None
        loss.backward()
        optimizer.step()
        if epoch % EVERY == 0:
            with torch.no_grad():
                alpha -= alpha_rate * alpha.grad
        losses.append(loss.item())
    return dict(
        accumulated=accumulated, weights=floats(weights), rate=rate, alpha_rate=alpha_rate,
        first_alpha=first_alpha, losses=losses, weight=floats(layer.weight),
        bias=floats(layer.bias), alpha=floats(alpha),
    )


def main():
    torch.manual_seed(0)
    classes, width, images = 4, 9, 26
    labels = torch.cat([torch.arange(classes), torch.randint(classes, (images - classes,))])
    centres = torch.randn(classes, width) + 1
    features = F.normalize(centres[labels] + 0.8 * torch.randn(images, width), dim=-1)
    texts = F.normalize(centres + torch.randn(classes, width), dim=-1)
    bias = (2 * torch.rand(classes) - 1) / width**0.5
    alike, weighed = torch.ones(classes), torch.tensor([0.5, 2.0, 1.0, 1.5])
    runs = [(alike, False), (alike, True), (weighed, False)]
    runs = [twin(features, labels, texts, bias, *run) for run in runs]
    parts = dict(
        width=width, features=floats(features), labels=labels.tolist(), texts=floats(texts),
        first_bias=floats(bias), epochs=EPOCHS, every=EVERY, momentum=MOMENTUM, runs=runs,
    )
    text = json.dumps(parts, separators=(",", ":"))
    (HERE / "lp_plus_plus.json").write_text(text + "\n")


if __name__ == "__main__":
    main()
