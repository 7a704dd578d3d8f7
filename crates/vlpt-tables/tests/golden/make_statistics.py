"""Statistics by SciPy and statsmodels, for tests/statistics.rs.

python make_statistics.py > statistics.json
"""

import json

import numpy as np
import scipy
from scipy.stats import permutation_test, rankdata, studentized_range, t
from statsmodels.stats.multitest import multipletests

rng = np.random.default_rng(0)


def paired(differences):
    d = np.array(differences)
    found = permutation_test(
        (d, np.zeros(len(d))), lambda x, y, axis: np.sum(x - y, axis), permutation_type="samples",
        n_resamples=np.inf, alternative="two-sided", vectorized=True,
    )
    return {"differences": differences, "p": float(found.pvalue)}


def ranked(values):
    ranks = np.array([rankdata(-np.array(row)) for row in values])
    k, n = ranks.shape[1], len(ranks)
    critical = studentized_range.ppf(0.95, k, np.inf) / np.sqrt(2) * np.sqrt(k * (k + 1) / (6 * n))
    return {"values": values, "average": ranks.mean(0).tolist(), "critical": float(critical)}


def summed(values):
    low, high = t.interval(0.95, len(values) - 1, np.mean(values), scipy.stats.sem(values))
    return {"values": values, "mean": float(np.mean(values)), "std": float(np.std(values, ddof=1)), "low": float(low), "high": float(high)}


uniform = lambda *shape: np.round(rng.uniform(20, 90, shape), 2)
ps = [[0.01, 0.04, 0.03, 0.005], [0.5, 0.5], [1.0, 1e-9, 0.2, 0.2, 0.2], [0.03]]
print(json.dumps({
    "made_by": f"scipy {scipy.__version__}",
    "paired": [
        paired(np.round(rng.normal(0.5, 2, n), 3).tolist()) for n in (2, 5, 8, 11)
    ] + [paired([1.0, -1.0, 1.0, 1.0, 0.0, 1.0]), paired([0.5] * 10), paired([0.25, -0.25, 0.5, 0.75])],
    "holm": [{"p": p, "corrected": multipletests(p, method="holm")[1].tolist()} for p in ps],
    "ranked": [ranked(uniform(n, k).tolist()) for n, k in ((3, 2), (8, 5), (11, 16), (20, 30))] + [ranked([[1, 1, 2], [3, 2, 2]])],
    "summed": [summed(uniform(n).tolist()) for n in (2, 3, 10)],
}))
