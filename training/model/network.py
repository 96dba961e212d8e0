"""The network: a shared frame encoder, attention over frames, the sun's angles, one linear output."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.config import Config
from training.model.attention import TemporalAttention
from training.model.encoder import FrameEncoder, frame_channels

ANGLE_FEATURES = 3


def angle_features(angles: Tensor) -> Tensor:
    """(n, 2) zenith, azimuth in radians → (n, 3): tan zenith (shadow length per height), sin and cos azimuth."""
    zenith, azimuth = angles.unbind(dim=1)
    return torch.stack((torch.tan(zenith), torch.sin(azimuth), torch.cos(azimuth)), dim=1)


class HeightNetwork(nn.Module):
    """Cloud height in km from frames and angles.

    ``output`` is the linear output layer: its weights start as a normal of ``output_init_std``, its bias at
    ``output_bias``. Both decide where a run starts: its first predictions' spread and mean.
    """

    def __init__(self, config: Config, *, output_bias: float) -> None:
        super().__init__()
        size = config.hidden_size
        self.motion = config.motion_channel
        self.encoder = FrameEncoder(channels=2 if self.motion else 1, size=size)
        self.attention = TemporalAttention(size=size)
        self.join = nn.Sequential(nn.Linear(size + ANGLE_FEATURES, size), nn.GELU(), nn.Dropout(config.dropout))
        self.output = nn.Linear(size, 1)
        nn.init.normal_(self.output.weight, std=config.output_init_std)
        nn.init.constant_(self.output.bias, output_bias)

    def forward(self, frames: Tensor, angles: Tensor) -> Tensor:
        """frames: (n, frames, height, width), angles: (n, 2) in radians. Returns (n,), km."""
        count, number = frames.shape[:2]
        seen = frame_channels(frames, motion=self.motion)
        vectors = self.encoder(seen.flatten(0, 1)).view(count, number, -1)
        pooled = self.attention(vectors)
        joined = self.join(torch.cat((pooled, angle_features(angles)), dim=1))
        prediction: Tensor = self.output(joined)[:, 0]
        return prediction
