"""collapse.constant and collapse.onset: fires, near miss, undefined."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest

from runreport.analysis.final import final_of
from runreport.context import Context, Final, History, history_of
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.base import Rule
from runreport.rules.collapse import RULES
from runreport.rules.collapse_hysteresis import Stretch, falls, is_sparse, log_noise, median_of_three
from runreport.run import Run
from runreport.settings import Settings

CONSTANT, ONSET = RULES

PUBLISHED = history_of(
    [1, 10, 20, 30, 37, 47],
    variance_ratio=[0.462, 0.204, 0.296, 0.257, 0.081, 0.141],
    r2=[-4.38, -0.86, -1.83, -0.10, -0.0513, -0.0748],
)


def check(rule: Rule, context: Context) -> Outcome:
    return rule.check(context, rule.limits())


def only(outcome: Outcome) -> Finding:
    assert isinstance(outcome, Checked)
    assert len(outcome.findings) == 1
    return outcome.findings[0]


def is_clear(outcome: Outcome) -> bool:
    return isinstance(outcome, Checked) and not outcome.findings


def logged(history: History | None, saved: float | None = None, final: Final | None = None) -> Context:
    run = Run(name="run", format="native", files={})
    return Context(run=run, history=history, saved_epoch=saved, final=final)


def predicted(true: Sequence[float], pred: Sequence[float]) -> Context:
    run = Run(name="run", format="native", files={}, predictions=pl.DataFrame({"y_true": true, "y_pred": pred}))
    return Context(run=run, final=final_of(run, None, None, Settings()))


TRUTH = np.random.default_rng(3).normal(2.0, 1.0, 60)


def test_constant_fires_below_two_percent() -> None:
    pred = 2.0 + 0.015 * np.random.default_rng(4).standard_normal(60)
    finding = only(check(CONSTANT, predicted(TRUTH.tolist(), pred.tolist())))
    assert finding.severity is Severity.CRITICAL
    assert finding.evidence["variance_ratio"] == pytest.approx(np.std(pred) / np.std(TRUTH))
    assert "all but constant" in finding.message


@pytest.mark.parametrize(("pred", "words"), [([2.0] * 60, "one value"), ([1.0, 3.0] * 30, "only 2 values")])
def test_constant_fires_on_one_or_two_values(pred: list[float], words: str) -> None:
    finding = only(check(CONSTANT, predicted(TRUTH.tolist(), pred)))
    assert words in finding.message
    assert finding.evidence["distinct_predictions"] == len(set(pred))


def test_constant_near_misses() -> None:
    narrow = 2.0 + 0.03 * (TRUTH - 2.0)
    assert is_clear(check(CONSTANT, predicted(TRUTH.tolist(), narrow.tolist())))
    # Two predicted values are right where the truth has two, and mean nothing in a handful of rows.
    assert is_clear(check(CONSTANT, predicted([0.0, 1.0] * 30, [0.1, 0.9] * 30)))
    assert is_clear(check(CONSTANT, predicted([1.0, 2.0, 3.0, 4.0], [1.0, 1.0, 4.0, 4.0])))


def test_constant_says_that_little_variation_can_be_information() -> None:
    finding = only(check(CONSTANT, predicted(TRUTH.tolist(), (0.01 * TRUTH).tolist())))
    assert finding.recoverable == pytest.approx(0.99**2)
    assert "rescaled, R² = 1.000" not in finding.message or finding.evidence["pearson_r"] == pytest.approx(1.0)


def test_constant_from_the_log_alone() -> None:
    history = history_of([1, 2, 3], variance_ratio=[0.5, 0.01, 0.4], r2=[0.1, -0.01, 0.1])
    assert only(check(CONSTANT, logged(history, saved=2))).epoch == 2
    assert is_clear(check(CONSTANT, logged(history, saved=1)))
    assert is_clear(check(CONSTANT, logged(history)))


def test_constant_undefined() -> None:
    outcome = check(CONSTANT, logged(None))
    assert isinstance(outcome, NotChecked)
    assert outcome.reason == "no predictions and no logged std ratio"
    outcome = check(CONSTANT, predicted([1.0] * 20, np.linspace(0, 1, 20).tolist()))
    assert isinstance(outcome, NotChecked)
    assert "do not vary" in outcome.reason


def test_onset_on_the_published_six_epochs() -> None:
    finding = only(check(ONSET, logged(PUBLISHED, saved=37)))
    assert finding.severity is Severity.WARNING
    assert finding.epoch == 10
    assert finding.evidence["last_above_epoch"] == 1
    assert finding.evidence["last_above_ratio"] == 0.462
    assert finding.evidence["lowest_epoch"] == 37
    assert finding.message.startswith("The std ratio fell below 30 % by epoch 10 and never came back over 40 %")
    assert "not known" in finding.message


def collapsing(r: float | None, low: float = 0.1, epochs: int = 30) -> History:
    """0.6 for ten epochs, then ``low``; R² without bias at the correlation ``r`` (0.5 where that is not logged)."""
    ratio = [0.6] * 10 + [low] * (epochs - 10)
    known = r if r is not None else 0.5
    columns = {"variance_ratio": ratio, "r2": [2 * known * a - a * a for a in ratio]}
    if r is not None:
        columns["pearson_r"] = [r] * epochs
    return history_of(range(1, epochs + 1), **columns)


@pytest.mark.parametrize(
    ("r", "severity"),
    [
        (0.7, Severity.CRITICAL),
        (0.4, Severity.WARNING),
        (0.2, Severity.INFO),
        (0.1, Severity.INFO),
        (0.0, Severity.INFO),
    ],
)
def test_onset_severity_is_what_the_narrow_range_costs(r: float, severity: Severity) -> None:
    finding = only(check(ONSET, logged(collapsing(r), saved=30)))
    assert finding.epoch == 11
    assert finding.severity is severity
    assert finding.recoverable == pytest.approx(max(r - 0.1, 0.0) ** 2)


def test_onset_without_r_uses_what_r2_forces() -> None:
    # R² = 0.09 at α = 0.1 needs r ≥ (0.09 + 0.01)/0.2 = 0.5: a cost of at least 0.16.
    finding = only(check(ONSET, logged(collapsing(None), saved=30)))
    assert finding.severity is Severity.WARNING
    assert finding.recoverable == pytest.approx(0.16)
    assert "at least 0.50" in finding.message
    # R² = α² is what a calibrated model has: no cost is shown.
    calibrated = history_of(range(1, 21), variance_ratio=[0.6] * 5 + [0.2] * 15, r2=[0.36] * 5 + [0.04] * 15)
    assert only(check(ONSET, logged(calibrated))).severity is Severity.INFO


def test_onset_that_recovered_before_the_saved_epoch_is_information() -> None:
    history = history_of(range(1, 31), variance_ratio=[0.6] * 5 + [0.1] * 6 + [0.7] * 19, r2=[0.15] * 30)
    finding = only(check(ONSET, logged(history, saved=28)))
    assert finding.severity is Severity.INFO
    assert finding.evidence["falls"] == [{"last_above": 5, "onset": 6, "recovered": 12}]
    assert only(check(ONSET, logged(history, saved=8))).severity is Severity.CRITICAL


def test_onset_against_r_when_the_range_did_not_grow_with_what_was_learnt() -> None:
    r = [0.0] * 5 + [0.8] * 15
    ratio = [0.2] * 20
    history = history_of(
        range(1, 21), variance_ratio=ratio, pearson_r=r, r2=[2 * c * a - a * a for a, c in zip(ratio, r, strict=True)]
    )
    finding = only(check(ONSET, logged(history, saved=20)))
    assert finding.evidence["falls"] == []
    assert finding.severity is Severity.CRITICAL
    assert finding.recoverable == pytest.approx(0.36)
    assert "divided by the correlation" in finding.message


def test_onset_says_whether_the_spread_fell_or_the_correlation_rose() -> None:
    # From a log in which the std ratio stood at 6 to 9 % while the run learned.
    ratio = [0.058, 0.053, 0.053, 0.060, 0.066, 0.070, 0.076, 0.080]
    r = [0.125, 0.30, 0.40, 0.46, 0.55, 0.56, 0.57, 0.58]
    finding = only(check(ONSET, logged(history_of(range(1, 9), variance_ratio=ratio, pearson_r=r))))
    assert finding.evidence["spread_fell"] is False
    fallen = [0.20, 0.20, *ratio[2:]]
    finding = only(check(ONSET, logged(history_of(range(1, 9), variance_ratio=fallen, pearson_r=[0.4, 0.4, *r[2:]]))))
    assert finding.evidence["spread_fell"] is True


def test_onset_low_from_the_start_is_no_onset() -> None:
    history = history_of(range(1, 11), variance_ratio=[0.25] * 10, r2=[0.05] * 10)
    finding = only(check(ONSET, logged(history)))
    assert finding.severity is Severity.INFO
    assert finding.evidence["low_from_the_start"] is True


@pytest.mark.parametrize(
    "ratio",
    [
        [0.6] * 10 + [0.1, 0.1] + [0.6] * 10,  # two epochs are a dip
        [0.6] * 5 + [0.35] * 20,  # between the levels
        [0.39] * 5 + [0.2] * 10 + [0.35] * 5,  # never armed, and not low throughout
        [0.9] + [0.35] * 10,
    ],
)
def test_onset_near_misses(ratio: list[float]) -> None:
    history = history_of(range(1, len(ratio) + 1), variance_ratio=ratio, r2=[0.1] * len(ratio))
    assert is_clear(check(ONSET, logged(history)))


def test_onset_undefined_and_odd_logs() -> None:
    outcome = check(ONSET, logged(None))
    assert isinstance(outcome, NotChecked)
    assert outcome.reason == "no variance_ratio column"
    outcome = check(ONSET, logged(history_of([1, 2], variance_ratio=[0.5, 0.1])))
    assert isinstance(outcome, NotChecked)
    assert outcome.reason == "2 epochs with a std ratio; needs at least 3"
    odd = history_of(
        [0.5, 1, 1.5, 2, 2.5, 3], variance_ratio=[math.nan, math.inf, 0.5, None, -1.0, 1e200], r2=[None] * 6
    )
    assert isinstance(check(ONSET, logged(odd)), NotChecked)
    zeros = history_of(range(8), variance_ratio=[0.9, 0.9, 0.9, 0.0, 0.0, 0.0, 0.0, 0.0], r2=[-1e300] * 8)
    assert only(check(ONSET, logged(zeros))).severity is Severity.WARNING


def test_onset_error_over_noise_regimes() -> None:
    """A fall at a known epoch is found within 2 epochs, and a steady ratio gives none, at six levels of jitter."""
    found, false = [], 0
    for noise in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3):
        for seed in range(40):
            rng = np.random.default_rng([seed, int(100 * noise)])
            at = int(rng.integers(8, 25))
            level = np.where(np.arange(40) < at, rng.uniform(0.6, 0.9), rng.uniform(0.05, 0.18))
            ratio = level * np.exp(rng.normal(0, noise, 40))
            outcome = check(ONSET, logged(history_of(range(40), variance_ratio=ratio.tolist(), r2=[-1.0] * 40)))
            assert isinstance(outcome, Checked)
            found.append(bool(outcome.findings) and abs(float(outcome.findings[0].epoch or 0) - at) <= 2)
            steady = rng.uniform(0.5, 0.9) * np.exp(rng.normal(0, noise, 40))
            outcome = check(ONSET, logged(history_of(range(40), variance_ratio=steady.tolist(), r2=[-1.0] * 40)))
            false += not is_clear(outcome)
    assert np.mean(found) >= 0.97
    assert false <= 5


def test_hysteresis_pieces() -> None:
    assert median_of_three([1.0, 5.0, 2.0, 3.0, 9.0])[1:4] == [2.0, 3.0, 3.0]
    assert median_of_three([1.0, 2.0]) == [1.0, 2.0]
    assert is_sparse([1, 10, 20])
    assert not is_sparse([0.5, 1.0, 1.5])
    jitter = np.random.default_rng(0).normal(0, 0.2, 4000)
    assert log_noise(np.exp(jitter).tolist()) == pytest.approx(0.2, rel=0.05)
    series = [0.5, 0.2, 0.2, 0.5, 0.5, 0.2, 0.2]
    assert falls(series, low=0.3, high=0.4, confirm=2, recover=2) == [
        Stretch(last_high=0, onset=1, recovered=3),
        Stretch(last_high=4, onset=5, recovered=None),
    ]
