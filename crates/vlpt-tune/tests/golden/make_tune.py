"""Writes tune.json: temperature, label issues, BBC-CV and power laws as others compute them.

    python make_tune.py                      # from this folder; NumPy 2, SciPy 1.17, cleanlab 2.9

Temperatures are SciPy's minimum of the same likelihood; label issues are cleanlab's confident learning; BBC-CV is
written out in NumPy after its paper, on the resamples that the Rust code draws; power laws are SciPy's least squares.
"""

import json
import pathlib

import numpy as np
from cleanlab.filter import find_label_issues
from scipy.optimize import curve_fit, minimize_scalar

MASK = (1 << 64) - 1
GAMMA = 0x9E3779B97F4A7C15


class SplitMix64:
    def __init__(self, seed):
        self.state = seed & MASK

    @classmethod
    def keyed(cls, start, words):
        own = cls(start)
        for word in words:
            own.state = own.next() ^ ((word * GAMMA) & MASK)
            own.next()
        return own

    def next(self):
        self.state = (self.state + GAMMA) & MASK
        z = self.state
        z = ((z ^ (z >> 30)) * 0xBF58476D1CE4E5B9) & MASK
        z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
        return z ^ (z >> 31)

    def below(self, n):
        return (self.next() * n) >> 64


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def held_out(rng, photos, classes, sure, wrong):
    """Logits of photos of which some are labelled wrong."""
    true = np.arange(photos) % classes
    logits = rng.normal(size=(photos, classes))
    logits[np.arange(photos), true] += sure
    labels = true.copy()
    moved = rng.choice(photos, wrong, replace=False)
    labels[moved] = (labels[moved] + 1 + rng.integers(0, classes - 1, wrong)) % classes
    return np.float32(np.round(3 * logits, 4)), labels


def temperature(logits, labels):
    logits = np.float64(logits)
    photos, classes = logits.shape
    target = np.full((photos, classes), 1 / (photos + 2) / classes)
    target[np.arange(photos), labels] += 1 - 1 / (photos + 2)

    def loss(log_inverse):
        z = logits * np.exp(log_inverse)
        top = z.max(axis=1, keepdims=True)
        log_p = z - top - np.log(np.exp(z - top).sum(axis=1, keepdims=True))
        return -(target * log_p).sum()

    found = minimize_scalar(loss, bounds=(-6, 6), method="bounded", options={"xatol": 1e-12})
    return float(np.exp(-found.x))


def issues(logits, labels):
    probabilities = softmax(np.float64(logits) / temperature(logits, labels))
    found = find_label_issues(
        labels, probabilities, filter_by="confident_learning", return_indices_ranked_by="self_confidence", n_jobs=1
    )
    return [int(place) for place in found]


def bbc(right, resamples, seed):
    """Tsamardinos et al., 2018, algorithm 3, with the best candidate of the bag and the mean out of it."""
    photos = right.shape[1]
    shares = []
    for number in range(resamples):
        random = SplitMix64.keyed(0x74756E6520626167, [seed, number])
        bag = np.array([random.below(photos) for _ in range(photos)])
        out = np.setdiff1d(np.arange(photos), bag)
        chosen = int(np.argmax(right[:, bag].mean(axis=1)))
        if len(out):
            shares.append(right[chosen, out].mean())
    low, high = np.percentile(shares, [2.5, 97.5])
    return {"value": float(np.mean(shares)), "low": float(low), "high": float(high)}


def law(points):
    x, y = np.array(points).T
    fitted, _ = curve_fit(
        lambda n, top, fall, rate: top - fall * n**-rate,
        x, y, p0=[0.9, 0.4, 0.7], bounds=([0, 0, 0.01], [1, 5, 2.05]), xtol=1e-15, ftol=1e-15, gtol=1e-15, max_nfev=100000,
    )  # fmt: skip
    return [float(value) for value in fitted]


rng = np.random.default_rng(7)
cases = []
for photos, classes, sure, wrong in [(60, 3, 2.0, 4), (120, 5, 3.0, 9), (40, 2, 1.0, 0), (30, 10, 6.0, 2)]:
    logits, labels = held_out(rng, photos, classes, sure, wrong)
    cases.append(
        {
            "classes": classes,
            "labels": labels.tolist(),
            "logits": [float(value) for value in logits.ravel()],
            "temperature": temperature(logits, labels),
            "issues": issues(logits, labels),
        }
    )
right = rng.random((6, 80)) < np.linspace(0.55, 0.7, 6)[:, None]
points = [(1.0, 0.52), (2.0, 0.63), (4.0, 0.71), (8.0, 0.765), (16.0, 0.80)]
found = {
    "held_out": cases,
    "bbc": {"right": right.astype(int).tolist(), "seed": 5, "resamples": 300, **bbc(right, 300, 5)},
    "law": {"points": points, "fitted": law(points)},
}
(pathlib.Path(__file__).parent / "tune.json").write_text(json.dumps(found) + "\n")
