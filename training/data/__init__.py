"""Where samples come from. A new source is one file and one line in ``READERS``."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from training.config import Config
from training.data.dataset import Dataset, Split, concatenate
from training.data.diabetes import read_diabetes
from training.data.flights import simulate_flights
from training.data.hdf5 import read_hdf5
from training.data.leaks import Leaks, check_leaks
from training.data.npz import read_npz
from training.data.pool import Pool
from training.data.splitting import split_pool
from training.data.table import read_table
from training.errors import ConfigError

__all__ = ["READERS", "Dataset", "Leaks", "Split", "check_leaks", "load_dataset"]

READERS: dict[str, Callable[[Config], Pool]] = {
    "diabetes": read_diabetes,
    "npz": read_npz,
    "hdf5": read_hdf5,
    "table": read_table,
}


def load_dataset(config: Config, device: torch.device) -> Dataset:
    """The three splits that ``config.data`` describes, on ``device``; ConfigError where they cannot be had."""
    data = config.data
    if data.kind == "flights":
        dataset = simulate_flights(data, frames=config.temporal_frames, device=device)
        return dataset if data.split == "given" else split_pool(_pooled(dataset), data)
    if config.augment and data.angles is None:
        raise ConfigError(
            "augment: mirrors flights with the sun's angles; samples without data.angles cannot be mirrored"
        )
    dataset = split_pool(READERS[data.kind](config), data)
    return Dataset(
        train=dataset.train.to(device),
        val=dataset.val.to(device),
        test=dataset.test.to(device),
        input_names=dataset.input_names,
    )


def _pooled(dataset: Dataset) -> Pool:
    """The simulated flights as one pool, to be split anew; time runs from flight to flight."""
    samples = concatenate(list(dataset.splits().values()))
    return Pool(samples=samples, rank=np.arange(len(samples)))
