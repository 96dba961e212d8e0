"""Whether a change did what its advice said would show it wrong, and what to change next."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from training.improve.reading import Reading

Advice = Mapping[str, Any]


def refuted(advice: Advice, after: Reading) -> list[str]:
    """What was seen of that which the advice itself named as refuting it; empty where nothing was.

    ``advice["refutation"]`` lists tests on the next run, any of which suffices: a rule that is found again, or a figure
    that lies within [low, high] (None: without that bound).

    >>> run = {"final": {"pearson_r": 0.05}, "findings": [], "criteria": [], "advice": []}
    >>> refuted({"refutation": [{"metric": "pearson_r", "low": None, "high": 0.08}]}, Reading(run=run))
    ['pearson_r is 0.050, not above 0.080']
    """
    seen = []
    for test in advice.get("refutation") or ():
        if test.get("rule") is not None:
            if after.finding(test["rule"]) is not None:
                seen.append(f"`{test['rule']}` is found again")
            continue
        value = after.value(test["metric"])
        if value is None:
            continue
        shown = abs(value) if test.get("absolute") else value
        low, high = test.get("low"), test.get("high")
        if (low is None or shown >= low) and (high is None or shown <= high):
            seen.append(f"{_name(test)} is {shown:.3f}, {_where(low, high)}")
    return seen


def settled_by_pairs(advice: Advice, after: Reading, difference: Mapping[str, Any] | None) -> list[str]:
    """What was seen against a change, after the paired difference in R² on the same rows has been heard.

    A run's own interval holds the noise of its rows, which both runs share; their paired difference does not. So where its
    interval lies above 0 the change did raise R², and a figure of the next run that lies within the interval of the run
    before says nothing against it; where it lies below 0 the change did harm, whatever it was for. A rule that is found
    again stays what it is.
    """
    bounds = (difference or {}).get("interval")
    if bounds is None:
        return refuted(advice, after)
    if bounds[1] < 0:
        return [*refuted(advice, after), f"R² fell on the same rows: [{bounds[0]:.2f}, {bounds[1]:.2f}]"]
    if bounds[0] > 0:
        rules = [test for test in advice.get("refutation") or () if test.get("rule") is not None]
        return refuted({**advice, "refutation": rules}, after)
    return refuted(advice, after)


def could_be_judged(advice: Advice, after: Reading) -> bool:
    """Whether any of the advice's tests could be made on the run after it."""
    tests = advice.get("refutation") or ()
    return any(t.get("rule") is not None or after.value(t["metric"]) is not None for t in tests)


def _name(test: Mapping[str, Any]) -> str:
    return f"|{test['metric']}|" if test.get("absolute") else str(test["metric"])


def _where(low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"within [{low:.3f}, {high:.3f}]"
    return f"not above {high:.3f}" if high is not None else f"not below {low:.3f}"


def next_advice(reading: Reading, refused: Sequence[Advice]) -> Advice | None:
    """The first advice with settings to change that was not already tried from here and undone."""
    tried = [_change(a) for a in refused]
    return next((a for a in reading.advice if a["config_patch"] and _change(a) not in tried), None)


def _change(advice: Advice) -> tuple[str, str]:
    return str(advice["id"]), repr(sorted(advice["config_patch"].items()))
