"""Trains mini-clip: see README.md beside this file for the command, its time and its result."""

import argparse
import json
import math
import pathlib
import random
import time

import numpy as np
import torch
import torch.nn.functional as F
from transformers import CLIPConfig, CLIPModel

import data
import vocabulary

ROOT = pathlib.Path(__file__).resolve().parents[2]
MERGES = ROOT / "crates/vlpt-clip/assets/openai-bpe/bpe_simple_vocab_16e6.txt.gz"
SIDE, PATCH, EMBED = 64, 8, 128
PATCHES = (SIDE // PATCH) ** 2
MEAN = [0.48145466, 0.4578275, 0.40821073]
STD = [0.26862954, 0.26130258, 0.27577711]
HELD_OUT = 2000


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of *.parquet and classes.json")
    parser.add_argument("--out", required=True, help="folder to write the model to")
    parser.add_argument("--images", type=int, default=514_000, help="images seen in all")
    parser.add_argument("--batch", type=int, default=384)
    parser.add_argument("--lr", type=float, default=1e-3)
    parser.add_argument("--merges", type=int, default=4096, help="merges of the tokenizer")
    parser.add_argument("--merges-file", default=MERGES)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    return parser.parse_args()


def build(tokenizer):
    text = dict(
        vocab_size=tokenizer.size,
        hidden_size=128,
        intermediate_size=512,
        num_hidden_layers=4,
        num_attention_heads=2,
        max_position_embeddings=77,
        hidden_act="quick_gelu",
        projection_dim=EMBED,
        bos_token_id=tokenizer.start,
        eos_token_id=tokenizer.end,
        pad_token_id=tokenizer.end,
    )
    vision = dict(
        hidden_size=192,
        intermediate_size=768,
        num_hidden_layers=8,
        num_attention_heads=3,
        image_size=SIDE,
        patch_size=PATCH,
        hidden_act="quick_gelu",
        projection_dim=EMBED,
    )
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=EMBED))


def augment(x):
    """Random resized crop and flip as one affine grid, brightness, now and then grey."""
    n, device = len(x), x.device
    uniform = lambda *shape: torch.rand(*shape, device=device)
    scale = (0.35 + 0.65 * uniform(n)).sqrt()
    ratio = ((math.log(0.75) + uniform(n) * math.log(1.333 / 0.75)).exp()).sqrt()
    width, height = (scale * ratio).clamp(max=1), (scale / ratio).clamp(max=1)
    grid = torch.zeros(n, 2, 3, device=device)
    grid[:, 0, 0] = width * ((uniform(n) < 0.5).float() * 2 - 1)
    grid[:, 0, 2] = (uniform(n) * 2 - 1) * (1 - width)
    grid[:, 1, 1] = height
    grid[:, 1, 2] = (uniform(n) * 2 - 1) * (1 - height)
    places = F.affine_grid(grid, x.shape, align_corners=False)
    x = F.grid_sample(x, places, mode="bilinear", padding_mode="reflection", align_corners=False)
    x = x * (0.75 + 0.5 * uniform(n, 1, 1, 1))
    grey = (uniform(n, 1, 1, 1) < 0.1).float()
    return (grey * x.mean(1, keepdim=True) + (1 - grey) * x).clamp(0, 1)


def text_features(model, tokenizer, captions, device):
    ids, mask = tokenizer.batch(captions, device)
    pooled = model.text_model(input_ids=ids, attention_mask=mask).pooler_output
    return F.normalize(model.text_projection(pooled).float(), dim=-1)


def image_features(model, x, keep=PATCHES):
    """With `keep` below all patches, a random choice of them: most of the run sees fewer."""
    tower = model.vision_model
    hidden = tower.embeddings(x)
    if keep < PATCHES:
        chosen = torch.rand(len(x), PATCHES, device=x.device).argsort(1)[:, :keep] + 1
        patches = hidden.gather(1, chosen[..., None].expand(-1, -1, hidden.shape[-1]))
        hidden = torch.cat([hidden[:, :1], patches], 1)
    hidden = tower.encoder(inputs_embeds=tower.pre_layrnorm(hidden)).last_hidden_state
    return F.normalize(model.visual_projection(tower.post_layernorm(hidden[:, 0])).float(), dim=-1)


def loss_of(model, images, texts, labels, classes, which):
    """Each class of the batch has two captions: two softmaxes over classes for an image, and all
    images of its class as targets for a caption."""
    logits = model.logit_scale.exp().clamp(max=100) * images @ texts.T
    count = len(classes)
    halves = [logits[:, :count], logits[:, count:]]
    to_text = sum(F.cross_entropy(half, which, label_smoothing=0.05) for half in halves) / 2
    positive = (torch.cat([classes, classes])[:, None] == labels[None, :]).float()
    positive = positive / positive.sum(1, keepdim=True)
    to_image = -(positive * F.log_softmax(logits.T, 1)).sum(1).mean()
    return to_text + 0.5 * to_image


@torch.no_grad()
def evaluate(model, tokenizer, batches, names, device):
    """Zero-shot top-1 over all classes."""
    model.eval()
    texts = text_features(model, tokenizer, [f"a photo of a {n[0]}." for n in names], device)
    right = total = 0
    for x, labels in batches:
        right += ((image_features(model, x) @ texts.T).argmax(1) == labels).sum().item()
        total += len(labels)
    model.train()
    return right / total


def write(model, folder):
    """The Hugging Face folder, weights in f16."""
    model.half().save_pretrained(folder)
    preprocessor = {
        "image_processor_type": "CLIPImageProcessor",
        "do_convert_rgb": True,
        "do_resize": True,
        "size": {"shortest_edge": SIDE},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": SIDE, "width": SIDE},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": MEAN,
        "image_std": STD,
    }
    text = json.dumps(preprocessor, indent=2) + "\n"
    (folder / "preprocessor_config.json").write_text(text)


def main():
    args = arguments()
    out = pathlib.Path(args.out)
    out.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(args.seed)
    captions = random.Random(args.seed)
    order = np.random.RandomState(args.seed)
    device = torch.device(args.device)

    vocabulary.write(args.merges_file, out, args.merges)
    tokenizer = vocabulary.Tokenizer(out)
    images, labels, names = data.load(args.data, SIDE)
    images = torch.from_numpy(images).to(device)
    labels = torch.from_numpy(labels).to(device)
    shuffled = np.random.RandomState(1).permutation(len(labels))
    held_out, train = shuffled[:HELD_OUT], shuffled[HELD_OUT:]

    model = build(tokenizer).to(device).train()
    print(f"{sum(p.numel() for p in model.parameters()) / 1e6:.2f} M parameters on {device}")
    decay = [p for n, p in model.named_parameters() if p.ndim > 1 and "embedding" not in n]
    plain = [p for n, p in model.named_parameters() if not (p.ndim > 1 and "embedding" not in n)]
    groups = [{"params": decay, "weight_decay": 0.05}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=args.lr, betas=(0.9, 0.98), eps=1e-6)
    mean = torch.tensor(MEAN, device=device).view(1, 3, 1, 1)
    std = torch.tensor(STD, device=device).view(1, 3, 1, 1)

    def batch(indices):
        indices = torch.from_numpy(np.sort(indices)).to(device)
        return images[indices].permute(0, 3, 1, 2).float() / 255, labels[indices]

    def check():
        parts = (batch(held_out[i : i + 500]) for i in range(0, len(held_out), 500))
        normal = (((x - mean) / std, y) for x, y in parts)
        return evaluate(model, tokenizer, normal, names, device)

    steps = max(1, args.images // args.batch)
    warm, began, place = min(100, steps), time.time(), len(train)
    for step in range(steps):
        if place + args.batch > len(train):
            train, place = order.permutation(train), 0
        x, y = batch(train[place : place + args.batch])
        place += args.batch
        done = step / steps
        rate = args.lr * min(1, (step + 1) / warm) * (0.5 * (1 + math.cos(math.pi * done)) + 0.002)
        for group in optimizer.param_groups:
            group["lr"] = rate
        classes, which = torch.unique(y, return_inverse=True)
        views = [data.caption(names[c], captions) for _ in range(2) for c in classes.tolist()]
        with torch.autocast(device.type, torch.bfloat16, enabled=device.type == "cuda"):
            seen = image_features(model, (augment(x) - mean) / std, 24 if done < 0.62 else PATCHES)
            read = text_features(model, tokenizer, views, device)
        loss = loss_of(model, seen, read, y, classes, which)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            model.logit_scale.clamp_(0, math.log(100))
        if step % 50 == 49 or step + 1 == steps:
            speed = (step + 1) * args.batch / (time.time() - began)
            print(f"step {step + 1} of {steps}, loss {loss.item():.3f}, {speed:.0f} images/s", flush=True)
        if step % 1000 == 999:
            print(f"held-out accuracy {check():.4f}", flush=True)

    print(f"held-out accuracy {check():.4f} after {time.time() - began:.0f} s")
    write(model, out)


if __name__ == "__main__":
    main()
