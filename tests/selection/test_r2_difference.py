"""The standard error of a difference of two R², against simulation at the ends of what a log leaves open."""

from __future__ import annotations

import math

import numpy as np
import pytest

from runreport.context import history_of
from runreport.selection.r2_difference import EpochFigures, figures_at, standard_error_range

N = 144


def simulated_error(
    rng: np.random.Generator,
    one: tuple[float, float, float],
    two: tuple[float, float, float],
    mix: float,
    skew: bool = False,
) -> float:
    """Standard deviation of R²(two) - R²(one) over 4,000 samples; ``mix`` correlates what the two add to the truth."""
    t = rng.normal(size=(4000, N))
    if skew:
        t = (rng.gamma(4.0, size=t.shape) - 4.0) / 2.0
    u, v = rng.normal(size=t.shape), rng.normal(size=t.shape)
    (r1, a1, b1), (r2, a2, b2) = one, two
    p1 = a1 * (r1 * t + math.sqrt(1 - r1 * r1) * u) + b1
    p2 = a2 * (r2 * t + math.sqrt(1 - r2 * r2) * (mix * u + math.sqrt(1 - mix * mix) * v)) + b2
    total = ((t - t.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    return float(((((t - p1) ** 2).sum(axis=1) - ((t - p2) ** 2).sum(axis=1)) / total).std(ddof=0))


def figures(parts: tuple[float, float, float], known: bool = True) -> EpochFigures:
    r, alpha, beta = parts
    return EpochFigures(r2=2 * r * alpha - alpha**2 - beta**2, alpha=alpha, beta=beta if known else None)


PAIRS = [
    ((0.6, 0.7, 0.0), (0.5, 0.8, 0.2)),
    ((-0.2, 0.08, 0.1), (0.1, 0.14, -0.2)),
    ((0.9, 0.9, 0.0), (0.85, 1.1, 0.1)),
    ((0.3, 0.5, 0.6), (0.4, 0.4, -0.5)),
]


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_with_bias_known_the_range_is_met_at_its_ends(
    one: tuple[float, float, float], two: tuple[float, float, float]
) -> None:
    rng = np.random.default_rng(11)
    low, high = standard_error_range(figures(one), figures(two), N) or (0.0, 0.0)
    # From predictions as alike as r allows to as unlike: the least error is at an end, the greatest may lie between.
    errors = [simulated_error(rng, one, two, mix) for mix in (1.0, 0.6, 0.2, -0.2, -0.6, -1.0)]
    assert min(errors) == pytest.approx(low, rel=0.05)
    assert max(errors) == pytest.approx(high, rel=0.05)


@pytest.mark.parametrize(("one", "two"), PAIRS)
@pytest.mark.parametrize("mix", [-0.5, 0.0, 0.8])
def test_with_bias_unknown_the_range_holds_the_truth(
    one: tuple[float, float, float], two: tuple[float, float, float], mix: float
) -> None:
    error = simulated_error(np.random.default_rng(2), one, two, mix)
    low, high = standard_error_range(figures(one, known=False), figures(two, known=False), N) or (0.0, 0.0)
    assert low * 0.97 <= error <= high * 1.03
    narrow = standard_error_range(figures(one), figures(two), N) or (0.0, 0.0)
    assert low <= narrow[0] * 1.001
    assert narrow[1] <= high * 1.04


def test_a_skewed_truth_stays_inside_the_range_of_an_unknown_bias() -> None:
    one, two = PAIRS[0]
    error = simulated_error(np.random.default_rng(2), one, two, 0.5, skew=True)
    low, high = standard_error_range(figures(one, known=False), figures(two, known=False), N) or (0.0, 0.0)
    assert low <= error <= high


def test_published_epochs_37_and_47_cannot_be_told_apart() -> None:
    low, high = standard_error_range(
        EpochFigures(r2=-0.0513, alpha=0.081), EpochFigures(r2=-0.0748, alpha=0.141), N
    ) or (0.0, 0.0)
    # The hand-worked range (equal biases, predictions that agree but not perfectly) lies inside what the log allows.
    assert low < 0.014 < 0.030 < high
    assert 1.96 * high > 0.0235


def test_error_shrinks_with_the_root_of_n_and_vanishes_for_one_and_the_same_epoch() -> None:
    one, two = figures(PAIRS[0][0]), figures(PAIRS[0][1])
    small, large = standard_error_range(one, two, 100), standard_error_range(one, two, 400)
    assert small is not None
    assert large is not None
    assert small[1] == pytest.approx(2 * large[1], rel=1e-12)
    same = standard_error_range(one, one, 100)
    assert same is not None
    assert same[0] == pytest.approx(0.0, abs=1e-7)


@pytest.mark.parametrize("r2", [0.9, 5.0])
def test_figures_that_contradict_the_identity_give_none(r2: float) -> None:
    assert standard_error_range(EpochFigures(r2=r2, alpha=0.1), figures(PAIRS[0][0]), N) is None
    assert standard_error_range(EpochFigures(r2=r2, alpha=0.1, beta=0.0), figures(PAIRS[0][0]), N) is None


def test_figures_need_r2_and_ratio() -> None:
    assert figures_at(history_of([1], r2=[0.1]), 1) is None
    found = figures_at(
        history_of([1], r2=[0.1], variance_ratio=[0.5], pred_mean=[1.5], true_mean=[1.0], true_std=[2.0]), 1
    )
    assert found == EpochFigures(r2=0.1, alpha=0.5, beta=0.25)
