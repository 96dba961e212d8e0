"""A whole epoch as a run has it, and what its diagnostics cost."""

from __future__ import annotations

import dataclasses
import itertools
import math
import statistics
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from training.bench.probes import Clock, median_seconds, synchronise
from training.config import Config
from training.data import Dataset
from training.diagnostics import GradientNorms, weight_norm
from training.epochs import train_epochs, values_of
from training.loop import Trainer
from training.metrics import summarise
from training.places import Places
from training.progress import PlainProgress
from training.recorder import Recorder
from training.resume import Row
from training.stopping import make_early_stopping

REPEATS = 30  # a measurement of the norms takes well under a millisecond: one alone is lost in jitter
EVALUATION_REPEATS = 7
SHOWN_EPOCHS = 50
"""The most epochs that run4, published or preset, trains."""
DIAGNOSTICS_GOAL = 0.03
"""The project's goal: diagnostics below this share of an epoch."""


class RowsOnly(Recorder):
    """Keeps the rows, and when each came; writes nothing."""

    def __init__(self, trainer: Trainer, clock: Clock) -> None:
        super().__init__(trainer.config, Places.of("bench", out=Path()), PlainProgress, writes=False)
        self.rows: list[Row] = []
        self.ends: list[float] = []
        self._clock, self._device = clock, trainer.split.target.device

    def row(self, row: Row, *, selected: int | None) -> None:  # noqa: ARG002 - as the recorder's
        """Keeps the row."""
        synchronise(self._device)
        self.rows.append(row)
        self.ends.append(self._clock())


def whole_epochs(trainer: Trainer, dataset: Dataset, clock: Clock, *, epochs: int) -> dict[str, Any]:
    """Median seconds by ``clock`` of ``epochs`` epochs after a first: training, validation, metrics; without files.

    The training split is not evaluated in them: what that costs is timed by ``diagnostics_cost``.
    """
    planned = epochs + 2  # after the last one the training split is evaluated whatever the settings: it is left out
    config = dataclasses.replace(trainer.config, max_epochs=planned, patience=planned, train_metrics_every=planned)
    with RowsOnly(trainer, clock) as recorder:
        train_epochs(config, trainer, dataset, make_early_stopping(config), recorder)
    seconds = [end - start for start, end in itertools.pairwise(recorder.ends[:-1])]
    median = statistics.median(seconds)
    return {
        "epochs": len(seconds),
        "epoch_seconds": median,
        "epoch_seconds_range": [min(seconds), max(seconds)],
        "experiment_epochs": SHOWN_EPOCHS,
        "experiment_seconds": SHOWN_EPOCHS * median,
        "gpu_memory_gib": recorder.rows[-1]["gpu_memory_gib"],
    }


def diagnostics_cost(trainer: Trainer, clock: Clock, epoch_seconds: float) -> dict[str, Any]:
    """What watching an epoch costs, each part timed alone and multiplied by how often an epoch does it.

    Timed alone because the difference of two epochs, with and without, is smaller than the noise of either. ``epoch_seconds``
    is of an epoch without the evaluation of the training split. ``norms_share``: all gradient norms and the weights' norm
    over such an epoch. ``train_metrics_share``: evaluating the training split, over the same. ``share``: everything over a
    run of ``SHOWN_EPOCHS`` epochs that evaluates it as often as the settings' default says, and after the last.
    """
    device = trainer.split.target.device
    base, penalty = first_losses(trainer)
    weight, parameters = trainer.model.output.weight, list(trainer.model.parameters())
    y_true = values_of(trainer.split.target)
    norms, total = GradientNorms(every=1), torch.zeros((), device=device)

    def train_metrics() -> None:
        summarise(y_true, values_of(trainer.objective.point(trainer.predict(trainer.split))))

    measure = median_seconds(lambda: norms.measure(base, penalty, weight), device, REPEATS, clock)
    add_total = median_seconds(lambda: norms.add_total(total), device, REPEATS, clock)
    weights = median_seconds(lambda: float(weight_norm(parameters)), device, REPEATS, clock)
    evaluation = median_seconds(train_metrics, device, EVALUATION_REPEATS, clock)
    due = math.ceil(trainer.steps_per_epoch / trainer.config.gradient_every)
    seconds = due * measure + trainer.steps_per_epoch * add_total + weights
    return {
        "gradient_every": trainer.config.gradient_every,
        "gradient_norms_seconds": measure,
        "total_norm_seconds": add_total,
        "weight_norm_seconds": weights,
        "norms_seconds": seconds,
        "norms_share": seconds / epoch_seconds,
        "train_metrics_seconds": evaluation,
        "train_metrics_share": evaluation / epoch_seconds,
        "train_metrics_every": (every := Config().train_metrics_every),
        "share": share_of_a_run(seconds, evaluation, epoch_seconds, every=every),
        "goal": DIAGNOSTICS_GOAL,
    }


def share_of_a_run(
    norms: float, evaluation: float, epoch_seconds: float, *, every: int, epochs: int = SHOWN_EPOCHS
) -> float:
    """Diagnostics over the whole time of a run of ``epochs``; all in seconds, ``epoch_seconds`` with the norms in it.

    >>> share_of_a_run(0.0, 1.0, 5.0, every=4, epochs=10)  # after epochs 4, 8 and 10: 3 s of 53
    0.05660377358490566
    """
    evaluations = math.ceil(epochs / every)
    return (epochs * norms + evaluations * evaluation) / (epochs * epoch_seconds + evaluations * evaluation)


def first_losses(trainer: Trainer) -> tuple[Tensor, Tensor | None]:
    """Base loss and weighted penalty of the first batch, with their graph."""
    count = min(trainer.config.batch_size, len(trainer.split))
    y_true, outputs = trainer.split.target[:count], trainer.trial().float()
    penalty = trainer.objective.penalty_loss(outputs, y_true)
    base = trainer.objective.base_loss(outputs, y_true, None)
    return base, None if penalty is None else trainer.lambdas.weight() * penalty
