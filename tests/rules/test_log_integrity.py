"""Rules over the log itself: figures that cannot be true, rows that are not there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pytest

from runreport.context import Context, Final, History, Number, history_of
from runreport.findings import Checked, Finding, NotChecked, Severity
from runreport.rules import log_integrity
from runreport.run import Note, Run

RULES = {rule.id: rule for rule in log_integrity.RULES}


def context(
    history: History | None = None,
    *,
    summary: Mapping[str, object] | None = None,
    notes: Sequence[Note] = (),
    columns_read: Mapping[str, str] | None = None,
    final: Final | None = None,
    epoch_metrics: History | None = None,
    saved: int | None = None,
) -> Context:
    run = Run(
        name="a", format="native", files={}, summary=summary or {}, notes=tuple(notes), columns_read=columns_read or {}
    )
    return Context(run=run, history=history, final=final, epoch_metrics=epoch_metrics, saved_epoch=saved)


def check(rule: str, given: Context) -> tuple[Finding, ...]:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, Checked), outcome
    return outcome.findings


def reason(rule: str, given: Context) -> str:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, NotChecked), outcome
    return outcome.reason


def measured(seed: int = 0, epochs: int = 8, n: int = 144, ddof: int = 0) -> dict[str, list[float]]:
    """Figures of real samples, computed by numpy and not by the identity under test."""
    rng = np.random.default_rng(seed)
    y = rng.normal(0.9, 0.48, n)
    columns: dict[str, list[float]] = {
        k: [] for k in ("r2", "variance_ratio", "pearson_r", "pred_mean", "pred_std", "true_mean", "true_std")
    }
    for e in range(epochs):
        p = 0.8 + 0.05 * e + 0.1 * e * (y - 0.9) + rng.normal(0, 0.05 + 0.02 * e, n)
        columns["r2"].append(float(1 - ((y - p) ** 2).sum() / ((y - y.mean()) ** 2).sum()))
        columns["variance_ratio"].append(float(p.std() / y.std()))
        columns["pearson_r"].append(float(np.corrcoef(y, p)[0, 1]))
        columns["pred_mean"].append(float(p.mean()))
        columns["pred_std"].append(float(p.std(ddof=ddof)))
        columns["true_mean"].append(float(y.mean()))
        columns["true_std"].append(float(y.std(ddof=ddof)))
    return columns


def rounded(columns: Mapping[str, Sequence[float]], places: int) -> dict[str, list[Number]]:
    return {name: [round(v, places) for v in values] for name, values in columns.items()}


class TestInconsistent:
    @pytest.mark.parametrize("places", [2, 3, 4, 16])
    @pytest.mark.parametrize("ddof", [0, 1])
    def test_real_figures_agree_at_any_rounding_and_ddof(self, places: int, ddof: int) -> None:
        for seed in range(25):
            columns = rounded(measured(seed, ddof=ddof), places)
            assert check("log.inconsistent", context(history_of(range(1, 9), **columns))) == ()

    @pytest.mark.parametrize("drop", [(), ("pearson_r",), ("pred_mean", "true_mean"), ("pred_std", "true_std")])
    def test_any_subset_of_real_figures_agrees(self, drop: tuple[str, ...]) -> None:
        columns = {k: v for k, v in rounded(measured(3), 4).items() if k not in drop}
        assert check("log.inconsistent", context(history_of(range(1, 9), **columns))) == ()

    def test_an_r2_that_the_others_exclude_fires(self) -> None:
        columns = rounded(measured(1), 4)
        columns["r2"][4] = (columns["r2"][4] or 0) + 0.03
        (finding,) = check("log.inconsistent", context(history_of(range(1, 9), **columns)))
        assert finding.severity is Severity.CRITICAL
        assert finding.epoch == 5
        assert finding.evidence["epochs"] == [5]
        assert "contradicts std ratio, correlation and means" in finding.message

    def test_less_than_rounding_does_not_fire(self) -> None:
        columns = rounded(measured(1), 2)
        columns["r2"] = [None if v is None else v + 0.004 for v in columns["r2"]]
        assert check("log.inconsistent", context(history_of(range(1, 9), **columns))) == ()

    def test_r2_above_what_the_ratio_allows(self) -> None:
        # 2α - α² = 0.36 at α = 0.2: no predictions this narrow reach 0.5.
        history = history_of([1, 2, 3], r2=[0.111, 0.222, 0.501], variance_ratio=[0.2001, 0.2001, 0.2001])
        (finding,) = check("log.inconsistent", context(history))
        assert finding.evidence["r2_at_most"] == pytest.approx(0.36, abs=1e-3)
        assert finding.epoch == 3

    def test_the_published_epochs_are_consistent(self) -> None:
        history = history_of(
            [1, 10, 20, 30, 37, 47],
            variance_ratio=[0.462, 0.204, 0.296, 0.257, 0.081, 0.141],
            r2=[-4.38, -0.86, -1.83, -0.10, -0.0513, -0.0748],
        )
        assert check("log.inconsistent", context(history)) == ()

    @pytest.mark.parametrize("with_true_std", [True, False])
    def test_a_quotient_of_variances_is_recognised(self, with_true_std: bool) -> None:
        columns = measured(2)
        columns["variance_ratio"] = [v * v for v in columns["variance_ratio"]]
        if not with_true_std:
            del columns["true_std"]
            del columns["true_mean"]
        findings = check("log.inconsistent", context(history_of(range(1, 9), **columns)))
        assert len(findings) == 1
        assert "quotient of variances" in findings[0].message

    def test_a_quotient_that_the_reader_mended_is_a_warning(self) -> None:
        note = Note(
            code="log.inconsistent", message="the column holds quotients of variances: its square root was taken"
        )
        given = context(history_of(range(1, 9), **measured(2)))
        (finding,) = check("log.inconsistent", replace(given, run=replace(given.run, notes=(note,))))
        assert finding.severity is Severity.WARNING
        assert finding.message.startswith("The column holds quotients of variances")

    def test_a_ratio_that_is_neither(self) -> None:
        columns = measured(2)
        columns["variance_ratio"] = [v + 0.1 for v in columns["variance_ratio"]]
        findings = check("log.inconsistent", context(history_of(range(1, 9), **columns)))
        assert [f.evidence["kind"] for f in findings] == ["ratio_column_other"]

    def test_logged_r2_is_not_that_of_the_predictions(self) -> None:
        logged = history_of([1, 2, 3], r2=[0.11, 0.21, 0.31])
        computed = history_of([1, 2, 3], r2=[0.1101, 0.2102, 0.36], n=[144.0] * 3)
        (finding,) = check("log.inconsistent", context(logged, epoch_metrics=computed))
        assert finding.evidence["epochs"] == [3]
        # A difference of half a unit in the last printed digit is rounding.
        near = history_of([1, 2, 3], r2=[0.1149, 0.2149, 0.3149], n=[144.0] * 3)
        assert check("log.inconsistent", context(logged, epoch_metrics=near)) == ()

    def test_final_figures_against_predictions(self) -> None:
        final = Final(
            split="test",
            basis="predictions",
            n=144,
            estimates={"r2": -0.0655, "true_mean": 0.937, "true_std": 0.4827, "rmse": 0.4983, "variance_ratio": 0.223},
        )
        right = {"split": "test", "r2": -0.066, "rmse": 0.498, "num_samples": 144}
        assert check("log.inconsistent", context(summary=right, final=final)) == ()
        (finding,) = check("log.inconsistent", context(summary=right | {"r2": 0.21}, final=final))
        assert "R² 0.2100 against -0.06550" in finding.message
        (finding,) = check("log.inconsistent", context(summary=right | {"num_samples": 150}, final=final))
        assert "number of samples" in finding.message
        # Figures of another split say nothing about these predictions.
        assert "no epoch" in reason(
            "log.inconsistent", context(summary=right | {"split": "val", "r2": 0.9}, final=final)
        )

    @pytest.mark.parametrize(("r2", "fires"), [(-0.0655, False), (0.32, False), (0.335, True)])
    def test_published_summary(self, r2: float, fires: bool) -> None:
        # At most 2·0.223 - 0.223² - 0.267² = 0.325 with this ratio and these means.
        final = Final(
            split="test",
            basis="summary",
            n=144,
            estimates={
                "r2": r2, "variance_ratio": 0.223, "true_mean": 0.937, "true_std": 0.4827, "pred_mean": 0.808,
                "pred_std": 0.1076, "pearson_r": 0.125,
            },
            derived=frozenset({"pearson_r"}),
        )  # fmt: skip
        assert bool(check("log.inconsistent", context(final=final))) is fires

    def test_nothing_to_compare(self) -> None:
        assert "no epoch with both" in reason("log.inconsistent", context(history_of([1, 2], r2=[0.1, 0.2])))
        assert "no epoch with both" in reason("log.inconsistent", context())

    def test_undefined_figures_are_skipped(self) -> None:
        history = history_of(
            [1, 2, 3], r2=[math.nan, -math.inf, 1e200], variance_ratio=[0.2, 0.0, 0.3], pearson_r=[None, math.nan, 5.0]
        )
        assert "no epoch with both" in reason("log.inconsistent", context(history))


class TestGaps:
    @pytest.mark.parametrize(
        "epochs",
        [list(range(1, 11)), list(range(10)), [0.5, 1, 1.5, 2.0], [0.09, 0.18, 0.27, 0.36], [1, 2, 3, 3.5]],
    )
    def test_a_row_an_epoch_is_clear(self, epochs: list[float]) -> None:
        assert check("log.gaps", context(history_of(epochs))) == ()

    def test_missing_rows_are_named(self) -> None:
        (finding,) = check("log.gaps", context(history_of([1, 2, 3, 7, 8, 9, 11])))
        assert finding.severity is Severity.WARNING
        assert finding.evidence["gaps"] == [[3, 7], [9, 11]]
        assert finding.evidence["missing_rows"] == 4

    def test_a_log_that_begins_late(self) -> None:
        (finding,) = check("log.gaps", context(history_of([20, 21, 22, 23])))
        assert "begins at epoch 20" in finding.message
        assert check("log.gaps", context(history_of([2, 3, 4]))) == ()

    @pytest.mark.parametrize("epochs", [[5, 10, 15, 20], [1, 10, 20, 30, 37, 47]])
    def test_an_interval_is_information(self, epochs: list[int]) -> None:
        (finding,) = check("log.gaps", context(history_of(epochs)))
        assert finding.severity is Severity.INFO

    def test_published_epochs_are_information(self) -> None:
        given = context(history_of([1, 2, 3, 4, 37, 47]), summary={"published": True})
        (finding,) = check("log.gaps", given)
        assert finding.severity is Severity.INFO
        assert finding.message == "6 epochs between 1 and 47 were published; nothing is known of the others."

    def test_an_irregular_log_claims_no_rows(self) -> None:
        (finding,) = check("log.gaps", context(history_of([1, 2, 5, 11, 30, 70])))
        assert finding.severity is Severity.INFO

    def test_steps_are_not_epochs(self) -> None:
        given = context(history_of([50, 100, 150, 200]), columns_read={"epoch": "step"})
        assert check("log.gaps", given) == ()

    def test_undefined(self) -> None:
        assert reason("log.gaps", context()) == "no history"
        assert "needs at least 3" in reason("log.gaps", context(history_of([1, 2])))


class TestNotes:
    @pytest.mark.parametrize("rule", ["log.duplicate-epochs", "log.restarts", "log.truncated"])
    def test_a_note_becomes_a_finding(self, rule: str) -> None:
        given = context(history_of([1, 2, 3]), notes=[Note(code=rule, message="two rows of epoch 2", epoch=2.0)])
        (finding,) = check(rule, given)
        assert (finding.severity, finding.message, finding.epoch) == (Severity.WARNING, "Two rows of epoch 2.", 2.0)

    @pytest.mark.parametrize("rule", ["log.duplicate-epochs", "log.restarts", "log.truncated"])
    def test_other_notes_do_not(self, rule: str) -> None:
        given = context(history_of([1, 2, 3]), notes=[Note(code="derived", message="exact repeats dropped")])
        assert check(rule, given) == ()

    @pytest.mark.parametrize("rule", ["log.duplicate-epochs", "log.restarts", "log.truncated"])
    def test_no_history(self, rule: str) -> None:
        assert reason(rule, context()) == "no history"

    @pytest.mark.parametrize(
        ("first", "last", "said", "fires"),
        [(1, 30, 47, True), (1, 47, 47, False), (0, 46, 47, False), (0, 45, 47, True)],
    )
    def test_the_run_trained_more_epochs_than_the_log_has(self, first: int, last: int, said: int, fires: bool) -> None:
        given = context(history_of(range(first, last + 1)), summary={"epochs_run": said})
        assert bool(check("log.truncated", given)) is fires

    def test_the_saved_epoch_is_not_in_the_log(self) -> None:
        (finding,) = check("log.truncated", context(history_of(range(1, 20)), saved=37))
        assert finding.message == "The run saved epoch 37; its log ends at epoch 19."


class TestR2AboveOne:
    @pytest.mark.parametrize("name", ["r2", "train_r2"])
    def test_it_is_no_r2(self, name: str) -> None:
        (finding,) = check("log.inconsistent", context(history_of(range(1, 4), **{name: [0.5, 94.74, 0.9]})))
        assert (finding.severity, finding.epoch) == (Severity.CRITICAL, 2)
        assert "94.74 at epoch 2: R² cannot exceed 1. Is it a percentage" in finding.message

    def test_the_final_one_neither(self) -> None:
        final = Final(split="test", basis="summary", estimates={"r2": None})
        (finding,) = check("log.inconsistent", context(summary={"r2": 1.2}, final=final))
        assert finding.message.startswith("The run's own final R² is 1.2")

    @pytest.mark.parametrize("highest", [1.0, 1.0 + 1e-7, math.nan])
    def test_a_perfect_fit_of_single_precision_is_one(self, highest: float) -> None:
        given = context(history_of(range(1, 4), r2=[0.5, 0.9, highest]))
        outcome = RULES["log.inconsistent"].check(given, RULES["log.inconsistent"].limits())
        assert isinstance(outcome, NotChecked)
