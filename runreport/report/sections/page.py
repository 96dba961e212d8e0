"""What a section is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runreport.analysis.record import Analysis
from runreport.report.model import Block, ChartGroup, Figure

if TYPE_CHECKING:
    from runreport.compare.record import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One report's material.

    comparison
        With the other runs of the same call; None where it is alone.
    figures
        Kind of chart -> file beside the report (or its data URI); only charts that were drawn.
    charts
        Kind of chart -> interactive charts, for renderers that have them; only those that were made.
    """

    analysis: Analysis
    comparison: Comparison | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
    charts: Mapping[str, ChartGroup] = field(default_factory=dict)

    def drawn(self, kind: str, alt: str) -> list[Block]:
        """The interactive charts of this kind, else its image, else nothing."""
        if kind in self.charts:
            return [self.charts[kind]]
        return [Figure(file=self.figures[kind], alt=alt)] if kind in self.figures else []
