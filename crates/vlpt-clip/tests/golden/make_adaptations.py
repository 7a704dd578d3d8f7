"""Writes adaptations/: what PyTorch makes of the models of towers/ under adaptations, with gradients.

    python make_adaptations.py          (torch, transformers, safetensors; any recent versions)

The blocks are written out here with plain operations on the model's own layers, so that anything can
be changed in them; without a change they are checked against the model. Texts go through one by one,
without padding. Learned tokens have ids from the vocabulary's size on. Each model has a list of cases
(MODEL.json) and their numbers (MODEL.safetensors). The scalar that is differentiated is
sum(features * d_features).
"""

import json
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from transformers import CLIPModel

VOCAB = 64
SOT, EOT = VOCAB - 2, VOCAB - 1
HERE = Path(__file__).parent
LAYERS = {"Q": "q_proj", "K": "k_proj", "V": "v_proj", "Out": "out_proj", "Fc1": "fc1", "Fc2": "fc2"}


def linear(layer, x, name, updates):
    y = layer(x)
    own = [u for u in updates if u["layer"] == name]
    for u in own:
        if "a" in u:
            y = y + u["factor"] * (x @ u["a"].T) @ u["b"].T
    return scaled(y, name, updates)


def scaled(y, name, updates):
    for u in updates:
        if u["layer"] == name and "scale" in u:
            y = y * u["scale"] + u["shift"]
    return y


def block(layer, x, causal, updates):
    """x: tokens x width."""
    attention, mlp = layer.self_attn, layer.mlp
    h = scaled(layer.layer_norm1(x), "Ln1", updates)
    split = lambda t: t.view(len(x), attention.num_heads, -1).transpose(0, 1)
    q, k, v = (
        split(linear(getattr(attention, LAYERS[n]), h, n, updates)) for n in ["Q", "K", "V"]
    )
    o = F.scaled_dot_product_attention(q, k, v, is_causal=causal)
    o = o.transpose(0, 1).reshape(len(x), -1)
    x = x + linear(attention.out_proj, o, "Out", updates)
    h = mlp.activation_fn(linear(mlp.fc1, scaled(layer.layer_norm2(x), "Ln2", updates), "Fc1", updates))
    return x + linear(mlp.fc2, h, "Fc2", updates)


def own(updates, l):
    return [u for u in updates if u["block"] == l]


def run_text(model, tokens, case):
    tower = model.text_model
    table, positions = tower.embeddings.token_embedding.weight, tower.embeddings.position_embedding
    prompts, first = case.get("values"), case.get("first", 0)
    learned = torch.tensor([t >= VOCAB for t in tokens])
    rows = [t - VOCAB for t in tokens if t >= VOCAB]
    if first == 0:
        x = torch.stack([prompts[0, t - VOCAB] if t >= VOCAB else table[t] for t in tokens])
    else:
        x = table[[t for t in tokens if t < VOCAB]]
    x = x + positions.weight[: len(x)]
    for l, layer in enumerate(tower.encoder.layers):
        if prompts is not None and any(learned) and l > 0 and first <= l < first + len(prompts):
            words = iter(x if l == first else x[~learned])
            mine = prompts[l - first][rows]
            mine = iter(mine if l == first else mixed(mine, x[learned], case))
            x = torch.stack([next(mine) if is_learned else next(words) for is_learned in learned])
        x = block(layer, x, True, own(case["updates"], l))
    h = tower.final_layer_norm(x[-1])
    return project(model.text_projection, h, case)


def run_image(model, pixels, number, case):
    tower = model.vision_model
    prompts, first = case.get("values"), case.get("first", 0)
    if prompts is not None and case.get("per_image"):
        prompts = prompts[number]
    x = tower.embeddings(pixels[None])[0]
    if prompts is not None and first == 0 and case.get("before"):
        x = tower.pre_layrnorm(torch.cat([x, prompts[0]]))
    else:
        x = tower.pre_layrnorm(x)
        if prompts is not None and first == 0:
            x = torch.cat([x, prompts[0]])
    for l, layer in enumerate(tower.encoder.layers):
        if prompts is not None and l > 0 and first <= l < first + len(prompts):
            count = prompts.shape[1]
            kept, mine = (x, prompts[0]) if l == first else (
                x[:-count], mixed(prompts[l - first], x[-count:], case))
            x = torch.cat([kept, mine])
        x = block(layer, x, False, own(case["updates"], l))
    feature = project(model.visual_projection, tower.post_layernorm(x[0]), case)
    if case.get("row_projection") is None:
        return feature
    rows = scaled(tower.post_layernorm(x[-prompts.shape[1] :]), "LnFinal", case["updates"])
    return torch.cat([feature, rows.mean(0) @ case["row_projection"]])


def mixed(values, before, case):
    """What enters a block after the first one with rows: `before` is what came out of the last one."""
    carry = case.get("carry", 0)
    return (1 - carry) * values + carry * before


def project(layer, h, case):
    h = scaled(h, "LnFinal", case["updates"])
    return layer(h) if case.get("projection") is None else h @ case["projection"]


def leaf(*shape, size):
    return (torch.randn(*shape) * size).requires_grad_(True)


def low_rank(sizes, block, layers, rank=2, factor=0.7):
    width, mlp = sizes
    shape = {"Fc1": (mlp, width), "Fc2": (width, mlp)}
    for layer in layers:
        outputs, inputs = shape.get(layer, (width, width))
        yield dict(block=block, layer=layer, factor=factor, a=leaf(rank, inputs, size=0.4),
                   b=leaf(outputs, rank, size=0.4))


def scale_shift(sizes, block, layers):
    for layer in layers:
        outputs = sizes[1] if layer == "Fc1" else sizes[0]
        scale = (1 + 0.3 * torch.randn(outputs)).requires_grad_(True)
        yield dict(block=block, layer=layer, scale=scale, shift=leaf(outputs, size=0.2))


def cases(config, embed, text):
    depth, width = config.num_hidden_layers, config.hidden_size
    sizes = (width, config.intermediate_size)
    rows, images = 3, 3
    every = ["Q", "K", "V", "Out", "Fc1", "Fc2"]
    rank = lambda layers, blocks: [u for l in blocks for u in low_rank(sizes, l, layers)]
    affine = lambda layers, blocks: [u for l in blocks for u in scale_shift(sizes, l, layers)]
    deep = lambda first, blocks: dict(first=first, values=leaf(blocks, rows, width, size=0.6))
    blocks = range(depth)
    found = {
        "qkv": dict(updates=rank(["Q", "K", "V"], blocks)),
        "rest": dict(updates=rank(["Out", "Fc1", "Fc2"], blocks)),
        "scaled": dict(updates=affine(every, blocks)),
        "both": dict(updates=affine(every, blocks) + rank(every, blocks)) | deep(0, 1),
        "last": dict(updates=rank(every, [depth - 1])),
        "projection": dict(projection=leaf(width, embed, size=0.3)),
        "all": dict(updates=rank(["Q", "V", "Fc2"], blocks), projection=leaf(width, embed, size=0.3))
        | deep(0, depth),
    }
    for n in range(2, depth + 1):
        found[f"deep.{n}"] = deep(0, n)
    for first in range(1, depth):
        for n in range(1, depth - first + 1):
            found[f"inserted.{first}.{n}"] = deep(first, n)
    final = affine(["LnFinal"], [depth])
    found["norms"] = dict(updates=affine(["Ln1", "Ln2"], blocks) + final)
    found["norms.twice"] = dict(updates=affine(["Ln1", "Ln1", "Ln2"], [depth - 1]))
    found["norms.prompted"] = deep(0, depth) | dict(
        updates=affine(["Ln1", "Ln2"], blocks) + rank(["Q", "V", "Fc1"], blocks))
    found["norm.final"] = dict(updates=affine(["LnFinal", "LnFinal"], [depth]),
                               projection=leaf(width, embed, size=0.3))
    if depth > 2:
        found["inserted.updated"] = deep(2, 1) | dict(updates=rank(["Q", "Fc1"], [1, 2]))
        found["inserted.late"] = deep(1, depth - 1) | dict(updates=rank(["V"], [depth - 1]))
    if not text:
        for before in [False, True]:
            for n in {1, depth}:
                values = leaf(images, n, rows, width, size=0.6)
                name = f"own.{n}.{'before' if before else 'after'}"
                found[name] = dict(values=values, per_image=True, before=before)
        found["both.before"] = dict(updates=rank(["K", "V"], blocks), before=True) | deep(0, depth)
        if depth > 1:
            values = leaf(images, depth - 1, rows, width, size=0.6)
            found["own.inserted"] = dict(first=1, values=values, per_image=True,
                                         updates=rank(["K", "V", "Out"], blocks))
    for case in found.values():
        case.setdefault("updates", [])
    return found


def texts(learned):
    context = [VOCAB, VOCAB + 1, VOCAB + 2] if learned else [20, 21, 22]
    names = [[5], [6, 7], [5, 8, 9], [10, 11, 12, 13]]
    found = [[SOT, *context, *name, 3, EOT] for name in names]
    found += [[SOT, *name, *context, 3, EOT] for name in names[:2]]
    found += [[SOT, context[0], 7, *context[1:], EOT], [SOT, 9, 9, EOT], [SOT, context[2], 5, EOT]]
    return found


def write_case(name, case, features, d_features, out):
    (features * d_features).sum().backward()
    put = lambda key, value: out.__setitem__(f"{name}.{key}", value.detach().clone())
    put("features", features)
    put("d_features", d_features)
    about = dict(name=name, first=case.get("first", 0), before=case.get("before", False),
                 per_image=case.get("per_image", False), updates=[])
    if case.get("carry"):
        about["carry"] = case["carry"]
    for key in ["values", "projection", "row_projection"]:
        if case.get(key) is not None:
            put(key, case[key])
            put(f"d_{key}", case[key].grad)
    for i, update in enumerate(case["updates"]):
        kept = ("block", "layer", "factor")
        about["updates"].append({k: update[k] for k in kept if k in update})
        for key in ["a", "b", "scale", "shift"]:
            if key in update:
                put(f"{i}.{key}", update[key])
                put(f"{i}.d_{key}", update[key].grad)
    return about


def main():
    (HERE / "adaptations").mkdir(exist_ok=True)
    for seed, name in enumerate(["quick-gelu", "gelu", "one-block"]):
        torch.manual_seed(100 + seed)
        model = CLIPModel.from_pretrained(HERE / "towers" / name).eval().requires_grad_(False)
        config = model.config
        plain = dict(updates=[])
        tokens = texts(False)[0]
        ids = torch.tensor([tokens])
        out = model.get_text_features(input_ids=ids, attention_mask=torch.ones_like(ids))
        pooled = lambda x: x if torch.is_tensor(x) else x.pooler_output
        assert torch.allclose(pooled(out)[0], run_text(model, tokens, plain), atol=1e-6)
        image = config.vision_config.image_size
        pixels = torch.randn(3, 3, image, image)
        own = torch.stack([run_image(model, p, i, plain) for i, p in enumerate(pixels)])
        assert torch.allclose(pooled(model.get_image_features(pixel_values=pixels)), own, atol=1e-6)

        numbers, about = {"pixels": pixels}, []
        for case_name, case in cases(config.text_config, config.projection_dim, True).items():
            given = texts("values" in case)
            features = torch.stack([run_text(model, t, case) for t in given])
            full = f"text.{case_name}"
            one = write_case(full, case, features, torch.randn_like(features), numbers)
            about.append(one | dict(texts=given))
        for case_name, case in cases(config.vision_config, config.projection_dim, False).items():
            features = torch.stack([run_image(model, p, i, case) for i, p in enumerate(pixels)])
            full = f"image.{case_name}"
            about.append(write_case(full, case, features, torch.randn_like(features), numbers))
        folder = HERE / "adaptations"
        save_file({k: v.contiguous() for k, v in numbers.items()}, folder / f"{name}.safetensors")
        text = ",\n ".join(json.dumps(case) for case in about)
        (folder / f"{name}.json").write_text(f"[{text}]\n")


if __name__ == "__main__":
    main()
