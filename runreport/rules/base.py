"""What a rule is: an id, its documentation, its thresholds, and one pure function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from runreport.context import Context, Limits
from runreport.findings import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """A number a rule compares with, and why it is that number."""

    name: str
    default: float
    reason: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One thing that can be found in a run.

    id
        Stable: once released, never changes meaning.
    meaning
        What it tells a person when it fires, in one or two sentences.
    statistic
        What is computed, as a formula or in words, with its source.
    remedy
        What to do about it, and what that acts on.
    check
        Pure: never prints, never raises on a bad run; answers "not checked, because" where the data do not allow it.
    """

    id: str
    title: str
    meaning: str
    statistic: str
    remedy: str
    severities: str
    check: Callable[[Context, Limits], Outcome]
    thresholds: tuple[Threshold, ...] = ()

    def limits(self, overrides: Mapping[str, float] | None = None) -> Limits:
        """The thresholds in force: the defaults, with the user's in place of those they name."""
        return Limits(values={t.name: t.default for t in self.thresholds} | dict(overrides or {}))
