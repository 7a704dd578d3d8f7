"""Writes temperature.json: temperatures of held-out logits, and what they make of others, as SciPy and scikit-learn say.

    python make_temperature.py               # from this folder; scikit-learn 1.9, SciPy 1.17, numpy 2.4

The temperature is SciPy's minimum of the likelihood of labels smoothed as Platt's (1 / (n + 2) of each goes to all
classes alike). Brier score and reliability curve of the test images are scikit-learn's, of the softmax of logits
divided by it. `plain` is the temperature without smoothing, where it has a minimum: the same as the smoothed one to a
part in as many as there are images.
"""

import json
import pathlib

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax
from sklearn import calibration, metrics

HERE = pathlib.Path(__file__).parent
BINS = 15


def temperature(logits, labels, off):
    n, classes = logits.shape
    target = np.full((n, classes), off / classes)
    target[np.arange(n), labels] += 1 - off
    loss = lambda x: -(target * log_softmax(logits * np.exp(x), axis=1)).sum()
    found = minimize_scalar(loss, bounds=(-7, 7), method="bounded", options={"xatol": 1e-13, "maxiter": 2000})
    return float(np.exp(-found.x))


def judged(p, labels):
    top, right = p.max(1), p.argmax(1) == labels
    accuracy, confidence = calibration.calibration_curve(right, top, n_bins=BINS, strategy="uniform")
    place = np.searchsorted(np.linspace(0, 1, BINS + 1)[1:-1], top)
    counts = np.bincount(place, minlength=BINS)
    used = counts[counts > 0]
    if p.shape[1] == 2:
        brier = 2 * metrics.brier_score_loss(labels, p[:, 1], pos_label=1)
    else:
        brier = metrics.brier_score_loss(labels, p, labels=range(p.shape[1]), scale_by_half=False)
    return {"ece": float((used * np.abs(accuracy - confidence)).sum() / len(labels)), "brier": float(brier)}


def case(rng, name, classes, held, images, sharp, true):
    """Labels are drawn with the probabilities of logits divided by `true`; 0: the largest logit's; None: any."""

    def draw(n):
        logits = np.float32(np.round(rng.normal(size=(n, classes)) * sharp, 4))
        if true is None:
            return logits, rng.integers(0, classes, n)
        if true == 0:
            return logits, logits.argmax(1)
        p = softmax(np.float64(logits) / true, axis=1)
        return logits, np.array([rng.choice(classes, p=row) for row in p])

    (own, labels), (other, truth) = draw(held), draw(images)
    wide = np.float64(own)
    found = temperature(wide, labels, 1 / (held + 2))
    every = bool((own.argmax(1) == labels).all())
    return {
        "name": name,
        "classes": classes,
        "held_logits": [float(v) for v in own.ravel()],
        "held_labels": labels.tolist(),
        "temperature": found,
        "plain": None if every else temperature(wide, labels, 0.0),
        "logits": [float(v) for v in other.ravel()],
        "labels": truth.tolist(),
        "before": judged(softmax(np.float64(other), axis=1), truth),
        "after": judged(softmax(np.float64(other) / found, axis=1), truth),
    }


def main():
    rng = np.random.default_rng(0)
    cases = [
        case(rng, "too sure", 5, 200, 300, 8, 4),
        case(rng, "not sure enough", 10, 300, 300, 0.3, 0.1),
        case(rng, "two classes", 2, 40, 100, 3, 2),
        case(rng, "few images, all right", 4, 8, 60, 2, 0),
        case(rng, "one image", 3, 1, 30, 1, 0),
        case(rng, "no better than chance", 6, 120, 120, 4, None),
    ]
    (HERE / "temperature.json").write_text(json.dumps(cases) + "\n")


if __name__ == "__main__":
    main()
