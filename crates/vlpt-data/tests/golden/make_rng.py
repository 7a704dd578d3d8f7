"""Writes rng.json: what CPython's random.Random gives for 100 seeds.

    python make_rng.py

Any CPython 3.2 or later gives the same file. A seed's `sha256` covers a transcript of one stream: the
numbers below in this order, in decimal, one a line (a float as the integer of its 64 bits).
"""

import hashlib
import json
import random
import struct
from pathlib import Path

SEEDS = list(range(88)) + [
    100, 1234, 65535, 65536, 2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**32 + 1, 2**53 + 1, 2**63, 2**64 - 1,
]
BITS = [1, 2, 5, 8, 16, 31, 32, 33, 48, 63, 64, 0]
SHUFFLES = [0, 1, 2, 3, 10, 100, 700]
# (n, k): both sides of the border between CPython's two ways, for small and for large k
SAMPLES = [
    (1, 1), (5, 5), (21, 1), (22, 1), (21, 5), (22, 5), (85, 6), (86, 6), (84, 16), (277, 16), (278, 16),
    (1000, 16), (1000, 300), (4117, 350), (4118, 350), (30, 0), (50000, 20),
]


def bits_of(x):
    return struct.unpack("<Q", struct.pack("<d", x))[0]


def transcript(seed):
    rng = random.Random(seed)
    out = [rng.getrandbits(32) for _ in range(700)]
    out += [rng.getrandbits(k) for k in BITS]
    out += [bits_of(rng.random()) for _ in range(20)]
    out += [bits_of(rng.uniform(-2.5, 7.25)) for _ in range(5)]
    out += [rng.randrange(n) for n in (1, 2, 3, 7, 255, 256, 257, 10**6, 2**32, 2**40 + 1)]
    for n in SHUFFLES:
        items = list(range(n))
        rng.shuffle(items)
        out += items
    for n, k in SAMPLES:
        out += rng.sample(range(n), k)
    out += [rng.choice(range(13)) for _ in range(10)]
    return out


def main():
    cases = []
    for seed in SEEDS:
        rng = random.Random(seed)
        ten = list(range(10))
        rng.shuffle(ten)
        cases.append({
            "seed": seed,
            "first": random.Random(seed).getrandbits(32),
            "random": bits_of(random.Random(seed).random()),
            "shuffle": ten,
            "sample": random.Random(seed).sample(range(100), 5),
            "sha256": hashlib.sha256("".join(f"{x}\n" for x in transcript(seed)).encode()).hexdigest(),
        })
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    Path(__file__).with_name("rng.json").write_text(f"[\n{lines}\n]\n")


main()
