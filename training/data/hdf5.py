"""Samples from an HDF5 file."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.config import Config
from training.data.arrays import existing_file, pool_of_arrays
from training.data.pool import Pool
from training.errors import ConfigError


def read_hdf5(config: Config) -> Pool:
    """The data sets of an HDF5 file; those in groups are named by their path, such as ``train/frames``. Needs h5py."""
    try:
        import h5py
    except ImportError as error:
        raise ConfigError("data.kind: hdf5 needs h5py, which is not installed: pip install h5py") from error
    path = existing_file(config)
    try:
        file = h5py.File(path, "r")
    except OSError as error:
        raise ConfigError(f"{path}: not an HDF5 file: {(str(error).splitlines() or ['unreadable'])[0]}") from error
    with file:
        names: list[str] = []
        file.visititems(lambda name, item: names.append(name) if isinstance(item, h5py.Dataset) else None)

        def read(name: str) -> NDArray[Any]:
            dataset = file[name]
            if h5py.check_string_dtype(dataset.dtype) is not None:
                return np.array(dataset.asstr()[()], dtype=np.str_)
            return np.asarray(dataset[()])

        return pool_of_arrays(config, path, names, read)
