"""vlpt beside PyTorch on the same random CLIP, the same inputs, in turns; see run.sh.

    python bench/peers/peers.py PEER_PROGRAM [--model b16|tiny] [--rounds 5] [--threads 2] [--works vpt coop] [--skip NAME ...] [--memory]

Six works. Of one tower: a VPT-deep step (8 images, 10 prompts a block), a CoOp step (100 classes, 16 context tokens, names
of 1 to 3 tokens) and plain image features (32 images). Of both towers, 100 classes:

- a MaPLe step: 4 images, 2 prompts a block in both towers, replaced at the first 9 blocks (at all, if there are fewer).
  The linear layers that make the visual prompts of the text's are left out on both sides: they are 9 products of 2 rows;
- a PromptSRC step: the same with 4 prompts a block, and the features of the images under the frozen tower;
- a CLIP-LoRA step: 32 images, updates of rank 2 of queries, keys and values in every block, without dropout.

A step is forward and backward; the gradient is that of 0.5 * sum(features^2). PyTorch does each as published programs do
and at its best: bfloat16, `torch.compile` (of the works of one tower), texts cut after the last end token, the keys and
values of what all texts begin with computed once, those of the prompts shared by all images, one product for the queries,
keys and values. Its gradients in f32 are compared with vlpt's first; `error` is the distance of a gradient (of the
features, where there is none) from vlpt's in f32, relative to its size; of two towers' gradients, the larger one.
"""
import argparse, json, math, os, platform, statistics, subprocess, sys, tempfile, time
from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file

SIZES = {
    "b16": dict(v=dict(width=768, layers=12, heads=12, mlp=3072, image=224, patch=16), t=dict(width=512, layers=12, heads=8, mlp=2048), embed=512),
    "tiny": dict(v=dict(width=64, layers=3, heads=2, mlp=128, image=32, patch=8), t=dict(width=64, layers=3, heads=2, mlp=128), embed=32),
}
VOCABULARY, POSITIONS, START, END, STOP = 49408, 77, 49406, 49407, 269
PHOTO, RANK = [320, 1125, 539, 320], 2  # "a photo of a"; CLIP-LoRA's rank


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
        self.updates, self.scale, self.fused = [], 1.0, False
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
        x = F.layer_norm(x, (self.width,), *norm)
        return self.updated(i, x, *qkv) if self.updates else F.linear(x, *qkv).chunk(3, -1)

    def updated(self, i, x, weight, bias):
        """Queries, keys and values, W x + scale B A x, each by itself or, `fused`, in one product each for W, A and B."""
        a, b = zip(*([matrix.to(x.dtype) for matrix in pair] for pair in self.updates[i]))
        if self.fused:
            change = F.linear(F.linear(x, torch.cat(a)), torch.block_diag(*b))
            return (F.linear(x, weight, bias) + self.scale * change).chunk(3, -1)
        layers = zip(weight.chunk(3), bias.chunk(3), a, b)
        return [F.linear(x, w, bias) + self.scale * F.linear(F.linear(x, a), b) for w, bias, a, b in layers]

    def rest(self, i, x, attended):
        _, _, out, norm, fc1, fc2 = self.blocks[i]
        x = x + F.linear(attended, *out)
        h = F.linear(F.layer_norm(x, (self.width,), *norm), *fc1)
        return x + F.linear(h * torch.sigmoid(1.702 * h), *fc2)

    def block(self, i, x, mask=None):
        return self.rest(i, x, self.attend(*self.projected(i, x), mask))


class Peer:
    """A CLIP in PyTorch, and the works on it."""

    def __init__(self, w, size, case, dtype):
        self.size, self.dtype = size, dtype
        self.w = {name: value.to(dtype) for name, value in w.items()}
        self.vision, self.text = Tower(w, "vision_model", size["v"], dtype), Tower(w, "text_model", size["t"], dtype)
        self.images = case["images"].to(dtype)
        self.visual = case["visual"].clone().requires_grad_()
        self.context = case["context"].clone().requires_grad_()
        names = [row[row >= 0].long().tolist() for row in case["names"]]
        rows = [[START] + [343] * self.context.shape[1] + name + [END] for name in names]
        self.ids = torch.zeros(len(rows), POSITIONS, dtype=torch.long)
        for c, row in enumerate(rows):
            self.ids[c, : len(row)] = torch.tensor(row)
        self.end = torch.tensor([len(row) - 1 for row in rows])
        self.last = max(len(row) for row in rows)
        self.shared = int((self.ids == self.ids[0]).all(0).long().cumprod(0).sum())
        for name, tower in (("text", self.text), ("vision", self.vision)):
            if f"{name}_a" in case:
                pairs = lambda a, b: [tuple(matrix.clone().requires_grad_() for matrix in pair) for pair in zip(a, b)]
                tower.updates = [pairs(a, b) for a, b in zip(case[f"{name}_a"], case[f"{name}_b"])]
                tower.scale = float(case["scale"])

    def norm(self, x, name):
        return F.layer_norm(x, x.shape[-1:], self.w[name + ".weight"], self.w[name + ".bias"])

    def embedded(self):
        e = "vision_model.embeddings."
        p = self.size["v"]["patch"]
        x = self.images.unfold(2, p, p).unfold(3, p, p).permute(0, 2, 3, 1, 4, 5).flatten(3).flatten(1, 2)
        x = F.linear(x, self.w[e + "patch_embedding.weight"].flatten(1))
        return torch.cat([self.w[e + "class_embedding"].expand(len(x), 1, -1), x], 1) + self.w[e + "position_embedding.weight"]

    def patches(self):
        return self.norm(self.embedded(), "vision_model.pre_layrnorm")

    def pooled(self, x):
        return F.linear(self.norm(x, "vision_model.post_layernorm"), self.w["visual_projection.weight"])

    def image_features(self):
        x = self.patches()
        for i in range(self.size["v"]["layers"]):
            x = self.vision.block(i, x)
        return self.pooled(x[:, 0])

    @torch.no_grad()
    def features(self):
        return self.image_features()

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

    def prompted(self):
        """Prompts come before the first norm, are replaced at the blocks that have some, then stay as tokens."""
        prompts, x = self.visual.to(self.dtype), self.embedded()
        n = prompts.shape[1]
        x = self.norm(torch.cat([x, prompts[0].expand(len(x), -1, -1)], 1), "vision_model.pre_layrnorm")
        for i in range(self.size["v"]["layers"]):
            if 0 < i < len(prompts):
                x = torch.cat([x[:, :-n], prompts[i].expand(len(x), -1, -1)], 1)
            x = self.vision.block(i, x)
        return self.pooled(x[:, 0])

    def ended(self, x, end):
        x = self.norm(x[torch.arange(len(x)), end], "text_model.final_layer_norm")
        return F.linear(x, self.w["text_projection.weight"])

    def filled(self, i, x):
        """Texts with the context of block `i`, where it has one, behind the start token."""
        if i >= len(self.context):
            return x
        context = self.context[i].to(self.dtype).expand(len(x), -1, -1)
        return torch.cat([x[:, :1], context, x[:, 1 + context.shape[1] :]], 1)

    def texts(self, length):
        """Texts of `length` tokens, each whole."""
        e = "text_model.embeddings."
        x = self.w[e + "token_embedding.weight"][self.ids[:, :length]]
        x = self.filled(0, x) + self.w[e + "position_embedding.weight"][:length]
        mask = torch.full((length, length), float("-inf"), dtype=self.dtype).triu(1)
        for i in range(self.size["t"]["layers"]):
            x = self.text.block(i, self.filled(i, x) if i else x, mask)
        return self.ended(x, self.end)

    def texts_shared(self):
        """What all texts begin with goes through once; the rest of each sees its keys and values."""
        e, n = "text_model.embeddings.", self.shared
        table, positions, last = self.w[e + "token_embedding.weight"], self.w[e + "position_embedding.weight"], self.last
        head = self.filled(0, table[self.ids[:1, :n]]) + positions[:n]
        x = table[self.ids[:, n:last]] + positions[n:last]
        causal = lambda m: torch.full((m, m), float("-inf"), dtype=self.dtype).triu(1)
        mask = torch.cat([torch.zeros(x.shape[1], n, dtype=self.dtype), causal(x.shape[1])], 1)
        for i in range(self.size["t"]["layers"]):
            head = self.filled(i, head) if i else head
            hq, hk, hv = self.text.projected(i, head)
            q, k, v = self.text.projected(i, x)
            join = lambda shared, own: torch.cat([shared.expand(len(x), -1, -1), own], 1)
            x = self.text.rest(i, x, self.text.attend(q, join(hk, k), join(hv, v), mask))
            head = self.text.rest(i, head, self.text.attend(hq, hk, hv, causal(n)))
        return self.ended(x, self.end - n)

    def both(self, texts, images):
        return torch.cat([texts().flatten(), images().flatten()])

    def maple(self, texts):
        return self.both(texts, self.prompted)

    def promptsrc(self, texts):
        """With the features that the published loss compares the images' with; here nothing depends on them."""
        self.features()
        return self.maple(texts)

    def lora(self, texts, fused=False):
        self.text.fused = self.vision.fused = fused
        return self.both(texts, self.image_features)

    def step(self, work, towers):
        """Features, and the gradient of the parameters of each tower; no gradient, where there are none."""
        parameters = [parameter for tower in towers for parameter in tower]
        for parameter in parameters:
            parameter.grad = None
        features = work()
        if parameters:
            features.backward(features.detach())
        return features.detach().float(), torch.cat([torch.empty(0), *(p.grad.flatten() for p in parameters)])


def peak_mib(process):
    """The largest memory that a process had so far, in MiB; known on Linux alone."""
    status = Path(f"/proc/{process}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")), math.nan)


class Program:
    """vlpt, waiting for work."""

    def __init__(self, program, folder, case, precision, threads):
        env = dict(os.environ, RAYON_NUM_THREADS=str(threads))
        command = [program, folder, case, precision]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env)
        self.description = self.process.stdout.readline().strip()

    def seconds(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit("the vlpt program ended early")
        return float(answer)

    def end(self):
        """The largest memory that the program had, in MiB, after which it is gone."""
        peak = peak_mib(self.process.pid)
        self.process.stdin.close()
        self.process.wait()
        return peak


def timed(work):
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def error(found, expected, sizes):
    """The largest distance of a part from the expected one, relative to its size: a text tower's gradient can be a hundred
    times that of the images, and must not hide it."""
    parts = zip(found.flatten().split(sizes), expected.flatten().split(sizes))
    return max(float((got - wanted).norm() / wanted.norm()) for got, wanted in parts)


LABELS = {"vpt": "VPT-deep step", "coop": "CoOp step", "features": "image features"}
LABELS |= {"maple": "MaPLe step", "promptsrc": "PromptSRC step", "lora": "CLIP-LoRA step"}


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


DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def peer_of(folder, size, work, tag):
    w, case = load_file(folder / "model.safetensors"), load_file(folder / f"{work}.safetensors")
    return Peer(w, size, case, DTYPES[tag])


def peak_alone(name, size, folder, work, tag):
    """Does one variant twice in this process and prints the largest memory that it had, in MiB."""
    peer = peer_of(folder, size, work, tag)
    call, towers = next((call, towers) for known, call, towers in variants(peer, tag, work) if known == name)
    for _ in range(2):
        peer.step(call, towers)
    print(peak_mib("self"))


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
    save("lora", images=image(32), visual=visual(0, 0), context=context(0, 0), names=plain, **updates)


def compare(args, size, folder, work):
    case = str(folder / f"{work}.safetensors")
    ours = {tag: Program(args.program, str(folder), case, tag, args.threads) for tag in DTYPES}
    peers = {tag: peer_of(folder, size, work, tag) for tag in DTYPES}
    wanted = lambda name: not any(word in name for word in args.skip)
    runs = [(tag, *v) for tag in DTYPES for v in variants(peers[tag], tag, work) if wanted(v[0])]
    found = {}
    for tag, program in ours.items():
        program.seconds(work)
        program.seconds(f"save {folder / 'out.safetensors'}")
        found[tag] = load_file(folder / "out.safetensors")
    result = "features" if work == "features" else "gradient"
    reference, towers = found["f32"][result], next(variants(peers["f32"], "f32", work))[2]
    sizes = [sum(parameter.numel() for parameter in tower) for tower in towers] or [reference.numel()]
    errors = {"vlpt bf16": error(found["bf16"][result], reference, sizes)}
    for tag, name, call, towers in runs:
        features, gradient = peers[tag].step(call, towers)
        errors[name] = error(gradient if towers else features, reference, sizes)
        if tag == "f32" and errors[name] > 1e-3:
            raise SystemExit(f"{name}: relative error {errors[name]:.2e} of what vlpt computes")
    turns = {f"vlpt {tag}": lambda program=program: program.seconds(work) for tag, program in ours.items()}
    for tag, name, call, towers in runs:
        turns[name] = lambda peer=peers[tag], call=call, towers=towers: timed(lambda: peer.step(call, towers))
    times = {name: [] for name in turns}
    for _ in range(args.rounds):
        for name, turn in turns.items():
            turn()  # steps of a training follow each other: one that follows another's threads and data would be slower
            times[name].append(turn())
    peaks = {f"vlpt {tag}": program.end() for tag, program in ours.items()}
    for tag, name, _, _ in runs if args.memory else []:
        command = [sys.executable, __file__, args.program, "--model", args.model, "--threads", str(args.threads)]
        command += ["--alone", str(folder), work, tag, name]
        peaks[name] = float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    base = statistics.median(times["vlpt bf16"])
    for name, seconds in times.items():
        median, peak = statistics.median(seconds), peaks.get(name, math.nan)
        off = f"{errors[name]:.1e}" if name in errors else ""
        memory = "" if math.isnan(peak) else f"{peak:.0f}"
        print(f"| {LABELS[work]} | {name} | {median:.3f} | {median / base:.2f} | {memory} | {off} |", flush=True)


def processor():
    cpu = Path("/proc/cpuinfo")
    lines = cpu.read_text().splitlines() if cpu.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    flags = next((set(line.split()) for line in lines if line.startswith("flags")), set())
    known = [flag for flag in ("avx2", "avx512f", "avx512_bf16", "amx_bf16") if flag in flags]
    return f"{names[0] if names else platform.machine()}, {os.cpu_count()} processors ({', '.join(known)})"


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("program")
    arguments.add_argument("--model", choices=SIZES, default="b16")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--threads", type=int, default=2)
    arguments.add_argument("--works", nargs="*", choices=LABELS, default=list(LABELS))
    arguments.add_argument("--skip", nargs="*", default=[], help="leave out variants whose names hold one of these words")
    arguments.add_argument("--memory", action="store_true", help="also run each variant alone for its largest memory")
    arguments.add_argument("--alone", nargs=4, help=argparse.SUPPRESS)
    args = arguments.parse_args()
    torch.set_num_threads(args.threads)
    size = SIZES[args.model]
    if args.alone:
        folder, work, tag, name = args.alone
        return peak_alone(name, size, Path(folder), work, tag)
    with tempfile.TemporaryDirectory(prefix="vlpt-peers-") as folder:
        prepare(size, Path(folder))
        print(f"{processor()}, {args.threads} threads, torch {torch.__version__}, medians of {args.rounds} rounds in turns\n")
        print("| work | variant | seconds | of vlpt bf16 | peak MiB | error |\n|---|---|---|---|---|---|")
        for work in args.works:
            compare(args, size, Path(folder), work)


main()
