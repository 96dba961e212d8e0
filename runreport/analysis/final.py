"""The figures that a report is about: from predictions where there are some, else as the run published them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runreport.analysis.predictions import group_column
from runreport.analysis.predictions import labels as group_labels
from runreport.context import EpochPredictions, Final, History, Number
from runreport.metrics.bounds import MOST_R2, bias_bounds, from_summary, r_lower_bound
from runreport.run import Run
from runreport.settings import Settings
from runreport.statistics.analytic import INDEPENDENCE_CAVEAT, analytic_intervals, analytic_p_values

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

    from runreport.statistics.intervals import IntervalSet


def final_of(run: Run, history: History | None, saved: int | float | None, settings: Settings) -> Final | None:
    """The final figures of a run: test predictions, else its summary, else the logged row of the saved (or last) epoch.

    None where the run has none of the three.
    """
    if run.predictions is not None:
        group = group_column(run.predictions, ("y_true", "y_pred"), settings.group)
        return _from_predictions(run.predictions, run.split or "test", saved, group)
    if any(_number(run.summary, name) is not None for name in ("r2", "variance_ratio", "mae", "rmse")):
        return _from_summary(run, saved)
    if history is not None and len(history):
        return _from_history(history, saved)
    return None


def validation_of(predictions: EpochPredictions | None, saved: int | float | None) -> Final | None:
    """The same figures for the validation split at the saved epoch; None without per-epoch predictions."""
    if predictions is None or saved is None or saved not in predictions.epochs:
        return None
    import polars as pl

    pred = predictions.y_pred[predictions.epochs.index(saved)]
    columns: dict[str, object] = {"y_true": predictions.y_true, "y_pred": pred}
    if predictions.groups is not None:
        columns[predictions.group_column] = predictions.groups
    group = predictions.group_column if predictions.groups is not None else None
    return _from_predictions(pl.DataFrame(columns), predictions.split, saved, group)


def _from_predictions(frame: pl.DataFrame, split: str, saved: int | float | None, group: str | None) -> Final:
    from runreport.metrics.expressions import metrics_of
    from runreport.statistics.intervals import interval_set

    estimates = metrics_of(frame.select("y_true", "y_pred"))
    labels: np.ndarray[tuple[int], np.dtype[np.generic]] | None = (
        group_labels(frame[group]) if group is not None else None
    )
    found: IntervalSet = interval_set(frame["y_true"].to_numpy(), frame["y_pred"].to_numpy(), groups=labels)
    intervals, errors, p_values = {}, {}, {}
    for name, measured in found.metrics.items():
        if measured.interval is not None:
            intervals[name] = measured.interval
        if measured.se is not None:
            errors[name] = measured.se
        p_value = measured.p_value()
        if p_value is not None:
            p_values[name] = p_value
    if "r2" in intervals and "pearson_r" in intervals:
        # R² ≤ r² where r > 0 and R² ≤ 0 where r ≤ 0: an upper end beyond what r's own interval allows says nothing.
        low, high = intervals["r2"]
        intervals["r2"] = (low, min(high, max(max(intervals["pearson_r"][1], 0.0) ** 2, estimates["r2"] or low)))
    n = estimates["n"]
    return Final(
        split=split,
        basis="predictions",
        estimates=estimates,
        epoch=saved,
        n=int(n) if n is not None else None,
        effective_n=found.effective_n,
        group_column=group,
        n_groups=found.n_groups,
        intervals=intervals,
        standard_errors=errors,
        p_values=p_values,
        caveats=tuple(c for c in (found.refused, found.caveat) if c),
    )


def _from_summary(run: Run, saved: int | float | None) -> Final:
    summary = run.summary
    estimates: dict[str, Number] = {
        name: _number(summary, name)
        for name in (
            "r2", "variance_ratio", "pearson_r", "mae", "mse", "rmse", "mape", "loss", "mean_error", "pred_mean",
            "pred_std", "pred_spread", "true_mean", "true_std", "std_error",
        )
    }  # fmt: skip
    for name, pair in (("pred", "prediction_range"), ("true", "true_range")):
        low, high = _pair(summary, pair)
        estimates |= {f"{name}_min": low, f"{name}_max": high}
    impossible = _drop_impossible(estimates, [estimates["r2"]])
    derived: set[str] = set()

    def derive(name: str, value: float | None) -> None:
        if estimates.get(name) is None and value is not None and math.isfinite(value):
            estimates[name] = value
            derived.add(name)

    pred_std, true_std = estimates["pred_std"], estimates["true_std"]
    if pred_std is not None and true_std:
        derive("variance_ratio", pred_std / true_std)
    if estimates["pred_min"] is not None and estimates["pred_max"] is not None:
        derive("pred_spread", estimates["pred_max"] - estimates["pred_min"])
    known = [estimates[n] for n in ("r2", "variance_ratio", "true_mean", "true_std", "pred_mean")]
    if all(v is not None for v in known):
        r2, ratio, true_mean, true_std_known, pred_mean = (v for v in known if v is not None)
        r, bias = from_summary(r2, ratio, true_mean, true_std_known, pred_mean)
        derive("bias", bias)
        derive("pearson_r", r)
        derive("mean_error", pred_mean - true_mean)
    r, ratio_known, bias_known = (estimates.get(name) for name in ("pearson_r", "variance_ratio", "bias"))
    n = _number(summary, "num_samples")
    if r is not None:
        derive("recalibrated_r2", r * r)
    if r is not None and ratio_known:
        derive("calibration_slope", r / ratio_known)
    intervals, p_values = _analytic(r, ratio_known, bias_known, n)
    return Final(
        split=run.split or "test",
        basis="summary",
        estimates=estimates,
        epoch=saved,
        n=int(n) if n is not None else None,
        intervals=intervals,
        p_values=p_values,
        derived=frozenset(derived),
        bounds=_bounds(estimates),
        caveats=((f"Intervals are computed {INDEPENDENCE_CAVEAT}.",) if intervals else ()) + impossible,
    )


def _analytic(
    r: Number, ratio: Number, bias: Number, n: Number
) -> tuple[dict[str, tuple[float, float]], dict[str, float]]:
    """(intervals, p-values) from the figures alone, for independent samples; empty where one of the figures is missing."""
    if r is None or not ratio or bias is None or n is None or abs(r) > 1:
        return {}, {}
    bounds = analytic_intervals(r=r, variance_ratio=ratio, bias=bias, n_e=n)
    tested = analytic_p_values(r=r, variance_ratio=ratio, bias=bias, n_e=n)
    return {k: v for k, v in bounds.items() if v is not None}, {k: v for k, v in tested.items() if v is not None}


def _from_history(history: History, saved: int | float | None) -> Final:
    epoch = saved if saved in history.epochs else history.epochs[-1]
    estimates: dict[str, Number] = {
        name: history.at(epoch, name)
        for name in ("r2", "variance_ratio", "pearson_r", "mae", "mse", "rmse", "pred_mean", "pred_std", "true_mean", "true_std")
    }  # fmt: skip
    impossible = _drop_impossible(estimates, history.get("r2"))
    estimates["pred_spread"] = history.at(epoch, "pred_range")
    derived: set[str] = set()
    true_mean, true_std, pred_mean = (estimates[n] for n in ("true_mean", "true_std", "pred_mean"))
    if true_mean is not None and true_std and pred_mean is not None:
        estimates["mean_error"] = pred_mean - true_mean
        estimates["bias"] = (pred_mean - true_mean) / true_std
        derived |= {"bias", "mean_error"}
    r, ratio = estimates["pearson_r"], estimates["variance_ratio"]
    if r is not None:
        estimates["recalibrated_r2"] = r * r
        if ratio:
            estimates["calibration_slope"] = r / ratio
    n = history.at(epoch, "n")
    intervals, p_values = _analytic(r, ratio, estimates.get("bias"), n)
    none = "The log alone gives no intervals: they need the predictions or the number of samples."
    return Final(
        split="validation",
        basis="history",
        estimates=estimates,
        epoch=epoch,
        n=int(n) if n is not None else None,
        intervals=intervals,
        p_values=p_values,
        derived=frozenset(derived),
        bounds=_bounds(estimates),
        caveats=(f"Intervals are computed {INDEPENDENCE_CAVEAT}." if intervals else none, *impossible),
    )


def _drop_impossible(estimates: dict[str, Number], logged: Sequence[Number]) -> tuple[str, ...]:
    """Takes R² out, in place, where what was logged as R² exceeds 1 anywhere; the sentence that says so."""
    if estimates.get("r2") is None or not any(v is not None and v > MOST_R2 for v in logged):
        return ()
    estimates["r2"] = None
    return ("What was logged as R² exceeds 1, which no R² does: it is not used.",)


def _bounds(estimates: Mapping[str, Number]) -> dict[str, tuple[float, float]]:
    """What R² and α force on r and |β| where these are not known."""
    r2, ratio = estimates.get("r2"), estimates.get("variance_ratio")
    if r2 is None or ratio is None or ratio < 0:
        return {}
    out = {}
    lowest, mean_off = r_lower_bound(r2, ratio), bias_bounds(r2, ratio)
    if estimates.get("pearson_r") is None and lowest is not None and lowest > -1:
        out["pearson_r"] = (lowest, 1.0)
    if estimates.get("bias") is None and mean_off is not None:
        out["absolute_bias"] = mean_off
    return out


def _number(summary: Mapping[str, object], name: str) -> float | None:
    value = summary.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
        return float(value)
    return None


def _pair(summary: Mapping[str, object], name: str) -> tuple[float | None, float | None]:
    value = summary.get(name)
    if isinstance(value, list) and len(value) == 2 and all(isinstance(v, int | float) for v in value):
        return float(value[0]), float(value[1])
    return None, None
