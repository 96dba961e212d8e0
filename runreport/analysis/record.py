"""Everything that was found out about a run: what every output is a rendering of."""

from __future__ import annotations

from dataclasses import dataclass

from runreport.advice.record import Advice
from runreport.analysis.epochs import EpochRow, epoch_rows
from runreport.context import Context, Final, History
from runreport.criteria.judge import Judgement
from runreport.findings import Finding, NotChecked, Severity
from runreport.metrics.budget import ErrorBudget
from runreport.run import Run
from runreport.selection.audit import SelectionAudit


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """One run, analysed.

    findings
        Most important first: by severity, then by what mending them would recover.
    not_checked
        Rules that could not be judged, with the reason; rules the user disabled are in ``disabled``.
    clear
        Ids of rules that were judged and found nothing.
    """

    context: Context
    findings: tuple[Finding, ...]
    not_checked: tuple[NotChecked, ...]
    clear: tuple[str, ...]
    disabled: tuple[str, ...]
    criteria: tuple[Judgement, ...]
    advice: tuple[Advice, ...]
    tests_made: int
    thresholds_changed: tuple[str, ...] = ()

    @property
    def run(self) -> Run:
        """The run itself."""
        return self.context.run

    @property
    def rows(self) -> tuple[EpochRow, ...]:
        """Every epoch of the log; made when asked for, because a report shows a few of them."""
        return epoch_rows(self.history) if self.history is not None else ()

    @property
    def final(self) -> Final | None:
        """The figures that the report is about."""
        return self.context.final

    @property
    def history(self) -> History | None:
        """The log."""
        return self.context.history

    @property
    def budget(self) -> ErrorBudget | None:
        """The error budget of the final figures."""
        return self.context.budget

    @property
    def selection(self) -> SelectionAudit | None:
        """The early-stopping audit."""
        return self.context.selection

    @property
    def worst(self) -> Severity | None:
        """The severest finding's severity; None where there is no finding."""
        return max((f.severity for f in self.findings), key=lambda s: s.rank, default=None)

    def finding(self, *rules: str) -> Finding | None:
        """The first finding of any of these rules, in the order of the findings."""
        return next((f for f in self.findings if f.rule in rules), None)
