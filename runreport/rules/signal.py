"""Signal: predictions whose correlation with the truth cannot be told from none, or is too low for what is asked."""

from __future__ import annotations

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.rules.bias_epochs import epoch_facts
from runreport.rules.scale_units import logged_worth
from runreport.rules.segment_sets import within_correlation
from runreport.rules.value_range_sample import groups_of, sample_of
from runreport.statistics.analytic import fisher_interval
from runreport.wording import epoch as epoch_text
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
    if holds_zero and inside_groups(context, limits):
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


def inside_groups(context: Context, limits: Limits) -> bool:
    """Whether the predictions follow the truth inside the groups: offsets between them can hide that from the whole r."""
    sample = sample_of(context)
    found = None if sample is None else groups_of(context, sample.n)
    inside = None if sample is None or found is None else within_correlation(sample.true, sample.pred, found[1])
    return inside is not None and inside[0] >= limits["within_r"] and inside[2] < limits["within_p"]


def check_inverted(context: Context, limits: Limits) -> Outcome:
    """signal.inverted: r's interval lies below 0, and by more than chance: predictions fall where the truth rises.

    Where early stopping kept an epoch that knows nothing yet (each later one is worse, being surer of the wrong sign), the
    last epoch of the log tells. Predictions that hardly vary are those of initial weights, whatever their correlation.
    """
    final = context.final
    reason = basis.why_not(final, "pearson_r")
    r, bounds = basis.estimate(final, "pearson_r"), basis.finite_interval(final, "pearson_r")
    logged = _inverted_in_log(context, limits)
    if logged is not None and (bounds is None or bounds[0] <= 0):
        return Checked(findings=(logged,))
    if final is None or reason is not None or r is None or bounds is None:
        return NotChecked(rule=INVERTED, reason=reason or "no correlation")
    # The test is signal.limited's: its p-value counts among the tests once.
    p = basis.p_value(final, "pearson_r", 0.0)
    if bounds[1] >= 0 or r > -limits["least_size"] or (p is not None and p >= limits["p"]):
        return CLEAR
    ratio, beta = basis.estimate(final, "variance_ratio"), basis.estimate(final, "bias")
    if ratio is not None and -2 * r * ratio - ratio * ratio < limits["least_gain"]:
        return CLEAR
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


def _inverted_in_log(context: Context, limits: Limits) -> Finding | None:
    """The last logged epoch's validation correlation, where it is shown to be far below 0 and training made it so."""
    facts = [fact for fact in epoch_facts(context) if fact.r is not None]
    worth = logged_worth(context)
    if len(facts) < limits["least_epochs"] or worth is None:
        return None
    last, first = facts[-1], facts[0]
    if last.r is None or first.r is None or first.r - last.r < limits["moved"]:
        return None
    bounds = fisher_interval(last.r, worth, level=1 - limits["p"])
    if bounds is None or bounds[1] >= -limits["least_size"]:
        return None
    message = (
        f"On the validation set the correlation of predictions and truth went from {fixed(first.r, 2)} at epoch "
        f"{epoch_text(first.epoch)} to {fixed(last.r, 2)} at epoch {epoch_text(last.epoch)}: training learns the truth with "
        "its sign turned. The epoch that was saved knows too little to show it."
    )
    return Finding(
        rule=INVERTED,
        severity=Severity.CRITICAL if bounds[1] < -limits["critical_size"] else Severity.WARNING,
        message=message,
        evidence={"pearson_r": last.r, "first_r": first.r, "pearson_r_interval": [bounds[0], bounds[1]]},
        epoch=last.epoch,
        split="validation",
        acts_on="r",
    )


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
            "linear rescaling (Murphy 1988). Not where r inside the groups, each centred on its mean, is shown to be positive: "
            "t of the groups' own Fisher z, G - 1 degrees."
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
            Threshold(
                name="within_r", default=0.1, reason="a hundredth of the variance inside the groups is signal", unit="r"
            ),
            Threshold(
                name="within_p", default=basis.WARNING_P, reason="three standard errors, groups as units", unit="p"
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
        statistic="95 % interval of Pearson r entirely below 0, r ≤ -0.1 and p < 0.0027; or the same of the last epoch "
        "of the log. Not where mirroring gives less than 0.05. Mirrored: R² = -2rα - α² - β².",
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
            Threshold(
                name="least_gain",
                default=0.05,
                reason="-2rα - α², what mirroring gives beside a constant: an output that was never learnt gives less",
                unit="R²",
            ),
            Threshold(
                name="least_epochs", default=3, reason="two epochs show no direction that training takes", unit="epochs"
            ),
            Threshold(
                name="moved",
                default=0.2,
                reason="initial weights give ±0.2 or more on related inputs; what is learnt goes beyond",
                unit="r",
            ),
        ),
    ),
)
