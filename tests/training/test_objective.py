"""Losses, penalty, weights and gradient norms against numpy, scipy and finite differences."""

import numpy as np
import pytest
import torch
from scipy import special

from training.config import Config
from training.data.dataset import Split
from training.diagnostics import GradientNorms
from training.errors import ConfigError
from training.losses import make_loss
from training.losses.base import weighted_mean
from training.objective import evaluate_losses, make_objective
from training.penalties import make_penalty
from training.penalties.variance_ratio import variance_ratio_penalty
from training.weighting import combined, flight_weights, hard_sample_weights

RANDOM = np.random.default_rng(0)
TRUE = RANDOM.normal(1.0, 0.5, 40)
PRED = RANDOM.normal(1.0, 2.0, 40)


def test_huber_is_scipys() -> None:
    y_pred, y_true = torch.from_numpy(PRED), torch.from_numpy(TRUE)
    loss = make_loss(Config(loss="huber", huber_delta=0.7), y_true)(y_pred, y_true)
    assert float(loss) == pytest.approx(np.mean(special.huber(0.7, PRED - TRUE)), rel=1e-12)


def test_mse_and_mae_are_sklearns() -> None:
    from sklearn.metrics import mean_absolute_error, mean_squared_error

    for name, reference in (("mse", mean_squared_error), ("mae", mean_absolute_error)):
        y_pred, y_true, weights = (torch.from_numpy(values) for values in (PRED, TRUE, np.arange(1.0, 41.0)))
        loss = make_loss(Config(loss=name), y_true)
        assert float(loss(y_pred, y_true)) == pytest.approx(reference(TRUE, PRED))
        expected = reference(TRUE, PRED, sample_weight=weights.numpy())
        assert float(loss(y_pred, y_true, weights)) == pytest.approx(expected)


def test_weighted_mean_is_numpys_average() -> None:
    weights = RANDOM.uniform(0.5, 3.0, 40)
    mean = weighted_mean(torch.from_numpy(TRUE), torch.from_numpy(weights))
    assert float(mean) == pytest.approx(np.average(TRUE, weights=weights))


def test_penalty_by_hand() -> None:
    """Variances of 0,2 and 0,4 are 1 and 4: (1 - 1/4)² = 0.5625, for any ddof."""
    assert float(variance_ratio_penalty(torch.tensor([0.0, 2.0]), torch.tensor([0.0, 4.0]))) == pytest.approx(0.5625)
    expected = (1 - np.var(PRED, ddof=1) / np.var(TRUE, ddof=1)) ** 2
    assert float(variance_ratio_penalty(torch.from_numpy(PRED), torch.from_numpy(TRUE))) == pytest.approx(expected)


@pytest.mark.parametrize(("y_pred", "y_true"), [([1.0], [2.0]), ([1.0, 2.0], [3.0, 3.0])])
def test_penalty_is_zero_with_a_zero_gradient_where_undefined(y_pred: list[float], y_true: list[float]) -> None:
    prediction = torch.tensor(y_pred, requires_grad=True)
    penalty = variance_ratio_penalty(prediction, torch.tensor(y_true))
    torch.autograd.backward(penalty)
    assert float(penalty.detach()) == 0.0
    assert prediction.grad is not None
    assert prediction.grad.tolist() == [0.0] * len(y_pred)


def test_penalty_optimum_on_small_batches_is_below_one() -> None:
    """For independent normal batches of 20 the best variance ratio is (d-4)/(d+2) with d = 19: 0.714."""
    generator = torch.Generator().manual_seed(0)
    pred, true = torch.randn(2, 20_000, 20, generator=generator, dtype=torch.float64)
    ratio = pred.var(1) / true.var(1)
    best = float(ratio.sum() / ratio.square().sum())  # least squares of 1 on the ratio
    assert best == pytest.approx(15 / 21, abs=0.01)


def test_penalty_is_off_at_zero_and_null() -> None:
    assert make_penalty(Config(variance_lambda=None)) is None
    assert make_penalty(Config(variance_lambda=0.0)) is None
    assert make_penalty(Config(variance_lambda=0.1)) is not None


def test_evaluated_loss_is_base_plus_weighted_penalty() -> None:
    y_pred, y_true = torch.from_numpy(PRED), torch.from_numpy(TRUE)
    objective = make_objective(Config(loss="mse", variance_lambda=0.1), y_true)
    losses = evaluate_losses(objective, 2.0, y_pred, y_true)
    base, penalty = np.mean((PRED - TRUE) ** 2), (1 - np.var(PRED) / np.var(TRUE)) ** 2
    assert (losses.base, losses.penalty, losses.total) == pytest.approx((base, penalty, base + 2 * penalty))
    plain = evaluate_losses(make_objective(Config(loss="mse"), y_true), 0.0, y_pred, y_true)
    assert (plain.penalty, plain.total) == (None, plain.base)


def _split(flights: list[int]) -> Split:
    count = len(flights)
    return Split(
        frames=torch.zeros(count, 1, 8, 8),
        angles=torch.zeros(count, 2),
        target=torch.zeros(count),
        local_indices=torch.arange(count),
        flight=torch.tensor(flights),
        flight_names=("flight_a", "flight_b"),
    )


def test_flight_and_hard_sample_weights() -> None:
    flights = flight_weights(Config(overweight_factor=3.0, overweight_flight="flight_b"), _split([0, 1, 1, 0]))
    assert flights is not None
    assert flights.tolist() == [1.0, 3.0, 3.0, 1.0]
    hard = hard_sample_weights(Config(hard_sample_k=2, hard_sample_factor=4.0), torch.tensor([0.1, 0.9, 0.3, 0.8]))
    assert hard is not None
    assert hard.tolist() == [1.0, 4.0, 1.0, 4.0]
    both = combined(flights, hard)
    assert both is not None
    assert both.tolist() == [1.0, 12.0, 3.0, 4.0]
    assert combined(None, hard) is hard
    assert flight_weights(Config(), _split([0])) is None
    with pytest.raises(ConfigError, match="flight_z"):
        flight_weights(Config(overweight_factor=3.0, overweight_flight="flight_z"), _split([0]))


def test_gradient_norms_of_base_and_penalty_by_finite_differences() -> None:
    features = torch.from_numpy(RANDOM.normal(size=(30, 3)))
    y_true = torch.from_numpy(RANDOM.normal(size=30))
    weight = torch.nn.Parameter(torch.tensor([0.5, -0.2, 0.1], dtype=torch.float64))

    def base(w: torch.Tensor) -> torch.Tensor:
        return (features @ w - y_true).square().mean()

    def penalty(w: torch.Tensor) -> torch.Tensor:
        return 0.5 * variance_ratio_penalty(features @ w, y_true)

    def numeric(function) -> float:  # type: ignore[no-untyped-def]
        steps = 1e-6 * torch.eye(3, dtype=torch.float64)
        with torch.no_grad():
            slopes = [(float(function(weight + s)) - float(function(weight - s))) / 2e-6 for s in steps]
        return float(np.linalg.norm(slopes))

    norms = GradientNorms(every=2)
    for _ in range(3):  # measured at the first and the third step
        norms.measure(base(weight), penalty(weight), weight)
    norms.add_total(torch.tensor(3.0))
    norms.add_total(torch.tensor(5.0))
    assert norms.mean("base") == pytest.approx(numeric(base), rel=1e-6)
    assert norms.mean("penalty") == pytest.approx(numeric(penalty), rel=1e-6)
    assert norms.mean("total") == 4.0
    assert GradientNorms(every=1).mean("penalty") is None
