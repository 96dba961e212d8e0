"""A history table → runs with one row an epoch."""

from __future__ import annotations

import math
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from runreport.artifacts.columns import HISTORY_COLUMNS
from runreport.errors import InputError
from runreport.history import History
from runreport.ingest.bare_splits import bare_losses
from runreport.ingest.cells import numbers_where_they_are, seconds
from runreport.ingest.columns import (
    ALIASES,
    SCORES,
    TRAIN_WORDS,
    VALIDATION_WORDS,
    is_percent,
    map_columns,
    plain,
    several_loaders,
)
from runreport.ingest.epochs import (
    STEPS,
    Columns,
    axis_of_a_constant_epoch,
    one_row_an_epoch,
    split_restarts,
    with_epochs_of_steps,
)
from runreport.ingest.filler import without_filler, without_sums_of_the_whole
from runreport.ingest.prediction_columns import ID_LIKE, TRUE_NAMES, prediction_columns
from runreport.ingest.table import LARGEST, MISSING, Table, all_bounded, is_number, numbers, read_table, to_float
from runreport.run import Note

MOST_EPOCHS = 2.0**53
"""Beyond it a float no longer counts by ones; a cell that large in an epoch column is something else."""
MEASURE = re.compile(r"loss|(^|_)r2($|_)|learning|(^|_)lr($|_)")
"""Names that look like a figure the report is about: where they are not recognised, they are named first."""
CLASSIFIER = re.compile(
    r"(^|_)(acc|accuracy|top\d|f1|auc|auroc|auprc|precision|recall|logloss|cross_entropy|map50)($|_)"
)
"""Names of scores that only a classifier (or a detector) has."""
OWN = frozenset(HISTORY_COLUMNS)
CLOCKS = frozenset(
    ("time", "timestamp", "created_at", "date", "datetime", "wall_time", "walltime", "elapsed", "runtime")
)
"""Columns beside the figures that nobody misses in a report."""
DURATIONS = ("epoch_seconds", *ALIASES["epoch_seconds"])
SPLIT_WORDS = frozenset((*TRAIN_WORDS, *VALIDATION_WORDS))
HELD_OUT = ("val_loss", "r2", "mae", "rmse", "mse", "pearson_r", "variance_ratio")
"""Known names of validation."""
LONGEST_EPOCH = 1e8
"""Seconds (three years) beyond which a time is a date."""
FEWEST_FOR_A_CLOCK = 5
"""Epochs from which times that only rise are told from epochs that got slower: five do so by chance once in 120 times."""
INDEXES = frozenset(("", "unnamed_0", "index"))
"""What pandas calls the numbers of the rows, plain."""


HistoryPart = tuple[History, dict[str, str], tuple[Note, ...]]
"""A run of a history file: its rows by epoch, known name -> name in the file, what was done while reading."""


def read_histories(path: Path, given: Mapping[str, str]) -> list[HistoryPart]:
    """The runs of one delimited history file: (history sorted by epoch, known name -> name in the file, notes).

    Raises
    ------
    InputError
        No column that is known, or an epoch that is no number.
    """
    return histories_of_table(read_table(path), given)


def histories_of_table(table: Table, given: Mapping[str, str], *, lenient: bool = False) -> list[HistoryPart]:
    """The runs of a table of text cells; see :func:`read_histories`.

    ``lenient`` reads the few cells of text in a column as not logged, and leaves a column out that is of text; each is said.
    """
    if lenient:
        return _histories_of_others_table(table, given)
    mapped = _mapped(table.path, table.header, given, lambda: _remedy(table.path, table))
    # Columns nobody knows are kept under their own names where they are numbers: rules of other people may want them.
    wanted = [n for n in table.header if n in mapped.values() or _is_numeric(table, n)]
    columns = {name: numbers(table, name) for name in wanted}
    return _histories(Records(table.path, columns, table.header, table.lines, "line", table.notes), mapped)


def _histories_of_others_table(table: Table, given: Mapping[str, str]) -> list[HistoryPart]:
    """As much of the table as is numbers; what is not is left out, and that is said where it bears a known name."""
    columns: dict[str, list[float | None]] = {}
    notes = list(table.notes)
    texts: list[str] = []
    for name in table.header:
        values, said = numbers_where_they_are(table, name) if name else (None, [])
        if values is None and plain(name) in DURATIONS:
            clock = [seconds(cell) if cell else None for cell in table.column(name)]
            values = clock if any(v is not None for v in clock) else None
        if values is None:
            texts.append(name)
        else:
            columns[name] = values
            notes += said
    columns, filled = without_filler(columns)
    columns, kept, summed = without_sums_of_the_whole(columns)
    lines = table.lines if not summed else tuple(table.lines[i] for i in kept)
    notes += [*filled, *summed]
    wrong = next((theirs for theirs in given.values() if theirs in texts), None)
    if wrong is not None:
        shown = next((cell for cell in table.column(wrong) if cell), "")
        raise InputError(table.path, found=f"{shown[:40]!r} in column {wrong!r}", expected="numbers")
    known = map_columns(table.path, [n for n in texts if n], {}) if texts else {}
    lost = [theirs for name, theirs in known.items() if name != "epoch_seconds"]
    if lost and not _measured(map_columns(table.path, tuple(columns), given)):
        numbers(table, next(iter(lost)))  # raises with the cell and its line: nothing is left to report on
    if lost:
        shown = ", ".join(lost[:5]) + (", ..." if len(lost) > 5 else "")
        notes.append(Note(code="unused", message=f"left out, as what stands there are no numbers: {shown}"))
    mapped = _mapped(
        table.path, tuple(columns), given, lambda: _remedy(table.path, table), logged=columns, shown=table.header
    )
    return _histories(Records(table.path, columns, tuple(columns), lines, "line", tuple(notes)), mapped)


def histories_of_columns(
    path: Path, columns: Columns, given: Mapping[str, str], *, notes: Sequence[Note] = ()
) -> list[HistoryPart]:
    """The runs of columns that a reader has already made numbers of (None: not logged), all of one length.

    ``path`` stands in messages; rows are counted from 1 there.

    Raises
    ------
    InputError
        No rows, no column that is known, or an epoch that is no number.
    """
    length = max((len(values) for values in columns.values()), default=0)
    if not length:
        raise InputError(path, found="no rows", expected="at least one epoch")
    columns, kept, summed = without_sums_of_the_whole(columns)
    header = tuple(columns)
    mapped = _mapped(path, header, given, lambda: "map one with --column val_loss=NAME", logged=columns)
    return _histories(Records(path, columns, header, tuple(i + 1 for i in kept), "row", (*notes, *summed)), mapped)


class Records(NamedTuple):
    """Numbers by column as a reader found them; ``lines[i]`` is the ``place`` (line or row) of row i in the file."""

    path: Path
    columns: Columns
    header: tuple[str, ...]
    lines: tuple[int, ...]
    place: str
    notes: tuple[Note, ...]


_mappings: dict[tuple[tuple[str, ...], tuple[tuple[str, str], ...]], dict[str, str]] = {}
"""Header and --column -> mapping, of the headers met last: the logs of one folder have the same few."""
MAPPINGS_KEPT = 64


def _mapping(path: Path, header: Sequence[str], given: Mapping[str, str]) -> dict[str, str]:
    """:func:`map_columns`, recalled where the same header was met before."""
    key = tuple(header), tuple(given.items())
    if key not in _mappings:
        mapping = map_columns(path, header, given)  # may raise, with this path: then nothing is kept
        if len(_mappings) >= MAPPINGS_KEPT:
            _mappings.clear()
        _mappings[key] = mapping
    return dict(_mappings[key])


def _mapped(
    path: Path,
    header: Sequence[str],
    given: Mapping[str, str],
    remedy: Callable[[], str],
    *,
    logged: Columns | None = None,
    shown: Sequence[str] | None = None,
) -> dict[str, str]:
    """Known name -> column, where there is one to report on; ``shown`` are the names that the file has, where more.

    Figures called ``test_`` beside no others that were held out are those of validation: evaluated in every epoch, they
    watched the training, whatever they were called.
    """
    mapped = _mapping(path, header, given)
    if logged is not None and not any(known in mapped for known in HELD_OUT):
        tested = {
            held_out: name
            for name in header
            if (held_out := _as_validation(name)) is not None and sum(v is not None for v in logged[name]) > 1
        }
        for name in several_loaders(tested):  # one is not chosen for the person, and they have other names here
            del tested[name]
        if tested:
            renamed = map_columns(path, list(tested), {})
            mapped |= {known: tested[name] for known, name in renamed.items() if known not in mapped}
    if logged is not None and not _measured(mapped):
        mapped |= bare_losses(path, logged)
    if not _measured(mapped):
        names = shown or header
        if len(names) > 0 and all(is_number(name) for name in names):
            raise InputError(
                path, found=f"no header: the first line is numbers ({', '.join(names[:4])})",
                expected="the names of the columns in the first line",
                remedy="write them there, such as epoch,train_loss,val_loss or y_true,y_pred",
            )  # fmt: skip
        raise InputError(
            path,
            found=f"no column that is known among {', '.join((shown or header)[:12])}",
            expected="at least one of val_loss, train_loss, r2, variance_ratio, mae, rmse",
            remedy=remedy(),
        )
    return mapped


def _as_validation(name: str) -> str | None:
    """``val_loss`` of ``test_loss``; None for a column of no test split."""
    short = plain(name)
    head, _, rest = short.partition("_")
    front, _, tail = short.rpartition("_")
    return f"val_{rest}" if head == "test" and rest else f"val_{front}" if tail == "test" and front else None


def _bare(name: str, mapped: Mapping[str, str]) -> bool:
    """Whether a score read as of training says so itself nowhere, and no other of validation shows it."""
    words = plain(name).split("_")
    held_out = any(known in mapped for known in HELD_OUT)
    return not held_out and not any(word in TRAIN_WORDS for word in (words[0], words[-1]))


def _measured(mapped: Mapping[str, str]) -> list[str]:
    return [known for known in mapped if known not in ("epoch", "epoch_seconds")]


def _histories(records: Records, mapped: dict[str, str]) -> list[HistoryPart]:
    """Rows in file order → runs with one row an epoch."""
    data = {known: records.columns[theirs] for known, theirs in mapped.items()}
    notes = list(records.notes)
    if "epoch_seconds" in data and (counts := _clock(data["epoch_seconds"])) is not None:
        # SchNetPack's `Time` is the clock's, and Ray's runs from the start: a sum of them would be years.
        notes.append(
            Note(code="unused", message=f"{mapped['epoch_seconds']} {counts}: not used as the seconds of an epoch")
        )
        del data["epoch_seconds"]
    for known in ("r2", "train_r2"):
        if known in mapped and is_percent(mapped[known]):
            data[known] = [v if v is None else v / 100 for v in data[known]]
            message = f"{mapped[known]} is in per cent, as its name says: divided by 100"
            notes.append(Note(code="derived", message=message))
    if "epoch" in data:
        steps = next((v for n, v in records.columns.items() if plain(n) in STEPS and n != mapped["epoch"]), None)
        values, said = with_epochs_of_steps(data["epoch"], steps)
        notes += said
        epochs = _epochs(records, mapped["epoch"], values)
        if (counted := axis_of_a_constant_epoch(epochs, steps, [data[n] for n in _measured(mapped)])) is not None:
            epochs, by = counted
            message = f"{mapped['epoch']} is the same in every row: the rows were numbered {by}"
            notes.append(Note(code="derived", message=message))
    else:
        epochs = [float(i + 1) for i in range(len(records.lines))]
        notes.append(Note(code="derived", message="there is no epoch column: rows were numbered from 1"))
    for extra, values in records.columns.items():
        if extra not in mapped.values() and extra not in data:
            # `Iteration` of MATLAB is a step as `iteration` is: it tells the rows of one epoch apart.
            data[plain(extra) if plain(extra) in STEPS and plain(extra) not in data else extra] = values
    tested = sorted({theirs for theirs in mapped.values() if _as_validation(theirs) is not None})
    if tested:
        message = f"{', '.join(tested[:5])} read as of validation: no other figures were held out in the epochs"
        notes.append(Note(code="mapped", message=message))
    unnamed = [mapped[k] for k in ("train_loss", "val_loss") if plain(mapped.get(k, "")) in SPLIT_WORDS]
    if len(unnamed) == 2:
        message = f"{unnamed[0]} and {unnamed[1]} were read as losses: their names do not say what they measure"
        notes.append(Note(code="mapped", message=message))
    bare = [
        t
        for k, t in mapped.items()
        if k.startswith("train_") and k.removeprefix("train_") in SCORES and _bare(t, mapped)
    ]
    if bare:
        message = f"{', '.join(bare[:5])} read as of training, as the loss beside: no name here is of another split"
        notes.append(Note(code="mapped", message=message))
    classified = [e for e in records.header if e not in mapped.values() and CLASSIFIER.search(plain(e))]
    if classified and not any(known in mapped for known in HELD_OUT[1:]):
        shown = ", ".join(classified[:5]) + (", ..." if len(classified) > 5 else "")
        message = f"{shown}: scores of a classifier; what can be judged are its losses, learning rate and selection"
        notes.append(Note(code="classification", message=message))
    missed = [e for e in records.header if e not in mapped.values() and e not in classified and _is_unknown(e)]
    if missed:
        missed.sort(key=lambda e: not MEASURE.search(plain(e)))  # what looks like a loss or a score first
        shown = ", ".join(missed[:5]) + (f" and {len(missed) - 5} more" if len(missed) > 5 else "")
        message = f"not recognised and not used: {shown}; name a column with --column val_loss=NAME"
        notes.append(Note(code="unused", message=message))
    within = {name: all_bounded(values) for name, values in data.items()}
    beyond = sum(
        v is not None and LARGEST < abs(v) < math.inf
        for name, values in data.items()
        if within[name] != values
        for v in values
    )
    if beyond:
        them = "value is" if beyond == 1 else "values are"
        notes.append(Note(code="derived", message=f"{beyond} {them} beyond ±{LARGEST:g} and read as infinite"))
    data = {name: values for name, values in within.items() if name != "epoch"}
    parts = split_restarts(epochs)
    histories = []
    for number, (start, stop) in enumerate(parts, start=1):
        columns = {name: values[start:stop] for name, values in data.items()}
        part, part_notes = one_row_an_epoch(epochs[start:stop], columns, _measured(mapped))
        said = [*notes, *part_notes]
        if len(parts) > 1:
            where = f"epochs start again on {records.place} {records.lines[start]}"
            first = where if number > 1 else "the first of several"
            message = f"the file holds {len(parts)} runs; this is number {number} ({first})"
            said.append(Note(code="log.restarts", message=message))
        histories.append((part, mapped, tuple(said)))
    return histories


def _clock(values: Sequence[float | None]) -> str | None:
    """What a column of times counts where it is not the seconds of each epoch; None where it may be."""
    known = [v for v in values if v is not None and math.isfinite(v)]
    if known and min(known) > LONGEST_EPOCH:
        return "holds times of the clock"
    rises = len(known) >= FEWEST_FOR_A_CLOCK and all(b > a for a, b in pairwise(known))
    # Of epochs that take alike, the n-th sum is n times the first: far more than any drift of single epochs.
    if rises and known[0] > 0 and known[-1] > len(known) / 2 * known[0]:
        return "counts from the start of the training"
    return None


def _is_unknown(name: str) -> bool:
    """Whether this is a figure that nobody here knows: no clock, no step, no column of our own without a rule."""
    short = plain(name)
    return bool(short) and name not in OWN and short not in CLOCKS and short not in STEPS and short not in INDEXES


def _remedy(path: Path, table: Table) -> str:
    """What to do about a history without a known column: it may be predictions by another name."""
    try:
        prediction_columns(path, table.header)
    except InputError:
        truths = [name for name in table.header if plain(name) in TRUE_NAMES]
        others = [
            name for name in table.header
            if name and name not in truths and not ID_LIKE.search(plain(name)) and _is_numeric(table, name)
        ]  # fmt: skip
        if len(truths) == 1 and others:
            choice = shlex.quote(f"y_pred={others[0]}")
            return f"if these are predictions, name their column: --reader predictions --column {choice}"
        return "map one with --column val_loss=NAME"
    return "if these are predictions, name the file predictions_<run>.csv"


def _epochs(records: Records, name: str, values: Sequence[float | None]) -> list[float]:
    """Epoch numbers, every one of them finite and small enough to be told from the next."""
    for line, value in zip(records.lines, values, strict=True):
        if value is None or not abs(value) < MOST_EPOCHS:
            found = f"no epoch number in column {name!r}, {records.place} {line}"
            raise InputError(records.path, found=found, expected="a number")
    return [v for v in values if v is not None]


def _is_numeric(table: Table, name: str) -> bool:
    def ok(cell: str) -> bool:
        if cell.lower() in MISSING:
            return True
        try:
            to_float(cell)
        except ValueError:
            return False
        return True

    return bool(name) and all(ok(cell) for cell in table.column(name))
