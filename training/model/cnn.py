"""A simple convolutional network: all frames at once, as channels of one image."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.config import Config
from training.model.base import Network, angle_count, angle_features
from training.model.encoder import FrameEncoder, frame_channels


class StackedNetwork(Network):
    """The frames stacked as channels, one pass through the convolutions, no attention over time.

    The first convolution sees a place in all frames together, so motion needs no channel of its own; with
    ``motion_channel`` it is given all the same.
    """

    encoder: FrameEncoder

    def __init__(self, config: Config, *, output_bias: float | Tensor) -> None:
        super().__init__()
        size = config.hidden_size
        self.motion = config.motion_channel
        self.encoder = FrameEncoder(
            channels=config.temporal_frames * (2 if self.motion else 1),
            size=size,
            spatial_attention=config.spatial_attention,
        )
        self.join = nn.Sequential(nn.Linear(size + angle_count(config), size), nn.GELU(), nn.Dropout(config.dropout))
        self.start_output(size, config, output_bias=output_bias)

    def features(self, frames: Tensor, angles: Tensor) -> Tensor:
        """frames: (n, temporal_frames, height, width), angles: (n, 2) in radians, or (n, 0). Returns (n, size)."""
        seen = frame_channels(frames, motion=self.motion).flatten(1, 2)
        joined: Tensor = self.join(torch.cat((self.encoder(seen), angle_features(angles)), dim=1))
        return joined
