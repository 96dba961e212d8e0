"""Predictions of the selected epoch as CSV, and of every epoch as Parquet."""

from __future__ import annotations

import importlib.util
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from runreport.artifacts.atomic import write_atomically
from runreport.artifacts.cells import line

Column = Sequence[float | int | str]


def write_predictions(
    path: Path, *, y_true: Sequence[float], y_pred: Sequence[float], keys: Mapping[str, Column] | None = None
) -> None:
    """Writes ``y_true,y_pred`` and the key columns, rows as given, by atomic rename.

    Every column must have the same length; ValueError otherwise.
    """
    columns: dict[str, Column] = {"y_true": y_true, "y_pred": y_pred, **(keys or {})}
    rows = zip(*columns.values(), strict=True)
    text = line(list(columns)) + b"".join(line(list(row)) for row in rows)
    write_atomically(path, lambda part: part.write_bytes(text))


def epoch_predictions_supported() -> bool:
    """Whether pyarrow is there to write Parquet."""
    return importlib.util.find_spec("pyarrow") is not None


class EpochPredictions:
    """Collects the predictions of one split, epoch by epoch, and writes them at the end as one Parquet file.

    Parquet is unreadable without its footer, so a file appended to epoch by epoch would be lost with a killed run
    anyway; here the file is whole or absent, and the history CSV is what survives a kill.
    y_true, local_indices, flight_name and every column of ``keys`` (further groups) are the split's, of equal length n;
    each epoch adds n predictions. What is not known is left out of the file. Numbers are held as they are written, in
    float32: 4 bytes a prediction.
    """

    def __init__(
        self,
        *,
        y_true: Sequence[float],
        local_indices: Sequence[int] | None = None,
        flight_name: Sequence[str] | None = None,
        keys: Mapping[str, Column] | None = None,
    ) -> None:
        self._y_true = array("f", y_true)
        known: dict[str, Column | None] = {"local_indices": local_indices, "flight_name": flight_name, **(keys or {})}
        self._keys = {name: list(column) for name, column in known.items() if column is not None}
        for name, column in self._keys.items():
            if len(column) != len(self._y_true):
                raise ValueError(f"{len(column)} values of {name} for {len(self._y_true)} samples")
        self._epochs: list[int] = []
        self._y_pred = array("f")

    def add(self, epoch: int, y_pred: Sequence[float]) -> None:
        """Adds the predictions of one epoch, in the split's order."""
        if len(y_pred) != len(self._y_true):
            raise ValueError(f"epoch {epoch}: {len(y_pred)} predictions for {len(self._y_true)} samples")
        self._epochs.append(epoch)
        self._y_pred.extend(array("f", y_pred))

    def write(self, path: Path) -> None:
        """Writes the file by atomic rename: zstd, sorted by epoch, then as the split is. Needs pyarrow."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        count, epochs = len(self._y_true), len(self._epochs)

        def key(name: str, column: list[float | int | str]) -> Any:
            if name == "local_indices":
                return pa.array(column * epochs, pa.int32())
            if name == "flight_name" or any(isinstance(value, str) for value in column):
                return pa.array([str(value) for value in column] * epochs, pa.string()).dictionary_encode()
            return pa.array(column * epochs)

        table = pa.table(
            {
                "epoch": pa.array([epoch for epoch in self._epochs for _ in range(count)], pa.int32()),
                **{name: key(name, column) for name, column in self._keys.items()},
                "y_true": pa.array(self._y_true * epochs, pa.float32()),
                "y_pred": pa.array(self._y_pred, pa.float32()),
            }
        )
        write_atomically(path, lambda part: pq.write_table(table, part, compression="zstd"))
