"""Writes checkpoints/: checkpoints as the published trainers save them, for mini-clip.

    python make_checkpoints.py     (torch, safetensors, numpy; any recent versions)

Each file is a torch.save of {state_dict, epoch, optimizer, scheduler, val_result}. The schedule of
those trainers with its warm-up keeps a second schedule as an object, and that one the optimiser, so
that both classes are named in the file. Files called `legacy` are in the format of PyTorch before
1.6. The texts of the buffers token_prefix and token_suffix are cut to a few tokens, as the trainers
can do, to keep the files small. expected.safetensors holds, as f32, the parameters that each import
must give, and the averages that torch makes of the three seeds.
"""

from collections import OrderedDict
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent / "checkpoints"
TEXT, VISION, LAYERS, EMBED = 192, 256, 8, 256  # mini-clip
CLASSES, TOKENS = 3, 6
expected = {}


def values(seed, shapes, dtype):
    """Random tensors of the given names and shapes."""
    g = torch.Generator().manual_seed(seed)
    return OrderedDict(
        (name, (0.1 * torch.randn(shape, generator=g)).to(dtype)) for name, shape in shapes.items()
    )


def training_state(params):
    """Optimiser and schedule after one step, as dicts."""
    params = [torch.nn.Parameter(p.clone()) for p in params]
    optimizer = torch.optim.SGD(params, lr=0.002, momentum=0.9, weight_decay=5e-4)
    successor = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 50.0)
    for p in params:
        p.grad = torch.full_like(p, 0.5)
    optimizer.step()
    schedule = dict(
        successor=successor, warmup_epoch=1, cons_lr=1e-5, base_lrs=[0.002], last_epoch=50,
        verbose=False, _step_count=51, _get_lr_called_within_step=False, _last_lr=[1e-5],
    )
    return optimizer.state_dict(), schedule


def save(file, params, *, epoch=50, result=81.5, legacy=False, train=True, rename=lambda k: k, buffers=True):
    state = OrderedDict((rename(k), v) for k, v in params.items())
    if buffers:
        dtype = next(iter(params.values())).dtype
        state |= values(99, {"token_prefix": (CLASSES, 1, TEXT)}, dtype)
        state |= values(98, {"token_suffix": (CLASSES, TOKENS, TEXT)}, dtype)
    content = {"state_dict": state, "epoch": epoch}
    if train:
        content["optimizer"], content["scheduler"] = training_state(params.values())
    content["val_result"] = result
    path = HERE / file
    torch.save(content, path, _use_new_zipfile_serialization=not legacy)
    if legacy:  # the name the function had in NumPy 1
        path.write_bytes(path.read_bytes().replace(b"numpy._core.multiarray", b"numpy.core.multiarray"))
    if not legacy or file.removesuffix("-legacy.pth.tar") != "upt":  # the same values as in upt.pth.tar
        expected.update({f"{file}/{name}": value.float().clone() for name, value in params.items()})


def upt(width):
    """MVLPT's shared projection: linear layers in and out around one block of CLIP's transformer."""
    names = OrderedDict()
    for side, own in (("vpt", VISION), ("coop", TEXT)):
        for way, (a, b) in (("pre", (own, width)), ("post", (width, own))):
            names[f"mvlpt_proj_ctx_{side}_{way}.weight"] = (b, a)
            names[f"mvlpt_proj_ctx_{side}_{way}.bias"] = (b,)
    block = "mvlpt_proj.resblocks.0."
    names |= {
        block + "attn.in_proj_weight": (3 * width, width), block + "attn.in_proj_bias": (3 * width,),
        block + "attn.out_proj.weight": (width, width), block + "attn.out_proj.bias": (width,),
        block + "ln_1.weight": (width,), block + "ln_1.bias": (width,),
        block + "mlp.c_fc.weight": (4 * width, width), block + "mlp.c_fc.bias": (4 * width,),
        block + "mlp.c_proj.weight": (width, 4 * width), block + "mlp.c_proj.bias": (width,),
        block + "ln_2.weight": (width,), block + "ln_2.bias": (width,),
    }
    return names


def main():
    HERE.mkdir(exist_ok=True)
    half, full = torch.float16, torch.float32
    save("coop-legacy.pth.tar", values(1, {"ctx": (2, TEXT)}, half), legacy=True, result=np.float64(81.5))
    save("coop-class-specific.pth.tar", values(2, {"ctx": (CLASSES, 2, TEXT)}, full), epoch=200)
    meta = {
        "meta_net.linear1.weight": (EMBED // 16, EMBED), "meta_net.linear1.bias": (EMBED // 16,),
        "meta_net.linear2.weight": (TEXT, EMBED // 16), "meta_net.linear2.bias": (TEXT,),
    }
    cocoop = values(3, {"ctx": (2, TEXT)} | meta, half)
    save("cocoop.pth.tar", cocoop, epoch=10, rename=lambda k: "module.prompt_learner." + k, buffers=False)
    save(
        "cocoop-mvlpt.pth.tar", values(4, {"ctx": (2, TEXT)} | meta, half),
        rename=lambda k: "cocoop_ctx" if k == "ctx" else k, train=False,
    )
    deep = {"vpt_embeddings": (1, 1, VISION), "vpt_embeddings_deep": (LAYERS - 1, 1, VISION)}
    save("vpt-legacy.pth.tar", values(5, deep, half), legacy=True)
    shallow = {"vpt_embeddings": (1, 2, 8), "vpt_proj.weight": (VISION, 8), "vpt_proj.bias": (VISION,)}
    save("vpt-projected.pth.tar", values(6, shallow, full), buffers=False, train=False)
    save("joint.pth.tar", values(7, {"ctx": (2, TEXT)} | deep, torch.bfloat16), train=False)

    unified = values(8, deep | {"ctx": (2, TEXT)} | upt(4), half)
    for name in unified:  # the transformer stays in single precision
        if name.startswith("mvlpt_proj."):
            unified[name] = unified[name].float()
    save("upt.pth.tar", unified, train=False)
    save("upt-legacy.pth.tar", unified, legacy=True, rename=lambda k: k.replace("mvlpt_proj", "upt_proj"))

    seeds = [values(10 + i, {"ctx": (2, TEXT)}, full) for i in range(3)]
    for i, seed in enumerate(seeds):
        save(f"seed{i + 1}.pth.tar", seed, train=False, buffers=False)
    expected["average/ctx"] = torch.stack([seed["ctx"] for seed in seeds]).mean(0)
    save_file(expected, HERE / "expected.safetensors")


if __name__ == "__main__":
    main()
