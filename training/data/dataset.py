"""What a source of data hands to the training loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """Samples of one split, in time order within each flight; every tensor on the same device.

    frames: (n, frames, height, width), float32; of a table its columns, (n, columns). angles: (n, 2), float32, radians:
    solar zenith, and solar azimuth from the flight direction; (n, 0) where samples have none. target: (n,), float32;
    km for flights. local_indices: (n,), int64, position within the flight, from 0. flight: (n,), int64, index into
    ``flight_names``. With data of your own a flight is a group.
    """

    frames: Tensor
    angles: Tensor
    target: Tensor
    local_indices: Tensor
    flight: Tensor
    flight_names: tuple[str, ...]

    def __len__(self) -> int:
        return int(self.target.shape[0])

    def names(self) -> list[str]:
        """Flight name of each sample."""
        return [self.flight_names[index] for index in self.flight.tolist()]

    def to(self, device: torch.device) -> Split:
        """The same samples on ``device``."""
        return Split(
            frames=self.frames.to(device),
            angles=self.angles.to(device),
            target=self.target.to(device),
            local_indices=self.local_indices.to(device),
            flight=self.flight.to(device),
            flight_names=self.flight_names,
        )

    def select(self, rows: Tensor) -> Split:
        """The samples at ``rows`` (m,), int64, in that order; ``flight_names`` keeps only flights that are present."""
        flight = self.flight[rows]
        present, renumbered = torch.unique(flight, return_inverse=True)
        return Split(
            frames=self.frames[rows],
            angles=self.angles[rows],
            target=self.target[rows],
            local_indices=self.local_indices[rows],
            flight=renumbered,
            flight_names=tuple(self.flight_names[index] for index in present.tolist()),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Three splits. The simulated flights share no flight; whether data of your own do is for the leak check to say.

    input_names: the columns of a table, in their order; empty for frames.
    """

    train: Split
    val: Split
    test: Split
    input_names: tuple[str, ...] = ()

    def splits(self) -> Mapping[str, Split]:
        """The splits by name, in the order train, val, test."""
        return {"train": self.train, "val": self.val, "test": self.test}


def concatenate(parts: list[Split]) -> Split:
    """One split of several, in the given order; flight names are kept apart."""
    names: tuple[str, ...] = ()
    flights = []
    for part in parts:
        flights.append(part.flight + len(names))
        names += part.flight_names
    return Split(
        frames=torch.cat([part.frames for part in parts]),
        angles=torch.cat([part.angles for part in parts]),
        target=torch.cat([part.target for part in parts]),
        local_indices=torch.cat([part.local_indices for part in parts]),
        flight=torch.cat(flights),
        flight_names=names,
    )
