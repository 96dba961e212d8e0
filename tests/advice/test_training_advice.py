"""Advice on the training itself: which change of settings follows from the log and the config, and when none does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runreport.advice.give import give_advice
from runreport.advice.record import Advice
from runreport.context import Context, Final, history_of
from runreport.findings import Finding, Severity
from runreport.marks import plain
from runreport.metrics.bounds import r2_at
from runreport.metrics.budget import error_budget
from runreport.run import Run
from runreport.selection.audit import audit

POLICY: dict[str, object] = {
    "monitor": "r2", "mode": "max", "patience": 20, "min_delta": 0.0005, "floor": None, "stopping_warmup": 0,
}  # fmt: skip
CONFIG: dict[str, object] = {
    "optimizer": "adamw", "learning_rate": 2e-3, "weight_decay": 0.01, "batch_size": 32, "max_epochs": 40, "patience": 20,
    "min_delta": 0.0005, "early_stopping": "r2", "stopping_warmup": 0, "recalibrate": "none", "standardise_target": True,
    "output_init_bias": 0.0,
}  # fmt: skip


def run_of(
    r2: list[float],
    *,
    saved: int | None = None,
    ended: str = "max_epochs",
    config: dict[str, object] | None = None,
    policy: dict[str, object] | None = None,
    beta: float = 0.0,
    **columns: list[float],
) -> Context:
    """A run with this course of validation R², judged on 200 test rows."""
    epochs = range(1, len(r2) + 1)
    history = history_of(epochs, r2=r2, **columns)
    saved = saved if saved is not None else r2.index(max(r2)) + 1
    summary = {
        "stopped_because": ended, "selected_epoch": saved, "policy": POLICY | (policy or {}),
        "splits": {"train": {"n": 320, "true_mean": 10.0, "true_std": 2.0}},
    }  # fmt: skip
    run = Run(name="x", format="native", files={}, config=CONFIG | (config or {}), summary=summary)
    final = Final(
        split="test", basis="predictions", n=200,
        estimates={
            "r2": r2_at(0.5, 0.5, beta), "pearson_r": 0.5, "variance_ratio": 0.5, "bias": beta, "calibration_slope": 1.0,
            "true_mean": 10.0, "true_std": 2.0,
        },
        intervals={"pearson_r": (0.4, 0.6), "r2": (0.1, 0.4)},
    )  # fmt: skip
    return Context(
        run=run, history=history, final=final, budget=error_budget(0.5, 0.5, beta),
        selection=audit(run, history, None, seed=0), saved_epoch=saved,
    )  # fmt: skip


def found(rule: str, severity: Severity = Severity.WARNING) -> Finding:
    return Finding(rule=rule, severity=severity, message=f"Found {rule}.")


def next_change(context: Context, *rules: str) -> Advice | None:
    """The advice that ``--next`` applies."""
    return next((a for a in give_advice(context, [found(rule) for rule in rules]) if a.config_patch), None)


def patch(context: Context, *rules: str) -> dict[str, object]:
    advice = next_change(context, *rules)
    return {} if advice is None else dict(advice.config_patch)


RECALIBRATED = {"recalibrate": "apply"}
FLAT = [0.1 + 0.3 * (1 - 0.8**i) for i in range(40)]


@pytest.mark.parametrize(
    ("rate", "rule", "to"),
    [
        (2.0, "collapse.constant", 1e-3),
        (2.0, "lr.too-high", 1e-3),
        (0.009, "lr.too-high", 0.003),  # within a decade of the usual: one step of a rate search
        (2e-3, "collapse.constant", None),
        (1e-5, "fit.underfit", 1e-3),
        (1e-5, "lr.too-low", 1e-3),
        (5e-4, "lr.too-low", 0.0015),
        (1e-5, "signal.limited", None),
        (1e-5, "bias.dominates", None),  # a pretrained network may be tuned at such a rate
    ],
)
def test_a_rate_is_brought_to_a_concrete_peak(rate: float, rule: str, to: float | None) -> None:
    context = run_of(FLAT, config={"learning_rate": rate}, learning_rate=[rate] * 40)
    assert patch(context, rule).get("learning_rate") == to
    # Of another optimizer no usual rate is known.
    other = run_of(FLAT, config={"learning_rate": rate, "optimizer": "lion"}, learning_rate=[rate] * 40)
    assert patch(other, rule).get("learning_rate") != 1e-3


def test_a_rate_far_off_says_how_far() -> None:
    advice = next_change(run_of(FLAT, config={"learning_rate": 2.0}), "fit.underfit", "lr.too-high")
    assert advice is not None
    assert advice.because == ("lr.too-high",), "the most telling finding, not the first"
    assert "from 2 to 0.001, AdamW's own default: this one is 2000 times that" in advice.text
    # A sound run at an odd rate is left alone.
    assert patch(run_of(FLAT, config={"learning_rate": 2.0})) == {}


def test_a_penalty_goes_before_the_rate_it_disturbs() -> None:
    on = run_of(FLAT, config={"variance_lambda": 5.0, "penalty": "variance_ratio", "lambda_schedule": "constant"})
    assert patch(on, "lr.too-high", "penalty.dominates") == {"variance_lambda": 0.0}
    assert patch(on, "lr.too-high", "penalty.batch-bias") == {"variance_lambda": 0.0}
    # Predictions that are too wide under a penalty on their spread: the penalty goes, not its symptom.
    assert patch(on, "spread.over") == {"variance_lambda": 0.0}
    assert patch(run_of(FLAT), "spread.over") == {"recalibrate": "apply"}


def test_a_short_run_that_still_rose_is_made_much_longer() -> None:
    rising = run_of([-2.0, -1.0, 0.2, 0.5], config={"max_epochs": 4})
    advice = next_change(rising)
    assert advice is not None
    assert (advice.id, dict(advice.config_patch)) == ("fit.train-longer", {"max_epochs": 40})
    assert "R² rose to the last of 4 epochs, by 1.50 over their second half" in advice.text
    assert advice.expected is not None
    assert (advice.expected.low, advice.expected.high) == (0.25, 1.0), "above this run's R²"
    assert patch(run_of([0.3], config={"max_epochs": 1})) == {"max_epochs": 10}
    # It had levelled off; its best epoch was not the last; patience ended it; the log is long enough for a trend.
    assert patch(run_of([0.1, 0.4, 0.41, 0.415], config={"max_epochs": 4})) == {}
    assert patch(run_of([-2.0, -1.0, 0.6, 0.5], config={"max_epochs": 4})) == {}
    assert patch(run_of([-2.0, -1.0, 0.2, 0.5], ended="patience", config={"max_epochs": 4})) == {}
    assert patch(run_of([i / 30 for i in range(20)], config={"max_epochs": 20})) == {}


def test_patience_that_ran_out_on_a_rise_is_raised() -> None:
    hasty: dict[str, object] = {"patience": 1, "min_delta": 0.2}
    course = [-2.0, -0.1, 0.45, 0.6]
    advice = next_change(run_of(course, saved=3, ended="patience", config=hasty, policy=hasty))
    assert advice is not None
    assert (advice.id, dict(advice.config_patch)) == ("selection.wait-longer", {"patience": 10, "min_delta": 0.0005})
    assert "stopped after 4 epochs because 1 epoch did not better r2 by more than 0.200" in plain(advice.text)
    assert "R² was at its highest, 0.600, and had gained 0.70 over the second half" in advice.text
    # A run that had settled, and one that waited long enough, were right to stop.
    settled = [0.1, 0.4, 0.41, 0.4]
    assert patch(run_of(settled, saved=2, ended="patience", config={"patience": 1}, policy={"patience": 1})) == {}
    assert patch(run_of([*FLAT[:20], *[0.3] * 20], saved=20, ended="patience")) == {}


@pytest.mark.parametrize(
    ("kind", "patience", "change"),
    [
        ("patience", 3, {"patience": 10}),
        ("patience", 20, {"patience": 40}),  # never less than it was
        ("least_improvement", 3, {"patience": 10, "min_delta": 0.0005}),
        ("least_improvement", 20, {"min_delta": 0.0005}),
        ("all_improve", 20, {"max_epochs": 60}),
    ],
)
def test_a_run_that_its_rule_calls_stopped_short(kind: str, patience: int, change: dict[str, object]) -> None:
    short = replace(found("selection.stopped-short"), evidence={"kind": kind})
    given = give_advice(run_of(FLAT, config={"patience": patience}), [short])
    assert [dict(advice.config_patch) for advice in given] == [change]
    assert given[0].because == ("selection.stopped-short",)


@pytest.mark.parametrize(
    ("setting", "change"),
    [
        ({"monitor": "composite"}, {"early_stopping": "r2"}),
        ({"monitor": "r2", "floor": 0.4}, {"early_stopping": "r2"}),
        ({"stopping_warmup": 39}, {"stopping_warmup": 0}),
    ],
)
def test_an_epoch_that_a_setting_kept_from_being_saved(setting: dict[str, object], change: dict[str, object]) -> None:
    """The best epoch is the 10th, the last is saved; without such a setting nothing is said."""
    course = [*[0.04 * i for i in range(1, 11)], *[0.4 - 0.01 * i for i in range(1, 31)]]
    advice = next_change(run_of(course, saved=40, policy=setting))
    assert advice is not None
    assert (advice.id, dict(advice.config_patch)) == ("selection.change-policy", change)
    assert "Epoch 10 has a validation R² of 0.400, the saved one 0.100" in advice.text
    assert advice.expected is not None
    assert advice.expected.low == 0.25
    assert advice.expected.high == pytest.approx(0.55), "no more than validation gained"
    assert patch(run_of(course, saved=40)) == {}
    # Closer than what is noticeable, it is not worth a change.
    assert patch(run_of(course, saved=11, policy=setting)) == {}


def test_an_improvement_that_could_not_count() -> None:
    course = [0.1, 0.2, *[0.2 + 0.01 * i for i in range(1, 31)]]
    demanding: dict[str, object] = {"min_delta": 0.5}
    left = run_of(course, saved=1, config=demanding, policy=demanding)
    assert patch(left) == {"min_delta": 0.0005}
    assert patch(run_of(course, saved=1)) == {}, "with the usual least improvement it is for other rules to say"


def test_decay_that_takes_every_weight_away() -> None:
    strong = run_of(FLAT, config={"weight_decay": 3.0}, learning_rate=[2e-3] * 40)
    advice = next_change(strong, "spread.under")
    assert advice is not None
    assert (advice.id, dict(advice.config_patch)) == ("fit.lower-decay", {"weight_decay": 0.01})
    # 3 · 2e-3 · 10 steps · 40 epochs = 2.4, and e^-2.4 = 9.07 %.
    assert "9.07 % of a weight" in advice.text
    assert patch(run_of(FLAT, config={"weight_decay": 0.3}, learning_rate=[2e-3] * 40), "spread.under") == RECALIBRATED
    slow = run_of(FLAT, config={"weight_decay": 3.0}, learning_rate=[1e-6] * 40)
    assert patch(slow, "spread.under") == RECALIBRATED, "too slow to matter"
    assert patch(strong) == {}, "nothing is wrong with the run"


def test_scale_is_mended_where_the_loss_did_not_see_a_standardised_target() -> None:
    raw = run_of(FLAT, config={"standardise_target": False})
    assert patch(raw, "scale.mismatch") == {"standardise_target": True}
    advice = give_advice(run_of(FLAT), [found("scale.mismatch", Severity.CRITICAL)])[0]
    assert advice.config_patch == {}
    assert advice.title == "Find where the scale is lost"


@pytest.mark.parametrize(
    ("share", "epochs", "standardised", "change"),
    [(0.26, 19, False, {"standardise_target": True}), (0.1, 19, False, {}), (0.5, 2, False, {}), (0.26, 19, True, {})],
)
def test_a_slow_way_to_the_scale_is_spared(
    share: float, epochs: int, standardised: bool, change: dict[str, bool]
) -> None:
    seen = {"share_of_epochs": share, "epochs_unsettled": epochs}
    slow = replace(found("scale.mismatch", Severity.INFO), evidence=seen)
    given = give_advice(run_of(FLAT, config={"standardise_target": standardised}), [slow])
    assert dict(given[0].config_patch) == change


def test_a_bias_that_validation_has_too_is_taken_out_by_its_line() -> None:
    at = {"pred_mean": [9.0] * 40, "true_mean": [10.0] * 40, "true_std": [2.0] * 40}
    biased = run_of(FLAT, beta=-0.5, **at)
    advice = next_change(biased, "bias.dominates")
    assert advice is not None
    assert dict(advice.config_patch) == {"recalibrate": "apply"}
    assert "The validation predictions are off by -0.50 σ as well" in advice.text
    # A validation split without the bias, or with the opposite one, fits no such line.
    for mean in (10.0, 11.0):
        assert patch(run_of(FLAT, beta=-0.5, **at | {"pred_mean": [mean] * 40}), "bias.dominates") == {}
    applied = replace(biased, run=replace(biased.run, config=dict(biased.run.config) | {"recalibrate": "apply"}))
    assert patch(applied, "bias.dominates") == {}


def test_every_change_has_words_a_part_and_a_test_that_could_refute_it() -> None:
    hasty: dict[str, object] = {"patience": 1, "min_delta": 0.2}
    for advice in (
        next_change(run_of([-2.0, -1.0, 0.2, 0.5], config={"max_epochs": 4})),
        next_change(run_of([-2.0, -0.1, 0.45, 0.6], saved=3, ended="patience", config=hasty, policy=hasty)),
        next_change(run_of(FLAT, config={"weight_decay": 3.0}, learning_rate=[2e-3] * 40), "spread.under"),
        next_change(run_of([*FLAT, *[0.1] * 5], saved=45, policy={"monitor": "composite"})),
    ):
        assert advice is not None
        assert advice.acts_on == "r"
        assert advice.expected is not None
        assert advice.refutation, advice.id
        assert advice.ceiling_r2 == 0.25
