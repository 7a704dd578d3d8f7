"""Trains mini-clip, or goes on with a run: see README.md beside this file."""

import argparse
import csv
import pathlib
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import torch

import batches
import checkpoint
import data
import export
from check import MEAN, STD, accuracy, left_out
import loss
import model as towers
import optimizer
import precision
import vocabulary

ROOT = pathlib.Path(__file__).resolve().parents[2]
MERGES = ROOT / "crates/vlpt-clip/assets/openai-bpe/bpe_simple_vocab_16e6.txt.gz"
EVERY = 50


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", required=True, help="folder of *.parquet and classes.json")
    parser.add_argument("--cache", required=True, help="folder of what the teachers wrote")
    parser.add_argument("--out", required=True, help="folder of the run: checkpoints, log, tokenizer")
    parser.add_argument("--init", help="folder of `export.py` whose towers a new run starts from")
    parser.add_argument("--steps", type=int, default=10**9, help="stop after this step")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after this time")
    parser.add_argument("--cooldown", type=int, help="go on for this many steps, the rate down to 0, into final.pt")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--keep", type=int, default=64, help="patches of the 64 that the image tower sees")
    parser.add_argument("--rate", type=float, default=1.5e-3)
    parser.add_argument("--adamw", action="store_true", help="AdamW for all, not Muon for the layers")
    parser.add_argument("--without", nargs="*", default=[], choices=loss.WEIGHTS, help="terms of the loss to leave out")
    parser.add_argument("--leave-out", type=int, default=0, help="classes to train without, and to test on")
    parser.add_argument("--save-minutes", type=float, default=4)
    parser.add_argument("--check", type=int, default=400, help="steps between checks on held-out images")
    parser.add_argument("--pause", help="while this file exists, wait")
    parser.add_argument("--threads", type=int, default=1, help="of each product; a second one gains a tenth")
    parser.add_argument("--side-by-side", action="store_true", help="the two towers on a core each")
    parser.add_argument("--merges", type=int, default=8192)
    parser.add_argument("--merges-file", default=MERGES)
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


class Run:
    def __init__(self, args):
        self.args, self.out = args, pathlib.Path(args.out)
        self.out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(args.seed)
        self.left_out = left_out(args.leave_out, data.names(args.data))
        self.source = batches.Source(args.data, args.cache, args.batch, args.seed, self.left_out)
        vocabulary.write(args.merges_file, self.out, args.merges)
        self.tokenizer = vocabulary.Tokenizer(self.out)
        self.model = self.build()
        if args.init:
            export.read_into(self.model, args.init)
        self.shadow = self.build()
        self.optimizer = optimizer.Optimizers(self.model, args.rate, not args.adamw)
        # On the way down the rate itself averages, and a long memory would keep the noise of before.
        self.average = optimizer.Average(self.model, 0.95 if args.cooldown else 0.998)
        self.step = 0
        state = checkpoint.last(self.out)
        if state:
            self.step = state["step"]
            self.model.load_state_dict(state["model"])
            self.average.weights = state["average"]
            self.optimizer.load_state_dict(state["optimizer"])
        self.pool = ThreadPoolExecutor(2 if args.side_by_side else 1)
        self.weights = {n: 0 if n in args.without else w for n, w in loss.WEIGHTS.items()}

    def build(self):
        return towers.Clip(self.tokenizer.size, batches.COMPONENTS, self.source.concept_text.shape[1])

    def state(self):
        return {
            "model": self.model.state_dict(),
            "average": self.average.weights,
            "optimizer": self.optimizer.state_dict(),
            "arguments": {n: str(v) for n, v in vars(self.args).items()},
        }

    def advance(self, factor):
        batch = self.source.batch(self.step)
        # Each tower is gone through and back by itself, so that two can go side by side.
        images = lambda: self.model.images((batch.pixels - MEAN) / STD, self.args.keep)
        texts = lambda: self.model.texts(*self.tokenizer.batch(batch.captions))
        towers = list(self.pool.map(forth, (images, texts)))
        cut = [[x.detach().requires_grad_() for x in outputs] for outputs in towers]
        total, terms = loss.total(self.model, batch, *cut, self.weights)
        total.backward()
        list(self.pool.map(back, towers, cut))
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step(factor, self.pool)
        self.average.update(self.model, self.step)
        self.step += 1
        return {name: term.item() for name, term in terms.items()}

    def check(self):
        """Accuracy of the averaged weights: on all classes, and on those left out among themselves."""
        self.shadow.load_state_dict(self.average.weights)
        values = {"all": accuracy(self.shadow, self.tokenizer, self.source)}
        if self.left_out:
            values["left out"] = accuracy(self.shadow, self.tokenizer, self.source, self.left_out)
        return values


def forth(tower):
    """What a tower gives, in this thread's number format."""
    with precision.autocast():
        return tower()


def back(outputs, leaves):
    """The way back of one tower, from what the loss said of its outputs; a term left out says nothing."""
    pairs = [(output, leaf.grad) for output, leaf in zip(outputs, leaves) if leaf.grad is not None]
    torch.autograd.backward(*zip(*pairs))


def log(path, row):
    """One line more of the run's log, with a head where it is new."""
    new = not path.exists()
    with open(path, "a", newline="") as file:
        writer = csv.DictWriter(file, row)
        if new:
            writer.writeheader()
        writer.writerow(row)


def main():
    args = arguments()
    torch.set_num_threads(args.threads)
    run = Run(args)
    print(f"step {run.step}, {len(run.source.train)} images, {run.source.ready.mean(0)} of each view", flush=True)
    path = run.out / ("cooldown.csv" if args.cooldown else "loss.csv")
    first, last = run.step, run.step + args.cooldown if args.cooldown else args.steps
    cooldown = (first, last) if args.cooldown else None
    began = saved = time.time()
    # Told to end, it ends after the step and keeps what it has.
    told = []
    signal.signal(signal.SIGTERM, lambda *_: told.append(True))
    sums, count, busy = {}, 0, 0.0
    while not told and run.step < last and time.time() - began < 60 * args.minutes:
        while args.pause and pathlib.Path(args.pause).exists():
            time.sleep(1)
        start = time.time()
        for name, value in run.advance(optimizer.factor(run.step, 200, cooldown)).items():
            sums[name] = sums.get(name, 0) + value
        count += 1
        busy += time.time() - start
        if run.step % EVERY == 0:
            terms = {n: f"{sums.get(n, 0) / count:.4f}" for n in loss.WEIGHTS}
            row = {"step": run.step, "images": run.step * args.batch, **terms, "seconds": f"{busy:.0f}"}
            log(path, row)
            print(row, f"{time.time() - began:.0f} s", flush=True)
            sums, count, busy = {}, 0, 0.0
        if run.step % args.check == 0:
            print(f"step {run.step}: {run.check()}", flush=True)
        if not args.cooldown and time.time() - saved > 60 * args.save_minutes:
            checkpoint.save(run.out, run.step, run.state())
            saved = time.time()
    if args.cooldown:
        torch.save(run.state(), run.out / "final.pt")
    else:
        checkpoint.save(run.out, run.step, run.state())
    if not told:
        print(f"step {run.step}: {run.check()}, {time.time() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
