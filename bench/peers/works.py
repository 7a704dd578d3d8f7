"""The works that are compared: what each is given, and what PyTorch can do about it."""
import json

import torch
from safetensors.torch import save_file

from clip import PHOTO, POSITIONS, RANK, SIZES, STOP, config, weights

def prepare(size, folder):
    """Weights, configuration and the inputs of each work."""
    w, side = weights(size), size["v"]["image"]
    save_file(w, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config(size)))
    torch.manual_seed(1)
    names = torch.full((100, 4), -1.0)
    for c in range(100):
        count = 1 + c % 3
        names[c, : count + 1] = torch.tensor([*torch.randint(300, 40000, (count,)).tolist(), STOP]).float()
    image = lambda n: torch.randn(n, 3, side, side)
    visual = lambda blocks, rows: torch.randn(blocks, rows, size["v"]["width"]) * 0.05
    context = lambda blocks, rows: torch.randn(blocks, rows, size["t"]["width"]) * 0.02
    case = dict(images=image(8), visual=visual(size["v"]["layers"], 10), context=context(1, 16), names=names)
    save = lambda work, **other: save_file(case | other, folder / f"{work}.safetensors")
    save("vpt")
    save("coop")
    save("features", images=image(32))
    deep = min(9, size["v"]["layers"], size["t"]["layers"])
    for work, rows in (("maple", 2), ("promptsrc", 4)):
        save(work, images=image(4), visual=visual(deep, rows), context=context(deep, rows))
    plain = torch.cat([torch.tensor(PHOTO).float().expand(len(names), -1), names], 1)
    updates = dict(scale=torch.tensor([RANK**-0.5]))
    for name, s in (("text", size["t"]), ("vision", size["v"])):
        updates[f"{name}_a"] = torch.randn(s["layers"], 3, RANK, s["width"]) * s["width"] ** -0.5
        updates[f"{name}_b"] = torch.randn(s["layers"], 3, s["width"], RANK) * 0.1
    none = dict(images=image(32), visual=visual(0, 0), context=context(0, 0), names=plain)
    save("lora", **none, **updates)
    tuned = {}
    for name, s in (("text", size["t"]), ("vision", size["v"])):
        norms = 2 * s["layers"] + (2 if name == "vision" else 1)
        tuned[f"{name}_scale"] = 1 + torch.randn(norms, s["width"]) * 0.1
        tuned[f"{name}_shift"] = torch.randn(norms, s["width"]) * 0.02
    save("norms", **none, **tuned)
    first = size["v"]["layers"] * 5 // 12
    late = dict(first=torch.tensor([float(first)]), row_projection=torch.randn(size["v"]["width"], size["embed"]) * size["v"]["width"] ** -0.5)
    blocks = lambda s: size[s]["layers"] - first
    late |= dict(images=image(32), visual=visual(blocks("v"), 5), context=context(blocks("t"), 5), names=plain)
    save("mmrl", **late)
    save("mmrlpp", carry=torch.tensor([0.1]), **late)
    own = torch.randn(len(names), 4, size["t"]["width"]) * 0.02
    save("tcp", context=context(1, 4), text_rows=own, text_rows_block=torch.tensor([float(size["t"]["layers"] * 8 // 12)]))


LABELS = {"vpt": "VPT-deep step", "coop": "CoOp step", "features": "image features"}
LABELS |= {"maple": "MaPLe step", "promptsrc": "PromptSRC step", "lora": "CLIP-LoRA step", "norms": "2SFS step"}
LABELS |= {"mmrl": "MMRL step", "mmrlpp": "MMRL++ step", "tcp": "TCP step"}
# What vlpt's program calls each work.
LINES = {"vpt": "images", "coop": "texts", "tcp": "texts", "features": "features", "promptsrc": "promptsrc"}


def variants(peer, tag, work):
    """What PyTorch can do about a work: name, function and the parameters of its step, tower by tower."""
    whole, cut = lambda: peer.texts(POSITIONS), lambda: peer.texts(peer.last)
    visual, context = [peer.visual], [peer.context]
    if work == "vpt":
        yield f"PyTorch {tag}, as published", peer.vpt_plain, [visual]
        yield f"PyTorch {tag}, shared prompt keys", peer.vpt_shared, [visual]
        yield f"PyTorch {tag}, shared prompt keys, compiled", torch.compile(peer.vpt_shared), [visual]
    elif work == "coop":
        yield f"PyTorch {tag}, as published (77 tokens)", whole, [context]
        yield f"PyTorch {tag}, cut to {peer.last} tokens", cut, [context]
        yield f"PyTorch {tag}, shared context", peer.texts_shared, [context]
        yield f"PyTorch {tag}, shared context, compiled", torch.compile(peer.texts_shared), [context]
    elif work == "features":
        yield f"PyTorch {tag}", peer.features, []
        yield f"PyTorch {tag}, compiled", torch.compile(peer.features), []
    elif work == "tcp":
        learned = [[peer.context, peer.text_rows]]
        yield f"PyTorch {tag}, as published (77 tokens)", whole, learned
        yield f"PyTorch {tag}, cut to {peer.last} tokens", cut, learned
        yield f"PyTorch {tag}, shared context", peer.texts_own_shared, learned
    elif work in ("mmrl", "mmrlpp"):
        learned = [[peer.context], [peer.visual, peer.row_projection]]
        entered = lambda length: lambda: peer.texts_entered(peer.texts_before(length))
        known = peer.texts_before(peer.last)
        yield f"PyTorch {tag}, as published (77 tokens)", lambda: peer.mmrl(entered(POSITIONS)), learned
        yield f"PyTorch {tag}, cut to {peer.last} tokens", lambda: peer.mmrl(entered(peer.last)), learned
        yield f"PyTorch {tag}, cut, first blocks kept", lambda: peer.mmrl(lambda: peer.texts_entered(known)), learned
    elif work == "norms":
        learned = [[parameter for norm in tower.all_norms for parameter in norm] for tower in (peer.text, peer.vision)]
        yield f"PyTorch {tag}, as published (77 tokens)", lambda: peer.norms(whole), learned
        yield f"PyTorch {tag}, cut to {peer.last} tokens", lambda: peer.norms(cut), learned
        yield f"PyTorch {tag}, shared beginning", lambda: peer.norms(peer.texts_shared), learned
    elif work == "lora":
        updates = [[matrix for block in tower.updates for pair in block for matrix in pair] for tower in (peer.text, peer.vision)]
        yield f"PyTorch {tag}, as published (77 tokens)", lambda: peer.lora(whole), updates
        yield f"PyTorch {tag}, cut to {peer.last} tokens", lambda: peer.lora(cut), updates
        yield f"PyTorch {tag}, shared beginning, fused", lambda: peer.lora(peer.texts_shared, fused=True), updates
    else:
        step, prompts = getattr(peer, work), [context, visual]
        yield f"PyTorch {tag}, as published (77 tokens)", lambda: step(whole), prompts
        yield f"PyTorch {tag}, cut to {peer.last} tokens", lambda: step(cut), prompts
        yield f"PyTorch {tag}, shared context", lambda: step(peer.texts_shared), prompts
