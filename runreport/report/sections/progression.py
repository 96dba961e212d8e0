"""What happened over the epochs: the ones that tell it, not all."""

from __future__ import annotations

from collections.abc import Callable

from runreport.analysis.epochs import EpochRow, each_row, epoch_rows, telling_epochs
from runreport.marks import strong
from runreport.report.model import Align, Block, Omitted, Paragraph, Section, Table
from runreport.report.sections.page import Page
from runreport.wording import epoch, fixed, number, percent, plural

TITLE = "Training progression"


def _logged(name: str, show: Callable[[float], str]) -> Callable[[EpochRow], str]:
    """A cell of a logged column; empty where it was not logged."""

    def cell(row: EpochRow) -> str:
        value = row.values.get(name)
        return "" if value is None else show(value)

    return cell


def _mean_off(row: EpochRow) -> str:
    if row.bias is not None:
        return fixed(row.bias, 2)
    if row.bias_bounds is None:
        return ""
    low, high = row.bias_bounds
    return f"{fixed(low, 1)} to {fixed(high, 1)}"


COLUMNS: tuple[tuple[str, Callable[[EpochRow], str]], ...] = (
    ("std ratio", _logged("variance_ratio", percent)),
    ("R²", _logged("r2", fixed)),
    ("r", _logged("pearson_r", lambda v: fixed(v, 2))),
    ("mean off by (σ)", _mean_off),
    ("val loss", _logged("val_loss", number)),
    ("train loss", _logged("train_loss", number)),
    ("learning rate", _logged("learning_rate", lambda v: number(v, 2))),
)
"""Columns of the table, in order; one that no shown epoch has is left out."""


def build(page: Page) -> Section | Omitted:
    """A table of telling epochs and a chart of all."""
    analysis = page.analysis
    history = analysis.history
    if history is None or not len(history):
        return Omitted(title=TITLE, reason="no history file")
    saved = analysis.context.saved_epoch
    shown = telling_epochs(history, saved)
    rows = epoch_rows(history, shown)
    filled = [(name, [show(row) for row in rows]) for name, show in COLUMNS]
    used = [(name, column) for name, column in filled if any(column)]
    notes = _notes(page)
    body = []
    for i, row in enumerate(rows):
        cells = [epoch(row.epoch), *(column[i] for _, column in used), ", ".join(notes.get(row.epoch, ()))]
        body.append([strong(c) if c else c for c in cells] if row.epoch == saved else cells)
    header = ["epoch", *(name for name, _ in used), ""]
    align: tuple[Align, ...] = tuple("left" if i == len(header) - 1 else "right" for i in range(len(header)))
    made = Table(header=tuple(header), rows=tuple(tuple(row) for row in body), align=align)
    blocks: list[Block] = [Paragraph(text=_scope(page, len(rows))), made]
    blocks += page.drawn("history", "R², std ratio and losses over the epochs, with the saved epoch marked")
    blocks += page.drawn("by_epoch", "")
    return Section(id="progression", title=TITLE, blocks=tuple(blocks))


def _scope(page: Page, shown: int) -> str:
    analysis = page.analysis
    history = analysis.history
    if history is None:
        return ""
    run = analysis.run.summary.get("epochs_run")
    logged = len(history)
    text = f"{plural(shown, 'epoch')} of {logged}." if shown < logged else f"All {plural(logged, 'logged epoch')}."
    if isinstance(run, int | float) and run > logged:
        text += f" The run had {run:g}; nothing is said here of the {run - logged:g} that were not published."
    text += " Metrics are those of the validation set."
    if any(row.bias is None and row.bias_bounds is not None for row in each_row(history)):
        text += " The log has no means, so the mean's error is bounded, not known: β² = 2rα - α² - R² with |r| ≤ 1."
    return text


def _notes(page: Page) -> dict[int | float, list[str]]:
    """What is said of an epoch in the last column: saved, an extreme, the last."""
    history, saved = page.analysis.history, page.analysis.context.saved_epoch
    notes: dict[int | float, list[str]] = {}
    if history is None:
        return notes
    if saved is not None:
        notes[saved] = ["saved"]
    for name, pick, words in (
        ("r2", max, "best R²"), ("r2", min, "worst R²"), ("variance_ratio", min, "lowest ratio"),
        ("variance_ratio", max, "highest ratio"), ("val_loss", min, "lowest val loss"),
    ):  # fmt: skip
        values = history.finite(name)
        if len(values) > 2:
            extreme = pick(v for _, v in values)
            notes.setdefault(next(e for e, v in values if v == extreme), []).append(words)
    if len(history) > 1:
        notes.setdefault(history.epochs[-1], []).append("last")
    return notes
