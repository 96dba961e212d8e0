"""What advice is given on: the findings, the figures, and the config keys of this run."""

from __future__ import annotations

from dataclasses import dataclass

from runreport.context import Context, Final
from runreport.findings import Finding
from runreport.rules.penalty_facts import Penalty, penalty_of
from runreport.wording import epoch as epoch_text


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A run's context and what was found in it."""

    context: Context
    findings: tuple[Finding, ...]

    def found(self, *rules: str, at_least: str = "warning") -> Finding | None:
        """The most important finding of these rules that is at least a warning (or info, if asked)."""
        lowest = ("info", "warning", "critical").index(at_least)
        return next((f for f in self.findings if f.rule in rules and f.severity.rank >= lowest), None)

    @property
    def final(self) -> Final | None:
        """The final figures."""
        return self.context.final

    def value(self, name: str) -> float | None:
        """A final figure."""
        return self.final[name] if self.final is not None else None

    def interval(self, name: str) -> tuple[float, float] | None:
        """Its 95 % interval."""
        return self.final.interval(name) if self.final is not None else None

    @staticmethod
    def refer(finding: Finding) -> str:
        """How a step names the finding it rests on; what it says stands among the observations and is not said again."""
        return f"From {finding.rule}" + (f" at epoch {epoch_text(finding.epoch)}" if finding.epoch is not None else "")

    @property
    def ceiling(self) -> float | None:
        """r²: what the best shift and rescaling of these predictions reaches."""
        r = self.value("pearson_r")
        return None if r is None else r * r

    def key(self, *names: str) -> str | None:
        """The first of these keys that the run's config has."""
        return next((n for n in names if n in self.context.config), None)

    @property
    def penalty(self) -> Penalty | None:
        """The run's spread penalty, where one is on."""
        found = penalty_of(self.context)
        return found if found is not None and found.weight > 0 else None

    @property
    def penalty_key(self) -> str | None:
        """The config key of a spread penalty's weight, where one is on and one key sets it."""
        return self.penalty.key if self.penalty is not None else None
