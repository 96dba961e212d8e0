"""Faults of the record: the run is sound, what was written about it is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from benchmarks.truth.dynamics import Plan
from benchmarks.truth.plants.base import Plant
from benchmarks.truth.record import Row
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.world import World

Rng = np.random.Generator


def _edit(name: str) -> Callable[[Rng, World, Plan], Plan]:
    """A plan whose log is edited after training; two draws say where and how much."""

    def change(rng: Rng, _: World, plan: Plan) -> Plan:
        return replace(plan, log_edits=(*plan.log_edits, (name, float(rng.random()), float(rng.random()))))

    return change


def apply_edits(rows: list[Row], edits: tuple[tuple[str, float, float], ...]) -> list[Row]:
    """The log as it was written."""
    for name, where, size in edits:
        rows = EDITS[name]([dict(row) for row in rows], where, size)
    return rows


def harm_of_edits(rows: list[Row], written: list[Row], saved: int | None) -> float:
    """How far a reader of the log is misled: the largest error of r2 or of the ratio at the saved epoch, or the share of
    rows that are missing or written again, whichever is more."""
    by_epoch = {row["epoch"]: row for row in written}
    changed = abs(len(written) - len(rows)) / max(len(rows), 1)
    changed = max(changed, sum(1 for row in rows if row["epoch"] not in by_epoch) / max(len(rows), 1))
    true = next((row for row in rows if row["epoch"] == saved), None)
    told = by_epoch.get(saved) if saved is not None else None
    errors = [0.0]
    if true is not None and told is not None:
        for column in ("r2", "variance_ratio"):
            a, b = true[column], told[column]
            errors.append(abs(float(a) - float(b)) if a is not None and b is not None else 0.0)
    return max(changed, *errors)


def lost_rows(rows: list[Row], where: float, size: float) -> list[Row]:
    """Two to ten consecutive epochs were never flushed."""
    count = min(2 + int(size * 9), max(len(rows) - 4, 1))
    start = 1 + int(where * max(len(rows) - count - 2, 1))
    return rows[:start] + rows[start + count :]


def doubled_rows(rows: list[Row], where: float, size: float) -> list[Row]:
    """Some epochs were logged twice, with other values (two processes wrote one file)."""
    out: list[Row] = []
    start = int(where * len(rows) * 0.6)
    stop = start + 2 + int(size * len(rows) * 0.3)
    for index, row in enumerate(rows):
        out.append(row)
        if start <= index < stop:
            again = dict(row)
            for name in ("train_loss", "val_loss"):
                value = again[name]
                again[name] = None if value is None else float(value) * 1.07
            out.append(again)
    return out


def restarted(rows: list[Row], where: float, size: float) -> list[Row]:
    """The job was killed and began anew from epoch 1, appending to the same file."""
    stop = max(3, int((0.2 + 0.5 * where) * len(rows)))
    first: list[Row] = []
    for row in rows[:stop]:
        other = dict(row)
        for name in ("train_loss", "val_loss", "mae", "rmse"):
            value = other[name]
            other[name] = None if value is None else float(value) * (1.02 + 0.1 * size)
        first.append(other)
    return first + rows


def correlation_as_r2(rows: list[Row], where: float, size: float) -> list[Row]:
    """The column r2 holds the squared correlation."""
    del where, size
    return [row | {"r2": None if row["pearson_r"] is None else float(row["pearson_r"]) ** 2} for row in rows]


def training_r2(rows: list[Row], where: float, size: float) -> list[Row]:
    """The column r2 holds the R² of the training rows."""
    del where, size
    return [row | {"r2": row["train_r2"]} for row in rows]


def ratio_of_variances(rows: list[Row], where: float, size: float) -> list[Row]:
    """The column variance_ratio holds σp²/σt²."""
    del where, size
    ratios = [row["variance_ratio"] for row in rows]
    return [row | {"variance_ratio": None if a is None else a**2} for row, a in zip(rows, ratios, strict=True)]


def swapped(rows: list[Row], where: float, size: float) -> list[Row]:
    """Two headers changed places."""
    del size
    one, two = (("r2", "variance_ratio"), ("r2", "pred_std"), ("variance_ratio", "pred_range"))[int(where * 3)]
    return [row | {one: row[two], two: row[one]} for row in rows]


EDITS: dict[str, Callable[[list[Row], float, float], list[Row]]] = {
    "lost_rows": lost_rows,
    "doubled_rows": doubled_rows,
    "restarted": restarted,
    "correlation_as_r2": correlation_as_r2,
    "training_r2": training_r2,
    "ratio_of_variances": ratio_of_variances,
    "swapped_columns": swapped,
}
ROW_EDITS = ("lost_rows", "doubled_rows", "restarted")

PLANTS = tuple(
    Plant(name=name, fault=Fault.LOG_ROWS if name in ROW_EDITS else Fault.LOG_VALUES, stage="log", change=_edit(name))
    for name in EDITS
)
