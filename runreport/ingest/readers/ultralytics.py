"""Ultralytics' ``results.csv``: several losses that the model is trained on the sum of, and no total."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

from runreport.ingest.cells import number
from runreport.ingest.columns import plain
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.scalars import read_yaml
from runreport.ingest.table import MISSING, Table
from runreport.ingest.tables import ENDINGS, folder_name, header_of, read_others_table, without_columns
from runreport.marks import clean
from runreport.run import Note, Run

METRICS = "metrics_"
RATES = "lr_pg"
PARTS = (("train/", "train_loss"), ("val/", "val_loss"))
USUAL, SETTINGS = "results", "args.yaml"
ELAPSED = "time"
"""Seconds since the training began, not of the epoch."""


def claim(path: Path, head: Head) -> Claim | None:
    """A table with losses under ``train/`` and ``val/`` and rates of parameter groups; its settings beside it."""
    folder = path.parent
    if path.name == SETTINGS and (folder / f"{USUAL}.csv").is_file():
        return Claim(root=folder, run=folder_name(folder), kind="config")
    if path.suffix.lower() not in ENDINGS or "train/" not in head.line:
        return None
    names = header_of(head)
    rated = any(name.startswith(RATES) for name in names)
    if "epoch" not in names or not (rated or any(n.startswith(METRICS) for n in names)):
        return None
    return Claim(root=folder, run=folder_name(folder) if path.stem == USUAL else path.stem, kind="history")


def complete(source: Source) -> Source:
    """The table and its settings."""
    beside = {
        k: source.root / n
        for k, n in (("history", f"{USUAL}.csv"), ("config", SETTINGS))
        if (source.root / n).is_file()
    }
    named = source.files.get("history")
    if named is not None and named.stem != USUAL:
        return source
    return replace(source, files={**beside, **source.files})


def read(source: Source, options: ReadOptions) -> list[Run]:
    """The runs of the table.

    Raises
    ------
    InputError
        As :func:`~runreport.ingest.tables.read_others_table`.
    """
    notes: list[Note] = []
    config: dict[str, object] = {}
    if "config" in source.files:
        from runreport.errors import InputError

        try:
            config = read_yaml(source.files["config"])
        except InputError as error:
            notes.append(Note(code="derived", message=f"{SETTINGS} was not used: {clean(error.found)}"))
    return read_others_table(
        source, options, prepare=lambda table: _with_totals(table, notes), config=config, notes=notes
    )


def _with_totals(table: Table, notes: list[Note]) -> Table:
    """The table with the sum of its losses as the loss, and the rate where all groups have the same."""
    columns: dict[str, list[str]] = {}
    for prefix, total in PARTS:
        parts = [n for n in table.header if n.startswith(prefix) and "loss" in n]
        if len(parts) < 2 or total in table.header:
            continue
        columns[total] = [_sum([row[table.header.index(n)] for n in parts]) for row in table.rows]
        notes.append(Note(code="derived", message=f"{total} is the sum of {', '.join(map(clean, parts))}"))
    rates = [n for n in table.header if plain(n).startswith(RATES)]
    if rates and all(table.column(n) == table.column(rates[0]) for n in rates[1:]):
        columns["learning_rate"] = table.column(rates[0])
        table = without_columns(table, rates)
    table = without_columns(table, [n for n in table.header if plain(n) == ELAPSED])
    added = zip(*columns.values(), strict=True) if columns else [()] * len(table.rows)
    rows = tuple((*row, *more) for row, more in zip(table.rows, added, strict=True))
    return replace(table, header=(*table.header, *columns), rows=rows)


def _sum(cells: list[str]) -> str:
    """The sum of a row's losses; not logged where one of them is not."""
    if any(cell.lower() in MISSING for cell in cells):
        return ""
    try:
        values = [number(cell) for cell in cells]
    except ValueError:
        return ""
    return repr(math.fsum(values)) if all(map(math.isfinite, values)) else "nan"


READER = Reader(
    name="ultralytics", reads="Ultralytics' results.csv, args.yaml", claim=claim, read=read, complete=complete
)
