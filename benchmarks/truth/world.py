"""Where a simulated run's data come from: a population with a known ceiling, sampled as real data are.

Truth and every prediction are linear in independent standard normal latents, so that the ceiling is known: with
correlation ρ between the learnable signal and the target, no model has R² above ρ².
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

Array = NDArray[np.float64]
FAST, SLOW, NOISE, MEMORY = range(4)
FIELDS = 4
"""Directions in which the weights wander between epochs."""
LATENTS = 4 + FIELDS
MOST_TRAIN = 1500
"""Training rows that are simulated; only their mean loss and R² are logged, which more rows would not change."""
MOST_VAL = 2500
"""Validation rows, for the time that a run takes; the final figures are of up to 5,000 test rows."""
REFERENCE = 60_000
"""Rows that stand for the population: R² is known to 0.006 or better, which is small beside the interval of 5,000 rows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """How rows of one split depend on each other: groups, a share of each latent common to a group, AR(1) within it."""

    groups: int = 0
    shared: float = 0.0
    autocorrelation: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Rows of one split. ``latents`` is (LATENTS, n); ``group`` and ``position`` are n long."""

    latents: Array
    group: NDArray[np.int64]
    position: NDArray[np.int64]

    @property
    def n(self) -> int:
        """Rows."""
        return int(self.latents.shape[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A task: target = mean + std · (ρ · signal + √(1 - ρ²) · noise)."""

    mean: float
    std: float
    rho: float
    fast_share: float
    structure: Structure
    train: Sample
    val: Sample
    test: Sample

    def signal(self, sample: Sample) -> Array:
        """The learnable part, standard normal."""
        fast, slow = sample.latents[FAST], sample.latents[SLOW]
        return np.asarray(np.sqrt(self.fast_share) * fast + np.sqrt(1 - self.fast_share) * slow)

    def truth(self, sample: Sample) -> Array:
        """The target in standard units."""
        return np.asarray(self.rho * self.signal(sample) + np.sqrt(1 - self.rho**2) * sample.latents[NOISE])


def draw_world(rng: np.random.Generator, rho: float, *, grouped: bool | None = None) -> World:
    """A task with ceiling ρ²; sizes from 60 to 5,000 rows, a third of the tasks independent rows, the rest not."""
    n = int(np.exp(rng.uniform(np.log(60), np.log(5000))))
    kind = rng.choice(["iid", "groups", "series"]) if grouped is None else ("groups" if grouped else "iid")
    if kind == "iid":
        structure = Structure()
    else:
        groups = int(rng.integers(7, 31)) if kind == "groups" else 0
        groups = min(groups, n // 6)
        structure = Structure(
            groups=groups,
            shared=float(rng.uniform(0.02, 0.3)) if groups else 0.0,
            autocorrelation=float(rng.uniform(0.3, 0.9)) if kind == "series" or rng.random() < 0.6 else 0.0,
        )
    n_val = int(np.clip(n * rng.uniform(0.6, 1.4), 60, MOST_VAL))
    n_train = int(np.clip(n * rng.uniform(2, 6), 200, MOST_TRAIN))
    return World(
        mean=float(rng.normal(0, 3)),
        std=float(np.exp(rng.normal(0, 0.8))),
        rho=rho,
        fast_share=float(rng.uniform(0.3, 0.8)),
        structure=structure,
        train=draw_sample(rng, n_train, structure),
        val=draw_sample(rng, n_val, structure),
        test=draw_sample(rng, n, structure),
    )


def draw_sample(rng: np.random.Generator, n: int, structure: Structure) -> Sample:
    """Rows with the structure's dependence; every latent is standard normal over the population."""
    count = max(structure.groups, 1)
    cuts = np.sort(rng.choice(np.arange(1, n), size=count - 1, replace=False)) if count > 1 else np.array([], int)
    sizes = np.diff(np.concatenate([[0], cuts, [n]]))
    group = np.repeat(np.arange(count), sizes)
    position = np.concatenate([np.arange(size) for size in sizes])
    within = rng.standard_normal((LATENTS, n))
    phi = structure.autocorrelation
    if phi:
        for start, size in zip(np.concatenate([[0], cuts]).astype(int), sizes, strict=True):
            piece = within[:, start : start + size]
            innovation = piece * np.sqrt(1 - phi**2)
            innovation[:, 0] = piece[:, 0]
            within[:, start : start + size] = lfilter([1.0], [1.0, -phi], innovation, axis=1)
    common = rng.standard_normal((LATENTS, count))[:, group]
    latents = np.sqrt(structure.shared) * common + np.sqrt(1 - structure.shared) * within
    return Sample(latents=latents, group=group, position=position)
