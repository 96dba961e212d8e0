"""What every network has in common: features, one linear output, a configured start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from training.config import Config

if TYPE_CHECKING:
    from training.model.encoder import FrameEncoder

ANGLE_FEATURES = 3


class Network(nn.Module):
    """Features of a sample, then one linear output layer.

    A kind of network makes its own layers, calls ``start_output`` last, and has ``features``. ``encoder`` is what
    pretraining and freezing act on; None where a kind has none. ``output`` is the linear output layer: its weights start
    as a normal of ``output_init_std``, its bias at ``output_bias``: a number for one output a sample, (K,) for the K
    outputs that some losses need. Both decide where a run starts: its first predictions' spread and mean.
    """

    encoder: FrameEncoder | None
    output: nn.Linear

    def start_output(self, size: int, config: Config, *, output_bias: float | Tensor) -> None:
        """Makes the output layer on ``size`` features."""
        bias = torch.as_tensor(output_bias, dtype=torch.float32).reshape(-1)
        self.output = nn.Linear(size, len(bias))
        nn.init.normal_(self.output.weight, std=config.output_init_std)
        with torch.no_grad():
            self.output.bias.copy_(bias)

    def features(self, frames: Tensor, angles: Tensor) -> Tensor:  # noqa: ARG002 - a kind of network uses them
        """The features (n, size) of n samples; what a sample is, is the kind's own matter."""
        raise TypeError(f"{type(self).__name__} has no features")

    def forward(self, frames: Tensor, angles: Tensor) -> Tensor:
        """Outputs, (n,), or (n, K) where there are K, of what ``training.data.Split`` holds under the same names."""
        outputs: Tensor = self.output(self.features(frames, angles))
        return outputs[:, 0] if outputs.shape[1] == 1 else outputs


def angle_count(config: Config) -> int:
    """Features that the angles of this configuration's samples give: 3, or 0 where the samples have none."""
    return ANGLE_FEATURES if config.data.kind == "flights" or config.data.angles is not None else 0


def angle_features(angles: Tensor) -> Tensor:
    """(n, 2) zenith, azimuth in radians → (n, 3): tan zenith (shadow length per height), sin and cos azimuth.

    (n, 0), of samples without angles, stays as it is.
    """
    if angles.shape[1] == 0:
        return angles
    zenith, azimuth = angles.unbind(dim=1)
    return torch.stack((torch.tan(zenith), torch.sin(azimuth), torch.cos(azimuth)), dim=1)
