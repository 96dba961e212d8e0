"""What the readers of other people's tables share: rows of the test split apart, the index column, run and settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.cells import MOST_TEXT, number
from runreport.ingest.columns import ALIASES, MEASURED, OVER_FOLDS, plain, several_loaders
from runreport.ingest.documents import final_figures, measures
from runreport.ingest.epochs import STEPS
from runreport.ingest.history import INDEXES, histories_of_table
from runreport.ingest.long_tables import untangled
from runreport.ingest.preamble import cells_of, header_line, without_preamble
from runreport.ingest.reader import Head, ReadOptions, Source
from runreport.ingest.results_tables import figures_of_one_row, refuse_results
from runreport.ingest.runs import runs_of_parts
from runreport.ingest.series import runs_of_series
from runreport.ingest.table import MISSING, Table, read_table
from runreport.marks import clean
from runreport.run import Note, Run
from runreport.wording import plural

ENDINGS = (".csv", ".tsv")
LONGEST_HEADER = 60_000
"""Characters of a header line that is looked at; the beginning of a file that is read holds little more."""
COUNTED = re.compile(
    r"(?:epoch|ep|step|iter(?:ation)?|round)?[ _:#-]{0,3}(\d{1,9})(?: ?(?:/|of) ?\d{1,9})?", re.IGNORECASE
)
"""``Epoch 3``, ``3/50``: an epoch in the dress of a progress line."""
WHOLE = re.compile(r"\d{1,9}")
EPOCHS = ("epoch", *ALIASES["epoch"])


def header_of(head: Head) -> tuple[str, ...]:
    """The names in the first line of a table, plain; empty where it has none."""
    line = header_line(head.text)
    if len(line) > LONGEST_HEADER:
        return ()
    return tuple(plain(cell) for cell in cells_of(line.lstrip("\ufeff")))


def is_measured(name: str) -> bool:
    """Whether a plain name is of a figure that reports know, whatever split or ending it bears."""
    short = name.removesuffix("_epoch").removesuffix("_step").removesuffix(OVER_FOLDS)
    head, _, rest = short.partition("_")
    front, _, tail = short.rpartition("_")
    if measures(short) or (head in ("test", "train") and rest in MEASURED):
        return True
    return tail in ("train", "val", "valid", "test") and f"val_{front}" in MEASURED


def read_others_table(
    source: Source,
    options: ReadOptions,
    *,
    prepare: Callable[[Table], Table] = lambda table: table,
    config: Mapping[str, object] | None = None,
    notes: Iterable[Note] = (),
) -> list[Run]:
    """The runs of ``source.files["history"]``: what is numbers, with final figures of the test split apart.

    ``prepare`` may change the table before anything is made of it.

    Raises
    ------
    InputError
        Nothing that is known, no rows, or a table that cannot be taken apart.
    """
    path = source.files["history"]
    table = prepare(_with_epoch_numbers(_with_index_as_epoch(read_table(path, lenient=True, begin=without_preamble))))
    if "epoch" not in options.columns:
        refuse_results(table)
        figures = figures_of_one_row(table)
        if figures is not None:
            return runs_of_series(
                source, path, {}, options.columns, final=figures, config=config, notes=[*table.notes, *notes]
            )
    runs: list[Run] = []
    for label, one in untangled(table):
        named = replace(source, name=f"{source.name}[{label}]") if label else source
        runs += _runs_of_one(named, path, one, options, config or {}, tuple(notes))
    return runs


def _runs_of_one(
    source: Source,
    path: Path,
    table: Table,
    options: ReadOptions,
    config: Mapping[str, object],
    notes: tuple[Note, ...],
) -> list[Run]:
    """The runs of a table with a column a figure."""
    table, tested = without_test_rows(table)
    summary = final_figures(path, tested)
    split = "test" if summary else None
    if several := several_loaders(tested):
        shown = ", ".join(map(clean, several[:5]))
        message = f"figures of several test loaders left out, as one test result is reported: {shown}"
        notes = (*notes, Note(code="unused", message=message))
    if not table.rows:
        if not summary:
            raise InputError(path, found="only figures of the test split that are not known", expected="a row an epoch")
        return [
            Run(
                name=source.name, format=source.reader, files=source.files, split=split,
                summary={**summary, "split": "test"}, config=config, notes=(*table.notes, *notes),
            )
        ]  # fmt: skip
    parts = histories_of_table(table, options.columns, lenient=True)
    figures = {**summary, "split": "test"} if summary else {}
    return runs_of_parts(source, parts, config=config, summary=figures, split=split, notes=notes)


def _with_index_as_epoch(table: Table) -> Table:
    """Without the numbers that pandas gives rows; where there is no epoch they are it, as they count from 0 as Keras does."""
    index = next((n for n in table.header if plain(n) in INDEXES), None)
    if index is None or table.header.count(index) > 1:
        return table
    cells = table.column(index)
    if not all(WHOLE.fullmatch(cell) for cell in cells):
        return table
    if any(plain(name) in EPOCHS for name in table.header):
        return without_columns(table, [index])
    renamed = tuple("epoch" if name == index else name for name in table.header)
    note = Note(code="derived", message="there is no epoch column: the numbers of the rows were taken")
    return replace(table, header=renamed, notes=(*table.notes, note))


def _with_epoch_numbers(table: Table) -> Table:
    """The table with ``Epoch 3`` and ``3/50`` as 3; rows of another word (``mean``, ``best``) are of no epoch and left out."""
    name = next((n for axis in EPOCHS for n in table.header if plain(n) == axis), None)
    if name is None:
        return table
    cells = table.column(name)
    words = {i: cell for i, cell in enumerate(cells) if cell.lower() not in MISSING and not _is_number(cell)}
    if not words or (len(words) == len(cells) and not any(map(COUNTED.fullmatch, cells))):
        return table
    found = {i: match[1] for i, cell in words.items() if (match := COUNTED.fullmatch(cell))}
    left = [i for i in words if i not in found]
    if len(left) > max(1, MOST_TEXT * len(cells)):
        return table
    at = table.header.index(name)
    kept = [i for i in range(len(cells)) if i not in left]
    notes = list(table.notes)
    if left:
        shown = ", ".join(repr(clean(cells[i])[:30]) for i in left[:5])
        message = f"{plural(len(left), 'row')} with {shown} in place of an epoch left out: of the whole run"
        notes.append(Note(code="unused", message=message))
    rows = (
        table.rows[i] if i not in found else (*table.rows[i][:at], found[i], *table.rows[i][at + 1 :]) for i in kept
    )
    return replace(table, rows=tuple(rows), lines=tuple(table.lines[i] for i in kept), notes=tuple(notes))


def _is_number(cell: str) -> bool:
    try:
        number(cell)
    except ValueError:
        return False
    return True


def without_columns(table: Table, names: Sequence[str]) -> Table:
    """The table without these columns."""
    keep = [i for i, name in enumerate(table.header) if name not in names]
    return replace(
        table,
        header=tuple(table.header[i] for i in keep),
        rows=tuple(tuple(row[i] for i in keep) for row in table.rows),
    )


def without_test_rows(table: Table) -> tuple[Table, dict[str, float]]:
    """The table without rows that measure the test split alone, and the last of their figures.

    Lightning's ``trainer.test`` writes one behind the rows of the training. Where several epochs have such rows, and no
    column is of validation, they watched the training and stay.
    """
    tested = [i for i, name in enumerate(table.header) if plain(name).split("_")[0] == "test"]
    if not tested:
        return table, {}
    axes = {i for i, name in enumerate(table.header) if plain(name) in (*EPOCHS, *STEPS, *INDEXES)}
    kept: list[int] = []
    rows: list[int] = []
    for at, row in enumerate(table.rows):
        filled = {i for i, cell in enumerate(row) if cell.lower() not in MISSING} - axes
        (rows if filled and filled <= set(tested) else kept).append(at)
    validated = any(plain(n).split("_")[0] in ("val", "valid", "validation", "eval", "dev") for n in table.header)
    if len(rows) > 1 and kept and not validated:
        return table, {}
    figures: dict[str, float] = {}
    for at in rows:
        for i in tested:
            try:
                figures[table.header[i]] = number(table.rows[at][i])
            except ValueError:  # not logged, or text
                continue
    if not rows:
        return table, {}
    left = replace(table, rows=tuple(table.rows[i] for i in kept), lines=tuple(table.lines[i] for i in kept))
    return without_columns(left, [table.header[i] for i in tested if not any(row[i] for row in left.rows)]), figures


def folder_name(folder: Path) -> str:
    """A folder's own name, also where it is the one worked in."""
    return folder.resolve().name or "run"
