"""Writes attention/: what the class token of the models of towers/ looks at.

    python make_attention.py          (torch, transformers, safetensors; any recent versions)

Without prompts the numbers are transformers' own (`output_attentions`). With prompts they come from
a plain loop over the layers, which is checked against transformers where there are no prompts.
Columns are put in the order class token, patches, prompts; rows are images x blocks x heads.
"""

import json
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from transformers import CLIPConfig, CLIPModel

HERE = Path(__file__).parent


def load(folder):
    config = CLIPConfig(**json.loads((folder / "config.json").read_text()))
    model = CLIPModel._from_config(config, attn_implementation="eager").eval()
    missing, unexpected = model.load_state_dict(load_file(folder / "model.safetensors"), strict=False)
    assert not unexpected and all("position_ids" in name for name in missing), (missing, unexpected)
    return model


def looks(tower, pixels, prompts, before):
    """Prompts (layers x count x width) stand behind the patches, so no column has to move."""
    layers, count, _ = prompts.shape
    heads = tower.config.num_attention_heads
    put = lambda x, p: torch.cat([x, p.expand(len(x), -1, -1)], dim=1)
    x = tower.embeddings(pixels)
    own = x.shape[1]
    if layers and before:
        x = put(x, prompts[0])
    x = tower.pre_layrnorm(x)
    if layers and not before:
        x = put(x, prompts[0])
    seen = []
    for l, layer in enumerate(tower.encoder.layers):
        if 0 < l < layers:
            x = put(x[:, :own], prompts[l])
        h = layer.layer_norm1(x)
        part = lambda y: y.unflatten(-1, (heads, -1)).transpose(1, 2)
        q, k = part(layer.self_attn.q_proj(h)), part(layer.self_attn.k_proj(h))
        scores = q[:, :, :1] @ k.transpose(-1, -2) / q.shape[-1] ** 0.5
        seen.append(scores.softmax(-1)[:, :, 0])
        x = layer(x, attention_mask=None)
        x = x if torch.is_tensor(x) else x[0]
    return torch.stack(seen, dim=1)


@torch.no_grad()
def main():
    (HERE / "attention").mkdir(exist_ok=True)
    for folder in sorted((HERE / "towers").iterdir()):
        model, cases = load(folder), load_file(folder / "cases.safetensors")
        tower, pixels = model.vision_model, cases["pixels"]
        own = tower(pixel_values=pixels, output_attentions=True).attentions
        own = torch.stack([layer[:, :, 0] for layer in own], dim=1)
        none = torch.zeros(0, 0, tower.config.hidden_size)
        assert torch.allclose(own, looks(tower, pixels, none, False), atol=1e-6)
        out = {"image.none": own}
        for name in sorted(cases):
            if name.startswith("image.") and name.endswith(".prompts"):
                case = name.removesuffix(".prompts")
                out[case] = looks(tower, pixels, cases[name], case.endswith("before"))
        save_file({k: v.contiguous() for k, v in out.items()}, HERE / "attention" / f"{folder.name}.safetensors")


if __name__ == "__main__":
    main()
