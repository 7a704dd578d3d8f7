"""Which number format is quick on this processor."""

import functools
import time

import torch

# Rows, inputs and outputs of a product like those of the towers.
SHAPE, ROUNDS = (2048, 256, 1024), 20


def seconds(kind):
    """The quickest of some products of a layer, in processor time, so that a busy machine changes little."""
    rows, inputs, outputs = SHAPE
    # numbers of its own, so that a run's do not depend on being measured
    draw = torch.Generator().manual_seed(0)
    x, weight = (torch.randn(n, inputs, generator=draw).to(kind) for n in (rows, outputs))
    best = float("inf")
    for _ in range(ROUNDS):
        start = time.thread_time()
        torch.nn.functional.linear(x, weight)
        best = min(best, time.thread_time() - start)
    return best


@functools.cache
def fast():
    """bf16 where products of it are quicker than those of f32, which on processors without AMX they are
    not: with AVX-512 BF16 alone they take 1.8 times as long, and with less many times."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return min((torch.float32, torch.bfloat16), key=seconds)
    finally:
        torch.set_num_threads(threads)


def autocast():
    """Products in the quick format."""
    kind = fast()
    return torch.autocast("cpu", torch.bfloat16, enabled=kind is torch.bfloat16)
