"""The figures that the source published for Runs 1-4, as an analysis must reproduce and correct them.

Every expected number is written here by hand from the source's page, not read from ``example_logs/published``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.compare.engine import compare_runs
from runreport.findings import Severity
from runreport.ingest.load import load_runs
from runreport.report.build import build_report
from runreport.report.markdown import render_markdown
from runreport.run import Run


@pytest.fixture(scope="module")
def published(repository: Path) -> dict[str, Analysis]:
    loaded = list(load_runs([str(repository / "example_logs" / "published")]))
    runs = [run for run in loaded if isinstance(run, Run)]
    assert [run.name for run in runs] == ["run1", "run2", "run3", "run4"]
    assert len(runs) == len(loaded)
    return {run.name: analyze_run(run) for run in runs}


@pytest.fixture(scope="module")
def page(published: dict[str, Analysis]) -> str:
    return render_markdown(build_report(published["run4"], compare_runs(list(published.values()))))


def test_run4_final_figures(published: dict[str, Analysis]) -> None:
    final = published["run4"].final
    assert final is not None
    assert (final.n, final.split, final.basis) == (144, "test", "summary")
    assert final["r2"] == -0.0655
    assert final["variance_ratio"] == pytest.approx(0.223)
    assert final["pred_spread"] == pytest.approx(0.304)
    assert final["pearson_r"] == pytest.approx(0.125, abs=5e-4)
    assert final["bias"] == pytest.approx(-0.267, abs=5e-4)
    assert {"pearson_r", "bias"} <= final.derived


def test_run4_error_budget(published: dict[str, Analysis]) -> None:
    budget = published["run4"].budget
    assert budget is not None
    assert not budget.exact
    parts = (budget.missing_information, budget.wrong_spread, budget.wrong_mean)
    assert parts == pytest.approx((0.984, 0.010, 0.071), abs=6e-4)
    assert budget.total == pytest.approx(1.0655, abs=1e-12)
    assert budget.error_shares == pytest.approx((0.924, 0.009, 0.067), abs=1e-3)
    assert budget.shortfall_shares == pytest.approx((0.12, 0.88), abs=5e-3)


def test_run4_bias_is_bounded_in_each_epoch_not_known(published: dict[str, Analysis]) -> None:
    rows = {row.epoch: row for row in published["run4"].rows}
    assert rows[1].bias is None
    assert rows[1].bias_bounds == pytest.approx((1.80, 2.26), abs=5e-3)
    assert rows[10].bias_bounds == pytest.approx((0.64, 1.11), abs=5e-3)  # √(0.86 ∓ 0.408 - 0.0416)
    assert rows[37].bias_bounds is not None
    assert rows[37].bias_bounds[0] == 0.0


def test_run4_policies(published: dict[str, Analysis]) -> None:
    audit = published["run4"].selection
    assert audit is not None
    assert audit.saved == 37
    picks = {p.policy: p.epoch for p in audit.picks}
    assert picks["min_val_loss"] == picks["max_r2"] == picks["r2_patience"] == 37
    assert picks["composite"] == 30
    assert picks["r2_floor_0.4"] == 1


def test_run4_is_flagged_but_47_is_not_called_better(published: dict[str, Analysis]) -> None:
    analysis = published["run4"]
    pick = analysis.finding("selection.collapsed-pick")
    assert pick is not None
    assert pick.severity is Severity.WARNING
    assert pick.epoch == 37
    onset = analysis.finding("collapse.onset")
    assert onset is not None
    assert onset.severity is Severity.WARNING
    assert analysis.finding("selection.wrong-pick") is None
    assert analysis.selection is not None
    assert analysis.selection.verdict == "indistinguishable"
    assert analysis.selection.n_assumed
    assert {37, 47} <= set(analysis.selection.indistinguishable or ())


def test_run4_signal_cannot_be_told_from_none(published: dict[str, Analysis]) -> None:
    final = published["run4"].final
    assert final is not None
    low, high = final.intervals["pearson_r"]
    assert low == pytest.approx(-0.04, abs=6e-3)
    assert high == pytest.approx(0.28, abs=6e-3)
    assert published["run4"].finding("signal.limited") is not None


def test_run4_needs_more_correlation_than_it_has(published: dict[str, Analysis]) -> None:
    needs = {
        j.tier: (j.needs_r, j.needs_r_biased, j.feasible) for j in published["run4"].criteria if j.needs_r is not None
    }
    assert needs["minimum"] == (pytest.approx(0.15), pytest.approx(0.24, abs=5e-3), False)
    assert needs["good"] == (pytest.approx(0.30), pytest.approx(0.36, abs=5e-3), False)
    assert needs["excellent"] == (pytest.approx(0.59, abs=5e-3), pytest.approx(0.63, abs=5e-3), False)
    assert {j.criterion.text: j.verdict for j in published["run4"].criteria}["r2 > -0.04"] == "not met"


def test_run2_not_run1_has_the_best_r2(published: dict[str, Analysis]) -> None:
    comparison = compare_runs(list(published.values()))
    best = {b.metric: b for b in comparison.best}
    assert best["r2"].run == "run2"
    assert best["r2"].value == -0.0226
    assert best["r2"].tied is None, "summaries support no ranking"
    assert comparison.paired is None
    assert comparison.refused is not None
    assert "no predictions" in comparison.refused


def test_run1_correlation_is_bounded_below(published: dict[str, Analysis]) -> None:
    final = published["run1"].final
    assert final is not None
    assert final["pearson_r"] is None
    assert final.bounds["pearson_r"][0] == pytest.approx(0.14, abs=5e-3)


def test_run3_deficit_is_its_mean(published: dict[str, Analysis]) -> None:
    budget, final = published["run3"].budget, published["run3"].final
    assert budget is not None
    assert final is not None
    assert final["bias"] == pytest.approx(-0.45, abs=5e-3)
    assert final["pearson_r"] == pytest.approx(0.05, abs=5e-3)
    assert budget.wrong_mean == pytest.approx(0.206, abs=5e-4)


def test_the_page_says_what_the_source_got_wrong(page: str) -> None:
    for text in ("22.3 %", "46.2 %", "8.1 %", "0.304", "0.984 missing information", "92 % is missing information"):
        assert text in page, text
    assert "acts on the wrong spread alone, which is 0.9 % of this run's error" in page
    assert "**run2** (-0.0226)" in page


def test_nothing_is_claimed_about_epochs_nobody_published(published: dict[str, Analysis], page: str) -> None:
    assert "nothing is said here of the 41 that were not published" in page
    assert [row.epoch for row in published["run4"].rows] == [1, 10, 20, 30, 37, 47]
    assert published["run1"].rows == ()
    assert published["run1"].selection is None
    unpublished = [
        e for f in published["run4"].findings if (e := f.epoch) is not None and e not in (1, 10, 20, 30, 37, 47)
    ]
    assert unpublished == []
