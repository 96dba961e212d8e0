"""Which run is made where: cells of a table, a split of it and settings, and the plants in each."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from benchmarks.truth.case import Split
from benchmarks.truth.trained.plants import PLANTS, TrainedPlant, can_be_together
from benchmarks.truth.trained.tables import TABLES_OF

SPLIT_SEEDS: dict[Split, int] = {"dev": 3003, "test": 4004}
SEEDS = 6
"""Healthy runs of each cell, by whose spread a plant is judged; a planted run has the seed of one of them."""
CELLS_EACH = 6
"""Splits of each table."""
SINGLE_EACH, DOUBLE, HEALTHY, LIMITED = 4, 46, 20, 22
"""With 24 plants 184 runs a split: a quarter with two faults, a quarter with none."""
QUICK_CELLS = 1
"""Cells of each table in the quick subset."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One table, split one way, and the settings that all its runs start from."""

    index: int
    table: str
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One run to be made."""

    index: int
    kind: str
    cell: Cell
    seed: int
    plants: tuple[TrainedPlant, ...] = ()


def cells(split: Split) -> list[Cell]:
    """The cells of a split, tables in turn."""
    names = TABLES_OF[split]
    return [
        Cell(index=i, table=names[i % len(names)], seed=SPLIT_SEEDS[split] + i) for i in range(CELLS_EACH * len(names))
    ]


def orders(split: Split) -> list[Order]:
    """Every run of a split, in a fixed order; cells in turn, so that each has some of everything."""
    rng = np.random.default_rng([SPLIT_SEEDS[split], 0])
    wanted: list[tuple[str, tuple[TrainedPlant, ...]]] = [("single", (p,)) for p in PLANTS for _ in range(SINGLE_EACH)]
    while len(wanted) < len(PLANTS) * SINGLE_EACH + DOUBLE:
        one, two = (PLANTS[int(i)] for i in rng.choice(len(PLANTS), 2, replace=False))
        if can_be_together(one, two):
            wanted.append(("double", (one, two)))
    wanted += [("healthy", ())] * HEALTHY + [("limited", ())] * LIMITED
    shuffled = [wanted[int(i)] for i in rng.permutation(len(wanted))]
    places = cells(split)
    return [
        Order(index=i, kind=kind, plants=plants, cell=places[i % len(places)], seed=i // len(places) % SEEDS)
        for i, (kind, plants) in enumerate(shuffled)
    ]
