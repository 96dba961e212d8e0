"""What can be shown of the choice of epoch: a better one, that several cannot be ranked, that the best is flattered."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.base import Rule, Threshold
from runreport.selection.audit import PROVEN_R2, Comparison, SelectionAudit
from runreport.wording import epoch as epoch_words
from runreport.wording import fixed, interval, listing, number, plural

WRONG_ID = "selection.wrong-pick"
INDISTINGUISHABLE_ID = "selection.indistinguishable"
OPTIMISM_ID = "selection.optimism"
PLAIN_POLICY = "max_r2"
"""What a better epoch means here is a higher R²: the policy that is compared where only one may be."""
SHOWN = 12
"""Epochs or ranges listed in a sentence before the rest is counted."""


def compact(epochs: Sequence[int | float]) -> str:
    """Epochs as ranges where they follow one another.

    >>> compact([3, 4, 5, 9]), compact([30, 37, 47]), compact([1, 2])
    ('3-5 and 9', '30, 37 and 47', '1 and 2')
    """
    groups: list[list[int | float]] = []
    for e in epochs:
        if groups and e == groups[-1][-1] + 1:
            groups[-1].append(e)
        else:
            groups.append([e])
    parts: list[str] = []
    for group in groups:
        ends = [epoch_words(e) for e in group]
        parts.extend([f"{ends[0]}-{ends[-1]}"] if len(group) > 2 else ends)
    return listing(parts, most=SHOWN)


def _evidence(comparison: Comparison) -> dict[str, Value]:
    return {
        "epoch": comparison.epoch,
        "policies": list(comparison.policies),
        "delta_r2": comparison.delta_r2,
        "interval": None if comparison.interval is None else list(comparison.interval),
        "se_range": None if comparison.se_range is None else list(comparison.se_range),
        "held_out": comparison.held_out,
    }


def check_wrong_pick(context: Context, limits: Limits) -> Outcome:
    """Critical where a policy that is run again in bag beats the saved epoch out of bag by more than the threshold."""
    audit = context.selection
    if audit is None:
        return NotChecked(rule=WRONG_ID, reason="no history to replay policies on")
    if audit.saved is None:
        return NotChecked(rule=WRONG_ID, reason="the epoch that was saved is not known")
    tested = [c for c in audit.comparisons if c.held_out and c.lower is not None]
    if not tested:
        if audit.verdict == "supported" and not audit.comparisons:
            return CLEAR
        shown = _shown_by_the_log(context, audit, limits)
        if shown is not None:
            return Checked(findings=(shown,))
        return NotChecked(rule=WRONG_ID, reason=audit.refused or "no per-epoch predictions to choose and score on")
    proven = [c for c in tested if c.lower is not None and c.lower > limits["proven_r2"]]
    p_values = tuple(c.p_value for c in tested if c.p_value is not None)
    if not proven:
        likely = _likely(audit, tested, limits)
        return Checked(p_values=p_values, findings=() if likely is None else (likely,))
    best = max(proven, key=lambda c: c.lower or 0.0)
    rule = plural(len(best.policies), "policy", "policies").split(maxsplit=1)[1]
    message = (
        f"Epoch {epoch_words(audit.saved)} was saved, but the {rule} {listing(best.policies)} "
        f"(epoch {epoch_words(best.epoch)}) reaches an R² that is higher by {fixed(best.delta_r2)} "
        f"{interval(best.interval, 3)} on samples that the choice had not seen; the whole interval lies above "
        f"{fixed(limits['proven_r2'], 2)}."
    )
    finding = Finding(
        rule=WRONG_ID,
        severity=Severity.CRITICAL,
        message=message,
        evidence={"saved": audit.saved, "compared": [_evidence(c) for c in tested], "n": audit.validation_n},
        epoch=best.epoch,
        split="validation",
        recoverable=best.delta_r2,
        p_value=best.p_value,
    )
    return Checked(findings=(finding,), p_values=p_values)


def _likely(audit: SelectionAudit, tested: Sequence[Comparison], limits: Limits) -> Finding | None:
    """The one comparison that is fixed whatever the run: the highest R², chosen anew and scored on other samples.

    Corrected for no other policy, because none could have been taken in its place.
    """
    c = next((c for c in tested if PLAIN_POLICY in c.policies), None)
    if c is None or c.p_value is None or c.delta_r2 is None:
        return None
    if c.delta_r2 < limits["proven_r2"] or c.p_value >= limits["likely_p"]:
        return None
    message = (
        f"Epoch {epoch_words(audit.saved)} was saved; choosing by the highest R² instead (epoch {epoch_words(c.epoch)}) gives "
        f"{fixed(c.delta_r2)} more on samples that the choice had not seen (p = {number(c.p_value, 2)}). That it is "
        f"{fixed(limits['proven_r2'], 2)} or more with certainty is not shown."
    )
    return _warning(audit, c, message, tested)


def _shown_by_the_log(context: Context, audit: SelectionAudit, limits: Limits) -> Finding | None:
    """Without predictions: an epoch whose logged R² is higher by more than the widest error that agrees with the log.

    The error holds for independent samples; it is widened by what dependence takes from the final figures' samples. Without
    an effective sample count nothing is said.
    """
    final = context.final
    if audit.basis != "log" or audit.n_assumed or final is None or not final.n or not final.effective_n:
        return None
    wider = math.sqrt(max(1.0, final.n / final.effective_n))
    best: tuple[float, Comparison, tuple[float, float]] | None = None
    for c in audit.comparisons:
        if c.delta_r2 is None or c.interval is None or c.delta_r2 < limits["proven_r2"]:
            continue
        half = wider * (c.interval[1] - c.interval[0]) / 2
        if c.delta_r2 - half > 0 and (best is None or c.delta_r2 - half > best[0]):
            best = (c.delta_r2 - half, c, (c.delta_r2 - half, c.delta_r2 + half))
    if best is None:
        return None
    _, c, bounds = best
    message = (
        f"Epoch {epoch_words(audit.saved)} was saved; by the log epoch {epoch_words(c.epoch)} (by {listing(c.policies)}) "
        f"has an R² that is higher by {fixed(c.delta_r2)} {interval(bounds, 3)}, with the widest error that agrees with the "
        "log. No predictions were kept to choose and score on different samples."
    )
    return _warning(audit, c, message, audit.comparisons)


def _warning(audit: SelectionAudit, c: Comparison, message: str, compared: Sequence[Comparison]) -> Finding:
    return Finding(
        rule=WRONG_ID,
        severity=Severity.WARNING,
        message=message,
        evidence={"saved": audit.saved, "compared": [_evidence(one) for one in compared], "n": audit.validation_n},
        epoch=c.epoch,
        split="validation",
        recoverable=c.delta_r2,
        p_value=c.p_value,
    )


def check_indistinguishable(context: Context, _limits: Limits) -> Outcome:
    """Information: the epochs whose R² is not shown to lie below the best."""
    audit = context.selection
    if audit is None:
        return NotChecked(rule=INDISTINGUISHABLE_ID, reason="no history to replay policies on")
    if audit.indistinguishable is None:
        return NotChecked(rule=INDISTINGUISHABLE_ID, reason=_why_no_set(audit))
    if len(audit.indistinguishable) < 2:
        return CLEAR
    example = _open_comparison(audit)
    assumed = " (the number of test samples; that of validation samples is not logged)" if audit.n_assumed else ""
    message = (
        f"{plural(len(audit.indistinguishable), 'epoch')} cannot be ranked by R² at n = {audit.validation_n}{assumed}: "
        f"{compact(audit.indistinguishable)}."
    )
    if example is not None:
        message += " " + _example(audit, example)
    finding = Finding(
        rule=INDISTINGUISHABLE_ID,
        severity=Severity.INFO,
        message=message,
        evidence={
            "epochs": list(audit.indistinguishable),
            "best": audit.best,
            "saved": audit.saved,
            "n": audit.validation_n,
            "n_assumed": audit.n_assumed,
            "basis": audit.basis,
            "compared": [_evidence(c) for c in audit.comparisons],
        },
        epoch=audit.best,
        split="validation",
    )
    return Checked(findings=(finding,))


def _why_no_set(audit: SelectionAudit) -> str:
    if audit.refused is not None:
        return audit.refused
    if audit.best is None:
        return "no r2 column"
    if audit.validation_n is None:
        return "no per-epoch predictions, and the number of validation samples is not known"
    return "no per-epoch predictions, and no std ratio in the log to bound the error of a difference with"


def _open_comparison(audit: SelectionAudit) -> Comparison | None:
    """The undecided comparison nearest to the saved epoch's R²."""
    undecided = [c for c in audit.comparisons if c.interval is not None and c.interval[0] <= 0 <= c.interval[1]]
    return min(undecided, key=lambda c: abs(c.delta_r2 or 0.0), default=None)


def _example(audit: SelectionAudit, c: Comparison) -> str:
    other = f"Epoch {epoch_words(c.epoch)}"
    if c.held_out:
        # The policy is re-run in every resample: what is scored is its choices, of which this epoch is one.
        other = f"The policy {listing(c.policies)}, re-run and scored on rows it had not seen,"
    pair = f"{other} against the saved epoch {epoch_words(audit.saved)}: ΔR² = {fixed(c.delta_r2)}"
    if c.se_range is None:
        return f"{pair} {interval(c.interval, 3)}."
    low, high = (fixed(v) for v in c.se_range)
    error = f"a standard error of {low}" if low == high else f"a standard error between {low} and {high}"
    return f"{pair}, with {error} for independent samples."


MIN_OPTIMISM_UNITS = 12
"""As `runreport.statistics.selection_bootstrap`, which says how it was measured and cannot be imported without numpy."""


def check_optimism(context: Context, limits: Limits) -> Outcome:
    """Information: by how much the best R² over the epochs flatters itself, measured out of bag."""
    audit = context.selection
    if audit is None:
        return NotChecked(rule=OPTIMISM_ID, reason="no history to replay policies on")
    if audit.optimism is None:
        if audit.basis == "predictions":
            reason = (
                f"under {MIN_OPTIMISM_UNITS} groups, or blocks of rows that repeat each other, to choose and score on"
            )
            return NotChecked(rule=OPTIMISM_ID, reason=audit.refused or reason)
        return NotChecked(
            rule=OPTIMISM_ID,
            reason=audit.refused or "no per-epoch predictions to choose and score on different samples",
        )
    if audit.optimism < limits["least"]:
        return CLEAR
    finding = Finding(
        rule=OPTIMISM_ID,
        severity=Severity.INFO,
        message=f"The highest validation R² over the epochs (epoch {epoch_words(audit.best)}) was chosen as the highest on the "
        f"samples that score it: such a choice scores {fixed(audit.optimism)} too high on average, by re-choosing on resamples "
        "and scoring on the samples left out. By how much this one does cannot be told from the same samples.",
        evidence={"optimism": audit.optimism, "best": audit.best, "n": audit.validation_n},
        epoch=audit.best,
        split="validation",
    )
    return Checked(findings=(finding,))


WRONG_PICK = Rule(
    id=WRONG_ID,
    title="A better checkpoint was not saved",
    meaning="A policy that was fixed before the run picks another checkpoint, and that choice has a higher R² on "
    "samples that it was not made on.",
    statistic="Paired bootstrap of ΔR² = R²(policy's epoch) - R²(saved): whole groups or blocks are resampled, the "
    "policy chooses on the resample, both epochs are scored on the samples left out of it; Bonferroni over the "
    "policies compared. As a warning: the highest R² alone, without that correction; without predictions, the logged "
    "difference against the widest standard error that agrees with the log, and with the dependence of the samples.",
    remedy="Save by that policy, or use its checkpoint where it still exists.",
    severities="critical; warning where only the highest R² wins, by chance less often than likely_p, or by the log alone",
    check=check_wrong_pick,
    thresholds=(
        Threshold(
            name="proven_r2", default=PROVEN_R2,
            reason="a smaller gain than 0.02 R² is not worth a checkpoint, and is within the optimism of choosing the "
            "best of 50 (0.015 to 0.046 at n = 144)",
        ),
        Threshold(
            name="likely_p", default=0.05, unit="p",
            reason="one comparison, fixed beforehand, and scored on samples that the choice had not seen",
        ),
    ),
)  # fmt: skip
INDISTINGUISHABLE = Rule(
    id=INDISTINGUISHABLE_ID,
    title="These epochs cannot be ranked",
    meaning="The validation samples are too few, or the epochs too alike, to say which of these has the highest R².",
    statistic="Multiple comparisons with the best (Hsu 1981): an epoch is left out when its paired ΔR² against the "
    "highest lies below 0 with its whole interval, so that the truly best epoch is among those left with 95 % "
    "confidence. From per-epoch predictions by bootstrap, else from R², the ratio and n, with the widest standard "
    "error that agrees with the log.",
    remedy="Treat them as equal: choose by cost or by another property, and report the whole set.",
    severities="info",
    check=check_indistinguishable,
)
OPTIMISM = Rule(
    id=OPTIMISM_ID,
    title="The best validation R² flatters itself",
    meaning="The highest of many noisy scores is higher than what the same choice reaches on other samples.",
    statistic="The highest R² on all samples less the mean out-of-bag R² of the epochs chosen on resamples of groups or blocks "
    f"(leave-one-out bootstrap, Efron & Tibshirani 1997); from {MIN_OPTIMISM_UNITS} units on. An average over runs of this kind, "
    "not this run's own excess.",
    remedy="Quote the test R², or the out-of-bag one; do not compare runs by their best validation score.",
    severities="info",
    check=check_optimism,
    thresholds=(
        Threshold(name="least", default=0.005, unit="R²", reason="less changes no reported digit that matters"),
    ),
)
