"""The summary on a terminal. Text from logs is put on the screen as text, never as markup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runreport.analysis.record import Analysis
from runreport.compare.record import Comparison
from runreport.findings import Severity
from runreport.marks import clean, plain
from runreport.report.headline import headline
from runreport.report.sections.comparison import best_sentence, runs_table, standing
from runreport.report.sections.root_cause import bar
from runreport.wording import epoch, plural

if TYPE_CHECKING:
    from rich.console import Console

TICKS = "▁▂▃▄▅▆▇█"
MOST_FINDINGS = 5
"""Findings shown for a run: what fits a screen; the report holds all."""
STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}


def sparkline(values: Sequence[float | None], width: int = 40) -> str:
    """A row of bars, lowest to highest; a space where there is no value. Longer series are cut into ``width`` means.

    >>> sparkline([0.0, 0.5, 1.0]), sparkline([1.0, None, 1.0]), sparkline([])
    ('▁▅█', '█ █', '')
    """
    series = list(values)
    if len(series) > width:
        chunks = [series[i * len(series) // width : (i + 1) * len(series) // width] for i in range(width)]
        series = [sum(k) / len(k) if (k := [v for v in chunk if v is not None]) else None for chunk in chunks]
    known = [v for v in series if v is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    top = len(TICKS) - 1
    return "".join(" " if v is None else TICKS[top if span == 0 else round(top * (v - low) / span)] for v in series)


def first_sentence(message: str) -> str:
    """A message up to its first full stop that ends a sentence.

    >>> first_sentence("R² is 0.1 lower. That is noise.")
    'R² is 0.1 lower.'
    """
    return clean(message).split(". ")[0].rstrip(".") + "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the summary: (text, style) parts; ``drawn`` lines are cut at the edge and not wrapped."""

    parts: tuple[tuple[str, str], ...]
    drawn: bool = False

    @property
    def text(self) -> str:
        """The line without its styles."""
        return "".join(text for text, _ in self.parts)


def run_lines(analysis: Analysis, written: str | None) -> Iterator[Line]:
    """One run: title, budget, courses of R² and ratio, findings, first step, and where the report is."""
    title, _, rest = headline(analysis).partition(": ")
    yield Line(parts=((title, "bold cyan"), (": ", ""), (rest, "bold")))
    if analysis.budget is not None:
        for line in bar(analysis.budget).splitlines():
            yield Line(parts=(("  " + line, ""),), drawn=True)
    history = analysis.history
    if history is not None and len(history) > 2:
        for label, name in (("R²", "r2"), ("std ratio", "variance_ratio"), ("val loss", "val_loss")):
            if history.has(name):
                finite = dict(history.finite(name))
                marks = sparkline([finite.get(e) for e in history.epochs])
                first, last = epoch(history.epochs[0]), epoch(history.epochs[-1])
                yield Line(parts=((f"  {label:<9} {marks}  epochs {first}-{last}", ""),), drawn=True)
    shown = [f for f in analysis.findings if f.severity is not Severity.INFO or f.rule == "signal.limited"]
    for finding in shown[:MOST_FINDINGS]:
        mark = (f"  {finding.severity.value:>8} ", STYLES[finding.severity])
        yield Line(parts=(mark, (first_sentence(finding.message), ""), (f"  {finding.rule}", "dim")))
    if len(shown) > MOST_FINDINGS:
        more = plural(len(shown) - MOST_FINDINGS, "further finding")
        yield Line(parts=((f"           {more}: see the report", "dim"),))
    if not shown:
        yield Line(
            parts=((f"  no fault found by {plural(len(analysis.clear), 'rule')} that could be judged", "green"),)
        )
    if analysis.advice:
        yield Line(parts=(("      next ", "bold green"), (clean(analysis.advice[0].title), "")))
    if written is not None:
        yield Line(parts=(("    report ", "bold"), (written, "")))
    yield Line(parts=())


def print_run(console: Console, analysis: Analysis, written: str | None) -> None:
    """The lines on a terminal."""
    from rich.text import Text

    for line in run_lines(analysis, written):
        text = Text.assemble(*line.parts, no_wrap=line.drawn, overflow="crop" if line.drawn else "fold")
        console.print(text, soft_wrap=written is not None and line.text.endswith(written))


def print_comparison(console: Console, comparison: Comparison) -> None:
    """The runs' table and what it supports."""
    from rich.table import Table
    from rich.text import Text

    made = runs_table(comparison, None)
    grid = Table(box=None, pad_edge=False, header_style="bold")
    for title, align in zip(made.header, made.align, strict=True):
        grid.add_column(title, justify=align, no_wrap=align == "right")
    for row in made.rows:
        grid.add_row(*(Text(clean(c), style="bold green" if c != plain(c) else "") for c in row))
    console.print(grid)
    console.print(Text(clean(standing(comparison))))
    for best in comparison.best:
        console.print(Text("- " + clean(best_sentence(best, comparison))))
