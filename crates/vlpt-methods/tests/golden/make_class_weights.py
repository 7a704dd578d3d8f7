"""Writes class_weights.json: scikit-learn's LogisticRegression with class_weight.

    python make_class_weights.py             # from this folder; scikit-learn 1.9
"""

import json
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression

HERE = pathlib.Path(__file__).parent


def main():
    rng = np.random.default_rng(0)
    cases = []
    for classes, width, images, strength in [(3, 5, 40, 0.7), (2, 4, 30, 2.0)]:
        features = rng.normal(size=(images, width)).astype(np.float32)
        labels = np.minimum(rng.geometric(0.6, images) - 1, classes - 1)
        weights = rng.uniform(0.2, 3, classes).round(3)
        model = LogisticRegression(
            C=strength, class_weight=dict(enumerate(weights)), tol=1e-12, max_iter=100000
        ).fit(features.astype(np.float64), labels)  # of f32 it would compute in f32
        cases.append({
            "width": width,
            "classes": classes,
            "strength": strength,
            "features": features.ravel().tolist(),
            "labels": [[int(label)] for label in labels],
            "weights": weights.tolist(),
            "weight": model.coef_.ravel().tolist(),
            "bias": model.intercept_.tolist(),
        })
    lines = ",\n".join(json.dumps(case) for case in cases)
    (HERE / "class_weights.json").write_text(f"[\n{lines}\n]\n")


if __name__ == "__main__":
    main()
