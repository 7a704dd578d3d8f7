"""vlpt beside PyTorch on the same random CLIP, the same inputs, in turns; see run.sh.

    python bench/peers/peers.py PEER_PROGRAM [--model b16|tiny] [--rounds 5] [--threads 2] [--works vpt coop] [--skip NAME ...] [--memory]

Ten works. Of one tower: a VPT-deep step (8 images, 10 prompts a block), a CoOp step (100 classes, 16 context tokens, names
of 1 to 3 tokens), a TCP step (100 classes, 4 context tokens, replaced at the ninth block by rows of each class) and plain
image features (32 images). KgCoOp's step is CoOp's: its loss adds a product with frozen features. Of both towers, 100
classes:

- a MaPLe step: 4 images, 2 prompts a block in both towers, replaced at the first 9 blocks (at all, if there are fewer).
  The linear layers that make the visual prompts of the text's are left out on both sides: they are 9 products of 2 rows;
- a PromptSRC step: the same with 4 prompts a block, and the features of the images under the frozen tower;
- a CLIP-LoRA step: 32 images, updates of rank 2 of queries, keys and values in every block, without dropout;
- a step of 2SFS's first stage: 32 images, gains and biases of all layer norms;
- an MMRL step: 32 images, 5 rows that enter at the sixth block and are replaced at each one after it, and the images' second
  feature, of these rows; MMRL++: each block's rows are mixed with what came of those before. The products that make the
  rows, and the frozen features that the loss compares with, are left out on both sides.

A step is forward and backward; the gradient is that of 0.5 * sum(features^2). PyTorch does each as published programs do
and at its best: bfloat16, `torch.compile` (of the works of one tower), texts cut after the last end token, the keys and
values of what all texts begin with computed once, those of the prompts shared by all images, one product for the queries,
keys and values. Its gradients in f32 are compared with vlpt's first; `error` is the distance of a gradient (of the
features, where there is none) from vlpt's in f32, relative to its size; of two towers' gradients, the larger one.
"""
import argparse, math, os, platform, statistics, subprocess, sys, tempfile, time
from pathlib import Path

import torch
from safetensors.torch import load_file

from clip import SIZES, Peer
from works import LABELS, LINES, prepare, variants

DTYPES = {"f32": torch.float32, "bf16": torch.bfloat16}


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


def compare(args, size, folder, work):
    case, line = str(folder / f"{work}.safetensors"), LINES.get(work, "both")
    ours = {tag: Program(args.program, str(folder), case, tag, args.threads) for tag in DTYPES}
    peers = {tag: peer_of(folder, size, work, tag) for tag in DTYPES}
    wanted = lambda name: not any(word in name for word in args.skip)
    runs = [(tag, *v) for tag in DTYPES for v in variants(peers[tag], tag, work) if wanted(v[0])]
    found = {}
    for tag, program in ours.items():
        program.seconds(line)
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
    turns = {f"vlpt {tag}": lambda program=program: program.seconds(line) for tag, program in ours.items()}
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
