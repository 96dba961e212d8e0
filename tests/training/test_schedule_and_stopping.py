"""Learning rate and stopping, on hand-made histories."""

import dataclasses
import math
from itertools import pairwise

import numpy as np
import pytest
import torch

from training.config import Config
from training.metrics import summarise
from training.schedules import make_schedule
from training.stopping import make_early_stopping, make_emergency_stop
from training.stopping.early import EarlyStopping
from training.stopping.policies import POLICIES, Policy


def _rates(config: Config, *, epochs: int, steps: int, losses: list[float] | None = None) -> list[float]:
    schedule = make_schedule(config, steps_per_epoch=steps)
    rates = []
    for epoch in range(epochs):
        for _ in range(steps):
            rate = schedule.rate()
            schedule.after_step()
        rates.append(rate)
        schedule.after_epoch(1.0 / (epoch + 1) if losses is None else losses[epoch])
    return rates


def test_warmup_in_steps_ends_within_the_first_epochs() -> None:
    rates = _rates(Config(learning_rate=0.5, warmup_steps=10, warmup_unit="step"), epochs=4, steps=4)
    assert rates == pytest.approx([0.2, 0.4, 0.5, 0.5])


def test_warmup_counted_in_epochs_never_ends() -> None:
    """The source's fault: 500 "steps" counted once an epoch end 50 epochs at a tenth of the peak, on a straight line."""
    rates = _rates(Config(learning_rate=5e-4, warmup_steps=500, warmup_unit="epoch"), epochs=50, steps=26)
    assert rates[-1] == pytest.approx(5e-5)
    assert [later - earlier for earlier, later in pairwise(rates)] == pytest.approx([1e-6] * 49)


def test_plateau_agrees_with_torch() -> None:
    losses = [1.0, 0.9, 0.95, 0.95, 0.95, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8, 0.79995, 0.7]
    config = Config(learning_rate=1.0, warmup_steps=0, plateau_factor=0.5, plateau_patience=2)
    ours = _rates(config, epochs=len(losses), steps=1, losses=losses)
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    reference = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    theirs = []
    for loss in losses:
        theirs.append(optimizer.param_groups[0]["lr"])
        reference.step(loss)
    assert ours == pytest.approx(theirs)


def test_plateau_does_not_count_the_warmup() -> None:
    config = Config(learning_rate=1.0, warmup_steps=12, warmup_unit="step", plateau_factor=0.5, plateau_patience=0)
    rates = _rates(config, epochs=5, steps=4, losses=[1.0, 2.0, 3.0, 3.0, 3.0])
    # Warm from the third epoch's end; that epoch's loss becomes the best, the next two do not beat it.
    assert rates == pytest.approx([4 / 12, 8 / 12, 1.0, 1.0, 0.5])


def _replay(stopping: EarlyStopping, column: str, values: list[float | None]) -> int:
    for epoch, value in enumerate(values, start=1):
        stopping.update(epoch, {column: value, "variance_ratio": 0.1})
        if stopping.should_stop:
            return epoch
    return len(values)


def test_stops_after_patience_and_keeps_the_best() -> None:
    stopping = make_early_stopping(Config(early_stopping="r2", patience=3, min_delta=0.01))
    assert _replay(stopping, "r2", [-4.0, -1.0, -0.995, -0.99, -1.2, 0.5]) == 5
    assert stopping.selected_epoch == 2


def test_small_steps_below_min_delta_do_add_up() -> None:
    stopping = make_early_stopping(Config(early_stopping="r2", patience=9, min_delta=0.01))
    _replay(stopping, "r2", [0.0, 0.006, 0.012])
    assert stopping.selected_epoch == 3


def test_val_loss_is_minimised_and_nan_never_wins() -> None:
    stopping = make_early_stopping(Config(early_stopping="val_loss", patience=3))
    _replay(stopping, "val_loss", [math.nan, 1.0, None, 0.5, math.inf])
    assert stopping.selected_epoch == 4
    assert stopping.wait == 1


def test_nothing_finite_selects_nothing() -> None:
    stopping = make_early_stopping(Config(early_stopping="r2", patience=2))
    assert _replay(stopping, "r2", [None, math.nan, math.inf, 0.3]) == 3
    assert stopping.selected_epoch is None


def test_an_undefined_number_is_not_waited_for() -> None:
    stopping = make_early_stopping(Config(early_stopping="r2", patience=2))
    assert _replay(stopping, "r2", [0.5, None, None, None, 0.4, None, 0.6]) == 7
    assert stopping.selected_epoch == 7
    assert stopping.wait == 0


def test_warmup_epochs_neither_win_nor_wait() -> None:
    stopping = make_early_stopping(Config(early_stopping="r2", patience=2, stopping_warmup=2))
    assert _replay(stopping, "r2", [0.9, 0.8, 0.1, 0.2, 0.1, 0.1, 0.7]) == 6
    assert stopping.selected_epoch == 4


def test_scores_by_hand() -> None:
    """Composite -0.1 + 2·(0.5 - 0.7) = -0.5; concordance of four points by Lin's own formula; a mean of five."""
    rows = [{"r2": r2, "variance_ratio": 0.5} for r2 in (0.1, 0.2, 0.3, 0.4, -0.1)]
    assert POLICIES["composite"].value(rows) == pytest.approx(-0.5)
    assert POLICIES["smoothed"].value(rows) == pytest.approx(0.18)
    assert POLICIES["smoothed"].value(rows[:4]) is None
    y_true, y_pred = np.array([0.0, 1.0, 2.0, 5.0]), np.array([1.0, 1.0, 3.0, 4.0])
    covariance = np.cov(y_true, y_pred, ddof=0)[0, 1]
    lin = 2 * covariance / (np.var(y_true) + np.var(y_pred) + (y_true.mean() - y_pred.mean()) ** 2)
    row = dataclasses.asdict(summarise(y_true, y_pred))
    assert POLICIES["ccc"].value([row]) == pytest.approx(lin)


def test_a_floor_may_go_with_any_policy() -> None:
    stopping = make_early_stopping(Config(early_stopping="val_loss", ratio_floor=0.3, patience=5))
    for epoch, (loss, ratio) in enumerate([(0.5, 0.1), (0.9, 0.3), (0.8, math.inf), (0.7, None)], start=1):
        stopping.update(epoch, {"val_loss": loss, "variance_ratio": ratio})
    assert (stopping.selected_epoch, stopping.wait) == (2, 2)
    assert make_early_stopping(Config(early_stopping="floor")).policy.floor == 0.4
    assert make_early_stopping(Config(early_stopping="floor", ratio_floor=0.2)).policy.floor == 0.2


def test_a_floor_excludes_epochs() -> None:
    policy = Policy(name="floored", monitor="r2", mode="max", floor=0.4)
    stopping = EarlyStopping(policy, patience=5, min_delta=0.0)
    for epoch, (r2, ratio) in enumerate([(-4.0, 0.46), (-0.05, 0.08), (-0.5, 0.4)], start=1):
        stopping.update(epoch, {"r2": r2, "variance_ratio": ratio})
    assert stopping.selected_epoch == 3


def test_emergency_stop_waits_and_ignores_the_undefined() -> None:
    stop = make_emergency_stop(Config(emergency_stop_ratio=0.1, emergency_stop_after=3))
    assert stop is not None
    assert [stop.should_stop(epoch, 0.01) for epoch in (1, 3, 4)] == [False, False, True]
    assert not stop.should_stop(9, None)
    assert make_emergency_stop(Config()) is None
