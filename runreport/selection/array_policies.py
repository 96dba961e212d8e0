"""The policies on arrays: many resamples of a history at once. The forms for a single history are in `policies`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from runreport.selection.declared import DeclaredPolicy
from runreport.selection.policies import MIN_DELTA, PATIENCE, RATIO_FLOOR, SMOOTHING_WINDOW
from runreport.selection.scores import COMPOSITE_TARGET, COMPOSITE_WEIGHT, evenly_spaced

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Metrics = Mapping[str, Floats]
ArrayPick = Callable[[Metrics], Ints]
"""Metric arrays [B, E] by name (NaN: undefined) to the index [B] of the epoch that is chosen in each row."""


def array_policies(
    epochs: Sequence[int | float], n: int, *, patience: int = PATIENCE, min_delta: float = MIN_DELTA
) -> dict[str, ArrayPick]:
    """Policy name -> its array form, for histories with these epochs and n samples.

    A policy that predictions alone do not determine (a loss) is missing. Where a row has nothing to choose from (all
    NaN, no ratio over the floor), the epoch with the highest ratio stands in, the nearest to what a floor asks for.
    """
    last = len(epochs) - 1
    policies: dict[str, ArrayPick] = {
        "max_r2": lambda m: argbest(m["r2"], m),
        "r2_patience": lambda m: with_patience(m["r2"], m, patience, min_delta),
        f"r2_floor_{RATIO_FLOOR:g}": lambda m: argbest(m["r2"], m, floor=RATIO_FLOOR),
        "composite": lambda m: argbest(scores(m, "composite"), m),
        "one_standard_error": lambda m: within_one_standard_error(m, n),
        "max_r_recalibrated": lambda m: argbest(m["pearson_r"], m),
        "ccc": lambda m: argbest(m["ccc"], m),
        "kge": lambda m: argbest(scores(m, "kge"), m),
        "last": lambda m: np.full(m["r2"].shape[0], last, dtype=np.int64),
    }
    if len(epochs) >= SMOOTHING_WINDOW and evenly_spaced(epochs):
        policies["smoothed_r2"] = lambda m: argbest(scores(m, "smoothed_r2"), m)
    return policies


def array_declared(declared: DeclaredPolicy) -> ArrayPick | None:
    """The run's own policy on arrays; None where its monitor does not follow from predictions."""
    names = ("r2", "pearson_r", "variance_ratio", "mae", "rmse", "ccc", "kge", "composite", "smoothed_r2")
    if declared.monitor not in names:
        return None
    sign = 1.0 if declared.mode == "max" else -1.0

    def pick(m: Metrics) -> Ints:
        score = sign * scores(m, declared.monitor)
        return with_patience(score, m, declared.patience, declared.min_delta, declared.floor, declared.warmup)

    return pick


def scores(m: Metrics, name: str) -> Floats:
    """A monitor [B, E] by name: a metric itself, or one that follows from metrics (formulas: `scores`)."""
    if name == "composite":
        return m["r2"] + COMPOSITE_WEIGHT * (m["variance_ratio"] - COMPOSITE_TARGET)
    if name == "kge":
        squares = (m["pearson_r"] - 1) ** 2 + (m["variance_ratio"] - 1) ** 2 + m["bias"] ** 2
        return np.asarray(1 - np.sqrt(squares))
    if name == "smoothed_r2":
        smooth = np.full_like(m["r2"], np.nan)
        windows = np.lib.stride_tricks.sliding_window_view(m["r2"], SMOOTHING_WINDOW, axis=-1)
        smooth[..., SMOOTHING_WINDOW - 1 :] = windows.mean(axis=-1)
        return smooth
    return m[name]


def argbest(score: Floats, m: Metrics, floor: float | None = None) -> Ints:
    """Index [B] of the first highest score [B, E] that is finite and, with a floor, has a ratio of at least it."""
    usable = np.isfinite(score)
    if floor is not None:
        usable &= m["variance_ratio"] >= floor
    best = np.where(usable, score, -np.inf).argmax(axis=-1)
    return np.where(usable.any(axis=-1), best, _highest_ratio(m))


def _highest_ratio(m: Metrics) -> Ints:
    return np.asarray(np.nan_to_num(m["variance_ratio"], nan=-np.inf).argmax(axis=-1))


def with_patience(
    score: Floats,
    m: Metrics,
    patience: int | None,
    min_delta: float = 0.0,
    floor: float | None = None,
    warmup: int = 0,
) -> Ints:
    """Index [B] that `replay_patience` keeps on each row of scores [B, E]; higher is better, NaN is evaluated."""
    rows, epochs = score.shape
    usable = np.isfinite(score)
    if floor is not None:
        usable &= m["variance_ratio"] >= floor
    best = np.full(rows, -1, dtype=np.int64)
    best_score = np.full(rows, -np.inf)
    wait = np.zeros(rows, dtype=np.int64)
    running = np.ones(rows, dtype=bool)
    limit = epochs + 1 if patience is None else max(patience, 1)
    for epoch in range(warmup, epochs):
        value = score[:, epoch]
        better = running & usable[:, epoch] & ((best < 0) | (value > best_score + min_delta))
        best = np.where(better, epoch, best)
        best_score = np.where(better, value, best_score)
        wait = np.where(better, 0, wait + 1)
        running &= wait < limit
    return np.where(best < 0, _highest_ratio(m), best)


def within_one_standard_error(m: Metrics, n: int) -> Ints:
    """Index [B] of the earliest epoch whose R² is within one standard error (`standard_error_r2`) of the highest."""
    r2 = np.where(np.isfinite(m["r2"]), m["r2"], -np.inf)
    top = r2.argmax(axis=-1)[:, None]
    best, alpha, beta = (np.take_along_axis(v, top, axis=-1) for v in (r2, m["variance_ratio"], m["bias"]))
    with np.errstate(invalid="ignore"):
        mse = 1 - best
        c = (best + alpha**2 + beta**2) / 2 - 1
        variance = (4 * mse**2 - 2 * beta**4 - 4 * mse * c**2) / n
    error = np.sqrt(np.maximum(np.nan_to_num(variance, nan=0.0, posinf=0.0, neginf=0.0), 0.0))
    return np.asarray((r2 >= best - error).argmax(axis=-1))
