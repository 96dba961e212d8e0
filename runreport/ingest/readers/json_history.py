"""JSON histories: ``{column: [values]}``, lists of rows, Keras ``History`` dumps, nested splits, pandas' ``to_json``."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from runreport.errors import InputError
from runreport.ingest.columns import plain
from runreport.ingest.documents import (
    CONFIG_KEYS,
    CONTAINERS,
    KNOWN,
    MEASURED,
    Row,
    final_figures,
    flat,
    name_of,
    number_of,
    read_json,
    row_of,
    rows_to_columns,
    split_of,
)
from runreport.ingest.history import histories_of_columns
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.runs import runs_of_parts
from runreport.ingest.scalars import flat as settings_of
from runreport.run import Note, Run

KEY = re.compile(r'"([^"\\\n]{1,120})"\s{0,40}:\s{0,40}(\[\s{0,40}(?=[-\d.N"n])|\[|\{|"?[-+]?\d|"?NaN|null)')
"""A key and how its value begins; every part is bounded, so any text is gone through in one pass."""
NATIVE = "metrics_"
"""Files that begin so are the final figures of the native format."""
EPOCH_KEY = re.compile(r"(?:epochs?|step|iteration)?[ _-]?(\d{1,9})", re.IGNORECASE)
EXPECTED = "a history: lists of numbers by name, or a list of rows with an epoch each"
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


def claim(path: Path, head: Head) -> Claim | None:
    """A ``.json`` in whose beginning a figure that reports know has a list of numbers, or stands in a list of rows."""
    if path.suffix.lower() != ".json" or path.name.startswith(NATIVE):
        return None
    text = head.text.lstrip()
    if not text.startswith(("{", "[")) or not _is_history(text):
        return None
    return Claim(root=path, run=path.stem, kind="history")


def _is_history(text: str) -> bool:
    """Whether the keys of this text are those of a history."""
    keyed = rows = text.startswith("[")
    for match in KEY.finditer(text):
        key, begins = plain(match[1]), match[2]
        opens = begins.startswith("[") or begins == "{"
        if EPOCH_KEY.fullmatch(match[1]) or (key in WRAPPERS and begins == "["):
            keyed = True  # rows by epoch, or a list of rows
        measured = key in MEASURED or _without_split(key) in MEASURED
        if measured and (begins.startswith("[") or (not opens and (rows or keyed)) or _by_index(text, match.end())):
            return True
    return False


def _without_split(key: str) -> str:
    head, _, rest = key.partition("_")
    return rest if split_of(head) else key


def _by_index(text: str, start: int) -> bool:
    """Whether the object that begins here has row numbers as keys, as pandas writes a column."""
    return (
        text[start - 1 : start] == "{"
        and re.match(r'\s{0,40}"\d{1,9}"\s{0,40}:', text[start : start + 100]) is not None
    )


def read(source: Source, options: ReadOptions) -> list[Run]:
    """Its runs: one, or one a key where the document holds several.

    Raises
    ------
    InputError
        No JSON, or no history in it.
    """
    (path,) = source.files.values()
    dumps = _dumps(path, read_json(path, EXPECTED))
    runs: list[Run] = []
    for dump in dumps:
        name = source.name if len(dumps) == 1 else f"{source.name}[{dump.label}]"
        of_run = Source(reader=source.reader, name=name, root=source.root, files=source.files)
        parts = histories_of_columns(path, dump.columns, options.columns, notes=dump.notes)
        summary = final_figures(path, dump.test)
        runs += runs_of_parts(
            of_run, parts, config=dump.config, summary={**summary, "split": "test"} if summary else {},
            split="test" if summary else None,
        )  # fmt: skip
    return runs


def _dumps(path: Path, document: object) -> list[Dump]:
    """The runs of a document."""
    if isinstance(document, list) and document and all(_is_columns(d) for d in document):
        several = {str(i): d for i, d in enumerate(document, start=1)}
        return (
            [_dump(path, d, label) for label, d in several.items()] if len(several) > 1 else _dumps(path, document[0])
        )
    if isinstance(document, dict):
        several = {k: v for k, v in document.items() if _is_columns(v) or _is_rows(v)}
        others = [k for k in document if k not in several and isinstance(document[k], dict | list)]
        names_of_runs = not any(split_of(k) or plain(k) in (*CONTAINERS, *WRAPPERS) for k in several)
        if len(several) > 1 and names_of_runs and not any(plain(k) in MEASURED for k in others):
            if len(several) > MOST_RUNS:
                raise InputError(path, found=f"{len(several)} runs", expected=f"at most {MOST_RUNS}")
            return [_dump(path, value, name_of(key)) for key, value in several.items()]
    return [_dump(path, document, "")]


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value) and any(
        plain(k) in MEASURED for v in value[:10] for k, _ in flat(v)
    )  # fmt: skip


def _is_columns(value: object) -> bool:
    """Whether this is an object with a list of numbers under a known name."""
    return isinstance(value, dict) and any(plain(k) in MEASURED and _is_series(v) for k, v in flat(value))


def _is_series(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(v is None or number_of(v) is not None for v in value)


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
    return [row_of(entry) for entry in document if isinstance(entry, dict)]


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
    lengths: dict[int, list[str]] = {}
    for name, values in series.items():
        lengths.setdefault(len(values), []).append(name)
    # The length that most figures share; between two the shorter, which counts epochs where the longer counts batches.
    length = max(lengths, key=lambda n: (sum(plain(name) in MEASURED for name in lengths[n]), -n))
    notes: list[Note] = []
    left = [f"{name} ({len(values)})" for name, values in series.items() if len(values) != length]
    if left:
        shown = ", ".join(left[:5]) + (", ..." if len(left) > 5 else "")
        message = (
            f"lists that do not have {length} values were left out, as nothing says which epochs they are of: {shown}"
        )
        notes.append(Note(code="unused", message=message))
    columns = {name: values for name, values in series.items() if len(values) == length}
    return _checked(path, Dump(label, columns, test, config, tuple(notes)))


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


READER = Reader(
    name="json",
    reads="JSON histories: {column: [values]}, lists of rows, Keras History dumps, nested splits",
    claim=claim,
    read=read,
)
