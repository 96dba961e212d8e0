"""Whether a run meets its criteria, and what correlation that would take."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize_scalar

from runreport.context import Final, History, history_of
from runreport.criteria.judge import Judgement, judge, needed_correlation, tier_names, tier_verdict
from runreport.criteria.spec import Tier, default_tiers, parse_criterion


def tier(*texts: str, name: str = "goal") -> Tier:
    criteria = [parse_criterion(text) for text in texts]
    return Tier(name=name, criteria=tuple(c for c in criteria if c is not None))


def final(**estimates: float | None) -> Final:
    return Final(split="test", basis="summary", estimates=estimates, n=144)


def one(text: str, figures: Final | None, history: History | None = None) -> Judgement:
    (judgement,) = judge((tier(text),), figures, history)
    return judgement


@pytest.mark.parametrize(
    ("text", "value", "verdict"),
    [
        ("r2 > -0.04", -0.0655, "not met"),
        ("r2 > -0.04", -0.04, "not met"),
        ("r2 > -0.04", -0.0399, "met"),
        ("mae < 0.35", 0.3457, "met"),
        ("r2 > 0", None, "cannot tell"),
    ],
)
def test_a_final_figure(text: str, value: float | None, verdict: str) -> None:
    judgement = one(text, final(**{text.split()[0]: value}))
    assert (judgement.verdict, judgement.value) == (verdict, value)
    assert (judgement.reason is None) == (value is not None)


def test_a_metric_that_nobody_knows_cannot_be_told() -> None:
    assert (one("elegance > 3", final(r2=0.5)).verdict, one("r2 > 0", None).verdict) == ("cannot tell", "cannot tell")


def test_every_logged_epoch_must_hold() -> None:
    history = history_of([1, 2, 3], variance_ratio=[0.5, 0.3, 0.6])
    judgement = one("variance_ratio over training > 0.35", final(variance_ratio=0.6), history)
    assert (judgement.verdict, judgement.value) == ("not met", 0.3)


def test_the_worst_epoch_of_a_bound_from_above_is_the_largest() -> None:
    history = history_of([1, 2, 3], val_loss=[0.5, 2.0, 0.6])
    judgement = one("val_loss over training < 1", None, history)
    assert (judgement.verdict, judgement.value) == ("not met", 2.0)


def test_epochs_nobody_logged_could_have_failed() -> None:
    whole = history_of([1, 2, 3], variance_ratio=[0.5, 0.4, 0.6])
    assert one("variance_ratio over training > 0.35", None, whole).verdict == "met"
    holes = history_of([1, 2, 3], variance_ratio=[0.5, None, 0.6])
    gaps = history_of([1, 10, 47], variance_ratio=[0.5, 0.4, 0.6])
    for history, missing in ((holes, "1 epoch"), (gaps, "44 epochs")):
        judgement = one("variance_ratio over training > 0.35", None, history)
        assert judgement.verdict == "cannot tell"
        assert judgement.reason is not None
        assert judgement.reason.startswith(f"{missing} without")


def test_epochs_from_zero_and_in_halves_are_whole() -> None:
    for epochs in ([0, 1, 2], [0.5, 1.0, 1.5]):
        history = history_of(epochs, r2=[0.1, 0.2, 0.3])
        assert one("r2 over training > 0", None, history).verdict == "met"


def test_the_published_run_4_on_its_own_tiers() -> None:
    figures = final(r2=-0.0655, variance_ratio=0.223, pred_spread=0.304, pearson_r=0.125, bias=-0.267)
    history = history_of([1, 10, 20, 30, 37, 47], variance_ratio=[0.462, 0.204, 0.296, 0.257, 0.081, 0.141])
    judged = judge(default_tiers(), figures, history)
    assert tier_names(judged) == ("minimum", "good", "excellent")
    assert {tier_verdict(judged, name) for name in tier_names(judged)} == {"not met"}
    assert [j.verdict for j in judged] == ["not met"] * 9
    good = [j for j in judged if j.tier == "good" and j.criterion.metric == "r2"]
    assert good[0].needs_r == pytest.approx(0.30)
    assert good[0].feasible is False
    excellent = next(j for j in judged if j.tier == "excellent")
    assert excellent.needs_r == pytest.approx(0.5875)


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("met", "met"), "met"),
        (("met", "not met"), "not met"),
        (("met", "cannot tell"), "cannot tell"),
        (("not met", "cannot tell"), "not met"),
    ],
)
def test_a_tier_holds_where_all_of_it_holds(verdicts: tuple[str, str], expected: str) -> None:
    values = {"met": 1.0, "not met": -1.0, "cannot tell": None}
    figures = final(r2=values[verdicts[0]], pearson_r=values[verdicts[1]])
    assert tier_verdict(judge((tier("r2 > 0", "pearson_r > 0"),), figures, None), "goal") == expected


@pytest.mark.parametrize("bias", [0.0, -0.267, 0.9])
@pytest.mark.parametrize(("r2", "ratio"), [(0.0, 0.6), (0.3, 0.8), (0.3, 0.0), (-0.04, 0.4), (0.9, 0.1), (-0.5, 0.1)])
def test_the_needed_correlation_is_the_least_that_a_search_finds(r2: float, ratio: float, bias: float) -> None:
    wanted = tier(f"r2 > {r2}", f"variance_ratio > {ratio}") if ratio else tier(f"r2 > {r2}")

    def r_at(alpha: float) -> float:
        # R² = 2 r α - α² - β², solved for r
        return float((r2 + alpha**2 + bias**2) / (2 * alpha))

    searched = minimize_scalar(r_at, bounds=(max(ratio, 1e-6), 5.0), method="bounded", options={"xatol": 1e-10})
    grid = min(r_at(a) for a in np.linspace(max(ratio, 1e-6), 5.0, 200_001))
    needed = needed_correlation(wanted, bias)
    assert needed is not None
    assert needed == pytest.approx(max(min(searched.fun, grid), -1.0), abs=1e-4)


def test_a_tier_that_asks_nothing_of_r2_needs_no_correlation() -> None:
    assert needed_correlation(tier("variance_ratio > 0.9")) is None
    assert one("variance_ratio > 0.9", final(variance_ratio=0.5, pearson_r=0.1)).feasible is None


def test_feasible_where_the_correlation_is_there() -> None:
    wanted = tier("r2 > 0", "variance_ratio > 0.6")
    for r, expected in ((0.29, False), (0.31, True), (None, None)):
        judged = judge((wanted,), final(r2=-0.1, variance_ratio=0.9, pearson_r=r, bias=0.5), None)
        assert [j.feasible for j in judged] == [expected, expected]


def test_a_bound_inside_the_interval_is_within_noise() -> None:
    figures = Final(split="test", basis="predictions", estimates={"r2": 0.02}, intervals={"r2": (-0.1, 0.14)})
    assert one("r2 > 0", figures).within_noise
    assert not one("r2 > 0.3", figures).within_noise
    assert not one("r2 over training > 0", figures, history_of([1], r2=[0.1])).within_noise
