"""Writes checkpoints/{ivlp,promptsrc}*.pth.tar: checkpoints as PromptSRC's code saves them, for mini-clip.

    python make_promptsrc_checkpoints.py     (torch, safetensors; any recent versions)

That code saves the state dict of the whole model: prompts inside the towers, frozen weights (a few of
them are enough here), and for PromptSRC a frozen image tower inside the prompt learner.
expected-promptsrc.safetensors holds, as f32, the parameters that the imports must give.
"""

from collections import OrderedDict
from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent / "checkpoints"
TEXT, VISION, CLASSES, TOKENS = 192, 256, 3, 6  # mini-clip, and texts cut short
TEACHER = "prompt_learner.ZS_image_encoder."
expected = {}


def values(seed, shapes):
    g = torch.Generator().manual_seed(seed)
    return OrderedDict((name, (0.1 * torch.randn(shape, generator=g)).half()) for name, shape in shapes.items())


def prompts(n, m, depth_text, depth_visual):
    later = "transformer.resblocks.{}.VPT_shallow"
    return (
        {"ctx": (n, TEXT), "image_encoder.VPT": (m, VISION)}
        | {"text_encoder." + later.format(i): (n, TEXT) for i in range(1, depth_text)}
        | {"image_encoder." + later.format(i): (m, VISION) for i in range(1, depth_visual)}
    )


def save(file, params, *, teacher=True, extra=None):
    state = OrderedDict(("prompt_learner.ctx" if k == "ctx" else k, v) for k, v in params.items())
    frozen = {"image_encoder.ln_post.weight": (VISION,), "text_encoder.ln_final.weight": (TEXT,), "logit_scale": ()}
    frozen |= {"prompt_learner.token_prefix": (CLASSES, 1, TEXT), "prompt_learner.token_suffix": (CLASSES, TOKENS, TEXT)}
    if teacher:
        frozen |= {TEACHER + "class_embedding": (VISION,), TEACHER + "transformer.resblocks.0.ln_1.weight": (VISION,)}
    state |= values(97, frozen | (extra or {}))
    torch.save({"state_dict": state, "epoch": 20, "val_result": None}, HERE / file)
    expected.update({f"{file}/{name}": value.float().clone() for name, value in params.items()})


save("ivlp.pth.tar", values(20, prompts(2, 1, 3, 2)), teacher=False)
both = values(21, prompts(2, 1, 3, 2))
save("promptsrc.pth.tar", both)
save_file(expected, HERE / "expected-promptsrc.safetensors")
save("promptsrc-extra.pth.tar", both, extra={"prompt_learner.proj.bias": (VISION,)})  # no parameter of it
del both["text_encoder.transformer.resblocks.1.VPT_shallow"]
save("promptsrc-gap.pth.tar", both)
