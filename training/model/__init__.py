"""The networks. A new one is one file, one line in ``make_network`` and one in the choices of ``Config.model``."""

from __future__ import annotations

from torch import Tensor

from training.config import Config
from training.data.dataset import Split
from training.errors import ConfigError
from training.model.base import Network
from training.model.cnn import StackedNetwork
from training.model.mlp import TableNetwork
from training.model.network import HeightNetwork

__all__ = ["HeightNetwork", "Network", "StackedNetwork", "TableNetwork", "make_network"]


def make_network(config: Config, train: Split, *, output_bias: float | Tensor) -> Network:
    """The network that ``config.model`` names, for samples such as the training split's; on the CPU.

    With ``freeze_encoder`` the encoder's convolutions do not learn. ConfigError where network and samples do not fit.
    """
    table = train.frames.dim() == 2
    if config.model == "mlp":
        if not table:
            raise ConfigError(f"model: mlp takes the columns of a table; data.kind {config.data.kind} has frames here")
        if config.freeze_encoder:
            raise ConfigError("freeze_encoder: model mlp has no encoder to freeze")
        return TableNetwork(config, inputs=train.frames.cpu(), output_bias=output_bias)
    if table:
        raise ConfigError(
            f"model: {config.model} takes frames; data.kind {config.data.kind} has a table here: use model: mlp"
        )
    kind = HeightNetwork if config.model == "attention" else StackedNetwork
    network = kind(config, output_bias=output_bias)
    if config.freeze_encoder:
        network.encoder.freeze()
    return network
