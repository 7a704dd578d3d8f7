"""Writes fewshot.json: what the published few-shot rules choose from synthetic label lists, for 100 seeds.

    python make_fewshot.py

The functions below state the published rules over lists of labels, with CPython's random module and, for
the splits, numpy, as the published code has them. The label lists come from a small linear generator that
the Rust test repeats. Per list, shots and rule the file holds the SHA-256 over all seeds of the chosen
indices (a line per seed: the training indices, `|`, the validation indices), and the indices of seed 0.
"""

import hashlib
import json
import math
import random
from collections import Counter
from pathlib import Path

import numpy as np

SEEDS = list(range(90)) + [123, 1000, 2**31, 2**32 - 1, 2**32, 2**40 + 7, 2**53, 2**63, 2**64 - 2, 2**64 - 1]


class Linear:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2**64
        return (self.state >> 33) % n


def single(n, classes, seed):
    """Uneven classes: the smaller of two draws, so that late classes are rare."""
    lin = Linear(seed)
    return [[min(lin.below(classes), lin.below(classes))] for _ in range(n)]


def multi(n, classes, seed):
    """Up to four labels, one image in eight without any."""
    lin = Linear(seed)
    out = []
    for _ in range(n):
        k = 0 if lin.below(8) == 0 else 1 + lin.below(4)
        out.append(sorted({min(lin.below(classes), lin.below(classes)) for _ in range(k)}))
    return out


# name: (train labels, val labels, classes)
LISTS = {
    "single_even": ([[i % 10] for i in range(400)], [[i % 10] for i in range(90)], 10),
    "single_uneven": (single(900, 37, 1), single(200, 37, 2), 37),
    "single_few": (single(40, 12, 3), single(15, 12, 4), 12),
    "single_large": (single(6000, 100, 5), single(1500, 100, 6), 100),
    "multi_small": (multi(60, 6, 7), [], 6),
    "multi_voc": (multi(2501, 20, 8), [], 20),
}
SHOTS = [1, 2, 4, 5, 8, 16, 20, 50]


def coop_part(rng, labels, shots):
    groups = {}
    for i, (label,) in enumerate(labels):
        groups.setdefault(label, []).append(i)
    out = []
    for items in groups.values():
        out += rng.sample(items, shots) if len(items) >= shots else items
    return out


def coop(rng, train, val, shots):
    return coop_part(rng, train, shots), coop_part(rng, val, min(shots, 4))


def scan(labels, classes, shots, seed):
    rng = random.Random(seed)
    order = list(range(len(labels)))
    rng.shuffle(order)
    counts, taken, negatives = [0] * classes, [], 0
    for i in order:
        if not labels[i]:
            if negatives < shots:
                negatives += 1
                taken.append(i)
            continue
        own = [counts[c] for c in labels[i]]
        if min(own) >= shots:
            continue
        if min(own) <= shots / 2 or max(own) <= 1.5 * shots:
            taken.append(i)
            for c in labels[i]:
                counts[c] += 1
        if min(counts) >= shots:
            break
    return taken


def toolkit_split(labels, classes, is_multi):
    """Places of train and val in the sampled list."""
    n = len(labels)
    if not is_multi:
        flat = np.asarray([x[0] for x in labels])
        val = []
        for c, count in Counter(flat.tolist()).items():
            val += np.where(flat == c)[0][: math.ceil(count * 0.2)].tolist()
        return [i for i in range(n) if i not in set(val)], sorted(val)
    hot = np.zeros((n, classes))
    for i, own in enumerate(labels):
        for c in own:
            hot[i, c] = 1
    wanted = np.ceil(np.sum(hot, axis=0) * 0.2)
    val = []
    while (wanted > 0).any():
        c = np.where(wanted > 0)[0][0]
        i = int(np.where(hot[:, c] > 0)[0][0])
        val.append(i)
        wanted -= hot[i]
        hot[i] = 0
    return [i for i in range(n) if i not in set(val)], val


def elevater(labels, classes, shots, seed, is_multi):
    taken = scan(labels, classes, shots, seed)
    if shots == 1:
        return taken, taken
    train, val = toolkit_split([labels[i] for i in taken], classes, is_multi)
    return [taken[i] for i in train], [taken[i] for i in val]


def library_split(labels, classes, ratio, seed):
    n = len(labels)
    if int(n * ratio) == 0:
        return [], list(range(n))
    if int(n * ratio) == n:
        return list(range(n)), []
    order = list(range(n))
    random.Random(seed).shuffle(order)
    r = (1 - ratio) / ratio
    counts = {"train": [0] * classes, "val": [0] * classes}
    parts = {"train": [], "val": []}
    negatives = {"train": 0, "val": 0}
    for i in order:
        own = labels[i]
        if not own:
            side = "train" if negatives["train"] == 0 or negatives["val"] / negatives["train"] >= r else "val"
            negatives[side] += 1
            parts[side].append(i)
            continue
        t = [counts["train"][c] for c in own]
        v = [counts["val"][c] for c in own]
        t_min, t_sum = min(t) * r, sum(t) * r
        side = "val" if min(v) < t_min or (min(v) == t_min and sum(v) < t_sum) else "train"
        parts[side].append(i)
        for c in own:
            counts[side][c] += 1
    return parts["train"], parts["val"]


def joint(names, shots, seed):
    images, labels, classes = [], [], 0
    for name in sorted(names):
        train, _, own = LISTS[name]
        for i, x in enumerate(train):
            images.append((name, i))
            labels.append([c + classes for c in x])
        classes += own
    taken = scan(labels, classes, shots, seed)
    train, val = library_split([labels[i] for i in taken], classes, 1 - 0.2, seed)
    return {
        name: (
            [images[taken[p]][1] for p in train if images[taken[p]][0] == name],
            [images[taken[p]][1] for p in val if images[taken[p]][0] == name],
        )
        for name in names
    }


def line(part):
    return ",".join(map(str, part[0])) + "|" + ",".join(map(str, part[1])) + "\n"


def case(rule, name, shots, draw):
    text = "".join(line(draw(seed)) for seed in SEEDS)
    first = draw(0)
    return {
        "rule": rule, "list": name, "shots": shots,
        "counts": [len(first[0]), len(first[1])],
        "head": [first[0][:8], first[1][:8]],
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def main():
    cases = []
    for name, (train, val, classes) in LISTS.items():
        is_multi = name.startswith("multi")
        for shots in SHOTS:
            if not is_multi:
                cases.append(case("coop", name, shots, lambda s: coop(random.Random(s), train, val, shots)))
            cases.append(case("elevater", name, shots, lambda s: elevater(train, classes, shots, s, is_multi)))
    singles = [name for name in LISTS if name.startswith("single")]
    for at, name in enumerate(singles):
        def stream(seed):
            rng = random.Random(seed)
            for other in singles[: at + 1]:
                part = coop(rng, *LISTS[other][:2], 4)
            return part
        cases.append(case("coop_stream", name, 4, stream))
    for name in LISTS:
        for shots in (1, 5, 20):
            if name != "single_large":  # three others are enough, and fast
                few = [n for n in LISTS if n != "single_large"]
                cases.append(case("elevater_joint", name, shots, lambda s: joint(few, shots, s)[name]))
    lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
    seeds = ",".join(map(str, SEEDS))
    Path(__file__).with_name("fewshot.json").write_text(f'{{"seeds":[{seeds}],"cases":[\n{lines}\n]}}\n')


main()
