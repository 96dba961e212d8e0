"""Signal: predictions whose correlation with the truth cannot be told from none, or is too low for what is asked."""

from __future__ import annotations

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.wording import fixed, with_interval

LIMITED = "signal.limited"
INVERTED = "signal.inverted"


def check_limited(context: Context, limits: Limits) -> Outcome:
    """signal.limited: r's interval holds 0 (or r² stays below what is asked) and the spread is right, or costs little.

    "Right" is an interval of the slope that holds 1. With many samples it excludes 1 for predictions that are hardly
    wider than nothing (r = 0, α = 0.1): there the spread costs α² = 0.01, and still no loss term helps.
    """
    final = context.final
    reason = basis.why_not(final, "pearson_r", "calibration_slope", interval=False)
    reason = reason or basis.why_not(final, "pearson_r", "calibration_slope")
    r, slope = basis.estimate(final, "pearson_r"), basis.estimate(final, "calibration_slope")
    r_bounds = basis.finite_interval(final, "pearson_r")
    slope_bounds = basis.finite_interval(final, "calibration_slope")
    if final is None or reason is not None or r is None or slope is None or r_bounds is None or slope_bounds is None:
        return NotChecked(rule=LIMITED, reason=reason or "no correlation")
    p = basis.p_value(final, "pearson_r", 0.0)
    tested = () if p is None else (p,)
    ceiling = max(r_bounds[0] * r_bounds[0], r_bounds[1] * r_bounds[1])
    asked = limits["asked_r2"]
    holds_zero = r_bounds[0] <= 0 <= r_bounds[1]
    ratio = basis.estimate(final, "variance_ratio")
    calibrated = slope_bounds[0] <= 1 <= slope_bounds[1]
    # What the wrong spread is shown to cost: (α - r)² at the end of r's interval that lies nearest to α.
    gap = None if ratio is None else max(ratio - r_bounds[1], r_bounds[0] - ratio, 0.0)
    shown_cost = None if gap is None else gap * gap
    cheap = shown_cost is not None and shown_cost < limits["spread_cost"]
    if not (calibrated or cheap) or not (holds_zero or ceiling < asked):
        return CLEAR if not tested else Checked(p_values=tested)
    correlation = with_interval(r, r_bounds, 2)
    if holds_zero:
        first = (
            f"{basis.place(final)} the correlation with the truth is {correlation}: "
            f"at {basis.sample_count(final)} it cannot be told from none"
        )
    else:
        first = (
            f"{basis.place(final)} the correlation with the truth is {correlation}: "
            f"R² = {fixed(asked, 2)} is asked, which no correlation in this interval allows"
        )
    slope_text = f"The calibration slope {with_interval(slope, slope_bounds, 2)}"
    if calibrated:
        spread = f"{slope_text} does not differ detectably from 1"
    else:
        spread = f"{slope_text} is not 1, but that is not shown to cost more than {fixed(shown_cost)} R²"
    message = (
        f"{first}. {spread}, so no loss term that widens or narrows the predictions fixes this; no linear rescaling passes "
        f"R² = {fixed(ceiling)} (upper end of r²)."
    )
    evidence = basis.evidence_of(final, "pearson_r", "calibration_slope", "r2", "variance_ratio")
    evidence |= {
        "ceiling_r2": r * r,
        "ceiling_r2_upper": ceiling,
        "asked_r2": asked,
        "wrong_spread_shown": shown_cost,
        "p_value": p,
    }
    finding = Finding(
        rule=LIMITED,
        severity=Severity.INFO,
        message=message,
        evidence=evidence,
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
    )
    return Checked(findings=(finding,), p_values=tested)


def check_inverted(context: Context, limits: Limits) -> Outcome:
    """signal.inverted: r's interval lies below 0, and by more than chance: predictions fall where the truth rises."""
    final = context.final
    reason = basis.why_not(final, "pearson_r")
    r, bounds = basis.estimate(final, "pearson_r"), basis.finite_interval(final, "pearson_r")
    if final is None or reason is not None or r is None or bounds is None:
        return NotChecked(rule=INVERTED, reason=reason or "no correlation")
    # The test is signal.limited's: its p-value counts among the tests once.
    p = basis.p_value(final, "pearson_r", 0.0)
    if bounds[1] >= 0 or r > -limits["least_size"] or (p is not None and p >= limits["p"]):
        return CLEAR
    ratio, beta = basis.estimate(final, "variance_ratio"), basis.estimate(final, "bias")
    mirrored = None if ratio is None or beta is None else -2 * r * ratio - ratio * ratio - beta * beta
    message = (
        f"{basis.place(final)} the predictions run against the truth: their correlation is {with_interval(r, bounds, 2)}. "
        "Noise does not do that: information is there with its sign turned"
    )
    message += (
        "." if mirrored is None else f", and the same predictions mirrored at their mean have R² = {fixed(mirrored)}."
    )
    finding = Finding(
        rule=INVERTED,
        severity=Severity.CRITICAL if bounds[1] < -limits["critical_size"] else Severity.WARNING,
        message=message,
        evidence=basis.evidence_of(final, "pearson_r", "variance_ratio", "bias", "r2")
        | {"mirrored_r2": mirrored, "p_value": p},
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
        recoverable=None if ratio is None else max(-4 * r * ratio, 0.0),
        p_value=p,
    )
    return Checked(findings=(finding,))


RULES: tuple[Rule, ...] = (
    Rule(
        id=LIMITED,
        title="Limited by the signal",
        meaning=(
            "The predictions carry no detectable information about the truth (or less than is asked), and their range "
            "is not shown to be wrong: more information is needed, not another loss term."
        ),
        statistic=(
            "95 % interval of Pearson r contains 0, or the larger end of r² is below the R² asked for; and the interval "
            "of the slope r/α contains 1, or (α - r)² is below 0.02 somewhere in r's interval. r² is the R² of the best "
            "linear rescaling (Murphy 1988)."
        ),
        remedy="Data, features, split, optimisation: see whether the training R² is high or low. Acts on r.",
        severities="info",
        check=check_limited,
        thresholds=(
            Threshold(
                name="asked_r2",
                default=0.0,
                reason="0 asks for nothing but a detectable correlation; a criteria file sets what the project needs",
                unit="R²",
            ),
            Threshold(
                name="spread_cost",
                default=0.02,
                reason="a spread that costs less than the smallest noticeable ΔR² is not what holds the model back",
                unit="R²",
            ),
        ),
    ),
    Rule(
        id=INVERTED,
        title="Predictions run against the truth",
        meaning=(
            "Where the truth is high the predictions are low, by more than chance. No loss does that: a sign, a unit that "
            "counts backwards, or a column is swapped between training and this evaluation; or the relation itself turned "
            "between the splits."
        ),
        statistic="95 % interval of Pearson r entirely below 0, r ≤ -0.1 and p < 0.0027. Mirrored: R² = -2rα - α² - β².",
        remedy=(
            "Compare the target's sign, unit and transform at training and here, and the columns that are called truth and "
            "prediction. Mirror the predictions only once the cause is known. Acts on r."
        ),
        severities="warning; critical where r² is at least 0.25 throughout r's interval",
        check=check_inverted,
        thresholds=(
            Threshold(
                name="p", default=basis.WARNING_P, reason="three standard errors, as for every warning", unit="p"
            ),
            Threshold(
                name="least_size", default=0.1, reason="a hundredth of the variance: less is no inversion", unit="-r"
            ),
            Threshold(
                name="critical_size",
                default=0.5,
                reason="a quarter of the truth's variance is known, and used against it",
                unit="-r",
            ),
        ),
    ),
)
