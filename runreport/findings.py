"""What a rule can say: a finding, "checked and clear", or "not checked, because"."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

Value = float | int | str | bool | None | list["Value"] | dict[str, "Value"]
Part = Literal["r", "alpha", "beta"]
"""The parts of the error budget that a finding or a piece of advice acts on."""


class Severity(StrEnum):
    """How much a finding matters: by what could be recovered, not by how alarming it looks."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for critical.

        >>> Severity.CRITICAL.rank > Severity.WARNING.rank > Severity.INFO.rank
        True
        """
        return ("info", "warning", "critical").index(self.value)


NOTICEABLE_R2 = 0.02
"""Recoverable R² below which a finding stays information: the ΔR² that a better checkpoint must also prove."""
SERIOUS_R2 = 0.25
"""Recoverable R² from which a finding is critical: a quarter of the target's whole variance is lost for nothing."""


def severity_by_recoverable(recoverable_r2: float) -> Severity:
    """Severity of a fault that costs ``recoverable_r2`` of R².

    >>> severity_by_recoverable(0.009).value, severity_by_recoverable(0.07).value, severity_by_recoverable(0.3).value
    ('info', 'warning', 'critical')
    """
    if recoverable_r2 >= SERIOUS_R2:
        return Severity.CRITICAL
    return Severity.WARNING if recoverable_r2 >= NOTICEABLE_R2 else Severity.INFO


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One statement about a run, with the numbers it rests on.

    message
        A complete sentence: what, where, observed, threshold. Plain text.
    evidence
        The numbers behind it, unrounded, by name.
    recoverable
        R² that mending this alone would give back, where that is known: (α - r)² for spread, β² for the mean.
    p_value
        Of the test behind the finding, where there is one; the engine turns it into a false discovery rate.
    """

    rule: str
    severity: Severity
    message: str
    evidence: Mapping[str, Value] = field(default_factory=dict)
    epoch: int | float | None = None
    split: str | None = None
    acts_on: Part | None = None
    recoverable: float | None = None
    p_value: float | None = None
    q_value: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotChecked:
    """A rule that could not be judged, and what it would have needed."""

    rule: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A rule that was judged. No findings means that it is clear.

    ``p_values`` holds the p-value of every test that was made, whether it fired or not, so that the false discovery
    rate is taken over all that was tested.
    """

    findings: tuple[Finding, ...] = ()
    p_values: tuple[float, ...] = ()


Outcome = Checked | NotChecked
CLEAR = Checked()
