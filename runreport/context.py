"""The facts that rules judge: prepared once, so that every rule is a pure function of them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from runreport.history import History, Number, history_of
from runreport.run import Run

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from runreport.metrics.budget import ErrorBudget
    from runreport.selection.audit import SelectionAudit

__all__ = ["Basis", "Context", "EpochPredictions", "Final", "History", "Limits", "Number", "history_of", "once_a_run"]

Basis = Literal["predictions", "summary", "history"]
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Final:
    """The figures of one set of predictions: one split, one epoch.

    basis
        ``predictions``: computed from the rows; ``summary``: the run's own published figures; ``history``: the logged
        row of the epoch that was saved (or the last).
    estimates
        By the names of ``runreport.metrics``: r2, variance_ratio, pearson_r, bias, calibration_slope, pred_spread,
        mae, rmse, mean_error, true_mean, true_std, true_min, true_max, pred_mean, pred_std, pred_min, pred_max, ...
        None is undefined or unknown.
    intervals, standard_errors, p_values
        95 % intervals, standard errors, and two-sided p-values (``pearson_r`` against 0, ``calibration_slope`` against
        1, ``bias`` against 0); a name that is missing has none.
    derived
        Names that were not logged but follow from what was (r and β from R², ratio and means).
    bounds
        Where r and β are not known but R² and α are: ``pearson_r`` (smallest, 1) and ``absolute_bias`` (smallest,
        largest) that these allow. Bounds, never estimates.
    caveats
        What limits the intervals, in sentences; empty when nothing does.
    """

    split: str
    basis: Basis
    estimates: Mapping[str, Number]
    epoch: int | float | None = None
    n: int | None = None
    effective_n: float | None = None
    group_column: str | None = None
    n_groups: int | None = None
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    standard_errors: Mapping[str, float] = field(default_factory=dict)
    p_values: Mapping[str, float] = field(default_factory=dict)
    derived: frozenset[str] = frozenset()
    bounds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    caveats: tuple[str, ...] = ()

    def __getitem__(self, name: str) -> Number:
        return self.estimates.get(name)

    def interval(self, name: str) -> tuple[float, float] | None:
        """95 % interval of an estimate, or None where there is none."""
        return self.intervals.get(name)


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochPredictions:
    """Per-epoch predictions of one split, as a matrix.

    y_true (n,), y_pred (epochs, n), float64; ``groups`` (n,) labels of the column ``group_column``, or None; rows in file
    (time) order.
    Only runs whose matrix fits :data:`runreport.analysis.MATRIX_CELLS` get one.
    """

    epochs: tuple[int | float, ...]
    y_true: np.ndarray[tuple[int], np.dtype[np.float64]]
    y_pred: np.ndarray[tuple[int, int], np.dtype[np.float64]]
    groups: np.ndarray[tuple[int], np.dtype[np.generic]] | None = None
    group_column: str = "group"
    split: str = "validation"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The thresholds of one rule, by name, after the user's settings."""

    values: Mapping[str, float]

    def __getitem__(self, name: str) -> float:
        return self.values[name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """All that is known of one run when the rules are asked.

    history
        The log, one row an epoch (validation metrics unless a name says ``train_``); ``None`` where there is none.
    epoch_metrics
        The same names recomputed from per-epoch predictions, where those exist.
    final
        The figures the report is about: test predictions where there are some.
    validation
        The same for the validation split at the saved epoch; None where per-epoch predictions do not exist.
    """

    run: Run
    history: History | None = None
    epoch_metrics: History | None = None
    epoch_predictions: EpochPredictions | None = None
    final: Final | None = None
    validation: Final | None = None
    budget: ErrorBudget | None = None
    selection: SelectionAudit | None = None
    saved_epoch: int | float | None = None

    @property
    def config(self) -> Mapping[str, object]:
        """The run's configuration; empty when unknown."""
        return self.run.config

    @property
    def predictions(self) -> pl.DataFrame | None:
        """Final predictions, rows with finite y_true and y_pred only."""
        return self.run.predictions

    def config_number(self, *names: str) -> float | None:
        """The first of these config keys that holds a finite number (booleans do not count)."""
        config = self.run.config
        for name in names if config else ():
            value = config.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                return float(value)
        return None

    def split_statistic(self, split: str, name: str) -> float | None:
        """A statistic of a split's targets from the run's own summary (``splits.train.true_mean``), else None."""
        splits = self.run.summary.get("splits")
        part = splits.get(split) if isinstance(splits, Mapping) else None
        value = part.get(name) if isinstance(part, Mapping) else None
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
        return None


def once_a_run(compute: Callable[[Context], T]) -> Callable[[Context], T]:
    """Computed once for the run asked about last: the rules ask for the same facts of one run, one after another.

    By identity, not equality: to compare two contexts would take longer than to compute.
    """
    known: list[tuple[Context, T]] = []

    @functools.wraps(compute)
    def recall(context: Context) -> T:
        last = known[0] if known else None
        if last is None or last[0] is not context:
            last = (context, compute(context))
            known[:] = [last]
        return last[1]  # not what another thread may have put there meanwhile

    return recall
