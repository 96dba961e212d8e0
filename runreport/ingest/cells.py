"""Cells of other people's tables: numbers in the dress that loggers put on them, and what is none."""

from __future__ import annotations

import re

from runreport.ingest.table import MISSING, Table, to_float
from runreport.run import Note
from runreport.wording import plural

MOST_TEXT = 0.1
"""Share of a column's cells that may be text before the column is none of numbers: then it is left out whole."""
TENSOR = re.compile(r"tensor\(\s*\[?([^\[\](),]{1,40})\]?\s*(?:,[^()]{0,80}(?:\([^()]{0,40}\))?[^()]{0,40})?\)")
"""``tensor(0.5, device='cuda:0', grad_fn=<MseLossBackward0>)``: what a loop prints that forgot ``.item()``."""
LIST = re.compile(r"\[([^\[\]]{1,2000})\]")
PERCENT = re.compile(r"([-+]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})) ?%")
THOUSANDS = re.compile(r"[-+]?\d{1,3}(?:,\d{3}){1,5}\.\d{1,15}|[-+]?\d{1,3}(?:,\d{3}){2,5}")
"""``1,234.5``: with a point or a second comma it cannot be a decimal comma."""
WRAPPED = re.compile(r"(?:np\.)?float(?:16|32|64)?\(([^()]{1,40})\)")
CLOCK = re.compile(r"(?:(\d{1,4}):)?(\d{1,2}):(\d{2}(?:\.\d{1,6})?)")


def number(cell: str) -> float:
    """A cell as a number, also ``tensor(0.5)``, ``[0.001, 0.001]`` (one value), ``np.float64(0.5)``, ``12.5%``, ``1,234.5``.

    Raises
    ------
    ValueError
        Text, and a list of several values: which one would count, nothing says.

    >>> number("tensor(0.25, device='cuda:0')"), number("[0.001, 0.001]"), number("np.float64(0.5)")
    (0.25, 0.001, 0.5)
    >>> number("12.5%"), number("1,234.5")
    (0.125, 1234.5)
    """
    try:
        return to_float(cell)
    except ValueError:
        if share := PERCENT.fullmatch(cell):
            return to_float(share[1]) / 100
        if THOUSANDS.fullmatch(cell):
            return to_float(cell.replace(",", ""))
        match = TENSOR.fullmatch(cell) or WRAPPED.fullmatch(cell)
        if match:
            return to_float(match[1].strip())
        inner = LIST.fullmatch(cell)
        if not inner:
            raise
        values = {to_float(part.strip()) for part in inner[1].split(",")}
        if len(values) != 1:
            raise
        return values.pop()


def seconds(cell: str) -> float | None:
    """A duration in seconds: ``00:12`` (fastai), ``1:02:03``, or a number; None for anything else.

    >>> seconds("01:12"), seconds("1:00:01"), seconds("3.5"), seconds("noon")
    (72.0, 3601.0, 3.5, None)
    """
    match = CLOCK.fullmatch(cell)
    try:
        if match is None:
            return to_float(cell)
        return 3600.0 * int(match[1] or 0) + 60.0 * int(match[2]) + float(match[3])
    except ValueError:
        return None


def numbers_where_they_are(table: Table, name: str) -> tuple[list[float | None] | None, list[Note]]:
    """A column as numbers, its few cells of text as not logged; None where it is no column of numbers. And what is said."""
    values: list[float | None] = []
    text: list[tuple[int, str]] = []
    filled = 0
    for line, cell in zip(table.lines, table.column(name), strict=True):
        if cell.lower() in MISSING:
            values.append(None)
            continue
        filled += 1
        try:
            values.append(number(cell))
        except ValueError:
            values.append(None)
            text.append((line, cell))
    if len(text) > MOST_TEXT * filled:
        return None, []
    if not text:
        return values, []
    line, cell = text[0]
    message = (
        f"{plural(len(text), 'cell')} of column {name!r} that "
        f"{'is' if len(text) == 1 else 'are'} no number read as not logged (first: {cell[:40]!r}, line {line})"
    )
    return values, [Note(code="unused", message=message)]
