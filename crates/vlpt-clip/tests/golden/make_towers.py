"""Writes towers/: small random CLIP models, inputs, and what transformers and PyTorch make of them.

    python make_towers.py          (torch, transformers, safetensors; any recent versions)

Each folder holds a model as Hugging Face stores it (config.json, model.safetensors) and
cases.safetensors. Text cases go through the whole padded computation of 77 tokens. Learned context
vectors are further rows of the token embedding, with ids from the vocabulary's size on, so that the
model itself stays as it is; their gradient is that of these rows. The scalar that is
differentiated is sum(features * d_features).
"""

import json
from pathlib import Path

import torch
from safetensors.torch import save_file
from transformers import CLIPConfig, CLIPModel

VOCAB, LENGTH = 64, 77
SOT, EOT = VOCAB - 2, VOCAB - 1
HERE = Path(__file__).parent / "towers"

MODELS = {
    "quick-gelu": dict(
        act="quick_gelu", embed=20,
        text=dict(width=18, layers=2, heads=3, mlp=30),
        vision=dict(width=16, layers=3, heads=2, mlp=24, image=12, patch=4),
    ),
    "gelu": dict(
        act="gelu", embed=16,
        text=dict(width=12, layers=3, heads=2, mlp=20),
        vision=dict(width=8, layers=4, heads=2, mlp=20, image=16, patch=8),
    ),
    "one-block": dict(
        act="quick_gelu", embed=12,
        text=dict(width=10, layers=1, heads=5, mlp=30),
        vision=dict(width=12, layers=1, heads=1, mlp=20, image=15, patch=5),
    ),
}


def half(sizes):
    return dict(
        hidden_size=sizes["width"], num_hidden_layers=sizes["layers"],
        num_attention_heads=sizes["heads"], intermediate_size=sizes["mlp"],
    )


def build(spec):
    text = half(spec["text"]) | dict(
        vocab_size=VOCAB, max_position_embeddings=LENGTH, hidden_act=spec["act"],
        bos_token_id=SOT, eos_token_id=EOT, pad_token_id=0,
    )
    vision = half(spec["vision"]) | dict(
        image_size=spec["vision"]["image"], patch_size=spec["vision"]["patch"],
        hidden_act=spec["act"],
    )
    config = CLIPConfig(text_config=text, vision_config=vision, projection_dim=spec["embed"])
    model = CLIPModel(config).eval()
    with torch.no_grad():
        for name, p in model.named_parameters():
            if name.endswith("bias"):
                p.normal_(0, 0.1)
            elif "norm" in name or "layrnorm" in name:
                p.normal_(1, 0.2)
            elif name != "logit_scale":
                p.normal_(0, 0.8 / p.shape[-1] ** 0.5 if p.dim() == 2 else 0.3)
    return model


def features(output):
    return output if torch.is_tensor(output) else output.pooler_output


def run_texts(model, ids, prompts):
    """Features and gradient of the prompts: rows VOCAB, VOCAB + 1, ... of the token embedding."""
    table = model.text_model.embeddings.token_embedding
    original = table.weight
    table.weight = torch.nn.Parameter(torch.cat([original.detach(), prompts]))
    table.num_embeddings = table.weight.shape[0]
    out = features(model.get_text_features(input_ids=ids, attention_mask=torch.ones_like(ids)))
    d_features = torch.randn_like(out)
    (out * d_features).sum().backward()
    d_prompts = table.weight.grad[VOCAB:].clone()
    table.weight, table.num_embeddings = original, VOCAB
    return out.detach(), d_features, d_prompts


def text_cases(model, width):
    names = [[5], [6, 7], [5, 8, 9], [10, 11, 12, 13], [5, 8], [14]]
    context = 4
    cases = {}
    for position in ["end", "middle", "front", "none"]:
        for specific in [False, True]:
            if position == "none" and specific:
                continue
            rows = context * (len(names) if specific else 1)
            ids = torch.zeros(len(names), LENGTH, dtype=torch.long)
            for i, name in enumerate(names):
                first = VOCAB + (i * context if specific else 0)
                learned = list(range(first, first + context))
                body = {
                    "end": learned + name,
                    "middle": learned[: context // 2] + name + learned[context // 2 :],
                    "front": name + learned,
                    "none": [20, 21] + name,
                }[position]
                tokens = [SOT, *body, 3, EOT]
                ids[i, : len(tokens)] = torch.tensor(tokens)
            prompts = torch.randn(rows, width) * 0.5
            cases[f"{position}.{'specific' if specific else 'unified'}"] = (ids, prompts)
    # one row in several places, a text twice, one constant text among learned ones, a long text
    ids = torch.zeros(5, LENGTH, dtype=torch.long)
    long = [SOT, VOCAB] + [(7 * i) % 60 + 1 for i in range(LENGTH - 3)] + [EOT]
    texts = [
        [SOT, VOCAB, VOCAB, 9, VOCAB + 1, EOT],
        [SOT, 30, EOT],
        [SOT, 30, VOCAB + 1, EOT],
        [SOT, VOCAB, VOCAB, 9, VOCAB + 1, EOT],
        long,
    ]
    for row, tokens in zip(ids, texts, strict=True):
        row[: len(tokens)] = torch.tensor(tokens)
    cases["mixed"] = (ids, torch.randn(2, width) * 0.5)
    return cases


def run_images(model, pixels, prompts, before):
    """Features under prompts (layers x count x width), inserted after the class token."""
    tower = model.vision_model
    layers, count, _ = prompts.shape
    insert = lambda x, p: torch.cat([x[:, :1], p.expand(len(x), -1, -1), x[:, 1:]], dim=1)
    x = tower.embeddings(pixels)
    if layers and before:
        x = insert(x, prompts[0])
    x = tower.pre_layrnorm(x)
    if layers and not before:
        x = insert(x, prompts[0])
    for l, layer in enumerate(tower.encoder.layers):
        if 0 < l < layers:
            x = insert(torch.cat([x[:, :1], x[:, 1 + count :]], dim=1), prompts[l])
        x = layer(x, attention_mask=None)
        x = x if torch.is_tensor(x) else x[0]
    return model.visual_projection(tower.post_layernorm(x[:, 0]))


def image_cases(model, depth, width):
    cases = {}
    for layers in sorted({1, min(2, depth), depth}):
        for before in [False, True]:
            prompts = torch.randn(layers, 3, width) * 0.7
            cases[f"{layers}.{'before' if before else 'after'}"] = (prompts, before)
    return cases


def main():
    for seed, (name, spec) in enumerate(MODELS.items()):
        torch.manual_seed(seed)
        model = build(spec)
        folder = HERE / name
        folder.mkdir(parents=True, exist_ok=True)
        tensors = {k: v.contiguous() for k, v in model.state_dict().items() if "position_ids" not in k}
        save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
        config = json.loads(model.config.to_json_string(use_diff=False))
        kept = {"hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads",
                "hidden_act", "layer_norm_eps", "vocab_size", "max_position_embeddings",
                "image_size", "patch_size", "num_channels", "eos_token_id", "bos_token_id",
                "projection_dim"}
        small = {"model_type": "clip", "projection_dim": spec["embed"]}
        for part in ["text_config", "vision_config"]:
            small[part] = {k: v for k, v in sorted(config[part].items()) if k in kept}
        (folder / "config.json").write_text(json.dumps(small, indent=2) + "\n")

        out = {}
        for case, (ids, prompts) in text_cases(model, spec["text"]["width"]).items():
            got, d_features, d_prompts = run_texts(model, ids, prompts)
            out |= {f"text.{case}.ids": ids.to(torch.uint8), f"text.{case}.prompts": prompts,
                    f"text.{case}.features": got, f"text.{case}.d_features": d_features,
                    f"text.{case}.d_prompts": d_prompts}
        sizes = spec["vision"]
        pixels = torch.randn(3, 3, sizes["image"], sizes["image"])
        out["pixels"] = pixels
        with torch.no_grad():
            plain = features(model.get_image_features(pixel_values=pixels))
            own = run_images(model, pixels, torch.zeros(0, 0, sizes["width"]), False)
        assert torch.allclose(plain, own, atol=1e-6), "the loop over layers is not the model"
        out["image.none.features"] = plain
        for case, (prompts, before) in image_cases(model, sizes["layers"], sizes["width"]).items():
            prompts.requires_grad_(True)
            got = run_images(model, pixels, prompts, before)
            d_features = torch.randn_like(got)
            (got * d_features).sum().backward()
            out |= {f"image.{case}.prompts": prompts.detach(), f"image.{case}.features": got.detach(),
                    f"image.{case}.d_features": d_features, f"image.{case}.d_prompts": prompts.grad}
        save_file({k: v.contiguous() for k, v in out.items()}, folder / "cases.safetensors")


if __name__ == "__main__":
    main()
