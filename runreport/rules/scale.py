"""Scale: predictions that live on another scale than the target."""

from __future__ import annotations

from dataclasses import dataclass

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.metrics.bounds import bias_bounds
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.rules.bias_epochs import EpochFact, epoch_facts
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, percent, plural

MISMATCH = "scale.mismatch"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """|β| (known, or its lower bound) and α of an epoch or of the final figures."""

    bias: float | None
    ratio: float | None
    exact: bool


def check_mismatch(context: Context, limits: Limits) -> Outcome:
    """scale.mismatch: off at the end is critical, a slow way to the target's scale a warning, a quick one information.

    A network whose output starts at 0 begins every run on a target of mean 4 σ at |β| = 4 and is there in two or three
    epochs: the first epoch alone says nothing of the run. What counts is whether the saved model is still off, and how
    much of the training went into getting there.
    """
    facts = [fact for fact in epoch_facts(context) if fact.least_bias is not None or fact.ratio is not None]
    end, where, split = _end(context, facts)
    if end is None and not facts:
        return NotChecked(
            rule=MISMATCH, reason="no bias and no std ratio, neither of the final figures nor of an epoch"
        )
    if end is not None and _off(end, limits):
        return Checked(findings=(_still_off(context, end, where, split, limits),))
    if end is not None and end.bias is None and not any(fact.least_bias is not None for fact in facts):
        return NotChecked(
            rule=MISMATCH, reason="the std ratio is in range, but neither the bias nor R² with it is known"
        )
    if len(facts) < 2 or not _off(_point(facts[0]), limits):
        return CLEAR
    return Checked(findings=(_started_off(facts, limits),))


def _point(fact: EpochFact) -> _Point:
    return _Point(bias=fact.least_bias, ratio=fact.ratio, exact=fact.bias is not None)


def _end(context: Context, facts: list[EpochFact]) -> tuple[_Point | None, str, str]:
    """The point the run is judged by: the final figures, else the saved (or last) epoch of the log."""
    final = context.final
    if final is not None and final.basis != "history":
        bias, ratio = basis.estimate(final, "bias"), basis.estimate(final, "variance_ratio")
        if bias is not None or ratio is not None:
            point = _Point(bias=None if bias is None else abs(bias), ratio=ratio, exact=True)
            r2 = basis.estimate(final, "r2")
            bounds = None if bias is not None or ratio is None or ratio < 0 or r2 is None else bias_bounds(r2, ratio)
            if bounds is not None:
                point = _Point(bias=bounds[0], ratio=ratio, exact=False)
            return point, basis.place(final), final.split
    if not facts:
        return None, "", ""
    judged, saved = basis.judged_epoch(context, tuple(fact.epoch for fact in facts))
    fact = next(fact for fact in facts if fact.epoch == judged)
    return _point(fact), f"At the {'saved' if saved else 'last logged'} epoch {epoch_text(judged)}", "validation"


def _off(point: _Point, limits: Limits) -> bool:
    """Whether mean or range lie where only another scale puts them.

    A tiny ratio alone is a constant model (collapse.constant); with the mean off as well, it is another unit.
    """
    if point.bias is not None and point.bias > limits["bias"]:
        return True
    if point.ratio is None:
        return False
    if point.ratio > limits["highest_ratio"]:
        return True
    return point.ratio < limits["lowest_ratio"] and point.bias is not None and point.bias > limits["settled_bias"]


def _what(point: _Point, limits: Limits) -> str:
    parts = []
    if point.bias is not None and point.bias > limits["settled_bias"]:
        least = "" if point.exact else "at least "
        parts.append(f"the mean of the predictions is {least}{number(point.bias, 3)} true standard deviations off")
    if point.ratio is not None and not limits["lowest_ratio"] <= point.ratio <= limits["highest_ratio"]:
        ratio = percent(point.ratio) if point.ratio < 1 else f"{number(point.ratio, 3)} times"
        parts.append(f"their std is {ratio} of the truth's" if point.ratio < 1 else f"their std is {ratio} the truth's")
    return " and ".join(parts)


def _thresholds(limits: Limits) -> str:
    return (
        f"thresholds: {limits['bias']:g} standard deviations; ratio {limits['lowest_ratio']:g} to "
        f"{limits['highest_ratio']:g}"
    )


def _still_off(context: Context, end: _Point, where: str, split: str, limits: Limits) -> Finding:
    cost = None if end.bias is None else end.bias * end.bias
    r = basis.estimate(context.final, "pearson_r")
    message = f"{where} {_what(end, limits)} ({_thresholds(limits)}): the predictions are not on the target's scale."
    if r is not None and r > 0.5:
        message += (
            f" They follow the truth (r = {fixed(r, 2)}), so shifting and rescaling would reach R² = {fixed(r * r)}."
        )
    evidence: dict[str, Value] = {
        "bias": end.bias,
        "bias_is_lower_bound": not end.exact,
        "variance_ratio": end.ratio,
        "pearson_r": r,
    }
    return Finding(
        rule=MISMATCH,
        severity=Severity.CRITICAL,
        message=message,
        evidence=evidence,
        epoch=context.final.epoch if context.final is not None else context.saved_epoch,
        split=split,
        acts_on="beta",
        recoverable=cost,
    )


def _started_off(facts: list[EpochFact], limits: Limits) -> Finding:
    first = facts[0]
    settled = next((i for i, fact in enumerate(facts) if _settled(fact, limits)), None)
    count = len(facts) if settled is None else settled
    share = count / len(facts)
    slow = share > limits["slow_share"] and count >= limits["slow_epochs"]
    until = (
        "and no epoch of the log is shown to be settled"
        if settled is None
        else f"and settled by epoch {epoch_text(facts[settled].epoch)}"
    )
    message = (
        f"At the first logged epoch {epoch_text(first.epoch)} {_what(_point(first), limits)} ({_thresholds(limits)}), "
        f"{until}: {plural(count, 'epoch')} of {len(facts)}, {percent(share, 0)}, went into finding the target's scale."
    )
    return Finding(
        rule=MISMATCH,
        severity=Severity.WARNING if slow else Severity.INFO,
        message=message,
        evidence={
            "first_epoch": first.epoch,
            "first_bias": first.least_bias,
            "bias_is_lower_bound": first.bias is None,
            "first_ratio": first.ratio,
            "settled_epoch": None if settled is None else facts[settled].epoch,
            "epochs_unsettled": count,
            "share_of_epochs": share,
        },
        epoch=first.epoch,
        split="validation",
        acts_on="beta",
    )


def _settled(fact: EpochFact, limits: Limits) -> bool:
    if fact.least_bias is not None and fact.least_bias > limits["settled_bias"]:
        return False
    return fact.ratio is None or limits["lowest_ratio"] <= fact.ratio <= limits["highest_ratio"]


RULES: tuple[Rule, ...] = (
    Rule(
        id=MISMATCH,
        title="Predictions on another scale than the target",
        meaning=(
            "The predictions lie where no model of this target belongs: standard deviations away from its mean, or "
            "with a range many times too wide, or tiny and off. Units, normalisation or output initialisation."
        ),
        statistic=(
            "|β| (known, or its lower bound from R² and the ratio) and α = σp/σt at the saved epoch or in the final "
            "figures, and at the first logged epoch with the epochs until |β| ≤ 1 and α is in range."
        ),
        remedy="Normalise the target, start the output bias at the training mean, check the units. Acts on beta.",
        severities="critical where the saved model is off; warning where it took a quarter of the epochs; else info",
        check=check_mismatch,
        thresholds=(
            Threshold(name="bias", default=3.0, reason="beyond nearly all of the target's own values", unit="σt"),
            Threshold(
                name="lowest_ratio", default=0.01, reason="a hundredth: as between metres and kilometres, or less"
            ),
            Threshold(name="highest_ratio", default=20.0, reason="R² is below -300 at that ratio, whatever the rest"),
            Threshold(name="settled_bias", default=1.0, reason="within the bulk of the target", unit="σt"),
            Threshold(
                name="slow_share",
                default=0.25,
                reason="a quarter of the training spent on a shift that initialisation gives for free",
                unit="of epochs",
            ),
            Threshold(name="slow_epochs", default=5, reason="in a very short log a quarter is an epoch or two"),
        ),
    ),
)
