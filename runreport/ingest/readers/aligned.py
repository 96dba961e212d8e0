"""Tables whose columns stand under each other: printed with widths, by numpy's ``savetxt``, or with ``|`` around cells."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from runreport.errors import InputError
from runreport.ingest.cells import seconds
from runreport.ingest.columns import KNOWN, MEASURED, plain
from runreport.ingest.documents import SPLITS, measures
from runreport.ingest.history import histories_of_table
from runreport.ingest.preamble import cells_of
from runreport.ingest.printed_epochs import ANSI
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.runs import runs_of_parts
from runreport.ingest.table import MISSING, Table, read_text, to_float
from runreport.ingest.tables import header_of
from runreport.run import Note, Run
from runreport.wording import plural

ENDINGS = frozenset((".txt", ".log", ".out", ".dat", ".stdout", ""))
LINES = 400
"""Lines in which the header is looked for: a loop prints its model and its settings before."""
MOST_LINE = 5_000
MOST_CELLS = 200
RULE = re.compile(r"[\s\-=+|:_*~#─━═┼│╪╬┃┏┓┡┩└┘┌┐├┤┬┴╭╮╰╯┳╇╈┻╋┠┨┣┫┗┛]*")
"""A line of dashes, or a blank one."""
BARS = re.compile(r"[|│┃║]")
GAP = re.compile(r"\s{2,}|\t")
DASHES = re.compile(r"[-_=─━]{2,}")
UNIT = re.compile(r"\([^()]{0,20}\)")
EXPECTED = "a line of names (epoch, train_loss, ...) over rows of as many numbers"
MARKS = "*<-✓←"
"""What loops put behind the row of the best epoch."""


def claim(path: Path, head: Head) -> Claim | None:
    """A text with a line of names, one of a figure that reports know and one of the epoch, over a row of as many numbers."""
    if path.suffix.lower() not in ENDINGS or "\x00" in head.text[:1000]:
        return None
    first = list(header_of(head))
    if len(first) > 1 and all(first) and _are_names(first):
        rows = [line for line in head.text.splitlines() if line.strip()][1:2]
        if not rows or len(cells_of(rows[0])) > 1:
            return None  # separated by commas, tabs or single bars: any table
    return (
        None
        if _header(ANSI.sub("", head.text).splitlines()) is None
        else Claim(root=path, run=path.stem, kind="history")
    )


def read(source: Source, options: ReadOptions) -> list[Run]:
    """Its runs: one, or several where the epochs start again.

    Raises
    ------
    InputError
        No such table.
    """
    (path,) = source.files.values()
    lines = ANSI.sub("", read_text(path)).split("\n")
    found = _header(lines)
    if found is None:
        raise InputError(path, found="no table in it", expected=EXPECTED)
    at, names, cells_of_line = found
    rows: list[tuple[str, ...]] = []
    numbers: list[int] = []
    passed = 0
    for number, line in enumerate(lines[at + 1 :], start=at + 2):
        cells = ["" if cell.lower() in MISSING else cell for cell in cells_of_line(line)]
        if len(cells) == len(names) + 1 and not cells[-1].strip(MARKS):
            cells = cells[:-1]
        if len(cells) == len(names) and _is_row(cells):
            rows.append(tuple(cells))
            numbers.append(number)
        elif not RULE.fullmatch(line):
            passed += 1
    notes = []
    if passed:
        message = f"{plural(passed, 'line')} after the header that {'is' if passed == 1 else 'are'} no row passed over"
        notes.append(Note(code="unused", message=message))
    table = Table(path=path, header=names, rows=tuple(rows), lines=tuple(numbers), notes=tuple(notes))
    parts = histories_of_table(table, options.columns, lenient=True)
    return runs_of_parts(source, parts)


class Header(NamedTuple):
    """The last line of the header, the names in it, and how the rows below are parted."""

    at: int
    names: tuple[str, ...]
    cells: Callable[[str], list[str]]


def _header(lines: list[str]) -> Header | None:
    """The header; None where there is none."""
    for at, line in enumerate(lines[:LINES]):
        if len(line) > MOST_LINE or not any(c.isalpha() for c in line):
            continue
        if (found := _two_lines(lines, at) or _ruled(lines, at)) is not None:
            return found
        below = next(
            (n for n in lines[at + 1 : at + 6] if not RULE.fullmatch(n) and not n.lstrip().startswith("#")), None
        )
        if below is None:
            continue
        row = _cells(below)
        if len(row) < 2 or len(row) > MOST_CELLS or not _is_row(row):
            continue
        bare = line.strip().lstrip("#%").strip()
        for names in (_cells(bare), [n.strip() for n in GAP.split(bare)]):
            names = [name.rstrip(",;") for name in names]
            if len(names) == len(row) and _are_names(names):
                return Header(at, tuple(names), _cells)
    return None


def _two_lines(lines: list[str], at: int) -> Header | None:
    """Names over two lines between bars, as MATLAB prints them (``Mini-batch`` over ``RMSE``); units in brackets are none."""
    if at + 1 >= len(lines) or not BARS.search(lines[at]) or not BARS.search(lines[at + 1]):
        return None
    upper, lower = _cells(lines[at]), _cells(lines[at + 1])
    if len(upper) != len(lower) or _is_row(lower) or RULE.fullmatch(lines[at + 1]):
        return None
    names = [" ".join(part for part in (a, UNIT.sub("", b)) if part).strip() for a, b in zip(upper, lower, strict=True)]
    below = next((n for n in lines[at + 2 : at + 6] if not RULE.fullmatch(n)), None)
    if below is None or len(_cells(below)) != len(names) or not _is_row(_cells(below)) or not _are_names(names):
        return None
    return Header(at + 1, tuple(names), _cells)


def _ruled(lines: list[str], at: int) -> Header | None:
    """Names over a line of dashes that shows how far each column reaches: cells between may be blank (MATLAB's ``trainnet``)."""
    rule = lines[at + 1] if at + 1 < len(lines) else ""
    spans = [match.span() for match in DASHES.finditer(rule)]
    if len(spans) < 2 or len(rule) > MOST_LINE or not RULE.fullmatch(rule) or BARS.search(rule):
        return None
    middles = [(a[1] + b[0] + 1) // 2 for a, b in pairwise(spans)]
    edges = [0, *middles, None]

    def cells(line: str) -> list[str]:
        return [line[a:b].strip() for a, b in pairwise(edges)]

    names = cells(lines[at])
    below = next((n for n in lines[at + 2 : at + 6] if n.strip()), None)
    if below is None or not all(names) or not _are_names(names) or not _is_row(cells(below)):
        return None
    return Header(at + 1, tuple(names), cells)


def _are_names(names: list[str]) -> bool:
    axis = any(KNOWN.get(plain(name)) == "epoch" for name in names)
    measured = any(measures(name) or _without_split(plain(name)) in MEASURED for name in names)
    return axis and measured and len(set(names)) == len(names)


def _without_split(name: str) -> str:
    words = name.split("_")
    if len(words) > 1 and words[-1] in SPLITS:
        return "_".join(words[:-1])
    return "_".join(words[1:]) if words[0] in SPLITS else name


def _cells(line: str) -> list[str]:
    """The cells of a line: between bars where it has some, else what white space parts."""
    if BARS.search(line):
        return [_without_emphasis(cell.strip()) for cell in BARS.split(line.strip().strip("|│┃║"))]
    return line.split()


def _without_emphasis(cell: str) -> str:
    """``**0.865**`` of Markdown as 0.865: the best row is often in bold."""
    return next(
        (
            cell[len(m) : -len(m)]
            for m in ("**", "__", "`", "*")
            if len(cell) > 2 * len(m) and cell.startswith(m) and cell.endswith(m)
        ),
        cell,
    )


def _is_row(cells: list[str]) -> bool:
    """Whether a line is a row of figures: numbers or not logged, and more than half of them numbers."""

    def figure(cell: str) -> bool:
        if cell.lower() in MISSING:
            return True
        try:
            to_float(cell.rstrip("%smh"))
        except ValueError:
            return seconds(cell.rstrip("smh")) is not None
        return True

    return sum(cell.lower() not in MISSING for cell in cells) > len(cells) / 2 and all(map(figure, cells))


def claim_markdown(path: Path, head: Head) -> Claim | None:
    """A Markdown file with such a table: the training results of a model card."""
    if path.suffix.lower() != ".md" or _header(head.text.splitlines()) is None:
        return None
    return Claim(root=path, run=path.stem, kind="history")


READER = Reader(
    name="aligned",
    reads="printed tables with aligned columns, numpy's savetxt, DeePMD's lcurve.out (.txt, .log, .out, .dat)",
    claim=claim,
    read=read,
)
MARKDOWN = Reader(
    name="markdown",
    reads="a table of epochs in a Markdown file (model cards of Transformers); only of a file that is named itself",
    claim=claim_markdown,
    read=read,
    named_only=True,
)
