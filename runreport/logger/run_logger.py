"""A user's own training loop in, the standard artifacts out."""

from __future__ import annotations

import time
import warnings
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from runreport.artifacts import (
    HISTORY_COLUMNS,
    EpochPredictions,
    HistoryWriter,
    InputError,
    artifact_paths,
    epoch_predictions_path,
    epoch_predictions_supported,
    history_path,
    is_run_name,
    metrics_path,
    predictions_path,
    write_json,
    write_predictions,
)
from runreport.logger.document import split_entry, whole_document
from runreport.logger.moments import Metrics, Sample, join, metrics, pairs
from runreport.logger.plain import Config, as_json, as_mapping
from runreport.logger.values import Samples, as_number

# History column -> name in `runreport.logger.moments.metrics`.
FROM_PREDICTIONS: Mapping[str, str] = {
    "r2": "r2",
    "variance_ratio": "variance_ratio",
    "pred_std": "pred_std",
    "pred_range": "pred_spread",
    "pearson_r": "pearson_r",
    "pred_mean": "pred_mean",
    "true_mean": "true_mean",
    "true_std": "true_std",
    "mae": "mae",
    "rmse": "rmse",
}

Groups = Mapping[str, Iterable[Any]]
"""Column name -> one value a sample: what a sample belongs to (``flight_name``) or is (``local_indices``)."""


class RunLogger:
    """Writes one run's artifacts while it trains: ``<run>.csv`` row by row, the rest at the end.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder, RunLogger("run5", out=folder) as log:
    ...     row = log.epoch(1, y_true=[1.0, 2.0, 3.0], y_pred=[1.5, 2.0, 2.5], val_loss=0.2, lr=1e-3)
    ...     final = log.final(y_true=[1.0, 2.0, 3.0], y_pred=[2.0, 2.0, 2.0], selected_epoch=1)
    >>> row["r2"], row["variance_ratio"], final["r2"], final["pearson_r"]
    (0.75, 0.5, 0.0, None)

    Parameters
    ----------
    run
        Name of the run and of its files: letters, digits and ``. _ + -``.
    out
        Folder of the tables; made where it is not there.
    config
        The run's configuration (mapping, dataclass or namespace), kept in the metrics file. A report reads the declared
        early stopping, learning rate and loss weights from it.
    force
        Replace a run of this name. Without it a run that is already there is an InputError, here and not after hours.
    keep_predictions
        Also keep the validation predictions of every epoch (in memory, 4 bytes each) and write them at the end, which
        needs pyarrow; where it is missing a warning says so now, and nothing is kept.
    val_groups
        Groups of the validation samples in their order, for the kept predictions.

    Attributes
    ----------
    notes
        What was left out or could not be done, each a sentence; also given as warnings, and in the metrics file.
    """

    def __init__(
        self,
        run: str,
        *,
        out: str | Path = "logs/csv",
        config: Config = None,
        force: bool = False,
        keep_predictions: bool = False,
        val_groups: Groups | None = None,
    ) -> None:
        if not is_run_name(run):
            raise ValueError(
                f"run: {run!r} cannot name files; use letters, digits and . _ + -, not beginning with predictions_, "
                "metrics_ or epoch_predictions_"
            )
        self.run = run
        self.folder = Path(out)
        self.notes: list[str] = []
        self._config = as_mapping(config)
        self._val_groups = _columns(val_groups)
        self._keep = keep_predictions
        self._kept: EpochPredictions | None = None
        self._kept_truth: Sample | None = None
        self._batches: list[Sample] = []
        self._last_epoch = 0
        self._epochs_run = 0
        self._validation: Metrics | None = None
        self._said_dropped = False
        self._complete = False
        self._closed = False
        if keep_predictions and not epoch_predictions_supported():
            self._keep = False
            self._note("the predictions of the epochs are not kept: that needs pyarrow, which is not installed")
        self._prepare(force=force)
        self._history = HistoryWriter(history_path(self.folder, run), grow=True)
        self._epoch_began = time.perf_counter()

    def _prepare(self, *, force: bool) -> None:
        """Makes the folder, and the way free: what is left of a run being replaced never looks like a whole one."""
        present = [path for path in artifact_paths(self.folder, self.run) if path.exists()]
        if present and not force:
            found = f"run {self.run!r} is already there"
            raise InputError(present[0], found=found, remedy="use another name, or force=True to replace it")
        for path in present:
            path.unlink()
        self.folder.mkdir(parents=True, exist_ok=True)

    @property
    def is_complete(self) -> bool:
        """Whether the metrics file is written."""
        return self._complete

    def batch(self, y_true: Samples, y_pred: Samples) -> None:
        """Adds one batch of validation (or final) predictions; the next `epoch` (or `final`) takes all of them.

        The numbers themselves are stored, 16 bytes a sample, rather than sums of them: so the metrics are those of one
        call with everything, to the last digit, and the predictions can be kept.
        """
        self._refuse_when_complete()
        self._batches.append(pairs(y_true, y_pred))

    def drop_batches(self) -> None:
        """Forgets the batches that no `epoch` or `final` has taken: a validation pass that is done over."""
        self._batches = []

    def epoch(
        self,
        epoch: int,
        *,
        y_true: Samples | None = None,
        y_pred: Samples | None = None,
        train_loss: Any = None,
        val_loss: Any = None,
        lr: Any = None,
        learning_rate: Any = None,
        **numbers: Any,
    ) -> dict[str, float | int | None]:
        """Appends the row of one epoch to the history, which is on the disk when this returns; gives back the row.

        epoch
            From 1, rising.
        y_true, y_pred
            The validation split's, in target units, shape (n,) or (n, 1): see `runreport.logger.values.Samples`. Left
            out, they are what `batch` collected; with neither, the columns that follow from them are empty.
        lr
            The rate of the epoch's last step; ``learning_rate`` is the same.
        numbers
            Further columns. ``epoch_seconds`` is measured (since the last row, or since the logger was made) unless it
            is given; figures that follow from the predictions may be given only where there are none.

        Pairs of which one is not finite are left out of the metrics, warned of once and counted in ``num_dropped``, a
        column that is there from the first such epoch on.
        Raises ValueError for lengths that differ, nothing in an array, any other shape, or an epoch out of order.
        """
        self._refuse_when_complete()
        if self._closed:
            raise ValueError(f"the log of run {self.run!r} is closed: no epoch can be added")
        count = as_number("epoch", epoch)
        if not isinstance(count, int) or count < 1:
            raise ValueError(f"epoch: expected a whole number from 1, found {epoch!r}; a loop from 0 passes epoch + 1")
        if count <= self._last_epoch:
            raise ValueError(f"epoch: {count} after {self._last_epoch}; epochs must rise")
        if lr is not None and learning_rate is not None:
            raise ValueError("lr and learning_rate are the same column: give one")
        given = {
            "train_loss": train_loss,
            "val_loss": val_loss,
            "learning_rate": lr if lr is not None else learning_rate,
        }
        row = {name: as_number(name, value) for name, value in given.items() if value is not None}
        row |= {name: as_number(name, value) for name, value in numbers.items()}
        sample = self._take(y_true, y_pred)
        if sample is not None:
            row |= self._figures(count, sample, taken=row)
            self._keep_predictions(count, sample)
        row.setdefault("epoch_seconds", round(time.perf_counter() - self._epoch_began, 4))
        ordered = {name: row.get(name) for name in HISTORY_COLUMNS if name in row or name in FROM_PREDICTIONS}
        ordered = {"epoch": count, **ordered, **{name: row[name] for name in row if name not in HISTORY_COLUMNS}}
        self._history.write(ordered)
        self._last_epoch, self._epochs_run = count, self._epochs_run + 1
        self._epoch_began = time.perf_counter()
        return ordered

    def final(
        self,
        *,
        y_true: Samples | None = None,
        y_pred: Samples | None = None,
        split: str = "test",
        selected_epoch: int | None = None,
        groups: Groups | None = None,
        **given: Any,
    ) -> dict[str, Any]:
        """Writes the predictions of the selected epoch, then the metrics file, last: it says that the run is whole.

        y_true, y_pred
            Of ``split``, as in `epoch`; rows keep their order, which for measurements in time should be time.
        selected_epoch
            Epoch whose weights predicted; None where unknown.
        groups
            Columns that name what each sample belongs to, so that dependent samples are not taken for independent.
        given
            Further keys of the metrics file: ``loss``, ``seed``, ``device``, ``policy``, ``stopped_because``, ...

        Gives back what the metrics file holds. Raises ValueError as `epoch` does, for group columns of another length,
        and for a key that is computed here.
        """
        self._refuse_when_complete()
        sample = self._take(y_true, y_pred)
        if sample is None:
            raise ValueError("final: expected y_true and y_pred, or batches before it")
        keys = _columns(groups)
        _check_lengths(keys, len(sample), split)
        selected = as_number("selected_epoch", selected_epoch)
        splits = {"val": split_entry(self._validation)} if self._validation is not None else {}
        splits[split] = split_entry(metrics(sample))
        dropped = _dropped(sample)
        if dropped:
            self._note(f"{split}: {dropped} of {len(sample)} pairs are not finite; the metrics are of the others")
        known = {"selected_epoch": selected, "epochs_run": self._epochs_run, "splits": splits} | given
        known |= {"notes": list(self.notes)} if self.notes else {}
        document = whole_document(sample, run=self.run, split=split, config=self._config, given=known)
        self._write_epoch_predictions()
        y_pairs = {"y_true": sample.y_true, "y_pred": sample.y_pred}
        write_predictions(predictions_path(self.folder, self.run), **y_pairs, keys=keys)
        write_json(metrics_path(self.folder, self.run), document)
        self._complete = True
        return document

    def close(self) -> None:
        """Ends the history: the kept predictions are written, an empty history is removed. More than once is harmless.

        `final` may still follow. Without it there is no metrics file, and the run reads as what it is: not finished.
        """
        self._closed = True
        try:
            self._write_epoch_predictions()
        finally:
            self._history.close()
            if self._epochs_run == 0 and not self._complete:
                with suppress(FileNotFoundError):
                    history_path(self.folder, self.run).unlink()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _refuse_when_complete(self) -> None:
        if self._complete:
            raise ValueError(f"run {self.run!r} is complete: its metrics are written")

    def _take(self, y_true: Samples | None, y_pred: Samples | None) -> Sample | None:
        """The predictions handed over, else those of the batches, else None."""
        if y_true is None and y_pred is None:
            batches, self._batches = self._batches, []
            return join(batches) if batches else None
        if y_true is None or y_pred is None:
            raise ValueError(f"y_{'true' if y_true is None else 'pred'} is missing: give both or neither")
        if self._batches:
            raise ValueError("y_true and y_pred after log.batch: give them in one way")
        return pairs(y_true, y_pred)

    def _figures(self, epoch: int, sample: Sample, taken: Mapping[str, Any]) -> dict[str, float | int | None]:
        """The columns that follow from the predictions."""
        twice = [name for name in taken if name in FROM_PREDICTIONS or name == "num_dropped"]
        if twice:
            raise ValueError(f"{twice[0]} is computed from y_true and y_pred: leave it out, or give it another name")
        found = self._validation = metrics(sample)
        dropped = found["n_dropped"]
        if dropped and not self._said_dropped:  # once: the column says the rest
            self._said_dropped = True
            what = f"{dropped} of {len(sample)} pairs are not finite; the metrics are of the others (see num_dropped)"
            self._note(f"epoch {epoch}: {what}", stacklevel=4)
        columns = {column: found[name] for column, name in FROM_PREDICTIONS.items()}
        return columns | ({"num_dropped": dropped} if dropped else {})

    def _keep_predictions(self, epoch: int, sample: Sample) -> None:
        """Adds to the kept predictions; gives up keeping, and says so, once the samples are not those of before."""
        if not self._keep:
            return
        if self._kept is None or self._kept_truth is None:
            _check_lengths(self._val_groups, len(sample), "validation")
            self._kept_truth = sample
            self._kept = EpochPredictions(y_true=sample.y_true, keys=self._val_groups)
        if sample.y_true.tobytes() != self._kept_truth.y_true.tobytes():
            self._keep, self._kept = False, None
            self._note(
                f"the predictions of the epochs are not kept: y_true of epoch {epoch} differs from the first one's "
                "(other samples, or another order)",
                stacklevel=4,
            )
            return
        self._kept.add(epoch, sample.y_pred)

    def _write_epoch_predictions(self) -> None:
        if self._kept is not None:
            self._kept.write(epoch_predictions_path(self.folder, self.run))
            self._kept = None

    def _note(self, message: str, *, stacklevel: int = 3) -> None:
        """Notes and warns; ``stacklevel`` counts from here to the user's own line."""
        self.notes.append(message)
        warnings.warn(f"{self.run}: {message}", stacklevel=stacklevel)


def _dropped(sample: Sample) -> int:
    return len(sample) - len(sample.usable()[0])


def _columns(groups: Groups | None) -> dict[str, list[float | int | str]]:
    """The group columns as numbers and text."""
    columns: dict[str, list[float | int | str]] = {}
    for name, values in (groups or {}).items():
        if name in ("y_true", "y_pred", "epoch"):
            raise ValueError(f"groups: {name} is a column of its own; name the group otherwise")
        found = as_json(values.tolist() if hasattr(values, "tolist") else list(values))
        columns[str(name)] = [value if isinstance(value, int | float | str) else str(value) for value in found]
    return columns


def _check_lengths(columns: Mapping[str, Sequence[object]], n: int, split: str) -> None:
    for name, column in columns.items():
        if len(column) != n:
            raise ValueError(f"groups: {len(column)} values of {name} for {n} samples of {split}")
