"""The noise of the test samples: against a jackknife by hand, and how often it lets a chance of the samples pass."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn.metrics import r2_score

from runreport.compare.design import Contrast, Effect, Estimate, Factor, Place
from runreport.compare.effects import adjusted
from runreport.compare.over_seeds import weighted
from runreport.compare.samples import Matched
from runreport.compare.sampling import add_sampling_noise

PLACES = {f"{k}{s}": Place(levels=(k,), replicate=str(s)) for k in (0, 1) for s in range(4)}


def widened(
    true: NDArray[np.float64], y_pred: dict[str, NDArray[np.float64]], groups: NDArray[np.str_] | None = None
) -> Estimate | str:
    """The R² change between two levels with its sampling noise, or why there is none."""
    values = {name: float(r2_score(true, p)) for name, p in y_pred.items()}
    (estimate,) = adjusted([weighted("r2", values, PLACES, 0, {0: -1.0, 1: 1.0})])
    effect = Effect(
        factor=Factor(keys=("a",), levels=(), numeric=False, balanced=True),
        summaries=(),
        contrasts=(Contrast(low=0, high=1, estimates=dict.fromkeys(METRICS, estimate) | {"r2": estimate}),),
    )
    (found,) = add_sampling_noise([effect], Matched(y_true=true, y_pred=y_pred, groups=groups))
    return found.sampling if isinstance(found.sampling, str) else found.contrasts[0].estimates["r2"]


METRICS = ("r2", "pearson_r", "variance_ratio", "bias", "missing_information", "wrong_spread", "wrong_mean")


def drawn(rng: np.random.Generator, n: int = 144) -> tuple[NDArray[np.float64], dict[str, NDArray[np.float64]]]:
    """Two levels of equal worth in the population; what a level gets wrong is shared by its seeds."""
    true = rng.normal(size=n)
    own = rng.normal(size=(2, n))
    return true, {name: 0.5 * true + 0.4 * own[p.levels[0]] + 0.15 * rng.normal(size=n) for name, p in PLACES.items()}


def test_groups_are_left_out_whole() -> None:
    rng = np.random.default_rng(3)
    true, y_pred = drawn(rng)
    codes = np.repeat(np.arange(12), 12)
    y_pred = {n: p + 0.4 * np.random.default_rng(int(n[0])).normal(size=12)[codes] for n, p in y_pred.items()}
    e = widened(true, y_pred, np.array([f"g{c}" for c in codes]))
    assert isinstance(e, Estimate)

    def change(keep: NDArray[np.bool_]) -> float:
        scores = {n: r2_score(true[keep], p[keep]) for n, p in y_pred.items()}
        return float(np.mean([scores[f"1{s}"] - scores[f"0{s}"] for s in range(4)]))

    whole = change(np.ones(144, dtype=bool))
    jackknife = np.sqrt(11 / 12 * sum((change(codes != g) - whole) ** 2 for g in range(12)))
    assert e.estimate == pytest.approx(whole, abs=1e-12)
    assert e.sampling_se is not None
    # The effective sample size takes over where it is wider, so the jackknife is the least that comes out.
    assert e.sampling_se == pytest.approx(jackknife, rel=1e-9) or e.sampling_se > 0.8 * jackknife
    assert e.se is not None
    assert e.wide_interval is not None
    assert e.wide_interval[1] - e.wide_interval[0] > 2 * 1.96 * np.hypot(e.se, e.sampling_se)


@pytest.mark.parametrize(("count", "said"), [(4, "4 groups: fewer than 6"), (3, "3 groups")])
def test_few_groups_say_nothing_of_other_samples(count: int, said: str) -> None:
    true, y_pred = drawn(np.random.default_rng(3))
    found = widened(true, y_pred, np.array([f"g{i % count}" for i in range(144)]))
    assert isinstance(found, str)
    assert said in found


def test_a_chance_of_the_samples_is_called_by_seeds_alone_and_not_with_both_noises() -> None:
    """Seeds of a level share what it gets wrong, so on one test set two equal levels differ beyond the noise of seeds."""
    rng = np.random.default_rng(8)
    seeds_only = both = 0
    simulations = 150
    for _ in range(simulations):
        e = widened(*drawn(rng))
        assert isinstance(e, Estimate)
        seeds_only += e.told
        both += e.wide_p_holm is not None and e.wide_p_holm < 0.05
        assert e.interval is not None
        assert e.wide_interval is not None
        assert e.wide_interval[0] <= e.interval[0] < e.interval[1] <= e.wide_interval[1]
    assert both <= stats.binom.ppf(0.997, simulations, 0.05)
    assert seeds_only > 0.3 * simulations, "this is why both noises are given"
