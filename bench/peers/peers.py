"""vlpt beside PyTorch on the same random CLIP, the same inputs, in turns; see run.sh.

    python bench/peers/peers.py PEER_PROGRAM [--model b16|tiny] [--rounds 5] [--threads 2] [--works vpt coop] [--skip NAME ...] [--memory]

Three works: a VPT-deep step (8 images, 10 prompts a block), a CoOp step (100 classes, 16 context tokens, names of 1 to 3
tokens) and plain image features (32 images). PyTorch does each as published programs do and at its best: bfloat16,
`torch.compile`, texts cut after the last end token, the context's keys and values shared by all classes, the prompts'
keys and values shared by all images. Its gradients in f32 are compared with vlpt's first; `error` is the distance of
a gradient (of the features, where there is none) from vlpt's in f32, relative to its size.
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


def error(found, expected):
    return float((found.flatten() - expected.flatten()).norm() / expected.norm())


LABELS = {"vpt": "VPT-deep step", "coop": "CoOp step", "features": "image features"}


def variants(peer, tag, work):
    """What PyTorch can do about a work: name, function and the parameter of its step."""
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


DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


def peer_of(folder, size, work, tag):
    w, case = load_file(folder / "model.safetensors"), load_file(folder / f"{work}.safetensors")
    return Peer(w, size, case, DTYPES[tag])


def peak_alone(name, size, folder, work, tag):
    """Does one variant twice in this process and prints the largest memory that it had, in MiB."""
    peer = peer_of(folder, size, work, tag)
    call, parameter = next((call, parameter) for known, call, parameter in variants(peer, tag, work) if known == name)
    for _ in range(2):
        call() if parameter is None else peer.step(call, parameter)
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
    images = torch.randn(8, 3, side, side)
    visual = torch.randn(size["v"]["layers"], 10, size["v"]["width"]) * 0.05
    case = dict(images=images, visual=visual, context=torch.randn(16, size["t"]["width"]) * 0.02, names=names)
    for work in LABELS:
        more = dict(images=torch.randn(32, 3, side, side)) if work == "features" else {}
        save_file(case | more, folder / f"{work}.safetensors")


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
    reference, errors = found["f32"][result], {"vlpt bf16": error(found["bf16"][result], found["f32"][result])}
    for tag, name, call, parameter in runs:
        got = call().float() if parameter is None else peers[tag].step(call, parameter)[1]
        errors[name] = error(got, reference)
        if tag == "f32" and errors[name] > 1e-3:
            raise SystemExit(f"{name}: relative error {errors[name]:.2e} of what vlpt computes")
    turns = {f"vlpt {tag}": lambda program=program: program.seconds(work) for tag, program in ours.items()}
    for tag, name, call, parameter in runs:
        step = call if parameter is None else lambda tag=tag, call=call, parameter=parameter: peers[tag].step(call, parameter)
        turns[name] = lambda step=step: timed(step)
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
