"""A file of predictions as a frame of text cells: CSV and TSV with or without a header, Parquet."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from runreport.errors import InputError
from runreport.ingest.parquet_probe import check_parquet
from runreport.ingest.table import Table, is_number, numbers, read_table, read_text
from runreport.run import Note

if TYPE_CHECKING:
    import polars as pl

PARQUET = b"PAR1"
MAX_ROWS = 50_000_000
"""Rows of Parquet read into memory: two float columns of this many take 0.8 GiB."""
TRIPLE = ("id", "target", "prediction")
"""What the columns of a table without a header are, in CGCNN's order."""
NUMERIC = "a number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cells:
    """A table whose columns are text until they are needed as numbers.

    table
        The text it came from, which knows the lines; None for Parquet, which has types of its own.
    """

    path: Path
    frame: pl.DataFrame
    table: Table | None = None
    notes: tuple[Note, ...] = ()

    def with_numbers(self, names: Sequence[str]) -> Cells:
        """The same with these columns as Float64.

        Raises
        ------
        InputError
            Text where a number belongs, with the line it stands on where that is known.
        """
        import polars as pl

        columns = []
        for name in names:
            series = self.frame[name]
            if series.dtype.is_numeric():
                columns.append(series.cast(pl.Float64))
            elif self.table is not None and name in self.table.header and self.frame.height == len(self.table.rows):
                columns.append(pl.Series(name, numbers(self.table, name), dtype=pl.Float64))
            elif series.dtype == pl.String:
                columns.append(_floats(self.path, series))
            else:
                raise InputError(self.path, found=f"column {name!r} of type {series.dtype}", expected="numbers")
        return replace(self, frame=self.frame.with_columns(columns))


def _floats(path: Path, series: pl.Series) -> pl.Series:
    """Text cells as numbers, for a table whose lines are no longer those of the file."""
    table = Table(
        path=path,
        header=(series.name,),
        rows=tuple((cell or "",) for cell in series.to_list()),
        lines=tuple(range(2, series.len() + 2)),
    )
    import polars as pl

    return pl.Series(series.name, numbers(table, series.name), dtype=pl.Float64)


def read_cells(path: Path) -> Cells:
    """The table in a file.

    Raises
    ------
    InputError
        A file that cannot be read, ragged rows, or a headerless table of other than three columns.
    """
    import polars as pl

    try:
        with path.open("rb") as file:
            magic = file.read(4)
    except OSError:
        magic = b""  # said with its reason by the reading below
    if magic == PARQUET:
        return _parquet(path)
    table = _headerless(path)
    notes: tuple[Note, ...]
    if table is None:
        table = read_table(path)
        notes = table.notes
    else:
        message = f"the file has no header: its columns were read as {', '.join(TRIPLE)}, the order that CGCNN writes"
        notes = (*table.notes, Note(code="mapped", message=message))
    frame = pl.DataFrame({name: pl.Series(name, table.column(name), dtype=pl.String) for name in table.header})
    return Cells(path=path, frame=frame, table=table, notes=notes)


def is_headerless(line: str) -> bool:
    """Whether this first line is a row of id, target and prediction.

    >>> is_headerless("mp-754757,-1.56,-1.59"), is_headerless("id,target,prediction")
    (True, False)
    """
    cells = [cell.strip() for cell in next(csv.reader([line], delimiter="\t" if "\t" in line else ","), [])]
    return len(cells) == len(TRIPLE) and bool(cells[0]) and all(is_number(c) for c in cells[1:])


def _headerless(path: Path) -> Table | None:
    """The rows of a table without a header; None where it has one."""
    text = read_text(path)
    lines = text.split("\n")
    first = next((line for line in lines if line.strip()), "")
    try:
        if not is_headerless(first):
            return None
        reader = csv.reader(io.StringIO(text), delimiter="\t" if "\t" in first else ",", strict=True)
        rows = [(reader.line_num, tuple(c.strip() for c in cells)) for cells in reader if any(c.strip() for c in cells)]
    except csv.Error:
        return None  # the reading with a header says what is wrong
    notes: tuple[Note, ...] = ()
    if len(rows) > 1 and len(rows[-1][1]) < len(TRIPLE) and not text.endswith("\n"):
        message = f"the last line (line {rows[-1][0]}) is cut off and was left out"
        notes = (Note(code="log.truncated", message=message),)
        rows = rows[:-1]
    for line, cells in rows:
        if len(cells) != len(TRIPLE):
            raise InputError(path, found=f"{len(cells)} cells on line {line}", expected="3 as on the first line")
    return Table(
        path=path,
        header=TRIPLE,
        rows=tuple(cells for _, cells in rows),
        lines=tuple(line for line, _ in rows),
        notes=notes,
    )


def _parquet(path: Path) -> Cells:
    """A Parquet file; its text and category columns become text, its dates too."""
    import polars as pl

    check_parquet(path)
    try:
        scan = pl.scan_parquet(path, glob=False)
        rows = scan.select(pl.len()).collect().item()
        if rows > MAX_ROWS:
            raise InputError(path, found=f"{rows} rows", expected=f"at most {MAX_ROWS}")
        frame = scan.collect()
    except InputError:
        raise
    except (pl.exceptions.PolarsError, OSError, ValueError, pl.exceptions.PanicException) as error:
        detail = str(error).split("\n", maxsplit=1)[0][:100]
        raise InputError(path, found=f"damaged Parquet ({detail})", expected="a whole Parquet file") from None
    if not rows:
        raise InputError(path, found="no rows", expected="a row a sample")
    nested = [name for name, kind in frame.schema.items() if kind.is_nested()]
    frame = frame.drop(nested)
    texts = [pl.col(n).cast(pl.String) for n, kind in frame.schema.items() if not kind.is_numeric()]
    notes: tuple[Note, ...] = ()
    if nested:
        message = f"columns of lists were left out: {', '.join(nested[:5])}"
        notes = (Note(code="unused", message=message),)
    try:
        frame = frame.with_columns(texts)
    except pl.exceptions.PolarsError as error:
        detail = str(error).split("\n", maxsplit=1)[0][:100]
        raise InputError(path, found=f"columns of a type that is neither number nor text ({detail})") from None
    return Cells(path=path, frame=frame, notes=notes)
