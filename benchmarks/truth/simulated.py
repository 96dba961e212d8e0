"""The simulated source: which plant goes into which run, and the twin that it is judged against."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from benchmarks.truth.case import Case, Split, Truth
from benchmarks.truth.dynamics import Plan, healthy_plan
from benchmarks.truth.files import write_artifacts
from benchmarks.truth.plants.base import Plant
from benchmarks.truth.plants.registry import PLANTS, can_be_together
from benchmarks.truth.record import Record, population_r2_of_epochs, train
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.verify import Harm, harm_of, seed_sd
from benchmarks.truth.world import World, draw_world

SPLIT_SEEDS: dict[Split, int] = {"dev": 1001, "dev2": 1102, "dev3": 1203, "test": 2002}
"""First part of every seed, so that no draw of one split occurs in the other."""
SINGLE_EACH = 5
"""Runs with each plant alone: 40 plants, 200 runs."""
DOUBLE, HEALTHY, LIMITED, HARMLESS = 100, 65, 25, 10
"""With the single ones 400 runs: a quarter double, a quarter with nothing wrong."""
TRIES = 8
"""Severities drawn until a plant meant to be harmful is; after that the run is labelled with what it is."""
QUICK_EVERY = 7
"""The fixed subset takes each seventh run: prime to SINGLE_EACH, so that every family is met."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One run to be made: its number, its kind and the plants."""

    index: int
    kind: str
    plants: tuple[Plant, ...] = ()


def orders(split: Split) -> list[Order]:
    """Every run of a split, in a fixed order."""
    rng = np.random.default_rng([SPLIT_SEEDS[split], 0])
    wanted: list[tuple[str, tuple[Plant, ...]]] = [("single", (plant,)) for plant in PLANTS for _ in range(SINGLE_EACH)]
    faults = [f.value for f in Fault if any(p.fault is f for p in PLANTS)]
    while len(wanted) < len(PLANTS) * SINGLE_EACH + DOUBLE:
        # Faults, not plants, are drawn evenly: a fault with many plants would fill the doubles.
        one, two = (_of_fault(rng, str(f)) for f in rng.choice(faults, 2, replace=False))
        if can_be_together(one, two):
            wanted.append(("double", (one, two)))
    wanted += [("healthy", ())] * HEALTHY + [("limited", ())] * LIMITED
    mild = [p for p in PLANTS if p.stage in ("rate", "offset", "spread", "range", "selection")]
    wanted += [("harmless", (mild[i % len(mild)],)) for i in range(HARMLESS)]
    return [Order(index=i, kind=kind, plants=plants) for i, (kind, plants) in enumerate(wanted)]


def _of_fault(rng: np.random.Generator, fault: str) -> Plant:
    choices = [p for p in PLANTS if p.fault.value == fault]
    return choices[int(rng.integers(len(choices)))]


def cases(split: Split, quick: bool, *, part: tuple[int, int] = (0, 1)) -> Iterator[Case]:
    """Every simulated run of a split, its artifacts in a temporary folder that lives until the next one is asked for.

    ``part`` = (i, k): each k-th run from the i-th on.
    """
    wanted = [order for order in orders(split) if not (quick and order.index % QUICK_EVERY)]
    for order in wanted[part[0] :: part[1]]:
        with tempfile.TemporaryDirectory(prefix="truth-") as folder:
            yield build(order, split, Path(folder))


def build(order: Order, split: Split, folder: Path) -> Case:
    """Makes one run and writes its artifacts."""
    rng = np.random.default_rng([SPLIT_SEEDS[split], 1, order.index])
    grouped = True if any(p.needs_groups for p in order.plants) else None
    for _ in range(TRIES):
        world = draw_world(rng, _ceiling(rng, order), grouped=grouped)
        plan = healthy_plan(rng, world)
        sd = seed_sd(world, plan, order.index)
        planted = plan
        for plant in order.plants:
            planted = plant.change(rng, world, planted)
        if order.kind == "harmless":
            planted = _softened(plan, planted)
        record, harms = _verified(order, world, plan, planted, sd)
        if all(h.harmful for h in harms) != (order.kind == "harmless") or not order.plants:
            break
    name = f"{split}{order.index:04d}"
    epochs_kept = any(p.stage == "selection" for p in order.plants) or rng.random() < 0.25
    all_columns = bool(rng.random() < 0.7)
    write_artifacts(folder, name, record, all_columns=all_columns, epochs_kept=epochs_kept)
    traits = {
        "n": world.test.n,
        "grouped": world.structure.groups > 0,
        "dependent": world.structure.autocorrelation > 0 or world.structure.groups > 0,
        "all_columns": all_columns,
        "epochs_kept": epochs_kept,
        "ceiling_r2": round(world.rho**2, 4),
    }
    truth = _truth(order, record, harms, sd)
    return Case(name=name, source="simulated", split=split, folder=folder, truth=truth, traits=traits)


def _ceiling(rng: np.random.Generator, order: Order) -> float:
    """ρ of the task: low for limited runs, else anywhere from the least at which the plants can matter."""
    if order.kind == "limited":
        return float(rng.uniform(0.12, 0.4))
    return float(rng.uniform(max([0.45, *(p.rho for p in order.plants)]), 0.97))


def _softened(plan: Plan, planted: Plan) -> Plan:
    """The plant at a hundredth of its size, by straight interpolation of everything that is a number an epoch."""
    if planted.forced_pick is not None or planted.patience != plan.patience:
        planted = replace(planted, forced_pick=None, patience=plan.patience)
    share = 0.01
    return replace(
        plan,
        offset=plan.offset + share * (planted.offset - plan.offset),
        spread=plan.spread + share * (planted.spread - plan.spread),
        rate=plan.rate + share * (planted.rate - plan.rate),
        eval_shift=share * planted.eval_shift,
        penalty=share * share * planted.penalty,
        onset=None,
    )


def _verified(order: Order, world: World, plan: Plan, planted: Plan, sd: float) -> tuple[Record, list[Harm]]:
    """The run, and what each plant did: with two plants, beside the run that has the other one alone."""
    record = train(world, planted, order.index)
    harms = []
    for plant in order.plants:
        others = [p for p in order.plants if p is not plant]
        without = plan
        if others:
            without = _without(plan, planted, plant, others[0])
        harms.append(harm_of(plant, train(world, without, order.index), record, sd))
    return record, harms


STAGE_FIELDS: dict[str, tuple[str, ...]] = {
    "rate": ("rate", "configured", "speed", "schedule", "warmup_epochs", "memory", "jitter", "kept_signal"),
    "weights": ("not_finite_from", "spread", "offset", "thrown"),
    "objective": ("asymmetry", "loss"),
    "offset": ("offset", "eval_shift"),
    "group": ("group_offset", "group_share"),
    "units": ("unit_scale", "unit_shift"),
    "range": ("bounds", "squash"),
    "spread": ("spread", "kept_signal", "penalty"),
    "selection": ("forced_pick", "patience", "monitor", "memory", "echo", "speed", "jitter"),
    "data": ("signal_cut", "leak_target", "leak_rows", "memory", "echo"),
    "log": ("log_edits",),
}
"""What a plant of each stage touches, so that it can be taken back alone."""


def _without(plan: Plan, planted: Plan, plant: Plant, other: Plant) -> Plan:
    """The doubly planted run with one plant taken back."""
    own = [name for name in STAGE_FIELDS[plant.stage] if name not in STAGE_FIELDS[other.stage]]
    return replace(planted, **{name: getattr(plan, name) for name in own})


def _truth(order: Order, record: Record, harms: list[Harm], sd: float) -> Truth:
    harmful = tuple(p.fault for p, h in zip(order.plants, harms, strict=True) if h.harmful)
    harmless = tuple(p.fault for p, h in zip(order.plants, harms, strict=True) if not h.harmful)
    kind = order.kind
    if order.plants:
        kind = ("harmless", "single", "double")[len(harmful)]
    plan = record.plan
    sampled = not (plan.leak_rows or plan.leak_target or plan.group_offset)
    curve = population_r2_of_epochs(record)
    regret = float(curve.max()) - float(curve[(record.saved or len(curve)) - 1])
    return Truth(
        faults=harmful,
        harmless=harmless,
        harm={p.fault: round(h.value, 4) for p, h in zip(order.plants, harms, strict=True)},
        seed_sd=sd,
        kind=kind,
        plants=tuple(p.name for p in order.plants),
        onset=plan.onset if plan.onset and plan.onset <= len(record.rows) else None,
        best_epoch=int(np.argmax(curve)) + 1 if np.isfinite(curve.max()) else None,
        saved_epoch=record.saved,
        saved_regret=float(regret) if np.isfinite(regret) else None,
        population=record.population if sampled and record.saved is not None else {},
    )
