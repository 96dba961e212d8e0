"""range.saturated and range.unreached: fires, near miss, undefined."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from scipy import stats

from runreport.analysis.final import final_of
from runreport.context import Context
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.base import Rule
from runreport.rules.value_range import RULES
from runreport.rules.value_range_sample import crowding_of, excess_error
from runreport.run import Run
from runreport.settings import Settings

SATURATED, UNREACHED = RULES
Array = np.ndarray


def predicted(true: Array, pred: Array) -> Context:
    run = Run(name="run", format="native", files={}, predictions=pl.DataFrame({"y_true": true, "y_pred": pred}))
    return Context(run=run, final=final_of(run, None, None, Settings()))


def published(**figures: object) -> Context:
    run = Run(name="run", format="native", files={}, summary=figures)
    return Context(run=run, final=final_of(run, None, None, Settings()))


RUN_4: dict[str, object] = {
    "r2": -0.0655,
    "num_samples": 144,
    "true_mean": 0.937,
    "true_std": 0.4827,
    "pred_mean": 0.808,
    "pred_std": 0.1076,
    "prediction_range": [0.621, 0.925],
    "true_range": [0.15, 1.95],
}


def check(rule: Rule, context: Context) -> Outcome:
    return rule.check(context, rule.limits())


def only(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Checked)
    assert len(outcome.findings) == 1
    return outcome.findings[0]


def is_clear(outcome: Outcome) -> bool:
    return isinstance(outcome, Checked) and not outcome.findings


def pair(r: float = 0.8, n: int = 400, seed: int = 0) -> tuple[Array, Array]:
    """A calibrated model: truth, predictions of std r."""
    rng = np.random.default_rng(seed)
    known = rng.standard_normal(n)
    return r * known + np.sqrt(1 - r * r) * rng.standard_normal(n), r * known


def test_saturated_fires_on_a_clipped_output() -> None:
    true, pred = pair()
    finding = only(check(SATURATED, predicted(true, np.clip(pred, -0.5, 0.5))))
    assert finding.severity is Severity.WARNING
    edges = finding.evidence["edges"]
    assert isinstance(edges, list)
    upper = edges[1]
    assert isinstance(upper, dict)
    assert upper["share"] == pytest.approx(np.mean(np.clip(pred, -0.5, 0.5) >= 0.5 - 0.02))
    error = np.clip(pred, -0.5, 0.5) - true
    at = pred > 0.5 - 0.02
    welch = stats.ttest_ind(error[at], error[~at], equal_var=False)
    effective = finding.evidence
    assert effective["crowding"] is not None
    assert abs(float(str(upper["t"]))) <= abs(welch.statistic) + 1e-9


def test_saturated_one_sided() -> None:
    true, pred = pair()
    finding = only(check(SATURATED, predicted(true, np.maximum(pred, 0.0))))
    assert finding.severity is Severity.WARNING
    assert "at the lower end" in finding.message
    assert "at the upper end" not in finding.message


def cut(share: float, *, n: int = 400) -> Context:
    """Predictions cut off below, at the quantile of ``share``."""
    true, pred = pair()
    return predicted(true[:n], np.maximum(pred[:n], np.quantile(pred[:n], share)))


def test_a_cut_is_told_by_its_ties_where_the_error_does_not_tell_it() -> None:
    finding = only(check(SATURATED, cut(0.12)))
    assert finding.severity is Severity.WARNING
    (bound,) = finding.evidence["cut_off"]  # type: ignore[misc]
    assert bound["side"] == "lower"  # type: ignore[index, call-overload]
    assert bound["share"] == pytest.approx(0.12, abs=0.003)  # type: ignore[index, call-overload]
    assert "hardly any other value repeats" in finding.message


def test_few_ties_are_no_cut() -> None:
    assert is_clear(check(SATURATED, cut(0.08)))


def test_a_cut_at_the_bound_of_the_target_is_no_fault() -> None:
    # A share of zeros in the truth, as of rain, and an output that cannot be negative: no truth lies beyond.
    rng = np.random.default_rng(8)
    known = rng.standard_normal(500)
    true = np.maximum(known + 0.3 * rng.standard_normal(500) - 0.8, 0.0)
    outcome = check(SATURATED, predicted(true, np.maximum(known - 0.8, 0.0)))
    assert isinstance(outcome, Checked)
    assert all(f.severity is Severity.INFO for f in outcome.findings)


def test_the_leaves_of_a_tree_are_no_cut() -> None:
    true, pred = pair()
    leaves = np.round(pred * 2) / 2
    outcome = check(SATURATED, predicted(true, np.maximum(leaves, -0.5)))
    assert isinstance(outcome, Checked)
    assert all("cut_off" not in f.evidence for f in outcome.findings)


def test_saturated_on_published_run_4_is_information() -> None:
    finding = only(check(SATURATED, published(**RUN_4)))
    assert finding.severity is Severity.INFO
    assert finding.evidence["crowding"] == pytest.approx(0.53, abs=0.005)
    assert finding.evidence["true_crowding"] == pytest.approx(0.29, abs=0.005)


def healthy_shapes() -> list[tuple[str, Array, Array]]:
    rng = np.random.default_rng(5)
    true, pred = pair()
    flag = rng.random(400) < 0.5
    rain = np.where(rng.random(400) < 0.4, 0.0, rng.gamma(2.0, 1.0, 400))
    return [
        ("normal", true, pred),
        ("skewed", np.exp(true), np.exp(pred + 0.18)),
        ("two-humped target", true + 6.0 * flag, pred + 6.0 * flag),
        ("target with zeros, predicted as such", rain, np.where(rain == 0, 0.0, 0.8 * rain + 0.4)),
        ("uniform", rng.random(400), rng.random(400)),
    ]


@pytest.mark.parametrize(("name", "true", "pred"), healthy_shapes())
def test_saturated_near_misses(name: str, true: Array, pred: Array) -> None:
    assert is_clear(check(SATURATED, predicted(true, pred))), name


def test_saturated_one_yes_no_feature_is_information() -> None:
    """A right model of one strong binary feature crowds at two values without being wrong there."""
    rng = np.random.default_rng(11)
    flag = rng.random(400) < 0.5
    weak = rng.normal(0, 0.05, 400)
    finding = only(check(SATURATED, predicted(flag + weak + rng.normal(0, 1.0, 400), flag + weak)))
    assert finding.severity is Severity.INFO
    assert "not shown to differ" in finding.message


def test_unreached_fires_where_a_shown_fault_keeps_the_tail_away() -> None:
    true, pred = pair()
    finding = only(check(UNREACHED, predicted(true, 0.3 * pred)))
    assert finding.severity is Severity.WARNING
    assert finding.evidence["true_upper_tenth"] == pytest.approx(np.quantile(true, 0.9))
    table = finding.evidence["by_true_range"]
    assert isinstance(table, list)
    first = table[0]
    assert isinstance(first, dict)
    low = true < np.quantile(true, 0.2)
    assert first["mean_bias"] == pytest.approx((0.3 * pred - true)[low].mean())
    assert sum(int(str(row["n"])) for row in table if isinstance(row, dict)) == 400


def test_unreached_by_little_information_is_information() -> None:
    finding = only(check(UNREACHED, predicted(*pair(r=0.25))))
    assert finding.severity is Severity.INFO
    assert "a narrow range is to be expected" in finding.message


def test_unreached_near_miss() -> None:
    assert is_clear(check(UNREACHED, predicted(*pair(r=0.8))))


@pytest.mark.parametrize(
    ("rule", "context", "reason"),
    [
        (SATURATED, Context(run=Run(name="r", format="x", files={})), "no predictions"),
        (SATURATED, published(r2=0.1), "no predictions"),
        (SATURATED, predicted(*pair(n=20)), "20 predictions; needs at least 30"),
        (SATURATED, predicted(np.arange(40.0), np.ones(40)), "predictions or truth do not vary"),
        (SATURATED, predicted(np.linspace(0, 1, 60), np.linspace(0, 1.1, 60)), "too few to tell a shape"),
        (UNREACHED, published(**RUN_4), "no predictions, so the tails of the truth are not known"),
        (UNREACHED, predicted(*pair(n=20)), "20 predictions; needs at least 30"),
        (UNREACHED, predicted(np.r_[np.zeros(59), 1.0], np.linspace(0, 1, 60)), "no lower and upper tail"),
    ],
)
def test_undefined(rule: Rule, context: Context, reason: str) -> None:
    outcome = check(rule, context)
    assert isinstance(outcome, NotChecked)
    assert reason in outcome.reason


def test_crowding_and_excess_error_against_references() -> None:
    values = np.random.default_rng(2).random(5000)
    assert crowding_of(values) == pytest.approx(1 / 3, abs=0.02)
    assert crowding_of(1e9 + values) == pytest.approx(crowding_of(values), rel=1e-6)
    assert crowding_of(np.array([1.0, 1.0, 4.0])) == pytest.approx(1.0)
    assert crowding_of(np.ones(5)) is None
    error = np.random.default_rng(3).standard_normal(200)
    at = np.arange(200) < 40
    difference, t = excess_error(error, at, 1.0)
    assert difference == pytest.approx(error[:40].mean() - error[40:].mean())
    assert t == pytest.approx(stats.ttest_ind(error[:40], error[40:], equal_var=False).statistic)
    assert excess_error(error, np.arange(200) < 2, 1.0) == (None, None)
