"""A claim of a page and what the logs say to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Verdict(StrEnum):
    """What the logs say to a claim. "Not checkable" is an answer, never a guess."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    NOT_CHECKABLE = "not checkable"


class Kind(StrEnum):
    """What sort of thing is claimed."""

    VALUE = "value"
    INTERVAL = "interval"
    TREND = "trend"
    SUPERLATIVE = "superlative"
    COMPARISON = "comparison"
    ARITHMETIC = "arithmetic"
    FORMULA = "formula"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One claim, judged.

    line
        Line of the page, from 1.
    text
        The claim as it is written, shortened.
    written
        The number that was judged, as it is written; empty where the claim is no number.
    reason
        What it was found to be, what is right instead, or why it could not be judged; a sentence without its full stop.
    right
        The value that the logs have in place of what was written; None unless contradicted by one.
    about
        What the claim was taken to be about, as far as it is known: ``run``, ``metric``, ``split``, ``epoch``.
    """

    line: int
    kind: Kind
    verdict: Verdict
    text: str
    reason: str
    written: str = ""
    right: float | None = None
    about: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """All claims of a page in the order of its lines, and what was passed over.

    subject
        The run that the page is about; None where it does not say, or several are.
    runs
        Names of the runs that it was checked against.
    code_lines
        Lines of code and configuration, whose numbers are no claims about a run.
    """

    claims: tuple[Claim, ...]
    subject: str | None
    runs: tuple[str, ...]
    code_lines: int = 0

    def count(self, verdict: Verdict) -> int:
        """Number of claims with this verdict."""
        return sum(claim.verdict is verdict for claim in self.claims)
