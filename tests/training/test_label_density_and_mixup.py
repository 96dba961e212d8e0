"""Label-density weights against scipy's filters, C-Mixup against its probabilities."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage, stats

from training.c_mixup import Mixture, draw_mixture
from training.config import Config
from training.label_density import density_weights, smoothed_density
from training.standardisation import UNSCALED, TargetScale

RANDOM = np.random.default_rng(3)
TARGET = RANDOM.gamma(2.0, 0.3, 400)


@pytest.mark.parametrize("sigma", [0.3, 2.0, 6.0])
def test_smoothed_density_is_scipys_gaussian_filter(sigma: float) -> None:
    density, place = smoothed_density(TARGET, bins=25, sigma=sigma)
    counts, edges = np.histogram(TARGET, bins=25)
    expected = ndimage.gaussian_filter1d(counts.astype(float), sigma, mode="constant", truncate=4.0)
    np.testing.assert_allclose(density, expected, rtol=1e-10)
    np.testing.assert_array_equal(np.clip(np.digitize(TARGET, edges) - 1, 0, 24), place)


def test_weights_undo_the_density_and_have_mean_one() -> None:
    target = torch.from_numpy(TARGET).float()
    density, place = smoothed_density(target.numpy().astype(float), bins=50, sigma=2.0)
    inverse = density_weights(Config(label_density_weighting="inverse"), target)
    root = density_weights(Config(label_density_weighting="sqrt_inverse"), target)
    assert inverse is not None
    assert root is not None
    for weights, power in ((inverse, 1.0), (root, 0.5)):
        assert weights.dtype == torch.float32
        assert float(weights.mean()) == pytest.approx(1.0, rel=1e-5)
        level = weights.numpy() * density[place] ** power
        assert level.max() == pytest.approx(level.min(), rel=1e-4)
    rare, common = int(np.argmax(TARGET)), int(np.argmax(density[place]))
    assert inverse[rare] > root[rare] > root[common] > inverse[common]


def test_equal_targets_weigh_the_same_and_off_is_none() -> None:
    weights = density_weights(Config(label_density_weighting="inverse"), torch.full((5,), 0.7))
    assert weights is not None
    assert weights.tolist() == pytest.approx([1.0] * 5)
    assert density_weights(Config(), torch.zeros(3)) is None


def test_partners_are_drawn_with_the_kernels_probabilities() -> None:
    targets = torch.tensor([0.0, 0.5, 1.5])
    generator = torch.Generator().manual_seed(0)
    draws = 4000
    counts = np.zeros((3, 3))
    for _ in range(draws):
        partner = draw_mixture(targets, alpha=1.0, bandwidth=0.6, generator=generator).partner
        counts[np.arange(3), partner.numpy()] += 1
    kernel = stats.norm.pdf(targets[:, None].numpy() - targets[None, :].numpy(), scale=0.6)
    expected = draws * kernel / kernel.sum(axis=1, keepdims=True)
    for row in range(3):
        assert stats.chisquare(counts[row], expected[row], sum_check=False).pvalue > 1e-3


def test_shares_follow_the_beta_distribution_and_the_seed() -> None:
    generator = torch.Generator().manual_seed(0)
    shares = [draw_mixture(torch.zeros(1), alpha=2.0, bandwidth=1.0, generator=generator).share for _ in range(600)]
    assert stats.kstest(shares, stats.beta(2.0, 2.0).cdf).pvalue > 1e-3
    again = torch.Generator().manual_seed(0)
    assert draw_mixture(torch.zeros(1), alpha=2.0, bandwidth=1.0, generator=again).share == shares[0]


def test_mixing_values_and_angles() -> None:
    mixture = Mixture(partner=torch.tensor([1, 0]), share=0.75)
    assert mixture.mixed(torch.tensor([[0.0, 4.0], [8.0, 0.0]])).tolist() == [[2.0, 3.0], [6.0, 1.0]]
    angles = torch.tensor([[math.radians(350.0)], [math.radians(10.0)]])
    mixed = torch.rad2deg(mixture.mixed_angles(angles))[:, 0] % 360
    assert mixed.tolist() == pytest.approx([355.0, 5.0], abs=1e-3)
    assert mixture.mixed_angles(torch.zeros(2, 0)).shape == (2, 0)


def test_a_narrow_kernel_mixes_a_sample_with_its_like() -> None:
    targets = torch.tensor([0.0, 1.0, 0.0, 1.0])
    mixture = draw_mixture(targets, alpha=1.0, bandwidth=0.01, generator=torch.Generator().manual_seed(4))
    torch.testing.assert_close(mixture.mixed(targets), targets)


def test_the_scale_is_sklearns_standard_scaler_and_turns_back() -> None:
    from sklearn.preprocessing import StandardScaler

    scale = TargetScale.of(torch.from_numpy(TARGET))
    expected = StandardScaler().fit_transform(TARGET[:, None])[:, 0]
    scaled = scale.scaled(torch.from_numpy(TARGET))
    np.testing.assert_allclose(scaled.numpy(), expected, rtol=1e-9)
    np.testing.assert_allclose(scale.in_units(scaled).numpy(), TARGET, rtol=1e-12)
    assert TargetScale.of(torch.full((4,), 2.0)) == TargetScale(mean=2.0, std=1.0)
    values = torch.rand(3)
    assert UNSCALED.scaled(values) is values
