"""What happened to the rows of a log: epochs missing, logged twice, cut off, started again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from statistics import median_low

from runreport.context import Context, History, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.wording import epoch as epoch_text
from runreport.wording import listing, plural

GAPS = "log.gaps"
DUPLICATES = "log.duplicate-epochs"
TRUNCATED = "log.truncated"
RESTARTS = "log.restarts"

STEP_AXES = frozenset({"step", "global_step", "iter", "iteration", "round"})
"""Names of an epoch column that counts steps: its spacing is no claim of a row an epoch."""


def check_gaps(context: Context, limits: Limits) -> Outcome:
    """log.gaps: steps of the epoch axis wider than the usual one, and a log that does not begin at the beginning."""
    history = context.history
    if history is None:
        return NotChecked(rule=GAPS, reason="no history")
    epochs = history.epochs
    if len(epochs) < 3:
        return NotChecked(rule=GAPS, reason=f"{plural(len(epochs), 'epoch')}; needs at least 3")
    steps = [b - a for a, b in itertools.pairwise(epochs)]
    spacing = _usual(steps)
    if not spacing > 0:
        return NotChecked(rule=GAPS, reason="the epochs do not increase")
    factor = limits["factor"]
    gaps = [(a, b) for a, b in itertools.pairwise(epochs) if b - a > factor * spacing]
    late = epochs[0] > 1 and epochs[0] - 1 > factor * spacing
    published = context.run.summary.get("published") is True
    regular = sum(abs(step - spacing) <= 0.01 * spacing for step in steps) >= 0.5 * len(steps)
    on_steps = context.run.columns_read.get("epoch", "") in STEP_AXES
    if not gaps and not late and not (published and spacing > 1):
        if spacing <= 1 or on_steps:
            return CLEAR
        every = "every" if max(steps) - min(steps) <= 0.01 * spacing else "about every"
        message = f"The log has a row {every} {epoch_text(spacing)} epochs; nothing is known of those between."
        return Checked(findings=(_gap_finding(Severity.INFO, message, spacing, gaps, epochs),))
    severity = Severity.WARNING if regular and not published else Severity.INFO
    return Checked(
        findings=(_gap_finding(severity, _gap_message(epochs, spacing, gaps, late, published), spacing, gaps, epochs),)
    )


def _usual(steps: list[int | float]) -> float:
    """The commonest step (the smallest of several); where no two are alike, the lower median."""
    if len(steps) > 1 and len(set(steps)) == 1:
        return round(steps[0], 6)
    counts: dict[float, int] = {}
    for step in steps:
        counts[round(step, 6)] = counts.get(round(step, 6), 0) + 1
    best = max(counts.values())
    return median_low(steps) if best == 1 else min(step for step, count in counts.items() if count == best)


def _gap_message(
    epochs: tuple[int | float, ...],
    spacing: float,
    gaps: list[tuple[int | float, int | float]],
    late: bool,
    published: bool,
) -> str:
    if published:
        return (
            f"{len(epochs)} epochs between {epoch_text(epochs[0])} and {epoch_text(epochs[-1])} were published; "
            "nothing is known of the others."
        )
    parts = []
    if late:
        parts.append(f"the log begins at epoch {epoch_text(epochs[0])}")
    if gaps:
        spans = listing([f"{epoch_text(a)} to {epoch_text(b)}" for a, b in gaps], most=5)
        missing = sum(_missing(a, b, spacing) for a, b in gaps)
        wanting = f": {plural(missing, 'row')} missing" if math.isfinite(missing) else ""
        parts.append(f"it jumps from epoch {spans} where rows are usually {epoch_text(spacing)} apart{wanting}")
    sentence = "; ".join(parts)
    return f"{sentence[0].upper()}{sentence[1:]}."


def _missing(a: int | float, b: int | float, spacing: float) -> int:
    return max(1, round((b - a) / spacing) - 1)


def _gap_finding(
    severity: Severity,
    message: str,
    spacing: float,
    gaps: list[tuple[int | float, int | float]],
    epochs: tuple[int | float, ...],
) -> Finding:
    evidence: dict[str, Value] = {
        "spacing": spacing,
        "gaps": [[a, b] for a, b in gaps],
        "missing_rows": sum(_missing(a, b, spacing) for a, b in gaps),
        "first": epochs[0],
        "last": epochs[-1],
        "rows": len(epochs),
    }
    return Finding(rule=GAPS, severity=severity, message=message, evidence=evidence)


def from_notes(context: Context, rule: str) -> tuple[Finding, ...]:
    """The reader's notes of this kind, as findings."""
    return tuple(
        Finding(
            rule=rule,
            severity=Severity.WARNING,
            message=_sentence(note.message),
            evidence={"said_by": "reader"},
            epoch=note.epoch,
        )
        for note in context.run.notes
        if note.code == rule
    )


def _sentence(text: str) -> str:
    text = text.strip()
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def check_duplicates(context: Context, limits: Limits) -> Outcome:
    """log.duplicate-epochs: epochs that the reader met more than once with other values."""
    found = from_notes(context, DUPLICATES)
    if context.history is None and not found:
        return NotChecked(rule=DUPLICATES, reason="no history")
    return Checked(findings=found)


def check_restarts(context: Context, limits: Limits) -> Outcome:
    """log.restarts: runs that the reader split, resumed training, repeated headers."""
    found = from_notes(context, RESTARTS)
    if context.history is None and not found:
        return NotChecked(rule=RESTARTS, reason="no history")
    return Checked(findings=found)


def check_truncated(context: Context, limits: Limits) -> Outcome:
    """log.truncated: what the reader cut off, and a history shorter than the run says that it was."""
    findings = list(from_notes(context, TRUNCATED))
    history = context.history
    if history is None or not len(history):
        return Checked(findings=tuple(findings)) if findings else NotChecked(rule=TRUNCATED, reason="no history")
    published = context.run.summary.get("published") is True
    run_epochs = None if published else _count(context, "epochs_run")
    expected = None if run_epochs is None else run_epochs - (1 if history.epochs[0] < 1 else 0)
    last = history.epochs[-1]
    saved = context.saved_epoch
    if expected is not None and run_epochs is not None and last < expected:
        findings.append(
            _short(
                history,
                f"The run says that it trained {plural(int(run_epochs), 'epoch')}; its log ends at epoch {epoch_text(last)}.",
                {"epochs_run": run_epochs, "last": last},
            )
        )
    elif saved is not None and saved > last:
        findings.append(
            _short(
                history,
                f"The run saved epoch {epoch_text(saved)}; its log ends at epoch {epoch_text(last)}.",
                {"saved": saved, "last": last},
            )
        )
    return Checked(findings=tuple(findings))


def _short(history: History, message: str, evidence: Mapping[str, Value]) -> Finding:
    return Finding(
        rule=TRUNCATED, severity=Severity.WARNING, message=message, evidence=evidence, epoch=history.epochs[-1]
    )


def _count(context: Context, name: str) -> float | None:
    value = context.run.summary.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value >= 1:
        return float(value)
    return None
