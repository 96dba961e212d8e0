"""The rows of a log on its axis: epochs told by steps, runs told apart, one row an epoch."""

from __future__ import annotations

import math
import operator
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from itertools import pairwise

from runreport.history import History
from runreport.ingest.columns import plain
from runreport.run import Note
from runreport.wording import plural

STEPS = ("step", "global_step", "iteration", "iter")
"""Columns that number the optimizer's steps, which many loggers write beside the epoch."""
FEWEST_OF_A_COURSE = 3
BATCHES = ("batch", "batch_idx", "batch_index", "batch_id", "minibatch", "mini_batch")
"""Columns that number the batches of an epoch."""
Columns = Mapping[str, Sequence[float | None]]


def with_epochs_of_steps(
    epochs: Sequence[float | None], steps: Sequence[float | None] | None
) -> tuple[Sequence[float | None], list[Note]]:
    """The epochs, those of rows without one told by their step: of the first row at that step or after it that has both.

    Lightning's monitor of the learning rate logs a step and no epoch.

    >>> with_epochs_of_steps([None, 0, None, 1], [9, 19, 29, 39])[0]
    [0, 0, 1, 1]
    """
    lacking = sum(epoch is None for epoch in epochs)
    if not lacking or steps is None:
        return epochs, []
    both = ((s, e) for s, e in zip(steps, epochs, strict=True) if s is not None and e is not None)
    known = sorted(pair for pair in both if all(map(math.isfinite, pair)))
    # Only where the epochs follow the steps does a step tell the epoch.
    if not known or any(b[1] < a[1] for a, b in pairwise(known)):
        return epochs, []
    found: list[float | None] = []
    for step, epoch in zip(steps, epochs, strict=True):
        if epoch is None and step is not None and math.isfinite(step):
            at = min(bisect_left(known, (step, -math.inf)), len(known) - 1)
            found.append(known[at][1])
        else:
            found.append(epoch)
    message = f"the epoch of {plural(lacking, 'row')} without one was told by the step"
    return found, [Note(code="derived", message=message)]


def axis_of_a_constant_epoch(
    epochs: Sequence[float], steps: Sequence[float | None] | None, measured: Sequence[Sequence[float | None]]
) -> tuple[list[float], str] | None:
    """Another axis for rows that all bear one epoch, and what it counts; None where the epoch tells rows apart or they are few.

    The steps where each row has one and they never fall, else the rows in their order. Two rows of one epoch are what loggers
    write of training and of validation; three values of one figure are a course that the epoch does not count.

    >>> axis_of_a_constant_epoch([0, 0, 0], [10, 20, 30], [[3.0, 2.0, 1.0]])
    ([10, 20, 30], 'by their steps')
    """
    if len(set(epochs)) != 1 or all(
        len({v for v in values if v is not None}) < FEWEST_OF_A_COURSE for values in measured
    ):
        return None
    known = [s for s in steps or () if s is not None and math.isfinite(s)]
    if len(known) == len(epochs) and len(set(known)) > 1 and all(b >= a for a, b in pairwise(known)):
        return known, "by their steps"
    return [float(i) for i in range(1, len(epochs) + 1)], "from 1"


def split_restarts(epochs: list[float]) -> list[tuple[int, int]]:
    """Row ranges of the runs in one file: a jump back to the first epoch (or before it) starts another run.

    A jump back to a later epoch is a resume of the same run, and is handled as duplicate epochs. Where no epoch comes
    twice the rows are of one run in another order (newest first), whatever jumps they make.

    >>> split_restarts([1, 2, 3, 1, 2]), split_restarts([1, 2, 3, 2, 3, 4]), split_restarts([3, 2, 1])
    ([(0, 3), (3, 5)], [(0, 6)], [(0, 3)])
    """
    if len(set(epochs)) == len(epochs):
        return [(0, len(epochs))]
    starts = [0]
    for i in range(1, len(epochs)):
        if epochs[i] < epochs[i - 1] and epochs[i] <= epochs[starts[-1]]:
            starts.append(i)
    return list(zip(starts, [*starts[1:], len(epochs)], strict=True))


def one_row_an_epoch(epochs: Sequence[float], columns: Columns, measured: Sequence[str]) -> tuple[History, list[Note]]:
    """One row an epoch: rows that complement each other are merged, exact repeats dropped, contradictions noted.

    Only ``measured`` columns can contradict: a clock beside them differs in every row and means nothing by it. Rows of
    one epoch that a step column tells apart are no contradiction either: they were logged within the epoch.
    """
    if all(map(operator.lt, epochs, epochs[1:])):  # in order and each once, as in most logs
        columns_as_logged = {name: tuple(values) for name, values in columns.items()}
        return History(epochs=tuple([int(e) if e.is_integer() else e for e in epochs]), columns=columns_as_logged), []
    rows_of: dict[float, list[int]] = {}
    for row, epoch in enumerate(epochs):
        rows_of.setdefault(epoch, []).append(row)
    order = sorted(rows_of)
    if len(rows_of) == len(epochs):  # nothing to merge
        rows = [rows_of[epoch][0] for epoch in order]
        merged = {name: tuple([values[row] for row in rows]) for name, values in columns.items()}
    else:
        merged = {n: tuple(_last_logged(values, rows_of[e]) for e in order) for n, values in columns.items()}
    history = History(epochs=tuple(_whole(e) for e in order), columns=merged)
    if len(rows_of) == len(epochs):
        unsorted = Note(code="derived", message="the rows were not in epoch order and have been sorted")
        return history, [unsorted] if list(epochs) != sorted(epochs) else []
    contradictory = [e for e, rows in rows_of.items() if any(_differ(columns[name], rows) for name in measured)]
    backward = next((b for a, b in pairwise(epochs) if b < a), None)
    if backward is not None:
        plus = "" if not contradictory else f"; {plural(len(contradictory), 'epoch')} logged twice, the later kept"
        message = f"the run was resumed at epoch {backward:g}{plus}"
        return history, [Note(code="log.restarts", message=message, epoch=backward)]
    if not contradictory:
        return history, []
    shown = ", ".join(f"{e:g}" for e in contradictory[:5]) + (", ..." if len(contradictory) > 5 else "")
    count = plural(len(contradictory), "epoch")
    if all(_told_apart(columns, rows_of[e]) for e in contradictory):
        message = f"{count} ({shown}) logged at several steps each; the last value of each column was kept"
        return history, [Note(code="merged", message=message)]
    message = f"{count} logged more than once with other values ({shown}); the last row of each was kept"
    return history, [Note(code="log.duplicate-epochs", message=message, epoch=contradictory[0])]


def _last_logged(values: Sequence[float | None], rows: Sequence[int]) -> float | None:
    """The last value that any of these rows logged."""
    return next((v for row in reversed(rows) if (v := values[row]) is not None), None)


def _differ(values: Sequence[float | None], rows: Sequence[int]) -> bool:
    """Whether these rows logged two values of one column; NaN is one value."""
    return len({"nan" if math.isnan(v) else v for row in rows if (v := values[row]) is not None}) > 1


def _told_apart(columns: Columns, rows: Sequence[int]) -> bool:
    """Whether a step column has another value in each of these rows, but for rows that complement each other."""
    steps = next((values for name, values in columns.items() if plain(name) in (*STEPS, *BATCHES)), None)
    return steps is not None and len({steps[row] for row in rows}) > 1


def _whole(epoch: float) -> int | float:
    return int(epoch) if epoch.is_integer() else epoch
