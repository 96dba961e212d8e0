"""What the readers of other people's tables share: rows of the test split apart, the index column, run and settings."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.cells import number
from runreport.ingest.columns import ALIASES, plain
from runreport.ingest.documents import MEASURED, final_figures
from runreport.ingest.epochs import STEPS
from runreport.ingest.history import INDEXES, histories_of_table
from runreport.ingest.long_tables import untangled
from runreport.ingest.preamble import cells_of, header_line, without_preamble
from runreport.ingest.reader import Head, ReadOptions, Source
from runreport.ingest.results_tables import figures_of_one_row, refuse_results
from runreport.ingest.runs import runs_of_parts
from runreport.ingest.series import runs_of_series
from runreport.ingest.table import MISSING, Table, read_table
from runreport.run import Note, Run

ENDINGS = (".csv", ".tsv")
LONGEST_HEADER = 60_000
"""Characters of a header line that is looked at; the beginning of a file that is read holds little more."""
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
    short = name.removesuffix("_epoch").removesuffix("_step")
    head, _, rest = short.partition("_")
    front, _, tail = short.rpartition("_")
    if short in MEASURED or (head in ("test", "train") and rest in MEASURED):
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
    table = prepare(_with_index_as_epoch(read_table(path, lenient=True, begin=without_preamble)))
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
