"""How often a run that is no worse than its baseline fails against it, and whether one that is worse does."""

from __future__ import annotations

import numpy as np
import pytest

from runreport.gate.baseline import BETTER, told_apart
from runreport.statistics.paired import compare_paired

N, RUNS = 144, 1000


def share_failed(noise: float, runs: int) -> float:
    """Share of runs of this noise that fail against a baseline of noise 0.5, each on samples of its own."""
    rng = np.random.default_rng(7)
    failed = 0
    for _ in range(runs):
        truth = rng.normal(0.0, 1.0, N)
        predicted = {name: truth + rng.normal(0.0, s, N) for name, s in (("baseline", 0.5), ("run", noise))}
        paired = compare_paired(truth, predicted, resamples=1)
        failed += any(told and (d.estimate or 0.0) * BETTER[d.metric] < 0 for d, _, told in told_apart(paired))
    return failed / runs


@pytest.mark.slow
def test_a_run_that_is_no_worse_seldom_fails() -> None:
    """Nominal: 2.5 %. Far below it the test would be too timid to tell anything."""
    assert 0.005 < share_failed(0.5, RUNS) <= 0.025  # 0.018


@pytest.mark.slow
def test_a_run_that_is_worse_fails() -> None:
    assert share_failed(0.7, 200) > 0.9
