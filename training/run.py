"""A whole run: data, network, epochs, artifacts."""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from runreport.artifacts import (
    HISTORY_COLUMNS,
    METRICS_KEYS,
    SCHEMA_VERSION,
    EpochPredictions,
    HistoryWriter,
    artifact_paths,
    epoch_predictions_path,
    epoch_predictions_supported,
    history_path,
    metrics_path,
    predictions_path,
    write_json,
    write_predictions,
)
from training.checkpoint import load_checkpoint, save_checkpoint
from training.config import Config
from training.data import Dataset, Split, load_dataset
from training.environment import choose_device, make_reproducible, versions
from training.errors import ConfigError
from training.loop import EpochResult, SplitLosses, Trainer, evaluate_losses, predict
from training.metrics import Values, describe_errors, describe_target, summarise
from training.model import HeightNetwork
from training.progress import PlainProgress, Progress
from training.stopping import EarlyStopping, make_early_stopping, make_emergency_stop
from training.weighting import combined, flight_weights, hard_sample_weights

Row = dict[str, float | int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """Where a run writes: its tables in ``folder``, its best weights in ``checkpoint``."""

    folder: Path
    checkpoint: Path

    @classmethod
    def of(cls, run: str, *, out: Path, checkpoints: Path | None = None) -> Places:
        """``out/csv`` for the tables, ``out/checkpoints/<run>.pt`` for the weights unless another folder is given."""
        return cls(folder=out / "csv", checkpoint=(checkpoints or out / "checkpoints") / f"{run}.pt")

    def prepare(self, run: str, *, force: bool) -> None:
        """Makes the folders and the way free, or refuses to write over another run's files.

        With ``force`` the old files go first, the metrics before all others: what is left never looks like a run.
        """
        files = (*artifact_paths(self.folder, run), self.checkpoint)
        present = [path for path in files if path.exists()]
        if present and not force:
            raise ConfigError(f"{present[0]}: run '{run}' is already there; use --force to replace it, or set run_name")
        for path in present:
            path.unlink()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.checkpoint.parent.mkdir(parents=True, exist_ok=True)


def run_training(
    config: Config, places: Places, *, force: bool = False, progress: Callable[[str, int], Progress] = PlainProgress
) -> dict[str, Any]:
    """Trains ``config`` and writes its artifacts; returns what the metrics file holds.

    History rows appear epoch by epoch, predictions at the end, the metrics last. Raises ConfigError before anything is
    written where the run cannot be carried out.
    """
    device = choose_device(config.device)
    places.prepare(config.run_name, force=force)
    make_reproducible(seed=config.seed, threads=config.threads, device=device)
    dataset = load_dataset(config, device)
    model = HeightNetwork(config, output_bias=_output_bias(config, dataset.train)).to(device)
    trainer = Trainer(config, model, dataset.train)
    stopping = make_early_stopping(config)
    epoch_predictions = _collector(dataset.val)
    with (
        HistoryWriter(history_path(places.folder, config.run_name)) as history,
        progress(config.run_name, config.max_epochs) as shown,
    ):
        epochs_run, stopped_because = _train(
            config, trainer, dataset, stopping, places, history, epoch_predictions, shown
        )
    if stopping.selected_epoch is not None:
        load_checkpoint(places.checkpoint, model, device=device)
    y_pred = predict(model, dataset.test)
    if epoch_predictions_supported():
        epoch_predictions.write(epoch_predictions_path(places.folder, config.run_name))
    write_predictions(
        predictions_path(places.folder, config.run_name),
        y_true=_values(dataset.test.target).tolist(),
        y_pred=_values(y_pred).tolist(),
        keys={"local_indices": dataset.test.local_indices.tolist(), "flight_name": dataset.test.names()},
    )
    document = _metrics(config, trainer, dataset, stopping, y_pred) | {
        "epochs_run": epochs_run,
        "stopped_because": stopped_because,
        "device": device.type,
    }
    ordered = {key: document[key] for key in METRICS_KEYS}
    write_json(metrics_path(places.folder, config.run_name), ordered)
    return ordered


def _train(
    config: Config,
    trainer: Trainer,
    dataset: Dataset,
    stopping: EarlyStopping,
    places: Places,
    history: HistoryWriter,
    epoch_predictions: EpochPredictions,
    shown: Progress,
) -> tuple[int, str]:
    """All epochs: step, evaluate, log the row, stop? Returns the number of epochs and why they ended."""
    flight_weight = flight_weights(config, dataset.train)
    hard_weight: Tensor | None = None
    emergency = make_emergency_stop(config)
    for epoch in range(1, config.max_epochs + 1):
        start = time.perf_counter()
        result = trainer.train_epoch(combined(flight_weight, hard_weight))
        train_pred = predict(trainer.model, dataset.train)
        val_pred = predict(trainer.model, dataset.val)
        hard_weight = hard_sample_weights(config, (train_pred - dataset.train.target).abs())
        losses = evaluate_losses(trainer.objective, val_pred, dataset.val.target)
        row = _row(epoch, result, losses, trainer.objective.weight)
        row |= _metric_columns(dataset, train_pred, val_pred)
        if stopping.update(epoch, row):
            save_checkpoint(places.checkpoint, trainer.model, config=config, epoch=epoch)
        trainer.schedule.after_epoch(losses.total)
        epoch_predictions.add(epoch, val_pred.tolist())
        row["epoch_seconds"] = round(time.perf_counter() - start, 4)
        history.write({name: row[name] for name in HISTORY_COLUMNS})
        shown.epoch(row, selected=stopping.selected_epoch)
        if not (math.isfinite(result.train_loss) and math.isfinite(losses.total)):
            return epoch, "not_finite"
        ratio = row["variance_ratio"]
        if emergency is not None and emergency.should_stop(epoch, ratio):
            return epoch, "emergency_stop"
        if stopping.should_stop:
            return epoch, "patience"
    return config.max_epochs, "max_epochs"


def _row(epoch: int, result: EpochResult, losses: SplitLosses, weight: float) -> Row:
    """The columns of one epoch that come from training and from the losses; all but ``epoch_seconds``."""
    return {
        "epoch": epoch,
        "train_loss": result.train_loss,
        "val_loss": losses.total,
        "learning_rate": result.learning_rate,
        "base_loss": losses.base,
        "penalty_loss": losses.penalty,
        "variance_lambda": weight,
        "grad_norm_base": result.norms.mean("base"),
        "grad_norm_penalty": result.norms.mean("penalty"),
        "grad_norm_total": result.norms.mean("total"),
    }


def _metric_columns(dataset: Dataset, train_pred: Tensor, val_pred: Tensor) -> Row:
    """The columns of one epoch that come from predictions made after it."""
    val = summarise(_values(dataset.val.target), _values(val_pred))
    train = summarise(_values(dataset.train.target), _values(train_pred))
    return {
        "r2": val.r2,
        "variance_ratio": val.variance_ratio,
        "pred_std": val.pred_std,
        "pred_range": val.pred_range,
        "pearson_r": val.pearson_r,
        "pred_mean": val.pred_mean,
        "true_mean": val.true_mean,
        "true_std": val.true_std,
        "mae": val.mae,
        "rmse": val.rmse,
        "train_r2": train.r2,
        "train_variance_ratio": train.variance_ratio,
        "train_pearson_r": train.pearson_r,
        "train_pred_mean": train.pred_mean,
    }


def _metrics(
    config: Config, trainer: Trainer, dataset: Dataset, stopping: EarlyStopping, y_pred: Tensor
) -> dict[str, Any]:
    """What the metrics file says of the test split and of how its epoch was chosen."""
    losses = evaluate_losses(trainer.objective, y_pred, dataset.test.target)
    y_true, predicted = _values(dataset.test.target), _values(y_pred)
    summary = summarise(y_true, predicted)
    policy = stopping.policy
    return {
        "schema_version": SCHEMA_VERSION,
        "run": config.run_name,
        "split": "test",
        "seed": config.seed,
        "versions": versions(),
        "config": config.to_dict(),
        "selected_epoch": stopping.selected_epoch,
        "selected_by": policy.name,
        "policy": {
            "monitor": policy.monitor,
            "mode": policy.mode,
            "patience": stopping.patience,
            "min_delta": stopping.min_delta,
            "floor": policy.floor,
        },
        "loss": losses.total,
        "mae": summary.mae,
        "mse": summary.mse,
        "rmse": summary.rmse,
        "r2": summary.r2,
        **describe_errors(y_true, predicted),
        "num_samples": len(dataset.test),
        "variance_ratio": summary.variance_ratio,
        "pearson_r": summary.pearson_r,
        "pred_mean": summary.pred_mean,
        "pred_std": summary.pred_std,
        "true_mean": summary.true_mean,
        "true_std": summary.true_std,
        "splits": {name: describe_target(_values(split.target)) for name, split in dataset.splits().items()},
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
    }


def _output_bias(config: Config, train: Split) -> float:
    """The number that the output bias starts at."""
    if isinstance(config.output_init_bias, str):
        return float(train.target.mean())
    return config.output_init_bias


def _collector(split: Split) -> EpochPredictions:
    return EpochPredictions(
        y_true=split.target.tolist(), local_indices=split.local_indices.tolist(), flight_name=split.names()
    )


def _values(tensor: Tensor) -> Values:
    """A tensor's numbers as float64 on the CPU: sums over float32 would lose the digits that the identities need."""
    return tensor.detach().cpu().numpy().astype(np.float64)
