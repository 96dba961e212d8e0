"""A run beside the run it must not be worse than: on the same samples, and a difference only beyond its noise."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from runreport.analysis.record import Analysis
from runreport.compare.engine import HOLM_LEVEL, compare_runs
from runreport.compare.record import Comparison
from runreport.gate.record import Beside, Change, Check, Status
from runreport.marks import clean
from runreport.statistics.multiple import holm
from runreport.wording import fixed, interval, number, setting

if TYPE_CHECKING:
    from runreport.statistics.paired import PairedComparison, PairedDifference

BETTER: Mapping[str, int] = {"r2": 1, "pearson_r": 1, "mae": -1}
"""Metrics that can be worse, and the sign of better. A std ratio has no better: the best one is r. A run that is no
worse fails on any of the three with a nominal chance of 2.5 % (Holm over them at 5 %, and only one side is worse); 1.8 % of
1,000 such runs did, at n = 144, in tests/gate/test_false_alarms.py."""
LABELS: Mapping[str, str] = {"r2": "R²", "pearson_r": "the correlation r", "mae": "MAE"}


def beside(baseline: Analysis, analysis: Analysis) -> Beside:
    """What changed from the baseline to this run: its figures, where both predicted the same samples, and its findings."""
    name = "the baseline"
    while name == analysis.run.name:
        name += " "
    # Two folders may hold a run of one name, and a comparison knows its runs by their names.
    renamed = replace(baseline, context=replace(baseline.context, run=replace(baseline.run, name=name)))
    comparison = compare_runs([renamed, analysis])
    clear = set(analysis.clear)
    fired = dict.fromkeys(f.rule for f in baseline.findings if f.severity.rank >= 1)
    return Beside(
        name=clean(baseline.run.name),
        refused=clean(comparison.refused) if comparison.refused is not None else None,
        changes=_changes(comparison, baseline, analysis) if comparison.refused is None else (),
        gone=tuple(rule for rule in fired if rule in clear),
        settings=_settings(comparison, name, analysis.run.name),
    )


def told_apart(paired: PairedComparison) -> list[tuple[PairedDifference, float | None, bool]]:
    """(difference, p after Holm over the metrics, whether it is more than noise) of the metrics that can be worse."""
    found = [d for d in paired.differences if d.metric in BETTER]
    adjusted = holm([d.p_value for d in found])
    return [(d, p, p is not None and p < HOLM_LEVEL) for d, p in zip(found, adjusted, strict=True)]


def _changes(comparison: Comparison, baseline: Analysis, analysis: Analysis) -> tuple[Change, ...]:
    if comparison.paired is None:
        return ()
    before = baseline.final.estimates if baseline.final is not None else {}
    after = analysis.final.estimates if analysis.final is not None else {}
    return tuple(
        Change(
            metric=d.metric,
            before=before.get(d.metric),
            after=after.get(d.metric),
            difference=d.estimate,
            interval=(d.lo, d.hi) if d.lo is not None and d.hi is not None else None,
            p_value=p,
            told=told,
            detectable=d.minimum_detectable,
        )
        for d, p, told in told_apart(comparison.paired)
    )


def _settings(comparison: Comparison, before: str, after: str) -> tuple[tuple[str, str, str], ...]:
    return tuple(
        (clean(key), clean(setting(values[before])), clean(setting(values[after])))
        for key, values in comparison.config_differences.items()
        if before in values and after in values
    )


def is_worse(change: Change) -> bool:
    """Whether the figure is worse than the baseline's beyond noise."""
    return change.told and change.difference is not None and change.difference * BETTER[change.metric] < 0


def change_checks(found: Beside) -> list[Check]:
    """A check a metric; or one that could not be judged, where the two were not evaluated on the same samples."""
    if found.refused is not None:
        return [
            Check(
                kind="baseline",
                id="baseline.figures",
                status=Status.UNKNOWN,
                message=f"Whether this run is worse than {found.name} cannot be told: {found.refused}.",
            )
        ]
    return [
        Check(
            kind="baseline",
            id=f"baseline.{change.metric}",
            status=_status(change),
            message=change_sentence(change, found.name),
        )
        for change in found.changes
    ]


def _status(change: Change) -> Status:
    if change.p_value is None:
        return Status.UNKNOWN
    return Status.FAILED if is_worse(change) else Status.PASSED


def change_sentence(change: Change, baseline: str) -> str:
    """What became of one figure, in a sentence."""
    label = LABELS[change.metric]
    start = f"{label[:1].upper()}{label[1:]} went from {shown(change, change.before)} to {shown(change, change.after)}"
    if change.difference is None or change.p_value is None:
        return f"{start}; whether that is more than noise cannot be told."
    size = f"{signed(change)}{' ' + interval(change.interval, 3) if change.interval is not None else ''}"
    if change.told:
        word = "worse" if is_worse(change) else "better"
        return f"{start}: {word} than {baseline} beyond noise ({size})."
    least = f"; these samples would find {number(change.detectable)} four times in five" if change.detectable else ""
    return f"{start}: not told from {baseline} ({size}{least})."


def shown(change: Change, value: float | None) -> str:
    """A figure as reports show it."""
    return number(value) if change.metric == "mae" else fixed(value, 3)


def signed(change: Change) -> str:
    """The difference with its sign."""
    text = shown(change, change.difference)
    return f"+{text}" if (change.difference or 0.0) > 0 else text
