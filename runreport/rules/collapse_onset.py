"""When the range of the predictions fell, whether it came back, and what it cost."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runreport.context import Context, Limits
from runreport.findings import (
    CLEAR,
    NOTICEABLE_R2,
    Checked,
    Finding,
    NotChecked,
    Outcome,
    Severity,
    Value,
    severity_by_recoverable,
)
from runreport.rules import data_basis as basis
from runreport.rules.bias_epochs import EpochFact, epoch_facts
from runreport.rules.collapse_hysteresis import (
    SPARSE_CONFIRM,
    Stretch,
    falls,
    is_sparse,
    log_noise,
    median_of_three,
)
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, percent

RULE_ID = "collapse.onset"
MIN_EPOCHS = 3
FELL = 0.75
"""Of the std ratio before: the quotient α/r also falls where r rises as a run learns, and then no spread was lost: it did not
grow with what was learned."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Series:
    """The epochs with a ratio; ratios and correlations as judged (smoothed unless sparse); the falls found in them."""

    facts: tuple[EpochFact, ...]
    sparse: bool
    noise: float | None
    ratio: Sequence[float]
    r: Sequence[float] | None
    against_r: Sequence[float] | None
    absolute: Sequence[Stretch]
    relative: Sequence[Stretch]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verdict:
    severity: Severity
    sentence: str
    recoverable: float | None


def check_onset(context: Context, limits: Limits) -> Outcome:
    """collapse.onset: at most one finding, about the fall that matters most; every fall is in its evidence."""
    facts = tuple(fact for fact in epoch_facts(context) if fact.ratio is not None)
    if not facts:
        return NotChecked(rule=RULE_ID, reason="no variance_ratio column")
    if len(facts) < MIN_EPOCHS:
        return NotChecked(rule=RULE_ID, reason=basis.too_few_epochs(len(facts), MIN_EPOCHS, "a std ratio"))
    series = _series(facts, limits)
    if not series.absolute and not series.relative:
        return _low_from_the_start(series, limits)
    judged, saved = basis.judged_epoch(context, tuple(fact.epoch for fact in facts))
    position = next(i for i, fact in enumerate(facts) if fact.epoch == judged)
    relative_only = not series.absolute
    stretch = _main_stretch(series.relative if relative_only else series.absolute, position)
    which = f"the saved epoch {epoch_text(judged)}" if saved else f"the last logged epoch {epoch_text(judged)}"
    verdict = _verdict(series, stretch, position, which)
    finding = Finding(
        rule=RULE_ID,
        severity=verdict.severity,
        message=f"{_what_fell(series, stretch, relative_only, limits)} {verdict.sentence}",
        evidence=_evidence(series, stretch, position, limits),
        epoch=facts[stretch.onset].epoch,
        split="validation",
        acts_on="alpha",
        recoverable=verdict.recoverable,
    )
    return Checked(findings=(finding,))


def _series(facts: tuple[EpochFact, ...], limits: Limits) -> _Series:
    ratios = [fact.ratio for fact in facts if fact.ratio is not None]
    known_r = [fact.r for fact in facts if fact.r is not None]
    sparse = is_sparse([fact.epoch for fact in facts])
    noise = None if sparse else log_noise(ratios)
    confirm = SPARSE_CONFIRM if sparse else int(limits["confirm"])
    recover = confirm
    if noise is not None and noise > limits["noise"]:
        recover = int(limits["noisy_recovery"])
    ratio = ratios if sparse else median_of_three(ratios)
    absolute = falls(ratio, low=limits["onset"], high=limits["armed"], confirm=confirm, recover=recover)
    r: list[float] | None = None
    against_r: list[float] | None = None
    relative: list[Stretch] = []
    if len(known_r) == len(facts):
        r = known_r if sparse else median_of_three(known_r)
        against_r = [a / max(c, limits["least_r"]) for a, c in zip(ratio, r, strict=True)]
        relative = falls(against_r, low=limits["onset"], high=limits["armed"], confirm=confirm, recover=recover)
    return _Series(
        facts=facts,
        sparse=sparse,
        noise=noise,
        ratio=ratio,
        r=r,
        against_r=against_r,
        absolute=absolute,
        relative=relative,
    )


def _main_stretch(stretches: Sequence[Stretch], position: int) -> Stretch:
    """The fall that holds the judged epoch; else one that lasted to the end; else the last."""
    for stretch in stretches:
        if stretch.onset <= position and (stretch.recovered is None or position < stretch.recovered):
            return stretch
    return stretches[-1]


def _verdict(series: _Series, stretch: Stretch, position: int, which: str) -> _Verdict:
    """What the fall cost: by r where it is known; by what R² and the ratio force on r otherwise."""
    rows = stretch.rows(len(series.facts))
    holds_judged = position in rows
    if not holds_judged and stretch.recovered is not None:
        sentence = f"{which[0].upper()}{which[1:]} is outside that stretch, so it cost the saved model nothing."
        if "saved" not in which:
            sentence = "It had recovered by the end of the log."
        return _Verdict(severity=Severity.INFO, sentence=sentence, recoverable=None)
    at = position if holds_judged else rows[-1]
    where = which if holds_judged else f"epoch {epoch_text(series.facts[at].epoch)}"
    if series.r is not None:
        return _verdict_by_r(series, rows, at, where, holds_judged)
    return _verdict_by_bounds(series.facts[at], where, holds_judged)


def _verdict_by_r(series: _Series, rows: range, at: int, where: str, holds_judged: bool) -> _Verdict:
    assert series.r is not None  # noqa: S101  (the caller has just checked)
    gaps = {i: max(series.r[i] - series.ratio[i], 0.0) for i in rows}
    worst = max(rows, key=lambda i: gaps[i])
    cost, worst_cost = gaps[at] * gaps[at], gaps[worst] * gaps[worst]
    correlation = fixed(series.r[at], 2)
    if worst_cost < NOTICEABLE_R2:
        sentence = (
            f"At {where} the correlation is {correlation}, so the narrow range costs {fixed(cost)} R²: "
            "a model that knows little should predict a narrow range."
        )
        return _Verdict(severity=Severity.INFO, sentence=sentence, recoverable=cost)
    severity = severity_by_recoverable(cost) if holds_judged else Severity.INFO
    if severity is Severity.INFO:
        # The training did collapse, but the model that was kept does not pay for it (or only elsewhere): no critical.
        severity = Severity.WARNING
    sentence = f"At {where} the correlation is {correlation}: predicting that narrowly costs {fixed(cost)} R²"
    if worst != at and worst_cost > cost:
        sentence += f", at most {fixed(worst_cost)} at epoch {epoch_text(series.facts[worst].epoch)}"
    return _Verdict(severity=severity, sentence=f"{sentence}.", recoverable=cost if holds_judged else None)


def _verdict_by_bounds(fact: EpochFact, where: str, holds_judged: bool) -> _Verdict:
    """Without r: R² and α force r ≥ (R² + α²)/2α, which shows a cost where that is above α (R² > α²)."""
    ratio = fact.ratio or 0.0
    if fact.r2 is None:
        sentence = "Neither the correlation nor R² is logged there, so what the narrow range costs is not known."
        return _Verdict(severity=Severity.WARNING, sentence=sentence, recoverable=None)
    if ratio > 0 and fact.least_bias is not None:
        least_r = min(1.0, (fact.r2 + ratio * ratio) / (2 * ratio))
        cost = max(least_r - ratio, 0.0) * max(least_r - ratio, 0.0)
        if cost >= NOTICEABLE_R2:
            sentence = (
                f"At {where} R² = {fixed(fact.r2)} at this ratio forces a correlation of at least {fixed(least_r, 2)}: "
                f"the narrow range costs at least {fixed(cost)} R²."
            )
            severity = severity_by_recoverable(cost) if holds_judged else Severity.WARNING
            return _Verdict(severity=severity, sentence=sentence, recoverable=cost)
    unknown = f"The correlation is not logged, so what the narrow range costs at {where} (R² = {fixed(fact.r2)}) is "
    # Predictions without any correlation and without bias reach R² = -α²: only a worse R² shows that more is wrong.
    if fact.r2 >= -ratio * ratio:
        return _Verdict(severity=Severity.INFO, sentence=f"{unknown}not known, and R² shows no cost.", recoverable=None)
    return _Verdict(severity=Severity.WARNING, sentence=f"{unknown}not known.", recoverable=None)


def _what_fell(series: _Series, stretch: Stretch, relative_only: bool, limits: Limits) -> str:
    facts = series.facts
    ratio = series.against_r if relative_only and series.against_r is not None else series.ratio
    onset, before = facts[stretch.onset].epoch, facts[stretch.last_high].epoch
    by = "by" if series.sparse else "from"
    name = "std ratio divided by the correlation" if relative_only else "std ratio"
    low, high = percent(limits["onset"], 0), percent(limits["armed"], 0)
    among = " in the logged epochs" if series.sparse else ""
    if stretch.recovered is None:
        rows = stretch.rows(len(facts))
        lowest = min(rows, key=lambda i: ratio[i])
        course = (
            f"fell below {low} {by} epoch {epoch_text(onset)} and never came back over {high}{among}: "
            f"{percent(ratio[stretch.last_high])} at epoch {epoch_text(before)}, {percent(ratio[stretch.onset])} at "
            f"epoch {epoch_text(onset)}"
        )
        if lowest != stretch.onset:
            course += f", lowest {percent(ratio[lowest])} at epoch {epoch_text(facts[lowest].epoch)}"
    else:
        course = (
            f"fell below {low} {by} epoch {epoch_text(onset)} ({percent(ratio[stretch.onset])}) and was back over "
            f"{high} {by} epoch {epoch_text(facts[stretch.recovered].epoch)}{among}"
        )
    smoothed = "" if series.sparse else " (median of 3 epochs)"
    return f"The {name} {course}{smoothed}."


def _low_from_the_start(series: _Series, limits: Limits) -> Outcome:
    if max(series.ratio) >= limits["onset"]:
        return CLEAR
    message = (
        f"The std ratio is low from the start, which is not an onset: it never exceeded {percent(max(series.ratio))} "
        f"in the {len(series.facts)} logged epochs (threshold {percent(limits['onset'], 0)})."
    )
    evidence: dict[str, Value] = {
        "low_from_the_start": True,
        "highest_ratio": max(series.ratio),
        "lowest_ratio": min(series.ratio),
        "last_ratio": series.ratio[-1],
        "last_pearson_r": None if series.r is None else series.r[-1],
    }
    finding = Finding(
        rule=RULE_ID, severity=Severity.INFO, message=message, evidence=evidence, split="validation", acts_on="alpha"
    )
    return Checked(findings=(finding,))


def _evidence(series: _Series, stretch: Stretch, position: int, limits: Limits) -> dict[str, Value]:
    facts, ratio = series.facts, series.ratio
    rows = stretch.rows(len(facts))
    lowest = min(rows, key=lambda i: ratio[i])
    return {
        "last_above_epoch": facts[stretch.last_high].epoch,
        "last_above_ratio": ratio[stretch.last_high],
        "first_below_epoch": facts[stretch.onset].epoch,
        "first_below_ratio": ratio[stretch.onset],
        "recovered_epoch": None if stretch.recovered is None else facts[stretch.recovered].epoch,
        "lowest_epoch": facts[lowest].epoch,
        "lowest_ratio": ratio[lowest],
        "judged_epoch": facts[position].epoch,
        "judged_ratio": ratio[position],
        "judged_r": None if series.r is None else series.r[position],
        "judged_r2": facts[position].r2,
        "spread_fell": ratio[lowest] <= FELL * ratio[stretch.last_high],
        "falls": _as_epochs(series, series.absolute),
        "falls_against_r": _as_epochs(series, series.relative) if series.r is not None else None,
        "smoothed": not series.sparse,
        "noise_log_ratio": series.noise,
        "onset_threshold": limits["onset"],
        "armed_threshold": limits["armed"],
    }


def _as_epochs(series: _Series, stretches: Sequence[Stretch]) -> list[Value]:
    facts = series.facts
    return [
        {
            "last_above": facts[s.last_high].epoch,
            "onset": facts[s.onset].epoch,
            "recovered": None if s.recovered is None else facts[s.recovered].epoch,
        }
        for s in stretches
    ]
