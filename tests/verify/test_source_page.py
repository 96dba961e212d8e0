"""The page that this project started from, against the figures that were published with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from runreport.analysis.engine import analyze_run
from runreport.cli.app import app
from runreport.ingest.load import load_runs
from runreport.run import Run
from runreport.verify.engine import verify
from runreport.verify.record import Claim, Kind, Verdict, Verification

PAGE = Path(__file__).parent / "fixtures" / "run4_analysis.md"


@pytest.fixture(scope="module")
def found(repository: Path) -> Verification:
    runs = [r for r in load_runs([str(repository / "example_logs" / "published")]) if isinstance(r, Run)]
    return verify(PAGE.read_text(encoding="utf-8"), [analyze_run(r) for r in runs])


def at(found: Verification, line: int, kind: Kind = Kind.VALUE) -> list[Claim]:
    return [c for c in found.claims if c.line == line and c.kind is kind]


def test_the_page_is_about_run4(found: Verification) -> None:
    assert found.subject == "run4"
    assert found.runs == ("run1", "run2", "run3", "run4")


def test_run1_has_not_the_best_r2(found: Verification) -> None:
    (claim,) = at(found, 124, Kind.SUPERLATIVE)
    assert claim.verdict is Verdict.CONTRADICTED
    assert claim.right == -0.0226
    assert "run2" in claim.reason


def test_no_published_epoch_has_6_percent(found: Verification) -> None:
    (claim,) = at(found, 13, Kind.TREND)
    assert claim.verdict is Verdict.CONTRADICTED
    assert claim.right == 0.081
    assert "lowest is 8.1 % (epoch 37)" in claim.reason
    assert (
        "line 54" in claim.reason
    )  # 41 epochs were not published: it is the page's own "worst variance" that rules it out


def test_without_the_pages_own_claim_the_6_percent_could_be_in_an_unpublished_epoch(repository: Path) -> None:
    runs = [r for r in load_runs([str(repository / "example_logs" / "published")]) if isinstance(r, Run)]
    text = "# Run 4\n\nVariance ratio collapsed during training from 46% → 6% → 22%.\n"
    (claim,) = verify(text, [analyze_run(r) for r in runs]).claims
    assert claim.verdict is Verdict.NOT_CHECKABLE
    assert "41 of 47 epochs are not in the log" in claim.reason


def test_the_ratio_is_of_deviations_and_the_loss_takes_variances(found: Verification) -> None:
    named = at(found, 93, Kind.FORMULA)
    assert len(named) == 1
    assert "ratio of standard deviations" in named[0].reason
    assert "22.3 %" in named[0].reason
    (inserted,) = at(found, 98, Kind.FORMULA)
    assert inserted.verdict is Verdict.CONTRADICTED
    assert inserted.right == pytest.approx((1 - 0.08**2) ** 2)


@pytest.mark.parametrize("line", [56, 112])
def test_later_epochs_are_not_shown_to_be_better(found: Verification, line: int) -> None:
    (claim,) = at(found, line, Kind.COMPARISON)
    assert claim.verdict is Verdict.NOT_CHECKABLE
    assert claim.reason.startswith("not distinguishable: R² -0.0748 at epoch 47 against -0.0513")
    assert "standard error 0.011 to 0.154" in claim.reason


def test_nothing_else_is_contradicted(found: Verification) -> None:
    assert sorted(c.line for c in found.claims if c.verdict is Verdict.CONTRADICTED) == [13, 98, 124]


def test_final_results_and_tables_are_supported(found: Verification) -> None:
    for line in (20, 21, 22, 23, 28, 29, 30, 31, *range(43, 49), 109, 110, 113, 114, 123):
        verdicts = {c.verdict for c in at(found, line) if c.written != "75%"}
        assert verdicts == {Verdict.SUPPORTED}, line
    assert len(at(found, 28)) == 4
    assert {c.about["metric"] for c in at(found, 29)} == {"pred_mean", "pred_std", "pred_min", "pred_max"}


def test_targets_and_proposals_are_not_held_against_the_logs(found: Verification) -> None:
    for line in (142, 147, 211, 226, 228, 231, 267, 268, 269, 270, 273):
        assert at(found, line), line
        assert {c.verdict for c in at(found, line)} == {Verdict.NOT_CHECKABLE}, line


def test_courses_and_factors_of_several_runs(found: Verification) -> None:
    assert [c.verdict for c in at(found, 74, Kind.TREND)] == [Verdict.SUPPORTED]
    assert [c.verdict for c in at(found, 74)] == [Verdict.SUPPORTED]  # 5-7x
    assert [c.verdict for c in at(found, 99, Kind.ARITHMETIC)] == [Verdict.SUPPORTED]


def test_command(repository: Path) -> None:
    logs = str(repository / "example_logs" / "published")
    shown = CliRunner().invoke(app, ["verify", str(PAGE), "--logs", logs])
    assert shown.exit_code == 1
    assert f"{PAGE.as_posix()}:124: contradicted: the highest R² is -0.0226 (run2)" in shown.stdout
    as_json = CliRunner().invoke(app, ["verify", str(PAGE), "--logs", logs, "--format", "json"])
    document = json.loads(as_json.stdout)
    assert document["contradicted"] == 3
    assert document["about"] == "run4"
    assert {c["verdict"] for c in document["claims"]} == {"supported", "contradicted", "not checkable"}
    as_md = CliRunner().invoke(app, ["verify", str(PAGE), "--logs", logs, "--format", "md"])
    assert "### Contradicted by the logs" in as_md.stdout
