"""An input that is nearly the target, by the trainer's own look at its columns."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple

from runreport.context import Context, Limits
from runreport.findings import Finding, Severity
from runreport.marks import clean
from runreport.rules import data_basis as basis
from runreport.wording import fixed, number


class Closest(NamedTuple):
    """A column, and its squared correlation with the target over the training rows."""

    column: str
    r2: float


def closest_input(context: Context) -> Closest | None:
    """Out of ``leak_check`` of the metrics file; None where it is not there, or is no share."""
    check = context.run.summary.get("leak_check")
    found = check.get("closest_input") if isinstance(check, Mapping) else None
    if not isinstance(found, Mapping):
        return None
    column, r2 = found.get("column"), found.get("r2")
    if not isinstance(column, str) or isinstance(r2, bool) or not isinstance(r2, int | float):
        return None
    return Closest(column, float(r2)) if math.isfinite(r2) and 0 <= r2 <= 1 else None


def nearly_the_target(context: Context, limits: Limits) -> Finding | None:
    """One column leaves so little of the target that it is the target, made from it, or its last value."""
    closest = closest_input(context)
    if closest is None or closest.r2 < limits["column_r2"]:
        return None
    final = context.final
    r2 = basis.estimate(final, "r2")
    beside = (
        ""
        if final is None or r2 is None
        else f"; {basis.place(final)[0].lower()}{basis.place(final)[1:]} R² is {fixed(r2)}"
    )
    message = (
        f"The run's own leak check: one input, {clean(closest.column)}, explains {fixed(closest.r2)} of the training target's "
        f"variance by a straight line (threshold {number(limits['column_r2'])}){beside}. It is the target, was made from it, or "
        "is a quantity that goes with it: if it is not known when a prediction is asked for, this score is not held out."
    )
    return Finding(
        rule="data.leak",
        severity=Severity.WARNING,
        message=message,
        evidence={"column": closest.column, "column_r2": closest.r2, "r2": r2},
        split="train",
        acts_on="r",
    )
