"""Lines before the header of a table: comments, and what a loop wrote about the data before its first epoch."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from itertools import pairwise

from runreport.ingest.columns import KNOWN, plain
from runreport.ingest.table import SEPARATORS, is_number, separator_of

LINES = 60
"""Lines in which a header is looked for: settings of a run take a screen at most."""
COMMENT = "#%"
"""What comments begin with; numpy's ``savetxt`` puts its header into one."""
MOSTLY = 0.5
"""Share of the cells below a header that are numbers or empty in the first row of a history."""


def without_preamble(text: str) -> tuple[str, int]:
    """The text with the lines before its header blank (so that the others keep their numbers), and how many those are.

    A header is a line of two cells or more of which one is a known name, over a line of as many cells that are mostly
    numbers. Text that begins with one, or has none, is left as it is.

    >>> without_preamble("# seed 3\\nepoch,loss\\n1,0.5\\n")
    ('\\nepoch,loss\\n1,0.5\\n', 1)
    """
    lines = text.split("\n", LINES)
    filled = [i for i, line in enumerate(lines[:LINES]) if line.strip()]
    if not filled or known_names(cells_of(lines[filled[0]])):
        return text, 0
    for at, below in pairwise(filled):
        names = cells_of(lines[at].lstrip(COMMENT + " ")) if lines[at].lstrip()[:1] in COMMENT else cells_of(lines[at])
        if any(map(is_number, names)):
            continue  # a row, one of whose cells is the name of a metric
        if len(names) > 1 and known_names(names) and _are_figures(cells_of(lines[below]), len(names)):
            skipped = [i for i in filled if i < at]
            lines[at] = lines[at].lstrip(COMMENT + " ")
            return "\n".join([""] * at + lines[at:]), len(skipped)
    return text, 0


def header_line(text: str) -> str:
    """The line with the names of the columns: the first one that is not blank, or a header further down."""
    first = next((line for line in text.split("\n", LINES) if line.strip()), "")
    if len(first) > 10_000 or known_names(cells_of(first)):
        return first
    left, _ = without_preamble(text.replace("\r\n", "\n").replace("\r", "\n"))
    return next((line for line in left.split("\n", LINES + 1) if line.strip()), "")


def cells_of(line: str) -> list[str]:
    """The cells of one line, stripped; none where it cannot be split."""
    if not any(s in line for s in SEPARATORS):
        return [line.strip()]
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=separator_of(line)), [])]
    except csv.Error:
        return []


def known_names(cells: Sequence[str]) -> bool:
    """Whether one of two or more cells is a name of a log."""
    return len(cells) > 1 and any(plain(cell) in KNOWN for cell in cells)


def _are_figures(cells: Sequence[str], count: int) -> bool:
    if len(cells) != count:
        return False
    numbers = sum(not cell or cell[:1] in "-+.0123456789nN" for cell in cells)
    return numbers > MOSTLY * count
