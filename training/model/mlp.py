"""A multilayer perceptron for tables."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from training.config import Config
from training.model.base import Network


class TableNetwork(Network):
    """Standardised columns through ``hidden_layers`` layers of ``hidden_size`` (GELU), then the output.

    The columns' means and standard deviations (ddof 0) are of the training split and part of the saved weights: nothing
    of validation or test enters them, and a checkpoint needs no other file to be used on raw columns. A column that is
    constant in training is only shifted.
    """

    encoder: None
    input_mean: Tensor
    input_std: Tensor

    def __init__(self, config: Config, *, inputs: Tensor, output_bias: float | Tensor) -> None:
        super().__init__()
        self.encoder = None
        table = inputs.to(torch.float64)
        constant = table.amax(dim=0) == table.amin(dim=0)
        spread = torch.where(constant, 1.0, table.std(dim=0, correction=0))
        self.register_buffer("input_mean", table.mean(dim=0).to(inputs.dtype))
        self.register_buffer("input_std", spread.to(inputs.dtype))
        layers: list[nn.Module] = []
        width = inputs.shape[1]
        for _ in range(config.hidden_layers):
            layers += [nn.Linear(width, config.hidden_size), nn.GELU(), nn.Dropout(config.dropout)]
            width = config.hidden_size
        self.layers = nn.Sequential(*layers)
        self.start_output(width, config, output_bias=output_bias)

    def features(self, frames: Tensor, angles: Tensor) -> Tensor:  # noqa: ARG002 - every kind has the same signature
        """frames: (n, columns), as they were read; angles play no part. Returns (n, hidden_size)."""
        hidden: Tensor = self.layers((frames - self.input_mean) / self.input_std)
        return hidden
