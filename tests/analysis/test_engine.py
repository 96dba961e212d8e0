"""The engine: false discoveries, importance, and the whole way from predictions to findings."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from runreport.analysis.engine import analyze_run, asked_r2, control_false_discoveries, importance
from runreport.analysis.predictions import group_column
from runreport.context import Context, history_of, once_a_run
from runreport.criteria.spec import default_tiers
from runreport.errors import InputError
from runreport.findings import Finding, Severity
from runreport.ingest.load import load_runs
from runreport.run import Run
from runreport.settings import Settings


def run_of(y_true: np.ndarray, y_pred: np.ndarray, **columns: object) -> Run:
    frame = pl.DataFrame({"y_true": y_true, "y_pred": y_pred, **columns})
    return Run(name="x", format="native", files={}, predictions=frame, split="test")


def test_a_flag_that_many_tests_explain_is_dropped() -> None:
    weak = Finding(rule="a", severity=Severity.WARNING, message="", p_value=0.04)
    kept, dropped = control_false_discoveries([weak], [0.04] + [0.9] * 19)
    assert kept == []
    assert dropped == ["a"]


def test_a_critical_flag_needs_the_stricter_rate() -> None:
    serious = Finding(rule="a", severity=Severity.CRITICAL, message="", p_value=0.02)
    (kept,), _ = control_false_discoveries([serious], [0.02])
    assert kept.severity is Severity.WARNING
    assert kept.q_value == pytest.approx(0.02)


def test_a_flag_without_a_test_stays() -> None:
    sure = Finding(rule="loss.not-finite", severity=Severity.CRITICAL, message="")
    assert control_false_discoveries([sure], [0.5]) == ([sure], [])


def test_importance_is_severity_then_what_is_recoverable() -> None:
    small = Finding(rule="a", severity=Severity.WARNING, message="", recoverable=0.03)
    large = Finding(rule="b", severity=Severity.WARNING, message="", recoverable=0.2)
    critical = Finding(rule="c", severity=Severity.CRITICAL, message="")
    assert [f.rule for f in sorted([small, critical, large], key=importance)] == ["c", "b", "a"]


def test_the_r2_asked_for_is_the_lowest_positive_one() -> None:
    assert asked_r2(default_tiers()) == 0.3


def test_calibrated_predictions_have_no_fault_and_an_exact_budget() -> None:
    rng = np.random.default_rng(3)
    signal = rng.normal(size=400)
    truth = signal + rng.normal(size=400)
    analysis = analyze_run(run_of(truth, signal + 0.0))
    assert analysis.budget is not None
    assert analysis.budget.exact
    assert analysis.final is not None
    residual = truth - signal
    assert analysis.final["r2"] == pytest.approx(
        1 - residual @ residual / ((truth - truth.mean()) ** 2).sum(), abs=1e-12
    )
    assert [f for f in analysis.findings if f.severity.rank > 0] == []


def test_a_shift_is_found_and_priced() -> None:
    rng = np.random.default_rng(4)
    signal = rng.normal(size=400)
    truth = signal + rng.normal(size=400)
    analysis = analyze_run(run_of(truth, signal + 2.0))
    finding = analysis.finding("bias.dominates")
    assert finding is not None
    assert finding.severity is Severity.CRITICAL
    assert finding.recoverable == pytest.approx((2.0 - (truth - signal).mean()) ** 2 / truth.var(), rel=1e-9)
    assert analysis.advice[0].id == "bias.remove"


def test_doubled_predictions_are_too_wide() -> None:
    rng = np.random.default_rng(5)
    signal = rng.normal(size=400)
    truth = signal + rng.normal(size=400)
    analysis = analyze_run(run_of(truth, 2.5 * signal))
    assert analysis.finding("spread.over") is not None
    assert analysis.finding("spread.under") is None


def test_halved_predictions_are_too_narrow() -> None:
    rng = np.random.default_rng(6)
    signal = rng.normal(size=400)
    truth = signal + 0.5 * rng.normal(size=400)
    analysis = analyze_run(run_of(truth, 0.2 * signal))
    assert analysis.finding("spread.under") is not None
    assert analysis.finding("spread.over") is None


def test_a_disabled_rule_is_not_run_and_is_named() -> None:
    rng = np.random.default_rng(4)
    signal = rng.normal(size=200)
    run = run_of(signal, signal + 2.0)
    analysis = analyze_run(run, Settings(disabled=frozenset({"bias.dominates"})))
    assert analysis.finding("bias.dominates") is None
    assert "bias.dominates" not in analysis.clear
    assert analysis.disabled == ("bias.dominates",)


def test_every_rule_is_accounted_for() -> None:
    from runreport.rules.registry import all_rules

    rng = np.random.default_rng(7)
    analysis = analyze_run(run_of(rng.normal(size=60), rng.normal(size=60)))
    fired = {f.rule for f in analysis.findings}
    skipped = {n.rule for n in analysis.not_checked}
    assert fired | skipped | set(analysis.clear) == {rule.id for rule in all_rules()}
    assert not skipped & (fired | set(analysis.clear))


def test_group_columns() -> None:
    frame = pl.DataFrame(
        {"y_true": [1.0, 2.0], "local_indices": ["1", "2"], "patient_id": ["a", "a"], "flight_name": ["f", "f"]}
    )
    assert group_column(frame, ("y_true",)) == "flight_name"
    assert group_column(frame.drop("flight_name"), ("y_true",)) == "patient_id"
    assert group_column(frame.select("y_true", "local_indices"), ("y_true",)) is None
    assert group_column(frame, ("y_true",), "local_indices") == "local_indices"
    with pytest.raises(InputError, match="patient_id"):
        group_column(frame, ("y_true",), "patientid")


def test_a_run_with_per_epoch_predictions_alone_is_judged_by_them(tmp_path: Path) -> None:
    logs = Path(__file__).resolve().parents[2] / "example_logs" / "csv"
    shutil.copy(logs / "epoch_predictions_run3.parquet", tmp_path)
    (alone,) = load_runs([str(tmp_path)])
    (whole,) = load_runs([str(logs / "run3.csv")])
    assert isinstance(alone, Run)
    assert isinstance(whole, Run)
    found = analyze_run(alone)
    assert found.history is not None
    assert whole.history is not None
    assert found.history.get("r2") == pytest.approx(whole.history.get("r2"), abs=1e-6)
    assert any("worked out from epoch_predictions_run3.parquet" in note.message for note in found.run.notes)
    assert found.final is not None
    assert (found.final.split, found.final.n, found.final.group_column) == ("validation", 144, "flight_name")
    assert found.final.interval("r2") is not None
    # What was worked out from the predictions cannot be checked against them.
    assert found.context.epoch_metrics is None


@pytest.mark.parametrize(
    "odd",
    [{"variance_ratio": -0.3}, {"variance_ratio": -0.3, "pearson_r": -1.7}, {"pearson_r": 1.2}, {"pearson_r": -1.2}],
)
def test_a_log_of_figures_that_no_data_give_is_reported_all_the_same(odd: dict[str, float]) -> None:
    columns = {"r2": 0.1, "variance_ratio": 0.6, "pred_mean": 1.3, "true_mean": 1.0, "true_std": 0.4, **odd}
    history = history_of(range(1, 11), **{name: [value] * 10 for name, value in columns.items()})
    analysis = analyze_run(Run(name="x", format="native", files={}, history=history))
    assert analysis.budget is None


def test_facts_of_a_run_are_computed_once_and_never_another_runs() -> None:
    asked: list[str] = []

    @once_a_run
    def name_of(context: Context) -> str:
        asked.append(context.run.name)
        return context.run.name

    first, second = (Context(run=Run(name=name, format="native", files={})) for name in "ab")
    assert [name_of(c) for c in (first, first, second, second, first)] == ["a", "a", "b", "b", "a"]
    assert asked == ["a", "b", "a"]


def test_thresholds_of_another_call_are_not_those_of_the_last(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "epoch,train_loss,val_loss\n" + "".join(f"{e},{1 + e % 2 / 100},1\n" for e in range(1, 31))
    )
    run = next(item for item in load_runs([str(tmp_path)]) if isinstance(item, Run))
    plateau = {"loss.plateau": {"least_fall": -1.0, "settled": 1e-9}}
    loose, strict = Settings(), Settings(thresholds=plateau)
    found = [analyze_run(run, settings).finding("loss.plateau") is not None for settings in (loose, strict, loose)]
    assert found == [True, False, True]
    disabled = analyze_run(run, Settings(disabled=frozenset({"loss.plateau"})))
    assert "loss.plateau" not in {f.rule for f in disabled.findings}
