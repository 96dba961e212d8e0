"""Scale: predictions that live on another scale than the target."""

from __future__ import annotations

from dataclasses import dataclass

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.metrics.bounds import bias_bounds
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.rules.bias_epochs import EpochFact, epoch_facts
from runreport.rules.scale_rows import compared, finding_of
from runreport.rules.scale_units import Unit, arriving, unit_of
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
    """scale.mismatch: another unit at the end is critical; a way to the target's scale that took long is information.

    A network whose output starts at 0 begins every run on a target of mean 4 σ at |β| = 4. Such a mean is an offset, or an
    output that has not arrived, where no conversion of units explains it; only without a correlation does size alone count.
    """
    facts = [fact for fact in epoch_facts(context) if fact.least_bias is not None or fact.ratio is not None]
    beside = compared(context, limits)
    other = None if beside is None else finding_of(context, beside)
    if other is not None:
        return Checked(findings=(other,))
    # Where the same weights predict other rows, which they fit, on the same scale, no conversion is missing.
    unit = None if beside is not None and beside.verdict == "same" else unit_of(context, limits)
    if unit is not None:
        return Checked(findings=(_other_unit(unit, limits),))
    end, where, split = _end(context, facts)
    if end is None and not facts:
        return NotChecked(
            rule=MISMATCH, reason="no bias and no std ratio, neither of the final figures nor of an epoch"
        )
    if end is not None and _off(end, limits):
        return _judge_size(context, end, (where, split), facts, limits)
    if end is not None and end.bias is None and not any(fact.least_bias is not None for fact in facts):
        return NotChecked(
            rule=MISMATCH, reason="the std ratio is in range, but neither the bias nor R² with it is known"
        )
    if len(facts) < 2 or not _off(_point(facts[0]), limits):
        return CLEAR
    return Checked(findings=(_started_off(facts, limits),))


def _judge_size(
    context: Context, end: _Point, place: tuple[str, str], facts: list[EpochFact], limits: Limits
) -> Outcome:
    """Mean or spread where only another scale puts them, and no conversion that explains both."""
    where, split = place
    follows = _follows(context)
    if end.ratio is not None and end.ratio > limits["highest_ratio"]:
        return Checked(findings=(_still_off(context, end, where, split, limits),))
    if follows and not (end.ratio is not None and end.ratio < limits["lowest_ratio"]):
        # The predictions follow the truth at a spread of its own size: the mean alone is off, and bias.dominates says so.
        return CLEAR
    on_its_way = arriving(facts, limits)
    if follows is None and not on_its_way:
        return Checked(findings=(_still_off(context, end, where, split, limits),))
    return Checked(findings=(_not_arrived(end, where, split, limits, on_its_way=on_its_way, follows=bool(follows)),))


def _follows(context: Context) -> bool | None:
    """Whether the final correlation is shown to be positive; None where no interval of it is known."""
    bounds = basis.finite_interval(context.final, "pearson_r")
    return None if bounds is None else bounds[0] > 0


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


def _not_arrived(end: _Point, where: str, split: str, limits: Limits, *, on_its_way: bool, follows: bool) -> Finding:
    """Off by more than any model of this target, while the log or the correlation says that the output was not learnt."""
    message = f"{where} {_what(end, limits)} ({_thresholds(limits)})"
    if on_its_way:
        message += (
            ". The log shows the mean still on its way to the target when training ended: the output had not arrived."
        )
    elif follows:
        message += ". No single conversion of units explains mean and spread together."
    else:
        message += (
            ". The predictions are not shown to follow the truth, so another unit cannot be told from an output that was "
            "never learnt. Normalised targets, or an output bias that starts at the training mean, rule the second out."
        )
    return Finding(
        rule=MISMATCH,
        severity=Severity.INFO if on_its_way else Severity.WARNING,
        message=message,
        evidence={
            "bias": end.bias,
            "bias_is_lower_bound": not end.exact,
            "variance_ratio": end.ratio,
            "still_arriving": on_its_way,
        },
        split=split,
        acts_on="beta",
    )


def _other_unit(unit: Unit, limits: Limits) -> Finding:
    place = "On the validation set" if unit.split == "validation" else f"On the {basis.split_name(unit.split)} set"
    at = "" if unit.split != "validation" or unit.epoch is None else f", epoch {epoch_text(unit.epoch)},"
    message = (
        f"{place}{at} the predictions have mean {number(unit.pred_mean, 3)} and std {number(unit.pred_std, 3)}, the truth "
        f"{number(unit.true_mean, 3)} and {number(unit.true_std, 3)}: the mean is {fixed(abs(unit.bias), 2)} true standard "
        f"deviations off and the std {percent(unit.ratio)} of the truth's. "
    )
    if unit.factor is None:
        message += (
            "That is where predictions lie that were left in standard deviations of the training targets. Scaling them "
            "back"
        )
    else:
        message += f"One factor, {number(unit.factor, 3)}, explains both. Multiplying by it"
    message += (
        f" gives R² = {fixed(unit.mended_r2)}, of the {fixed(unit.r * unit.r)} that any shift and scale can reach "
        f"(r = {fixed(unit.r, 2)}): the predictions are not on the target's scale."
    )
    return Finding(
        rule=MISMATCH,
        severity=Severity.CRITICAL,
        message=message,
        evidence={
            "conversion": "standard units" if unit.factor is None else "factor",
            "factor": unit.factor,
            "mended_r2": unit.mended_r2,
            "bias": unit.bias,
            "bias_is_lower_bound": False,
            "variance_ratio": unit.ratio,
            "pearson_r": unit.r,
        },
        epoch=unit.epoch,
        split=unit.split,
        acts_on="beta",
        recoverable=unit.bias * unit.bias,
    )


def _started_off(facts: list[EpochFact], limits: Limits) -> Finding:
    first = facts[0]
    settled = next((i for i, fact in enumerate(facts) if _settled(fact, limits)), None)
    count = len(facts) if settled is None else settled
    share = count / len(facts)
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
        severity=Severity.INFO,
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
            "A factor k about zero, or standard units of the training targets, against a shift and a stretch: beyond "
            "1 - r² the shift leaves (α - r)², the stretch β², the conversion (m - kp)² + (kα - r)², with m and p the means "
            "in σt. At the final figures, else at the epoch of the log with the highest r, unless |β| was still falling. "
            "Before that, the same weights on other rows: mean and spread of the final predictions beside those on "
            "validation or training rows that are on the target's scale, where the truths are alike; on one scale, no "
            "conversion is looked for. "
            "Where no r is known: |β| (or its lower bound from R² and the ratio) and α = σp/σt at the saved epoch, and at "
            "the first one with the epochs until |β| ≤ 1 and α is in range."
        ),
        remedy="Normalise the target, start the output bias at the training mean, check the units. Acts on beta.",
        severities=(
            "critical where a conversion is found, the spread is 20 times the truth's, or the mean far off and r not known; "
            "warning where the mean is far off and r not shown; info while it is still on its way, or was at first"
        ),
        check=check_mismatch,
        thresholds=(
            Threshold(name="bias", default=3.0, reason="beyond nearly all of the target's own values", unit="σt"),
            Threshold(
                name="lowest_ratio", default=0.01, reason="a hundredth: as between metres and kilometres, or less"
            ),
            Threshold(name="highest_ratio", default=20.0, reason="R² is below -300 at that ratio, whatever the rest"),
            Threshold(name="settled_bias", default=1.0, reason="within the bulk of the target", unit="σt"),
            Threshold(
                name="least_t", default=5.0, reason="the slope, and with it the factor, is known to 20 %", unit="SE"
            ),
            Threshold(
                name="least_factor",
                default=1.5,
                reason="no two common units are closer; a target predicted through its logarithm may be some 10 % low",
            ),
            Threshold(
                name="least_other",
                default=0.02,
                reason="where a shift or a stretch leaves less than a noticeable R², it explains as well",
                unit="R²",
            ),
            Threshold(
                name="left_share",
                default=0.25,
                reason="the conversion mends three quarters of what a shift, and what a stretch, would leave",
            ),
            Threshold(
                name="least_r",
                default=0.5,
                reason="a network at its start has outputs like standard units, and seldom knows a quarter of the variance",
                unit="r",
            ),
            Threshold(
                name="least_bias",
                default=0.5,
                reason="a mean that is off by less, or a target centred at 0, is no sign",
                unit="σt",
            ),
            Threshold(
                name="centred", default=0.15, reason="the mean lies at 0 within sampling and a little bias", unit="of β"
            ),
            Threshold(
                name="closely_centred",
                default=0.08,
                reason="without a spread that tells: one offset in thirty is of that size by chance",
                unit="of β",
            ),
            Threshold(
                name="least_cost",
                default=0.25,
                reason="β² of the final figures from which the log is asked what unit they are in",
                unit="R²",
            ),
            Threshold(
                name="arrival_share",
                default=0.05,
                reason="|β| falls by a twentieth in the second half of the log: the mean is not where it will end",
                unit="of β",
            ),
        ),
    ),
)
