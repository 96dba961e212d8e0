"""Samples before they are split: what every reader of data of your own hands over."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from training.data.dataset import Split
from training.errors import ConfigError

Ranks = NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pool:
    """All samples of a source, sorted by group (in order of first appearance), then by time.

    samples
        Every sample as one split.
    rank
        (n,), place in time over all groups, from 0; equal times have equal ranks.
    part
        train, val or test for each sample where the source says so, else None.
    grouped
        Whether the groups are the data's own, not one made up for all.
    """

    samples: Split
    rank: Ranks
    part: tuple[str, ...] | None = None
    grouped: bool = True
    input_names: tuple[str, ...] = ()


def make_pool(
    where: str,
    *,
    inputs: NDArray[Any],
    target: NDArray[Any],
    angles: NDArray[Any] | None = None,
    group: Sequence[Any] | None = None,
    time: Sequence[Any] | None = None,
    part: Sequence[Any] | None = None,
    input_names: tuple[str, ...] = (),
    only_group: str = "all",
) -> Pool:
    """A pool of n samples from plain arrays, checked: equal lengths, finite numbers.

    inputs: (n, columns) or (n, frames, height, width). target: (n,). angles: (n, 2). time: numbers, datetime64 or
    ISO 8601 text. Without groups all samples are in one, called ``only_group``; without time the order is the rows'.
    ``where`` is what errors call the source.
    """
    count = len(target)
    columns = {"inputs": inputs, "angles": angles, "group": group, "time": time, "split_column": part}
    for name, values in columns.items():
        if values is not None and len(values) != count:
            raise ConfigError(f"{where}: data.{name}: {len(values)} samples; data.target has {count}")
    if count == 0:
        raise ConfigError(f"{where}: no samples")
    inputs, target = _numbers(where, "inputs", inputs), _numbers(where, "target", target)
    angles = np.zeros((count, 0), np.float32) if angles is None else _numbers(where, "angles", angles)
    if target.ndim != 1:
        raise ConfigError(f"{where}: data.target: found shape {target.shape}; expected one number a sample, (n,)")
    if angles.ndim != 2 or angles.shape[1] not in (0, 2):
        raise ConfigError(
            f"{where}: data.angles: found shape {angles.shape}; expected (n, 2): zenith, azimuth, radians"
        )
    names = [str(value) for value in group] if group is not None else [only_group] * count
    known = tuple(dict.fromkeys(names))
    index = _codes(names, known)
    rank = _ranks(where, time) if time is not None else np.arange(count)
    order = np.lexsort((np.arange(count), rank, index))
    index, rank = index[order], rank[order]
    starts = np.searchsorted(index, np.arange(len(known)))
    samples = Split(
        frames=torch.from_numpy(np.ascontiguousarray(inputs[order])),
        angles=torch.from_numpy(np.ascontiguousarray(angles[order])),
        target=torch.from_numpy(target[order]),
        local_indices=torch.from_numpy(np.arange(count) - starts[index]),
        flight=torch.from_numpy(index),
        flight_names=known,
    )
    parts = None if part is None else tuple(str(part[row]).strip().lower() for row in order)
    return Pool(samples=samples, rank=rank, part=parts, grouped=group is not None, input_names=input_names)


def _codes(names: list[str], known: tuple[str, ...]) -> Ranks:
    places = {name: place for place, name in enumerate(known)}
    return np.array([places[name] for name in names], dtype=np.int64)


def _numbers(where: str, name: str, values: NDArray[Any]) -> NDArray[np.float32]:
    """Finite single-precision numbers; ConfigError that counts what is none."""
    if values.dtype.kind not in "biuf":
        raise ConfigError(f"{where}: data.{name}: found {values.dtype} values; expected numbers")
    with np.errstate(over="ignore"):  # what does not fit becomes infinite, and is counted below
        single = values.astype(np.float32)
    missing = int((~np.isfinite(single)).reshape(len(single), -1).any(axis=1).sum())
    if missing:
        raise ConfigError(
            f"{where}: data.{name}: {missing} of {len(single)} samples hold a missing or infinite number; "
            "leave them out or fill them in first"
        )
    return single


def _ranks(where: str, time: Sequence[Any]) -> Ranks:
    """Dense ranks of times, from 0."""
    values = np.asarray(time)
    if values.dtype.kind in "OUS":
        try:
            values = np.array([_instant(value) for value in values.tolist()])
        except (TypeError, ValueError) as error:
            raise ConfigError(f"{where}: data.time: expected numbers or ISO 8601 times; {error}") from error
    if values.ndim != 1:
        raise ConfigError(f"{where}: data.time: found shape {values.shape}; expected one time a sample, (n,)")
    undefined = np.isnat(values) if values.dtype.kind in "mM" else ~np.isfinite(values)
    if undefined.any():
        raise ConfigError(f"{where}: data.time: {int(undefined.sum())} samples have no time")
    return np.asarray(np.unique(values, return_inverse=True)[1], dtype=np.int64)


def _instant(value: Any) -> float:
    """Seconds since 1970; times without a zone are taken as UTC, the same for all."""
    if isinstance(value, int | float):
        return float(value)
    moment = value if isinstance(value, datetime.datetime) else None
    if isinstance(value, datetime.date) and moment is None:
        moment = datetime.datetime(value.year, value.month, value.day)
    if moment is None:
        moment = datetime.datetime.fromisoformat(value.decode() if isinstance(value, bytes) else value)
    return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
