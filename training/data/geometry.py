"""Where a pixel of the camera sees the surface, the cloud layer and the cloud's shadow.

Coordinates, all in km: x along the flight track, y across it, both measured on the ground from the point under the
aircraft at the sample's middle time. ``u, v`` are the pixel's ground coordinates, ``t`` seconds from the middle time.
The aircraft flies straight and level at height H and speed V; nothing on the scene moves by itself.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def surface_pixels_per_frame(*, speed_m_s: float, pixel_size_m: float, seconds: float = 1.0) -> float:
    """Pixels by which the surface moves between two raw frames: ``V·dt/p``.

    >>> surface_pixels_per_frame(speed_m_s=200.0, pixel_size_m=50.0)
    4.0
    """
    return speed_m_s * seconds / pixel_size_m


def parallax_factor(height_km: float, altitude_km: float) -> float:
    """How much faster than the surface a cloud at ``height_km`` crosses the raw frames: ``H/(H - h)``, at least 1.

    >>> parallax_factor(1.0, 5.0)
    1.25
    """
    return altitude_km / (altitude_km - height_km)


def shadow_distance_km(height_km: float, zenith_rad: float) -> float:
    """Ground distance from a cloud to its shadow: ``h·tan(zenith)``, in km.

    >>> round(shadow_distance_km(1.0, math.radians(45.0)), 6)
    1.0
    """
    return height_km * math.tan(zenith_rad)


def pixel_axis(count: int, pixel_size_m: float, device: torch.device) -> Tensor:
    """Ground coordinates of ``count`` pixels, centred on 0, in km; shape (count,)."""
    index = torch.arange(count, dtype=torch.float32, device=device)
    return (index - (count - 1) / 2) * (pixel_size_m / 1000.0)


def frame_times(frames: int, device: torch.device, seconds: float = 1.0) -> Tensor:
    """Seconds of each frame from the sample's middle, shape (frames,); one frame a second.

    >>> frame_times(3, torch.device("cpu")).tolist()
    [-1.0, 0.0, 1.0]
    """
    index = torch.arange(frames, dtype=torch.float32, device=device)
    return (index - (frames - 1) / 2) * seconds


def surface_points(
    u: Tensor, v: Tensor, times: Tensor, speed_km_s: float, *, registered: bool
) -> tuple[Tensor, Tensor]:
    """Ground point that each pixel of each frame looks at.

    In raw frames the camera moves with the aircraft, so the ground point is ``u + V·t``. In frames registered to the
    ground (the aircraft's own motion, known from its navigation, taken out) it is ``u`` in every frame.
    u: (width,), v: (height,), times: (frames,). Returns x of shape (frames, 1, width), or (1, 1, width) where all
    frames look at the same ground, and y of shape (1, height, 1), km.
    """
    x = u[None, None, :]
    if not registered:
        x = x + speed_km_s * times[:, None, None]
    return x, v[None, :, None]


def cloud_points(
    ground_x: Tensor, ground_y: Tensor, times: Tensor, height_km: Tensor, *, altitude_km: float, speed_km_s: float
) -> tuple[Tensor, Tensor]:
    """Where the rays to the given ground points cross the cloud layer.

    The camera is over ``V·t``. Its ray to ground point g crosses height h at ``g + (V·t - g)·h/H``: towards the camera
    by the share h/H. Hence clouds move H/(H - h) times as fast as the surface in raw frames, and by ``V·h/(H - h)`` a
    second, against the flight direction, in registered ones.
    ground_x: (frames or 1, 1, width), ground_y: (1, height, 1), height_km: (samples,).
    Returns x of shape (samples, frames, 1, width), y of shape (samples, 1, height, 1), km.
    """
    share = (height_km / altitude_km)[:, None, None, None]
    camera_x = (speed_km_s * times)[None, :, None, None]
    return ground_x[None] + (camera_x - ground_x[None]) * share, ground_y[None] * (1 - share)


def shadow_points(
    ground_x: Tensor, ground_y: Tensor, height_km: Tensor, zenith_rad: Tensor, azimuth_rad: Tensor
) -> tuple[Tensor, Tensor]:
    """Where the rays from the given ground points to the sun cross the cloud layer.

    A ground point is in shadow when there is cloud at ``h·tan(zenith)`` from it towards the sun. The azimuth is
    measured from the flight direction, +x, towards +y, and points to the sun. Shapes as in :func:`cloud_points`.
    """
    distance = height_km * torch.tan(zenith_rad)
    toward_x = (distance * torch.cos(azimuth_rad))[:, None, None, None]
    toward_y = (distance * torch.sin(azimuth_rad))[:, None, None, None]
    return ground_x[None] + toward_x, ground_y[None] + toward_y
