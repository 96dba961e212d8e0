"""What a simulated run leaves behind: a row an epoch, the saved epoch, predictions, and what the model is really worth."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from benchmarks.truth.dynamics import Plan, States, predict, run_states, truth_of
from benchmarks.truth.world import REFERENCE, Array, Sample, Structure, World, draw_sample

Row = dict[str, float | int | None]
POPULATION_SEED = 5
HUBER_DELTA = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One run, trained. ``val_predictions`` is (epochs, n); ``population`` holds r2, variance_ratio, pearson_r, bias."""

    world: World
    plan: Plan
    states: States
    rows: list[Row]
    saved: int | None
    stopped_because: str
    val_truth: Array
    val_predictions: Array
    test_truth: Array
    test_predictions: Array
    population: dict[str, float]


@cache
def reference() -> Sample:
    """The population, as many independent rows; groups are cut so that a share of them can be shifted."""
    sample = draw_sample(np.random.default_rng(POPULATION_SEED), REFERENCE, Structure())
    return replace(sample, group=np.arange(REFERENCE) % 840)


def train(world: World, plan: Plan, seed: int) -> Record:
    """Runs the plan."""
    states = run_states(world, plan, seed)
    val_truth = truth_of(world, plan, world.val)
    val = predict(world, plan, states, world.val)
    fit_truth = truth_of(world, plan, world.train, training=True)
    fit = predict(world, plan, states, world.train, training=True)
    if plan.not_finite_from is not None:
        val[plan.not_finite_from - 1 :] = np.nan
        fit[plan.not_finite_from - 1 :] = np.nan
    rows = [_row(k, plan, states, val_truth, val[k], fit_truth, fit[k]) for k in range(plan.epochs)]
    stop, best, because = _stop(plan, rows)
    rows = rows[:stop]
    saved = best
    if plan.forced_pick is not None and rows:
        saved = _forced(plan.forced_pick, stop, best)
    at = (saved or stop) - 1
    one = _only(states, at)
    test = predict(world, plan, one, world.test)[0]
    return Record(
        world=world,
        plan=plan,
        states=states,
        rows=rows,
        saved=saved,
        stopped_because=because,
        val_truth=val_truth,
        val_predictions=val[:stop],
        test_truth=truth_of(world, plan, world.test),
        test_predictions=test,
        population=population_of(world, plan, one),
    )


def population_of(world: World, plan: Plan, one: States) -> dict[str, float]:
    """Figures of one epoch's model on the population, leaks removed: what it would do on rows it never met."""
    clean = replace(plan, leak_rows=0.0, leak_target=0.0)
    truth = truth_of(world, clean, reference())
    return figures(truth, predict(world, clean, one, reference())[0])


CURVE_ROWS = 4000
"""Rows that rank the epochs of one run: the same rows for all, so that differences are known far better than values."""


def population_r2_of_epochs(record: Record) -> Array:
    """R² of every trained epoch on the first rows of the population; -inf where the weights were NaN."""
    world, plan, stop = record.world, record.plan, len(record.rows)
    whole = reference()
    part = Sample(
        latents=whole.latents[:, :CURVE_ROWS], group=whole.group[:CURVE_ROWS], position=whole.position[:CURVE_ROWS]
    )
    clean = replace(plan, leak_rows=0.0, leak_target=0.0)
    truth = truth_of(world, clean, part)
    predicted = predict(world, clean, record.states, part)[:stop]
    r2 = 1 - ((predicted - truth) ** 2).mean(axis=1) / truth.var()
    if plan.not_finite_from is not None:
        r2[plan.not_finite_from - 1 :] = -np.inf
    return np.asarray(r2)


def figures(truth: Array, predicted: Array) -> dict[str, float]:
    """R², std ratio, correlation and bias, by their definitions (ddof 0)."""
    spread = float(predicted.std())
    r = float(np.corrcoef(truth, predicted)[0, 1]) if spread > 0 else float("nan")
    return {
        "r2": float(1 - ((truth - predicted) ** 2).mean() / truth.var()),
        "variance_ratio": float(spread / truth.std()),
        "pearson_r": r,
        "bias": float((predicted.mean() - truth.mean()) / truth.std()),
    }


def loss_of(plan: Plan, truth: Array, predicted: Array) -> float:
    """The run's own base loss."""
    error = truth - predicted
    if plan.asymmetry != 0.5:
        return float(np.maximum(plan.asymmetry * error, (plan.asymmetry - 1) * error).mean())
    if plan.loss == "huber":
        size = np.abs(error)
        return float(np.where(size <= HUBER_DELTA, 0.5 * error**2, HUBER_DELTA * (size - 0.5 * HUBER_DELTA)).mean())
    return float((error**2).mean())


def _row(k: int, plan: Plan, states: States, truth: Array, val: Array, fit_truth: Array, fit: Array) -> Row:
    got, trained = figures(truth, val), figures(fit_truth, fit)
    base, fit_base = loss_of(plan, truth, val), loss_of(plan, fit_truth, fit)
    penalty = (1 - got["variance_ratio"] ** 2) ** 2
    fit_penalty = (1 - trained["variance_ratio"] ** 2) ** 2
    wander = float(np.abs(states.wander[k]).sum())
    gradient = (0.05 + wander + abs(float(states.offset[k]))) * float(np.sqrt(max(fit_base, 1e-9)))
    return {
        "epoch": k + 1,
        "train_loss": fit_base + plan.penalty * fit_penalty,
        "val_loss": base + plan.penalty * penalty,
        "r2": got["r2"],
        "variance_ratio": got["variance_ratio"],
        "pred_std": float(val.std()),
        "pred_range": float(np.ptp(val)),
        "learning_rate": plan.peak_rate * float(plan.rate[k]),
        "pearson_r": got["pearson_r"],
        "pred_mean": float(val.mean()),
        "true_mean": float(truth.mean()),
        "true_std": float(truth.std()),
        "mae": float(np.abs(truth - val).mean()),
        "rmse": float(np.sqrt(((truth - val) ** 2).mean())),
        "base_loss": base,
        "penalty_loss": penalty if plan.penalty else None,
        "variance_lambda": plan.penalty,
        "grad_norm_total": gradient,
        "train_r2": trained["r2"],
        "train_variance_ratio": trained["variance_ratio"],
        "train_pearson_r": trained["pearson_r"],
        "train_pred_mean": float(fit.mean()),
    }


def _stop(plan: Plan, rows: list[Row]) -> tuple[int, int | None, str]:
    """(epochs trained, epoch of the monitor's best, why it stopped); patience counts epochs without a better value."""
    best: float | None = None
    pick: int | None = None
    for row in rows:
        value = monitored(plan.monitor, row)
        epoch = int(row["epoch"] or 0)
        if np.isfinite(value) and (best is None or value > best):
            best, pick = value, epoch
        if plan.patience is not None and epoch - (pick or 0) >= plan.patience:
            return epoch, pick, "patience"
    return len(rows), pick, "max_epochs"


def monitored(monitor: str, row: Row) -> float:
    """The monitor's value, larger is better."""

    def value(name: str) -> float:
        cell = row[name]
        return float("nan") if cell is None else float(cell)

    if monitor == "composite":  # the source page's own: R² + 2 (ratio - 0.7)
        return value("r2") + 2 * (value("variance_ratio") - 0.7)
    if monitor in ("val_loss", "train_loss"):
        return -value(monitor)
    return value(monitor)


def _forced(pick: float, stop: int, best: int | None) -> int:
    """The epoch that was saved against the monitor: a share of the run, 1 the last."""
    wanted = max(1, min(stop, round(pick * stop)))
    return wanted if wanted != best or pick == 1.0 else max(1, wanted - 1)


def _only(states: States, k: int) -> States:
    cut = slice(k, k + 1)
    return States(
        fast=states.fast[cut],
        slow=states.slow[cut],
        memorised=states.memorised[cut],
        offset=states.offset[cut],
        spread=states.spread[cut],
        wander=states.wander[cut],
    )
