"""Which findings a run that is not over can have, and when each first appeared."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from runreport.analysis.engine import analyze_run
from runreport.findings import Finding, Severity
from runreport.run import Run
from runreport.settings import Settings

OF_THE_END = (
    "lr.warmup-never-ended", "lr.config-mismatch", "lr.too-low", "loss.still-falling", "loss.plateau", "log.truncated",
    "selection.", "fit.underfit", "signal.", "data.", "spread.", "range.", "segment.",
)  # fmt: skip
"""Beginnings of rule ids that judge a run as a whole: in its third epoch every warm-up "never ended". They are judged when
the run is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """A finding while the run is being written.

    first
        The last epoch that was there when it first appeared.
    cleared
        The last epoch that was there when it was gone again; None while it holds.
    """

    finding: Finding
    first: int | float | None
    cleared: int | float | None = None

    @property
    def matters(self) -> bool:
        """Whether it holds and is a warning at least."""
        return self.cleared is None and self.finding.severity is not Severity.INFO


@dataclass(slots=True)
class Alerts:
    """The alerts of one run, by rule, in the order in which they appeared."""

    settings: Settings
    by_rule: dict[str, Alert] = field(default_factory=dict)

    def update(self, run: Run, *, ended: bool) -> list[Alert]:
        """Judges the run as far as it is written; the alerts that are new, or are back after they were gone."""
        last = run.history.epochs[-1] if run.history is not None and len(run.history) else None
        now = {f.rule: f for f in reversed(findings_so_far(run, self.settings, ended=ended))}
        new = []
        for rule, finding in reversed(now.items()):
            known = self.by_rule.get(rule)
            if known is not None and known.cleared is None:
                self.by_rule[rule] = replace(known, finding=finding)
            else:
                self.by_rule[rule] = Alert(finding=finding, first=last)
                new.append(self.by_rule[rule])
        for rule, alert in self.by_rule.items():
            if rule not in now and alert.cleared is None:
                self.by_rule[rule] = replace(alert, cleared=last)
        return new

    def clear(self) -> None:
        """Forgets everything: another run began."""
        self.by_rule.clear()

    @property
    def shown(self) -> list[Alert]:
        """Warnings and worse, those that hold first."""
        found = [a for a in self.by_rule.values() if a.finding.severity is not Severity.INFO]
        return sorted(found, key=lambda a: (a.cleared is not None, -a.finding.severity.rank))


def findings_so_far(run: Run, settings: Settings, *, ended: bool) -> tuple[Finding, ...]:
    """The findings of a run's log alone while it grows; of everything it left once it is over."""
    if ended:
        return analyze_run(run, settings).findings
    if run.history is None or not len(run.history):
        return ()
    # What lies beside a growing log is of an earlier run under the same name, or not whole yet.
    growing = replace(run, predictions=None, epoch_predictions=None, summary={})
    found = analyze_run(growing, settings).findings
    return tuple(f for f in found if not f.rule.startswith(OF_THE_END))
