"""The floors that CI holds the quick scores to, and that the README's tables are those of the results."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.truth.floors import below, compared, figures
from benchmarks.truth.readme import tables, with_tables


def result(f1: float, critical: float) -> dict[str, object]:
    scores = {
        "single": {"macro_f1": f1}, "double": {"set_f1": 0.5}, "false_critical": {"share": critical}, "unreadable": 0,
    }  # fmt: skip
    return {"sources": {"simulated": {"tools": {"runreport": scores}}}}


FLOORS = {"sources": {"simulated": {"macro_f1_single": ["least", 0.6], "critical_on_sound_runs": ["most", 0.05]}}}


@pytest.mark.parametrize(("f1", "critical", "broken"), [(0.6, 0.05, False), (0.59, 0.0, True), (0.9, 0.06, True)])
def test_a_score_below_its_floor_or_above_its_ceiling_fails(f1: float, critical: float, broken: bool) -> None:
    rows = compared(result(f1, critical), FLOORS)
    assert len(rows) == 2
    assert below(rows) is broken
    assert any(row.line().startswith("BELOW") for row in rows) is broken


def test_a_source_or_a_figure_that_is_missing_fails() -> None:
    assert below(compared({"sources": {}}, FLOORS))
    missing = {"sources": {"simulated": {"macro_f1_double": ["least", 0.0]}}}
    assert below(compared(result(1.0, 0.0), missing))


def test_the_committed_floors_are_of_figures_that_exist(repository: Path) -> None:
    floors = json.loads((repository / "benchmarks" / "truth" / "floors.json").read_text(encoding="utf-8"))
    known = figures(result(0.5, 0.0)["sources"]["simulated"]["tools"])  # type: ignore[index]
    assert set(floors["sources"]) == {"simulated", "trained"}
    for bounds in floors["sources"].values():
        assert set(bounds) <= set(known)
        assert {side for side, _ in bounds.values()} <= {"least", "most"}
        assert bounds["macro_f1_single"][1] > 0.3, "a floor that nothing could fall below holds nothing"


def test_the_readme_holds_the_tables_of_the_results(repository: Path) -> None:
    text = (repository / "README.md").read_text(encoding="utf-8")
    assert with_tables(text, tables()) == text, "run: python -m benchmarks.truth --readme"


def test_a_readme_without_its_markers_is_refused() -> None:
    with pytest.raises(ValueError, match="once each"):
        with_tables("no markers", {"truth": "x"})
