"""The best weights of a run, on disk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from runreport.artifacts import write_atomically
from training.config import Config
from training.model import Network
from training.standardisation import TargetScale


def save_checkpoint(
    path: Path,
    model: Network,
    *,
    config: Config,
    epoch: int,
    scale: TargetScale | None = None,
    penalty_weight: float = 0.0,
) -> None:
    """Writes weights, configuration and epoch by atomic rename: a kill leaves the last whole checkpoint.

    With them go what turns the network's outputs into target units (``scale``, the identity by default) and the λ of
    the epoch.
    """
    scale = scale or TargetScale()
    document = {
        "model": model.state_dict(),
        "config": config.to_dict(),
        "epoch": epoch,
        "target_scale": {"mean": scale.mean, "std": scale.std},
        "penalty_weight": penalty_weight,
    }
    write_atomically(path, lambda part: torch.save(document, part))


def load_checkpoint(path: Path, model: Network, *, device: torch.device) -> dict[str, Any]:
    """Puts the saved weights into ``model``; returns what was saved with them.

    Read with ``weights_only=True``: a checkpoint holds tensors and plain values, and never runs code.
    """
    document: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    model.load_state_dict(document["model"])
    return document
