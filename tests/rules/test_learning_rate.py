"""Rules over the learning rate: its schedule, and the loss under it."""

from __future__ import annotations

import math
import random
import struct
from collections.abc import Mapping, Sequence

import pytest

from runreport.context import Context, History, Number, history_of
from runreport.findings import Checked, Finding, NotChecked, Severity
from runreport.rules import learning_rate
from runreport.run import Run

RULES = {rule.id: rule for rule in learning_rate.RULES}


def context(
    history: History | None, config: Mapping[str, object] | None = None, summary: Mapping[str, object] | None = None
) -> Context:
    return Context(
        run=Run(name="a", format="native", files={}, config=config or {}, summary=summary or {}), history=history
    )


def rated(rates: Sequence[Number], **columns: Sequence[Number]) -> History:
    return history_of(range(1, len(rates) + 1), learning_rate=rates, **columns)


def check(rule: str, given: Context) -> tuple[Finding, ...]:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, Checked), outcome
    return outcome.findings


def reason(rule: str, given: Context) -> str:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, NotChecked), outcome
    return outcome.reason


def float32(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def cosine(n: int, peak: float = 1e-3) -> list[float]:
    return [peak * 0.5 * (1 + math.cos(math.pi * e / n)) for e in range(1, n + 1)]


SLIVERS = [5e-4 * e / 500 for e in range(1, 48)]


class TestWarmupNeverEnded:
    @pytest.mark.parametrize("rates", [SLIVERS, [float32(v) for v in SLIVERS], [round(v, 7) for v in SLIVERS]])
    def test_fires_and_says_how_many_epochs_were_missing(self, rates: list[float]) -> None:
        (finding,) = check("lr.warmup-never-ended", context(rated(rates), {"learning_rate": 5e-4}))
        assert (finding.severity, finding.epoch, finding.acts_on) == (Severity.CRITICAL, 47, "r")
        assert "9.4 % of the configured" in finding.message
        assert "it needed 453 more epochs" in finding.message
        missing = finding.evidence["epochs_missing"]
        assert isinstance(missing, float)
        assert missing == pytest.approx(453, abs=0.01)

    def test_without_a_config_the_peak_is_unknown(self) -> None:
        (finding,) = check("lr.warmup-never-ended", context(rated(SLIVERS)))
        assert "its peak is not known" in finding.message
        assert finding.evidence["epochs_missing"] is None

    def test_a_curved_rise_is_not_extended(self) -> None:
        rates = [1e-3 * (1 - math.cos(math.pi * e / 100)) / 2 for e in range(1, 31)]
        (finding,) = check("lr.warmup-never-ended", context(rated(rates), {"learning_rate": 1e-3}))
        assert finding.evidence["epochs_missing"] is None
        assert "more epoch" not in finding.message

    def test_a_reduction_on_the_way_up_does_not_hide_it(self) -> None:
        rates = [v if e < 25 else 0.5 * v for e, v in enumerate(SLIVERS)]
        assert rates[25] < rates[24]
        (finding,) = check("lr.warmup-never-ended", context(rated(rates), {"learning_rate": 5e-4}))
        assert "all but a few epochs" in finding.message
        # Without a configured peak such a rate might as well be a cycle.
        assert check("lr.warmup-never-ended", context(rated(rates))) == ()

    @pytest.mark.parametrize(
        "rates",
        [
            [1e-3] * 20,
            [float32(1e-3), 1e-3] * 10,
            cosine(20),
            [1e-3 * min(1.0, e / 19) for e in range(1, 21)],  # the last step is level
            [1e-3 * e / 5 for e in range(1, 6)] + cosine(15),
            [1e-4, 5e-4, 1e-3, 5e-4, 1e-4, 5e-4, 1e-3],  # a cycle that ends on its rise
            [1e-3 * e / 20 for e in range(1, 21)],  # as long as the run, and complete
        ],
    )
    def test_innocent(self, rates: list[float]) -> None:
        assert check("lr.warmup-never-ended", context(rated(rates), {"learning_rate": 1e-3})) == ()

    def test_missing_rows_do_not_bend_the_line(self) -> None:
        epochs = [1, 2, 3, 7, 8, 20, 21]
        history = history_of(epochs, learning_rate=[1e-6 * e for e in epochs])
        (finding,) = check("lr.warmup-never-ended", context(history, {"learning_rate": 1e-4}))
        assert finding.evidence["straight"] is True

    def test_undefined(self) -> None:
        assert reason("lr.warmup-never-ended", context(history_of([1, 2], r2=[0, 1]))) == "no learning_rate column"
        assert "4 epochs with" in reason("lr.warmup-never-ended", context(rated(SLIVERS[:4])))
        assert "0 throughout" in reason("lr.warmup-never-ended", context(rated([0.0] * 9)))


class TestFrozen:
    def test_zero(self) -> None:
        (finding,) = check("lr.frozen", context(rated([1e-3] * 6 + [0.0] * 4)))
        assert finding.severity is Severity.WARNING
        assert "is 0 for 4 epochs from epoch 7 on" in finding.message

    def test_an_annealing_that_ends_at_zero_is_clear(self) -> None:
        assert check("lr.frozen", context(rated(cosine(30)))) == ()
        assert check("lr.frozen", context(rated([*cosine(30), 0.0]))) == ()

    def test_a_schedule_that_never_acted(self) -> None:
        (finding,) = check("lr.frozen", context(rated([1e-3] * 20), {"lr_scheduler": {"name": "CosineAnnealing"}}))
        assert "cosineannealing" in finding.message

    @pytest.mark.parametrize(
        "config",
        [
            {"scheduler": "constant_with_warmup"},
            {"scheduler": "none"},
            {"scheduler": "StepLR", "step_size": 30},
            {"scheduler": "MultiStepLR", "milestones": [40]},
            {"warmup_steps": 500, "learning_rate": 1e-3},
            {"scheduler": "ReduceLROnPlateau"},
        ],
    )
    def test_a_schedule_that_need_not_have_acted_is_clear(self, config: dict[str, object]) -> None:
        assert check("lr.frozen", context(rated([1e-3] * 20), config)) == ()

    @pytest.mark.parametrize(("stall", "fires"), [(12, False), (13, True)])
    def test_a_plateau_scheduler_that_slept(self, stall: int, fires: bool) -> None:
        val = [1.0, 0.9, 0.8] + [0.85] * stall
        given = context(rated([1e-3] * len(val), val_loss=val), {"plateau_patience": 5})
        assert bool(check("lr.frozen", given)) is fires

    def test_undefined(self) -> None:
        assert "without a config" in reason("lr.frozen", context(rated([1e-3] * 20)))
        assert "4 epochs" in reason("lr.frozen", context(rated([1e-3] * 4)))


class TestJump:
    def test_a_resume_that_forgot_the_schedule(self) -> None:
        rates = cosine(40)[:30] + cosine(40)[:10]
        (finding,) = check("lr.jump", context(rated(rates)))
        assert (finding.severity, finding.epoch) == (Severity.WARNING, 31)

    def test_restarts_are_information(self) -> None:
        rates = cosine(10) * 3
        assert [f.severity for f in check("lr.jump", context(rated(rates)))] == [Severity.INFO]
        one = cosine(10) * 2
        given = context(rated(one), {"scheduler": "CosineAnnealingWarmRestarts"})
        assert [f.severity for f in check("lr.jump", given)] == [Severity.INFO]

    def test_a_cut_beyond_any_step_decay(self) -> None:
        (finding,) = check("lr.jump", context(rated([1e-2] * 5 + [1e-5] * 5)))
        assert finding.epoch == 6

    @pytest.mark.parametrize(
        "rates",
        [
            cosine(30),
            [*cosine(30), 0.0],
            [1e-5, 1e-3, *cosine(20)],
            [1e-2] * 5 + [1e-3] * 5 + [1e-4] * 5,
            [1e-3 * 1.9**e for e in range(10)],
            [1e-3] * 5 + [1.9e-3] * 5,
            SLIVERS,
        ],
    )
    def test_schedules_are_clear(self, rates: list[float]) -> None:
        assert check("lr.jump", context(rated(rates))) == ()

    def test_undefined(self) -> None:
        assert "2 epochs" in reason("lr.jump", context(rated([1e-3, 1e-4])))


class TestMismatch:
    def test_fires(self) -> None:
        (finding,) = check("lr.config-mismatch", context(rated([1e-4] * 5), {"lr": 1e-3}))
        assert finding.severity is Severity.WARNING
        assert "10.0 % of the configured" in finding.message
        assert len(check("lr.config-mismatch", context(rated([2e-3] * 5), {"lr": 1e-3}))) == 1

    @pytest.mark.parametrize(
        "rates",
        [
            [float32(1e-3)] * 5,
            [0.91e-3] * 5,
            cosine(8),
            [1e-3 * (1 - e / 3) for e in range(1, 4)],  # linear decay logged after the epoch
            [1e-3 * 0.5**e for e in range(1, 6)],  # halved after every epoch
        ],
    )
    def test_schedules_that_start_at_the_peak_are_clear(self, rates: list[float]) -> None:
        assert check("lr.config-mismatch", context(rated(rates), {"learning_rate": 1e-3})) == ()

    def test_a_warmup_that_never_ended_is_not_warned_of_twice(self) -> None:
        (finding,) = check("lr.config-mismatch", context(rated(SLIVERS), {"learning_rate": 5e-4}))
        assert finding.severity is Severity.INFO

    def test_a_jump_and_a_rate_that_died_are_not_warned_of_twice(self) -> None:
        jumped = context(rated([1e-3] * 10 + [5e-3] * 10), {"learning_rate": 1e-3})
        died = context(rated([2e-4, 4e-4] + [0.0] * 20), {"learning_rate": 1e-3})
        for given, says in ((jumped, "raised within the run"), (died, "had fallen to 0")):
            (finding,) = check("lr.config-mismatch", given)
            assert finding.severity is Severity.INFO
            assert says in finding.message

    def test_the_named_peak_goes_before_the_base(self) -> None:
        config = {"learning_rate": 1e-4, "max_lr": 1e-3}
        assert check("lr.config-mismatch", context(rated([1e-3] * 5), config)) == ()

    def test_undefined(self) -> None:
        assert reason("lr.config-mismatch", context(rated([1e-3] * 5))) == "no learning rate in the config"
        assert reason("lr.config-mismatch", context(None)) == "no history"


def shaky(n: int, jitter: float, seed: int = 0) -> list[float]:
    random_ = random.Random(seed)
    return [math.exp(jitter * random_.gauss(0, 1)) for _ in range(n)]


class TestTooHigh:
    def test_divergence_at_the_highest_rate(self) -> None:
        train = [1.0, 0.5, 0.2, 0.1, 0.1, 5.0, 8.0, 9.0, 9.0]
        (finding,) = check("lr.too-high", context(rated([0.1] * 9, train_loss=train)))
        assert (finding.severity, finding.epoch, finding.evidence["kind"]) == (Severity.WARNING, 6, "divergence")
        # Under a rate that had been lowered before, the rate is not what changed.
        assert check("lr.too-high", context(rated([0.1] * 4 + [0.01] * 5, train_loss=train))) == ()

    def test_freed_by_a_reduction(self) -> None:
        train = [1.0] * 8 + [0.7, 0.5, 0.4, 0.3, 0.3, 0.3]
        (finding,) = check("lr.too-high", context(rated([0.1] * 8 + [0.01] * 6, train_loss=train)))
        assert finding.evidence["kind"] == "freed"

    def test_a_staircase_of_step_decay_is_clear(self) -> None:
        train = [1.0, 0.8, 0.6, 0.5, 0.45, 0.44, 0.43, 0.42, 0.2, 0.19, 0.18, 0.18, 0.18, 0.18]
        assert check("lr.too-high", context(rated([0.1] * 8 + [0.01] * 6, train_loss=train))) == ()

    @pytest.mark.parametrize(("jitter", "fires"), [(0.05, False), (0.35, True)])
    def test_shaking_in_place(self, jitter: float, fires: bool) -> None:
        assert bool(check("lr.too-high", context(rated([0.1] * 40, train_loss=shaky(40, jitter))))) is fires

    def test_a_penalty_on_batches_shakes_by_itself(self) -> None:
        history = rated([1e-3] * 40, train_loss=shaky(40, 0.4))
        assert len(check("lr.too-high", context(history, {"variance_lambda": 0.0}))) == 1
        assert check("lr.too-high", context(history, {"variance_lambda": 2.0})) == ()

    def test_a_rate_halved_twice_is_still_one_that_shakes(self) -> None:
        assert len(check("lr.too-high", context(rated([1.0] * 20 + [0.25] * 20, train_loss=shaky(40, 0.4))))) == 1
        assert check("lr.too-high", context(rated([1.0] * 20 + [0.1] * 20, train_loss=shaky(40, 0.4)))) == ()

    def test_jitter_at_the_floor_is_clear(self) -> None:
        train = [10 ** (-min(e, 12) / 2) * v for e, v in enumerate(shaky(40, 0.5))]
        assert check("lr.too-high", context(rated([0.1] * 40, train_loss=train))) == ()
        fitted = rated([0.1] * 40, train_loss=shaky(40, 0.35), train_r2=[0.9] * 40)
        assert check("lr.too-high", context(fitted)) == ()

    @pytest.mark.parametrize(("gradient", "fires"), [(1e-4, True), (1.0, False)])
    def test_units_burnt_out_at_once(self, gradient: float, fires: bool) -> None:
        """A target far from zero starts as high; only the gradient that is gone tells the two apart."""
        history = rated(
            [1.0] * 20,
            train_loss=[500.0] + [1.0] * 19,
            r2=[-3.0] + [-0.01] * 19,
            grad_norm_total=[100.0, 5.0] + [gradient] * 18,
        )
        assert bool(check("lr.too-high", context(history))) is fires

    def test_undefined(self) -> None:
        assert reason("lr.too-high", context(rated([0.1] * 20))) == "no train_loss column with finite values"
        assert reason("lr.too-high", context(history_of(range(9), train_loss=[1.0] * 9))) == "no learning_rate column"
        assert "7 epochs" in reason("lr.too-high", context(rated([0.1] * 7, train_loss=[1.0] * 7)))


class TestTooLow:
    @pytest.mark.parametrize("annealed", [False, True])
    def test_fires_on_a_descent_that_has_only_begun(self, annealed: bool) -> None:
        """Gradient flow: the loss depends on the sum of the rates alone, constant or annealed."""
        rates = cosine(50, 1e-5) if annealed else [1e-5] * 50
        spent = [sum(rates[: e + 1]) / 1e-5 for e in range(50)]
        train = [0.1 + 0.9 * math.exp(-s / 300) for s in spent]
        (finding,) = check("lr.too-low", context(rated(rates, train_loss=train), {"max_epochs": 50}))
        assert finding.severity is Severity.WARNING
        assert "at the same pace to the end" in finding.message

    @pytest.mark.parametrize(
        "train",
        [
            [0.1 + math.exp(-e / 8) for e in range(50)],  # a healthy decay
            [math.exp(-e / 20) for e in range(50)],  # as steady, but it has come far
            [0.9 ** (e / 10) * v for e, v in enumerate(shaky(50, 0.05))],  # held by noise
            [1.0] * 50,
        ],
    )
    def test_innocent(self, train: list[float]) -> None:
        assert check("lr.too-low", context(rated([1e-3] * 50, train_loss=train))) == ()

    def test_a_late_start_under_one_rate_is_still_slow(self) -> None:
        train = [1.0 - 0.2 * (e / 50) ** 2 for e in range(50)]
        assert len(check("lr.too-low", context(rated([1e-5] * 50, train_loss=train)))) == 1

    def test_early_stopping_validation_and_warmup_go_before(self) -> None:
        train = [math.exp(-e / 300) for e in range(50)]
        low = [1e-5] * 50
        assert len(check("lr.too-low", context(rated(low, train_loss=train)))) == 1
        stopped = context(rated(low, train_loss=train), summary={"stopped_because": "patience"})
        assert check("lr.too-low", stopped) == ()
        flat = rated(low, train_loss=train, val_loss=[1.0 + 0.01 * (e % 3) for e in range(50)])
        assert check("lr.too-low", context(flat)) == ()
        warming = rated([1e-7 * e for e in range(1, 51)], train_loss=train)
        assert check("lr.too-low", context(warming, {"learning_rate": 1e-3})) == ()

    def test_undefined(self) -> None:
        assert "17 epochs" in reason("lr.too-low", context(rated([1e-3] * 17, train_loss=[1.0] * 17)))
        negative = rated([1e-3] * 20, train_loss=[-1.0] * 20)
        assert "not positive" in reason("lr.too-low", context(negative))
