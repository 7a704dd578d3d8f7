"""Fifty steps of ProLIP on made features, by its definition: the losses and the projection that ours must give.

    python make_prolip.py      # writes prolip.json beside this file; needs PyTorch 2

Images before the projection, text features and the first projection are random. Every step is full-batch Adam on
one of three views, in turn from the second; the rate falls to 0 along half a cosine. Computed in f64.
"""

import json
import pathlib

import torch
import torch.nn.functional as F

HERE = pathlib.Path(__file__).parent
IMAGES, WIDTH, EMBED, CLASSES, VIEWS, STEPS = 12, 10, 6, 4, 3, 50


def floats(tensor):
    return [round(value, 9) for value in tensor.flatten().tolist()]


def twin(weight, rate, scale):
    torch.manual_seed(3)
    torch.set_default_dtype(torch.float64)
    labels = torch.arange(IMAGES) % CLASSES
    centres = torch.randn(CLASSES, WIDTH)
    views = (centres[labels] + 0.8 * torch.randn(VIEWS, IMAGES, WIDTH)).float().double()
    text = F.normalize(torch.randn(CLASSES, EMBED), dim=-1).float().double()
    origin = (torch.randn(WIDTH, EMBED) / WIDTH ** 0.5).float().double()

    projection = torch.nn.Parameter(origin.clone())
    optimizer = torch.optim.Adam([projection], lr=rate, eps=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, STEPS)
    losses = []
    for step in range(STEPS):
        features = F.normalize(views[(step + 1) % VIEWS] @ projection, dim=-1)
        loss = F.cross_entropy(scale * features @ text.T, labels) + weight * ((projection - origin) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        losses.append(loss.item())
    return dict(
        width=WIDTH, embed=EMBED, scale=scale, weight=weight, rate=rate, eps=1e-4,
        views=[floats(view) for view in views], labels=labels.tolist(), text=floats(text), origin=floats(origin),
        losses=losses, projection=floats(projection.detach()),
    )


cases = [twin(1 / 3, 0.01, 20.0), twin(1 / 9, 0.003, 100.0), twin(0.0, 0.02, 5.0)]
(HERE / "prolip.json").write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
for case in cases:
    print(case["losses"][0], case["losses"][-1])
