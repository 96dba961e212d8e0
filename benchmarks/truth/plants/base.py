"""What a plant is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.truth.dynamics import Plan
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.world import World

Change = Callable[[np.random.Generator, World, Plan], Plan]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A change to a plan, with a severity drawn from a broad distribution at each call.

    stage
        What it touches: two plants on one stage are never put into one run. ``record`` plants touch the log only.
    needs_groups
        Whether it only makes sense where rows come in groups.
    rho
        Least ceiling (as correlation) of a task in which the fault can matter at all.
    """

    name: str
    fault: Fault
    stage: str
    change: Change
    needs_groups: bool = False
    rho: float = 0.4


def log_uniform(rng: np.random.Generator, low: float, high: float) -> float:
    """A draw that is uniform in its logarithm."""
    return float(np.exp(rng.uniform(np.log(low), np.log(high))))


def epoch_in(rng: np.random.Generator, plan: Plan, low: float, high: float) -> int:
    """An epoch between two shares of the run, from 2."""
    return int(np.clip(round(rng.uniform(low, high) * plan.epochs), 2, plan.epochs))
