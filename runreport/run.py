"""What a reader hands to the analysis: one training run, as it was logged and nothing added."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from runreport.history import History

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """Something a reader did to a file that a person must be able to see: rows dropped, kept, split, derived, mapped.

    ``code`` is a rule id of the ``log`` family when a rule turns the note into a finding, else a short word
    such as ``mapped``.
    """

    code: str
    message: str
    epoch: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Run:
    """One run as read from disk.

    history
        One row an epoch, sorted by epoch; known columns carry the names of ``runreport.artifacts``, NaN stays NaN (it is
        data: the run logged it) and None is "not logged". None where the run left no history.
    predictions
        ``y_true, y_pred`` (Float64) and any group or key columns, in file order; None where there are none.
    epoch_predictions
        Path of per-epoch validation predictions (``epoch, y_true, y_pred, ...``), scanned when needed.
    summary
        The run's own final figures (``metrics_<run>.json``) without its config.
    config
        The run's configuration as far as it is known; empty when it is not.
    columns_read
        Known name -> name in the file, for the columns that were called something else.
    """

    name: str
    format: str
    files: Mapping[str, Path]
    history: History | None = None
    predictions: pl.DataFrame | None = None
    epoch_predictions: Path | None = None
    split: str | None = None
    summary: Mapping[str, object] = field(default_factory=dict)
    config: Mapping[str, object] = field(default_factory=dict)
    columns_read: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[Note, ...] = ()

    def __repr__(self) -> str:
        # The fields hold whole logs: a notebook or a debugger should not print them.
        epochs = f"{len(self.history)} epochs" if self.history is not None else "no history"
        rows = f"{self.predictions.height} predictions" if self.predictions is not None else "no predictions"
        return f"Run({self.name}: {epochs}, {rows}, read as {self.format})"
