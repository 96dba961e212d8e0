"""The convolutional encoder that every frame passes through with the same weights."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class FrameEncoder(nn.Module):
    """One vector a frame: three strided convolutions, then the mean over the frame.

    The mean makes the vector indifferent to where in the frame something is: with 500 samples, place is only noise.
    GroupNorm rather than BatchNorm: the last batch of an epoch may hold a single sample, and evaluation must not depend
    on running averages of batches.
    """

    def __init__(self, *, channels: int, size: int) -> None:
        super().__init__()
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

    def forward(self, frames: Tensor) -> Tensor:
        """frames: (n, channels, height, width). Returns (n, size)."""
        features: Tensor = self.layers(frames)
        vectors: Tensor = self.norm(features.mean(dim=(2, 3)))
        return vectors


def frame_channels(frames: Tensor, *, motion: bool) -> Tensor:
    """What the encoder sees of each frame: the frame, and with ``motion`` its change over time.

    frames: (n, frames, height, width). Each sample is standardised as a whole (mean 0, variance 1 over its frames). The
    change is next minus previous frame, one-sided at the ends, and zero for a single frame. In frames registered to the
    ground only what has height changes. Returns (n, frames, 1 or 2, height, width).
    """
    mean = frames.mean(dim=(1, 2, 3), keepdim=True)
    spread = frames.std(dim=(1, 2, 3), keepdim=True, correction=0).clamp(min=torch.finfo(frames.dtype).tiny)
    frames = (frames - mean) / spread
    if not motion:
        return frames[:, :, None]
    before = torch.cat((frames[:, :1], frames[:, :-1]), dim=1)
    after = torch.cat((frames[:, 1:], frames[:, -1:]), dim=1)
    return torch.stack((frames, after - before), dim=2)
