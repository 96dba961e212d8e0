"""Losses against numpy, scipy, scikit-learn, torch's own distributions and finite differences."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import optimize, stats
from scipy.special import softmax
from sklearn.metrics import mean_pinball_loss
from torch.distributions import Normal

from training.config import Config
from training.losses import LOSSES, make_loss
from training.losses.balanced_mse import balanced_mse
from training.losses.beta_nll import LEAST_VARIANCE, beta_nll, mean_and_variance
from training.losses.ccc import concordance_error
from training.losses.hl_gauss import bin_edges, smeared
from training.losses.quantile import ordered_quantiles, pinball, step_matrix
from training.standardisation import TargetStatistics

RANDOM = np.random.default_rng(1)
TRUE = RANDOM.normal(1.0, 0.5, 40)
PRED = RANDOM.normal(1.2, 0.4, 40)
WEIGHTS = RANDOM.uniform(0.5, 3.0, 40)
LEVELS = (0.1, 0.25, 0.5, 0.9)


def _tensor(values: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(values, dtype=np.float64))


def _concordance(y_pred: np.ndarray, y_true: np.ndarray, weights: np.ndarray | None = None) -> float:
    """Lin's coefficient through numpy's covariance matrix."""
    matrix = np.cov(y_pred, y_true, aweights=weights, ddof=0)
    gap = np.average(y_pred, weights=weights) - np.average(y_true, weights=weights)
    return float(2 * matrix[0, 1] / (matrix[0, 0] + matrix[1, 1] + gap**2))


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_every_loss_has_outputs_a_point_and_a_finite_gradient(name: str) -> None:
    target = torch.from_numpy(TRUE).float()
    loss = make_loss(Config(loss=name), target)
    outputs = torch.randn(40, loss.outputs, generator=torch.Generator().manual_seed(0))
    outputs = (outputs[:, 0] if loss.outputs == 1 else outputs).requires_grad_()
    value = loss(outputs, target, torch.from_numpy(WEIGHTS).float())
    (gradient,) = torch.autograd.grad(value, outputs)
    assert value.shape == ()
    assert torch.isfinite(gradient).all()
    assert float(gradient.abs().max()) > 0
    assert loss.point(outputs).shape == (40,)
    assert loss.start(0.9).shape == (loss.outputs,)


@pytest.mark.parametrize("name", sorted(LOSSES))
def test_gradients_by_finite_differences(name: str) -> None:
    """β-NLL's stopped gradient is not the slope of its value at β > 0; it has a test of its own."""
    target = _tensor(TRUE[:6])
    loss = make_loss(Config(loss=name, hl_gauss_bins=7, quantiles=LEVELS, beta_nll_beta=0.0), target)
    shape = (6,) if loss.outputs == 1 else (6, loss.outputs)
    outputs = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64, requires_grad=True)
    weights = _tensor(WEIGHTS[:6])

    def value(values: torch.Tensor) -> torch.Tensor:
        return loss(values, target, weights)

    assert torch.autograd.gradcheck(value, (outputs,), eps=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", ["huber", "mae", "mse", "quantile", "beta_nll", "hl_gauss"])
def test_a_whole_weight_is_a_repeated_sample(name: str) -> None:
    target = _tensor(TRUE)
    loss = make_loss(Config(loss=name), target)
    shape = (40,) if loss.outputs == 1 else (40, loss.outputs)
    outputs = torch.randn(shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    times = torch.arange(40) % 3 + 1
    repeated = loss(outputs.repeat_interleave(times, 0), target.repeat_interleave(times), None)
    torch.testing.assert_close(loss(outputs, target, times.double()), repeated)


def test_pinball_is_sklearns() -> None:
    quantiles = RANDOM.normal(1.0, 0.5, (40, len(LEVELS)))
    ours = pinball(_tensor(quantiles), _tensor(TRUE), torch.tensor(LEVELS, dtype=torch.float64)).mean()
    theirs = np.mean([mean_pinball_loss(TRUE, quantiles[:, k], alpha=level) for k, level in enumerate(LEVELS)])
    assert float(ours) == pytest.approx(float(theirs), rel=1e-12)


def test_constant_quantiles_that_minimise_the_loss_are_the_samples_quantiles() -> None:
    sample = np.sort(RANDOM.normal(size=201))
    grid = _tensor(sample)
    level = torch.tensor([0.3], dtype=torch.float64)
    totals = [float(pinball(value.expand(201, 1), grid, level).mean()) for value in grid]
    assert sample[int(np.argmin(totals))] == np.quantile(sample, 0.3, method="inverted_cdf")


@pytest.mark.parametrize("median", [0, 1, 4])
def test_quantiles_cannot_cross_and_the_median_is_a_plain_output(median: int) -> None:
    outputs = 5 * torch.randn(200, 5, generator=torch.Generator().manual_seed(median), dtype=torch.float64)
    quantiles = ordered_quantiles(outputs, step_matrix(5, median), median)
    assert (quantiles.diff(dim=1) >= 0).all()
    assert torch.equal(quantiles[:, median], outputs[:, median])
    distance = np.log1p(np.exp(outputs.numpy()))
    for k in range(5):
        between = range(median + 1, k + 1) if k > median else range(k, median)
        sign = 1 if k > median else -1
        expected = outputs[:, median].numpy() + sign * sum((distance[:, j] for j in between), np.zeros(200))
        np.testing.assert_allclose(quantiles[:, k].numpy(), expected, rtol=1e-12)


def test_quantiles_start_as_those_of_a_normal_distribution() -> None:
    loss = make_loss(Config(loss="quantile", quantiles=LEVELS), _tensor(TRUE))
    start = loss.start(0.7)[None, :]
    expected = stats.norm.ppf(LEVELS, loc=0.7, scale=np.std(TRUE))
    np.testing.assert_allclose(ordered_quantiles(start, step_matrix(4, 2), 2)[0].numpy(), expected, rtol=1e-5)
    assert loss.point(start).tolist() == pytest.approx([0.7])


def test_beta_zero_is_the_gaussian_likelihood() -> None:
    variance = np.exp(PRED)
    ours = beta_nll(_tensor(PRED), _tensor(variance), _tensor(TRUE), beta=0.0)
    expected = -stats.norm.logpdf(TRUE, PRED, np.sqrt(variance)) - 0.5 * np.log(2 * np.pi)
    np.testing.assert_allclose(ours.numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("beta", [0.5, 1.0])
def test_beta_scales_the_likelihoods_gradient_by_a_power_of_the_variance(beta: float) -> None:
    mean = _tensor(PRED).requires_grad_()
    variance = torch.linspace(0.1, 3.0, 40, dtype=torch.float64, requires_grad=True)
    ours = torch.autograd.grad(beta_nll(mean, variance, _tensor(TRUE), beta=beta).sum(), (mean, variance))
    plain = torch.autograd.grad(-Normal(mean, variance.sqrt()).log_prob(_tensor(TRUE)).sum(), (mean, variance))
    for own, reference in zip(ours, plain, strict=True):
        torch.testing.assert_close(own, reference * variance.detach() ** beta)
    if beta == 1.0:
        np.testing.assert_allclose(ours[0].numpy(), PRED - TRUE, rtol=1e-12)


def test_the_variance_is_positive_and_starts_at_the_targets() -> None:
    loss = make_loss(Config(loss="beta_nll"), _tensor(TRUE))
    mean, variance = mean_and_variance(loss.start(0.4)[None, :])
    assert float(mean) == pytest.approx(0.4)
    assert float(variance) == pytest.approx(np.var(TRUE), rel=1e-4)
    assert float(mean_and_variance(torch.tensor([[0.0, -1e4]]))[1]) == pytest.approx(LEAST_VARIANCE)


def test_smeared_targets_are_scipys_truncated_normal() -> None:
    edges, sigma = bin_edges(TargetStatistics.of(_tensor(TRUE)), bins=20, sigma=0.75)
    low, high = float(edges[0]), float(edges[-1])
    assert sigma == pytest.approx(0.75 * (high - low) / 20)
    assert low == pytest.approx(TRUE.min() - 3 * sigma)
    assert high == pytest.approx(TRUE.max() + 3 * sigma)
    ours = smeared(_tensor(TRUE), edges, sigma)
    for target, row in zip(TRUE, ours.numpy(), strict=True):
        reference = stats.truncnorm((low - target) / sigma, (high - target) / sigma, loc=target, scale=sigma)
        np.testing.assert_allclose(row, np.diff(reference.cdf(edges.numpy())), atol=1e-12)
    outside = smeared(_tensor(np.array([low - 100.0, high + 100.0])), edges, sigma)
    torch.testing.assert_close(outside.sum(dim=1), torch.ones(2, dtype=torch.float64))


def test_hl_gauss_is_a_cross_entropy_and_predicts_the_histograms_mean() -> None:
    loss = make_loss(Config(loss="hl_gauss", hl_gauss_bins=20), _tensor(TRUE))
    logits = RANDOM.normal(size=(40, 20))
    edges, sigma = bin_edges(TargetStatistics.of(_tensor(TRUE)), bins=20, sigma=0.75)
    wanted = smeared(_tensor(TRUE), edges, sigma)
    reference = torch.nn.functional.cross_entropy(_tensor(logits), wanted)
    assert float(loss(_tensor(logits), _tensor(TRUE), None)) == pytest.approx(float(reference), rel=1e-6)
    middles = (edges.numpy()[1:] + edges.numpy()[:-1]) / 2
    np.testing.assert_allclose(loss.point(_tensor(logits)).numpy(), softmax(logits, axis=1) @ middles, rtol=1e-6)


def test_hl_gauss_reads_back_targets_it_fits_perfectly() -> None:
    """The mean of a target's own smear is the target: within 1 % of a bin away from the padding's end."""
    loss = make_loss(Config(loss="hl_gauss"), _tensor(TRUE))
    edges, sigma = bin_edges(TargetStatistics.of(_tensor(TRUE)), bins=51, sigma=0.75)
    wanted = smeared(_tensor(TRUE), edges, sigma)
    logits = wanted.clamp(min=1e-30).log()
    np.testing.assert_allclose(loss.point(logits).numpy(), TRUE, atol=0.01 * sigma / 0.75)
    least = float(loss(logits, _tensor(TRUE), None))
    assert least == pytest.approx(np.mean(stats.entropy(wanted.numpy(), axis=1)), rel=1e-5)
    assert least == pytest.approx(1.20, abs=0.01)
    assert float(loss.point(loss.start(1.0)[None, :])) == pytest.approx(1.0, abs=0.1)


def test_ccc_is_lins_coefficient() -> None:
    ours = float(concordance_error(_tensor(PRED), _tensor(TRUE)))
    assert ours == pytest.approx(1 - _concordance(PRED, TRUE), rel=1e-12)
    weighted = float(concordance_error(_tensor(PRED), _tensor(TRUE), _tensor(WEIGHTS)))
    assert weighted == pytest.approx(1 - _concordance(PRED, TRUE, WEIGHTS), rel=1e-12)
    assert float(concordance_error(_tensor(TRUE), _tensor(TRUE))) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(("y_pred", "y_true"), [([1.0], [2.0]), ([1.0, 2.0], [3.0, 3.0])])
def test_ccc_is_silent_where_undefined(y_pred: list[float], y_true: list[float]) -> None:
    prediction = torch.tensor(y_pred, requires_grad=True)
    value = concordance_error(prediction, torch.tensor(y_true))
    (gradient,) = torch.autograd.grad(value, prediction)
    assert float(value.detach()) == 0.0
    assert gradient.tolist() == [0.0] * len(y_pred)


def test_balanced_mse_pair_by_pair() -> None:
    noise = 0.4
    ours = balanced_mse(_tensor(PRED), _tensor(TRUE), noise=noise)
    for i, value in enumerate(ours.numpy()):
        likelihood = stats.norm.pdf(TRUE, PRED[i], noise)
        assert value == pytest.approx(-2 * noise**2 * np.log(likelihood[i] / likelihood.sum()), rel=1e-10)
    assert balanced_mse(torch.tensor([3.0]), torch.tensor([1.0]), noise=0.4).tolist() == [0.0]


def test_balanced_mse_in_blocks_of_rows_is_the_same() -> None:
    whole = balanced_mse(_tensor(PRED), _tensor(TRUE), noise=0.4)
    parts = balanced_mse(_tensor(PRED), _tensor(TRUE), noise=0.4, most_pairs=7 * 40)
    torch.testing.assert_close(parts, whole)


def test_mixed_is_the_weighted_sum() -> None:
    config = Config(loss="mixed", mixed_losses=("mse", "ccc"), mixed_weights=(0.5, 2.0))
    value = make_loss(config, _tensor(TRUE))(_tensor(PRED), _tensor(TRUE), _tensor(WEIGHTS))
    expected = 0.5 * np.average((PRED - TRUE) ** 2, weights=WEIGHTS) + 2 * (1 - _concordance(PRED, TRUE, WEIGHTS))
    assert float(value) == pytest.approx(expected, rel=1e-12)


def _best_line(loss: Callable[[np.ndarray], float], information: np.ndarray) -> tuple[float, float]:
    """(std, mean) of a + s·information at the loss's minimum over a and s."""
    found = optimize.minimize(lambda x: loss(x[0] + x[1] * information), x0=(0.1, 0.8), method="Nelder-Mead")
    assert found.success
    shift, scale = found.x
    return scale, shift


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mse", 0.6),
        ("huber", 0.6),
        ("mae", 0.6),
        ("ccc", 1.0),
        # (1 + s²)·r with s = 0.5: docs/training-losses.md derives it.
        ("balanced_mse", 1.25 * 0.6),
    ],
)
def test_best_spread_at_a_given_correlation_is_what_the_docs_derive(name: str, expected: float) -> None:
    """Normal truth of std 1, predictions a + s·z with correlation 0.6: the best s, on exact normal scores."""
    generator = np.random.default_rng(5)
    first, second = generator.normal(size=(2, 2000))
    basis, _ = np.linalg.qr(np.column_stack([np.ones(2000), first, second]))
    information, other = basis[:, 1] * np.sqrt(2000), basis[:, 2] * np.sqrt(2000)
    truth = 0.6 * information + 0.8 * other
    loss = make_loss(Config(loss=name, balanced_mse_noise=0.5), _tensor(truth))

    def value(prediction: np.ndarray) -> float:
        return float(loss(_tensor(prediction), _tensor(truth), None))

    scale, shift = _best_line(value, information)
    # Squares and moments are exact in the sample; the others carry its sampling error.
    tolerance = 1e-3 if name in ("mse", "ccc") else 0.06
    assert abs(scale) == pytest.approx(expected, abs=tolerance)
    assert shift == pytest.approx(0.0, abs=tolerance)
