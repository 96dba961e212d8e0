"""Per-epoch predictions: as metrics an epoch (any size, streamed) and as a matrix (where it fits)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from runreport.context import EpochPredictions, History
from runreport.errors import InputError
from runreport.history import history_from_frame
from runreport.ingest.columns import near
from runreport.run import Note, Run

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

MATRIX_CELLS = 20_000_000
"""Epochs × samples up to which the predictions are held as one matrix (160 MB in float64) for the selection bootstrap."""
GROUP_COLUMNS = ("flight_name", "group", "groups", "subject", "patient", "site", "batch_name")
"""Columns whose values name a cluster of dependent rows, before any ``*_id`` or ``*_name``."""
FEWEST_GROUPS = 6
"""Groups that inference needs: a column with fewer is taken only where none has as many."""
ROW_KEYS = ("local_indices", "index", "row", "row_id", "sample_id", "id")
"""Columns that number the rows and are no groups."""


def with_history(run: Run) -> Run:
    """The run with a history worked out from its per-epoch predictions, where it left those and no history."""
    if run.history is not None or run.epoch_predictions is None:
        return run
    from runreport.metrics.streaming import epoch_metrics

    frame = epoch_metrics(run.epoch_predictions)
    note = Note(code="derived", message=f"the history is worked out from {run.epoch_predictions.name}: none was logged")
    history = history_from_frame(frame.with_columns(pred_range=frame["pred_spread"]))
    return replace(run, history=history, notes=(*run.notes, note))


def load_epoch_metrics(run: Run) -> History | None:
    """Metrics recomputed for each epoch from its predictions; None where there are none."""
    if run.epoch_predictions is None:
        return None
    from runreport.metrics.streaming import epoch_metrics

    return history_from_frame(epoch_metrics(run.epoch_predictions))


def load_epoch_predictions(run: Run, group: str | None = None) -> EpochPredictions | None:
    """The predictions of every epoch as a matrix; None where there are none, or they are too large, or the epochs do
    not hold the same samples in the same order (then nothing may be compared sample by sample)."""
    if run.epoch_predictions is None:
        return None
    import numpy as np
    import polars as pl

    scan = pl.scan_parquet(run.epoch_predictions, glob=False)
    if scan.select(pl.len()).collect().item() > MATRIX_CELLS:
        return None
    frame = scan.collect().sort("epoch", maintain_order=True)
    epochs = frame["epoch"].unique(maintain_order=True)
    n = frame.height // len(epochs)
    if n * len(epochs) != frame.height or frame.group_by("epoch").len()["len"].n_unique() > 1:
        return None
    true = frame["y_true"].cast(pl.Float64).to_numpy().reshape(len(epochs), n)
    pred = frame["y_pred"].cast(pl.Float64).to_numpy().reshape(len(epochs), n)
    if not (np.isfinite(true).all() and np.isfinite(pred).all() and (true == true[0]).all()):
        return None
    first = frame.head(n)
    column = group_column(first, ("epoch", "y_true", "y_pred"), group)
    return EpochPredictions(
        epochs=tuple(int(e) if float(e).is_integer() else float(e) for e in epochs.to_list()),
        y_true=true[0].copy(),
        y_pred=pred.copy(),
        groups=labels(first[column]) if column is not None else None,
        group_column=column or "group",
    )


def labels(column: pl.Series) -> np.ndarray[tuple[int], np.dtype[np.generic]]:
    """Group labels as text, so that a missing one is a group of its own and no label is a number that may be NaN."""
    import polars as pl

    return column.cast(pl.String).fill_null("").to_numpy()


def group_column(frame: pl.DataFrame, not_groups: Sequence[str], asked: str | None = None) -> str | None:
    """The column whose values are clusters of dependent rows; None where no column can be.

    The one that was asked for; else a usual name; else an ``*_id`` or ``*_name`` that repeats. A column that is
    different in every row numbers the rows and is no group.

    Raises
    ------
    InputError
        Where the column that was asked for is not there.
    """
    others = [c for c in frame.columns if c not in not_groups]
    if asked is not None:
        if asked not in others:
            raise InputError("--group", found=f"no column {asked!r} in the predictions", expected=near(asked, others))
        return asked
    named = [c for c in GROUP_COLUMNS if c in others]
    ending = [c for c in others if c.lower().endswith(("_id", "_name")) and c.lower() not in ROW_KEYS]
    repeating = [c for c in dict.fromkeys([*named, *ending]) if frame[c].n_unique() < frame.height]
    enough = [c for c in repeating if frame[c].n_unique() >= FEWEST_GROUPS]
    return next(iter([*enough, *repeating]), None)
