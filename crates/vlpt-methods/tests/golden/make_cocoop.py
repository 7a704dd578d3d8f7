"""Writes cocoop.json: conditional prompts and their gradients, from PyTorch.

    python make_cocoop.py > cocoop.json        # PyTorch on the CPU

Written from the description of CoCoOp: the meta-net makes one vector from the feature of an image
(of length one), which is added to every token of the context.
"""

import json
from collections import OrderedDict

import torch
from torch import nn

TEXT, EMBED, HIDDEN, CONTEXT, IMAGES = 6, 8, 3, 2, 5


def numbers(tensor):
    return [float(f"{float(x):.8g}") for x in tensor.detach().flatten()]


torch.manual_seed(0)
module = nn.Module()
module.ctx = nn.Parameter(torch.randn(CONTEXT, TEXT))
module.meta_net = nn.Sequential(
    OrderedDict(
        linear1=nn.Linear(EMBED, HIDDEN),
        relu=nn.ReLU(),
        linear2=nn.Linear(HIDDEN, TEXT),
    )
)
images = nn.functional.normalize(torch.randn(IMAGES, EMBED), dim=-1)
shift = module.meta_net(images)
text = torch.stack([module.ctx + shift[i] for i in range(IMAGES)])
d_text = torch.randn(text.shape)
(text * d_text).sum().backward()
parameters = dict(module.named_parameters())
print(
    json.dumps(
        {
            "text_width": TEXT,
            "embed": EMBED,
            "hidden": HIDDEN,
            "context": CONTEXT,
            "images": numbers(images),
            "text": numbers(text),
            "d_text": numbers(d_text),
            "parameters": {k: numbers(v) for k, v in parameters.items()},
            "gradients": {k: numbers(v.grad) for k, v in parameters.items()},
        }
    )
)
