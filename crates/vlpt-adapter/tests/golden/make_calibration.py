"""Writes calibration.json: macro F1, calibration and Brier score of random and degenerate probabilities.

    python make_calibration.py               # from this folder; scikit-learn 1.9, numpy 2.4

Macro F1 is scikit-learn's `f1_score`, the reliability curve its `calibration_curve` of the most probable class,
the Brier score of two classes twice its `brier_score_loss`; of more classes it is the sum over the classes as
numpy computes it, compared with scikit-learn's of several classes. The expected calibration error is the mean,
weighted by images, of the curve's gaps.
"""

import json
import pathlib
import warnings

import numpy as np
from sklearn import calibration, metrics

HERE = pathlib.Path(__file__).parent
warnings.simplefilter("ignore")


def curve(p, labels, bins):
    top, right = p.max(1), p.argmax(1) == labels
    accuracy, confidence = calibration.calibration_curve(right, top, n_bins=bins, strategy="uniform")
    place = np.searchsorted(np.linspace(0, 1, bins + 1)[1:-1], top)
    counts = np.bincount(place, minlength=bins)
    used = counts[counts > 0]
    gaps = np.abs(accuracy - confidence)
    return {
        "bins": bins,
        "counts": counts.tolist(),
        "accuracy": accuracy.tolist(),
        "confidence": confidence.tolist(),
        "expected": float((used * gaps).sum() / len(labels)),
        "largest": float(gaps.max()),
    }


def brier(p, labels):
    hot = np.eye(p.shape[1])[labels]
    value = float(((p - hot) ** 2).sum(1).mean())
    if p.shape[1] == 2:
        same = 2 * metrics.brier_score_loss(labels, p[:, 1], pos_label=1)
        assert abs(value - same) < 1e-12
    elif p.shape[1] > 2:
        same = metrics.brier_score_loss(labels, p, labels=range(p.shape[1]), scale_by_half=False)
        assert abs(value - same) < 1e-12
    return value


def case(name, p, labels, bins=(1, 10, 15)):
    p, labels = np.asarray(p, dtype=float), np.asarray(labels)
    return {
        "name": name,
        "classes": p.shape[1],
        "scores": p.ravel().tolist(),
        "labels": [[int(label)] for label in labels],
        "macro_f1": float(metrics.f1_score(labels, p.argmax(1), average="macro", zero_division=0)),
        "brier": brier(p, labels),
        "curves": [curve(p, labels, count) for count in bins],
    }


def main():
    rng = np.random.default_rng(0)
    cases = []
    for classes, images, sharp in [(2, 40, 1), (3, 100, 2), (5, 60, 0.1), (10, 200, 4), (7, 30, 30)]:
        logits = rng.normal(size=(images, classes)) * sharp
        p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        labels = np.where(rng.random(images) < 0.6, p.argmax(1), rng.integers(0, classes, images))
        cases.append(case(f"random, {classes} classes, {images} images, sharpness {sharp}", p, labels))
    cases.append(case("one image, right", [[0.9, 0.1]], [0]))
    cases.append(case("one image, wrong", [[0.9, 0.1]], [1]))
    cases.append(case("one class alone", [[1.0], [1.0]], [0, 0]))
    cases.append(case("sure and right", np.eye(3)[[0, 1, 2, 1]], [0, 1, 2, 1]))
    cases.append(case("sure and wrong", np.eye(3)[[1, 2, 0]], [0, 1, 2]))
    cases.append(case("all equal", np.full((6, 4), 0.25), [0, 1, 2, 3, 0, 0]))
    cases.append(case("only one class shown", [[0.2, 0.5, 0.3], [0.6, 0.3, 0.1], [0.1, 0.8, 0.1]], [1, 1, 1]))
    cases.append(case("a class neither shown nor predicted", [[0.7, 0.3, 0.0], [0.4, 0.6, 0.0]], [0, 1]))
    edges = [[k / 10, 1 - k / 10] for k in range(11)]
    cases.append(case("confidence on the edges of bins", edges, [k % 2 for k in range(11)]))
    (HERE / "calibration.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
