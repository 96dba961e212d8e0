"""The simulated flights as tables: what moves between the frames of a sample, as columns a small network can learn from."""

from __future__ import annotations

import dataclasses
from functools import cache

import torch
from torch import Tensor

from training.config import DataConfig
from training.data import Dataset, Split
from training.data.flights import simulate_flights
from training.model.base import angle_features

FLIGHTS: dict[str, DataConfig] = {
    "flights": DataConfig(
        train_samples=400, val_samples=160, test_samples=160, frame_height=32, frame_width=32, noise=0.05
    ),
    "low_flights": DataConfig(
        train_samples=400,
        val_samples=160,
        test_samples=160,
        frame_height=32,
        frame_width=32,
        noise=0.1,
        altitude_km=4.0,
    ),
}
"""Two campaigns: another height of the aircraft moves the clouds by other distances; little noise, so that a table of
lags holds most of what the frames do."""
LAGS = range(-5, 6)
"""Pixels: over two seconds the highest cloud moves by four to five."""
PAIRS = ((0, 1), (0, 2))
COLUMNS = (
    *(f"lag{lag}_frame{later}" for _, later in PAIRS for lag in LAGS),
    "change", "tan_zenith", "sin_azimuth", "cos_azimuth",
)  # fmt: skip


@cache
def flights_of(name: str, seed: int) -> Dataset:
    """The flights of one campaign and seed; train, validation and test share no flight."""
    config = dataclasses.replace(FLIGHTS[name], seed=seed)
    flown = simulate_flights(config, frames=3, device=torch.device("cpu"))
    return Dataset(**{part: _as_table(split) for part, split in flown.splits().items()}, input_names=COLUMNS)


def _as_table(split: Split) -> Split:
    """frames (n, 3, height, width) → (n, columns)."""
    return dataclasses.replace(
        split, frames=motion_columns(split.frames, split.angles), angles=split.angles.new_zeros(len(split), 0)
    )


def motion_columns(frames: Tensor, angles: Tensor) -> Tensor:
    """(n, columns): correlation of frame 0 with a later one displaced along the track, and where the sun stands.

    The surface stands still, clouds move with their height: at which lag the correlation peaks, and how much two frames
    differ at all, tells the height.
    """
    centred = frames - frames.mean(dim=(2, 3), keepdim=True)
    unit = centred / centred.std(dim=(2, 3), keepdim=True)
    width = frames.shape[3]
    columns = []
    for first, later in PAIRS:
        for lag in LAGS:
            here = unit[:, first, :, max(0, lag) : width + min(0, lag)]
            there = unit[:, later, :, max(0, -lag) : width + min(0, -lag)]
            columns.append((here * there).mean(dim=(1, 2)))
    columns.append((unit[:, PAIRS[-1][1]] - unit[:, 0]).std(dim=(1, 2)))
    return torch.cat((torch.stack(columns, dim=1), angle_features(angles)), dim=1)


def data_config(name: str, seed: int) -> DataConfig:
    """The data part of a run's configuration, as a run on a file of this table would have it."""
    return DataConfig(
        kind="table", path=f"{name}.csv", target="height_km", group="flight", split="group",
        val_groups="flight_e", test_groups="flight_f", seed=seed,
    )  # fmt: skip
