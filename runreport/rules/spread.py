"""Spread: predictions that are narrower or wider than what they know warrants."""

from __future__ import annotations

from dataclasses import replace

from runreport.context import Context, Limits
from runreport.findings import (
    CLEAR,
    NOTICEABLE_R2,
    SERIOUS_R2,
    Checked,
    Finding,
    NotChecked,
    Outcome,
    Severity,
    severity_by_recoverable,
)
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.rules.spread_epochs import hidden_by_width
from runreport.wording import fixed, percent, with_interval

UNDER = "spread.under"
OVER = "spread.over"

CALIBRATED = 1.0
"""The slope of the truth on the predictions of a calibrated model."""
WARRANTED_BY_NONE = 1.0
"""Std ratio that no correlation warrants: the best α is r, and r is at most 1."""


def check_under(context: Context, limits: Limits) -> Outcome:
    """spread.under: the 95 % interval of the calibration slope lies above 1."""
    return _check(context, limits, UNDER, under=True)


def check_over(context: Context, limits: Limits) -> Outcome:
    """spread.over: the 95 % interval of the calibration slope lies below 1, or epochs were wider than the truth itself."""
    outcome = _check(context, limits, OVER, under=False)
    told = isinstance(outcome, Checked) and any(f.severity is not Severity.INFO for f in outcome.findings)
    hidden = None if told else hidden_by_width(context, limits)
    if hidden is None:
        return outcome
    return replace(outcome, findings=(hidden,)) if isinstance(outcome, Checked) else Checked(findings=(hidden,))


def _check(context: Context, limits: Limits, rule: str, *, under: bool) -> Outcome:
    final = context.final
    reason = basis.why_not(final, "calibration_slope", "variance_ratio", "pearson_r", interval=False)
    reason = reason or basis.why_not(final, "calibration_slope")
    slope = basis.estimate(final, "calibration_slope")
    ratio, r = basis.estimate(final, "variance_ratio"), basis.estimate(final, "pearson_r")
    bounds = basis.finite_interval(final, "calibration_slope")
    if final is None or reason is not None or slope is None or ratio is None or r is None or bounds is None:
        return NotChecked(rule=rule, reason=reason or "no calibration slope")
    p = basis.p_value(final, "calibration_slope", CALIBRATED)
    # One test serves both rules: the rule in whose direction the estimate lies reports its p-value, so it counts once.
    tested = (p,) if p is not None and (slope > CALIBRATED) == under else ()
    fires = bounds[0] > CALIBRATED if under else bounds[1] < CALIBRATED
    if not fires:
        return CLEAR if not tested else Checked(p_values=tested)
    # With r < 0 no positive scale improves on a constant: shrinking to it gives back α² - 2rα, which is (α - r)² - r².
    recoverable = (ratio - r) * (ratio - r) - min(r, 0.0) * min(r, 0.0)
    # The end of the interval that lies nearest to 1 says what is shown to be lost: a few outlying rows make any slope.
    near = bounds[0] if under else bounds[1]
    shown = ratio * ratio * (1 - near) * (1 - near) - min(r, 0.0) * min(r, 0.0)
    severity = severity_by_recoverable(recoverable)
    # A network that knows a small training set by heart is as wide as the truth, so its α is 1 give or take sampling error.
    ratio_bounds = basis.finite_interval(final, "variance_ratio")
    excused = not under and (ratio_bounds is None or ratio_bounds[0] <= WARRANTED_BY_NONE)
    if severity is Severity.CRITICAL and (shown < SERIOUS_R2 or excused):
        severity = Severity.WARNING
    r_bounds = basis.finite_interval(final, "pearson_r")
    # Predictions that run against the truth are no matter of width: signal.inverted says so, and shrinking hides it.
    inverted = r_bounds is not None and r_bounds[1] < 0
    if inverted or (p is not None and p >= limits["warning_p"]) or (shown < NOTICEABLE_R2 and not under):
        severity = Severity.INFO
    direction = "narrower" if under else "wider"
    message = (
        f"{basis.place(final)} the calibration slope is {with_interval(slope, bounds, 2)} (1 = calibrated): at a "
        f"correlation of {fixed(r, 2)} a std ratio of {percent(ratio)} is {direction} than these predictions warrant"
    )
    if r > 0:
        message += f" (best {percent(r)}), and rescaling them would give back {fixed(recoverable)} R²."
    else:
        message += f"; shrinking them to their mean would give back {fixed(recoverable)} R²."
    finding = Finding(
        rule=rule,
        severity=severity,
        message=message,
        evidence=basis.evidence_of(final, "calibration_slope", "variance_ratio", "pearson_r")
        | {"wrong_spread": recoverable, "wrong_spread_shown": shown, "p_value": p},
        epoch=final.epoch,
        split=final.split,
        acts_on="alpha",
        recoverable=recoverable,
        p_value=p,
    )
    return Checked(findings=(finding,), p_values=tested)


_WARNING_P = Threshold(
    name="warning_p",
    default=basis.WARNING_P,
    reason="three standard errors; some forty rules look at a run, and a weaker difference is information",
    unit="p",
)

_SEVERITIES = (
    "by (α - r)²: from 0.02 warning, from 0.25 critical where the end of the slope's interval that is nearest to 1 costs as "
    "much{and}; info while p ≥ 0.0027{small}, or r is shown to be negative"
)

RULES: tuple[Rule, ...] = (
    Rule(
        id=UNDER,
        title="Predictions too narrow",
        meaning="The predictions vary less than their correlation with the truth warrants: a true collapse.",
        statistic="95 % interval of the calibration slope b = r/α (slope of y_true on y_pred) entirely above 1.",
        remedy="Train longer, regularise less, or rescale the predictions, which mends it for free. Acts on alpha.",
        severities=_SEVERITIES.replace("{and}", "").replace("{small}", ""),
        check=check_under,
        thresholds=(_WARNING_P,),
    ),
    Rule(
        id=OVER,
        title="Predictions too wide",
        meaning="The predictions vary more than their correlation with the truth warrants: part of the range is noise.",
        statistic=(
            "95 % interval of the calibration slope b = r/α (slope of y_true on y_pred) entirely below 1. Or, in the log, "
            "α > 1.25 in three epochs of ten, and r² (its bound ((R² + α²)/2α)²) of one of them no less than the saved R²."
        ),
        remedy=(
            "Lower or remove a spread penalty, take the best checkpoint, regularise, or rescale the predictions, which "
            "mends it for free. Acts on alpha."
        ),
        severities=_SEVERITIES.replace("{and}", ", and the 95 % interval of α lies above 1").replace(
            "{small}", ", while that end costs less than 0.02"
        ),
        check=check_over,
        thresholds=(
            _WARNING_P,
            Threshold(
                name="least_excess",
                default=0.25,
                reason="above a std ratio of 1: at least 0.06 R² is lost, whatever the correlation",
                unit="α - 1",
            ),
            Threshold(
                name="less_known",
                default=0.05,
                reason="r² below the saved R² by more: then signal was lost, and width is not what went wrong first",
                unit="R²",
            ),
            Threshold(name="wide_share", default=0.3, reason="a few wide epochs are jitter", unit="of epochs"),
            Threshold(name="least_epochs", default=5, reason="fewer show no course", unit="epochs"),
        ),
    ),
)
