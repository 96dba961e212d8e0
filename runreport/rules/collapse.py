"""Collapse: predictions that are constant, and the epoch from which their range fell."""

from __future__ import annotations

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.rules.bias_epochs import epoch_facts
from runreport.rules.collapse_onset import check_onset
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, percent

CONSTANT = "collapse.constant"
ONSET = "collapse.onset"

MIN_ROWS_FOR_DISTINCT = 10
"""Fewer rows than this can share two predicted values by chance or rounding."""


def check_constant(context: Context, limits: Limits) -> Outcome:
    """collapse.constant: from the final predictions; without them, from the logged ratio of the judged epoch."""
    final = context.final
    ratio = basis.estimate(final, "variance_ratio")
    if final is not None and final.basis != "history":
        distinct = _distinct_predictions(context) if final.basis == "predictions" else None
        few = distinct is not None and distinct <= limits["distinct"]
        if ratio is None and not few:
            return NotChecked(
                rule=CONSTANT, reason=basis.why_not(final, "variance_ratio", interval=False) or "no ratio"
            )
        if not few and (ratio is None or ratio >= limits["ratio"]):
            return CLEAR
        return Checked(findings=(_constant_finding(context, ratio, distinct if few else None, limits),))
    facts = [fact for fact in epoch_facts(context) if fact.ratio is not None]
    if not facts:
        return NotChecked(rule=CONSTANT, reason="no predictions and no logged std ratio")
    judged, saved = basis.judged_epoch(context, tuple(fact.epoch for fact in facts))
    fact = next(fact for fact in facts if fact.epoch == judged)
    if fact.ratio is None or fact.ratio >= limits["ratio"]:
        return CLEAR
    which = "saved" if saved else "last logged"
    message = (
        f"At the {which} epoch {epoch_text(judged)} the predictions are all but constant: "
        f"their std is {percent(fact.ratio)} of the truth's (threshold {percent(limits['ratio'], 0)})."
    )
    evidence: dict[str, Value] = {"variance_ratio": fact.ratio, "pearson_r": fact.r, "r2": fact.r2, "basis": "history"}
    finding = Finding(
        rule=CONSTANT,
        severity=Severity.CRITICAL,
        message=message,
        evidence=evidence,
        epoch=judged,
        split="validation",
        acts_on="r",
        recoverable=None if fact.r is None else (fact.ratio - fact.r) * (fact.ratio - fact.r),
    )
    return Checked(findings=(finding,))


def _distinct_predictions(context: Context) -> int | None:
    """Distinct predicted values, where few of them would mean anything: enough rows and a truth that has more."""
    frame = context.predictions
    if frame is None or frame.height < MIN_ROWS_FOR_DISTINCT:
        return None
    distinct = frame["y_pred"].n_unique()
    return distinct if frame["y_true"].n_unique() > max(2, distinct) else None


def _constant_finding(context: Context, ratio: float | None, distinct: int | None, limits: Limits) -> Finding:
    final = context.final
    assert final is not None  # noqa: S101  (the caller has just read it)
    r = basis.estimate(final, "pearson_r")
    where = basis.place(final)
    if distinct is not None:
        values = "one value" if distinct == 1 else f"only {distinct} values"
        what = f"{where} the model predicts {values} for all {final.n} samples"
        if ratio:
            what += f" (std {percent(ratio)} of the truth's)"
    else:
        what = (
            f"{where} the predictions are all but constant: their std is {percent(ratio)} of the truth's "
            f"(threshold {percent(limits['ratio'], 0)})"
        )
    bounds = basis.finite_interval(final, "pearson_r")
    left = ""
    if r is not None and bounds is not None and bounds[0] > 0:
        left = f" What is left of their variation follows the truth (r = {fixed(r, 2)}): rescaled, R² = {fixed(r * r)}."
    elif r is not None and bounds is not None and bounds[0] <= 0 <= bounds[1]:
        left = f" The little that varies shows no detectable correlation with the truth ({fixed(r, 2)})."
    evidence = basis.evidence_of(final, "variance_ratio", "pearson_r", "r2", "pred_std", "true_std")
    evidence["distinct_predictions"] = distinct
    return Finding(
        rule=CONSTANT,
        severity=Severity.CRITICAL,
        message=f"{what}.{left}",
        evidence=evidence,
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
        recoverable=None if r is None or ratio is None else (ratio - r) * (ratio - r),
    )


RULES: tuple[Rule, ...] = (
    Rule(
        id=CONSTANT,
        title="Constant predictions",
        meaning="The model answers (nearly) the same number whatever it is shown: it makes no use of its input.",
        statistic="Std ratio α = σp/σt, and the number of distinct predicted values where the truth has more.",
        remedy=(
            "Look for what stops the input from reaching the output: learning rate, dead units, saturated output, "
            "regularisation, features without signal. Acts on r; a spread penalty only spreads noise."
        ),
        severities="critical",
        check=check_constant,
        thresholds=(
            Threshold(
                name="ratio",
                default=0.02,
                reason="at α = 0.02 the predictions can add at most 2α = 0.04 to R² at any correlation",
                unit="σp/σt",
            ),
            Threshold(
                name="distinct",
                default=2,
                reason="one value, or a switch between two, is not a regression",
                unit="values",
            ),
        ),
    ),
    Rule(
        id=ONSET,
        title="The range of the predictions fell",
        meaning=(
            "The std ratio was above 40 % and fell below 30 %. Whether that cost anything depends on the correlation: "
            "a model that knows little should predict a narrow range, so the severity is what the narrowness costs."
        ),
        statistic=(
            "Median-of-3 smoothed α, armed above 0.4, onset at the first of 3 epochs below 0.3, recovery at the first "
            "of 3 above 0.4 (5 where the jitter of log α exceeds 0.3); the same on α/max(r, 0.05) where r is known. "
            "Logs that give a few selected epochs are read unsmoothed, two rows confirming."
        ),
        remedy=(
            "Where the ratio fell below the correlation, rescaling the predictions mends it for free; train longer or "
            "regularise less. Where it fell with the correlation, find out why the correlation is low. Acts on alpha."
        ),
        severities="by max(r - α, 0)² where r is known or bounded; else warning, or info if R² ≥ -α² or it recovered",
        check=check_onset,
        thresholds=(
            Threshold(name="armed", default=0.4, reason="10 points above the onset level: jitter does not cross both"),
            Threshold(
                name="onset", default=0.3, reason="below it less than a tenth of the truth's variance is predicted"
            ),
            Threshold(
                name="confirm",
                default=3,
                reason="a dip of one or two epochs is jitter of the training, not a collapse",
                unit="epochs",
            ),
            Threshold(
                name="noise", default=0.3, reason="above it three epochs over 0.4 happen by chance", unit="log α"
            ),
            Threshold(
                name="noisy_recovery", default=5, reason="epochs of recovery asked of a noisy series", unit="epochs"
            ),
            Threshold(name="least_r", default=0.05, reason="a correlation nearer to 0 is noise; it must not divide"),
        ),
    ),
)
