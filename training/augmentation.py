"""The two mirrorings that leave the physics of a flight unchanged."""

from __future__ import annotations

import math

import torch
from torch import Tensor


def mirror_across(frames: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
    """Left and right of the track exchanged: the frames flip across the track, the sun's azimuth changes sign."""
    return frames.flip(2), torch.stack((angles[:, 0], -angles[:, 1]), dim=1)


def mirror_time(frames: Tensor, angles: Tensor) -> tuple[Tensor, Tensor]:
    """The flight flown backwards, seen from its own front: frames in reverse order and flipped along the track.

    The aircraft then flies the other way over the mirrored scene, which is again forwards; the azimuth a becomes π - a.
    """
    return frames.flip(1).flip(3), torch.stack((angles[:, 0], math.pi - angles[:, 1]), dim=1)


def mirror_randomly(frames: Tensor, angles: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Each of the two mirrorings with probability 1/2, the same for the whole batch.

    frames: (n, frames, height, width), angles: (n, 2). ``generator`` lives on the CPU, so that choosing does not make a
    device wait.
    """
    across, time = torch.rand(2, generator=generator).lt(0.5).tolist()
    if across:
        frames, angles = mirror_across(frames, angles)
    if time:
        frames, angles = mirror_time(frames, angles)
    return frames, angles
