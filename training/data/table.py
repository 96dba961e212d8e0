"""Samples from a CSV or Parquet table, a row each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.config import Config
from training.data.arrays import existing_file
from training.data.pool import Pool, make_pool
from training.errors import ConfigError

SUFFIXES = (".csv", ".parquet")


def read_table(config: Config) -> Pool:
    """The rows of a .csv or .parquet file. Needs pyarrow.

    Without ``data.inputs`` every numeric or true/false column is an input that is not the target, the group, the time
    or the split. Nothing is filled in: a missing number is refused.
    """
    path, data = existing_file(config), config.data
    columns = _columns(path)
    special = {"target": data.target, "group": data.group, "time": data.time, "split_column": data.split_column}
    for key, name in special.items():
        if name is not None and name not in columns:
            raise ConfigError(f"{path}: data.{key}: no column '{name}'; found {', '.join(columns)}")
    if data.inputs is None:
        names = [name for name in columns if name not in special.values() and columns[name].dtype.kind in "biuf"]
    else:
        names = [name.strip() for name in data.inputs.split(",")]
    for name in names:
        if name not in columns:
            raise ConfigError(f"{path}: data.inputs: no column '{name}'; found {', '.join(columns)}")
        if columns[name].dtype.kind not in "biuf":
            raise ConfigError(f"{path}: data.inputs: column '{name}' holds no numbers")
        if name == data.target:
            raise ConfigError(f"{path}: data.inputs: column '{name}' is the target")
    if not names:
        raise ConfigError(
            f"{path}: no numeric column beside the target '{data.target}'; found {', '.join(columns)}; "
            "name the inputs in data.inputs"
        )

    def texts(name: str | None) -> list[Any] | None:
        return None if name is None else columns[name].tolist()

    return make_pool(
        str(path),
        inputs=np.stack([columns[name].astype(np.float64) for name in names], axis=1),
        target=columns[data.target],
        group=texts(data.group),
        time=None if data.time is None else columns[data.time],  # type: ignore[arg-type]  # serves as a sequence
        part=texts(data.split_column),
        input_names=tuple(names),
        only_group=path.stem,
    )


def _columns(path: Path) -> dict[str, NDArray[Any]]:
    """Columns by name; missing numbers are NaN."""
    try:
        import pyarrow as pa
        from pyarrow import csv, parquet
    except ImportError as error:
        raise ConfigError("data.kind: table needs pyarrow, which is not installed: pip install pyarrow") from error
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"data.path: {path}: found suffix '{path.suffix}'; expected {' or '.join(SUFFIXES)}")
    try:
        table = csv.read_csv(path) if path.suffix.lower() == ".csv" else parquet.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise ConfigError(f"{path}: cannot be read: {(str(error).splitlines() or ['unreadable'])[0]}") from error
    if len(set(table.column_names)) < table.num_columns:
        raise ConfigError(f"{path}: two columns of the same name")
    if table.num_rows == 0:
        raise ConfigError(f"{path}: no samples: the table has no rows")
    columns = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        plain = column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
        numeric = pa.types.is_integer(plain.type) or pa.types.is_floating(plain.type) or pa.types.is_boolean(plain.type)
        if numeric and plain.null_count:
            plain = plain.cast(pa.float64())
        columns[name] = plain.to_numpy()
    return columns
