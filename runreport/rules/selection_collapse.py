"""selection.collapsed-pick: the checkpoint that was kept predicts a narrower range than it should."""

from __future__ import annotations

from runreport.context import Context, History, Limits, Number
from runreport.findings import (
    CLEAR,
    NOTICEABLE_R2,
    Checked,
    Finding,
    NotChecked,
    Outcome,
    Severity,
    Value,
)
from runreport.rules.base import Rule, Threshold
from runreport.rules.data_basis import NORMAL_95
from runreport.selection.audit import SelectionAudit
from runreport.wording import epoch as epoch_words
from runreport.wording import fixed, interval, percent

RULE_ID = "selection.collapsed-pick"
WARNING_ERRORS = 3.0
"""Standard errors that a warning needs, as p < 0.0027 elsewhere."""


def check_collapsed_pick(context: Context, limits: Limits) -> Outcome:
    """One finding at most: every way in which the saved epoch's spread fails, with what is known of its price."""
    audit = context.selection
    if audit is None or audit.saved is None:
        return NotChecked(rule=RULE_ID, reason="the epoch that was saved is not known")
    history = _source(context, audit.saved)
    alpha = history.at(audit.saved, "variance_ratio") if history is not None else None
    if history is None or alpha is None:
        return NotChecked(rule=RULE_ID, reason=f"no variance_ratio at the saved epoch {epoch_words(audit.saved)}")
    armed = _armed(history, audit.saved, limits["armed"])
    slope = _slope_interval(context, audit.saved)
    faults = _faults(audit, alpha, armed, slope, limits)
    if not faults:
        return CLEAR
    r = history.at(audit.saved, "pearson_r")
    cost = None if r is None else max(r - alpha, 0.0) ** 2
    severity, price = _price(audit, alpha, r, cost)
    evidence: dict[str, Value] = {
        "saved": audit.saved,
        "variance_ratio": alpha,
        "pearson_r": r,
        "armed_epoch": None if armed is None else armed[0],
        "armed_ratio": None if armed is None else armed[1],
        "own_floor": None if audit.declared is None else audit.declared.floor,
        "slope_interval": None if slope is None else list(slope),
        "verdict": audit.verdict,
    }
    subject = f"The saved epoch {epoch_words(audit.saved)} has a std ratio of {percent(alpha)}"
    finding = Finding(
        rule=RULE_ID,
        severity=severity,
        message=f"{subject}: {'; '.join(faults)}. {price}",
        evidence=evidence,
        epoch=audit.saved,
        split="validation",
        acts_on="alpha",
        recoverable=cost,
    )
    return Checked(findings=(finding,))


def _source(context: Context, saved: int | float) -> History | None:
    """Recomputed metrics where they hold the saved epoch, else the log."""
    for history in (context.epoch_metrics, context.history):
        if history is not None and history.at(saved, "variance_ratio") is not None:
            return history
    return None


def _armed(history: History, saved: int | float, level: float) -> tuple[int | float, float] | None:
    """The last epoch up to the saved one whose ratio was above the level."""
    before = [(e, v) for e, v in history.finite("variance_ratio") if e <= saved and v > level]
    return before[-1] if before else None


def _slope_interval(context: Context, saved: int | float) -> tuple[float, float] | None:
    """Interval of the calibration slope of the saved epoch's validation predictions, else of the final ones.

    At three standard errors, as spread.under warns: the 95 % interval, widened about its middle.
    """
    validation = context.validation
    bounds = None
    if validation is not None and validation.epoch in (None, saved):
        bounds = validation.interval("calibration_slope")
    if bounds is None and context.final is not None:
        bounds = context.final.interval("calibration_slope")
    if bounds is None:
        return None
    middle, half = (bounds[0] + bounds[1]) / 2, (bounds[1] - bounds[0]) / 2 * WARNING_ERRORS / NORMAL_95
    return middle - half, middle + half


def _faults(
    audit: SelectionAudit,
    alpha: float,
    armed: tuple[int | float, float] | None,
    slope: tuple[float, float] | None,
    limits: Limits,
) -> list[str]:
    faults = []
    if alpha < limits["constant"]:
        faults.append(f"its predictions are all but constant (below {percent(limits['constant'])})")
    elif alpha < limits["collapsed"] and armed is not None:
        faults.append(
            f"it is collapsed (below {percent(limits['collapsed'], 0)}, after {percent(armed[1])} "
            f"at epoch {epoch_words(armed[0])})"
        )
    floor = None if audit.declared is None else audit.declared.floor
    if floor is not None and alpha < floor:
        faults.append(f"it fails the run's own floor of {percent(floor, 0)}")
    if slope is not None and slope[0] > 1:
        faults.append(
            f"it is narrower than its correlation warrants (calibration slope {interval(slope)}, 1 is calibrated)"
        )
    return faults


def _price(audit: SelectionAudit, alpha: float, r: Number, cost: float | None) -> tuple[Severity, str]:
    """How much it matters, and the sentence that says so."""
    if audit.verdict == "wrong-pick":
        return Severity.CRITICAL, "Another checkpoint is better on held-out samples."
    if r is not None and cost is not None and cost < NOTICEABLE_R2:
        right = "narrower than that costs" if alpha < r else "the ratio is no smaller than that; its narrowness costs"
        return Severity.INFO, f"Its correlation is {fixed(r, 2)}; {right} {fixed(cost)} R²."
    if audit.verdict == "supported":
        tail = "Every epoch that another policy picks has a lower R² or is this one."
    else:
        tail = "That another epoch is better is not shown."
    if r is None or cost is None:
        return Severity.WARNING, f"{tail} What it costs is not known without the correlation."
    return Severity.WARNING, f"At its correlation of {fixed(r, 2)} this costs {fixed(cost)} R². {tail}"


COLLAPSED_PICK = Rule(
    id=RULE_ID,
    title="The saved epoch is collapsed",
    meaning="The checkpoint that was kept predicts an all but constant value, a far narrower range than the run "
    "reached before, a narrower one than its correlation warrants, or less than the run itself asked for.",
    statistic="Variance ratio α of the saved epoch: α < 0.02; α < 0.3 after an earlier epoch above 0.4; α below the "
    "run's own floor; or the calibration slope r/α above 1 by three standard errors. The price is (α - r)² where "
    "r is known (Murphy 1988).",
    remedy="Where r is known and well above α: recalibrate (free), or keep a checkpoint with a wider range if its "
    "held-out R² is no lower. Acts on α only; the correlation stays what it is.",
    severities="warning; critical when another checkpoint is proven better; info where α is right for its r",
    check=check_collapsed_pick,
    thresholds=(
        Threshold(name="constant", default=0.02, reason="as collapse.constant: the range is 2 % of the truth's"),
        Threshold(
            name="collapsed", default=0.3,
            reason="as collapse.onset: below it after having been armed; the gap to 0.4 keeps sampling noise (±16 % of "
            "a ratio at n = 144) from firing it",
        ),
        Threshold(name="armed", default=0.4, reason="as collapse.onset: a range worth losing"),
    ),
)  # fmt: skip
