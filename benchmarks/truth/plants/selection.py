"""Faults of which epoch was kept, and when training ended."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.truth.dynamics import Plan
from benchmarks.truth.plants.base import Plant, log_uniform
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.world import World

Rng = np.random.Generator


def overfits(rng: Rng, _: World, plan: Plan) -> Plan:
    """Little data, trained far past the best epoch; the last one was kept."""
    return replace(
        plan,
        memory=log_uniform(rng, 0.05, 0.5),
        echo=float(rng.uniform(0.6, 1.2)),
        forced_pick=1.0,
        patience=None,
    )


def stopped_early(rng: Rng, _: World, plan: Plan) -> Plan:
    """A patience of one to three epochs on a slow and noisy curve."""
    factor = float(rng.uniform(0.05, 0.4))
    return replace(
        plan,
        epochs=plan.epochs,
        speed=plan.speed * factor * 2,
        jitter=plan.jitter + float(rng.uniform(0.05, 0.3)),
        patience=int(rng.integers(1, 4)),
    )


def other_epoch_saved(rng: Rng, _: World, plan: Plan) -> Plan:
    """The checkpoint file holds another epoch than the monitor's best: an early one (a stale file, an index off)."""
    return replace(plan, forced_pick=float(rng.uniform(0.01, 0.3)), speed=plan.speed * float(rng.uniform(0.3, 1)))


def composite_monitor(rng: Rng, _: World, plan: Plan) -> Plan:
    """Epochs chosen by R² + 2 (ratio - 0.7), or by the ratio alone: wide and noisy ones win."""
    monitor = "composite" if rng.random() < 0.5 else "variance_ratio"
    memory = log_uniform(rng, 0.02, 0.3)
    return replace(plan, monitor=monitor, memory=memory, echo=1.0, jitter=plan.jitter + float(rng.uniform(0, 0.3)))


def training_monitor(rng: Rng, _: World, plan: Plan) -> Plan:
    """Epochs chosen by the training loss: always one of the last, however far the run has overfitted."""
    memory = log_uniform(rng, 0.05, 0.5)
    return replace(plan, monitor="train_loss", memory=memory, echo=float(rng.uniform(0.6, 1.2)), patience=None)


PLANTS = (
    Plant(name="overfit_last", fault=Fault.OVERFIT, stage="selection", change=overfits),
    Plant(name="stopped_early", fault=Fault.STOPPED_EARLY, stage="selection", change=stopped_early),
    Plant(name="other_epoch_saved", fault=Fault.WRONG_PICK, stage="selection", change=other_epoch_saved),
    Plant(name="composite_monitor", fault=Fault.WRONG_PICK, stage="selection", change=composite_monitor),
    Plant(name="training_monitor", fault=Fault.WRONG_PICK, stage="selection", change=training_monitor),
)
