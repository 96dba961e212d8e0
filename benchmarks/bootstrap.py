"""10,000 bootstrap resamples of every metric at n = 100,000, beside drawing rows as scipy does.

    python benchmarks/bootstrap.py [--rows 100000] [--resamples 10000] [--repeats 3] [--out FILE.json]

Ours draws weights for units (groups, blocks or bins of rows) and multiplies them with the units' sums. The peer is
``scipy.stats.bootstrap`` on the same R², which draws rows: at PEER_RESAMPLES only, since its time is proportional to them;
times are compared a resample. All in one process, in turn, CPU seconds.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from pathlib import Path

for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")

PEER_RESAMPLES = 100
GOAL_SECONDS = 10.0
"""What "in seconds" means here."""


def cpu_seconds(work: Callable[[], object]) -> float:
    """Processor time of one call."""
    start = time.process_time()
    work()
    return time.process_time() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--resamples", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    import numpy as np
    import scipy
    from scipy import stats

    from runreport.statistics.bootstrap import bootstrap_metrics

    rng = np.random.default_rng(0)
    true = rng.normal(size=options.rows)
    pred = 0.5 * true + rng.normal(scale=0.5, size=options.rows)
    groups = rng.integers(0, 500, options.rows)

    def r2(t: np.ndarray, p: np.ndarray, axis: int = -1) -> np.ndarray:
        return 1 - ((t - p) ** 2).mean(axis=axis) / t.var(axis=axis)

    ours = {
        "rows": lambda: bootstrap_metrics(true, pred, ordered=False, resamples=options.resamples),
        "one series, in blocks": lambda: bootstrap_metrics(true, pred, ordered=True, resamples=options.resamples),
        "500 groups": lambda: bootstrap_metrics(true, pred, groups=groups, resamples=options.resamples),
    }

    def peer() -> object:
        return stats.bootstrap(
            (true, pred),
            r2,
            paired=True,
            vectorized=True,
            n_resamples=PEER_RESAMPLES,
            batch=10,
            method="percentile",
            rng=0,
        )

    rounds = [
        ({name: cpu_seconds(work) for name, work in ours.items()}, cpu_seconds(peer)) for _ in range(options.repeats)
    ]
    # The same answer, before its time is compared: the spread of the resampled R².
    spread = float(np.std(ours["rows"]()["r2"]))
    expected = float(np.std(peer().bootstrap_distribution))  # type: ignore[attr-defined]
    if not 0.75 < spread / expected < 1.33:
        raise SystemExit(f"standard errors differ: {spread} and scipy's {expected}: not the same work")
    a_resample = [(one["rows"] / options.resamples, theirs / PEER_RESAMPLES) for one, theirs in rounds]
    result = {
        "rows": options.rows, "resamples": options.resamples, "repeats": options.repeats,
        "cpu_seconds": {name: statistics.median(one[name] for one, _ in rounds) for name in ours},
        "standard_error": spread, "scipy_standard_error": expected,
        "scipy_cpu_seconds": statistics.median(theirs for _, theirs in rounds), "scipy_resamples": PEER_RESAMPLES,
        "times_faster_a_resample": statistics.median(theirs / mine for mine, theirs in a_resample),
        "goal_seconds": GOAL_SECONDS,
        "python": platform.python_version(), "numpy": np.__version__, "scipy": scipy.__version__,
    }  # fmt: skip
    text = json.dumps(result, indent=1)
    print(text)
    if options.out:
        options.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
