"""Columns of the artifacts, each with its meaning. The names are a contract: writers and readers share them."""

from __future__ import annotations

SCHEMA_VERSION = "1.0"
"""Version of the artifacts; a changed meaning or a removed column raises it."""

HISTORY_MEANINGS: dict[str, str] = {
    "epoch": "epoch, from 1",
    "train_loss": "mean loss over the epoch's training batches, penalty included, in training mode",
    "val_loss": "validation loss: base_loss + variance_lambda * penalty_loss",
    "r2": "validation R², 1 - SSE/SST; empty where the truth is constant",
    "variance_ratio": "validation std(y_pred)/std(y_true), ddof 0: a ratio of standard deviations",
    "pred_std": "validation std(y_pred), ddof 0, target units",
    "pred_range": "validation max(y_pred) - min(y_pred), target units",
    "learning_rate": "rate of the epoch's last step",
    "pearson_r": "validation correlation of y_true and y_pred; empty where either is constant",
    "pred_mean": "validation mean of y_pred, target units",
    "true_mean": "validation mean of y_true, target units",
    "true_std": "validation std(y_true), ddof 0, target units",
    "mae": "validation mean absolute error, target units",
    "rmse": "validation root mean squared error, target units",
    "base_loss": "validation loss without penalty",
    "penalty_loss": "validation penalty before its weight; empty where the run has no penalty",
    "variance_lambda": "weight of the penalty in this epoch; 0 where the run has none",
    "grad_norm_base": "mean norm of the base loss's gradient at the output weight, over the steps measured",
    "grad_norm_penalty": "the same of the weighted penalty; empty where the run has no penalty",
    "grad_norm_total": "mean norm of the whole gradient over all parameters, before clipping",
    "grad_norm_ratio": "grad_norm_penalty / grad_norm_base; empty where the run has no penalty",
    "weight_norm": "L2 norm of all weights and biases after the epoch",
    "train_r2": "R² on the training split, evaluated after the epoch",
    "train_variance_ratio": "variance ratio on the training split, evaluated after the epoch",
    "train_pearson_r": "correlation on the training split, evaluated after the epoch",
    "train_pred_mean": "mean of y_pred on the training split, evaluated after the epoch, target units",
    "samples_per_second": "training samples over the seconds of the training pass; evaluation not counted",
    "gpu_memory_gib": "most GPU memory that torch held for tensors during the epoch, GiB; empty on a CPU",
    "epoch_seconds": "wall-clock seconds of the epoch, evaluation included",
}
"""History columns in the order in which the trainer writes them. Numbers without prefix are of the validation split."""

HISTORY_COLUMNS: tuple[str, ...] = tuple(HISTORY_MEANINGS)

PREDICTION_MEANINGS: dict[str, str] = {
    "y_true": "target",
    "y_pred": "prediction of the selected epoch",
    "local_indices": "position of the sample within its flight, from 0, in time order",
    "flight_name": "group of the sample",
}
"""Columns of the predictions; any further column is a group or a key."""

PREDICTION_COLUMNS: tuple[str, ...] = tuple(PREDICTION_MEANINGS)

EPOCH_PREDICTION_MEANINGS: dict[str, str] = {
    "epoch": "epoch, from 1 (int32)",
    "local_indices": "position of the sample within its flight, from 0 (int32)",
    "flight_name": "group of the sample (dictionary-encoded string)",
    "y_true": "target (float32)",
    "y_pred": "prediction after that epoch (float32)",
}
"""Columns of the per-epoch predictions of the validation split."""

EPOCH_PREDICTION_COLUMNS: tuple[str, ...] = tuple(EPOCH_PREDICTION_MEANINGS)

METRICS_MEANINGS: dict[str, str] = {
    "schema_version": "version of the artifacts",
    "run": "name of the run",
    "split": "the split that the numbers are of",
    "seed": "seed of the run",
    "device": "cpu or cuda",
    "versions": "versions of what made the run",
    "config": "the whole configuration",
    "selected_epoch": "epoch whose weights were evaluated; null where none had a finite monitored value",
    "selected_by": "name of the policy that selected it",
    "policy": "monitor, mode, patience, min_delta, floor and stopping_warmup of that policy",
    "epochs_run": "epochs that were trained",
    "stopped_because": "patience, max_epochs, emergency_stop or not_finite",
    "loss": "base loss + variance_lambda * penalty on the split",
    "mae": "mean absolute error, target units",
    "mse": "mean squared error, squared target units",
    "rmse": "root mean squared error, target units",
    "mape": "mean of abs(error/y_true), percent; null where a y_true is 0",
    "r2": "R²; null where the truth is constant",
    "mean_error": "mean of y_pred - y_true",
    "std_error": "std of y_pred - y_true, ddof 0",
    "error_5_percentile": "5th percentile of y_pred - y_true, linear interpolation",
    "error_25_percentile": "25th percentile",
    "error_50_percentile": "median",
    "error_75_percentile": "75th percentile",
    "error_95_percentile": "95th percentile",
    "num_samples": "samples in the split",
    "prediction_range": "[min, max] of y_pred",
    "true_range": "[min, max] of y_true",
    "variance_ratio": "std(y_pred)/std(y_true), ddof 0",
    "pearson_r": "correlation; null where either is constant",
    "pred_mean": "mean of y_pred",
    "pred_std": "std of y_pred, ddof 0",
    "true_mean": "mean of y_true",
    "true_std": "std of y_true, ddof 0",
    "splits": "n, true_mean, true_std, true_min, true_max of train, val and test",
    "leak_check": "equal_inputs and shared_groups: how many of one split are in another; closest_input: the table column with "
    "the highest squared correlation with the training target, and that r2; null where it is off",
    "inputs": "columns of the table that were the inputs; null for frames",
    "pretraining": "kind, frames_seen, epochs_run, selected_epoch and losses of the pretraining; null without one",
    "recalibration": "slope, intercept and validation R² before and after, cross-fitted too; null where not asked for",
    "date": "day on which the run ended, ISO 8601",
}
"""Keys of the metrics file, in order. Undefined and non-finite numbers are null."""

METRICS_KEYS: tuple[str, ...] = tuple(METRICS_MEANINGS)
ERROR_PERCENTILES: tuple[int, ...] = (5, 25, 50, 75, 95)
