"""All epochs of a run: step, evaluate, log the row, stop?"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from training.config import Config
from training.data import Dataset, Split
from training.diagnostics import peak_memory_gib
from training.label_density import density_weights
from training.loop import EpochResult, Trainer
from training.metrics import Values, summarise
from training.objective import SplitLosses, evaluate_losses
from training.recorder import Recorder
from training.resume import Row, RunState, generators, restore_generators
from training.stopping import EarlyStopping, make_emergency_stop
from training.weighting import combined, flight_weights, hard_sample_weights


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the epochs ended: why, and the validation predictions of each, (epochs, n), on the CPU."""

    stopped_because: str
    val_pred: Tensor

    @property
    def epochs_run(self) -> int:
        """How many epochs were trained, in this process and before a resumption."""
        return len(self.val_pred)


def train_epochs(
    config: Config,
    trainer: Trainer,
    dataset: Dataset,
    stopping: EarlyStopping,
    recorder: Recorder,
    state: RunState | None = None,
) -> Ending:
    """Trains until something stops it; ``state`` is where an earlier process was cut off."""
    rows, val_preds, hard_weight, stopped_because = _start(trainer, stopping, state, dataset.val.target.device)
    recorder.again(rows, selected=stopping.selected_epoch)
    objective = trainer.objective
    fixed_weight = combined(flight_weights(config, dataset.train), density_weights(config, dataset.train.target))
    while stopped_because is None:
        epoch = len(rows) + 1
        start = time.perf_counter()
        trainer.world.seed_epoch(config.seed, epoch)
        result = trainer.train_epoch(combined(fixed_weight, hard_weight))
        val_outputs = trainer.predict(dataset.val)
        val_pred = objective.point(val_outputs)
        losses = evaluate_losses(objective, result.penalty_weight, val_outputs, dataset.val.target)
        row = loss_columns(epoch, result, losses) | metric_columns(dataset.val, val_pred)
        if stopping.update(epoch, row):
            recorder.best(trainer, epoch, result.penalty_weight)
        trainer.schedule.after_epoch(losses.total)
        stopped_because = why_stop(config, row, stopping)
        train_pred = None
        # Hard samples are weighted by these predictions, whatever the log needs of them.
        if config.hard_sample_k > 0 or is_due(config, epoch) or stopped_because is not None:
            train_pred = objective.point(trainer.predict(dataset.train))
            hard_weight = hard_sample_weights(config, (train_pred - dataset.train.target).abs())
        row |= train_columns(dataset.train, train_pred)
        row["gpu_memory_gib"] = peak_memory_gib(val_pred.device)
        row["epoch_seconds"] = round(time.perf_counter() - start, 4)
        rows.append(row)
        val_preds.append(val_pred.cpu())
        recorder.row(row, selected=stopping.selected_epoch)
        recorder.state(lambda: _state(config, trainer, rows, val_preds, hard_weight, stopped_because))  # noqa: B023
    return Ending(stopped_because=stopped_because, val_pred=torch.stack(val_preds))


def _start(
    trainer: Trainer, stopping: EarlyStopping, state: RunState | None, device: torch.device
) -> tuple[list[Row], list[Tensor], Tensor | None, str | None]:
    """Rows, validation predictions, sample weights and reason to stop as they are before the first epoch to come."""
    if state is None:
        return [], [], None, None
    trainer.load_state_dict(state.trainer)
    for row in state.rows:
        # Schedule and stopping know nothing but the epochs that they are told of: they are told again.
        trainer.follow(float(math.nan if row["val_loss"] is None else row["val_loss"]))
        stopping.update(int(row["epoch"] or 0), row)
    restore_generators(state.generators, device)
    return list(state.rows), list(state.val_pred.cpu()), state.hard_weight, state.stopped_because


def _state(
    config: Config,
    trainer: Trainer,
    rows: list[Row],
    val_preds: list[Tensor],
    hard_weight: Tensor | None,
    stopped_because: str | None,
) -> RunState:
    return RunState(
        config=config.to_dict(),
        rows=rows,
        trainer=trainer.state_dict(),
        hard_weight=hard_weight,
        val_pred=torch.stack(val_preds),
        generators=generators(trainer.split.target.device),
        stopped_because=stopped_because,
    )


def why_stop(config: Config, row: Row, stopping: EarlyStopping) -> str | None:
    """What ends the run after this epoch; None where nothing does."""
    epoch = int(row["epoch"] or 0)
    losses = (row["train_loss"], row["val_loss"])
    if not all(loss is not None and math.isfinite(loss) for loss in losses):
        return "not_finite"
    emergency = make_emergency_stop(config)
    if emergency is not None and emergency.should_stop(epoch, row["variance_ratio"]):
        return "emergency_stop"
    if stopping.should_stop:
        return "patience"
    return "max_epochs" if epoch >= config.max_epochs else None


def loss_columns(epoch: int, result: EpochResult, losses: SplitLosses) -> Row:
    """The columns of one epoch that come from training and from the losses."""
    return {
        "epoch": epoch,
        "train_loss": result.train_loss,
        "val_loss": losses.total,
        "learning_rate": result.learning_rate,
        "base_loss": losses.base,
        "penalty_loss": losses.penalty,
        "variance_lambda": result.penalty_weight,
        "grad_norm_base": result.norms.mean("base"),
        "grad_norm_penalty": result.norms.mean("penalty"),
        "grad_norm_total": result.norms.mean("total"),
        "grad_norm_ratio": result.norms.ratio(),
        "weight_norm": result.weight_norm,
        "samples_per_second": result.samples_per_second,
    }


def is_due(config: Config, epoch: int) -> bool:
    """Whether the training split is evaluated after this epoch anyway; it is after the run's last as well.

    >>> [epoch for epoch in range(1, 12) if is_due(Config(train_metrics_every=4), epoch)]
    [4, 8]
    """
    return epoch % config.train_metrics_every == 0


def metric_columns(val: Split, val_pred: Tensor) -> Row:
    """The columns of one epoch that come from the validation predictions made after it."""
    metrics = summarise(values_of(val.target), values_of(val_pred))
    return {
        "r2": metrics.r2,
        "variance_ratio": metrics.variance_ratio,
        "pred_std": metrics.pred_std,
        "pred_range": metrics.pred_range,
        "pearson_r": metrics.pearson_r,
        "pred_mean": metrics.pred_mean,
        "true_mean": metrics.true_mean,
        "true_std": metrics.true_std,
        "mae": metrics.mae,
        "rmse": metrics.rmse,
    }


def train_columns(train: Split, train_pred: Tensor | None) -> Row:
    """The columns of one epoch that come from the training split's predictions made after it; None without them."""
    metrics = None if train_pred is None else summarise(values_of(train.target), values_of(train_pred))
    return {
        "train_r2": None if metrics is None else metrics.r2,
        "train_variance_ratio": None if metrics is None else metrics.variance_ratio,
        "train_pearson_r": None if metrics is None else metrics.pearson_r,
        "train_pred_mean": None if metrics is None else metrics.pred_mean,
    }


def values_of(tensor: Tensor) -> Values:
    """A tensor's numbers as float64 on the CPU: sums over float32 would lose the digits that the identities need."""
    return tensor.detach().cpu().numpy().astype(np.float64)
