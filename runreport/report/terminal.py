"""The summary on a terminal. Text from logs is put on the screen as text, never as markup."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runreport.analysis.record import Analysis
from runreport.findings import Severity
from runreport.history import History
from runreport.marks import clean, plain
from runreport.report.drawing import BLOCKS, Glyphs, budget_lines, glyphs_for, sparkline
from runreport.report.headline import headline
from runreport.report.model import Table
from runreport.report.sections.comparison import best_sentence, runs_table, standing
from runreport.wording import epoch, fixed, listing, number, plural

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from runreport.compare.record import Comparison
    from runreport.metrics.budget import ErrorBudget

MOST_FINDINGS = 5
"""Findings shown for a run, each on at most :data:`MOST_LINES` lines: what fits a screen of 80 × 24; the report holds all."""
MOST_LINES = 2
LABEL = 10
"""Characters before a finding or a curve: the longest severity and two spaces."""
LONGEST, SHORTEST = 40, 6
"""Characters of a sparkline."""
DOTS = " ..."
LOWEST_R2 = -1.0
"""R² below which a curve is cut (and says so) where most epochs lie above: one early epoch would flatten all others."""
CURVES = (("R²", "r2"), ("std ratio", "variance_ratio"), ("val loss", "val_loss"))
LEAST_TELLING = ("spread", "split", "n", "MAE", "β", "r")
"""Columns of a comparison that a narrow terminal does without, the first first."""
STYLES = {Severity.CRITICAL: "bold red", Severity.WARNING: "yellow", Severity.INFO: "dim"}


def first_sentence(message: str) -> str:
    """A message up to its first full stop that ends a sentence.

    >>> first_sentence("R² is 0.1 lower. That is noise.")
    'R² is 0.1 lower.'
    """
    return clean(message).split(". ")[0].rstrip(".") + "."


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A line of the summary: (text, style) parts.

    hang
        Characters that its further lines are set in where it is wrapped; None: it is never wrapped.
    most
        Lines that it may take where it is wrapped; None: as many as it needs.
    """

    parts: tuple[tuple[str, str], ...]
    hang: int | None = 0
    most: int | None = None

    @property
    def text(self) -> str:
        """The line without its styles."""
        return "".join(text for text, _ in self.parts)


def run_lines(
    analysis: Analysis,
    written: str | None,
    *,
    width: int | None = None,
    glyphs: Glyphs = BLOCKS,
    drawn: bool = True,
) -> Iterator[Line]:
    """One run: title, budget, courses of R² and ratio, findings, first step, and where the report is.

    width
        Characters that bars and curves must fit; None: their full length.
    drawn
        Whether there are bars and curves; without them their figures are said.
    """
    title, _, rest = headline(analysis).partition(": ")
    yield Line(parts=((title, "bold cyan"), (": ", ""), (rest, "bold")), hang=2)
    if analysis.budget is not None:
        yield from _budget(analysis.budget, width, glyphs, drawn=drawn)
    if analysis.history is not None and len(analysis.history) > 2:
        yield from _curves(analysis, analysis.history, width, glyphs, drawn=drawn)
    shown = [f for f in analysis.findings if f.severity is not Severity.INFO or f.rule == "signal.limited"]
    for finding in shown[:MOST_FINDINGS]:
        mark = (f"{finding.severity.value:>{LABEL}} ", STYLES[finding.severity])
        parts = (mark, (f"{finding.rule}: ", "bold"), (first_sentence(finding.message), ""))
        yield Line(parts=parts, hang=LABEL + 1, most=MOST_LINES)
    if len(shown) > MOST_FINDINGS:
        more = plural(len(shown) - MOST_FINDINGS, "further finding")
        yield Line(parts=((f"{'':{LABEL}} {more}: see the report", "dim"),), hang=LABEL + 1)
    if not shown:
        said = f"no fault found by {plural(len(analysis.clear), 'rule')} that could be judged"
        yield Line(parts=((f"{'':{LABEL}} {said}", "green"),), hang=LABEL + 1)
    if analysis.advice:
        step = ((f"{'next':>{LABEL}} ", "bold green"), (clean(analysis.advice[0].title), ""))
        yield Line(parts=step, hang=LABEL + 1)
    if written is not None:
        yield Line(parts=((f"{'report':>{LABEL}} ", "bold"), (written, "")), hang=None)
    yield Line(parts=())


def _budget(budget: ErrorBudget, width: int | None, glyphs: Glyphs, *, drawn: bool) -> Iterator[Line]:
    if drawn:
        for line in budget_lines(budget, None if width is None else width - 2, glyphs):
            yield Line(parts=(("  " + line, ""),), hang=None)
        return
    parts = (
        (budget.missing_information, "missing information"),
        (budget.wrong_mean, "wrong mean"),
        (budget.wrong_spread, "wrong spread"),
    )
    said = ", ".join(f"{fixed(value)} {name}" for value, name in parts)
    yield Line(parts=((f"  1 - R² = {fixed(budget.total)}: {said}", ""),), hang=4)


def _curves(analysis: Analysis, history: History, width: int | None, glyphs: Glyphs, *, drawn: bool) -> Iterator[Line]:
    """A line a metric: its course as a sparkline, its smallest and largest value, and the saved epoch's; then the epochs."""
    saved = analysis.context.saved_epoch
    for label, name in CURVES:
        finite = dict(history.finite(name))
        if not finite:
            continue
        low, high = min(finite.values()), max(finite.values())
        said = f"{number(low)} to {number(high)}"
        if saved in finite:
            said += f", saved {number(finite[saved])}"
        head = f"{label:>{LABEL}} "
        if not drawn:
            yield Line(parts=((f"{head}{said}", ""),), hang=LABEL + 1)
            continue
        values = [finite.get(e) for e in history.epochs]
        if name == "r2" and low < LOWEST_R2 < sorted(finite.values())[len(finite) // 4]:
            values = [None if v is None else max(v, LOWEST_R2) for v in values]
            said += f"; cut at {fixed(LOWEST_R2, 0)}"
        room = LONGEST if width is None else width - len(head) - len(said) - 2
        marks = sparkline(values, max(SHORTEST, min(LONGEST, room)), glyphs.ticks)
        yield Line(parts=((f"{head}{marks}  {said}", ""),), hang=LABEL + 1)
    told = f"{epoch(history.epochs[0])} to {epoch(history.epochs[-1])}"
    told += f", saved {epoch(saved)}" if saved is not None else ", saved epoch unknown"
    yield Line(parts=((f"{'epochs':>{LABEL}} {told}", ""),), hang=LABEL + 1)


def print_run(console: Console, analysis: Analysis, written: str | None) -> None:
    """The lines on a terminal, in its width and in the characters that it has."""
    for line in run_lines(analysis, written, width=console.width, glyphs=glyphs_for(console.encoding)):
        for text in _laid_out(console, line):
            console.print(text, soft_wrap=True)


def _laid_out(console: Console, line: Line) -> Iterator[Text]:
    """The line in as many lines as the terminal's width asks for; one that is cut ends in three dots, after a whole word:
    half a number would be another number."""
    from rich.text import Text

    whole = Text.assemble(*line.parts)
    if line.hang is None or whole.cell_len <= console.width:
        yield whole
        return
    head, body = whole[: line.hang], whole[line.hang :]
    room = max(console.width - line.hang, 20)
    wrapped = list(body.wrap(console, room))
    for place, text in enumerate(wrapped[: line.most]):
        text.rstrip()
        if line.most is not None and place == line.most - 1 < len(wrapped) - 1:
            if text.cell_len > room - len(DOTS):
                text = text[: text.plain.rfind(" ", 0, room - len(DOTS) + 1)]
            text = Text.assemble(text, DOTS)
        yield Text.assemble(head if place == 0 else " " * line.hang, text)


def print_comparison(console: Console, comparison: Comparison) -> None:
    """The runs' table and what it supports."""
    from rich.table import Table as Grid
    from rich.text import Text

    made = runs_table(comparison, None)
    kept, left_out = _fitting(made, console.width)
    grid = Grid(box=None, pad_edge=False, header_style="bold")
    for column in kept:
        align = made.align[column]
        grid.add_column(made.header[column], justify=align, no_wrap=align == "right", overflow="fold")
    for row in made.rows:
        cells = [row[column] for column in kept]
        grid.add_row(*(Text(clean(c), style="bold green" if c != plain(c) else "") for c in cells))
    console.print(grid)
    if left_out:
        console.print(Text(f"Not shown in this width: {listing(left_out)}.", style="dim"))
    console.print(Text(clean(standing(comparison))))
    for best in comparison.best:
        line = Line(parts=(("- " + clean(best_sentence(best, comparison)), ""),), hang=2)
        for text in _laid_out(console, line):
            console.print(text, soft_wrap=True)


def _fitting(made: Table, width: int) -> tuple[list[int], list[str]]:
    """(columns that fit the width side by side, titles of those that are left out): the run, R² and the std ratio stay."""
    needs = [max(len(clean(row[i])) for row in (made.header, *made.rows)) + 2 for i in range(len(made.header))]
    kept, left_out = list(range(len(needs))), []
    for title in LEAST_TELLING:
        if sum(needs[i] for i in kept) - 2 <= width:
            break
        place = next((i for i in kept if made.header[i] == title), None)
        if place is not None:
            kept.remove(place)
            left_out.append(title)
    return kept, left_out
