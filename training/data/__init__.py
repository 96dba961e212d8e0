"""Where samples come from. A new source is one file and one line in ``SOURCES``."""

from __future__ import annotations

from collections.abc import Callable

import torch

from training.config import Config
from training.data.dataset import Dataset, Split
from training.data.flights import simulate_flights

__all__ = ["SOURCES", "Dataset", "Split", "load_dataset"]


def _flights(config: Config, device: torch.device) -> Dataset:
    return simulate_flights(config.data, frames=config.temporal_frames, device=device)


SOURCES: dict[str, Callable[[Config, torch.device], Dataset]] = {"flights": _flights}


def load_dataset(config: Config, device: torch.device) -> Dataset:
    """The three splits that ``config.data.kind`` names, on ``device``."""
    return SOURCES[config.data.kind](config, device)
