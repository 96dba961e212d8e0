"""The network of the presets: a shared frame encoder, attention over frames, the sun's angles, one linear output."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.config import Config
from training.model.attention import AttentionPooling
from training.model.base import Network, angle_count, angle_features
from training.model.encoder import FrameEncoder, frame_channels
from training.model.multi_scale import MultiScaleAttention


class HeightNetwork(Network):
    """Cloud height in km from frames and angles: every frame through the same encoder, attention over the frames."""

    encoder: FrameEncoder

    def __init__(self, config: Config, *, output_bias: float | Tensor) -> None:
        super().__init__()
        size = config.hidden_size
        self.motion = config.motion_channel
        self.encoder = FrameEncoder(
            channels=2 if self.motion else 1, size=size, spatial_attention=config.spatial_attention
        )
        multi_scale = config.temporal_attention == "multi_scale"
        self.attention = MultiScaleAttention(size=size) if multi_scale else AttentionPooling(size=size)
        self.join = nn.Sequential(nn.Linear(size + angle_count(config), size), nn.GELU(), nn.Dropout(config.dropout))
        self.start_output(size, config, output_bias=output_bias)

    def features(self, frames: Tensor, angles: Tensor) -> Tensor:
        """frames: (n, frames, height, width), angles: (n, 2) in radians, or (n, 0). Returns (n, size)."""
        count, number = frames.shape[:2]
        seen = frame_channels(frames, motion=self.motion)
        vectors = self.encoder(seen.flatten(0, 1)).view(count, number, -1)
        pooled = self.attention(vectors)
        joined: Tensor = self.join(torch.cat((pooled, angle_features(angles)), dim=1))
        return joined
