"""A simulated run's artifacts, written in the native format."""

from __future__ import annotations

import json
import math
from pathlib import Path

import numpy as np

from benchmarks.truth.dynamics import truth_of
from benchmarks.truth.plants.log import apply_edits
from benchmarks.truth.record import Record, figures
from benchmarks.truth.world import Sample
from runreport.artifacts.cells import line
from runreport.artifacts.names import epoch_predictions_path, history_path, metrics_path, predictions_path

SOURCE_COLUMNS = (
    "epoch",
    "train_loss",
    "val_loss",
    "r2",
    "variance_ratio",
    "pred_std",
    "pred_range",
    "learning_rate",
)
"""The columns that the source's own logs have; other runs log the whole row."""


def write_artifacts(folder: Path, name: str, record: Record, *, all_columns: bool, epochs_kept: bool) -> None:
    """Writes ``<name>.csv``, predictions, metrics and, where asked, per-epoch validation predictions."""
    folder.mkdir(parents=True, exist_ok=True)
    rows = apply_edits(record.rows, record.plan.log_edits)
    columns = list(rows[0]) if all_columns else list(SOURCE_COLUMNS)
    text = line(list(columns)) + b"".join(line([row[column] for column in columns]) for row in rows)
    history_path(folder, name).write_bytes(text)
    test = record.world.test
    grouped = record.world.structure.groups > 0
    header: list[float | int | str | None] = ["y_true", "y_pred", "local_indices"]
    lines = [line([*header, "flight_name"] if grouped else header)]
    for truth, predicted, position, group in zip(
        record.test_truth, record.test_predictions, test.position, test.group, strict=True
    ):
        cells: list[float | int | str | None] = [float(truth), float(predicted), int(position)]
        lines.append(line([*cells, f"g{group}"] if grouped else cells))
    predictions_path(folder, name).write_bytes(b"".join(lines))
    if epochs_kept:
        _write_epochs(epoch_predictions_path(folder, name), record)
    metrics_path(folder, name).write_text(json.dumps(_metrics(name, record), indent=1), encoding="utf-8")


def _write_epochs(path: Path, record: Record) -> None:
    import polars as pl

    val = record.world.val
    epochs, n = record.val_predictions.shape
    columns: dict[str, object] = {
        "epoch": np.repeat(np.arange(1, epochs + 1, dtype=np.int32), n),
        "local_indices": np.tile(val.position.astype(np.int32), epochs),
        "y_true": np.tile(record.val_truth.astype(np.float32), epochs),
        "y_pred": record.val_predictions.astype(np.float32).ravel(),
    }
    if record.world.structure.groups:
        columns["flight_name"] = np.tile(np.array([f"g{g}" for g in val.group]), epochs)
    pl.DataFrame(columns).write_parquet(path)


def _metrics(name: str, record: Record) -> dict[str, object]:
    plan = record.plan
    truth, predicted = record.test_truth, record.test_predictions
    got = figures(truth, predicted)
    error = predicted - truth
    config: dict[str, object] = {
        "run_name": name,
        "max_epochs": plan.epochs,
        "learning_rate": plan.peak_rate * plan.configured,
        "schedule": plan.schedule,
        "warmup_steps": max(1, round(plan.warmup_epochs)),
        "warmup_unit": "epoch",
        "batch_size": 64,
        "loss": plan.loss,
        "variance_lambda": plan.penalty,
        "penalty": "variance_ratio",
        "lambda_schedule": "constant",
        "early_stopping": plan.monitor,
        "patience": plan.patience,
        "standardise_target": False,
    }
    lower_better = plan.monitor.endswith("loss")
    kept_last = plan.forced_pick == 1.0
    if kept_last:  # no early stopping was asked for: the last weights are what there is
        del config["early_stopping"], config["patience"]
    document: dict[str, object] = {
        "schema_version": "1.0",
        "run": name,
        "split": "test",
        "config": config,
        "selected_epoch": record.saved,
        "selected_by": "last" if kept_last else plan.monitor,
        "epochs_run": len(record.rows),
        "stopped_because": record.stopped_because,
        **{key: got[key] for key in ("r2", "variance_ratio", "pearson_r")},
        "mae": float(np.abs(error).mean()),
        "mse": float((error**2).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "mean_error": float(error.mean()),
        "std_error": float(error.std()),
        "num_samples": len(truth),
        "prediction_range": [float(predicted.min()), float(predicted.max())],
        "true_range": [float(truth.min()), float(truth.max())],
        "pred_mean": float(predicted.mean()),
        "pred_std": float(predicted.std()),
        "true_mean": float(truth.mean()),
        "true_std": float(truth.std()),
        "splits": _splits(record),
    }
    if not kept_last:
        document["policy"] = {
            "monitor": plan.monitor,
            "mode": "min" if lower_better else "max",
            "patience": plan.patience,
            "min_delta": 0.0,
            "floor": None,
            "stopping_warmup": 0,
        }
    if plan.leak_rows and plan.leak_counted:
        shared = {
            "train_val": round(plan.leak_rows * record.world.val.n),
            "train_test": round(plan.leak_rows * record.world.test.n),
            "val_test": 0,
        }
        document["leak_check"] = {"equal_inputs": shared, "shared_groups": dict.fromkeys(shared, 0)}
    return {key: _plain(value) for key, value in document.items()}


def _splits(record: Record) -> dict[str, object]:
    def one(sample: Sample, *, training: bool = False) -> dict[str, float | int]:
        y = truth_of(record.world, record.plan, sample, training=training)
        low, high = float(y.min()), float(y.max())
        return {
            "n": sample.n,
            "true_mean": float(y.mean()),
            "true_std": float(y.std()),
            "true_min": low,
            "true_max": high,
        }

    world = record.world
    return {"train": one(world.train, training=True), "val": one(world.val), "test": one(world.test)}


def _plain(value: object) -> object:
    """JSON has no NaN: null."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
