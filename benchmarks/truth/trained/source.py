"""The trained source: drafts, trained together, judged against their twins, written as cases."""

from __future__ import annotations

import dataclasses
import math
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from benchmarks.truth.case import Case, Split, Truth
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.trained.draft import Draft, healthy_config
from benchmarks.truth.trained.flights import FLIGHTS
from benchmarks.truth.trained.incidental import incidental_faults
from benchmarks.truth.trained.orders import QUICK_CELLS, SEEDS, SPLIT_SEEDS, Cell, Order, cells, orders
from benchmarks.truth.trained.plants import TrainedPlant, few_inputs, noisy_target
from benchmarks.truth.trained.store import Store
from benchmarks.truth.trained.tables import TABLES_OF, dataset_of, grouped
from benchmarks.truth.trained.written import r2_of_test
from benchmarks.truth.verify import HARMFUL, LEAST_SD
from training.ensemble import Trained, train_together
from training.ensemble.artifacts import write_artifacts
from training.ensemble.member import SHARED
from training.places import Places


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """One run of an order, with the runs that it is judged against.

    draft, trained
        The run as drafted and as written.
    without
        Plant -> R² of the run that has all but this plant.
    seed_sd
        Standard deviation (ddof 1) of the test R² over the healthy runs of the cell.
    """

    order: Order
    draft: Draft
    trained: Trained
    twin_r2: float
    without: dict[str, float]
    seed_sd: float


def cases(split: Split, quick: bool, *, part: tuple[int, int] = (0, 1)) -> Iterator[Case]:
    """Every trained run of a split, its artifacts in a folder that lives until the next one is asked for.

    ``part`` = (i, k): the runs of each k-th cell from the i-th on, so that no process trains another's twins.
    """
    for made in made_runs(split, quick, part=part):
        folder = Path(tempfile.mkdtemp(prefix="truth-"))
        try:
            yield case_of(made, split, folder)
        finally:
            shutil.rmtree(folder)


def made_runs(split: Split, quick: bool, *, part: tuple[int, int] = (0, 1), store: Store | None = None) -> list[Made]:
    """The runs of a split, trained; all stacks of one shape at once."""
    torch.set_num_threads(1)
    places = cells(split)
    if quick:
        places = places[: QUICK_CELLS * len(TABLES_OF[split])]
    mine = places[part[0] :: part[1]]
    wanted = [o for o in orders(split) if o.cell in mine]
    starts = {cell.index: _start(cell, split) for cell in mine}
    drafts: dict[str, Draft] = {}
    for cell in mine:
        for seed in range(SEEDS):
            drafts[_twin(cell, seed)] = _seeded(starts[cell.index], seed)
    for order in wanted:
        drafts |= _drafts_of(order, _seeded(starts[order.cell.index], order.seed), split)
    trained = train_all(drafts, store)
    return [_made(order, drafts, trained) for order in wanted]


def train_all(drafts: Mapping[str, Draft], store: Store | None = None) -> dict[str, Trained]:
    """Name -> the run as it is written; runs of one shape in one stack. What ``store`` has is not trained again."""
    known = {name: store.get(draft) for name, draft in drafts.items()} if store is not None else {}
    out = {name: drafts[name].finished(one) for name, one in known.items() if one is not None}
    stacks: dict[tuple[object, ...], list[str]] = {}
    for name, draft in drafts.items():
        if name not in out:
            stacks.setdefault(_shape(draft), []).append(name)
    for names in stacks.values():
        for name, one in zip(names, train_together([drafts[name].member for name in names]), strict=True):
            if store is not None:
                store.put(drafts[name], one)
            out[name] = drafts[name].finished(one)
    return out


def _shape(draft: Draft) -> tuple[object, ...]:
    """What all runs of a stack have in common."""
    sizes = [tuple(samples.frames.shape) for samples in draft.dataset.splits().values()]
    return (*sizes, *(getattr(draft.config, name) for name in SHARED))


def case_of(made: Made, split: Split, folder: Path) -> Case:
    """The case, its artifacts in ``folder``."""
    order = made.order
    name = f"{split}{order.index:04d}"
    rng = np.random.default_rng([SPLIT_SEEDS[split], 2, order.index])
    epochs_kept = bool(rng.random() < 0.5)
    config = dataclasses.replace(made.draft.config, run_name=name)
    member = dataclasses.replace(made.trained.member, config=config)
    trained = dataclasses.replace(made.trained, member=member)
    write_artifacts(trained, Places.of(name, out=folder), epoch_predictions=epochs_kept)
    test = made.draft.dataset.test
    traits = {
        "n": len(test),
        "grouped": len(test.flight_names) > 1,
        "dependent": order.cell.table in FLIGHTS,
        "all_columns": True,
        "epochs_kept": epochs_kept,
        "table": order.cell.table,
        "planted": [plant.name for plant in order.plants],
        "test_r2": round(r2_of_test(made.trained), 4),
        "twin_r2": round(made.twin_r2, 4),
    }
    return Case(name=name, source="trained", split=split, folder=folder / "csv", truth=truth_of(made), traits=traits)


def truth_of(made: Made) -> Truth:
    """What was planted, and whether it did harm."""
    harm = {plant.fault: _harm(made, plant) for plant in made.order.plants}
    limit = HARMFUL * made.seed_sd
    harmful = tuple(fault for fault, value in harm.items() if not math.isfinite(value) or value > limit)
    kind = ("harmless", "single", "double")[len(harmful)] if made.order.plants else made.order.kind
    return Truth(
        faults=harmful,
        harmless=tuple(fault for fault in harm if fault not in harmful),
        incidental=() if harmful else incidental_faults(made.trained, limit),
        harm={fault: round(value, 4) for fault, value in harm.items()},
        seed_sd=made.seed_sd,
        kind=kind,
        plants=_told_plants(made, harmful),
        saved_epoch=made.trained.selected_epoch,
    )


def _told_plants(made: Made, harmful: tuple[Fault, ...]) -> tuple[str, ...]:
    """Of two plants of which one did harm that one alone, by which the run is then counted; else all."""
    told = tuple(plant for plant in made.order.plants if len(harmful) != 1 or plant.fault in harmful)
    return tuple(plant.name for plant in told)


def _harm(made: Made, plant: TrainedPlant) -> float:
    """R² lost to the plant; of a leak, R² that is told and not there."""
    lost = made.without[plant.name] - r2_of_test(made.trained)
    return -lost if plant.fault is Fault.LEAK else lost


def _twin(cell: Cell, seed: int) -> str:
    return f"cell{cell.index}-{seed}"


def _run(order: Order, plants: Sequence[TrainedPlant]) -> str:
    return "+".join([f"run{order.index}", *(plant.name for plant in plants)])


def _start(cell: Cell, split: Split) -> Draft:
    """The healthy draft of a cell."""
    rng = np.random.default_rng([SPLIT_SEEDS[split], 1, cell.index])
    dataset = dataset_of(cell.table, cell.seed)
    config = healthy_config(rng, cell.table, cell.seed, train_rows=len(dataset.train))
    return Draft(config=config, dataset=dataset)


def _seeded(draft: Draft, seed: int) -> Draft:
    return dataclasses.replace(draft, config=dataclasses.replace(draft.config, seed=seed))


def _drafts_of(order: Order, start: Draft, split: Split) -> dict[str, Draft]:
    """The order's own run and, with two plants, the run with each of them alone: the same draws for each plant."""
    in_centres = order.index % 3 == 0 and order.cell.table not in FLIGHTS
    if any(p.needs_groups for p in order.plants) or in_centres:
        start = dataclasses.replace(start, dataset=grouped(start.dataset))
    if order.kind == "limited":
        limit = (few_inputs, noisy_target)[order.index % 2]
        start = limit(np.random.default_rng([SPLIT_SEEDS[split], 3, order.index]), start)
    runs = {_run(order, order.plants): order.plants}
    if len(order.plants) == 2:
        runs |= {_run(order, (plant,)): (plant,) for plant in order.plants}
    out = {}
    for name, plants in runs.items():
        draft = start
        for plant in plants:
            place = order.plants.index(plant)
            draft = plant.change(np.random.default_rng([SPLIT_SEEDS[split], 4, order.index, place]), draft)
        out[name] = draft
    return out


def _made(order: Order, drafts: dict[str, Draft], trained: dict[str, Trained]) -> Made:
    twins = [r2_of_test(trained[_twin(order.cell, seed)]) for seed in range(SEEDS)]
    name, twin = _run(order, order.plants), twins[order.seed]
    without = {order.plants[0].name: twin} if len(order.plants) == 1 else {}
    if len(order.plants) == 2:
        one, two = order.plants
        without = {
            one.name: r2_of_test(trained[_run(order, (two,))]),
            two.name: r2_of_test(trained[_run(order, (one,))]),
        }
    return Made(
        order=order,
        draft=drafts[name],
        trained=trained[name],
        twin_r2=twin,
        without=without,
        seed_sd=max(float(np.std(twins, ddof=1)), LEAST_SD),
    )
