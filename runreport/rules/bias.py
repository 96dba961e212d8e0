"""Bias: a mean that is off, in the final figures and over the epochs."""

from __future__ import annotations

from runreport.context import Context, Limits
from runreport.findings import (
    Checked,
    Finding,
    NotChecked,
    Outcome,
    Severity,
    Value,
    severity_by_recoverable,
)
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.rules.bias_chance import bias_chance, final_rows, log_error, training_bias, validation_rows
from runreport.rules.bias_epochs import EpochFact, epoch_facts, epoch_ranges
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, percent, plural, with_interval

DOMINATES = "bias.dominates"


def check_dominates(context: Context, limits: Limits) -> Outcome:
    """bias.dominates: one finding about the final figures, one about the epochs of the log, each where it applies."""
    findings: list[Finding] = []
    p_values: tuple[float, ...] = ()
    final_reason = basis.why_not(context.final, "bias")
    if final_reason is None:
        finding, p_values = _judge_final(context, limits)
        findings += [] if finding is None else [finding]
    facts = [fact for fact in epoch_facts(context) if fact.least_bias is not None]
    if facts:
        finding, tested = _judge_epochs(context, facts, limits)
        findings += [] if finding is None else [finding]
        p_values += tested
    elif final_reason is not None:
        reason = f"{final_reason}; and no epoch logs R² with the std ratio, or the means"
        return NotChecked(rule=DOMINATES, reason=reason)
    return Checked(findings=tuple(findings), p_values=p_values)


def _judge_final(context: Context, limits: Limits) -> tuple[Finding | None, tuple[float, ...]]:
    final = context.final
    bias = basis.estimate(final, "bias")
    if final is None or bias is None:
        return None, ()
    error = basis.standard_error(final, "bias")
    p = basis.p_value(final, "bias", 0.0)
    tested = () if p is None else (p,)
    t = None if error is None else bias / error
    cost = bias * bias
    chance = bias_chance(limits["t"], final_rows(context))
    trained = training_bias(context)
    alike = trained is not None and trained * bias > 0 and abs(trained) >= limits["same_share"] * abs(bias)
    if alike and trained is not None and trained * trained > limits["least_cost"]:
        chance = max(chance, limits["p_with_training"])
    if t is None or p is None or p >= chance or cost <= limits["least_cost"]:
        return None, tested
    direction = "low" if bias < 0 else "high"
    std = basis.estimate(final, "true_std")
    amount = "" if std is None else f" ({number(abs(bias) * std, 2)} in target units)"
    message = (
        f"{basis.place(final)} the mean of the predictions is {fixed(abs(bias), 2)} true standard deviations too "
        f"{direction}{amount}: β = {with_interval(bias, basis.finite_interval(final, 'bias'), 2)}, "
        f"{number(abs(t), 2)} standard errors from 0. A shift would give back β² = {fixed(cost)} R²"
    )
    r2 = basis.estimate(final, "r2")
    message += "." if r2 is None else f", from {fixed(r2)} to {fixed(r2 + cost)}."
    if final.basis == "summary":
        message += " The standard error takes the samples for independent."
    r, ratio = basis.estimate(final, "pearson_r"), basis.estimate(final, "variance_ratio")
    share = None
    if r is not None and ratio is not None:
        share = cost / (cost + (ratio - r) * (ratio - r))
    finding = Finding(
        rule=DOMINATES,
        severity=severity_by_recoverable(cost),
        message=message,
        evidence=basis.evidence_of(final, "bias", "mean_error", "true_std", "r2")
        | {"wrong_mean": cost, "share_of_shortfall": share, "t": t, "standard_error": error, "p_value": p}
        | {"training_bias": trained},
        epoch=final.epoch,
        split=final.split,
        acts_on="beta",
        recoverable=cost,
        p_value=p,
    )
    return finding, tested


def _judge_epochs(context: Context, facts: list[EpochFact], limits: Limits) -> tuple[Finding | None, tuple[float, ...]]:
    """Epochs whose mean is off; a warning only where the judged epoch is one of them, and by more than chance.

    All epochs share one validation set: how far its own mean may lie off by chance is the same question as for the final
    figures, and is answered from the judged epoch's predictions, else from what the log tells of its size.
    """
    level = limits["epoch_cost"]
    off = [fact for fact in facts if fact.least_bias is not None and fact.least_bias * fact.least_bias > level]
    if not off:
        return None, ()
    epochs = tuple(fact.epoch for fact in facts)
    judged, saved = basis.judged_epoch(context, epochs)
    lasting = next((fact for fact in off if fact.epoch == judged), None)
    # The first epochs of a healthy run are off while the output finds the target's mean: not worth a sentence.
    if lasting is None and len(off) < max(limits["least_epochs"], limits["least_share"] * len(facts)):
        return None, ()
    exact = all(fact.bias is not None for fact in off)
    worst = max(off, key=lambda fact: fact.least_bias or 0.0)
    ranges = epoch_ranges([fact.epoch for fact in off], epochs)
    one = len(off) == 1
    how = "" if exact else ", which the logged R² and std ratio force"
    bound = "" if worst.bias is not None else "at least "
    judged_name = f"the {'saved' if saved else 'last logged'} epoch {epoch_text(judged)}"
    message = (
        f"On the validation set the mean of the predictions is off by more than {fixed(level**0.5, 1)} true standard "
        f"deviations at {'epoch' if one else 'epochs'} {ranges} ({plural(len(off), 'epoch')} of {len(facts)}){how}: "
        f"the largest is {bound}{fixed(worst.least_bias, 2)} at epoch {epoch_text(worst.epoch)}. "
    )
    cost, proven, p = None, False, None
    if lasting is None:
        message += f"At {judged_name} it is not shown to be off by as much."
    else:
        cost = (lasting.least_bias or 0.0) ** 2
        proven, p, why = _beyond_chance(context, lasting, limits)
        least = "" if lasting.bias is not None else "at least "
        message += f"It lasts to {judged_name}, where it costs {least}{fixed(cost)} R² of this set{why}."
    listed: list[Value] = [
        {"epoch": f.epoch, "bias": f.bias, "least_bias": f.least_bias, "most_bias": f.most_bias} for f in off
    ]
    finding = Finding(
        rule=DOMINATES,
        severity=Severity.WARNING if proven else Severity.INFO,
        message=message,
        evidence={
            "epochs": listed,
            "judged_epoch": judged,
            "share_of_epochs": len(off) / len(facts),
            "exact": exact,
            "worst_wrong_mean": (worst.least_bias or 0.0) * (worst.least_bias or 0.0),
            "threshold": level,
            "p_value": p,
        },
        epoch=worst.epoch,
        split="validation",
        acts_on="beta",
        recoverable=cost if proven else None,
        p_value=p if proven else None,
    )
    return finding, () if p is None else (p,)


def _beyond_chance(context: Context, fact: EpochFact, limits: Limits) -> tuple[bool, float | None, str]:
    """(whether the judged epoch's bias is more than chance, its p-value if there is one, what to add to the sentence)."""
    validation = context.validation
    if validation is not None and validation.epoch == fact.epoch:
        p = basis.p_value(validation, "bias", 0.0)
        if p is not None:
            proven = p < bias_chance(limits["t"], validation_rows(context, fact.epoch))
            return (
                proven,
                p,
                "" if proven else f"; a set of so many dependent rows gives as much by chance (p = {number(p, 2)})",
            )
        return (
            False,
            None,
            "; whether by chance cannot be told (" + (basis.why_not(validation, "bias") or "untested") + ")",
        )
    error, assumed = log_error(context, fact)
    if (fact.least_bias or 0.0) > limits["t"] * error:
        return True, None, ""
    return (
        False,
        None,
        f"; without the predictions of that epoch chance is not excluded ({number(limits['t'], 2)} standard errors are up "
        f"to {fixed(limits['t'] * error, 1)} if the rows are {assumed})",
    )


RULES: tuple[Rule, ...] = (
    Rule(
        id=DOMINATES,
        title="The mean is off",
        meaning=(
            "The mean of the predictions misses the mean of the truth by more than chance. That part of the error is "
            "not missing information: a shift removes it."
        ),
        statistic=(
            "β = (mean(y_pred) - mean(y_true))/σt, tested against its standard error; over the epochs β² as logged, or "
            "its lower bound max(0, -2α - α² - R²) from R² = 2rα - α² - β² with r ≥ -1 (Murphy 1988). A single series of "
            "few effective rows needs a tenth of the usual p; where half of β stands on the training rows as well, p < 0.05 is "
            "enough; a log without predictions, a bias beyond what rows that "
            "follow each other closely give by chance."
        ),
        remedy=(
            "Compare the training mean with the mean of this split: where they differ it is the split; otherwise start "
            "the output bias at the training mean, or shift the predictions, which mends it for free. Acts on beta."
        ),
        severities="final figures by β²; epochs of the log info, or warning where it lasts to the saved epoch beyond chance",
        check=check_dominates,
        thresholds=(
            Threshold(
                name="t",
                default=3.0,
                reason=f"chance passes three standard errors in {percent(0.0027, 2)} of unbiased models",
                unit="standard errors",
            ),
            Threshold(name="least_cost", default=0.05, reason="a twentieth of the target's variance", unit="R²"),
            Threshold(
                name="same_share",
                default=0.5,
                reason="of β stands on the training rows too: the model is fitted to them, so it is no accident of a sample",
                unit="of β",
            ),
            Threshold(
                name="p_with_training", default=0.05, reason="then the test set has to agree, not to prove it", unit="p"
            ),
            Threshold(
                name="epoch_cost",
                default=0.25,
                reason="half a true standard deviation: far beyond what epochs differ by on one validation set",
                unit="β²",
            ),
            Threshold(name="least_epochs", default=2, reason="one epoch that is off and over is jitter", unit="epochs"),
            Threshold(
                name="least_share",
                default=0.1,
                reason="a tenth of the epochs: a healthy run finds its mean in fewer",
                unit="of epochs",
            ),
        ),
    ),
)
