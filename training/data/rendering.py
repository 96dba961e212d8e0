"""Frames of a camera that looks straight down at a surface, a cloud layer and the cloud's shadow."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from training.config import DataConfig
from training.data.geometry import cloud_points, frame_times, pixel_axis, shadow_points, surface_points
from training.data.textures import cover_mask, random_texture, sample_periodic

TEXTURE_CELLS = 512  # with half-pixel cells of 25 m: a torus of 12.8 km, over which each sample has a place of its own
CELLS_PER_PIXEL = 2.0  # so the shortest wave in a texture, 4 cells, is 2 pixels long: the finest that a frame can show
LONGEST_WAVELENGTH_PIXELS = 32.0  # about the frame: longer waves would only move a frame's mean
CLOUD_EDGE = 0.25  # width of the cloud edges in standard deviations of the cloud field
CLOUD_OPACITY = 0.9
SAMPLES_AT_ONCE = 64  # bounds the memory of rendering: about 64 · frames · pixels floats a step


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Look of a flight. Contrasts in standard deviations of the surface texture; slopes of the amplitude spectra."""

    cloud_fraction: float
    cloud_contrast: float
    shadow_contrast: float
    surface_slope: float
    cloud_slope: float


def render_frames(
    heights: Tensor,
    zenith: Tensor,
    azimuth: Tensor,
    *,
    scene: Scene,
    frames: int,
    config: DataConfig,
    noise: float,
    generator: torch.Generator,
) -> Tensor:
    """Frames of every sample, shape (samples, frames, height, width), in standard deviations of the surface texture.

    heights, zenith, azimuth: (samples,), km and radians. A pixel is ``(1 - a)·(surface - s·shadow) - a·c·body``
    plus noise. a is the cloud's opacity where the pixel's ray crosses the layer; clouds and shadows are cold, that is
    dark. The brightness says nothing of the height: only where things are does.
    """
    device = heights.device
    cell_km = config.pixel_size_m / 1000.0 / CELLS_PER_PIXEL
    longest = LONGEST_WAVELENGTH_PIXELS * CELLS_PER_PIXEL
    surface, cloud, detail = (
        random_texture(TEXTURE_CELLS, slope=slope, longest_wavelength_cells=longest, generator=generator)
        for slope in (scene.surface_slope, scene.cloud_slope, scene.cloud_slope)
    )
    cover = cover_mask(cloud, fraction=scene.cloud_fraction, softness=CLOUD_EDGE)
    layer = torch.stack((cover, 1.0 + 0.3 * detail))
    # A sample's place on the torus of the surface and on that of the clouds, (samples, 4), in km.
    place = torch.rand(len(heights), 4, generator=generator, device=device) * (TEXTURE_CELLS * cell_km)

    u = pixel_axis(config.frame_width, config.pixel_size_m, device)
    v = pixel_axis(config.frame_height, config.pixel_size_m, device)
    times = frame_times(frames, device)
    speed = config.speed_m_s / 1000.0
    ground_x, ground_y = surface_points(u, v, times, speed, registered=config.registered)
    rendered = []
    for part in torch.split(torch.arange(len(heights), device=device), SAMPLES_AT_ONCE):
        h = heights[part]
        at = place[part].T[:, :, None, None, None]
        ground = sample_periodic(surface[None], ground_x[None] + at[0], ground_y[None] + at[1], cell_km=cell_km)[0]
        x, y = cloud_points(ground_x, ground_y, times, h, altitude_km=config.altitude_km, speed_km_s=speed)
        opacity, body = sample_periodic(layer, x + at[2], y + at[3], cell_km=cell_km)
        x, y = shadow_points(ground_x, ground_y, h, zenith[part], azimuth[part])
        shadow = sample_periodic(cover[None], x + at[2], y + at[3], cell_km=cell_km)[0]
        opacity = opacity * (CLOUD_OPACITY * config.cue_strength)
        lit = ground - (config.cue_strength * scene.shadow_contrast) * shadow
        rendered.append((1.0 - opacity) * lit - (opacity * scene.cloud_contrast) * body)
    image = torch.cat(rendered)
    return image + noise * torch.randn(image.shape, generator=generator, device=device)
