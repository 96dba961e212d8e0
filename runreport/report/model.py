"""What a renderer gets: titles, paragraphs, tables and figures with finished text. No frames, no arithmetic left."""

from __future__ import annotations

from collections.abc import Mapping
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
    """A table. Every row has as many cells as the header. ``sortable``: its rows have no order that matters."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    align: tuple[Align, ...]
    sortable: bool = False
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
    """A chart as an image: the file beside the report (or a data URI), and what it shows in words."""

    file: str
    alt: str
    kind: Literal["figure"] = "figure"


@dataclass(frozen=True, slots=True, kw_only=True)
class BarPart:
    """One part of a bar: its name, its size and its share of the whole as text, and the width to draw in percent."""

    id: str
    label: str
    value: str
    share: str
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A whole cut into parts, largest first; ``text`` is the same for renderers that have only letters."""

    total: str
    parts: tuple[BarPart, ...]
    text: str
    kind: Literal["bar"] = "bar"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The numbers behind a finding: names and values, then tables of what has rows of its own."""

    values: Table | None
    tables: tuple[tuple[str, Table], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingItem:
    """A finding: its sentence, its severity, its rule, what was said of the test, and its evidence."""

    message: str
    severity: str
    rule: str
    note: str
    meaning: str
    evidence: Evidence


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """A list of findings."""

    items: tuple[FindingItem, ...]
    kind: Literal["findings"] = "findings"


@dataclass(frozen=True, slots=True, kw_only=True)
class LegendEntry:
    """A line of a legend: what is drawn so. ``colour`` names a colour of the page (``c1``), ``mark`` a shape; a ``key``
    can be switched on and off."""

    label: str
    colour: str
    mark: Literal["line", "dash", "dots", "dot", "diamond", "area", "tick", "rule"] = "line"
    key: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """One interactive chart.

    alt
        What it shows, in words, for who does not see it.
    note
        What was cut, thinned or sampled; empty where everything is drawn.
    spec
        Vega-Lite, its data inside. Colours are names of the page (``var(--c1)``), so that one drawing suits every theme.
    svg
        The same as a drawing that needs no script.
    table
        The numbers drawn, where a table of them can be read.
    """

    id: str
    title: str
    alt: str
    note: str
    spec: Mapping[str, object]
    svg: str
    legend: tuple[LegendEntry, ...] = ()
    table: Table | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ChartGroup:
    """Charts that belong together.

    controls
        ``epochs``: a range of epochs and one epoch, shared by all charts that know them. ``runs``: runs on and off.
    state
        What the controls need: epochs, the one shown first, and the texts for each.
    """

    id: str
    charts: tuple[Chart, ...]
    controls: Literal["none", "epochs", "epoch", "runs"] = "none"
    label: str = ""
    legend: tuple[LegendEntry, ...] = ()
    state: Mapping[str, object] | None = None
    kind: Literal["charts"] = "charts"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fold:
    """Blocks that are shown on request: what most readers need not read first."""

    summary: str
    blocks: tuple[Block, ...]
    kind: Literal["fold"] = "fold"


Block = Paragraph | Bullets | Table | Listing | Figure | Bar | Findings | ChartGroup | Fold


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
    subject
        The run that the title begins with; empty where it speaks of several.
    severity
        The severest finding's severity: ``critical``, ``warning``, ``info``, or empty without one.
    highlights
        (name, value, 95 % interval) of the figures to see first.
    """

    title: str
    facts: tuple[str, ...]
    sections: tuple[Section, ...]
    footer: str
    subject: str = ""
    severity: str = ""
    highlights: tuple[tuple[str, str, str], ...] = ()


def table(header: list[str], rows: list[list[str]], left: int = 1, *, sortable: bool = False) -> Table:
    """A table whose first ``left`` columns are text and whose others are numbers."""
    align: tuple[Align, ...] = tuple("left" if i < left else "right" for i in range(len(header)))
    return Table(header=tuple(header), rows=tuple(tuple(row) for row in rows), align=align, sortable=sortable)
