"""The peers of bench/tune.sh, and its table.

    python tune.py peers FOLDER      # features as vlpt-tune's example writes them: two lines `name,accuracy,images,seconds`
    python tune.py table FILE.csv    # Markdown

Peers: plain logistic regression (scikit-learn's defaults, features of length one) and what AutoGluon puts on CLIP's
features for few shots: StandardScaler, then SVC(gamma="auto"). Needs numpy and scikit-learn.
"""

import csv
import pathlib
import statistics
import sys
import time
from collections import defaultdict


def peers(folder):
    import numpy as np
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler, normalize
    from sklearn.svm import SVC

    folder = pathlib.Path(folder)
    read = lambda name: np.load(folder / f"{name}.npy")
    train, test, train_labels, test_labels = (
        read("train"), read("test"), read("train-labels"), read("test-labels"),
    )  # fmt: skip
    unit = [normalize(rows) for rows in (train, test)]
    for name, model, (fit, judge) in [
        ("logistic-regression", LogisticRegression(max_iter=5000), unit),
        ("autogluon-svc", make_pipeline(StandardScaler(), SVC(gamma="auto")), (train, test)),
    ]:
        began = time.time()
        model.fit(fit, train_labels)
        accuracy = float((model.predict(judge) == test_labels).mean())
        print(f"{name},{accuracy:.6f},{len(test_labels)},{time.time() - began:.2f}")


def table(path):
    rows = list(csv.DictReader(open(path, newline="")))
    truth = defaultdict(dict)
    for row in rows:
        truth[row["task"], row["shots"], row["seed"]][row["who"]] = float(row["truth"])
    names = sorted({row["who"] for row in rows}, key=lambda name: (name != "tune", name))
    for shots in sorted({row["shots"] for row in rows}, key=int):
        print(f"\n{shots} photos a class\n\n| who | average | beside tune, standard error over tasks | tasks x seeds | behind tune by more than 2 points | ahead by more |")
        print("|---|---:|---:|---:|---:|---:|")
        for name in names:
            cells = [(task, own["tune"], own[name]) for (task, k, _), own in truth.items() if k == shots and name in own and "tune" in own]
            if cells:
                mean = sum(other for _, _, other in cells) / len(cells)
                behind = sum(tune - other > 0.02 for _, tune, other in cells)
                ahead = sum(other - tune > 0.02 for _, tune, other in cells)
                by_task = defaultdict(list)
                for task, tune, other in cells:
                    by_task[task].append(100 * (other - tune))
                ahead_by = [statistics.mean(found) for found in by_task.values()]
                error = statistics.stdev(ahead_by) / len(ahead_by) ** 0.5 if len(ahead_by) > 1 else float("nan")
                beside = "" if name == "tune" else f"{statistics.mean(ahead_by):+.1f} ± {error:.1f}"
                print(f"| {name} | {100 * mean:.1f} | {beside} | {len(cells)} | {behind} | {ahead} |")
        own = [row for row in rows if row["who"] == "tune" and row["shots"] == shots and row["expected"]]
        held = sum(float(row["low"]) <= float(row["truth"]) <= float(row["high"]) for row in own)
        off = [float(row["expected"]) - float(row["truth"]) for row in own]
        if own:
            by_task = defaultdict(list)
            for row, one in zip(own, off):
                by_task[row["task"]].append(100 * one)
            tasks = ", ".join(f"{task} {statistics.mean(found):+.1f}" for task, found in by_task.items())
            print(f"\n{held} of {len(own)} intervals hold the test accuracy; the estimate is {100 * sum(off) / len(off):+.1f} points off on average: {tasks}.")
        print("\n| task | seed | chosen | expected | interval | test images | seconds |\n|---|---:|---|---:|---|---:|---:|")
        for row in own:
            share = lambda key: f"{100 * float(row[key]):.1f}"
            print(f"| {row['task']} | {row['seed']} | {row['chosen']} | {share('expected')} | {share('low')} to {share('high')} | {share('truth')} | {row['seconds']} |")


if len(sys.argv) == 3 and sys.argv[1] in ("peers", "table"):
    {"peers": peers, "table": table}[sys.argv[1]](sys.argv[2])
else:
    sys.exit(__doc__)
