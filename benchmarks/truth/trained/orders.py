"""Which run is made where: cells of a table, a split of it and settings, and the plants in each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.truth.case import Split
from benchmarks.truth.trained.plants import LATER, PLANTS, TrainedPlant, can_be_together
from benchmarks.truth.trained.tables import FLIGHTS_OF, TABLES_OF

SPLIT_SEEDS: dict[Split, int] = {"dev": 3003, "dev2": 3104, "dev3": 3205, "test": 4004}
SEEDS = 6
"""Healthy runs of each cell, by whose spread a plant is judged; a planted run has the seed of one of them."""
CELLS_EACH = 6
"""Splits of each table."""
SINGLE_EACH, DOUBLE, HEALTHY, LIMITED = 4, 46, 20, 22
"""With 24 plants 184 runs a split: a quarter with two faults, a quarter with none."""
FLIGHT_CELLS = 4
"""Seeds of the simulated flights."""
LATER_EACH, LATER_DOUBLE, LATER_HEALTHY, LATER_LIMITED = 4, 14, 8, 8
"""With every plant once on flights, and the later ones on all cells, 66 runs more."""
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
    """The cells of a split: tables in turn, then the flights."""
    names = TABLES_OF[split]
    tables = [names[i % len(names)] for i in range(CELLS_EACH * len(names))] + [FLIGHTS_OF[split]] * FLIGHT_CELLS
    return [Cell(index=i, table=table, seed=SPLIT_SEEDS[split] + i) for i, table in enumerate(tables)]


Wanted = tuple[str, tuple[TrainedPlant, ...]]


def orders(split: Split) -> list[Order]:
    """Every run of a split, in a fixed order; cells in turn, so that each has some of everything."""
    places = cells(split)
    tables, flights = places[:-FLIGHT_CELLS], places[-FLIGHT_CELLS:]
    rng = np.random.default_rng([SPLIT_SEEDS[split], 0])
    wanted: list[Wanted] = [("single", (p,)) for p in PLANTS for _ in range(SINGLE_EACH)]
    wanted += _doubles(rng, PLANTS, DOUBLE) + [("healthy", ())] * HEALTHY + [("limited", ())] * LIMITED
    made = _placed(_shuffled(rng, wanted), tables, start=0)
    rng = np.random.default_rng([SPLIT_SEEDS[split], 6])
    everywhere: list[Wanted] = [("single", (p,)) for _ in range(LATER_EACH) for p in LATER]
    made += _placed(everywhere, places, start=len(made))
    wanted = [("single", (p,)) for p in PLANTS] + _doubles(rng, (*PLANTS, *LATER), LATER_DOUBLE)
    wanted += [("healthy", ())] * LATER_HEALTHY + [("limited", ())] * LATER_LIMITED
    return made + _placed(_shuffled(rng, wanted), flights, start=len(made))


def _doubles(rng: np.random.Generator, plants: Sequence[TrainedPlant], count: int) -> list[Wanted]:
    """Pairs of plants that can be together, drawn evenly."""
    found: list[Wanted] = []
    while len(found) < count:
        one, two = (plants[int(i)] for i in rng.choice(len(plants), 2, replace=False))
        if can_be_together(one, two):
            found.append(("double", (one, two)))
    return found


def _shuffled(rng: np.random.Generator, wanted: Sequence[Wanted]) -> list[Wanted]:
    return [wanted[int(i)] for i in rng.permutation(len(wanted))]


def _placed(wanted: Sequence[Wanted], places: Sequence[Cell], *, start: int) -> list[Order]:
    return [
        Order(index=start + i, kind=kind, plants=plants, cell=places[i % len(places)], seed=i // len(places) % SEEDS)
        for i, (kind, plants) in enumerate(wanted)
    ]
