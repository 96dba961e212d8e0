"""A validation loss that rises from its own minimum while the train loss falls: needs no R², and compares no two losses."""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

from runreport.context import History
from runreport.findings import Finding, Severity
from runreport.rules.loss_series import Pairs, losses, trailing_medians
from runreport.statistics.trend import MAD_TO_STD, theil_sen
from runreport.wording import epoch as epoch_text
from runreport.wording import number, percent

OVERFIT = "fit.overfit"
LEAST_RISE = 0.05
"""Share of the lowest loss: less is not worth a line, however surely it can be told from none."""
JITTERS = 4.0
"""Standard deviations from epoch to epoch that the rise must exceed: medians of five epochs of pure noise lie within
about two of each other over a hundred epochs."""


def rise_of_validation(history: History) -> Finding | None:
    """Information: how far the validation loss has risen from its lowest, where the train loss fell meanwhile.

    The validation loss is smoothed (medians of five epochs). It counts as risen where it ends above its lowest by more
    than its jitter (MAD of its steps / √2) allows and its Theil-Sen slope after the lowest has a 95 % interval above 0.
    """
    train = dict(losses(history, "train_loss"))
    val = [(e, v) for e, v in losses(history, "val_loss") if e in train]
    if len(val) < 2 or not all(v > 0 for _, v in val):
        return None
    smooth = trailing_medians(val)
    place = min(range(len(smooth)), key=lambda i: smooth[i][1])
    lowest, last = smooth[place][1], smooth[-1][1]
    jitter = MAD_TO_STD * median(abs(b[1] - a[1]) for a, b in pairwise(val)) / math.sqrt(2)
    rise = last / lowest - 1
    if rise <= LEAST_RISE or last - lowest <= JITTERS * jitter or not _rises(val[place + 1 :]):
        return None
    smooth_train = dict(trailing_medians([(e, train[e]) for e, _ in val]))
    epoch, end = smooth[place][0], smooth[-1][0]
    if not smooth_train[end] < smooth_train[epoch]:
        return None
    best_epoch, best = min(val, key=lambda pair: pair[1])
    message = (
        f"From epoch {epoch_text(epoch)} to {epoch_text(end)} the validation loss rose from its own minimum by "
        f"{percent(rise, 0)} ({number(lowest)} to {number(last)}, medians of 5 epochs; jitter from epoch to epoch "
        f"{number(jitter, 2)}) while the train loss fell from {number(smooth_train[epoch])} to {number(smooth_train[end])}. "
        f"The lowest single value is {number(best)} at epoch {epoch_text(best_epoch)}. Each loss is compared with itself "
        "alone: how large the gap between the two splits is, is not known."
    )
    return Finding(
        rule=OVERFIT,
        severity=Severity.INFO,
        message=message,
        evidence={
            "basis": "validation_loss_rise",
            "best_epoch": best_epoch,
            "smoothed_best_epoch": epoch,
            "val_loss": [lowest, last],
            "train_loss": [smooth_train[epoch], smooth_train[end]],
            "rise": rise,
            "jitter": jitter,
        },
        epoch=best_epoch,
        split="validation",
        acts_on="r",
    )


def _rises(after: Pairs) -> bool:
    """Whether the slope of what came after the lowest is shown to be above 0."""
    trend = theil_sen([float(e) for e, _ in after], [v for _, v in after])
    return trend is not None and trend.lo > 0
