"""Faults that nobody planted: whether a line through the validation predictions mends the test predictions by as much as a plant
must cost to count as one.

A network on few rows may end too wide for what it knows by overfitting them. A report that says so says what is true of it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.truth.taxonomy import Fault
from training.ensemble import Trained

Floats = NDArray[np.float64]


def incidental_faults(trained: Trained, limit: float) -> tuple[Fault, ...]:
    """Of spread and mean, what the line mends on the test rows by more than ``limit`` R².

    The slope about the predictions' own mean is one repair, the shift by the mean validation error the other; each is fitted
    on validation at the saved epoch and tried alone. None where no epoch was saved or predictions are no numbers.
    """
    if trained.selected_epoch is None:
        return ()
    val_true, test_true = (
        split.target.double().numpy() for split in (trained.member.dataset.val, trained.member.dataset.test)
    )
    val_pred, test_pred = (
        trained.val_pred[trained.selected_epoch - 1].double().numpy(),
        trained.test_pred.double().numpy(),
    )
    if not (np.isfinite(val_pred).all() and np.isfinite(test_pred).all()) or val_pred.std() == 0:
        return ()
    slope = float(np.cov(val_true, val_pred, ddof=0)[0, 1] / val_pred.var())
    rescaled = test_pred.mean() + slope * (test_pred - test_pred.mean())
    shifted = test_pred - (val_pred.mean() - val_true.mean())
    before = r2(test_true, test_pred)
    spread = Fault.TOO_WIDE if slope < 1 else Fault.TOO_NARROW
    repairs = ((spread, rescaled), (Fault.BIAS, shifted))
    return tuple(fault for fault, mended in repairs if r2(test_true, mended) - before > limit)


def r2(true: Floats, pred: Floats) -> float:
    """R² of predictions (n,) against the truth (n,)."""
    return float(1 - ((pred - true) ** 2).mean() / true.var())
