"""Writes gda.json: Gaussian discriminants by NumPy, in f64, from the formula alone.

    python make_gda.py                       # from this folder; NumPy 2
"""

import json
import pathlib

import numpy as np

HERE = pathlib.Path(__file__).parent


def discriminant(rows, labels, classes):
    rows = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    means = np.stack([rows[labels == c].mean(0) for c in range(classes)])
    covariance = np.cov((rows - means[labels]).T)
    count, width = rows.shape
    ridge = np.trace(covariance) * np.eye(width)
    precision = width * np.linalg.pinv((count - 1) * covariance + ridge)
    weight = means @ precision
    bias = np.log(1 / classes) - 0.5 * np.einsum("cd,cd->c", means, weight)
    return weight, bias


def main():
    rng = np.random.default_rng(0)
    cases = []
    # The second has fewer rows than features.
    for counts, views, width in [([5, 3, 4], 3, 6), ([1, 2, 1, 2], 2, 14), ([9, 9], 1, 5)]:
        classes, images = len(counts), sum(counts)
        labels = rng.permutation(np.repeat(np.arange(classes), counts))
        centres = rng.standard_normal((classes, width)) + 2
        features = centres[labels] + 0.7 * rng.standard_normal((views, images, width))
        features = features.astype(np.float32)
        rows = features.reshape(-1, width).astype(np.float64)
        weight, bias = discriminant(rows, np.tile(labels, views), classes)
        cases.append({
            "width": width,
            "classes": classes,
            "views": [view.ravel().tolist() for view in features],
            "labels": labels.tolist(),
            "weight": weight.ravel().tolist(),
            "bias": bias.tolist(),
        })
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "gda.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
