"""Periodic random textures with a limited band of wavelengths, and sampling them at any point."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional

SHORTEST_WAVELENGTH_CELLS = 4.0  # a quarter of the sampling rate: bilinear interpolation keeps such waves nearly whole


def random_texture(size: int, *, slope: float, longest_wavelength_cells: float, generator: torch.Generator) -> Tensor:
    """A Gaussian random field on a torus, shape (size, size), mean 0 and variance 1 (ddof 0).

    White noise filtered to an isotropic amplitude spectrum ``k^-slope`` between the longest wavelength and
    ``SHORTEST_WAVELENGTH_CELLS``. A larger slope is smoother. Made on the generator's device.
    """
    device = generator.device
    noise = torch.randn(size, size, generator=generator, device=device)
    ky = torch.fft.fftfreq(size, device=device)[:, None]
    kx = torch.fft.rfftfreq(size, device=device)[None, :]
    k = torch.sqrt(kx**2 + ky**2)
    inside = (k >= 1 / longest_wavelength_cells) & (k <= 1 / SHORTEST_WAVELENGTH_CELLS)
    amplitude = torch.where(inside, k.clamp(min=1 / size) ** -slope, torch.zeros_like(k))
    field = torch.fft.irfft2(torch.fft.rfft2(noise) * amplitude, s=(size, size))
    standardised: Tensor = (field - field.mean()) / field.std(correction=0)
    return standardised


def cover_mask(field: Tensor, *, fraction: float, softness: float) -> Tensor:
    """Cloud opacity in [0, 1] from a random field: the highest ``fraction`` of it is cloud, with soft edges.

    ``softness`` is the width of the edge in standard deviations of the field.
    """
    # Threshold of a unit Gaussian instead of an empirical quantile: torch.quantile refuses large tensors.
    threshold = math.sqrt(2.0) * float(torch.erfinv(torch.tensor(1.0 - 2.0 * fraction)))
    return torch.sigmoid((field - threshold) / softness)


def sample_periodic(texture: Tensor, x: Tensor, y: Tensor, *, cell_km: float) -> Tensor:
    """Values of one or more periodic textures at points given in km, interpolated bilinearly.

    texture: (channels, size, size); x and y: any two shapes that broadcast to (..., height, width).
    Returns (channels, ..., height, width).
    """
    size = texture.shape[-1]
    # One wrapped row and column make the last cell interpolate towards the first.
    padded = functional.pad(texture[None], (0, 1, 0, 1), mode="circular")
    x, y = x + torch.zeros_like(y), y + torch.zeros_like(x)
    shape = x.shape
    grid = torch.stack((x, y), dim=-1).reshape(1, -1, shape[-1], 2)
    grid = torch.remainder(grid / cell_km, size) * (2.0 / size) - 1.0
    values = functional.grid_sample(padded, grid, mode="bilinear", padding_mode="border", align_corners=True)
    return values[0].reshape(texture.shape[0], *shape)
