"""Bars and sparklines out of characters, in those that the output can take."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from runreport.metrics.budget import ErrorBudget
from runreport.report.sections.root_cause import BAR, bar

LEAST_CELLS = 8
"""Cells of the shortest bar that still shows a proportion."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Glyphs:
    """Characters to draw with: ``ticks`` from lowest to highest, a full and a half cell of a bar."""

    ticks: str
    full: str
    half: str


BLOCKS = Glyphs(ticks="▁▂▃▄▅▆▇█", full="█", half="▌")
ASCII = Glyphs(ticks=".:-=+*#@", full="#", half="|")


def glyphs_for(encoding: str | None) -> Glyphs:
    """Block characters where the encoding has all of them, else ASCII: half of them drawn as something else would lie.

    >>> glyphs_for("utf-8") is BLOCKS, glyphs_for("cp1252") is ASCII, glyphs_for("cp437") is ASCII
    (True, True, True)
    """
    try:
        f"{BLOCKS.ticks}{BLOCKS.full}{BLOCKS.half}".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return BLOCKS


def sparkline(values: Sequence[float | None], width: int = 40, ticks: str = BLOCKS.ticks) -> str:
    """A row of bars, lowest to highest; a space where there is no value. Longer series are cut into ``width`` means.

    >>> sparkline([0.0, 0.5, 1.0]), sparkline([1.0, None, 1.0]), sparkline([])
    ('▁▅█', '█ █', '')
    """
    series = list(values)
    if len(series) > width:
        chunks = [series[i * len(series) // width : (i + 1) * len(series) // width] for i in range(width)]
        series = [sum(k) / len(k) if (k := [v for v in chunk if v is not None]) else None for chunk in chunks]
    known = [v for v in series if v is not None]
    if not known:
        return ""
    low, span = min(known), max(known) - min(known)
    top = len(ticks) - 1
    return "".join(" " if v is None else ticks[top if span == 0 else round(top * (v - low) / span)] for v in series)


def budget_lines(budget: ErrorBudget, width: int | None, glyphs: Glyphs = BLOCKS) -> list[str]:
    """The error budget as bars that fit ``width`` characters, as far as the shortest bar does; None: as reports have it."""
    cells = BAR
    if width is not None:
        words = max(len(line.rstrip(f"{BLOCKS.full}{BLOCKS.half}")) for line in bar(budget).splitlines())
        cells = min(BAR, max(LEAST_CELLS, width - words))
    table = str.maketrans({BLOCKS.full: glyphs.full, BLOCKS.half: glyphs.half})
    return [line.translate(table) for line in bar(budget, cells).splitlines()]
