"""The shapes that people dump a history in as JSON → columns on one axis."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from runreport.errors import InputError
from runreport.ingest.columns import KNOWN, MEASURED, plain
from runreport.ingest.documents import (
    CONFIG_KEYS,
    CONTAINERS,
    DEEPEST,
    Row,
    flat,
    measures,
    name_of,
    number_of,
    row_of,
    rows_to_columns,
    split_of,
)
from runreport.ingest.filler import without_filler
from runreport.ingest.history import CLOCKS
from runreport.ingest.scalars import flat as settings_of
from runreport.ingest.series import Point
from runreport.run import Note

EPOCH_KEY = re.compile(r"(?:epochs?|step|iteration)?[ _-]?(\d{1,9})", re.IGNORECASE)
OWN_EPOCHS = re.compile(r"(?:val|valid|validation|eval|test)_(?:epochs?|steps?|iters?|iterations?)")
"""A list that says which epochs the lists of its length are of."""
EXPECTED = "a history: lists of numbers by name, or a list of rows with an epoch each"
STEPPED = (("steps", "values"), ("x", "y"), ("step", "value"))
"""Names of a metric's steps and values, where each metric has its own."""
MOST_RUNS = 1_000
"""Runs taken from one file: a search over settings has hundreds, and a report of more is none."""
WRAPPERS = (
    "history",
    "log_history",
    "training_history",
    "train_history",
    "logs",
    "log",
    "epochs",
    "metrics",
    "results",
    "curves",
)
"""Keys whose value is the history of a document that holds more."""


class Dump(NamedTuple):
    """One run of a document."""

    label: str
    columns: dict[str, list[float | None]]
    test: dict[str, float]
    config: Mapping[str, object]
    notes: tuple[Note, ...]


def dumps(path: Path, document: object) -> list[Dump]:
    """The runs of a document: one, or one a key (or element) where it holds several histories.

    Raises
    ------
    InputError
        No history in it, or figures of folds in place of epochs.
    """
    if isinstance(document, list) and document and all(_is_columns(d) for d in document):
        several = {str(i): d for i, d in enumerate(document, start=1)}
        return [_dump(path, d, label) for label, d in several.items()] if len(several) > 1 else dumps(path, document[0])
    if isinstance(document, dict):
        several = {k: v for k, v in document.items() if _is_columns(v) or _is_rows(v)}
        others = [k for k in document if k not in several and isinstance(document[k], dict | list)]
        names_of_runs = not any(split_of(k) or plain(k) in (*CONTAINERS, *WRAPPERS) for k in several)
        if len(several) > 1 and names_of_runs and not any(measures(k) for k in others):
            if len(several) > MOST_RUNS:
                raise InputError(path, found=f"{len(several)} runs", expected=f"at most {MOST_RUNS}")
            return [_dump(path, value, name_of(key)) for key, value in several.items()]
    return [_dump(path, document, "")]


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value) and any(
        measures(k) for v in value[:10] for k, _ in flat(v)
    )  # fmt: skip


def _is_columns(value: object) -> bool:
    """Whether this is an object with a list of numbers under a known name."""
    return isinstance(value, dict) and any(measures(k) and _is_series(v) for k, v in flat(value))


def _is_series(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(v is None or number_of(v) is not None for v in value)


def series_of(document: object) -> dict[str, list[Point]]:
    """Metrics by name, each with lists of its own steps and values: Sacred's ``metrics.json`` (``{"val.loss": {"steps": [..],
    "values": [..]}}``) and ClearML's ``get_reported_scalars`` (``{"loss": {"val": {"x": [..], "y": [..]}}}``); empty else.

    >>> series_of({"val.loss": {"steps": [1, 2], "values": [0.5, 0.4]}})
    {'val.loss': [Point(step=1.0, value=0.5, time=None), Point(step=2.0, value=0.4, time=None)]}
    """
    found: dict[str, list[Point]] = {}
    waiting: list[tuple[str, object]] = [("", document)]
    while waiting:
        name, value = waiting.pop(0)
        if not isinstance(value, dict) or name.count("/") > DEEPEST:
            continue
        pair = next((p for p in STEPPED if all(isinstance(value.get(key), list) for key in p)), None)
        if pair is None:
            waiting += [(f"{name}/{name_of(key)}" if name else name_of(key), inner) for key, inner in value.items()]
            continue
        steps, values = value[pair[0]], value[pair[1]]
        points = [(number_of(s), number_of(v)) for s, v in zip(steps, values, strict=False)]
        if name and len(steps) == len(values):
            found[name] = [Point(s, v) for s, v in points if s is not None and v is not None]
    return found


def _dump(path: Path, document: object, label: str) -> Dump:
    """One run, whatever shape it has."""
    config: dict[str, object] = {}
    beside: dict[str, object] = {}
    while isinstance(document, dict):
        for key, value in document.items():
            if plain(key) in CONFIG_KEYS and isinstance(value, dict):
                config |= settings_of(value)
        wrapped = next(
            (k for k in document if plain(k) in WRAPPERS and isinstance(document[k], dict | list) and document[k]), None
        )
        if wrapped is None or _is_columns({k: v for k, v in document.items() if k != wrapped}):
            break
        beside |= {k: v for k, v in document.items() if KNOWN.get(plain(k)) == "epoch" and _is_series(v)}
        document = document[wrapped]
    if isinstance(document, list):
        rows = _rows(path, document)
    elif isinstance(document, dict) and (keyed := _by_epoch(document)):
        rows = keyed
    elif isinstance(document, dict):
        return _of_columns(path, {**beside, **document}, config, label)
    else:
        raise InputError(path, found="a JSON value without rows", expected=EXPECTED)
    found = rows_to_columns(path, rows)
    return _checked(path, Dump(label, found.columns, found.test, config, found.notes))


def _rows(path: Path, document: Sequence[object]) -> list[Row]:
    """A list of row objects."""
    if not document or not all(isinstance(entry, dict) for entry in document):
        raise InputError(path, found="a list that is not one of rows", expected=EXPECTED)
    rows = [row_of(entry) for entry in document if isinstance(entry, dict)]
    _refuse_results(path, [entry for entry in document if isinstance(entry, dict)], rows)
    return rows


def _refuse_results(path: Path, entries: Sequence[Mapping[str, object]], rows: Sequence[Row]) -> None:
    """Refuses rows that nothing numbers and that a text tells apart: results of models, whose order is no time."""
    if len(rows) < 2 or any(KNOWN.get(plain(name)) == "epoch" for row in rows for name in row):
        return
    for key in entries[0]:
        words = [entry.get(key) for entry in entries]
        texts = {word for word in words if isinstance(word, str) and number_of(word) is None}
        if len(texts) == len(rows) and plain(key) not in CLOCKS:
            shown = ", ".join(name_of(word)[:30] for word in words[:3])
            raise InputError(
                path,
                found=f"a list of results: {name_of(key)!r} tells its {len(rows)} rows apart ({shown}), none numbers epochs",
                expected=EXPECTED,
                remedy="give the log of each run, or its predictions",
            )


def _by_epoch(document: Mapping[str, object]) -> list[Row]:
    """``{"1": {"loss": ..}}``: rows by epoch; empty where the keys are no epochs."""
    rows: list[Row] = []
    for key, value in document.items():
        match = EPOCH_KEY.fullmatch(str(key))
        if isinstance(value, dict) and match:
            rows.append({"epoch": float(match[1]), **{n: v for n, v in row_of(value).items() if plain(n) != "epoch"}})
        elif plain(key) not in CONFIG_KEYS and isinstance(value, dict | list):
            return []
    return rows


def _of_columns(path: Path, document: Mapping[str, object], config: Mapping[str, object], label: str) -> Dump:
    """``{"loss": [..], "val": {"r2": [..]}}``: lists of one length; those of another are left out, and that is said."""
    series: dict[str, list[float | None]] = {}
    test: dict[str, float] = {}
    for key, value in _lists(document):
        if plain(key.split("/")[0]) in CONFIG_KEYS:
            continue
        number = number_of(value) if not isinstance(value, list) else None
        if isinstance(value, list) and value and all(v is None or number_of(v) is not None for v in value):
            series[key] = [number_of(v) for v in value]
        elif number is not None and split_of(plain(key).split("_")[0]) == "test":
            test[key] = number
    if not series:
        raise InputError(path, found="no lists of numbers", expected=EXPECTED)
    _refuse_folds(path, series)
    notes: list[Note] = []
    series = _with_own_epochs(series, notes)
    lengths: dict[int, list[str]] = {}
    for name, values in series.items():
        lengths.setdefault(len(values), []).append(name)
    # The length that most figures share; between two the shorter, which counts epochs where the longer counts batches.
    length = max(lengths, key=lambda n: (sum(measures(name) for name in lengths[n]), -n))
    left = [f"{name} ({len(values)})" for name, values in series.items() if len(values) != length]
    if left:
        shown = ", ".join(left[:5]) + (", ..." if len(left) > 5 else "")
        message = (
            f"lists that do not have {length} values were left out, as nothing says which epochs they are of: {shown}"
        )
        notes.append(Note(code="unused", message=message))
    columns = {name: values for name, values in series.items() if len(values) == length}
    columns, said = without_filler(columns)
    notes += said
    return _checked(path, Dump(label, columns, test, config, tuple(notes)))


def _with_own_epochs(series: Mapping[str, list[float | None]], notes: list[Note]) -> dict[str, list[float | None]]:
    """Lists of validation on the axis of the longer ones, where a list of their length says which epochs they are of."""
    axes = {
        name: values for name, values in series.items()
        if OWN_EPOCHS.fullmatch(plain(name)) and None not in values and len(set(values)) == len(values)
    }  # fmt: skip
    longest = max(len(values) for values in series.values())
    for name, axis in axes.items():
        numbers = [v for v in axis if v is not None]
        count = sum(len(values) == longest for values in series.values())
        first = 0 if min(numbers) == 0 else 1
        places = [int(v) - first for v in numbers if v.is_integer() and first <= v < longest + first]
        if len(numbers) == longest or len(places) < len(numbers) or not count:
            continue
        placed: dict[str, list[float | None]] = {}
        for other, values in series.items():
            if other == name or len(values) != len(axis):
                placed[other] = values
                continue
            row: list[float | None] = [None] * longest
            for place, value in zip(places, values, strict=True):
                row[place] = value
            placed[other] = row
        del placed[name]
        notes.append(Note(code="mapped", message=f"lists of {len(axis)} values are of the epochs in {name}"))
        return placed
    return dict(series)


def _refuse_folds(path: Path, series: Mapping[str, Sequence[float | None]]) -> None:
    """Refuses the last, least and largest value of each fold (kgcnn's scores): lists as long as a history, and none."""
    lengths = {plain(name): len(values) for name, values in series.items()}
    for name, length in lengths.items():
        if name in MEASURED and lengths.get(f"min_{name}") == lengths.get(f"max_{name}") == length:
            found = f"the last, least and largest {name} of {length} fits"
            raise InputError(path, found=found, expected="a value an epoch", remedy="give the history of one fit")


def _lists(document: Mapping[str, object]) -> list[tuple[str, object]]:
    """Columns by name; pandas' ``{"loss": {"0": 0.5, "1": 0.4}}`` becomes a list."""
    found: list[tuple[str, object]] = []
    as_lists: dict[str, object] = {
        key: [value[k] for k in sorted(value, key=int)]
        if isinstance(value, dict) and value and all(re.fullmatch(r"[0-9]{1,9}", k) for k in value)
        else value
        for key, value in document.items()
    }
    found += flat(as_lists)
    return found


def _checked(path: Path, dump: Dump) -> Dump:
    """The dump, where it has a history."""
    if not dump.columns:
        raise InputError(path, found="only figures of the test split", expected=EXPECTED)
    return dump
