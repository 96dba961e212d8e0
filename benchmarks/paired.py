"""How often the paired comparison calls equal models different, and how often it tells unequal ones apart.

    python benchmarks/paired.py [--trials 400] [--out docs/paired.md]

The truth is the simulation's: two models with independent errors of equal variance (size), or of variances that give the
population R² of the row (power). Errors and truth are independent rows, AR(0.9) or AR(0.95) series of 144, or 12 groups of
12 with half of the variance shared within a group.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from runreport.statistics.paired import compare_paired

Floats = NDArray[np.float64]
N = 144
SEED = 20241020
ROOT = Path(__file__).resolve().parent.parent


def independent(rng: np.random.Generator, count: int) -> Floats:
    """(count, N) independent standard normals."""
    return rng.normal(size=(count, N))


def series(rho: float) -> Callable[[np.random.Generator, int], Floats]:
    """(count, N) stationary AR(1) series of unit variance."""

    def draw(rng: np.random.Generator, count: int) -> Floats:
        values = rng.normal(size=(count, N))
        for i in range(1, N):
            values[:, i] = rho * values[:, i - 1] + np.sqrt(1 - rho**2) * values[:, i]
        return values

    return draw


def grouped(rng: np.random.Generator, count: int) -> Floats:
    """(count, N) of unit variance, half of it shared by the 12 rows of a group."""
    return np.sqrt(0.5) * (np.repeat(rng.normal(size=(count, 12)), 12, axis=1) + rng.normal(size=(count, N)))


CASES: tuple[tuple[str, Callable[[np.random.Generator, int], Floats], bool, bool], ...] = (
    ("independent rows", independent, False, False),
    ("12 groups of 12", grouped, True, True),
    ("one series, AR(0.9)", series(0.9), False, True),
    ("one series, AR(0.95)", series(0.95), False, True),
)
PAIRS = ((0.5, 0.5), (0.75, 0.0), (0.75, 0.5), (0.3, 0.2))
"""Population R² of the two models; equal ones first, whose share is the false alarms."""


def told_apart(
    draw: Callable[[np.random.Generator, int], Floats],
    groups: bool,
    ordered: bool,
    pair: tuple[float, float],
    trials: int,
) -> float:
    """Share of trials in which p < 0.05 for ΔR²."""
    rng = np.random.default_rng(SEED)
    labels = np.repeat(np.arange(12), 12) if groups else None
    found = 0
    for _ in range(trials):
        truth, first, second = draw(rng, 3)
        models = {
            str(i): truth + np.sqrt(1 - r2) * error
            for i, (r2, error) in enumerate(zip(pair, (first, second), strict=True))
        }
        item = compare_paired(truth, models, groups=labels, ordered=ordered, resamples=2).difference("0", "1")
        found += item.p_value is not None and item.p_value < 0.05
    return found / trials


def main() -> None:
    """Measure, print, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=400)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    lines = [
        "# Paired comparison: false alarms and power",
        "",
        f"Written by `python benchmarks/paired.py --trials {arguments.trials} --out docs/paired.md`: the share of trials",
        "in which two models of the population R² named above the column are told apart (p < 0.05, before Holm),",
        f"n = {N}. The first column is the false alarms, nominal 5 %.",
        "",
        "| data | " + " | ".join(f"{a:g} and {b:g}" for a, b in PAIRS) + " |",
        "|---" * (len(PAIRS) + 1) + "|",
    ]
    for name, draw, groups, ordered in CASES:
        shares = [told_apart(draw, groups, ordered, pair, arguments.trials) for pair in PAIRS]
        lines.append(f"| {name} | " + " | ".join(f"{100 * s:.1f} %" for s in shares) + " |")
        print(lines[-1], flush=True)
    if arguments.out is not None:
        arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
