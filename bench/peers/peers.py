"""vlpt beside PyTorch on the same random CLIP, the same inputs, in turns; see run.sh.

    python bench/peers/peers.py PEER_PROGRAM [--model b16|tiny] [--rounds 5] [--threads 2] [--skip NAME ...]

Three works: a VPT-deep step (8 images, 10 prompts a block), a CoOp step (100 classes, 16 context tokens, names of 1 to 3
tokens) and plain image features (32 images). PyTorch does each as published programs do and at its best: bfloat16,
`torch.compile`, texts cut after the last end token, the context's keys and values shared by all classes, the prompts'
keys and values shared by all images. Its gradients in f32 are compared with vlpt's first.
"""
import argparse, json, platform, statistics, subprocess, tempfile, time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

SIZES = {
    "b16": dict(v=dict(width=768, layers=12, heads=12, mlp=3072, image=224, patch=16), t=dict(width=512, layers=12, heads=8, mlp=2048), embed=512),
    "tiny": dict(v=dict(width=64, layers=3, heads=2, mlp=128, image=32, patch=8), t=dict(width=64, layers=3, heads=2, mlp=128), embed=32),
}
VOCABULARY, POSITIONS, START, END, STOP = 49408, 77, 49406, 49407, 269


def weights(size):
    """A random CLIP of natural scale under Hugging Face's names."""
    torch.manual_seed(0)
    w = {"logit_scale": torch.tensor(4.6)}

    def linear(name, out, inner):
        w[name + ".weight"] = torch.randn(out, inner) * inner**-0.5
        w[name + ".bias"] = torch.randn(out) * 0.02

    def norm(name, width):
        w[name + ".weight"] = 1 + 0.1 * torch.randn(width)
        w[name + ".bias"] = 0.1 * torch.randn(width)

    for tower, s in (("vision_model", size["v"]), ("text_model", size["t"])):
        for i in range(s["layers"]):
            layer = f"{tower}.encoder.layers.{i}."
            norm(layer + "layer_norm1", s["width"])
            norm(layer + "layer_norm2", s["width"])
            for part in "qkv":
                linear(layer + f"self_attn.{part}_proj", s["width"], s["width"])
            linear(layer + "self_attn.out_proj", s["width"], s["width"])
            linear(layer + "mlp.fc1", s["mlp"], s["width"])
            linear(layer + "mlp.fc2", s["width"], s["mlp"])
    v, t, embed = size["v"], size["t"], size["embed"]
    e = "vision_model.embeddings."
    w[e + "class_embedding"] = torch.randn(v["width"]) * 0.1
    w[e + "patch_embedding.weight"] = torch.randn(v["width"], 3, v["patch"], v["patch"]) * (3 * v["patch"] ** 2) ** -0.5
    w[e + "position_embedding.weight"] = torch.randn(1 + (v["image"] // v["patch"]) ** 2, v["width"]) * 0.1
    norm("vision_model.pre_layrnorm", v["width"])
    norm("vision_model.post_layernorm", v["width"])
    w["visual_projection.weight"] = torch.randn(embed, v["width"]) * v["width"] ** -0.5
    w["text_model.embeddings.token_embedding.weight"] = torch.randn(VOCABULARY, t["width"]) * 0.02
    w["text_model.embeddings.position_embedding.weight"] = torch.randn(POSITIONS, t["width"]) * 0.01
    norm("text_model.final_layer_norm", t["width"])
    w["text_projection.weight"] = torch.randn(embed, t["width"]) * t["width"] ** -0.5
    return w


def config(size):
    common = dict(hidden_act="quick_gelu", layer_norm_eps=1e-5)
    part = lambda s: dict(hidden_size=s["width"], num_hidden_layers=s["layers"], num_attention_heads=s["heads"], intermediate_size=s["mlp"], **common)
    text = dict(part(size["t"]), vocab_size=VOCABULARY, max_position_embeddings=POSITIONS, eos_token_id=END)
    vision = dict(part(size["v"]), image_size=size["v"]["image"], patch_size=size["v"]["patch"], num_channels=3)
    return dict(model_type="clip", projection_dim=size["embed"], text_config=text, vision_config=vision)


class Tower:
    """The blocks of one tower over fused query, key and value weights."""

    def __init__(self, w, name, size, dtype):
        self.width, self.heads, self.blocks = size["width"], size["heads"], []
        of = lambda key: w[key].to(dtype)
        for i in range(size["layers"]):
            layer = f"{name}.encoder.layers.{i}."
            both = lambda key: (of(layer + key + ".weight"), of(layer + key + ".bias"))
            qkv = [torch.cat([of(layer + f"self_attn.{part}_proj.{kind}") for part in "qkv"]) for kind in ("weight", "bias")]
            self.blocks.append((both("layer_norm1"), qkv, both("self_attn.out_proj"), both("layer_norm2"), both("mlp.fc1"), both("mlp.fc2")))

    def split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(-2, -3)

    def attend(self, q, k, v, mask=None):
        out = F.scaled_dot_product_attention(self.split(q), self.split(k), self.split(v), attn_mask=mask)
        return out.transpose(-2, -3).flatten(-2)

    def projected(self, i, x):
        norm, qkv, *_ = self.blocks[i]
        return F.linear(F.layer_norm(x, (self.width,), *norm), *qkv).chunk(3, -1)

    def rest(self, i, x, attended):
        _, _, out, norm, fc1, fc2 = self.blocks[i]
        x = x + F.linear(attended, *out)
        h = F.linear(F.layer_norm(x, (self.width,), *norm), *fc1)
        return x + F.linear(h * torch.sigmoid(1.702 * h), *fc2)

    def block(self, i, x, mask=None):
        return self.rest(i, x, self.attend(*self.projected(i, x), mask))


class Peer:
    """A CLIP in PyTorch, and the three works on it."""

    def __init__(self, w, size, case, dtype):
        self.size, self.dtype = size, dtype
        self.w = {name: value.to(dtype) for name, value in w.items()}
        self.vision, self.text = Tower(w, "vision_model", size["v"], dtype), Tower(w, "text_model", size["t"], dtype)
        self.images = case["images"].to(dtype)
        self.visual = case["visual"].clone().requires_grad_()
        self.context = case["context"].clone().requires_grad_()
        names = [row[row >= 0].long().tolist() for row in case["names"]]
        rows = [[START] + [343] * len(self.context) + name + [END] for name in names]
        self.ids = torch.zeros(len(rows), POSITIONS, dtype=torch.long)
        for c, row in enumerate(rows):
            self.ids[c, : len(row)] = torch.tensor(row)
        self.end = torch.tensor([len(row) - 1 for row in rows])
        self.last = max(len(row) for row in rows)

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.w[name + ".weight"], self.w[name + ".bias"])

    def patches(self):
        e = "vision_model.embeddings."
        p = self.size["v"]["patch"]
        x = self.images.unfold(2, p, p).unfold(3, p, p).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
        x = F.linear(x, self.w[e + "patch_embedding.weight"].flatten(1))
        x = torch.cat([self.w[e + "class_embedding"].expand(len(x), 1, -1), x], 1) + self.w[e + "position_embedding.weight"]
        return self.norm(x, "vision_model.pre_layrnorm")

    def pooled(self, x):
        return F.linear(self.norm(x, "vision_model.post_layernorm"), self.w["visual_projection.weight"])

    def features(self):
        with torch.no_grad():
            x = self.patches()
            for i in range(self.size["v"]["layers"]):
                x = self.vision.block(i, x)
            return self.pooled(x[:, 0])

    def vpt_plain(self):
        """Prompts are tokens of every image and go through everything."""
        prompts, x = self.visual.to(self.dtype), self.patches()
        n = prompts.shape[1]
        for i in range(self.size["v"]["layers"]):
            images = x if i == 0 else x[:, 1 + n :]
            x = torch.cat([x[:, :1], prompts[i].expand(len(x), -1, -1), images if i else x[:, 1:]], 1)
            x = self.vision.block(i, x)
        return self.pooled(x[:, 0])

    def vpt_shared(self):
        """The keys and values of the prompts are computed once for all images, and nothing else of them."""
        prompts, x = self.visual.to(self.dtype), self.patches()
        for i in range(self.size["v"]["layers"]):
            q, k, v = self.vision.projected(i, x)
            _, pk, pv = self.vision.projected(i, prompts[i])
            join = lambda own, shared: torch.cat([own, shared.expand(len(x), -1, -1)], 1)
            x = self.vision.rest(i, x, self.vision.attend(q, join(k, pk), join(v, pv)))
        return self.pooled(x[:, 0])

    def ended(self, x, end):
        x = self.norm(x[torch.arange(len(x)), end], "text_model.final_layer_norm")
        return F.linear(x, self.w["text_projection.weight"])

    def coop(self, length):
        """Texts of `length` tokens, each whole."""
        e = "text_model.embeddings."
        x = self.w[e + "token_embedding.weight"][self.ids[:, :length]]
        context = self.context.to(self.dtype).expand(len(x), -1, -1)
        x = torch.cat([x[:, :1], context, x[:, 1 + context.shape[1] :]], 1) + self.w[e + "position_embedding.weight"][:length]
        mask = torch.full((length, length), float("-inf"), dtype=self.dtype).triu(1)
        for i in range(self.size["t"]["layers"]):
            x = self.text.block(i, x, mask)
        return self.ended(x, self.end)

    def coop_shared(self):
        """Start and context go through once; names and ends see their keys and values."""
        e, n = "text_model.embeddings.", len(self.context)
        table, positions, last = self.w[e + "token_embedding.weight"], self.w[e + "position_embedding.weight"], self.last
        head = torch.cat([table[START][None], self.context.to(self.dtype)]) + positions[: n + 1]
        x = table[self.ids[:, n + 1 : last]] + positions[n + 1 : last]
        head, causal = head[None], lambda m: torch.full((m, m), float("-inf"), dtype=self.dtype).triu(1)
        mask = torch.cat([torch.zeros(x.shape[1], n + 1, dtype=self.dtype), causal(x.shape[1])], 1)
        for i in range(self.size["t"]["layers"]):
            hq, hk, hv = self.text.projected(i, head)
            q, k, v = self.text.projected(i, x)
            join = lambda shared, own: torch.cat([shared.expand(len(x), -1, -1), own], 1)
            x = self.text.rest(i, x, self.text.attend(q, join(hk, k), join(hv, v), mask))
            head = self.text.rest(i, head, self.text.attend(hq, hk, hv, causal(n + 1)))
        return self.ended(x, self.end - n - 1)

    def step(self, work, parameter):
        parameter.grad = None
        features = work()
        features.backward(features.detach())
        return features.detach().float(), parameter.grad.clone()


class Program:
    """vlpt, waiting for work."""

    def __init__(self, program, folder, case, threads):
        env = dict(__import__("os").environ, RAYON_NUM_THREADS=str(threads))
        self.process = subprocess.Popen([program, folder, case], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.description = self.process.stdout.readline().strip()

    def seconds(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("the vlpt program ended early")
        return float(answer)

    def peak_mib(self):
        status = Path(f"/proc/{self.process.pid}/status")
        if not status.exists():
            return None
        return next(int(line.split()[1]) // 1024 for line in status.read_text().splitlines() if line.startswith("VmHWM"))


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def error(found, expected):
    return float((found.flatten() - expected.flatten()).norm() / expected.norm())


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("program")
    arguments.add_argument("--model", choices=SIZES, default="b16")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--skip", nargs="*", default=[], help="leave out variants whose names hold one of these words")
    args = arguments.parse_args()
    torch.set_num_threads(args.threads)
    size, folder = SIZES[args.model], Path(tempfile.mkdtemp(prefix="vlpt-peers-"))
    w, side = weights(size), size["v"]["image"]
    save_file(w, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps(config(size)))
    torch.manual_seed(1)
    names = torch.full((100, 4), -1.0)
    for c in range(100):
        count = 1 + c % 3
        names[c, : count + 1] = torch.tensor([*torch.randint(300, 40000, (count,)).tolist(), STOP]).float()
    cases = {
        "vpt": dict(images=torch.randn(8, 3, side, side), visual=torch.randn(size["v"]["layers"], 10, size["v"]["width"]) * 0.05),
        "features": dict(images=torch.randn(32, 3, side, side)),
    }
    common = dict(context=torch.randn(16, size["t"]["width"]) * 0.02, names=names, **cases["vpt"])
    f32, bf16 = torch.float32, torch.bfloat16
    print(f"{platform.processor() or platform.machine()}, {args.threads} threads, torch {torch.__version__}, medians of {args.rounds} rounds in turns\n")
    print("| work | variant | seconds | of vlpt's | error of the gradient |\n|---|---|---|---|---|")
    for work in ("vpt", "coop", "features"):
        case = dict(common, **cases.get(work, {}))
        save_file(case, folder / f"{work}.safetensors")
        ours = Program(args.program, str(folder), str(folder / f"{work}.safetensors"), args.threads)
        peers = {dtype: Peer(w, size, case, dtype) for dtype in (f32, bf16)}

        def variants(dtype):
            peer, tag = peers[dtype], "f32" if dtype == f32 else "bf16"
            if work == "vpt":
                yield f"PyTorch {tag}, as published", peer.vpt_plain, peer.visual
                yield f"PyTorch {tag}, shared prompt keys", peer.vpt_shared, peer.visual
                yield f"PyTorch {tag}, shared prompt keys, compiled", torch.compile(peer.vpt_shared), peer.visual
            elif work == "coop":
                yield f"PyTorch {tag}, as published (77 tokens)", lambda: peer.coop(POSITIONS), peer.context
                yield f"PyTorch {tag}, cut to {peer.last} tokens", lambda: peer.coop(peer.last), peer.context
                yield f"PyTorch {tag}, shared context", peer.coop_shared, peer.context
                yield f"PyTorch {tag}, shared context, compiled", torch.compile(peer.coop_shared), peer.context
            else:
                yield f"PyTorch {tag}", peer.features, None
                yield f"PyTorch {tag}, compiled", torch.compile(peer.features), None

        runs = [v for dtype in (f32, bf16) for v in variants(dtype) if not any(word in v[0] for word in args.skip)]
        ours.seconds(work)
        ours.seconds(f"save {folder / 'out.safetensors'}")
        found, errors = load_file(folder / "out.safetensors"), []
        for name, call, parameter in runs:
            peer = call
            if parameter is None:
                errors.append(error(found["features"], call().float()))
            else:
                owner = peers[bf16] if "bf16" in name else peers[f32]
                errors.append(error(found["gradient"], owner.step(peer, parameter)[1]))
            if "f32" in name and errors[-1] > 1e-3:
                raise SystemExit(f"{name}: relative error {errors[-1]:.2e} of what vlpt computes")
        times = {name: [] for name, _, _ in runs} | {"vlpt": []}
        for _ in range(args.rounds):
            times["vlpt"].append(ours.seconds(work))
            for name, call, parameter in runs:
                owner = peers[bf16] if "bf16" in name else peers[f32]
                times[name].append(timed(call if parameter is None else lambda: owner.step(call, parameter)))
        base = statistics.median(times["vlpt"])
        label = {"vpt": "VPT-deep step", "coop": "CoOp step", "features": "image features"}[work]
        print(f"| {label} | vlpt, {ours.description} | {base:.3f} | 1.00 | |")
        for (name, _, _), e in zip(runs, errors):
            seconds = statistics.median(times[name])
            print(f"| {label} | {name} | {seconds:.3f} | {seconds / base:.2f} | {e:.1e} |", flush=True)
        ours.process.stdin.close()
        ours.process.wait()


main()
