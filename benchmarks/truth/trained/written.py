"""Faults between the network and the file: the predictions are changed, and all that follows from them in the log."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import torch
from torch import Tensor

from training.ensemble import Trained
from training.epochs import values_of
from training.metrics import summarise

OF_PREDICTIONS = (
    "r2", "variance_ratio", "pearson_r", "pred_mean", "pred_std", "pred_range", "mae", "rmse",
)  # fmt: skip


def through(trained: Trained, change: Callable[[Tensor], Tensor], *, history: bool = True) -> Trained:
    """``change`` applied to all predictions on held-out rows; with ``history`` to those that the log was made of too.

    The losses stay: a trainer computes them on what the network puts out.
    """
    changed = dataclasses.replace(trained, test_pred=change(trained.test_pred))
    if not history:
        return changed
    val_pred = change(trained.val_pred)
    truth = values_of(trained.member.dataset.val.target)
    rows = []
    for row, predicted in zip(trained.rows, val_pred, strict=True):
        summary = summarise(truth, values_of(predicted))
        rows.append(row | {name: getattr(summary, name) for name in OF_PREDICTIONS})
    return dataclasses.replace(changed, val_pred=val_pred, rows=rows)


def mean_and_std(trained: Trained) -> tuple[float, float]:
    """Of the training targets."""
    target = trained.member.dataset.train.target.double()
    return float(target.mean()), float(target.std(correction=0))


def r2_of_test(trained: Trained) -> float:
    """R² of the written test predictions."""
    truth, predicted = trained.member.dataset.test.target.double(), trained.test_pred.double()
    return float(1 - (predicted - truth).square().mean() / truth.var(correction=0))


def squashed(values: Tensor, low: float, high: float) -> Tensor:
    """Through a sigmoid between two bounds, of slope 1 in its middle."""
    width = high - low
    return low + width * torch.sigmoid(4 * (values - (low + high) / 2) / width)
