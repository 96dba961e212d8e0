"""Faults of the loss: numbers lost, weights thrown off, an objective that is not what the run is judged by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.truth.dynamics import Plan
from benchmarks.truth.plants.base import Plant, epoch_in, log_uniform
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.world import World

Rng = np.random.Generator


def not_finite(rng: Rng, _: World, plan: Plan) -> Plan:
    """NaN from an epoch on; the best epoch before it was kept, so the later the NaN the less is lost."""
    onset = epoch_in(rng, plan, 0.03, 0.5)
    return replace(plan, not_finite_from=onset, onset=onset, patience=None)


def diverges(rng: Rng, _: World, plan: Plan) -> Plan:
    """Weights grow by a constant factor an epoch from some epoch on; the last state is what was kept."""
    onset = epoch_in(rng, plan, 0.1, 0.7)
    growth = log_uniform(rng, 1.15, 2.5)
    later = np.clip(np.arange(plan.epochs) - (onset - 1), 0, None)
    size = np.minimum(growth**later, 1e4)
    return replace(
        plan,
        spread=plan.spread * size,
        offset=plan.offset + (size - 1) * float(rng.normal(0, 0.5)),
        thrown=plan.thrown + np.where(later > 0, 0.1, 0.0),
        onset=onset,
        forced_pick=1.0,
        patience=None,
    )


def broken_batches(rng: Rng, _: World, plan: Plan) -> Plan:
    """Every few epochs a broken batch throws the weights off; the run recovers within an epoch or two."""
    thrown = plan.thrown.copy()
    hits = rng.choice(np.arange(2, plan.epochs), size=int(rng.integers(2, max(4, plan.epochs // 6))), replace=False)
    for hit in np.append(hits, plan.epochs - 1):
        size = log_uniform(rng, 0.5, 6)
        thrown[hit] += size
        if hit + 1 < plan.epochs:
            thrown[hit + 1] += size * 0.3
    return replace(plan, thrown=thrown, forced_pick=1.0, patience=None)


def asymmetric_loss(rng: Rng, _: World, plan: Plan) -> Plan:
    """Trained on, and saved by, an absolute loss that punishes one sign of error more."""
    side = float(rng.uniform(0.05, 0.3))
    return replace(plan, asymmetry=side if rng.random() < 0.5 else 1 - side, monitor="val_loss", loss="quantile")


PLANTS = (
    Plant(name="nan_weights", fault=Fault.NOT_FINITE, stage="weights", change=not_finite),
    Plant(name="weights_diverge", fault=Fault.DIVERGENCE, stage="weights", change=diverges),
    Plant(name="broken_batches", fault=Fault.LOSS_SPIKES, stage="weights", change=broken_batches),
    Plant(name="asymmetric_loss", fault=Fault.LOSS_MISMATCH, stage="objective", change=asymmetric_loss),
)
