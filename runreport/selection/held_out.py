"""The audit with per-epoch predictions: every policy chooses in bag and is scored out of bag. Numpy is loaded here."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from runreport.context import EpochPredictions, History
from runreport.selection.array_policies import ArrayPick, Ints, Metrics, array_declared, array_policies
from runreport.selection.declared import DeclaredPolicy
from runreport.selection.policies import MIN_DELTA, PATIENCE, Policy, PolicyPick
from runreport.statistics.moments import row_moments
from runreport.statistics.selection_bootstrap import SelectionAudit as Resampled
from runreport.statistics.selection_bootstrap import audit_selection

if TYPE_CHECKING:
    from runreport.selection.audit import Comparison, SelectionAudit

RECOMPUTED = ("r2", "variance_ratio", "pearson_r", "bias", "ccc", "mae", "rmse")
FAMILY_ERROR = 0.05
"""Chance that any interval of the policies compared misses; shared equally among them (Bonferroni)."""


def with_predictions(
    base: SelectionAudit,
    history: History,
    policies: tuple[Policy, ...],
    predictions: EpochPredictions,
    *,
    seed: int,
    resamples: int,
) -> SelectionAudit:
    """``base`` with what the predictions decide: picks that the log lacked, comparisons, ties, optimism.

    Where the statistics refuse to resample (2 to 5 groups, too few rows) the picks and differences stay, no interval is
    given, and ``refused`` says why.
    """
    kept = set(predictions.epochs)
    predictions = usable(predictions)
    diverged = kept.difference(predictions.epochs)
    recomputed = recomputed_history(predictions, history)
    picks = _fill(base.picks, base.declared, policies, recomputed)
    best = _highest(recomputed)
    base = replace(base, picks=picks, best=best, basis="predictions")
    if best is None:
        return replace(base, basis=None, refused="no epoch has an R²")
    known = {e: i for i, e in enumerate(predictions.epochs)}
    arrays = _array_forms(base.declared, predictions)
    ties = _audit(predictions, known[best], arrays["max_r2"], 1 - FAMILY_ERROR, seed, resamples, rank=True)
    if ties.refused is not None:
        base = replace(base, basis=None, refused=ties.refused)
    else:
        tied = ties.ties_for_best or ()
        base = replace(
            base,
            indistinguishable=tuple(predictions.epochs[i] for i in tied) or None,
            optimism=ties.optimism,
        )
    if base.saved is None or base.saved not in known:
        return base
    comparisons = _comparisons(base, recomputed, predictions, arrays, seed, resamples)
    # An epoch whose predictions are not all finite is no candidate that more samples could settle.
    return replace(base, comparisons=tuple(c for c in comparisons if c.epoch not in diverged))


def _comparisons(
    base: SelectionAudit,
    recomputed: History,
    predictions: EpochPredictions,
    arrays: dict[str, ArrayPick],
    seed: int,
    resamples: int,
) -> tuple[Comparison, ...]:
    from runreport.selection.audit import Comparison, alternatives

    saved = base.saved
    if saved is None:
        return ()
    known = {epoch: i for i, epoch in enumerate(predictions.epochs)}
    others = alternatives(base.picks, saved)
    tests = sum(len(names) for epoch, names in others.items() if epoch in known)
    made: list[Comparison] = []
    for epoch, names in others.items():
        if epoch not in known:
            made.append(Comparison(policies=names, epoch=epoch, delta_r2=None))
            continue
        if base.basis is None:
            delta = _difference(recomputed.at(epoch, "r2"), recomputed.at(saved, "r2"))
            made.append(Comparison(policies=names, epoch=epoch, delta_r2=delta))
            continue
        for name in names:
            pick = arrays.get(name) or _always(known[epoch])
            result = _audit(predictions, known[saved], pick, 1 - FAMILY_ERROR / tests, seed, resamples, rank=False)
            bounds = None if result.lo is None or result.hi is None else (result.lo, result.hi)
            usable = bounds if bounds is not None and all(map(math.isfinite, bounds)) else None
            made.append(
                Comparison(
                    policies=(name,),
                    epoch=epoch,
                    delta_r2=result.delta_r2,
                    interval=usable,
                    held_out=name in arrays,
                    p_value=result.p_value,
                )
            )
    return tuple(made)


def recomputed_history(predictions: EpochPredictions, logged: History) -> History:
    """Metrics per epoch from finite predictions, with the logged validation loss of the same epochs beside them."""
    columns: dict[str, list[float | None]] = {name: [] for name in RECOMPUTED}
    for row in predictions.y_pred if len(predictions.y_true) else ():
        one = row_moments(predictions.y_true, row)
        metrics = one.metrics(one.total())
        for name in RECOMPUTED:
            value = float(metrics[name])
            columns[name].append(value if math.isfinite(value) else None)
    columns["val_loss"] = [logged.at(epoch, "val_loss") for epoch in predictions.epochs]
    empty: tuple[float | None, ...] = (None,) * len(predictions.epochs)
    return History(epochs=predictions.epochs, columns={k: tuple(v) or empty for k, v in columns.items()})


def usable(predictions: EpochPredictions) -> EpochPredictions:
    """Without the rows whose truth, and the epochs of which any prediction, is not finite.

    An epoch that could not predict some samples is not scored, rather than every other epoch losing those samples.
    """
    rows = np.isfinite(predictions.y_true)
    whole = np.atleast_1d(np.isfinite(predictions.y_pred[:, rows]).all(axis=1))
    if rows.all() and whole.all():
        return predictions
    return replace(
        predictions,
        epochs=tuple(e for e, ok in zip(predictions.epochs, whole, strict=True) if ok),
        y_true=predictions.y_true[rows],
        y_pred=predictions.y_pred[np.ix_(whole, rows)],
        groups=None if predictions.groups is None else predictions.groups[rows],
    )


def _audit(
    predictions: EpochPredictions,
    saved: int,
    pick: ArrayPick,
    level: float,
    seed: int,
    resamples: int,
    *,
    rank: bool,
) -> Resampled:
    return audit_selection(
        predictions.y_true,
        predictions.y_pred,
        saved=saved,
        pick=pick,
        groups=predictions.groups,
        level=level,
        resamples=resamples,
        seed=seed,
        rank=rank,
    )


def _fill(
    picks: tuple[PolicyPick, ...], declared: DeclaredPolicy | None, policies: tuple[Policy, ...], recomputed: History
) -> tuple[PolicyPick, ...]:
    """The log's picks, and where the log did not allow one the pick on the recomputed metrics."""
    found = {p.policy: p for p in picks}
    again = [declared.pick(recomputed)] if declared is not None else []
    again += [p.pick(recomputed) for p in policies]
    kept = []
    for pick in again:
        logged = found.get(pick.policy)
        kept.append(logged if logged is not None and logged.epoch is not None else pick)
    return tuple(kept)


def _highest(history: History) -> int | float | None:
    rows = history.finite("r2")
    return max(rows, key=lambda row: row[1])[0] if rows else None


def _array_forms(declared: DeclaredPolicy | None, predictions: EpochPredictions) -> dict[str, ArrayPick]:
    own = declared if declared is not None and declared.monitor == "r2" and declared.patience is not None else None
    arrays = array_policies(
        predictions.epochs,
        len(predictions.y_true),
        patience=PATIENCE if own is None or own.patience is None else own.patience,
        min_delta=MIN_DELTA if own is None else own.min_delta,
    )
    mine = array_declared(declared) if declared is not None else None
    return arrays if mine is None else {**arrays, "declared": mine}


def _always(index: int) -> ArrayPick:
    def pick(metrics: Metrics) -> Ints:
        return np.full(metrics["r2"].shape[0], index, dtype=np.int64)

    return pick


def _difference(other: float | None, saved: float | None) -> float | None:
    return None if other is None or saved is None else other - saved
