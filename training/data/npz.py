"""Samples from a NumPy archive."""

from __future__ import annotations

import zipfile
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.config import Config
from training.data.arrays import existing_file, pool_of_arrays
from training.data.pool import Pool
from training.errors import ConfigError


def read_npz(config: Config) -> Pool:
    """The arrays of an .npz file. Pickled objects in it are refused, never loaded: loading one runs its code."""
    path = existing_file(config)
    try:
        archive = np.load(path, allow_pickle=False)
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        # numpy's own words advise to unpickle the file, which would run whatever code it holds.
        raise ConfigError(f"{path}: expected an .npz archive of plain arrays (numpy.savez); found none") from error
    if not isinstance(archive, np.lib.npyio.NpzFile):
        raise ConfigError(f"{path}: found a single array; expected an .npz archive (numpy.savez) with named arrays")
    with archive:

        def read(name: str) -> NDArray[Any]:
            try:
                return np.asarray(archive[name])
            except (ValueError, OSError, zipfile.BadZipFile) as error:
                raise ConfigError(f"{path}: array '{name}' cannot be read: {_first_line(error)}") from error

        return pool_of_arrays(config, path, archive.files, read)


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
