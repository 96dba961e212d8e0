"""What stands in the rows of a log and is of no epoch: NaN for "not logged", where it can be nothing else, and sums of the whole.

A logged NaN is data, and the sign of a run that diverged.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from runreport.ingest.columns import KNOWN, TRAIN_WORDS, VALIDATION_WORDS, plain, usual_name
from runreport.run import Note
from runreport.wording import plural

ENTIRE = ("train_runtime", "train_loss", "train_samples_per_second", "train_steps_per_second", "total_flos")
"""Endings of what Transformers logs once, of the whole training; the first is written there alone."""
LOSSES = ("train_loss", "val_loss")
Columns = dict[str, list[float | None]]
Cleaned = tuple[Columns, list[Note]]
MOSTLY = 0.5
"""Share of the rows from which validation that is NaN and comes back was not done there: weights that are NaN stay so, and a
validation that overflows by chance does so in single rows."""


def without_filler(columns: Columns) -> Cleaned:
    """The columns with None for NaN that fills rows: of the other split (pandas), or without validation (MATLAB)."""
    if not any(v != v for values in columns.values() for v in values):
        return columns, []
    cleaned, notes = _of_the_other_split(columns)
    return (cleaned, notes) if notes else _between_validations(columns)


def _between_validations(columns: Columns) -> Cleaned:
    """NaN in validation between rows of numbers, while the training goes on with numbers: it was not validated there."""
    held = [n for n in columns if plain(n).split("_")[0] in VALIDATION_WORDS and KNOWN.get(plain(n)) is not None]
    trained = [n for n in columns if plain(n).split("_")[0] in TRAIN_WORDS and KNOWN.get(plain(n)) is not None]
    if not held or not trained:
        return columns, []
    rows = {i for name in held for i, v in enumerate(columns[name]) if v is not None and math.isnan(v)}
    length = len(columns[held[0]])
    last = max(
        (i for name in held for i, v in enumerate(columns[name]) if v is not None and math.isfinite(v)), default=-1
    )
    together = all((v := columns[name][i]) is None or math.isnan(v) for name in held for i in rows)
    learning = all((v := columns[name][i]) is not None and math.isfinite(v) for name in trained for i in rows)
    if not rows or not together or not learning or max(rows) > last or len(rows) <= MOSTLY * length:
        return columns, []
    where = plural(len(rows), "row")
    message = (
        f"NaN of validation in {where} was read as not validated: the training goes on there, and numbers come after"
    )
    cleaned = {n: [None if n in held and i in rows else v for i, v in enumerate(vs)] for n, vs in columns.items()}
    return cleaned, [Note(code="derived", message=message)]


def _of_the_other_split(columns: Columns) -> Cleaned:
    """NaN as absence, where it can be nothing else: groups of columns of which each row has numbers in one alone.

    pandas fills rows of training with NaN under the columns of evaluation, and the other way round. A run that diverged
    has them in both at once.
    """
    filled: dict[frozenset[int], list[str]] = {}
    for name, values in columns.items():
        logged = frozenset(i for i, v in enumerate(values) if v is not None and not math.isnan(v))
        if len(logged) < len(values) and KNOWN.get(plain(name)) != "epoch":
            filled.setdefault(logged, []).append(name)
    groups = list(filled)
    apart = sum(map(len, groups)) == len(frozenset().union(*groups))
    if len(groups) < 2 or not all(groups) or not apart:
        return columns, []
    names = {name for of_group in filled.values() for name in of_group}
    if not any(v is not None and math.isnan(v) for name in names for v in columns[name]):
        return columns, []
    message = "NaN in rows of the other split was read as not logged: no row has figures of both"
    cleaned = {
        name: [None if v is None or (name in names and math.isnan(v)) else v for v in values]
        for name, values in columns.items()
    }
    return cleaned, [Note(code="derived", message=message)]


def without_sums_of_the_whole(columns: Mapping[str, Sequence[float | None]]) -> tuple[Columns, list[int], list[Note]]:
    """The columns without figures that sum up the training, the rows that stay, and what is said.

    Transformers ends its log with a row of ``train_runtime``, whose ``train_loss`` is the mean over all steps, while the loss
    of each is called ``loss``. A store may have put the last evaluation into the same row.
    """
    length = max(map(len, columns.values()), default=0)
    same = {name: list(values) for name, values in columns.items()}
    rows = {i for n, vs in columns.items() if plain(n).endswith(ENTIRE[0]) for i, v in enumerate(vs) if v is not None}
    sums = [
        name for name, values in columns.items()
        if plain(name).endswith(ENTIRE) and all(v is None or i in rows for i, v in enumerate(values))
    ]  # fmt: skip
    left = {name: values for name, values in same.items() if name not in sums}
    figures = [values for name, values in left.items() if KNOWN.get(plain(name)) != "epoch"]
    kept = [i for i in range(length) if i not in rows or any(values[i] is not None for values in figures)]
    if not rows or not kept or not any(KNOWN.get(usual_name(name)) in LOSSES for name in left):
        return same, list(range(length)), []
    message = f"{', '.join(sums[:5])} left out: of the whole training, of no epoch"
    return {n: [vs[i] for i in kept] for n, vs in left.items()}, kept, [Note(code="unused", message=message)]
