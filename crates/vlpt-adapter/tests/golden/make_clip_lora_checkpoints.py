"""Writes checkpoints/clip-lora*.pt: low-rank updates as CLIP-LoRA's code saves them, for mini-clip.

    python make_clip_lora_checkpoints.py     (torch, safetensors; any recent versions)

A file is a torch.save of {weights, metadata}: for each adapted layer, counted through, the text tower's
first, a dict of projections with their two matrices; and the options. clip-lora.safetensors holds, as f32,
the parameters that the import must give, by their names.
"""

from pathlib import Path

import torch
from safetensors.torch import save_file

HERE = Path(__file__).parent / "checkpoints"
RANK, TEXT, VISION = 1, (4, 192), (8, 256)  # mini-clip: blocks and width
PROJECTIONS = ("q_proj", "v_proj")


def save(file, towers, encoder, extra=None):
    g = torch.Generator().manual_seed(17)
    draw = lambda *shape: 0.1 * torch.randn(shape, generator=g)
    weights, expected = {}, {}
    for tower, (blocks, width) in towers.items():
        for block in range(blocks):
            layer = weights.setdefault(f"layer_{len(weights)}", {})
            for name in PROJECTIONS:
                a, b = draw(RANK, width).half(), draw(width, RANK).half()
                layer[name] = {"w_lora_A": a, "w_lora_B": b}
                stem = f"base_model.model.{tower}_model.encoder.layers.{block}.self_attn.{name}"
                expected |= {f"{stem}.lora_A.weight": a.float(), f"{stem}.lora_B.weight": b.float()}
    weights |= extra or {}
    metadata = {"r": RANK, "alpha": 1, "encoder": encoder, "params": ["q", "v"], "position": "all"}
    torch.save({"weights": weights, "metadata": metadata}, HERE / file)
    return expected


if __name__ == "__main__":
    both = {"text": TEXT, "vision": VISION}
    save_file(save("clip-lora.pt", both, "both"), HERE / "clip-lora.safetensors")
    save("clip-lora-vision.pt", {"vision": (2, VISION[1])}, "vision")
    save("clip-lora-extra.pt", both, "both", {"layer_12": {"q_proj": {"scale": torch.ones(1)}}})
