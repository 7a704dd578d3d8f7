"""Writes golden.json: what numpy and scipy make of drawn numbers.

python crates/vlpt-study/tests/golden/make.py
"""

import json
from pathlib import Path

import numpy as np
from scipy import linalg, stats
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def visual(x, y):
    x, y = unit(x.astype(np.float64)), unit(y.astype(np.float64))
    m, n = x.mean(0), y.mean(0)
    s, t = np.cov(x, rowvar=False), np.cov(y, rowvar=False)
    # A symmetric root, and not the root of the product, which scipy finds hard when s is singular.
    values, vectors = linalg.eigh(s)
    root = vectors @ np.diag(np.sqrt(np.clip(values, 0, None))) @ vectors.T
    inner = np.clip(linalg.eigvalsh(root @ t @ root), 0, None)
    return {
        "mean_cosine": float(m @ n / np.linalg.norm(m) / np.linalg.norm(n)),
        "cka": float(np.sum(s * t) / np.linalg.norm(s) / np.linalg.norm(t)),
        "frechet": float(np.sum((m - n) ** 2) + np.trace(s + t) - 2 * np.sqrt(inner).sum()),
    }


def label(x, y, names_x, names_y):
    x, y = unit(x.astype(np.float64)), unit(y.astype(np.float64))
    m, n = x.mean(0), y.mean(0)
    a, b = set(names_x), set(names_y)
    return {
        "mean_cosine": float(m @ n / np.linalg.norm(m) / np.linalg.norm(n)),
        "best_match": float((y @ x.T).max(1).mean()),
        "overlap": len(a & b) / len(a | b),
    }


def main():
    rng = np.random.default_rng(5)
    out = {}

    width = 12
    sets = []
    for images in (8, 30, 40):  # fewer images than axes, and more
        mix = rng.normal(size=(width, width))
        sets.append((rng.normal(size=(images, width)) @ mix + rng.normal(size=width)).astype(np.float32))
    out["visual"] = {
        "width": width,
        "sets": [s.ravel().tolist() for s in sets],
        "pairs": [{"i": i, "j": j, **visual(sets[i], sets[j])} for i in range(3) for j in range(i + 1, 3)],
    }

    names = [["cat", "dog", "fox"], ["Dog", "tree_frog", "fox ", "owl"]]
    clean = [["cat", "dog", "fox"], ["dog", "tree frog", "fox", "owl"]]
    text = [rng.normal(size=(len(n), width)).astype(np.float32) for n in names]
    out["label"] = {
        "width": width,
        "names": names,
        "sets": [t.ravel().tolist() for t in text],
        "pairs": [{"i": i, "j": j, **label(text[i], text[j], clean[i], clean[j])} for i in range(2) for j in range(2)],
    }

    out["spearman"] = []
    for n, levels in ((5, 100), (20, 100), (30, 4)):  # the last with many ties
        x = rng.integers(0, levels, n).astype(float)
        y = x + rng.integers(0, levels, n)
        out["spearman"].append({"x": x.tolist(), "y": y.tolist(), "ranks": stats.rankdata(x).tolist(),
                                "rho": float(stats.spearmanr(x, y).statistic)})

    out["quantiles"] = [{"p": p, "freedom": f, "t": float(stats.t.ppf(p, f))}
                        for p in (0.025, 0.9, 0.975, 0.9995) for f in (1, 2, 4, 9, 30.5, 400)]
    out["summaries"] = []
    for n in (2, 3, 10):
        values = rng.normal(0.7, 0.05, n)
        low, high = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
        out["summaries"].append({"values": values.tolist(), "mean": float(values.mean()),
                                 "std": float(values.std(ddof=1)), "low": float(low), "high": float(high)})

    out["linkage"] = []
    for n in (2, 7, 20):
        points = rng.normal(size=(n, 3))
        d = np.linalg.norm(points[:, None] - points[None], axis=2)
        d = (d + d.T) / 2
        z = hierarchy.linkage(squareform(d, checks=False), "average")
        out["linkage"].append({"n": n, "distances": d.ravel().tolist(), "merges": z.tolist(),
                               "order": hierarchy.leaves_list(z).tolist()})

    path = Path(__file__).with_name("golden.json")
    path.write_text(json.dumps(out, separators=(",", ":")) + "\n")
    print(path, path.stat().st_size, "bytes")


main()
