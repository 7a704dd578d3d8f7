"""Writes intervals.json: Wilson's intervals of shares by statsmodels.

    python make_intervals.py                 # from this folder; statsmodels 0.15
"""

import json
import pathlib

from statsmodels.stats.proportion import proportion_confint

HERE = pathlib.Path(__file__).parent


def main():
    cases = []
    for of in [1, 2, 6, 10, 37, 1000, 50000]:
        for right in sorted({0, 1, of // 3, of - 1, of}):
            for confidence in [0.95, 0.9]:
                low, high = proportion_confint(right, of, alpha=1 - confidence, method="wilson")
                cases.append({
                    "right": right,
                    "of": of,
                    "confidence": confidence,
                    "low": float(low),
                    "high": float(high),
                })
    (HERE / "intervals.json").write_text("[\n" + ",\n".join(map(json.dumps, cases)) + "\n]\n")


if __name__ == "__main__":
    main()
