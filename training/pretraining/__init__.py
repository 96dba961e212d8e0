"""What the encoder starts from: nothing, or the filling-in of hidden patches in frames without targets."""

from __future__ import annotations

from training.config import Config
from training.data.dataset import Split
from training.errors import ConfigError
from training.model import HeightNetwork, Network
from training.pretraining.pretrain import Plan, Pretraining, plan_for, pretrain_encoder

__all__ = ["Plan", "Pretraining", "check_pretraining", "plan_for", "pretrain", "pretrain_encoder"]


def check_pretraining(config: Config, train: Split) -> None:
    """ConfigError where ``pretraining`` cannot be done: no encoder of single frames, patches as large as a frame, or
    nothing to hold out."""
    if config.pretraining == "none":
        return
    if config.model != "attention":
        raise ConfigError(f"pretraining: {config.pretraining} needs model: attention, whose encoder sees single frames")
    height, width = train.frames.shape[2:]
    if config.pretraining_patch >= max(height, width):
        raise ConfigError(
            f"pretraining_patch: found {config.pretraining_patch}; expected less than {max(height, width)}, the larger "
            "side of a frame: part of it has to be seen"
        )
    if config.pretraining == "masked" and int(train.flight.bincount().max()) < 2:
        raise ConfigError("pretraining: masked holds out the last samples of each group; no group here has two")


def pretrain(config: Config, model: Network, train: Split) -> Pretraining | None:
    """Pretrains the model's encoder in place on the training split's frames; None where ``pretraining`` is none.

    A frozen encoder learns here and keeps still from then on. The same configuration pretrains to the same weights.
    """
    if config.pretraining == "none" or not isinstance(model, HeightNetwork):
        return None
    model.encoder.layers.requires_grad_(True)
    result = pretrain_encoder(
        model.encoder, train, plan_for(config), kind=config.pretraining, motion=config.motion_channel
    )
    if config.freeze_encoder:
        model.encoder.freeze()
    return result
