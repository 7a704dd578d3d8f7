"""Products of frozen layers beside PyTorch's, in turns: a table of GFLOP/s.

    cargo build --release -p vlpt-kernels --example products
    python bench/products/compare.py target/release/examples/products [--rounds 9] [--threads 1 2]
        [--kernels f32-avx512 bf16-amx ...] [--shapes 1656x768x3072 ...]

It needs Python with `torch`. A shape is rows x inputs x outputs; each product has a bias, as `torch.nn.functional.linear`
has. In a round every kernel takes its turn: three products after a pause, of which the fastest counts. The table gives
the median over the rounds, and in brackets the median of the ratios to PyTorch's f32 of the same round.
"""
import argparse, platform, statistics, subprocess, time

import torch

SHAPES = ["1656x768x3072", "1656x3072x768", "7700x512x2048", "417x512x2048", "1576x768x768"]
KERNELS = ["f32-avx512", "bf16-amx"]
PEERS = {"torch f32": torch.float32, "torch bf16": torch.bfloat16}
# PyTorch's threads go on spinning for a moment after a product.
PAUSE = 0.02


class Torch:
    def __init__(self, shape, dtype):
        rows, inputs, outputs = shape
        self.x, self.weight, self.bias = (torch.randn(*size).to(dtype) for size in ((rows, inputs), (outputs, inputs), (outputs,)))

    def time(self):
        seconds = []
        with torch.inference_mode():
            for _ in range(3):
                start = time.perf_counter()
                torch.nn.functional.linear(self.x, self.weight, self.bias)
                seconds.append(time.perf_counter() - start)
        return min(seconds)


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


def processor():
    with open("/proc/cpuinfo") as lines:
        return next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), platform.processor())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--kernels", nargs="+", default=KERNELS)
    parser.add_argument("--shapes", nargs="+", default=SHAPES)
    args = parser.parse_args()
    print(f"PyTorch {torch.__version__}, {processor()}; medians of {args.rounds} rounds, GFLOP/s (times torch f32)\n")
    names = [*PEERS, *args.kernels]
    print(f"| rows x inputs x outputs | threads | {' | '.join(names)} |\n|{'---|' * (len(names) + 2)}")
    for threads in args.threads:
        torch.set_num_threads(threads)
        program = subprocess.Popen([args.program, str(threads), "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for text in args.shapes:
            shape = [int(size) for size in text.split("x")]
            runs = {name: Torch(shape, dtype) for name, dtype in PEERS.items()}
            runs |= {name: Ours(program, name, shape) for name in args.kernels}
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
        program.stdin.close()
        program.wait()


main()
