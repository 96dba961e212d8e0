"""What a renderer gets: titles, paragraphs, tables and figures with finished text. No frames, no arithmetic left."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Align = Literal["left", "right"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paragraph:
    """A paragraph."""

    text: str
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True, kw_only=True)
class Bullets:
    """A list; ``numbered`` where the order matters."""

    items: tuple[str, ...]
    numbered: bool = False
    kind: Literal["bullets"] = "bullets"


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table. Every row has as many cells as the header."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: tuple[Align, ...]
    kind: Literal["table"] = "table"

    def __post_init__(self) -> None:
        if any(len(row) != len(self.header) for row in self.rows) or len(self.align) != len(self.header):
            raise ValueError("a table row has another number of cells than its header")


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Preformatted text: a budget bar, a config patch."""

    text: str
    language: str = ""
    kind: Literal["listing"] = "listing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A chart: the file beside the report, what it shows in words, and its Vega-Lite spec for renderers that draw."""

    file: str
    alt: str
    kind: Literal["figure"] = "figure"


Block = Paragraph | Bullets | Table | Listing | Figure


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A part of a report."""

    id: str
    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Omitted:
    """A section that has no data, and why."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportModel:
    """One report.

    facts
        The line under the title: date, config, epochs, split, status; finished text.
    """

    title: str
    facts: tuple[str, ...]
    sections: tuple[Section, ...]
    footer: str


def table(header: list[str], rows: list[list[str]], left: int = 1) -> Table:
    """A table whose first ``left`` columns are text and whose others are numbers."""
    align: tuple[Align, ...] = tuple("left" if i < left else "right" for i in range(len(header)))
    return Table(header=tuple(header), rows=tuple(tuple(row) for row in rows), align=align)
