"""Cloud heights along a flight: autocorrelated, with exactly the distribution asked for."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

LOWEST_KM = 0.15
HIGHEST_KM = 1.95

Quantiles = tuple[tuple[float, float], ...]
"""Knots (share of samples, height in km) of a quantile function, both rising; straight lines between."""


def autoregressive(count: int, coefficient: float, generator: torch.Generator) -> Tensor:
    """A stationary Gaussian AR(1) series of unit variance, shape (count,): ``z[i] = c·z[i-1] + √(1-c²)·e[i]``.

    Written as one product with the Cholesky factor of the covariance ``c^|i-j|``: no Python loop over samples.
    """
    device = generator.device
    noise = torch.randn(count, generator=generator, device=device, dtype=torch.float64)
    index = torch.arange(count, device=device, dtype=torch.float64)
    lag = index[:, None] - index[None, :]
    innovation = torch.full((count,), (1 - coefficient**2) ** 0.5, device=device, dtype=torch.float64)
    innovation[0] = 1.0
    factor = torch.where(lag >= 0, coefficient ** lag.clamp(min=0), torch.zeros_like(lag)) * innovation[None, :]
    return factor @ noise


def quantile_map(share: Tensor, knots: Sequence[tuple[float, float]]) -> Tensor:
    """Heights in km at the given shares (0 to 1) of a piecewise-linear quantile function."""
    at = torch.tensor([knot[0] for knot in knots], dtype=share.dtype, device=share.device)
    value = torch.tensor([knot[1] for knot in knots], dtype=share.dtype, device=share.device)
    right = torch.searchsorted(at, share.contiguous(), right=True).clamp(1, len(knots) - 1)
    left = right - 1
    step = (share - at[left]) / (at[right] - at[left])
    return value[left] + step * (value[right] - value[left])


def flight_heights(count: int, *, knots: Quantiles, coefficient: float, generator: torch.Generator) -> Tensor:
    """Heights of one flight in time order, shape (count,), float32, km, within 0.15 to 1.95.

    An AR(1) series is replaced by the quantile at its rank ``(rank + 1/2)/count``. Ranks instead of the Gaussian's own
    probabilities: 144 samples at 0.9 hold the information of about eight, and the flight's distribution would be luck.
    """
    series = autoregressive(count, coefficient, generator)
    rank = torch.argsort(torch.argsort(series)).to(torch.float64)
    heights = quantile_map((rank + 0.5) / count, knots)
    return heights.clamp(LOWEST_KM, HIGHEST_KM).to(torch.float32)
