"""The convolutional encoder that every frame passes through with the same weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.model.attention import AttentionPooling

ENCODER_STRIDE = 8
"""Pixels from one place of the encoder's maps to the next."""


class FrameEncoder(nn.Module):
    """One vector a frame: three strided convolutions, then the mean over the frame's places, or attention over them.

    Either makes the vector indifferent to where in the frame something is: with 500 samples, place is only noise.
    GroupNorm rather than BatchNorm: the last batch of an epoch may hold a single sample, and evaluation must not depend
    on running averages of batches.
    """

    def __init__(self, *, channels: int, size: int, spatial_attention: bool = False) -> None:
        super().__init__()
        self.channels = channels
        self.size = size
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 16, kernel_size=5, stride=2, padding=2),
            nn.GELU(),
            nn.GroupNorm(4, 16),
            nn.Conv2d(16, 32, kernel_size=3, stride=2, padding=1),
            nn.GELU(),
            nn.Conv2d(32, size, kernel_size=3, stride=2, padding=1),
            nn.GELU(),
        )
        self.norm = nn.LayerNorm(size)
        self.pool = AttentionPooling(size=size) if spatial_attention else None

    def forward(self, frames: Tensor) -> Tensor:
        """frames: (n, channels, height, width). Returns (n, size)."""
        maps: Tensor = self.layers(frames)  # (n, size, height / 8, width / 8), rounded up
        pooled = maps.mean(dim=(2, 3)) if self.pool is None else self.pool(maps.flatten(2).transpose(1, 2))
        vectors: Tensor = self.norm(pooled)
        return vectors

    def freeze(self) -> None:
        """Keeps the convolutions as they are; how their maps are pooled and scaled goes on learning."""
        self.layers.requires_grad_(False)


def standardised(frames: Tensor) -> Tensor:
    """Each sample as a whole with mean 0 and variance 1 over its frames; (n, frames, height, width) in and out."""
    mean = frames.mean(dim=(1, 2, 3), keepdim=True)
    spread = frames.std(dim=(1, 2, 3), keepdim=True, correction=0).clamp(min=torch.finfo(frames.dtype).tiny)
    return (frames - mean) / spread


def motion_channels(frames: Tensor, *, motion: bool) -> Tensor:
    """The frames, and with ``motion`` their change over time as a second channel.

    The change is next minus previous frame, one-sided at the ends, and zero for a single frame. In frames registered to
    the ground only what has height changes. frames: (n, frames, height, width), standardised. Returns (n, frames, 1 or 2,
    height, width).
    """
    if not motion:
        return frames[:, :, None]
    before = torch.cat((frames[:, :1], frames[:, :-1]), dim=1)
    after = torch.cat((frames[:, 1:], frames[:, -1:]), dim=1)
    return torch.stack((frames, after - before), dim=2)


def frame_channels(frames: Tensor, *, motion: bool) -> Tensor:
    """What the encoder sees of raw frames (n, frames, height, width): standardised, with ``motion`` their change too."""
    return motion_channels(standardised(frames), motion=motion)
