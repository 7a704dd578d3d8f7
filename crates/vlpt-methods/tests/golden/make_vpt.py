"""Writes vpt.json: visual prompts and their gradients, from PyTorch.

    python make_vpt.py > vpt.json        # PyTorch on the CPU

Written from the description of VPT: embeddings of the first block (1, n, d) and of the others
(L - 1, n, d), one linear layer from d to the tower's width for all of them.
"""

import json

import torch
from torch import nn

LAYERS, COUNT, VISION = 3, 2, 6


def numbers(tensor):
    return [round(float(x), 9) for x in tensor.detach().flatten()]


def case(name, layers, project):
    torch.manual_seed(0)
    width = project or VISION
    first = nn.Parameter(torch.rand(1, COUNT, width) - 0.5)
    parameters = {"vpt_embeddings": first}
    rows = [first]
    if layers > 1:
        rest = nn.Parameter(torch.rand(layers - 1, COUNT, width) - 0.5)
        parameters["vpt_embeddings_deep"] = rest
        rows.append(rest)
    rows = torch.cat(rows)
    out = {"name": name, "layers": layers, "count": COUNT, "project": project}
    if project:
        linear = nn.Linear(project, VISION)
        nn.init.kaiming_normal_(linear.weight, a=0, mode="fan_out")
        parameters["vpt_proj.weight"] = linear.weight
        parameters["vpt_proj.bias"] = linear.bias
        rows = linear(rows)
    d_rows = torch.randn(rows.shape)
    (rows * d_rows).sum().backward()
    out["parameters"] = {k: numbers(v) for k, v in parameters.items()}
    out["rows"] = numbers(rows)
    out["d_rows"] = numbers(d_rows)
    out["gradients"] = {k: numbers(v.grad) for k, v in parameters.items()}
    return out


def spread(project, vision):
    """Of a projection as PyTorch starts it: deviation of the weight, largest bias."""
    torch.manual_seed(0)
    linear = nn.Linear(project, vision)
    nn.init.kaiming_normal_(linear.weight, a=0, mode="fan_out")
    return {
        "project": project,
        "vision": vision,
        "weight_deviation": float(linear.weight.detach().std()),
        "bias_deviation": float(linear.bias.detach().std()),
    }


print(
    json.dumps(
        {
            "vision": VISION,
            "blocks": LAYERS,
            "cases": [
                case("shallow", 1, 0),
                case("deep", LAYERS, 0),
                case("two blocks", 2, 0),
                case("shallow, projected", 1, 4),
                case("deep, projected", LAYERS, 4),
            ],
            "initial": spread(64, 3072),
        }
    )
)
