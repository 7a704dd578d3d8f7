"""Writes numbers.json: variances, cosines and rank correlations as NumPy and SciPy compute them.

    python make_numbers.py          (numpy, scipy; any recent versions)
"""

import json
from itertools import permutations
from pathlib import Path

import numpy as np
from scipy.stats import spearmanr

rng = np.random.default_rng(0)


def rounded(values):
    """Values that JSON and f32 hold exactly."""
    return np.round(values * 64) / 64


def variances():
    features = rounded(rng.normal(size=(12, 5)))
    labels = [0, 1, 0, 2, 2, 1, 0, 2, 0, 1, 2, 0]
    texts = rounded(rng.normal(size=(3, 5)))
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    groups = [unit[np.array(labels) == c] for c in range(3)]
    within = np.mean([np.mean(np.sum((g - g.mean(0)) ** 2, axis=1)) for g in groups])
    t = texts / np.linalg.norm(texts, axis=1, keepdims=True)
    between = t.var(axis=0).sum()
    return dict(
        embed=5, features=features.ravel().tolist(), labels=labels, texts=texts.ravel().tolist(),
        within=within, between=between,
    )


def cosine():
    a, b = rounded(rng.normal(size=(2, 4, 3)))
    x, y = a.ravel(), b.ravel()
    whole = x @ y / np.linalg.norm(x) / np.linalg.norm(y)
    rows = np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    return dict(a=x.tolist(), b=y.tolist(), width=3, whole=whole, mean_of_rows=rows.mean())


def ranks():
    cases = []
    for n, values in [(5, 40), (6, 4), (7, 40), (12, 5)]:
        x, y = rng.integers(0, values, size=(2, n)).astype(float)
        rho = spearmanr(x, y).statistic
        p = None
        if n <= 8:
            others = [abs(spearmanr(x, order).statistic) for order in permutations(y)]
            p = float(np.mean(np.array(others) >= abs(rho) - 1e-12))
        cases.append(dict(x=x.tolist(), y=y.tolist(), rho=rho, p=p))
    return cases


out = dict(variances=variances(), cosine=cosine(), ranks=ranks())
path = Path(__file__).parent / "numbers.json"
path.write_text(json.dumps(out, indent=1) + "\n")
