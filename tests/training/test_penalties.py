"""Penalties against scipy, torch's own divergence and what the documentation proves of their gradients."""

import numpy as np
import pytest
import torch
from scipy import stats
from torch.distributions import Normal, kl_divergence

from training.config import Config
from training.penalties import PENALTIES, make_penalty
from training.penalties.kl_moments import kl_moments_penalty
from training.penalties.std_hinge import std_hinge_penalty
from training.penalties.wasserstein import wasserstein_penalty

RANDOM = np.random.default_rng(2)
TRUE = RANDOM.normal(1.0, 0.5, 30)
PRED = RANDOM.normal(1.3, 0.2, 30)
NAMES = sorted(PENALTIES)


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64))


def _penalty(name: str):  # type: ignore[no-untyped-def]
    return PENALTIES[name](Config())


def _gradient(name: str, y_pred: np.ndarray) -> np.ndarray:
    prediction = _tensor(y_pred).requires_grad_()
    return torch.autograd.grad(_penalty(name)(prediction, _tensor(TRUE)), prediction)[0].numpy()


def test_hinge_by_hand_and_silent_above_its_target() -> None:
    ratio = np.std(PRED) / np.std(TRUE)
    assert float(std_hinge_penalty(_tensor(PRED), _tensor(TRUE))) == pytest.approx(1 - ratio, abs=2e-4)
    assert float(std_hinge_penalty(_tensor(PRED), _tensor(TRUE), target=0.9)) == pytest.approx(0.9 - ratio, abs=2e-4)
    assert float(std_hinge_penalty(_tensor(2 * TRUE), _tensor(TRUE))) == 0.0
    assert float(std_hinge_penalty(_tensor(np.full(30, 0.7)), _tensor(TRUE))) == pytest.approx(1 - 0.01)


def test_kl_of_moments_is_torchs_divergence_of_normals() -> None:
    pred = Normal(torch.tensor(np.mean(PRED)), torch.tensor(np.std(PRED)))
    true = Normal(torch.tensor(np.mean(TRUE)), torch.tensor(np.std(TRUE)))
    ours = float(kl_moments_penalty(_tensor(PRED), _tensor(TRUE)))
    assert ours == pytest.approx(float(kl_divergence(pred, true)), rel=2e-3)
    assert float(kl_moments_penalty(_tensor(TRUE), _tensor(TRUE))) == pytest.approx(0.0, abs=1e-8)
    assert 0 < float(kl_moments_penalty(_tensor(np.full(30, np.mean(TRUE))), _tensor(TRUE))) < 5


def test_wasserstein_is_scipys_in_standard_deviations_of_the_truth() -> None:
    ours = float(wasserstein_penalty(_tensor(PRED), _tensor(TRUE)))
    assert ours == pytest.approx(stats.wasserstein_distance(PRED, TRUE) / np.std(TRUE), rel=1e-12)
    shuffled = RANDOM.permutation(PRED)
    assert float(wasserstein_penalty(_tensor(shuffled), _tensor(TRUE))) == pytest.approx(ours, rel=1e-12)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("y_pred", "y_true"), [([1.0], [2.0]), ([1.0, 2.0], [3.0, 3.0])])
def test_zero_with_a_zero_gradient_where_undefined(name: str, y_pred: list[float], y_true: list[float]) -> None:
    prediction = torch.tensor(y_pred, requires_grad=True)
    value = _penalty(name)(prediction, torch.tensor(y_true))
    (gradient,) = torch.autograd.grad(value, prediction)
    assert float(value.detach()) == 0.0
    assert gradient.tolist() == [0.0] * len(y_pred)


@pytest.mark.parametrize("name", NAMES)
def test_gradients_by_finite_differences(name: str) -> None:
    numeric = np.empty(30)
    for index in range(30):
        step = np.zeros(30)
        step[index] = 1e-6
        up, down = (float(_penalty(name)(_tensor(PRED + sign * step), _tensor(TRUE))) for sign in (1, -1))
        numeric[index] = (up - down) / 2e-6
    np.testing.assert_allclose(_gradient(name, PRED), numeric, atol=1e-7)


@pytest.mark.parametrize("name", NAMES)
def test_unchanged_when_truth_and_predictions_change_their_units(name: str) -> None:
    before = float(_penalty(name)(_tensor(PRED), _tensor(TRUE)))
    after = float(_penalty(name)(_tensor(3 * PRED - 7), _tensor(3 * TRUE - 7)))
    assert after == pytest.approx(before, rel=1e-9)


@pytest.mark.parametrize("name", NAMES)
def test_blind_to_which_prediction_belongs_to_which_target(name: str) -> None:
    pairs = [float(_penalty(name)(_tensor(RANDOM.permutation(PRED)), _tensor(TRUE))) for _ in range(5)]
    assert pairs == pytest.approx([pairs[0]] * 5, rel=1e-9)


@pytest.mark.parametrize("name", ["variance_ratio", "std_hinge", "kl_moments"])
def test_a_step_on_a_penalty_of_moments_leaves_the_correlation_as_it_was(name: str) -> None:
    gradient = _gradient(name, PRED)
    basis = np.column_stack([np.ones(30), PRED])
    residual = gradient - basis @ np.linalg.lstsq(basis, gradient, rcond=None)[0]
    assert np.abs(residual).max() < 1e-12 * np.abs(gradient).max() + 1e-14
    stepped = PRED - 0.05 * gradient
    assert np.std(stepped) > np.std(PRED)
    assert stats.pearsonr(stepped, TRUE).statistic == pytest.approx(stats.pearsonr(PRED, TRUE).statistic, abs=1e-12)


def test_a_step_on_wasserstein_keeps_the_order_but_not_the_correlation() -> None:
    stepped = PRED - 0.02 * _gradient("wasserstein", PRED)
    assert (np.argsort(stepped) == np.argsort(PRED)).all()
    assert stats.pearsonr(stepped, TRUE).statistic != pytest.approx(stats.pearsonr(PRED, TRUE).statistic, abs=1e-6)


def test_the_config_chooses() -> None:
    for name in NAMES:
        penalty = make_penalty(Config(variance_lambda=1.0, penalty=name))
        assert penalty is not None
        expected = _penalty(name)(_tensor(PRED), _tensor(TRUE))
        assert float(penalty(_tensor(PRED), _tensor(TRUE))) == float(expected)
    assert make_penalty(Config(penalty="wasserstein")) is None
