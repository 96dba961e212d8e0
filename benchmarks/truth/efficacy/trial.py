"""Every run of the trained suite whose advice can be tried: read, changed, trained again."""

from __future__ import annotations

import dataclasses
import multiprocessing
import tempfile
from collections.abc import Mapping
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.truth.case import Split
from benchmarks.truth.efficacy.advised import Advised, advised
from benchmarks.truth.efficacy.arms import ADVICE, ON_SOUND_RUNS, arms_of
from benchmarks.truth.trained.draft import Draft
from benchmarks.truth.trained.orders import SPLIT_SEEDS
from benchmarks.truth.trained.source import Made, case_of, made_runs, train_all, truth_of
from benchmarks.truth.trained.store import Store
from benchmarks.truth.trained.written import r2_of_test

HARMFUL, SOUND = "harmful", "sound"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One run and what came of each arm.

    group
        ``harmful``: one plant, verified harmful, of a kind that settings can mend. ``sound``: nothing harmful in it.
    before, healthy, after
        R² on the test rows of the run, of its healthy twin, and of each arm's run; NaN where predictions are no numbers.
    advice, patch, said_no_change
        What the report advised (see :class:`benchmarks.truth.efficacy.advised.Advised`).
    refused
        Whether the trainer refuses the advised settings.
    """

    name: str
    group: str
    plant: str
    fault: str
    table: str
    before: float
    healthy: float
    seed_sd: float
    advice: str
    said_no_change: bool
    refused: bool = False
    patch: Mapping[str, Any] = field(default_factory=dict)
    after: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Excluded:
    """A harmful single fault that no setting mends, and why."""

    plant: str
    fault: str
    why: str


def tried(split: Split, *, quick: bool, processes: int, store: Path | None) -> tuple[list[Tried], list[Excluded]]:
    """Every run of a split and what came of it; harmful ones that no setting mends apart. In the order of their names."""
    tasks = [(split, quick, (i, processes), store) for i in range(processes)]
    if processes == 1:
        parts = [tried_part(tasks[0])]
    else:
        # Spawned, not forked: polars keeps threads that do not survive a fork.
        with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
            parts = list(pool.map(tried_part, tasks))
    runs = sorted((run for part, _ in parts for run in part), key=lambda run: run.name)
    out = sorted((item for _, part in parts for item in part), key=lambda item: (item.why, item.plant))
    return runs, out


def tried_part(task: tuple[Split, bool, tuple[int, int], Path | None]) -> tuple[list[Tried], list[Excluded]]:
    """The runs of one share of the cells: all that is to be trained again, in one go."""
    split, quick, part, folder = task
    store = Store(folder) if folder is not None else None
    excluded, waiting = [], []
    drafts: dict[str, Draft] = {}
    for made in made_runs(split, quick, part=part, store=store):
        truth = truth_of(made)
        group = _group(made, truth.kind)
        if group is None:
            continue
        plant = made.order.plants[0] if made.order.plants else None
        if group == HARMFUL and plant is not None and plant.beyond_settings is not None:
            excluded.append(Excluded(plant=plant.name, fault=plant.fault.value, why=plant.beyond_settings))
            continue
        said = read(made, split)
        arms = _arms(made, said, split, group)
        row = Tried(
            name=f"{split}{made.order.index:04d}",
            group=group,
            plant=plant.name if plant is not None else made.order.kind,
            fault=plant.fault.value if plant is not None else "none",
            table=made.order.cell.table,
            before=r2_of_test(made.trained),
            healthy=made.twin_r2,
            seed_sd=made.seed_sd,
            advice=said.advice,
            said_no_change=said.said_no_change,
            refused=bool(said.patch) and said.config is None,
            patch=said.patch,
        )
        waiting.append((row, tuple(arms)))
        drafts |= {f"{row.name} {name}": draft for name, draft in arms.items() if draft.config != made.draft.config}
    trained = train_all(drafts, store)
    rows = []
    for row, names in waiting:
        after = {
            name: r2_of_test(trained[key]) if (key := f"{row.name} {name}") in trained else row.before for name in names
        }
        rows.append(dataclasses.replace(row, after=after))
    return rows, excluded


def _group(made: Made, kind: str) -> str | None:
    """Where a run belongs; None for those with two plants, whose gap to the twin is not one fault's."""
    if len(made.order.plants) > 1:
        return None
    return HARMFUL if kind == "single" else SOUND


def read(made: Made, split: Split) -> Advised:
    """What the report says of a run, from the files that it leaves."""
    with tempfile.TemporaryDirectory(prefix="truth-") as folder:
        return advised(case_of(made, split, Path(folder)).folder)


def _arms(made: Made, said: Advised, split: Split, group: str) -> dict[str, Draft]:
    """Arm -> the run to train, on the run's own data and with whatever is done to its predictions."""
    rng = np.random.default_rng([SPLIT_SEEDS[split], 5, made.order.index])
    config = made.draft.config
    configs = arms_of(config, said.config, said.possible, rng, train_rows=len(made.draft.dataset.train))
    kept = configs if group == HARMFUL else {name: configs[name] for name in ON_SOUND_RUNS}
    drafts = {name: dataclasses.replace(made.draft, config=changed) for name, changed in kept.items()}
    return {ADVICE: drafts.pop(ADVICE), **drafts}
