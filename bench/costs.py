#!/usr/bin/env python3
"""What the tables of MVLPT and UPT take with a ViT-B/16, counted from the recipes and the measured cost of a unit.

    bench/costs.py            # prints the tables of docs/guides/reproduce-a-paper.md

Counts of classes and images are those of the catalogue; seconds of a unit are those of docs/results/memory-and-time.md
on two Xeon cores with AMX: an image forward, an image forward and backward with visual prompts, and a step of learned
text context for each class. An epoch's validation, where it chooses the epoch, is counted too. Nothing is run.
"""

import json
import math
import pathlib

IMAGE = 0.369 / 32  # seconds of an image forward, batches of 32
VISUAL = 0.263 / 8  # of an image forward and backward with prompts in every block
TEXT = 0.036 / 100  # of a step of learned context, for each class
ROOT = pathlib.Path(__file__).parent.parent
ENTRIES = json.loads((ROOT / "crates/vlpt-data/catalogue/catalogue.json").read_text())["entries"]
ELEVATER = [e for e in ENTRIES if e["suite"] == "elevater"]
COOP = [e for e in ENTRIES if e["suite"] == "coop"]
VARIANTS = [e for e in ENTRIES if e["suite"] == "imagenet" and "train" not in e["splits"]]
KNOWN = {e["title"] for e in COOP}
TARGETS = [e for e in ELEVATER if e["title"] not in KNOWN]
TEXTS, PIXELS = {"coop": True, "vpt": False, "upt": True}, {"coop": False, "vpt": True, "upt": True}


def tests(entries):
    return sum(e["splits"]["test"]["images"] for e in entries)


def by_shots(shots):
    return 50 if shots == 1 else 100 if shots <= 4 else 200


def training(method, classes, images, held, epochs, batch=32, views=False):
    """Seconds of one training; `held` validation images in each epoch choose it."""
    steps = epochs * math.ceil(images / batch)
    seconds = steps * classes * TEXT if TEXTS[method] else 0
    if PIXELS[method]:
        seconds += epochs * (images * VISUAL + held * IMAGE)
    elif views:
        seconds += epochs * images * IMAGE
    return seconds


def judged(method, entries):
    """Seconds of test images for one prompt: text prompts share them."""
    return tests(entries) * IMAGE if PIXELS[method] else 0


def drawn(entry, shots, rule):
    classes = entry["class_count"]
    if rule == "elevater":
        held = math.ceil(0.2 * shots) if shots > 1 else 1
        return classes * max(1, shots - held), classes * held
    return classes * shots, classes * min(shots, 4) if "val" in entry["splits"] else 0


def alone(method, entry, shots, rule, epochs, select=True, share=1.0):
    train, held = drawn(entry, shots, rule)
    classes = math.ceil(entry["class_count"] * share)
    views = rule == "coop"
    return training(method, classes, train * share, held * share if select else 0, epochs, views=views) + judged(method, [entry])


def source(method, entries, shots, rule, batch):
    parts = [drawn(e, shots, rule) for e in entries]
    classes = sum(e["class_count"] for e in entries)
    train, held = (sum(part[i] for part in parts) for i in (0, 1))
    return training(method, classes, train, held, 200, batch, views=rule == "coop")


def rows():
    """Table, command, needs, method, seconds of each job."""
    methods, three = ("coop", "vpt", "upt"), range(3)
    for method in methods:
        for staged in (False, True):
            jobs = [alone(method, e, k, "elevater", 200) for k in (1, 5, 20) for _ in three for e in ELEVATER]
            if staged:
                jobs += jobs + [source(method, ELEVATER, k, "elevater", 64) + judged(method, ELEVATER) for k in (1, 5, 20) for _ in three]
            yield ("MVLPT, ELEVATER 20 tasks, " + ("multitask beside single" if staged else "single task"),
                   f"elevater --methods {method} --shots 1,5,20 --seeds 1,2,3" + (" --multitask" if staged else ""),
                   ELEVATER, method, jobs)
    for method in methods:
        jobs = [alone(method, e, k, "elevater", 200) for k in (1, 5, 20) for _ in three for e in TARGETS for _ in (0, 1)]
        jobs += [source(method, COOP, k, "coop", 32) + judged(method, TARGETS) for k in (1, 5, 20) for _ in three]
        yield "MVLPT, cross-task, 12 targets", f"cross-task --methods {method}", COOP + TARGETS, method, jobs
    names = {"coop": "coop", "vpt": "vpt=vpt-mvlpt", "upt": "upt=upt-release"}
    for method in methods:
        best = method == "vpt"
        paper = lambda e, k: 50 if method == "coop" and e["name"] == "ImageNet" else by_shots(k)
        epochs = lambda e, k: 200 if best else paper(e, k)
        jobs = [alone(method, e, k, "coop", epochs(e, k), best) for k in (1, 2, 4, 8, 16) for _ in three for e in COOP]
        yield "UPT, few shots on 11 sets", f"coop --methods {names[method]}", COOP, method, jobs
    for method in methods:
        imagenet = [e for e in COOP if e["name"] == "ImageNet"]
        jobs = [alone(method, imagenet[0], 16, "coop", 50, False) + judged(method, VARIANTS) for _ in three]
        length = "" if method == "coop" else " --set train.epochs=50 --set train.select=last"
        yield "UPT, domain generalisation", f"domain --methods {names[method]}{length}", imagenet + VARIANTS, method, jobs
    for method in methods:
        best = method == "vpt"
        epochs = lambda e: 50 if method == "coop" and e["name"] == "ImageNet" else 200
        jobs = [alone(method, e, 16, "coop", epochs(e), best, 0.5) for _ in three for e in COOP]
        yield "UPT, base to new", f"base-to-new --methods {names[method]}", COOP, method, jobs


def main():
    hours = lambda seconds: f"{seconds / 3600:.1f}" if seconds < 36000 else f"{seconds / 3600:,.0f}"
    print("| table | `vlpt bench ...` | sets | jobs | hours on two cores | longest job | machines for an hour |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for table, command, sets, method, jobs in rows():
        total = sum(jobs) + tests(sets) * IMAGE * (not PIXELS[method])
        longest = max(jobs)
        machines = f"{math.ceil(total / 3600):,}" if longest <= 3600 else f"no: {math.ceil(total / longest):,} for {hours(longest)}"
        print(f"| {table} | `{command}` | {len(sets)} | {len(jobs):,} | {hours(total)} | {hours(longest)} | {machines} |")


if __name__ == "__main__":
    main()
