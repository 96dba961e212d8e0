"""JSON documents and the rows in them: what the readers of JSON, JSONL and trainer states share."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from runreport.errors import InputError
from runreport.ingest.columns import ALIASES, KNOWN, MEASURED, map_columns, plain, several_loaders, usual_name
from runreport.ingest.table import bounded, read_bytes, to_float
from runreport.marks import clean
from runreport.run import Note
from runreport.wording import plural

MAX_JSON_BYTES = 256 * 1024**2
"""Largest JSON read: Python holds about ten times a document's size, and a history of a million rows fits."""
MOST_COLUMNS = 2_000
"""Names in one log: loggers of every layer's norm write hundreds; keys that differ in every row would be thousands."""
MOST_CELLS = 20_000_000
"""Rows × columns held as a table (160 MB of references)."""
MOST_NAME = 120
"""Characters kept of a name from a log."""
MOST_TEXT = 40
"""Characters of a text cell that may still be a number."""
DEEPEST = 4
"""Levels of nesting within a row that are followed: ``{"val": {"metrics": {"r2": ..}}}`` has three."""
CONTAINERS = frozenset(("metrics", "scores", "history", "logs", "log", "data", "results", "values"))
"""Keys that only hold others and say nothing of them."""
SPLIT_KEYS = ("mode", "split", "phase", "stage", "subset", "prefix")
"""Keys of a row whose text says which split its figures are of (mmengine: ``"mode": "val"``)."""
SPLITS: Mapping[str, str] = {
    "train": "train", "training": "train", "learn": "train", "trn": "train", "tr": "train", "opt": "train",
    "val": "val", "valid": "val", "validation": "val", "vali": "val", "va": "val", "dev": "val",
    "eval": "val", "evaluation": "val",
    "test": "test", "testing": "test", "predict": "test",
}  # fmt: skip
"""What the field calls the three splits -> our word."""
RUNWIDE = frozenset(("epoch", "step", "learning_rate", "epoch_seconds", "grad_norm_total"))
"""Known names that belong to the run, whatever split is written beside them."""
CONFIG_KEYS = ("config", "params", "hparams", "hyperparameters", "hyper_parameters", "args")
"""Keys of a document under which the run's settings lie."""

Row = dict[str, float]


class Rows(NamedTuple):
    """The rows of a log as columns, the figures of the test split apart, and what was done on the way."""

    columns: dict[str, list[float | None]]
    test: dict[str, float]
    notes: tuple[Note, ...]


def read_json(path: Path, expected: str) -> object:
    """A JSON document; bare NaN and Infinity are numbers, as Python's own writer puts them.

    Raises
    ------
    InputError
        Not JSON, too large or nested too deeply.
    """
    data = read_bytes(path, expected)
    if len(data) > MAX_JSON_BYTES:
        raise InputError(path, found=f"{len(data) / 1024**2:.0f} MiB of JSON", expected="at most 256 MiB")
    try:
        return parse_json(data)
    except json.JSONDecodeError as error:
        found = f"not JSON ({error.msg} at line {error.lineno})"
    except UnicodeDecodeError:
        found = "not JSON (bytes that are not UTF-8)"
    except RecursionError:
        found = "JSON that is nested too deeply"
    raise InputError(path, found=found, expected=expected, remedy="it may have been cut off while it was written")


def parse_json(text: str | bytes) -> object:
    """The document; a whole number too large for a float is infinite instead of an error in later arithmetic."""
    if isinstance(text, bytes):
        text = text.decode("utf-16" if text.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    return json.loads(text, parse_int=lambda t: int(t) if len(t) < 20 else float(t))


def number_of(value: object) -> float | None:
    """A JSON value as a number: also text that is one (``"NaN"``), and a list of one number or of equal ones.

    >>> number_of(1), number_of("0.5"), number_of([0.001, 0.001]), number_of(True), number_of("mse")
    (1.0, 0.5, 0.001, None, None)
    """
    if isinstance(value, list) and value and len(value) <= MOST_TEXT:
        first = number_of(value[0]) if not isinstance(value[0], list) else None
        return first if all(v == value[0] for v in value[1:]) else None
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    if isinstance(value, str):
        try:
            return to_float(value) if 0 < len(value) <= MOST_TEXT else None
        except ValueError:
            return None
    return float(value)


def name_of(key: object) -> str:
    """A key as the name of a column: printable, bounded, without the marks of sentences."""
    return clean(key)[:MOST_NAME].strip()


def split_of(text: object) -> str | None:
    """train, val or test where this word names a split; ``valid_0`` does too.

    >>> split_of("Validation"), split_of("valid_0"), split_of("loss")
    ('val', 'val', None)
    """
    return SPLITS.get(plain(str(text)[:MOST_NAME]).rstrip("0123456789").rstrip("_"))


def measures(name: str) -> bool:
    """Whether a figure of this name makes a log: ``Val Loss``, ``avg epoch loss``, and ``loss_val``, the split last."""
    usual = usual_name(name)
    front, _, tail = usual.rpartition("_")
    return usual in MEASURED or (tail in ("train", "val", "valid", "validation") and front in MEASURED)


def flat(document: Mapping[str, object], prefix: str = "", depth: int = 0) -> Iterator[tuple[str, object]]:
    """(name, value) of what a nested object holds: ``{"val": {"loss": 1}}`` is ``val/loss``."""
    for key, value in document.items():
        name = prefix if plain(key) in CONTAINERS and isinstance(value, dict) else f"{prefix}{name_of(key)}"
        if isinstance(value, dict):
            if depth < DEEPEST:
                yield from flat(value, f"{name.rstrip('/')}/" if name else "", depth + 1)
        elif name:
            yield name, value


def row_of(document: Mapping[str, object]) -> Row:
    """The numbers of one row by name; where a ``mode`` or ``split`` says train or val, they are named after it."""
    pairs = list(flat(document))
    values = {name: number for name, value in pairs if (number := number_of(value)) is not None}
    word = next((v for k, v in pairs if plain(k) in SPLIT_KEYS and isinstance(v, str) and split_of(v)), None)
    if word is None:
        return values
    split = split_of(word)
    return {f"{split}_{n}" if _belongs_to_a_split(n) else n: v for n, v in values.items()}


def _belongs_to_a_split(name: str) -> bool:
    head = plain(name).split("_")[0]
    return head not in SPLITS and KNOWN.get(plain(name)) not in RUNWIDE and plain(name) not in ("iter", "epoch", "step")


def rows_to_columns(path: Path, rows: Sequence[Row], place: str = "row") -> Rows:
    """Rows → columns on one axis: the epoch where every row that measures something has one, else the step.

    Rows of the test split alone are final figures and kept apart. Rows that measure nothing are dropped; values are never
    carried from one row to another.

    Raises
    ------
    InputError
        No rows with numbers, or more names than a log has.
    """
    test: dict[str, float] = {}
    kept: list[Row] = []
    for row in rows:
        figures = [n for n in row if KNOWN.get(plain(n)) != "epoch"]
        tested = [n for n in figures if plain(n).split("_")[0] in ("test", "predict")]
        if tested and not any(measures(n) for n in figures if n not in tested):
            test |= {n: row[n] for n in tested}
        elif figures:
            kept.append(row)
    if not kept and not test:
        raise InputError(path, found="no numbers", expected="at least one epoch of a loss, r2, mae or rmse")
    axis, notes = _axis(kept, place)
    if axis is not None:
        kept = [row for row in kept if axis in row]
    names = list(dict.fromkeys(name for row in kept for name in row))
    if len(names) > MOST_COLUMNS or len(names) * len(kept) > MOST_CELLS:
        raise InputError(
            path, found=f"{len(names)} different names in {len(kept)} rows", expected=f"at most {MOST_COLUMNS} names"
        )
    # An epoch that only some rows have would be mapped before the step that all have.
    names = [n for n in names if n == axis or KNOWN.get(plain(n)) != "epoch" or plain(n) in ("step", "iter")]
    columns: dict[str, list[float | None]] = {n: [row.get(n) for row in kept] for n in names}
    if axis is not None:
        columns = {axis: columns.pop(axis), **columns}
    return Rows(columns, test, tuple(notes))


def _axis(rows: Sequence[Row], place: str) -> tuple[str | None, list[Note]]:
    """The name that numbers the rows, and what is lost with it; None where no row has one."""
    found = list(dict.fromkeys(n for row in rows for n in row if KNOWN.get(plain(n)) == "epoch"))
    order = ("epoch", *ALIASES["epoch"])
    found.sort(key=lambda n: order.index(plain(n)))
    if not found:
        return None, []
    whole = next((n for n in found if all(n in row for row in rows)), None)
    if whole is not None:
        return whole, []
    most = max(found, key=lambda n: sum(n in row for row in rows))
    lost = sum(most not in row for row in rows)
    message = f"{plural(lost, place)} without {most} left out: nothing says which epoch the figures are of"
    return most, [Note(code="unused", message=message)]


def final_figures(path: Path, figures: Mapping[str, float]) -> dict[str, object]:
    """Final figures of one split under the names that the report knows; the prefix of the split is dropped.

    Figures of several loaders of that split are left out (:func:`~runreport.ingest.columns.several_loaders`).
    """
    summary: dict[str, object] = {}
    several = several_loaders(figures)
    for name, value in figures.items():
        if name in several:
            continue
        head, _, rest = plain(name).partition("_")
        measured = rest if head in SPLITS else plain(name)
        known = next(iter(map_columns(path, [f"val_{measured}"], {})), None)
        value = bounded(value)
        if known is not None and math.isfinite(value):
            summary["loss" if known == "val_loss" else known] = value
    if isinstance(mse := summary.get("mse"), float) and mse >= 0:
        summary.setdefault("rmse", math.sqrt(mse))
    return summary
