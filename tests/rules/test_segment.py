"""segment.bias: by predicted range, by group, by true range; fires, near miss, undefined."""

from __future__ import annotations

import itertools

import numpy as np
import polars as pl
import pytest
from scipy import stats

from runreport.analysis.final import final_of
from runreport.context import Context
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.segment import RULES
from runreport.rules.segment_groups import _apart, _chi_square
from runreport.rules.segment_sets import set_apart, two_sets, within_correlation
from runreport.rules.segment_table import Bin, binned, line_bins, range_masks, share_within
from runreport.run import Run
from runreport.settings import Settings

(BIAS,) = RULES
Array = np.ndarray

RUN_1_TABLE = [
    {"range": "<0.4", "n": 3, "mean_bias": 0.657, "true_mean": 0.28, "pred_mean": 0.937},
    {"range": "0.4-0.6", "n": 18, "mean_bias": 0.362, "true_mean": 0.53, "pred_mean": 0.892},
    {"range": "0.6-0.8", "n": 75, "mean_bias": 0.223, "true_mean": 0.707, "pred_mean": 0.93},
    {"range": "0.8-1.0", "n": 15, "mean_bias": 0.112, "true_mean": 0.83, "pred_mean": 0.942},
    {"range": ">1.0", "n": 33, "mean_bias": -0.801, "true_mean": 1.792, "pred_mean": 0.991},
]


def check(context: Context) -> Outcome:
    return BIAS.check(context, BIAS.limits())


def findings(outcome: Outcome) -> tuple[Finding, ...]:
    assert isinstance(outcome, Checked)
    return outcome.findings


def predicted(true: Array, pred: Array, groups: Array | None = None) -> Context:
    frame = pl.DataFrame({"y_true": true, "y_pred": pred})
    if groups is not None:
        frame = frame.with_columns(pl.Series("flight_name", [f"f{g}" for g in groups]))
    run = Run(name="run", format="native", files={}, predictions=frame)
    return Context(run=run, final=final_of(run, None, None, Settings()))


def pair(r: float = 0.7, n: int = 600, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    known = rng.standard_normal(n)
    return r * known + np.sqrt(1 - r * r) * rng.standard_normal(n), r * known


def test_a_bent_calibration_curve_fires() -> None:
    rng = np.random.default_rng(1)
    score = rng.standard_normal(800)
    true = np.exp(score) + 0.3 * rng.standard_normal(800)
    (finding, *rest) = findings(check(predicted(true, 1.5 * score)))
    assert finding.evidence["segments"] == "predicted range"
    assert finding.severity is Severity.WARNING
    table = finding.evidence["by_predicted_range"]
    assert isinstance(table, list)
    assert len(table) == 5
    # Independent: residual of scipy's straight line in the top fifth of the predictions.
    line = stats.linregress(1.5 * score, true)
    residual = line.intercept + line.slope * 1.5 * score - true
    top = score >= np.quantile(score, 0.8)
    last = table[-1]
    assert isinstance(last, dict)
    assert last["mean"] == pytest.approx(residual[top].mean(), rel=1e-6)
    assert all(f.severity is Severity.INFO for f in rest)


def test_regression_to_the_mean_is_no_segment_bias() -> None:
    """By true range the errors of a calibrated model run from high to low; nothing of it is a fault."""
    for r in (0.2, 0.7, 0.95):
        assert findings(check(predicted(*pair(r)))) == ()


def test_spread_and_bias_alone_are_left_to_their_rules() -> None:
    true, pred = pair()
    assert findings(check(predicted(true, 0.3 * pred + 2.0))) == ()


def test_one_group_apart_fires() -> None:
    true, pred = pair(n=600)
    groups = np.arange(600) // 50
    (finding,) = findings(check(predicted(true, pred + 1.5 * (groups == 4), groups)))
    assert finding.severity is Severity.WARNING
    assert finding.evidence["group"] == "f4"
    assert finding.evidence["difference"] == pytest.approx(1.5, abs=0.3)
    assert finding.recoverable is not None
    assert finding.recoverable > 0.1


def test_groups_that_all_differ_are_information() -> None:
    # The truth differs between the groups and the model does not know it: its errors differ as much, no more.
    true, pred = pair(n=600)
    groups = np.arange(600) // 50
    shift = np.random.default_rng(9).standard_normal(12)[groups]
    (finding,) = findings(check(predicted(true + shift, pred, groups)))
    assert finding.severity is Severity.INFO
    assert "differs between the 12 groups" in finding.message


def test_groups_told_apart_where_the_truth_does_not_are_a_warning() -> None:
    true, pred = pair(n=600)
    groups = np.arange(600) // 50
    shift = np.random.default_rng(9).standard_normal(12)[groups]
    (finding,) = findings(check(predicted(true, pred + shift, groups)))
    assert finding.severity is Severity.WARNING
    means = [float((pred + shift - true)[groups == g].mean()) for g in range(12)]
    of_true = [float(true[groups == g].mean()) for g in range(12)]
    assert finding.recoverable == pytest.approx((np.var(means) - np.var(of_true)) / true.var())
    assert "differ more than their true means do" in finding.message


def test_predictions_too_wide_everywhere_are_no_matter_of_groups() -> None:
    true, pred = pair(n=600)
    groups = np.arange(600) // 50
    level = np.random.default_rng(9).standard_normal(12)[groups]
    assert all(
        f.severity is Severity.INFO for f in findings(check(predicted(true + level, 4 * (pred + level), groups)))
    )


def test_two_of_eight_groups_apart_fire() -> None:
    true, pred = pair(n=800)
    groups = np.arange(800) // 100
    (finding,) = findings(check(predicted(true, pred + 1.5 * (groups >= 6), groups)))
    assert finding.severity is Severity.WARNING
    assert finding.evidence["groups"] == ["f7", "f6"] or finding.evidence["groups"] == ["f6", "f7"]
    assert finding.evidence["difference"] == pytest.approx(1.5, abs=0.15)
    assert finding.recoverable == pytest.approx(0.25 * 0.75 * 1.5**2 / true.var(), rel=0.2)


def test_even_groups_seldom_fall_into_two_sets() -> None:
    rng = np.random.default_rng(1)
    found = []
    for _ in range(150):
        means, errors = rng.normal(0, 0.5, 10), np.full(10, 0.2)
        bins = [
            Bin(label=str(i), n=30, mean=float(m + rng.normal(0, e)), error=float(e), degrees=29.0, at=np.arange(3))
            for i, (m, e) in enumerate(zip(means, errors, strict=True))
        ]
        sets = two_sets(bins)
        assert sets is not None
        found.append(sets.p)
    # The 99 % range of 150 draws at 5 %: 2 to 16.
    assert 2 <= sum(p < 0.05 for p in found) <= 16


def test_two_sets_are_the_best_of_all_splits() -> None:
    rng = np.random.default_rng(2)
    means = rng.normal(0, 1, 7)
    bins = [Bin(label=str(i), n=9, mean=float(m), error=0.1, degrees=8.0, at=np.arange(3)) for i, m in enumerate(means)]
    sets = two_sets(bins)
    assert sets is not None
    inside = {
        subset: sum(
            float(((part - part.mean()) ** 2).sum()) for part in (means[list(subset)], np.delete(means, subset))
        )
        for size in (1, 2, 3)
        for subset in itertools.combinations(range(7), size)
    }
    assert {int(part.label) for part in sets.groups} == set(min(inside, key=inside.__getitem__))


def test_correlation_inside_groups_against_numpy() -> None:
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(6), 30)
    known = rng.standard_normal(180)
    true, pred = known + rng.standard_normal(180), known + 10.0 * codes
    inside = within_correlation(true, pred, codes)
    assert inside is not None
    centred = [np.concatenate([v[codes == g] - v[codes == g].mean() for g in range(6)]) for v in (true, pred)]
    assert inside[0] == pytest.approx(np.corrcoef(*centred)[0, 1])
    assert inside[1] == pytest.approx(float((centred[0] * centred[1]).sum() / (centred[1] ** 2).sum()))
    z = [np.arctanh(np.corrcoef(true[codes == g], pred[codes == g])[0, 1]) for g in range(6)]
    assert inside[2] == pytest.approx(stats.ttest_1samp(z, 0).pvalue)
    assert within_correlation(true, 10.0 * codes, codes) is None


def test_variances_of_group_means_against_scipy() -> None:
    rng = np.random.default_rng(6)
    true, pred = rng.standard_normal(15), 2 * rng.standard_normal(15)
    found = set_apart(true.tolist(), pred.tolist(), 1.0)
    assert found is not None
    error = pred - true
    assert found[0] == pytest.approx(error.var() / true.var())
    assert found[1] == pytest.approx(stats.pearsonr(error + true, error - true, alternative="greater").pvalue)


def test_few_groups_are_not_ranked() -> None:
    true, pred = pair(n=300)
    groups = np.arange(300) // 100
    (finding,) = findings(check(predicted(true, pred + 2.0 * (groups == 1), groups)))
    assert finding.severity is Severity.INFO
    assert "With 3 groups it cannot be told" in finding.message


def test_equal_groups_are_clear() -> None:
    true, pred = pair(n=600)
    assert findings(check(predicted(true, pred, np.arange(600) // 50))) == ()


def test_true_range_beyond_the_line_is_information() -> None:
    """A top that is taken for something else is missed by more than the same errors, dealt at random, would give."""
    rng = np.random.default_rng(3)
    true = rng.standard_normal(1000)
    pred = np.where(true > 1.0, -1.0, true) + 0.3 * rng.standard_normal(1000)
    found = [f for f in findings(check(predicted(true, pred))) if f.evidence["segments"] == "true range"]
    assert [f.severity for f in found] == [Severity.INFO]
    assert found[0].p_value is not None


def test_published_table_of_run_1() -> None:
    figures = {"r2": -0.0457, "variance_ratio": 0.4, "num_samples": 144, "bias_by_true_range": RUN_1_TABLE}
    run = Run(name="run1", format="native", files={}, summary=figures)
    (finding,) = findings(check(Context(run=run, final=final_of(run, None, None, Settings()))))
    assert finding.severity is Severity.INFO
    assert "0.657" in finding.message
    assert "-0.801" in finding.message
    # Constant at the table's mean Σn·t/Σn = 134.991/144 = 0.9374: 0.9374 - 0.28 and 0.9374 - 1.792.
    assert "0.657 and -0.855" in finding.message


@pytest.mark.parametrize(
    ("context", "reason"),
    [
        (Context(run=Run(name="r", format="x", files={})), "no predictions"),
        (Context(run=Run(name="r", format="x", files={}, summary={"bias_by_true_range": [1, 2]})), "no predictions"),
        (predicted(*pair(n=40)), "40 predictions; needs at least 50"),
        (predicted(np.arange(60.0), np.ones(60)), "predictions or truth do not vary"),
    ],
)
def test_undefined(context: Context, reason: str) -> None:
    outcome = check(context)
    assert isinstance(outcome, NotChecked)
    assert outcome.reason == reason


def test_bins_and_intervals_against_scipy() -> None:
    values = np.random.default_rng(4).standard_normal(100)
    masks = range_masks(values)
    assert [int(at.sum()) for _, at in masks] == [20] * 5
    part = binned(values, masks, 1.0)[0]
    low, high = stats.ttest_1samp(values[masks[0][1]], 0.0).confidence_interval()
    assert part.interval() == pytest.approx((low, high))
    # Ties stay together: three values make at most three bins.
    assert len(range_masks(np.repeat([1.0, 2.0, 3.0], 30))) <= 3
    assert len(range_masks(np.ones(30))) == 1


def test_group_test_against_scipy() -> None:
    rng = np.random.default_rng(6)
    values = rng.standard_normal(240) + 3.0 * (np.arange(240) < 20)
    masks = [(f"g{i}", np.arange(240) // 20 == i) for i in range(12)]
    part, difference, p = _apart(binned(values, masks, 1.0))
    means = values.reshape(12, 20).mean(axis=1)
    others = means[1:]
    t = (means[0] - others.mean()) / (others.std(ddof=1) * np.sqrt(1 + 1 / 11))
    assert part is not None
    assert part.label == "g0"
    assert difference == pytest.approx(means[0] - others.mean())
    assert p == pytest.approx(min(1.0, 12 * 2 * stats.t.sf(abs(t), 10)))
    for degrees in (1, 5, 40):
        assert _chi_square(degrees) == pytest.approx(stats.chi2.isf(0.001, degrees), rel=0.04)


def test_a_skewed_truth_bends_the_curve_of_every_calibrated_model() -> None:
    """y = signal + lognormal noise: 27 % of such models were told of a fault by true range before."""
    rng = np.random.default_rng(5)
    fired = 0
    for _ in range(120):
        known = rng.standard_normal(300)
        noise = rng.lognormal(0.0, 0.7, 300)
        fired += bool(findings(check(predicted(0.7 * known + 0.6 * (noise - np.exp(0.245)), 0.7 * known))))
    assert fired <= 5


@pytest.mark.parametrize("phi", [0.6, 0.9])
def test_drift_inside_groups_is_no_difference_between_them(phi: float) -> None:
    """12 groups of 12 rows that follow each other, all from one process: 43 and 61 % were said to differ before."""
    rng = np.random.default_rng(6)
    groups, fired = np.repeat(np.arange(12), 12), 0
    for _ in range(150):
        draws = rng.standard_normal((2, 12, 12))
        for i in range(1, 12):
            draws[..., i] = phi * draws[..., i - 1] + np.sqrt(1 - phi * phi) * draws[..., i]
        known, noise = draws.reshape(2, 144)
        fired += bool(findings(check(predicted(0.5 * known + 0.87 * noise, 0.5 * known, groups))))
    assert fired <= 150 * 0.06


def test_the_error_of_a_line_bin_is_that_of_its_mean_over_repetitions() -> None:
    """Errors that grow towards the ends: the spread of the bin means over 400 data sets, against the mean stated error."""
    rng = np.random.default_rng(7)
    x = np.sort(rng.standard_normal(200))
    masks = range_masks(x)
    means, stated = [], []
    for _ in range(400):
        y = x + rng.standard_normal(200) * np.exp(0.6 * np.abs(x))
        line = stats.linregress(x, y)
        bins = line_bins(line.intercept + line.slope * x - y, x, masks, 1.0)
        means.append([part.mean for part in bins])
        stated.append([part.error or 0.0 for part in bins])
    np.testing.assert_allclose(np.mean(stated, axis=0), np.std(means, axis=0), rtol=0.2)


def test_the_share_of_dependent_rows_in_groups() -> None:
    rng = np.random.default_rng(8)
    codes = np.repeat(np.arange(20), 50)
    draws = rng.standard_normal((20, 50))
    assert share_within(draws.ravel(), codes) > 0.8
    for i in range(1, 50):
        draws[:, i] = 0.8 * draws[:, i - 1] + 0.6 * draws[:, i]
    assert share_within(draws.ravel() + codes, codes) == pytest.approx(0.2 / 1.8, rel=0.35), "(1 - φ)/(1 + φ)"
