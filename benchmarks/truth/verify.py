"""Whether a plant did harm: the planted run beside its unplanted twin, on the population."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from benchmarks.truth.dynamics import Plan
from benchmarks.truth.plants.base import Plant
from benchmarks.truth.plants.log import apply_edits, harm_of_edits
from benchmarks.truth.record import Record, train
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.world import World

SEEDS = 5
"""Twins by which the spread between seeds is estimated: the common number of seeds in the field."""
HARMFUL = 2.0
"""A plant is harmful where it costs more R² than this many standard deviations between seeds (the suite's definition)."""
LEAST_SD = 0.005
"""Floor of that standard deviation: five twins that all find the ceiling would make any plant harmful."""


class Harm(NamedTuple):
    """What one plant did."""

    value: float
    harmful: bool


def seed_sd(world: World, plan: Plan, seed: int) -> float:
    """Standard deviation (ddof 1) of the population R² of the saved epoch over seeds of the unplanted run."""
    values = [train(world, plan, seed + 1000 * i).population["r2"] for i in range(1, SEEDS + 1)]
    return max(float(np.std(values, ddof=1)), LEAST_SD)


def harm_of(plant: Plant, without: Record, planted: Record, sd: float) -> Harm:
    """What this plant did to a run that is otherwise the same."""
    if plant.stage == "log":
        written = apply_edits(planted.rows, planted.plan.log_edits)
        value = harm_of_edits(planted.rows, written, planted.saved)
        return Harm(value, value > (HARMFUL * sd if plant.fault is Fault.LOG_VALUES else 0.0))
    if plant.fault is Fault.LEAK:
        # The model is as good as it was; what its own test rows say is not true.
        told = 1 - ((planted.test_predictions - planted.test_truth) ** 2).mean() / planted.test_truth.var()
        unleaked = replace(planted.plan, leak_rows=0.0, leak_target=0.0)
        honest = train(planted.world, unleaked, 0)
        fair = 1 - ((honest.test_predictions - honest.test_truth) ** 2).mean() / honest.test_truth.var()
        return Harm(float(told - fair), bool(told - fair > HARMFUL * sd))
    value = without.population["r2"] - planted.population["r2"]
    return Harm(float(value), bool(not np.isfinite(value) or value > HARMFUL * sd))
