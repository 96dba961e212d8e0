"""Every plant, in one tuple."""

from __future__ import annotations

from benchmarks.truth.plants import data, log, loss, output, rate, selection
from benchmarks.truth.plants.base import Plant

PLANTS: tuple[Plant, ...] = (
    *log.PLANTS,
    *rate.PLANTS,
    *loss.PLANTS,
    *output.PLANTS,
    *selection.PLANTS,
    *data.PLANTS,
)

CLASHING_STAGES: frozenset[frozenset[str]] = frozenset(
    frozenset(pair)
    for pair in (
        ("weights", "rate"),
        ("weights", "selection"),
        ("weights", "data"),
        ("units", "offset"),
        ("units", "spread"),
        ("units", "range"),
        ("units", "group"),
        ("units", "weights"),
        ("data", "selection"),
        ("data", "rate"),
        ("data", "spread"),
        ("data", "range"),
        ("data", "objective"),
        ("data", "units"),
        ("objective", "selection"),
        ("objective", "weights"),
        ("objective", "offset"),
        ("range", "spread"),
        ("range", "weights"),
        ("selection", "spread"),
        ("rate", "selection"),
        ("weights", "spread"),
        ("weights", "offset"),
    )
)
"""Pairs where one fault hides or undoes the other, so that the run could not be said to have both."""


def can_be_together(one: Plant, two: Plant) -> bool:
    """Whether a run can have both faults."""
    return (
        one.stage != two.stage
        and one.fault is not two.fault
        and frozenset((one.stage, two.stage)) not in CLASHING_STAGES
    )
