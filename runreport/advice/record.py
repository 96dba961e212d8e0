"""A piece of advice: what it changes, by how much, and what would show that it did not work."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runreport.advice.refutation import Condition
from runreport.findings import Part, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a metric should become: a value with its interval, or bounds where that is all that is known."""

    metric: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    basis: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One step.

    because
        Ids of the findings it rests on; empty where it rests on the log or the config itself, or on the absence of any.
    acts_on
        The part of the error budget that it changes; None where it changes what is known, not the model.
    config_patch
        Config keys and their new values; empty where no setting does it.
    refuted_if
        What, seen in the next run, would show that the advice was wrong.
    refutation
        As much of it as can be tested on the report of the next run: any of these coming true refutes the advice.
    ceiling_r2
        r²: the most that any rescaling of these predictions reaches; None where r is unknown.
    """

    id: str
    title: str
    text: str
    because: tuple[str, ...]
    acts_on: Part | None
    refuted_if: str
    config_patch: Mapping[str, Value] = field(default_factory=dict)
    refutation: tuple[Condition, ...] = ()
    expected: Expected | None = None
    ceiling_r2: float | None = None
