"""The course of λ, by hand and in whole runs."""

import math

import numpy as np
import pytest
import torch

from training.config import Config
from training.lambdas import COURSES, make_lambda_schedule


def _course(epochs: int, **settings: object) -> list[float]:
    schedule = make_lambda_schedule(Config(**settings))  # type: ignore[arg-type]
    weights = []
    for _ in range(epochs):
        weights.append(schedule.weight())
        schedule.after_epoch(base_norm=1.0, penalty_norm=1.0)
    return weights


def test_constant_and_off() -> None:
    assert _course(4, variance_lambda=0.5) == [0.5] * 4
    for name in COURSES:
        assert _course(3, lambda_schedule=name) == [0.0] * 3


def test_the_sources_decay() -> None:
    """5·0.8^epoch + 1, from the source's 5.0 towards its 1.0."""
    weights = _course(60, variance_lambda=1.0, lambda_schedule="source_decay")
    np.testing.assert_allclose(weights, 5.0 * np.power(0.8, np.arange(1, 61)) + 1.0)
    assert weights[0] == 5.0
    assert weights[-1] == pytest.approx(1.0, abs=1e-4)
    assert _course(1, variance_lambda=0.5, lambda_schedule="source_decay", lambda_excess=2.0) == [0.5 * 2.6]


def test_linear_and_cosine_are_torchs_schedulers() -> None:
    parameter = torch.nn.Parameter(torch.zeros(1))
    references = {
        "linear": lambda o: torch.optim.lr_scheduler.LinearLR(o, start_factor=1.0, end_factor=0.25, total_iters=9),
        "cosine": lambda o: torch.optim.lr_scheduler.CosineAnnealingLR(o, T_max=9, eta_min=0.5),
    }
    for name, make in references.items():
        optimizer = torch.optim.SGD([parameter], lr=2.0)
        scheduler = make(optimizer)
        expected = []
        for _ in range(10):
            expected.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        weights = _course(12, variance_lambda=2.0, lambda_schedule=name, lambda_end=0.25, lambda_epochs=10)
        np.testing.assert_allclose(weights[:10], expected, rtol=1e-6)
        assert weights[10:] == [0.5, 0.5]


def test_slopes_may_rise_and_last_as_long_as_the_run() -> None:
    rising = _course(5, variance_lambda=2.0, lambda_schedule="linear", lambda_start=0.0, lambda_end=1.0, max_epochs=5)
    assert rising == [0.0, 0.5, 1.0, 1.5, 2.0]
    assert _course(2, variance_lambda=2.0, lambda_schedule="cosine", max_epochs=1) == [0.0, 0.0]


def _balanced(**settings: float):  # type: ignore[no-untyped-def]
    return make_lambda_schedule(Config(variance_lambda=0.5, lambda_schedule="gradient_balanced", **settings))  # type: ignore[arg-type]


def test_gradient_balance_gives_the_penalty_its_share() -> None:
    schedule = _balanced(lambda_share=0.75)
    assert schedule.weight() == 0.5
    schedule.after_epoch(base_norm=2.0, penalty_norm=0.1)  # the penalty alone: 0.1/0.5 = 0.2
    assert schedule.weight() == pytest.approx(0.75 * 2.0 / 0.2)
    schedule.after_epoch(base_norm=2.0, penalty_norm=schedule.weight() * 0.4)
    assert schedule.weight() * 0.4 == pytest.approx(0.75 * 2.0)


@pytest.mark.parametrize(
    ("base", "penalty"), [(None, 0.1), (1.0, None), (1.0, 0.0), (math.nan, 0.1), (1.0, math.nan), (1.0, math.inf)]
)
def test_gradient_balance_stays_where_nothing_can_be_said(base: float | None, penalty: float | None) -> None:
    schedule = _balanced()
    schedule.after_epoch(base_norm=base, penalty_norm=penalty)
    assert schedule.weight() == 0.5


def test_gradient_balance_stays_within_its_cap_and_comes_back_from_zero() -> None:
    schedule = _balanced(lambda_max=10.0)
    schedule.after_epoch(base_norm=1.0, penalty_norm=1e-9)
    assert schedule.weight() == 10.0
    schedule.after_epoch(base_norm=0.0, penalty_norm=1.0)
    assert schedule.weight() == pytest.approx(1e-5)
    schedule.after_epoch(base_norm=1.0, penalty_norm=schedule.weight() * 0.25)
    assert schedule.weight() == pytest.approx(2.0)


@pytest.mark.parametrize("name", sorted(COURSES))
def test_a_restored_schedule_goes_on_the_same(name: str) -> None:
    config = Config(variance_lambda=0.5, lambda_schedule=name)
    first, second = make_lambda_schedule(config), make_lambda_schedule(config)
    for norm in (1.0, 2.0, 3.0):
        first.after_epoch(base_norm=norm, penalty_norm=0.3)
    second.restore(first.state())
    for _ in range(3):
        assert second.weight() == first.weight()
        for schedule in (first, second):
            schedule.after_epoch(base_norm=1.5, penalty_norm=0.2)
