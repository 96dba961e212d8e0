"""How small a p-value, or how large a bias, must be before chance is ruled out on rows that may repeat each other."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from runreport.context import Context
from runreport.rules import data_basis as basis
from runreport.rules.bias_epochs import EpochFact
from runreport.rules.value_range_sample import sample_of

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

SHORT_SERIES = 25.0
"""Effective rows of a series' error below which its own long-run variance is too uncertain for a p-value far out in the
tail. Measured on unbiased AR(0.9) series of 144 rows (12 effective ones estimated, 7.6 true): p < 0.0027 in 0.9 %."""
SHORT_SERIES_FACTOR = 10.0
"""Factor by which p must be smaller there: then 0.2 % at AR(0.9), 144 rows, and 0.7 % at AR(0.95)."""
DEPENDENT_SHARE = 1 / 19
"""Effective rows over rows at AR(0.9), (1 - 0.9)/(1 + 0.9): as close as consecutive frames usually follow each other. Taken
where only a log is known, which tells nothing of it."""
UNKNOWN_EFFECTIVE = 10.0
"""Effective rows where even their number is not known: fewer would be a set that nobody could judge on."""
LEAST_EFFECTIVE = 3.0
"""So that a standard error exists: √(·/(n_e - 1))."""


def bias_chance(t: float, errors: Floats | None) -> float:
    """The p-value below which a bias is no chance: that of ``t`` standard errors, a tenth for a short series.

    errors: y_pred - y_true of one series in time order; None where rows come in groups that are resampled whole, or where
    they are not known, and the p-value is taken at its word.

    >>> round(bias_chance(3.0, None), 4)
    0.0027
    """
    chance = math.erfc(t / math.sqrt(2))
    if errors is None:
        return chance
    from runreport.statistics.effective_size import effective_size_of_mean

    return chance / SHORT_SERIES_FACTOR if float(effective_size_of_mean(errors)) < SHORT_SERIES else chance


def training_bias(context: Context) -> float | None:
    """β of the training rows at the saved (else the last) epoch, in their own standard deviations; None where not logged.

    A model is fitted to these very rows: that its mean misses theirs is no accident of the sample.
    """
    mean, std = context.split_statistic("train", "true_mean"), context.split_statistic("train", "true_std")
    if context.history is None or not len(context.history) or mean is None or std is None or std <= 0:
        return None
    epoch, _ = basis.judged_epoch(context, context.history.epochs)
    predicted = context.history.at(epoch, "train_pred_mean")
    return (predicted - mean) / std if basis.usable(predicted) and predicted is not None else None


def final_rows(context: Context) -> Floats | None:
    """The final errors as a series; None where they are grouped, or there are no predictions."""
    final, sample = context.final, sample_of(context)
    if final is None or sample is None or (final.n_groups or 1) > 1:
        return None
    return sample.pred - sample.true


def validation_rows(context: Context, epoch: int | float) -> Floats | None:
    """The validation errors of one epoch as a series; None where they are grouped, or not known."""
    known = context.epoch_predictions
    grouped = context.validation is not None and (context.validation.n_groups or 1) > 1
    if known is None or grouped or epoch not in known.epochs:
        return None
    return known.y_pred[known.epochs.index(epoch)] - known.y_true  # type: ignore[no-any-return]


def log_error(context: Context, fact: EpochFact) -> tuple[float, str]:
    """(standard error of β from a log alone, what was assumed of the rows): SE² = (1 + α² - 2rα)/(n_e - 1), r = 0 if unknown."""
    rows = context.split_statistic("val", "n")
    worth = UNKNOWN_EFFECTIVE if rows is None else max(rows * DEPENDENT_SHARE, LEAST_EFFECTIVE)
    ratio, r = fact.ratio or 0.0, fact.r or 0.0
    assumed = f"worth {worth:.0f} independent ones"
    return math.sqrt((1 + ratio * ratio - 2 * r * ratio) / (worth - 1)), assumed
