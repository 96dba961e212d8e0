"""Faults of the data: nothing to learn, or evaluation rows that were no test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from benchmarks.truth.dynamics import Plan
from benchmarks.truth.plants.base import Plant
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.world import World

Rng = np.random.Generator


def inputs_cut_off(rng: Rng, _: World, plan: Plan) -> Plan:
    """Inputs joined to the wrong rows: nothing about the target is left in them."""
    return replace(plan, signal_cut=True, memory=plan.memory * float(rng.uniform(0.5, 4)))


def target_among_inputs(rng: Rng, _: World, plan: Plan) -> Plan:
    """A column that was computed from the target: most of the answer is in the question."""
    return replace(plan, leak_target=float(rng.uniform(0.7, 1.0)))


def rows_shared(rng: Rng, _: World, plan: Plan) -> Plan:
    """A third to all of the evaluation rows were trained on, by a model that memorises; half of the runs counted them."""
    return replace(
        plan,
        leak_rows=float(rng.uniform(0.3, 1.0)),
        memory=float(rng.uniform(0.08, 0.5)),
        echo=float(rng.uniform(0.6, 1.1)),
        leak_counted=bool(rng.random() < 0.5),
        patience=None,
    )


PLANTS = (
    Plant(name="inputs_cut_off", fault=Fault.NO_SIGNAL, stage="data", change=inputs_cut_off),
    Plant(name="target_among_inputs", fault=Fault.LEAK, stage="data", change=target_among_inputs),
    Plant(name="rows_shared", fault=Fault.LEAK, stage="data", change=rows_shared),
)
