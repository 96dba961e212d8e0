"""Segment bias: parts of the data whose mean error is not that of the rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from runreport.context import Context, Final, Limits
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.rules.segment_groups import judge_groups, severity_of
from runreport.rules.segment_table import Bin, bin_rows, line_bins, range_masks, true_range_table
from runreport.rules.value_range_sample import Sample, sample_of
from runreport.statistics.student import two_sided_p
from runreport.wording import fixed, number, plural

RULE_ID = "segment.bias"

SHUFFLES = 50
"""Of the errors, for the bend that a truth's distribution gives to any model: its mean is then known to a seventh of a
standard error."""


def check_segments(context: Context, limits: Limits) -> Outcome:
    """segment.bias: by predicted range, by group, and by true range beyond what regression to the mean explains.

    By *true* range every model with r < 1 errs towards the mean, so a slope there is no fault: only what exceeds the
    line that r, α and β give is stated, and as information, because the true range is not known when predicting. By
    *predicted* range and by group the segment is known, and its mean error could be taken away.
    """
    final = context.final
    sample = sample_of(context)
    if final is None or sample is None:
        return _published_table(context)
    if sample.n < limits["least_rows"]:
        return NotChecked(rule=RULE_ID, reason=f"{sample.n} predictions; needs at least {limits['least_rows']:.0f}")
    if not (sample.pred.std(ddof=0) > 0 and sample.true.std(ddof=0) > 0):
        return NotChecked(rule=RULE_ID, reason="predictions or truth do not vary")
    findings: list[Finding] = []
    p_values: list[float] = []
    for finding, tested in (
        _by_predicted_range(final, sample, limits),
        judge_groups(context, sample, limits),
        _by_true_range(final, sample, limits),
    ):
        findings += [] if finding is None else [finding]
        p_values += tested
    return Checked(findings=tuple(findings), p_values=tuple(p_values))


def _dependence(sample: Sample, residual: object) -> float:
    """Share of the rows that counts as independent for a mean of ``residual``: the smaller of two effective sizes."""
    import numpy as np

    from runreport.statistics.effective_size import effective_size_of_mean

    worth = float(effective_size_of_mean(np.asarray(residual, dtype=np.float64)))
    return min(sample.share, worth / sample.n)


def _most_deviating(bins: Sequence[Bin]) -> tuple[Bin | None, float]:
    """The bin whose mean deviates most surely from 0, and its p-value corrected for the number of bins (Bonferroni)."""
    tests = [
        (two_sided_p(part.mean / part.error, part.degrees), part)
        for part in bins
        if part.error is not None and part.degrees is not None
    ]
    if not tests:
        return None, 1.0
    p, part = min(tests, key=lambda test: test[0])
    return part, min(1.0, p * len(tests))


def _cost(bins: Sequence[Bin], variance: float) -> float:
    """Σ share · (mean² - its sampling variance) / σt², the R² that taking away each bin's mean would give; ≥ 0."""
    total = sum(part.n for part in bins)
    gained = sum(part.n / total * (part.mean * part.mean - (part.error or 0.0) ** 2) for part in bins)
    return max(0.0, gained / variance)


def _by_predicted_range(final: Final, sample: Sample, limits: Limits) -> tuple[Finding | None, list[float]]:
    """A bent calibration curve: what the best straight line through (y_pred, y_true) leaves, by fifth of y_pred."""
    pred = sample.pred - sample.pred.mean()
    true = sample.true - sample.true.mean()
    spread = float((pred * pred).mean())
    if not spread > 0:
        return None, []
    residual = pred * float((pred * true).mean()) / spread - true
    bins = line_bins(residual, pred, range_masks(sample.pred), _dependence(sample, residual))
    if len(bins) < 3:
        return None, []
    part, p = _most_deviating(bins)
    tested = [] if part is None else [p]
    variance = float((true * true).mean())
    cost = _cost(bins, variance)
    if part is None or p >= limits["p"]:
        return None, tested
    direction = "high" if part.mean > 0 else "low"
    bounds = part.interval()
    shown = "" if bounds is None else f" [{number(bounds[0])}, {number(bounds[1])}]"
    message = (
        f"{basis.place(final)} predictions in the range {part.label} are {number(abs(part.mean))} too {direction} on "
        f"average after the best straight recalibration (mean error {number(part.mean)}{shown}, "
        f"{plural(part.n, 'sample')}; chance at p = {number(p, 2)} over {len(bins)} ranges): the calibration curve bends, "
        f"and straightening it would give back about {fixed(cost)} R²."
    )
    finding = Finding(
        rule=RULE_ID,
        severity=severity_of(cost, p, limits),
        message=message,
        evidence={
            "segments": "predicted range",
            "by_predicted_range": bin_rows(bins, "range"),
            "recoverable_r2": cost,
            "p_value": p,
            "by_true_range": true_range_table(sample, basis.estimate(final, "pearson_r")),
        },
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
        recoverable=cost,
        p_value=p,
    )
    return finding, tested


def _by_true_range(final: Final, sample: Sample, limits: Limits) -> tuple[Finding | None, list[float]]:
    """What the error by true range exceeds the line by that r, α and β give it."""
    true = sample.true - sample.true.mean()
    variance = float((true * true).mean())
    if not variance > 0:
        return None, []
    error = sample.pred - sample.true
    centred = error - error.mean()
    residual = centred - true * float((centred * true).mean()) / variance
    masks = range_masks(sample.true)
    bins = line_bins(residual, true, masks, _dependence(sample, residual))
    usual = usual_bend(sample)
    if len(bins) < 3 or len(usual) != len(bins):
        return None, []
    bins = [replace(part, mean=part.mean - bend) for part, bend in zip(bins, usual, strict=True)]
    part, p = _most_deviating(bins)
    if part is None or p >= limits["p"] or part.mean * part.mean < limits["true_range_excess"] * variance:
        return None, [] if part is None else [p]
    mean_error = float(error[part.at].mean())
    message = (
        f"{basis.place(final)} samples whose truth lies in the range {part.label} are off by {number(mean_error)} on "
        f"average ({plural(part.n, 'sample')}); {number(part.mean)} of it is more than regression to the mean gives "
        f"predictions of this range, bias and distribution of errors (chance at p = {number(p, 2)} over {len(bins)} ranges)."
    )
    finding = Finding(
        rule=RULE_ID,
        severity=Severity.INFO,
        message=message,
        evidence={
            "segments": "true range",
            "beyond_the_line": bin_rows(bins, "range"),
            "p_value": p,
            "by_true_range": true_range_table(sample, basis.estimate(final, "pearson_r")),
        },
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
        p_value=p,
    )
    return finding, [p]


def usual_bend(sample: Sample) -> list[float]:
    """Mean residual of the line by fifth of the truth, for errors that have nothing to do with the prediction.

    A skewed truth bends that curve for every calibrated model: a high truth is mostly a high error. So the errors of the
    straight recalibration are dealt to the predictions anew, :data:`SHUFFLES` times with a fixed seed, and the same table
    is made of the truth that results. Empty where ties leave it with another number of bins.
    """
    import numpy as np

    pred = sample.pred - sample.pred.mean()
    true = sample.true - sample.true.mean()
    fit = pred * float((pred * true).mean()) / float((pred * pred).mean())
    left, rng = true - fit, np.random.default_rng(0)
    rows: list[list[float]] = []
    for _ in range(SHUFFLES):
        again = fit + rng.permutation(left)
        error = pred - again
        residual = error - again * float((error * again).mean()) / float((again * again).mean())
        rows.append([float(residual[at].mean()) for _, at in range_masks(again)])
    return np.mean(rows, axis=0).tolist() if len({len(row) for row in rows}) == 1 else []


def _published_table(context: Context) -> Outcome:
    """A published table of mean error by true range: restated beside what regression to the mean explains."""
    final = context.final
    rows = _table_rows(context.run.summary.get("bias_by_true_range"))
    if not rows or final is None:
        return NotChecked(rule=RULE_ID, reason="no predictions")
    total = sum(row["n"] for row in rows)
    centre = sum(row["n"] * row["true_mean"] for row in rows) / total
    r = basis.estimate(final, "pearson_r")
    listed: list[Value] = []
    for row, label in zip(rows, _labels(context.run.summary.get("bias_by_true_range")), strict=True):
        expected = None if r is None else (r * r - 1) * (row["true_mean"] - centre)
        entry: dict[str, Value] = {"range": label, "expected_bias": expected, **row}
        listed.append(entry)
    first, last = min(rows, key=lambda row: row["true_mean"]), max(rows, key=lambda row: row["true_mean"])
    message = (
        f"{basis.place(final)} the published mean error runs from {number(first['mean_bias'])} where the truth is "
        f"lowest (mean {number(first['true_mean'])}) to {number(last['mean_bias'])} where it is highest "
        f"(mean {number(last['true_mean'])}). Regression to the mean gives every model with r < 1 such a slope"
    )
    if r is None:
        limit = [-(row["true_mean"] - centre) for row in (first, last)]
        message += f"; a constant prediction of the mean has {number(limit[0])} and {number(limit[1])} there."
    else:
        ends = [(r * r - 1) * (row["true_mean"] - centre) for row in (first, last)]
        message += f": a calibrated one with r = {fixed(r, 2)} has {number(ends[0])} and {number(ends[1])} there."
    finding = Finding(
        rule=RULE_ID,
        severity=Severity.INFO,
        message=message,
        evidence={"segments": "true range", "by_true_range": listed, "pearson_r": r, "basis": final.basis},
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
    )
    return Checked(findings=(finding,))


def _table_rows(table: object) -> list[dict[str, float]]:
    """Rows with n, mean_bias and true_mean as numbers; empty where the table has any other."""
    if not isinstance(table, Sequence) or isinstance(table, str) or len(table) < 2:
        return []
    rows = []
    for entry in table:
        if not isinstance(entry, Mapping):
            return []
        row: dict[str, float] = {}
        for name in ("n", "mean_bias", "true_mean", "pred_mean"):
            value = entry.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and basis.usable(value):
                row[name] = value
        if not {"n", "mean_bias", "true_mean"} <= row.keys() or row["n"] <= 0:
            return []
        rows.append(row)
    return rows


def _labels(table: object) -> list[str]:
    entries = table if isinstance(table, Sequence) else ()
    return [str(entry.get("range", "")) if isinstance(entry, Mapping) else "" for entry in entries]


RULES: tuple[Rule, ...] = (
    Rule(
        id=RULE_ID,
        title="Part of the data is off",
        meaning="The mean error of a predicted range, a group, or a true range differs from that of the rest.",
        statistic=(
            "By fifth of y_pred: mean residual of the straight recalibration, t with the effective count, Bonferroni. "
            "By group: a group's mean error against the others', t with G - 2 degrees, Bonferroni; two sets of groups, "
            "the largest between/within ratio against normal groups (Engelman & Hartigan 1969); mean errors that vary more "
            "than the true means, with r > 0 inside the groups (Pitman 1939); groups that all differ, χ² against the scatter "
            "inside them, rows that follow each other counted for what they are worth. By fifth of y_true: what exceeds the "
            "line (r, α and β give one: regression to the mean) and the bend that the same errors give when dealt to other "
            "predictions."
        ),
        remedy=(
            "A bent calibration curve is straightened by monotone recalibration, or by training on the scale that is "
            "judged. A group that is off: look at its data, and give the model what sets it apart."
        ),
        severities="by the R² that mending gives, at most warning, info while p ≥ 0.005; by true range info",
        check=check_segments,
        thresholds=(
            Threshold(name="least_rows", default=50, reason="ten rows a fifth", unit="rows"),
            Threshold(name="p", default=0.01, reason="after Bonferroni over the segments; three tables are looked at"),
            Threshold(
                name="warning_p", default=0.005, reason="three tables of several segments on every run", unit="p"
            ),
            Threshold(
                name="true_range_excess",
                default=0.0625,
                reason="a quarter of a true standard deviation, squared: skewed targets always bend a little",
                unit="β²",
            ),
            Threshold(
                name="least_groups",
                default=6,
                reason="fewer groups do not tell how much groups differ anyway",
                unit="groups",
            ),
            Threshold(
                name="between_cost",
                default=0.05,
                reason="R² that differences between groups cost from which they are stated",
                unit="R²",
            ),
        ),
    ),
)
