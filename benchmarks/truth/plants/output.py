"""Faults of the predictions: mean, units, bounds, spread."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.truth.dynamics import Plan
from benchmarks.truth.plants.base import Plant, epoch_in, log_uniform
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.world import World

Rng = np.random.Generator


def sign(rng: Rng) -> float:
    """Up or down."""
    return 1.0 if rng.random() < 0.5 else -1.0


def constant_offset(rng: Rng, _: World, plan: Plan) -> Plan:
    """An output bias that is not trained: the same offset at every epoch."""
    return replace(plan, offset=plan.offset + sign(rng) * log_uniform(rng, 0.15, 2))


def drifting_offset(rng: Rng, _: World, plan: Plan) -> Plan:
    """The mean drifts away (running statistics that do not follow); the last state was kept."""
    onset = epoch_in(rng, plan, 0.1, 0.7)
    later = np.clip(np.arange(plan.epochs) - (onset - 1), 0, None) / max(plan.epochs - onset, 1)
    drift = sign(rng) * log_uniform(rng, 0.3, 3) * later
    return replace(plan, offset=plan.offset + drift, onset=onset, forced_pick=1.0, patience=None)


def mean_moved(rng: Rng, _: World, plan: Plan) -> Plan:
    """Validation and test rows come from another season than the training rows: their mean is elsewhere."""
    return replace(plan, eval_shift=sign(rng) * log_uniform(rng, 0.15, 2))


def group_moved(rng: Rng, _: World, plan: Plan) -> Plan:
    """One in two to five groups has an offset of its own: a sensor that was mounted differently."""
    share = 1 / int(rng.integers(2, 6))
    return replace(plan, group_offset=sign(rng) * log_uniform(rng, 0.3, 3), group_share=share)


def standard_units(_: Rng, world: World, plan: Plan) -> Plan:
    """Trained on the standardised target, never transformed back."""
    return replace(plan, unit_scale=1 / world.std, unit_shift=-world.mean / world.std)


def other_units(rng: Rng, _: World, plan: Plan) -> Plan:
    """Trained in another unit: metres for kilometres, percent for shares, inches for centimetres."""
    return replace(plan, unit_scale=float(rng.choice([1e-3, 1e-2, 0.1, 0.3937, 2.54, 10, 100, 1000])))


def clipped(rng: Rng, _: World, plan: Plan) -> Plan:
    """A bound on the output that lies inside what the model has to say: one side, or both."""
    cut = float(rng.uniform(-0.6, 0.7))
    both = rng.random() < 0.3
    low = -cut if both and cut > 0.05 else -50.0
    bounds = (low, cut) if rng.random() < 0.5 else (-cut, -low)
    return replace(plan, bounds=bounds)


def squashed(rng: Rng, _: World, plan: Plan) -> Plan:
    """A saturating output unit whose range is too small for the target."""
    return replace(plan, squash=log_uniform(rng, 0.8, 4))


def heavy_penalty(rng: Rng, world: World, plan: Plan) -> Plan:
    """The source's spread penalty, (1 - σp²/σt²)², at a weight of 0.3 to 30 times the variance of the target."""
    return replace(plan, penalty=log_uniform(rng, 0.3, 30) * world.std**2)


def stretched(rng: Rng, _: World, plan: Plan) -> Plan:
    """Predictions multiplied about their mean by 1.3 to 4 (a head scaled after training, noise-matched post-processing)."""
    return replace(plan, spread=plan.spread * log_uniform(rng, 1.3, 4))


def shrunk(rng: Rng, _: World, plan: Plan) -> Plan:
    """Weight decay on the head alone: predictions are a twentieth to three quarters as wide as they should be."""
    return replace(plan, spread=plan.spread * log_uniform(rng, 0.05, 0.75))


def flipped(_: Rng, __: World, plan: Plan) -> Plan:
    """Two conventions of sign met: what the model knows is told the wrong way round."""
    return replace(plan, kept_signal=-plan.kept_signal)


def collapses(rng: Rng, _: World, plan: Plan) -> Plan:
    """From some epoch on the spread decays to a fraction, and a part of the signal with it; the last state was kept."""
    onset = epoch_in(rng, plan, 0.15, 0.75)
    later = np.clip(np.arange(plan.epochs) - (onset - 1), 0, None)
    pace = rng.uniform(1, max(2.0, plan.epochs / 8))
    floor = log_uniform(rng, 0.01, 0.4)
    kept = float(rng.uniform(0.2, 1.0))
    decay = np.exp(-later / pace)
    return replace(
        plan,
        spread=plan.spread * (floor + (1 - floor) * decay),
        kept_signal=plan.kept_signal * (kept + (1 - kept) * decay),
        onset=onset,
        forced_pick=1.0,
        patience=None,
    )


def collapses_and_returns(rng: Rng, world: World, plan: Plan) -> Plan:
    """The same, with a short recovery on the way down."""
    fallen = collapses(rng, world, plan)
    start = (fallen.onset or 2) + int(rng.integers(4, 9))
    spread = fallen.spread.copy()
    spread[start : start + int(rng.integers(1, 5))] = rng.uniform(0.5, 0.9)
    return replace(fallen, spread=spread)


PLANTS = (
    Plant(name="constant_offset", fault=Fault.BIAS, stage="offset", change=constant_offset),
    Plant(name="drifting_offset", fault=Fault.BIAS, stage="offset", change=drifting_offset),
    Plant(name="mean_moved", fault=Fault.SPLIT_SHIFT, stage="offset", change=mean_moved),
    Plant(name="group_moved", fault=Fault.GROUP_SHIFT, stage="group", change=group_moved, needs_groups=True),
    Plant(name="standard_units", fault=Fault.SCALE, stage="units", change=standard_units),
    Plant(name="other_units", fault=Fault.SCALE, stage="units", change=other_units),
    Plant(name="clipped_output", fault=Fault.CLIPPED, stage="range", change=clipped, rho=0.5),
    Plant(name="squashed_output", fault=Fault.SQUASHED, stage="range", change=squashed, rho=0.6),
    Plant(name="heavy_penalty", fault=Fault.PENALTY, stage="spread", change=heavy_penalty, rho=0.2),
    Plant(name="stretched", fault=Fault.TOO_WIDE, stage="spread", change=stretched, rho=0.3),
    Plant(name="shrunk", fault=Fault.TOO_NARROW, stage="spread", change=shrunk),
    Plant(name="sign_flipped", fault=Fault.SIGN, stage="spread", change=flipped),
    Plant(name="collapse", fault=Fault.COLLAPSE, stage="spread", change=collapses),
    Plant(name="collapse_and_return", fault=Fault.COLLAPSE, stage="spread", change=collapses_and_returns),
)
