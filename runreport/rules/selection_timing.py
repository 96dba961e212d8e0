"""When the best epoch came: in the first few, in the very last, or long before the run ended."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from runreport.context import Context, History, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.base import Rule, Threshold
from runreport.selection.audit import SelectionAudit
from runreport.selection.scores import evenly_spaced
from runreport.wording import epoch as epoch_words
from runreport.wording import fixed, interval, number, plural

EARLY_ID = "selection.too-early"
LATE_ID = "selection.too-late"
WINDOW_SHARE, WINDOW_LEAST = 0.3, 10
"""The end of the log that a trend is fitted to: short enough to be straight, long enough to have an error."""
MOST_AUTOCORRELATION = 0.9
"""Closer to 1 the error has no estimate from so few values."""


def _chosen(audit: SelectionAudit) -> tuple[int | float, str] | None:
    """The epoch that is judged, and what it is: saved, picked by the declared policy, or highest R²."""
    if audit.saved is not None:
        return audit.saved, "saved"
    if audit.inferred is not None:
        return audit.inferred, "picked by the declared policy"
    return (audit.best, "best by R²") if audit.best is not None else None


def _facts(context: Context, rule: str, least: float) -> tuple[SelectionAudit, History, int | float, str] | NotChecked:
    audit, history = context.selection, context.history
    if audit is None or history is None:
        return NotChecked(rule=rule, reason="no history")
    if len(history) < least:
        return NotChecked(rule=rule, reason=f"{plural(len(history), 'logged epoch')}; needs at least {least:g}")
    chosen = _chosen(audit)
    if chosen is None:
        return NotChecked(rule=rule, reason="no saved epoch, no declared policy that can be replayed, and no r2 column")
    if chosen[0] not in history.epochs:
        return NotChecked(rule=rule, reason=f"epoch {epoch_words(chosen[0])} is not in the log")
    return audit, history, *chosen


def _rank(history: History, epoch: int | float) -> float:
    """1 for the first epoch: by row where rows are evenly spaced, else (published excerpts) by epoch number."""
    if evenly_spaced(history.epochs):
        return history.epochs.index(epoch) + 1
    return epoch - history.epochs[0] + 1


def check_too_early(context: Context, limits: Limits) -> Outcome:
    """An epoch chosen among the first few: a warning where a later one is shown to be better, else information."""
    facts = _facts(context, EARLY_ID, limits["least_epochs"])
    if isinstance(facts, NotChecked):
        return facts
    audit, history, epoch, what = facts
    if _rank(history, epoch) > limits["first"]:
        return CLEAR
    later = [c for c in audit.comparisons if c.epoch > epoch and c.lower is not None and c.lower > 0]
    evidence: dict[str, Value] = {"epoch": epoch, "last_epoch": history.epochs[-1], "rank": _rank(history, epoch)}
    place = f"Epoch {epoch_words(epoch)}, {what}, is among the first {limits['first']:g} of a log that goes on "
    place += f"to epoch {epoch_words(history.epochs[-1])}."
    if later:
        best = max(later, key=lambda c: c.lower or 0.0)
        evidence |= {"later": best.epoch, "delta_r2": best.delta_r2, "interval": list(best.interval or ())}
        tail = f"Epoch {epoch_words(best.epoch)} has a higher R², by {fixed(best.delta_r2)} {interval(best.interval)}."
        severity = Severity.WARNING
    else:
        tail = "No later epoch that another policy picks is shown to be better."
        severity = Severity.INFO
    finding = Finding(
        rule=EARLY_ID,
        severity=severity,
        message=f"{place} {tail}",
        evidence=evidence,
        epoch=epoch,
        split="validation",
    )
    return Checked(findings=(finding,))


def check_too_late(context: Context, limits: Limits) -> Outcome:
    """The best epoch among the last (still improving?), or a run that went on long past it."""
    facts = _facts(context, LATE_ID, limits["least_epochs"])
    if isinstance(facts, NotChecked):
        return facts
    audit, history, epoch, what = facts
    findings = [f for f in (_at_the_end(audit, history, epoch, what, limits), _past(audit, history, epoch, what)) if f]
    return Checked(findings=tuple(findings))


def _at_the_end(
    audit: SelectionAudit, history: History, epoch: int | float, what: str, limits: Limits
) -> Finding | None:
    rows = len(history)
    tail = max(1, math.floor(limits["last_share"] * rows))
    position = history.epochs.index(epoch)
    if position < rows - tail:
        return None
    gain = recent_gain([v for _, v in history.finite("r2")])
    long_enough = rows >= limits["trend_epochs"]
    rising = long_enough and gain is not None and gain[0] > max(limits["gain"], limits["errors"] * gain[1])
    among = "the last of" if tail == 1 else f"among the last {tail} of"
    place = f"Epoch {epoch_words(epoch)}, {what}, is {among} {plural(rows, 'logged epoch')}"
    if rising and gain is not None and audit.stopped_early is not True:
        severity = Severity.WARNING
        remark = (
            f"R² was still rising, by {fixed(gain[0])} (standard error {fixed(gain[1])}) over a tenth of the log, "
            f"so where it would have peaked is not known: half as many epochs again bring at most {fixed(5 * gain[0], 2)} if the "
            "rise does not steepen."
        )
    else:
        severity = Severity.INFO
        remark = "What later epochs would have reached is not identifiable from this log."
        if gain is not None and not rising:
            change = f"{number(gain[0], 2)} over a tenth of the log, standard error {number(gain[1], 2)}"
            if long_enough and gain[0] > limits["errors"] * gain[1]:
                # Over thousands of epochs any slope can be told from 0; a longer run is worth its size, not its certainty.
                remark = f"R² still rose, but by {change}: too little for a longer run (threshold {fixed(limits['gain'], 2)})."
            else:
                remark = f"That R² was still rising is not shown ({change}). {remark}"
    return Finding(
        rule=LATE_ID,
        severity=severity,
        message=f"{place}. {remark}",
        evidence={
            "epoch": epoch,
            "last_epoch": history.epochs[-1],
            "gain": None if gain is None else gain[0],
            "gain_error": None if gain is None else gain[1],
            "stopped_early": audit.stopped_early,
        },
        epoch=epoch,
        split="validation",
    )


def recent_gain(values: Sequence[float]) -> tuple[float, float] | None:
    """Slope of a straight line through the last 30 % (at least 10 values), per tenth of the log, and its standard error.

    Least squares; the error is widened by √((1+ρ)/(1-ρ)) for residuals that follow one another, ρ their first
    autocorrelation corrected for its bias (1+3ρ)/m (Kendall 1954, doi:10.2307/2332720). None below 10 values.

    >>> gain, error = recent_gain([0.1 * i for i in range(20)])
    >>> round(gain, 6), round(error, 6)
    (0.2, 0.0)
    """
    count = len(values)
    m = max(WINDOW_LEAST, round(WINDOW_SHARE * count))
    if count < WINDOW_LEAST:
        return None
    window = values[-m:]
    middle, mean = (m - 1) / 2, sum(window) / m
    squares = m * (m * m - 1) / 12
    slope = sum((i - middle) * v for i, v in enumerate(window)) / squares
    rest = [v - mean - slope * (i - middle) for i, v in enumerate(window)]
    power = sum(e * e for e in rest)
    if not math.isfinite(power):
        return None
    rho = sum(a * b for a, b in itertools.pairwise(rest)) / power if power > 0 else 0.0
    rho = min(max(rho + (1 + 3 * rho) / m, 0.0), MOST_AUTOCORRELATION)
    error = math.sqrt(power / (m - 2) / squares * (1 + rho) / (1 - rho))
    return slope * count / 10, error * count / 10


def _past(audit: SelectionAudit, history: History, epoch: int | float, what: str) -> Finding | None:
    """Information: the run went on for more than twice its own patience after the epoch."""
    declared = audit.declared
    if declared is None or declared.patience is None or declared.patience < 1 or audit.policy_gaps:
        return None
    after = len(history) - 1 - history.epochs.index(epoch)
    if after <= 2 * declared.patience:
        return None
    return Finding(
        rule=LATE_ID,
        severity=Severity.INFO,
        message=f"The log goes on for {plural(after, 'epoch')} after epoch {epoch_words(epoch)}, {what}: more than "
        f"twice the declared patience of {declared.patience}. That costs time, not accuracy.",
        evidence={"epoch": epoch, "epochs_after": after, "patience": declared.patience},
        epoch=epoch,
        split="validation",
    )


TOO_EARLY = Rule(
    id=EARLY_ID,
    title="The chosen epoch is one of the first",
    meaning="The checkpoint comes from before training could do much: a lucky early score, a monitor that rewards "
    "something else than accuracy, or a model that only got worse.",
    statistic="Rank of the chosen epoch among the logged ones, and the interval of ΔR² of later picks against it.",
    remedy="Let early stopping begin after a warm-up of a few epochs; if later epochs are truly no better, lower the "
    "learning rate or regularise, because training itself does not help.",
    severities="warning where a later epoch is shown to be better; else info",
    check=check_too_early,
    thresholds=(
        Threshold(name="first", default=5, unit="epochs", reason="before epoch 6 the catalogue calls an epoch early"),
        Threshold(name="least_epochs", default=10, unit="epochs", reason="in a shorter log the first five are half"),
    ),
)
TOO_LATE = Rule(
    id=LATE_ID,
    title="The chosen epoch is at the very end, or far from it",
    meaning="The best epoch is one of the last, so the run may have been cut short; or the run went on long after it.",
    statistic="Position of the chosen epoch in the last 5 % of the log; slope of R² over the last 30 % "
    "of the log with its standard error, widened for autocorrelation. A best epoch at the end is normal "
    "under a rate that is annealed to zero, so it is a warning only while R² still rises.",
    remedy="Train longer (acts on r), or check that the schedule's length matches the run; past the patience: stop.",
    severities="warning while R² is still rising; else info",
    check=check_too_late,
    thresholds=(
        Threshold(name="last_share", default=0.05, reason="the last 5 % of the log, at least its last epoch"),
        Threshold(name="least_epochs", default=10, unit="epochs", reason="fewer rows hold no trend with an error"),
        Threshold(
            name="trend_epochs",
            default=20,
            unit="epochs",
            reason="in a shorter log the fitted window reaches back into the first steep rise",
        ),
        Threshold(name="gain", default=0.02, unit="R²", reason="a smaller gain a tenth is not worth a longer run"),
        Threshold(
            name="errors",
            default=4.0,
            reason="at 3 a log that only wanders (AR 0.7) seems to rise in 1.2 % of cases",
        ),
    ),
)
