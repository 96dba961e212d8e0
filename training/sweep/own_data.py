"""Whether the data of a sweep's runs can be had, before the first of them is trained."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from training.config import Config


def way_of_reading(config: Config) -> Hashable:
    """What decides which samples a run has: runs that agree in it can share one data set."""
    return config.data, config.temporal_frames, config.augment


def check_data(configs: Iterable[Config]) -> None:
    """Reads and splits what the configurations read from files, once for each way in which they do; keeps nothing.

    A path, a column or a group that is not there, or a leak that is to be refused, would otherwise fail run by run.
    Simulated flights cannot be missing.

    Raises
    ------
    ConfigError
        The first that cannot be had.
    """
    seen: set[Hashable] = set()
    for config in configs:
        if config.data.kind == "flights":
            continue
        way = way_of_reading(config)
        if way in seen:
            continue
        seen.add(way)
        import torch

        from training.data import check_leaks, load_dataset

        check_leaks(config, load_dataset(config, torch.device("cpu")))
