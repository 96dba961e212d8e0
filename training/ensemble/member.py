"""A run that is trained beside others: what goes in, what comes out, and what an ensemble cannot do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from torch import Tensor

from training.config import Config
from training.data import Dataset
from training.errors import ConfigError
from training.model import Network
from training.recalibration import Recalibration
from training.resume import Row

ALONE_ONLY: dict[str, object] = {
    "precision": "fp32",
    "compile": False,
    "gradient_checkpointing": False,
    "augment": False,
    "c_mixup_alpha": 0.0,
    "overweight_factor": 1.0,
    "hard_sample_k": 0,
    "label_density_weighting": "none",
    "pretraining": "none",
    "freeze_encoder": False,
}
"""Settings that an ensemble has at this value only: each changes a step in a way that stacking does not carry."""
SHARED = ("model", "hidden_size", "hidden_layers", "dropout", "temporal_frames", "motion_channel", "spatial_attention",
          "temporal_attention", "batch_size", "gradient_every")  # fmt: skip
"""Settings that all members must agree in: they decide the shape of the stack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A run to train: its configuration and its data, on the CPU or on the device that all members use.

    start
        What is done to its network before training, such as planting a fault in it; None starts it as a run alone.
    """

    config: Config
    dataset: Dataset
    start: Callable[[Network], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Trained:
    """What a member's training left.

    rows
        The history, a row an epoch, with the columns of ``runreport.artifacts.HISTORY_COLUMNS``.
    selected_epoch
        The epoch whose weights were kept; None where no epoch had a score.
    val_pred, test_pred
        (epochs, n_val) predictions after each epoch; (n_test,) those of the kept weights (of the last where none was
        kept), recalibrated where the configuration says ``apply``; target units, on the CPU.
    test_loss
        Loss over the test split with the kept weights, penalty included.
    recalibration
        The line through the kept epoch's validation predictions, where asked for.
    """

    member: Member
    rows: list[Row]
    selected_epoch: int | None
    stopped_because: str
    val_pred: Tensor
    test_pred: Tensor
    test_loss: float
    recalibration: Recalibration | None


def check_members(members: Sequence[Member]) -> None:
    """That these can be trained together.

    Raises
    ------
    ConfigError
        A setting that an ensemble does not have, or members whose stack would have no one shape.
    """
    if not members:
        raise ConfigError("ensemble: found no members; expected at least one")
    first = members[0]
    for member in members:
        config, name = member.config, member.config.run_name
        for key, only in ALONE_ONLY.items():
            if getattr(config, key) != only:
                raise ConfigError(
                    f"{name}: {key}: found {getattr(config, key)!r}; an ensemble has {only!r} only; train this run alone"
                )
        for key in SHARED:
            if getattr(config, key) != getattr(first.config, key):
                raise ConfigError(
                    f"{name}: {key}: found {getattr(config, key)!r}; "
                    f"{first.config.run_name} has {getattr(first.config, key)!r}, and members share it"
                )
        for split, samples in member.dataset.splits().items():
            shape, expected = tuple(samples.frames.shape), tuple(first.dataset.splits()[split].frames.shape)
            if shape != expected:
                raise ConfigError(f"{name}: {split} split of shape {shape}; {first.config.run_name} has {expected}")
