"""The scores of the fixed quick subset beside the floors that CI holds them to (``benchmarks/truth/floors.json``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.truth.score import OURS

LEAST, MOST = "least", "most"


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One figure of a source: what was measured, and the bound on it."""

    source: str
    name: str
    value: float | None
    bound: float
    side: str

    @property
    def holds(self) -> bool:
        """Whether the figure is on the right side of its bound; a figure that is not there is not."""
        if self.value is None:
            return False
        return self.value >= self.bound if self.side == LEAST else self.value <= self.bound

    def line(self) -> str:
        """For the terminal."""
        word = "at least" if self.side == LEAST else "at most"
        value = "missing" if self.value is None else f"{self.value:.3f}"
        return f"{'ok   ' if self.holds else 'BELOW'} {self.source}: {self.name} {value}, {word} {self.bound:g}"


def figures(tools: Mapping[str, Any]) -> dict[str, float | None]:
    """The figures of one source that have a floor or a ceiling."""
    got = tools[OURS]
    return {
        "macro_f1_single": got["single"]["macro_f1"],
        "set_f1_double": got["double"]["set_f1"],
        "critical_on_sound_runs": got["false_critical"]["share"],
        "unreadable": got["unreadable"],
    }


def compared(result: Mapping[str, Any], floors: Mapping[str, Any]) -> list[Compared]:
    """Every bound of the floors beside what was measured."""
    rows = []
    for source, bounds in floors["sources"].items():
        held = result["sources"].get(source)
        measured = figures(held["tools"]) if held is not None else {}
        for name, (side, bound) in bounds.items():
            rows.append(Compared(source=source, name=name, value=measured.get(name), bound=bound, side=side))
    return rows


def below(rows: Sequence[Compared]) -> bool:
    """Whether any bound is broken."""
    return not all(row.holds for row in rows)
