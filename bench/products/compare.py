"""Products of frozen layers beside those of other libraries, in turns: a table of GFLOP/s.

    bench/products/run.sh [--rounds 9] [--threads 1 2] [--shapes 1656x768x3072 ...] [--skip faer ...]

It needs Python with `torch`; with the wheel `mkl` it measures MKL too, and with the program of `bench/products/faer`
(`--faer`) that library. A shape is rows x inputs x outputs; each product has a bias, as `torch.nn.functional.linear` has,
but for those of MKL and faer. In a round everyone takes a turn: three products after a pause, of which the fastest counts.
The table gives the median over the rounds, and in brackets the median of the ratios to PyTorch's f32 of the same round.
`f32-portable` is the gemm crate.
"""
import argparse, platform, statistics, subprocess, time

import torch

from libraries import MKL, Mkl, OneDnn, fastest

SHAPES = ["1656x768x3072", "1656x3072x768", "7700x512x2048", "417x512x2048", "1576x768x768"]
KERNELS = ["f32-portable", "f32-avx512", "bf16-amx"]
# PyTorch's threads go on spinning for a moment after a product.
PAUSE = 0.02


class Torch:
    def __init__(self, shape, dtype):
        rows, inputs, outputs = shape
        self.x, self.weight, self.bias = (torch.randn(*size).to(dtype) for size in ((rows, inputs), (outputs, inputs), (outputs,)))

    def time(self):
        with torch.inference_mode():
            return fastest(lambda: torch.nn.functional.linear(self.x, self.weight, self.bias))


class Ours:
    def __init__(self, program, kernel, shape):
        self.program, self.line = program, " ".join([kernel, *map(str, shape)])

    def time(self):
        self.program.stdin.write(self.line + "\n")
        self.program.stdin.flush()
        answer = self.program.stdout.readline()
        if not answer:
            raise SystemExit(f"the program ended at: {self.line}")
        return float(answer)


def peers(faer):
    """Each peer's name and how it is made for a shape."""
    made = {"torch f32": lambda shape: Torch(shape, torch.float32), "torch bf16": lambda shape: Torch(shape, torch.bfloat16),
            "oneDNN bf16, packed": lambda shape: OneDnn(shape, torch.bfloat16)}
    if MKL is not None:
        made |= {"MKL f32, packed": lambda shape: Mkl(shape, torch.float32), "MKL bf16, packed": lambda shape: Mkl(shape, torch.bfloat16)}
    if faer is not None:
        made |= {"faer f32": lambda shape: Ours(faer, "faer", shape)}
    return made


def serve(program, *arguments):
    return subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def processor():
    with open("/proc/cpuinfo") as lines:
        return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--faer", help="the program of bench/products/faer")
    parser.add_argument("--skip", nargs="*", default=[], help="leave out those whose names hold one of these words")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--kernels", nargs="+", default=KERNELS)
    parser.add_argument("--shapes", nargs="+", default=SHAPES)
    args = parser.parse_args()
    print(f"PyTorch {torch.__version__}, {processor()}; medians of {args.rounds} rounds, GFLOP/s (times torch f32)\n")
    wanted = lambda name: name == "torch f32" or not any(word in name for word in args.skip)
    names = [name for name in [*peers(args.faer), *args.kernels] if wanted(name)]
    print(f"| rows x inputs x outputs | threads | {' | '.join(names)} |\n|{'---|' * (len(names) + 2)}")
    for threads in args.threads:
        torch.set_num_threads(threads)
        if MKL is not None:
            Mkl.threads(threads)
        program, faer = serve(args.program, str(threads), "--serve"), args.faer and serve(args.faer, str(threads))
        for text in args.shapes:
            shape = [int(size) for size in text.split("x")]
            makers = peers(faer) | {name: lambda shape, name=name: Ours(program, name, shape) for name in args.kernels}
            runs = {name: makers[name](shape) for name in names}
            seconds = {name: [] for name in names}
            for name in names:
                runs[name].time()
            for _ in range(args.rounds):
                for name in names:
                    time.sleep(PAUSE)
                    seconds[name].append(runs[name].time())
            work = 2 * shape[0] * shape[1] * shape[2]
            cells = []
            for name in names:
                ratio = statistics.median(peer / own for peer, own in zip(seconds["torch f32"], seconds[name]))
                cells.append(f"{work / statistics.median(seconds[name]) / 1e9:.0f} ({ratio:.2f})")
            print(f"| {text.replace('x', ' x ')} | {threads} | {' | '.join(cells)} |", flush=True)
        for process in filter(None, (program, faer)):
            process.stdin.close()
            process.wait()


main()
