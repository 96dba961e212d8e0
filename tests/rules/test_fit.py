"""Rules over the fit: overfitting and underfitting."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runreport.context import Context, Final, Number, history_of
from runreport.findings import Checked, NotChecked, Severity
from runreport.rules import fit
from runreport.rules.loss_series import trailing_medians
from runreport.run import Run

RULES = {rule.id: rule for rule in fit.RULES}
SPLITS = {"splits": {"val": {"n": 144}, "train": {"n": 501}}}


def context(
    columns: Mapping[str, Sequence[Number]],
    *,
    saved: int | None = None,
    summary: Mapping[str, object] | None = None,
    config: Mapping[str, object] | None = None,
    validation: Final | None = None,
) -> Context:
    run = Run(name="a", format="native", files={}, config=config or {}, summary=SPLITS if summary is None else summary)
    epochs = range(1, 1 + max(map(len, columns.values()), default=0))
    return Context(run=run, history=history_of(epochs, **columns), saved_epoch=saved, validation=validation)


def check(rule: str, given: Context) -> Checked:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, Checked), outcome
    return outcome


def reason(rule: str, given: Context) -> str:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, NotChecked), outcome
    return outcome.reason


RISING = [0.1 * e for e in range(6)] + [0.6, 0.7, 0.8, 0.9, 0.95, 0.98, 0.99, 0.99, 0.99, 0.99]
FALLING: list[Number] = [0.0, 0.1, 0.3, 0.45, 0.5, 0.5, 0.4, 0.3, 0.2, 0.1, 0.0, -0.1, -0.2, -0.2, -0.2, -0.2]


class TestOverfit:
    def test_fires_where_the_last_epoch_is_used(self) -> None:
        outcome = check("fit.overfit", context({"train_r2": RISING, "r2": FALLING}))
        (finding,) = outcome.findings
        assert finding.severity is Severity.WARNING
        assert finding.evidence["fallen"] == pytest.approx(0.65)
        assert outcome.p_values == (finding.p_value,)

    def test_a_saved_epoch_before_it_has_lost_nothing(self) -> None:
        (finding,) = check("fit.overfit", context({"train_r2": RISING, "r2": FALLING}, saved=5)).findings
        assert finding.severity is Severity.INFO
        assert finding.p_value is None
        assert "The saved epoch 5 came before that" in finding.message

    def test_a_saved_epoch_after_it_has(self) -> None:
        (finding,) = check("fit.overfit", context({"train_r2": RISING, "r2": FALLING}, saved=12)).findings
        assert (finding.severity, finding.epoch) == (Severity.WARNING, 12)
        assert finding.recoverable == pytest.approx(0.6)

    @pytest.mark.parametrize(
        ("train", "val"),
        [
            (RISING, [min(v, 0.69) for v in RISING]),  # a gap without a fall
            ([0.45] * 16, FALLING[:6] + [0.2] * 10),  # a fall without a gap
            (RISING, FALLING[:6] + [0.45] * 10),  # a fall within two standard errors
            ([0.1] * 16, [0.5] * 16),  # validation above train
        ],
    )
    def test_innocent(self, train: list[Number], val: list[Number]) -> None:
        assert check("fit.overfit", context({"train_r2": train, "r2": val})).findings == ()

    def test_jitter_is_no_fall(self) -> None:
        val = [0.5 + (0.15 if e % 2 else -0.15) for e in range(20)]
        assert check("fit.overfit", context({"train_r2": [0.95] * 20, "r2": val})).findings == ()

    def test_the_standard_error_is_that_of_repeated_sampling(self) -> None:
        """Calibrated predictions with R² = 0.5 on 144 samples: the spread of R² over 4,000 draws by numpy."""
        rng = np.random.default_rng(0)
        y_pred = rng.normal(0, math.sqrt(0.5), (4000, 144))
        y_true = y_pred + rng.normal(0, math.sqrt(0.5), (4000, 144))
        r2 = 1 - ((y_true - y_pred) ** 2).sum(1) / ((y_true - y_true.mean(1, keepdims=True)) ** 2).sum(1)
        (finding,) = check("fit.overfit", context({"train_r2": RISING, "r2": FALLING}, saved=12)).findings
        assert finding.evidence["se"] == pytest.approx(float(r2.std(ddof=0)), rel=0.05)

    def test_the_error_of_the_predictions_goes_before_theory(self) -> None:
        final = Final(split="validation", basis="predictions", estimates={}, n=144, standard_errors={"r2": 0.5})
        given = context({"train_r2": RISING, "r2": FALLING}, validation=final)
        assert check("fit.overfit", given).findings == ()

    def test_an_unknown_sample_count_is_taken_as_small(self) -> None:
        (finding,) = check("fit.overfit", context({"train_r2": RISING, "r2": FALLING}, summary={})).findings
        assert (finding.evidence["n"], finding.evidence["n_assumed"]) == (30.0, True)
        mild: list[Number] = [*FALLING[:6], *[0.35] * 10]
        assert check("fit.overfit", context({"train_r2": RISING, "r2": mild}, summary={})).findings == ()

    def test_losses_stand_in_where_they_are_the_same_loss(self) -> None:
        columns: dict[str, Sequence[Number]] = {
            "train_loss": [1.0, 0.5, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05],
            "val_loss": [1.0, 0.6, 0.5, 0.6, 0.8, 0.9, 0.9, 0.9, 0.9, 0.9],
        }
        (finding,) = check("fit.overfit", context(columns, config={"loss": "mse"})).findings
        assert finding.severity is Severity.WARNING
        assert finding.evidence["basis"] == "losses"
        (finding,) = check("fit.overfit", context(columns, config={"loss": "mse"}, saved=3)).findings
        assert finding.severity is Severity.INFO
        mild = columns | {"val_loss": [1.0, 0.6, 0.5, 0.55, 0.6, 0.6, 0.6, 0.6, 0.6, 0.6]}
        assert check("fit.overfit", context(mild, config={"loss": "mse"})).findings == ()
        assert "no config that says" in reason("fit.overfit", context(columns))
        weighted = {"loss": "mse", "overweight_factor": 2.0}
        assert "weighted" in reason("fit.overfit", context(columns, config=weighted))

    def test_undefined(self) -> None:
        assert "4 epochs" in reason("fit.overfit", context({"train_r2": RISING[:4], "r2": FALLING[:4]}))
        apart: dict[str, Sequence[Number]] = {"train_r2": [None, 0.1], "r2": [0.1, None]}
        assert "no epoch with both" in reason("fit.overfit", context(apart))

    def test_a_run_that_diverges_after_its_training_set_was_evaluated(self) -> None:
        train: list[Number] = [None] * 40
        train[0], train[24] = 0.05, 0.85
        val: list[Number] = [min(e / 20, 1) * 0.8 if e < 30 else -0.05 for e in range(1, 41)]
        given = context({"train_r2": train, "r2": val})
        assert check("fit.overfit", given).findings == ()  # train R² 0.85 beside 0.8: the gap was not there
        val[24] = 0.4
        (finding,) = check("fit.overfit", context({"train_r2": train, "r2": val})).findings
        assert "(epoch 25, its last logged)" in finding.message

    def test_a_training_set_that_is_evaluated_seldom(self) -> None:
        """As `training` does by default: every 25 epochs, and the last."""
        for saved, epoch, severity in (
            (14, 14, Severity.WARNING),
            (5, 16, Severity.INFO),
            (None, 16, Severity.WARNING),
        ):
            seldom: list[Number] = [v if e in (12, 16) else None for e, v in enumerate(RISING, start=1)]
            (finding,) = check("fit.overfit", context({"train_r2": seldom, "r2": FALLING}, saved=saved)).findings
            assert (finding.epoch, finding.severity) == (epoch, severity)
            assert finding.evidence["train_epoch"] == (12 if epoch == 14 else 16)
            assert ("(epoch 12, its last logged)" in finding.message) is (epoch == 14)

    def test_nothing_is_said_of_an_epoch_before_the_first_evaluation(self) -> None:
        late: list[Number] = [None] * 15 + [0.99]
        (finding,) = check("fit.overfit", context({"train_r2": late, "r2": FALLING}, saved=14)).findings
        assert (finding.epoch, finding.severity) == (16, Severity.INFO)

    def test_a_perfect_best_does_not_divide_by_zero(self) -> None:
        val: list[Number] = [*[1.0] * 6, *[0.0] * 10]
        assert len(check("fit.overfit", context({"train_r2": [1.0] * 16, "r2": val})).findings) == 1


class TestUnderfit:
    def test_fires(self) -> None:
        (finding,) = check("fit.underfit", context({"train_r2": [-0.5, -0.4, -0.3, -0.2, -0.3]})).findings
        assert (finding.severity, finding.epoch) == (Severity.WARNING, 4)
        assert "predicting its mean, which has R² = 0, fits it better" in finding.message

    def test_a_low_ceiling_is_no_underfit(self) -> None:
        """Train R² 0.03 of targets that hold no more: information, and the evidence that would decide is named."""
        (finding,) = check("fit.underfit", context({"train_r2": [0.0, 0.01, 0.02, 0.03, 0.02]})).findings
        assert (finding.severity, finding.evidence["better_fit"]) == (Severity.INFO, None)
        assert "that a better fit exists is not shown" in finding.message
        assert "A simple model with a higher R² on the same rows would show it" in finding.message

    @pytest.mark.parametrize(("low", "severity"), [(0.2, Severity.INFO), (0.5, Severity.WARNING)])
    def test_held_out_information_above_the_train_fit_shows_that_a_better_one_exists(
        self, low: float, severity: Severity
    ) -> None:
        """At most 0.03 + 2·SE = 0.06 on 501 rows; r ≥ 0.2 on validation is r² ≥ 0.04, r ≥ 0.5 is 0.25."""
        final = Final(
            split="validation", basis="predictions", estimates={"pearson_r": 0.6}, intervals={"pearson_r": (low, 0.7)}
        )
        given = context({"train_r2": [0.0, 0.01, 0.02, 0.03, 0.02]}, validation=final)
        (finding,) = check("fit.underfit", given).findings
        assert finding.severity is severity

    @pytest.mark.parametrize("best", [0.09, 0.2, 0.9])
    def test_a_fit_within_two_errors_of_the_threshold_is_clear(self, best: float) -> None:
        assert check("fit.underfit", context({"train_r2": [0.0, 0.01, best, 0.03, 0.02]})).findings == ()

    def test_without_a_sample_count_the_value_itself_decides(self) -> None:
        given = context({"train_r2": [0.0, 0.01, 0.09, 0.03, 0.02]}, summary={})
        assert len(check("fit.underfit", given).findings) == 1

    def test_undefined(self) -> None:
        assert "no train_r2" in reason("fit.underfit", context({"r2": [0.1] * 9}))
        assert "after 4 epochs" in reason("fit.underfit", context({"train_r2": [0.1] * 4}))

    def test_one_evaluation_at_the_end_is_enough(self) -> None:
        seldom: list[Number] = [None] * 7 + [-0.2]
        (finding,) = check("fit.underfit", context({"train_r2": seldom, "r2": [0.1] * 8})).findings
        assert "never exceeds -0.200 at the one epoch that logs it" in finding.message


class TestRiseOfValidationLoss:
    """Without train R² and config: the validation loss against its own minimum."""

    @staticmethod
    def losses(rise: float, noise: float, seed: int, train_end: float = 0.02) -> dict[str, Sequence[Number]]:
        rng = np.random.default_rng(seed)
        epochs = np.arange(50)
        val = 0.268 + 0.2 * np.exp(-epochs / 3) + rise * np.maximum(epochs - 14, 0) / 35 + rng.normal(0, noise, 50)
        train = train_end + (0.46 - train_end) * np.exp(-epochs / 8)
        return {"train_loss": train.tolist(), "val_loss": val.tolist()}

    def test_it_is_information_and_says_what_it_compares(self) -> None:
        (finding,) = check("fit.overfit", context(self.losses(0.195, 0.004, 0), summary={})).findings
        assert finding.severity is Severity.INFO
        assert finding.evidence["rise"] == pytest.approx(0.7, abs=0.1)
        assert isinstance(finding.epoch, int)
        assert 10 <= finding.epoch <= 20
        assert "rose from its own minimum by" in finding.message
        assert f"at epoch {finding.epoch}" in finding.message

    def test_a_flat_noisy_validation_loss_is_none(self) -> None:
        for seed in range(200):
            for noise in (0.004, 0.05):
                assert "no config that says" in reason(
                    "fit.overfit", context(self.losses(0.0, noise, seed), summary={})
                )

    def test_a_rise_together_with_the_train_loss_is_none(self) -> None:
        columns = self.losses(0.195, 0.004, 0, train_end=0.9)
        assert "no config that says" in reason("fit.overfit", context(columns, summary={}))

    def test_a_rise_too_small_to_matter_is_none(self) -> None:
        assert "no config that says" in reason("fit.overfit", context(self.losses(0.01, 0.0, 0), summary={}))


@given(st.lists(st.floats(-1e6, 1e6), max_size=14), st.integers(1, 6))
def test_trailing_medians_are_those_of_each_window(values: list[float], width: int) -> None:
    pairs = list(enumerate(values))
    expected = [(i, statistics.median(values[max(0, i - width + 1) : i + 1])) for i in range(len(values))]
    assert trailing_medians(pairs, width) == expected
