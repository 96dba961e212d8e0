"""Label distribution smoothing: weights that make rare targets count more."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from training.config import Config

KERNEL_REACH = 4.0  # standard deviations on each side: beyond lies less than 1e-4 of the kernel


def smoothed_density(values: np.ndarray, *, bins: int, sigma: float) -> tuple[np.ndarray, np.ndarray]:
    """Histogram of ``values`` over their range, smoothed, (bins,), and the bin of each value, (n,).

    The kernel is a Gaussian of ``sigma`` bins that sums to 1; beyond the range the histogram counts as empty. Yang et
    al. 2021, arXiv:2102.09554, section 3.1.
    """
    low, high = float(values.min()), float(values.max())
    width = (high - low) / bins if high > low else 1.0
    place = np.minimum(((values - low) / width).astype(np.int64), bins - 1)
    counts = np.bincount(place, minlength=bins).astype(np.float64)
    reach = int(KERNEL_REACH * sigma + 0.5)
    kernel = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    smoothed = np.convolve(counts, kernel / kernel.sum(), mode="full")[reach : reach + bins]
    return smoothed, place


def density_weights(config: Config, target: Tensor) -> Tensor | None:
    """Weight of each training sample, (n,), mean 1: 1/density of its target, or the root of that; None when off.

    ``label_density_weighting`` inverse or sqrt_inverse (the paper's two), density as :func:`smoothed_density` has it.
    """
    if config.label_density_weighting == "none":
        return None
    values = target.detach().cpu().numpy().astype(np.float64)
    density, place = smoothed_density(values, bins=config.label_density_bins, sigma=config.label_density_sigma)
    weights = 1.0 / density[place]
    if config.label_density_weighting == "sqrt_inverse":
        weights = np.sqrt(weights)
    return torch.from_numpy(weights / weights.mean()).to(target.device, target.dtype)
