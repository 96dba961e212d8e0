"""What a section is built from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from runreport.analysis.record import Analysis
from runreport.compare.record import Comparison


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One report's material.

    comparison
        With the other runs of the same call; None where it is alone.
    figures
        Kind of chart -> file beside the report; only charts that were drawn.
    """

    analysis: Analysis
    comparison: Comparison | None = None
    figures: Mapping[str, str] = field(default_factory=dict)
