"""What a person sees of a run that is being written: a live table, or a line an epoch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from runreport.history import History
from runreport.marks import clean
from runreport.report.drawing import sparkline
from runreport.report.terminal import STYLES, first_sentence
from runreport.run import Run
from runreport.watch.alerts import Alert
from runreport.wording import epoch as epoch_words
from runreport.wording import fixed, number, percent, plural

if TYPE_CHECKING:
    from rich.console import Group

COLUMNS = (
    ("train_loss", "train loss"),
    ("val_loss", "val loss"),
    ("r2", "R²"),
    ("variance_ratio", "std ratio"),
    ("pearson_r", "r"),
    ("mae", "MAE"),
    ("learning_rate", "rate"),
)
ROWS = 10
"""Epochs shown: with alerts below them they fit a terminal of 24 lines."""
MOST_ALERTS = 5


def cell(column: str, value: float | None) -> str:
    """A logged value in the table's words; empty where it is not logged."""
    if value is None:
        return ""
    if column == "variance_ratio":
        return percent(value)
    if column in ("r2", "pearson_r"):
        return fixed(value, 3)
    return f"{value:.1e}" if column == "learning_rate" else number(value, 4)


def shown_columns(history: History) -> list[tuple[str, str]]:
    """The columns that this log has."""
    return [(name, title) for name, title in COLUMNS if history.has(name)]


def best_epoch(history: History) -> int | float | None:
    """The epoch with the highest R², else the lowest validation loss."""
    for name, pick in (("r2", max), ("val_loss", min)):
        finite = history.finite(name)
        if finite:
            best = pick(value for _, value in finite)
            return next(e for e, value in finite if value == best)
    return None


def epoch_line(history: History, index: int) -> str:
    """One epoch as a line."""
    epoch = history.epochs[index]
    parts = [f"{title} {cell(name, history.at(epoch, name))}" for name, title in shown_columns(history)]
    return f"epoch {epoch_words(epoch)}: " + ", ".join(p for p in parts if not p.endswith(" "))


def alert_line(alert: Alert) -> str:
    """One alert as a line."""
    f = alert.finding
    return f"epoch {epoch_words(alert.first)}: {f.severity.value}: {first_sentence(f.message)} ({f.rule})"


def status(run: Run | None, written_ago: float | None, state: str) -> str:
    """What is followed, and since when nothing was written."""
    if run is None:
        return state
    count = len(run.history) if run.history is not None else 0
    ago = "" if written_ago is None else f", last written {plural(max(0, round(written_ago)), 'second')} ago"
    return f"{clean(run.name)} ({run.format}): {plural(count, 'epoch')}{ago}. {state}"


def screen(run: Run | None, alerts: list[Alert], written_ago: float | None, state: str) -> Group:
    """The live display."""
    from rich.console import Group
    from rich.text import Text

    parts: list[object] = [Text(status(run, written_ago, state), style="bold")]
    history = run.history if run is not None else None
    if history is not None and len(history):
        parts += list(_table(history))
    for alert in alerts[:MOST_ALERTS]:
        parts.append(_alert(alert))
    if len(alerts) > MOST_ALERTS:
        parts.append(Text(f"  {len(alerts) - MOST_ALERTS} more", style="dim"))
    if run is not None and not alerts:
        parts.append(Text("  no rule that can be judged so far has fired", style="green"))
    return Group(*parts)  # type: ignore[arg-type]


def _table(history: History) -> Iterator[object]:
    from rich.table import Table
    from rich.text import Text

    columns = shown_columns(history)
    grid = Table(box=None, pad_edge=False, header_style="bold", padding=(0, 2, 0, 0))
    grid.add_column("epoch", justify="right", no_wrap=True)
    for _, title in columns:
        grid.add_column(title, justify="right", no_wrap=True)
    grid.add_column("")
    best = best_epoch(history)
    for epoch in history.epochs[-ROWS:]:
        mark = "best so far" if epoch == best else ""
        cells = [cell(name, history.at(epoch, name)) for name, _ in columns]
        grid.add_row(epoch_words(epoch), *cells, mark, style="bold" if mark else "")
    yield grid
    if len(history) > 2:
        for name, title in (("r2", "R²"), ("variance_ratio", "std ratio"), ("val_loss", "val loss")):
            if history.has(name):
                finite = dict(history.finite(name))
                marks = sparkline([finite.get(e) for e in history.epochs])
                yield Text(f"{title:>9} {marks}", no_wrap=True, overflow="crop")


def _alert(alert: Alert) -> object:
    from rich.text import Text

    f = alert.finding
    since = f"  epoch {epoch_words(alert.first)}" if alert.first is not None else ""
    if alert.cleared is not None:
        gone = f"gone since epoch {epoch_words(alert.cleared)}"
        return Text(f"  {gone}: {first_sentence(f.message)}  {f.rule}{since}", style="dim")
    return Text.assemble(
        (f"  {f.severity.value} ", STYLES[f.severity]), first_sentence(f.message), (f"  {f.rule}{since}", "dim")
    )
