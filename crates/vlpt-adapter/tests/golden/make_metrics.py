"""Writes metrics.json: metrics of random and degenerate scores by scikit-learn.

    python make_metrics.py                   # from this folder; scikit-learn 1.9
"""

import json
import pathlib
import warnings

import numpy as np
from sklearn import metrics

HERE = pathlib.Path(__file__).parent
warnings.simplefilter("ignore")


def accuracy(scores, labels):
    return metrics.accuracy_score(labels, scores.argmax(1))


def mean_per_class(scores, labels):
    present, dense = np.unique(labels, return_inverse=True)
    return metrics.balanced_accuracy_score(dense, scores[:, present].argmax(1))


def eleven_point(scores, hot):
    values = []
    for column in np.flatnonzero(hot.sum(0)):
        precision, recall, _ = metrics.precision_recall_curve(hot[:, column], scores[:, column])
        thresholds = np.linspace(1, 0, 11)
        values.append(np.mean([precision[recall >= t].max() for t in thresholds]))
    return np.mean(values) if values else None


def roc_auc(scores, labels):
    if len(np.unique(labels)) < 2:
        return None  # scikit-learn has no value for it
    return metrics.roc_auc_score(labels, scores[:, 1])


def case(name, scores, hot):
    scores = np.asarray(scores, dtype=np.float64)
    hot = np.asarray(hot, dtype=int)
    labels = hot.argmax(1)
    single = bool((hot.sum(1) == 1).all())
    out = {
        "name": name,
        "classes": scores.shape[1],
        "scores": scores.ravel().tolist(),
        "labels": [np.flatnonzero(row).tolist() for row in hot],
        "11point_mAP": eleven_point(scores, hot),
    }
    if single:
        out["accuracy"] = accuracy(scores, labels)
        out["mean_per_class"] = mean_per_class(scores, labels)
    if single and scores.shape[1] == 2:
        out["roc_auc"] = roc_auc(scores, labels)
    return out


def one_hot(labels, classes):
    return np.eye(classes, dtype=int)[np.asarray(labels)]


def main():
    rng = np.random.default_rng(0)
    cases = []
    for n, c in [(1, 1), (1, 2), (1, 4), (2, 2), (5, 3), (20, 2), (37, 5), (60, 2), (50, 10)]:
        for levels in [0, 1, 2, 4]:  # number of distinct scores; 0: all differ
            scores = rng.normal(size=(n, c)) if levels == 0 else rng.integers(0, levels, (n, c)) / 4
            cases.append(case(f"single {n}x{c}/{levels}", scores.round(6), one_hot(rng.integers(0, c, n), c)))
            hot = rng.integers(0, 3, (n, c)) == 0
            cases.append(case(f"multi {n}x{c}/{levels}", scores.round(6), hot))
    few = one_hot(rng.choice([1, 4, 6], 30), 8)
    cases.append(case("absent classes", rng.normal(size=(30, 8)).round(6), few))
    cases.append(case("absent classes, ties", rng.integers(0, 2, (30, 8)), few))
    cases.append(case("one class only", rng.normal(size=(12, 3)).round(6), one_hot([2] * 12, 3)))
    cases.append(case("one of two classes only", rng.normal(size=(9, 2)).round(6), one_hot([1] * 9, 2)))
    cases.append(case("all scores equal", np.full((10, 2), 0.5), one_hot([0, 1] * 5, 2)))
    cases.append(case("no class shown", rng.normal(size=(4, 3)).round(6), np.zeros((4, 3))))
    cases.append(case("perfect", one_hot([0, 1, 1, 0, 1], 2), one_hot([0, 1, 1, 0, 1], 2)))
    cases.append(case("all wrong", one_hot([1, 0, 0, 1], 2), one_hot([0, 1, 1, 0], 2)))
    cases.append(case("signed zeros", [[0.0, -0.0], [0.0, 0.0], [0.0, -0.0]], one_hot([0, 1, 1], 2)))
    for positives in [3, 7, 10, 20, 30]:  # recalls that meet the thresholds exactly
        hot = np.zeros((60, 1), dtype=int)
        hot[rng.permutation(60)[:positives]] = 1
        cases.append(case(f"{positives} positives", rng.permutation(60)[:, None], hot))
    (HERE / "metrics.json").write_text(
        "[\n" + ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases) + "\n]\n"
    )


if __name__ == "__main__":
    main()
