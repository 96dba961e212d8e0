"""Delimited text → a polars frame of text cells, whatever state the file is in."""

from __future__ import annotations

import contextlib
import csv
import io
import math
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runreport.errors import InputError
from runreport.ingest.compressed import expand, is_compressed
from runreport.run import Note
from runreport.wording import plural

if TYPE_CHECKING:
    import polars as pl

MAX_BYTES = 2 * 1024**3
"""Largest text table read into memory; a history is a few KiB, and predictions beyond this belong in parquet."""
MISSING = frozenset({"", "na", "n/a", "none", "null", "-", "--", "no log"})
"""Cells that say "not logged" (the last in tables of Transformers). ``nan`` is not among them: a logged NaN is data."""
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
SEPARATORS = (",", "\t", ";", "|")
TABLE = "a header line and a row for each epoch (or sample)"
LARGEST, SMALLEST = 1e75, 1e-75
"""Magnitudes between which a number and its fourth power (the variance of a variance needs it) fit into a float."""
MOST_RAGGED = 0.1
"""Share of rows with another number of cells than the header up to which they are left out: where there are more, the
header or the separator is wrong, and no cell can be trusted to stand under its name."""
SHORTEST_OF = 19
"""Rows from which a last cell shorter than every other is called cut off: were it whole, it would be the shortest of n + 1
by chance once in n + 1 times, here at most 5 %."""
UNFINISHED = ("-", "+", ".", "e", "E", "e-", "E-", "e+", "E+")
"""How a number ends that was cut off while it was written."""
SPACES = ' \t\r\x0b\x0c\x1c\x1d\x1e\x1f"'
"""Of a text without one of these, and of ASCII alone, no cell is padded; a quoted cell may hold a line end."""
UNCLOSED = "unexpected end of data"
"""What the csv module's strict mode says of a quote that the file never closes."""
Rows = list[tuple[int, list[str]]]
"""(line, cells) of each row."""
Begin = Callable[[str], tuple[str, int]]
"""Text -> the text with the lines before its header blank, and how many those are."""
DECIMAL_COMMA = re.compile(r"[-+]?\d{0,15},\d{1,20}(?:[eE][-+]?\d{1,3})?")
DECIMAL_POINT = re.compile(r"[-+]?\d{0,15}\.\d{1,20}(?:[eE][-+]?\d{1,3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Text cells by column, with what was passed over while reading them.

    ``lines[i]`` is the line of the file that row i stands on.
    """

    path: Path
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    lines: tuple[int, ...]
    notes: tuple[Note, ...] = ()

    def column(self, name: str) -> list[str]:
        """The cells of one column, stripped."""
        index = self.header.index(name)
        return [row[index] for row in self.rows]


def read_bytes(path: Path, expected: str = TABLE) -> bytes:
    """A file's bytes, or one clear line about why not: missing, a folder, unreadable, too large, empty, a pointer.

    ``expected`` says what an empty file should have held.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise InputError(
                path, found=f"{size / 1024**3:.1f} GiB of text", expected="at most 2 GiB", remedy="write it as parquet"
            )
        data = path.read_bytes()
    except IsADirectoryError:
        raise InputError(path, found="a folder", expected="a file") from None
    except FileNotFoundError:
        raise InputError(path, found="no such file", remedy="check the path") from None
    except OSError as error:
        raise InputError(
            path, found=f"cannot be read ({error.strerror or error})", expected="a readable file"
        ) from None
    if is_compressed(data):
        data = expand(path, data, MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(path, found="more than 2 GiB of text once expanded", expected="at most 2 GiB")
    if not data.strip():
        raise InputError(path, found="an empty file", expected=expected)
    if data.startswith(LFS_POINTER):
        raise InputError(path, found="a Git LFS pointer, not the file itself", remedy="fetch it with `git lfs pull`")
    return data


def read_text(path: Path) -> str:
    """A file's text: UTF-8 with or without BOM, UTF-16 with BOM; any line ending."""
    data = read_bytes(path)
    encoding, name = ("utf-16", "UTF-16") if data.startswith((b"\xff\xfe", b"\xfe\xff")) else ("utf-8-sig", "UTF-8")
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise InputError(path, found=f"bytes that are not {name} at {error.start}", expected="UTF-8 text") from None
    if "\x00" in text:
        raise InputError(path, found="binary data (a NUL character)", expected="a text table (CSV or TSV)")
    return text.replace("\r\r\n", "\n").replace("\r\n", "\n").replace("\r", "\n")


def read_table(path: Path, *, lenient: bool = False, begin: Begin | None = None) -> Table:
    """A delimited text file as cells.

    Blank rows and repeated headers are dropped (repeated headers are noted), padding is stripped, a short or unfinished
    last line is dropped and noted. A row with more or fewer cells elsewhere is an error: fields must not move silently.

    ``lenient`` leaves such rows out whole, with a note, while they are few; and columns without a name or a cell. ``begin``
    blanks lines before the header, and says how many.

    Raises
    ------
    InputError
        Empty file, header only, two columns of one name, ragged rows.
    """
    text = read_text(path)
    notes: list[Note] = []
    if begin is not None:
        text, before = begin(text)
        if before:
            notes.append(Note(code="unused", message=f"{plural(before, 'line')} before the header passed over"))
    numbered, unclosed = _cells(path, text)
    if not numbered:
        raise InputError(path, found="an empty file", expected=TABLE)
    (_, first), *body = numbered
    header = tuple(first)
    if lenient:
        header, body = _without_empty_columns(header, body)
    if len(set(header)) < len(header):
        twice = next(h for h in header if header.count(h) > 1)
        named = f"named {twice!r}" if twice else "without a name"
        raise InputError(path, found=f"two columns {named}", expected="each name once", remedy="rename or remove one")
    names = list(header)
    kept = [(line, cells) for line, cells in body if cells != names]
    if len(kept) < len(body):
        times = len(body) - len(kept)
        often = "once more" if times == 1 else f"{times} times more"
        notes.append(Note(code="log.restarts", message=f"the header is written {often}"))
    if unclosed is not None:
        notes.append(Note(code="log.truncated", message=f"the last line (line {unclosed}) is cut off and was left out"))
    elif kept and _cut_off(kept, header, complete=text.endswith("\n")):
        line, _ = kept.pop()
        notes.append(Note(code="log.truncated", message=f"the last line (line {line}) is cut off and was left out"))
    ragged = [(line, len(cells)) for line, cells in kept if len(cells) != len(header)]
    if ragged and (not lenient or len(ragged) > MOST_RAGGED * len(kept)):
        (line, count), *others = ragged
        more = (
            f", and another number than the header on {plural(len(others), 'more line')}" if lenient and others else ""
        )
        raise InputError(path, found=f"{count} cells on line {line}{more}", expected=f"{len(header)} as in the header")
    if ragged:
        where = ", ".join(str(line) for line, _ in ragged[:5]) + (", ..." if len(ragged) > 5 else "")
        message = f"{plural(len(ragged), 'row')} with another number of cells than the header left out (line {where})"
        notes.append(Note(code="unused", message=message))
        kept = [(line, cells) for line, cells in kept if len(cells) == len(header)]
    if not kept:
        only = "only a header and an unfinished line" if body else "only a header"
        raise InputError(path, found=only, expected="at least one row", remedy="the run may not have finished an epoch")
    if separator_of(text) != "," and _has_decimal_commas(kept):
        kept = [
            (line, [c.replace(",", ".") if DECIMAL_COMMA.fullmatch(c) else c for c in cells]) for line, cells in kept
        ]
        notes.append(Note(code="derived", message="numbers were read with a decimal comma"))
    return Table(
        path=path,
        header=header,
        rows=tuple(tuple(cells) for _, cells in kept),
        lines=tuple(line for line, _ in kept),
        notes=tuple(notes),
    )


def _has_decimal_commas(rows: Rows) -> bool:
    """Whether numbers have a comma where others have a point: some do, and none has a point."""
    found = False
    for _, cells in rows:
        for cell in cells:
            if DECIMAL_POINT.fullmatch(cell):
                return False
            found = found or DECIMAL_COMMA.fullmatch(cell) is not None
    return found


def _without_empty_columns(header: tuple[str, ...], body: Rows) -> tuple[tuple[str, ...], Rows]:
    """The table without columns that have neither a name nor a cell: separators at the ends of lines make them."""
    width = len(header)
    while width > 1 and not header[width - 1] and not any(any(cells[width - 1 :]) for _, cells in body):
        width -= 1
    if width == len(header) and all(len(cells) <= width for _, cells in body):
        return header, body
    # A separator at the end of the rows alone is one empty cell too many.
    cut = [(line, cells[:width] if not any(cells[width:]) else cells) for line, cells in body]
    return header[:width], cut


def numbers(table: Table, name: str) -> list[float | None]:
    """A column as numbers: None where nothing was logged, NaN and ±inf where the log says so.

    Raises
    ------
    InputError
        Text where a number belongs, with the line it stands on.
    """
    cells = table.column(name)
    if "_" not in "".join(cells):  # as it is for most columns: every cell a number, all of them at once
        with contextlib.suppress(ValueError):
            return list(map(float, cells))
    values: list[float | None] = []
    for line, cell in zip(table.lines, cells, strict=True):
        try:
            values.append(to_float(cell))
        except ValueError:
            if cell.lower() in MISSING:
                values.append(None)
                continue
            raise InputError(
                table.path, found=f"{cell[:40]!r} in column {name!r}, line {line}", expected="a number"
            ) from None
    return values


def to_float(cell: str) -> float:
    """A cell as a number; ValueError for text, also for ``1_000``, which Python alone calls one.

    >>> to_float("1e-3"), to_float("-Infinity")
    (0.001, -inf)
    """
    if "_" in cell:
        raise ValueError(cell)
    return float(cell)


def is_number(cell: str) -> bool:
    """Whether a cell is a number, as :func:`to_float` reads it."""
    try:
        to_float(cell)
    except ValueError:
        return False
    return True


def bounded(value: float) -> float:
    """The value, infinite beyond :data:`LARGEST` and zero within :data:`SMALLEST`; NaN stays NaN.

    >>> bounded(-1e80), bounded(1e-80), bounded(0.5)
    (-inf, 0.0, 0.5)
    """
    if abs(value) > LARGEST:
        return math.copysign(math.inf, value)
    return 0.0 if abs(value) < SMALLEST else value


def all_bounded(values: Iterable[float | None]) -> list[float | None]:
    """:func:`bounded` of each value; None stays None.

    >>> all_bounded([0.5, None, 1e80])
    [0.5, None, inf]
    """
    return [v if v is None or SMALLEST <= abs(v) <= LARGEST else bounded(v) for v in values]


def frame(table: Table, numeric: Sequence[str]) -> pl.DataFrame:
    """The table as a frame: ``numeric`` columns Float64, the others text as it stands (an empty cell is empty text)."""
    import polars as pl

    columns = {
        name: (
            pl.Series(name, numbers(table, name), dtype=pl.Float64)
            if name in numeric
            else pl.Series(name, table.column(name), dtype=pl.String)
        )
        for name in table.header
    }
    return pl.DataFrame(columns)


def _cells(path: Path, text: str) -> tuple[list[tuple[int, list[str]]], int | None]:
    """(line, stripped cells) of each row that is not blank, and the number of a last line cut off inside quotes.

    A quote that opens earlier and never closes swallows every line after it: that is an error, not a long cell.
    """
    reader = csv.reader(io.StringIO(text), delimiter=separator_of(text), strict=True)
    numbered: list[tuple[int, list[str]]] = []
    before = 0
    padded = not text.isascii() or any(space in text for space in SPACES)
    try:
        for cells in reader:
            before = reader.line_num
            stripped = [c.strip() for c in cells] if padded else cells
            if any(stripped):
                numbered.append((before, stripped))
    except csv.Error as error:
        if UNCLOSED not in str(error):
            raise InputError(
                path, found=f"line {reader.line_num} cannot be split into cells ({error})", expected="a plain CSV line"
            ) from None
        if numbered and not text.endswith("\n") and reader.line_num == before + 1:
            return numbered, reader.line_num
        raise InputError(
            path, found=f"a quote opened on line {before + 1} or after it is never closed", remedy="close or remove it"
        ) from None
    return numbered, None


def separator_of(text: str) -> str:
    """The separator that splits the header into most columns; a comma where none does."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    return max(SEPARATORS, key=lambda s: (first.count(s), s == ","))


def _cut_off(rows: Rows, header: tuple[str, ...], *, complete: bool) -> bool:
    """Whether the last row was cut off mid-write: too few cells, or no line end and a last cell that was not finished.

    Writers that put no line end after the last row are common too, and a number cut in its middle is still a number. It
    counts as cut where it ends as no number does, has fewer decimals than all others have, or is far shorter than they are.
    """
    _, cells = rows[-1]
    if len(cells) < len(header):
        return True
    if complete or len(rows) < 2 or len(cells) > len(header):
        return False
    last, others = cells[-1], [row[-1] for _, row in rows[:-1] if len(row) == len(header)]
    if not others or not all(others):
        return False
    if not last or last.endswith(UNFINISHED):
        return not any(o.endswith(UNFINISHED) for o in others)
    decimals = {_decimals(o) for o in others}
    if len(decimals) == 1 and _decimals(last) < min(decimals) and len(others) > 1:
        return True
    return len(others) >= SHORTEST_OF and len(last) < min(len(o) for o in others)


def _decimals(cell: str) -> int:
    """Characters after the point, an exponent included; 0 without a point."""
    return len(cell.partition(".")[2])
