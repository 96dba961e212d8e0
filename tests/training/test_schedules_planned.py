"""Cosine and one-cycle against torch's own schedulers."""

import pytest
import torch

from training.config import Config
from training.schedules import SCHEDULES, make_schedule


def _ours(config: Config, *, epochs: int, steps: int) -> list[float]:
    """The rate of every step."""
    schedule = make_schedule(config, steps_per_epoch=steps)
    rates = []
    for _ in range(epochs):
        for _ in range(steps):
            rates.append(schedule.rate())
            schedule.after_step()
        schedule.after_epoch(1.0)
    return rates


def _optimizer(rate: float) -> torch.optim.SGD:
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=rate)


def _theirs(optimizer: torch.optim.SGD, scheduler: torch.optim.lr_scheduler.LRScheduler, count: int) -> list[float]:
    rates = []
    for _ in range(count):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        optimizer.step()
        scheduler.step()
    return rates


def test_cosine_is_torchs_from_the_warmups_end() -> None:
    config = Config(schedule="cosine", learning_rate=0.2, rate_floor=0.1, max_epochs=5, warmup_steps=6)
    rates = _ours(config, epochs=5, steps=4)
    assert rates[:6] == pytest.approx([0.2 * step / 6 for step in range(1, 7)])
    optimizer = _optimizer(0.2)
    # From the peak at count 6 to the floor at count 19: 13 intervals.
    scheduler = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=13, eta_min=0.02)
    assert rates[6:] == pytest.approx(_theirs(optimizer, scheduler, 14))
    assert rates[-1] == pytest.approx(0.02)


@pytest.mark.parametrize("warmup_steps", [0, 6])
def test_one_cycle_is_torchs(warmup_steps: int) -> None:
    config = Config(schedule="one_cycle", learning_rate=0.2, rate_floor=0.001, max_epochs=5, warmup_steps=warmup_steps)
    optimizer = _optimizer(0.2)
    scheduler = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, max_lr=0.2, total_steps=20, div_factor=25, final_div_factor=1000 / 25, cycle_momentum=False
    )  # 30 % of 20 steps rise, which is 6
    assert _ours(config, epochs=5, steps=4) == pytest.approx(_theirs(optimizer, scheduler, 20))


@pytest.mark.parametrize("name", ["cosine", "one_cycle"])
def test_counted_in_epochs_the_rate_changes_once_an_epoch(name: str) -> None:
    config = Config(schedule=name, learning_rate=0.2, max_epochs=6, warmup_steps=2, warmup_unit="epoch")
    by_epoch = _ours(config, epochs=6, steps=3)
    by_step = _ours(Config(schedule=name, learning_rate=0.2, max_epochs=6, warmup_steps=2), epochs=6, steps=1)
    assert by_epoch[::3] == by_epoch[1::3] == by_epoch[2::3] == pytest.approx(by_step)


@pytest.mark.parametrize("name", sorted(SCHEDULES))
@pytest.mark.parametrize("warmup_steps", [0, 1, 3, 500])
def test_rates_stay_within_the_peak(name: str, warmup_steps: int) -> None:
    """Also for a warm-up that outlasts the run, and for a run of a single step."""
    for epochs, steps in ((3, 2), (1, 1)):
        config = Config(schedule=name, learning_rate=0.2, max_epochs=epochs, warmup_steps=warmup_steps)
        rates = _ours(config, epochs=epochs, steps=steps)
        assert all(0.0 <= rate <= 0.2 * (1 + 1e-12) for rate in rates)
        assert rates[0] > 0
        if warmup_steps == 500:
            assert rates == sorted(rates)
            assert rates[-1] < 0.02
