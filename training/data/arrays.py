"""Named arrays into samples: what NPZ and HDF5 files have in common."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.config import Config
from training.data.pool import Pool, make_pool
from training.errors import ConfigError

INPUT_NAMES = ("frames", "inputs")
"""Arrays that are taken for the inputs where ``data.inputs`` names none; the first that is there."""

Read = Callable[[str], NDArray[Any]]


def existing_file(config: Config) -> Path:
    """The file that ``data.path`` names; ConfigError where none is named or there."""
    if config.data.path is None:
        raise ConfigError(f"data.path: found nothing; data.kind {config.data.kind} needs the path of a file")
    path = Path(config.data.path)
    if not path.is_file():
        raise ConfigError(f"data.path: {path}: no such file")
    return path


def pool_of_arrays(config: Config, path: Path, names: Collection[str], read: Read) -> Pool:
    """Samples from the arrays that the configuration names, of a file that holds ``names``.

    Inputs of two dimensions are a table, of three one frame a sample, of four the frames of each sample.
    """
    data = config.data
    inputs_name = data.inputs or next((name for name in INPUT_NAMES if name in names), INPUT_NAMES[0])
    wanted = {
        "inputs": inputs_name,
        "target": data.target,
        "angles": data.angles,
        "group": data.group,
        "time": data.time,
        "split_column": data.split_column,
    }
    arrays: dict[str, NDArray[Any]] = {}
    for key, name in wanted.items():
        if name is None:
            continue
        if name not in names:
            raise ConfigError(f"{path}: data.{key}: no array '{name}'; found {', '.join(sorted(names)) or 'none'}")
        arrays[key] = read(name)
        if arrays[key].ndim == 0:
            raise ConfigError(f"{path}: data.{key}: '{name}' is a single value; expected one entry a sample")
    inputs = _frames(arrays["inputs"], config.temporal_frames, f"{path}: '{inputs_name}'")
    return make_pool(
        str(path),
        inputs=inputs,
        target=arrays["target"],
        angles=arrays.get("angles"),
        group=_texts(arrays.get("group")),
        time=arrays.get("time"),  # type: ignore[arg-type]  # an array serves as a sequence
        part=_texts(arrays.get("split_column")),
        only_group=path.stem,
        input_names=tuple(f"{inputs_name}[{column}]" for column in range(inputs.shape[1])) if inputs.ndim == 2 else (),
    )


def _texts(values: NDArray[Any] | None) -> list[str] | None:
    if values is None:
        return None
    return [value.decode() if isinstance(value, bytes) else str(value) for value in values.tolist()]


def _frames(inputs: NDArray[Any], wanted: int, where: str) -> NDArray[Any]:
    """Inputs as (n, columns) or (n, wanted, height, width): of more frames the middle ones, as for the flights."""
    if inputs.ndim == 2:
        return inputs
    if inputs.ndim == 3:
        inputs = inputs[:, np.newaxis]
    if inputs.ndim != 4:
        raise ConfigError(
            f"{where}: found shape {inputs.shape}; expected (n, columns), (n, height, width) or (n, frames, height, width)"
        )
    if inputs.shape[1] < wanted:
        raise ConfigError(f"{where}: {inputs.shape[1]} frames a sample; temporal_frames asks for {wanted}")
    first = (inputs.shape[1] - wanted) // 2
    return inputs[:, first : first + wanted]
