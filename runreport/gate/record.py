"""What a gate says: checks, a verdict a run, one exit code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Literal

from runreport.findings import Severity

READ, JUDGED = "runreport.read", "runreport.judged"
"""Ids of the checks that a run could be read, and that any rule could be judged on it."""
SELF = "baseline.self"
"""Id of the check that says that this run is itself the baseline."""


class Status(StrEnum):
    """What became of one check."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "could not judge"
    SKIPPED = "not checked"
    """A rule that this run has no data for: it says nothing, for or against."""


class Code(IntEnum):
    """Exit codes of a gate."""

    PASSED = 0
    FAILED = 1
    UNKNOWN = 2


Kind = Literal["rule", "criterion", "baseline"]
State = Literal["new", "unchanged", "worse"]
"""A finding beside the baseline's: its rule did not fire there, fired as severely, or less severely."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One thing that was asked of a run.

    id
        A rule id, ``criteria.<tier>``, ``baseline.<metric>``; the same from run to run.
    message
        A sentence of plain text on one line: what was found or, where nothing was, what was asked.
    severity
        Of a finding; None for what is no finding.
    state
        Of a finding, where there is a baseline.
    path, line
        The file that shows it, and the line of its epoch where that is known.
    """

    kind: Kind
    id: str
    status: Status
    message: str
    severity: Severity | None = None
    state: State | None = None
    path: Path | None = None
    line: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A figure of the run beside the baseline's, on the same samples.

    told
        Whether the difference is larger than its noise (p < 0.05 after Holm over the metrics compared).
    detectable
        The least difference that these samples find four times in five; None where that is unknown.
    """

    metric: str
    before: float | None
    after: float | None
    difference: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    told: bool
    detectable: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """A run beside its baseline.

    refused
        Why their figures could not be compared; None where they were.
    gone
        Rules that fired on the baseline and were judged clear now; those that could not be judged now are not among them.
    settings
        Setting -> (the baseline's value, the run's), where both are known and differ.
    """

    name: str
    refused: str | None
    changes: tuple[Change, ...] = ()
    gone: tuple[str, ...] = ()
    settings: tuple[tuple[str, str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """One run (or one file that could not be read), judged.

    title
        The report's title without the run's name; for a file that could not be read, the line about it.
    r2, variance_ratio
        Final figures; None where unknown. ``split`` and ``n`` say of which samples.
    """

    name: str
    title: str
    checks: tuple[Check, ...]
    path: Path | None = None
    r2: float | None = None
    variance_ratio: float | None = None
    split: str | None = None
    n: int | None = None
    next_step: str | None = None
    beside: Beside | None = None

    def having(self, *statuses: Status) -> tuple[Check, ...]:
        """The checks with one of these statuses, in their order."""
        return tuple(c for c in self.checks if c.status in statuses)

    @property
    def code(self) -> Code:
        """1 where a check failed (whatever the others would say, this run does not pass), else 2 where one could not be
        judged, else 0."""
        if self.having(Status.FAILED):
            return Code.FAILED
        return Code.UNKNOWN if self.having(Status.UNKNOWN) else Code.PASSED


def overall(verdicts: Sequence[Verdict]) -> Code:
    """The code of all runs: 2 where any could not be judged (the answer is incomplete), else 1 where any failed, else 0.

    No run at all could not be judged.

    >>> overall([]).value
    2
    """
    return max((v.code for v in verdicts), default=Code.UNKNOWN)
