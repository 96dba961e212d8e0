"""Learning-rate faults: the rate enters what is learned (its sum) and how far the weights wander (its size)."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.truth.dynamics import Plan
from benchmarks.truth.plants.base import Plant, epoch_in, log_uniform
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.world import World

Rng = np.random.Generator


def endless_warmup(rng: Rng, _: World, plan: Plan) -> Plan:
    """A warm-up given in the wrong unit: 1.2 to 20 times as long as the run."""
    warm = plan.epochs * log_uniform(rng, 1.2, 20)
    return replace(plan, warmup_epochs=warm, rate=np.arange(1, plan.epochs + 1) / warm)


def too_high(rng: Rng, _: World, plan: Plan) -> Plan:
    """Several to a hundred times what the run bears: it bounces about the optimum and never settles."""
    factor = log_uniform(rng, 4, 100)
    rate = np.maximum(plan.rate, 0.3) * factor
    # Past the stable rate, modes overshoot: signal is learned in part only, whatever the number of steps.
    return replace(
        plan,
        rate=rate,
        configured=float(rate.max()),
        jitter=max(plan.jitter, 0.02),
        kept_signal=plan.kept_signal / (1 + 0.01 * factor),
        speed=plan.speed / factor,
        schedule="constant",
    )


def raised_midway(rng: Rng, _: World, plan: Plan) -> Plan:
    """A scheduler restarted by mistake: the rate jumps and stays; no best checkpoint is kept."""
    onset = epoch_in(rng, plan, 0.3, 0.8)
    factor = log_uniform(rng, 5, 60)
    rate = plan.rate.copy()
    rate[onset - 1 :] = factor
    memory = plan.memory / factor
    return replace(
        plan, rate=rate, memory=memory, jitter=max(plan.jitter, 0.02), onset=onset, forced_pick=1.0, patience=None
    )


def never_decayed(rng: Rng, _: World, plan: Plan) -> Plan:
    """The rate stays at two to eight times the level at which the run would settle; the last epoch is kept."""
    level = log_uniform(rng, 2, 8)
    return replace(
        plan,
        rate=np.full(plan.epochs, level),
        configured=level,
        speed=plan.speed / level,
        jitter=max(plan.jitter, 0.03),
        forced_pick=1.0,
        patience=None,
        schedule="constant",
    )


def too_low(rng: Rng, _: World, plan: Plan) -> Plan:
    """A tenth to a thousandth of what the run needs."""
    factor = log_uniform(rng, 1e-3, 0.1)
    return replace(plan, rate=plan.rate * factor, configured=plan.configured * factor, patience=None)


def decayed_at_once(rng: Rng, _: World, plan: Plan) -> Plan:
    """A plateau scheduler without patience: the rate falls by a constant factor each epoch, from the second on."""
    factor = float(rng.uniform(0.3, 0.75))
    rate = factor ** np.arange(plan.epochs, dtype=float)
    return replace(plan, rate=np.maximum(rate, 1e-6), configured=1.0, patience=None, schedule="exponential")


def frozen(rng: Rng, _: World, plan: Plan) -> Plan:
    """The rate drops to nothing a few epochs in: the wrong parameter group was scheduled."""
    at = epoch_in(rng, plan, 0.02, 0.15)
    rate = plan.rate.copy()
    rate[at:] = 1e-9
    return replace(plan, rate=rate, onset=at + 1, patience=None, schedule="step")


PLANTS = (
    Plant(name="endless_warmup", fault=Fault.WARMUP_UNFINISHED, stage="rate", change=endless_warmup),
    Plant(name="rate_too_high", fault=Fault.RATE_HIGH, stage="rate", change=too_high),
    Plant(name="rate_raised_midway", fault=Fault.RATE_HIGH, stage="rate", change=raised_midway),
    Plant(name="rate_never_decayed", fault=Fault.RATE_HIGH, stage="rate", change=never_decayed),
    Plant(name="rate_too_low", fault=Fault.RATE_LOW, stage="rate", change=too_low),
    Plant(name="rate_decayed_at_once", fault=Fault.RATE_LOW, stage="rate", change=decayed_at_once),
    Plant(name="rate_frozen", fault=Fault.RATE_LOW, stage="rate", change=frozen),
)
