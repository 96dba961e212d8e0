"""Predictions of several models, seeds, epochs or splits stacked in one table → a table for each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runreport.errors import InputError
from runreport.ingest.columns import plain
from runreport.ingest.documents import SPLITS
from runreport.ingest.prediction_tables import Cells
from runreport.ingest.table import to_float
from runreport.marks import clean
from runreport.run import Note
from runreport.wording import plural

if TYPE_CHECKING:
    import polars as pl

MODEL_COLUMNS = (
    "model", "model_name", "method", "algorithm", "estimator", "network", "architecture", "run", "run_name", "run_id",
    "experiment", "config", "checkpoint", "seed",
)  # fmt: skip
"""Columns that may name what predicted a row."""
EPOCH_COLUMNS = ("epoch", "step", "iteration")
SPLIT_COLUMNS = ("split", "set", "subset", "partition", "dataset", "fold_type", "phase")
FINAL_SPLITS = ("test", "val", "train")
"""Which split is reported where a file holds several: they are never mixed."""
SAID = {"test": "test", "val": "validation", "train": "train"}
MOST_MODELS = 200
"""Models of one file: a comparison of more is none."""
MOST_LABEL = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """The rows of one model."""

    label: str
    frame: pl.DataFrame
    notes: tuple[Note, ...] = ()


def split_of_rows(cells: Cells) -> tuple[Cells, str | None, list[Note]]:
    """The rows of the split to report on (test before validation before train), which it is, and what was left out."""
    import polars as pl

    for column in cells.frame.columns:
        if plain(column) not in SPLIT_COLUMNS or cells.frame[column].dtype != pl.String:
            continue
        words = cells.frame[column].fill_null("").to_list()
        splits = [SPLITS.get(plain(word)) for word in words]
        if None in splits:
            continue
        kept = next(split for split in FINAL_SPLITS if split in splits)
        mask = pl.Series([split == kept for split in splits])
        lost = len(splits) - int(mask.sum())
        notes = []
        if lost:
            message = f"{lost} of {len(splits)} rows are not of the {SAID[kept]} split and were left out"
            notes.append(Note(code="unused", message=message))
        return replace(cells, frame=cells.frame.filter(mask), table=None), SAID[kept], notes
    return cells, None, []


def stacks(cells: Cells, true: str) -> list[Stack]:
    """A stack for each model; one where the table holds one.

    A column with a usual name is taken for the model only where every value of it predicts the same truths: a column
    ``model`` of car models, or of a run on different data, is a property of the rows.
    """
    names = {plain(c): c for c in cells.frame.columns if c != true}
    models = [names[n] for n in MODEL_COLUMNS if n in names]
    for column in models:
        parts = _parts(cells, column, true)
        if parts is not None:
            notes = (Note(code="mapped", message=f"the file holds the predictions of {plural(len(parts), 'model')}"),)
            return [Stack(label=label, frame=frame, notes=notes) for label, frame in parts]
    for name in EPOCH_COLUMNS:
        parts = _parts(cells, names[name], true) if name in names else None
        if parts is not None:
            label, frame = max(parts, key=lambda part: _number(part[0]))
            message = f"the file holds predictions of {plural(len(parts), name)}: those of {name} {label} were read"
            return [Stack(label="", frame=frame, notes=(Note(code="mapped", message=message),))]
    return [Stack(label="", frame=cells.frame)]


def _parts(cells: Cells, column: str, true: str) -> list[tuple[str, pl.DataFrame]] | None:
    """(value, rows) for each value of a column whose values all stand beside the same truths; None where they do not."""
    import polars as pl

    values = cells.frame[column].cast(pl.String).fill_null("")
    height = cells.frame.height
    count = values.n_unique()
    if count < 2 or height % count or height // count < 2:
        return None
    truths: list[float | None] | None = None
    frames = cells.frame.with_columns(values.alias(column)).partition_by(column, maintain_order=True)
    for frame in frames:
        same = frame[true].sort(nulls_last=True).to_list()
        if len(same) != height // count:
            return None
        if truths is not None and not _equal(same, truths):
            return None
        truths = same
    if truths is None or len({t for t in truths if t is not None}) < 2:
        return None  # one value of the truth says nothing about whether the rows are the same
    if count > MOST_MODELS and plain(column) not in EPOCH_COLUMNS:
        raise InputError(cells.path, found=f"{count} models in column {column!r}", expected=f"at most {MOST_MODELS}")
    return [(clean(frame[column][0])[:MOST_LABEL].strip() or "unnamed", frame) for frame in frames]


def _equal(one: Sequence[float | None], other: Sequence[float | None]) -> bool:
    return all(a == b or (a != a and b != b) for a, b in zip(one, other, strict=True))


def _number(label: str) -> float:
    try:
        return to_float(label)
    except ValueError:
        return float("-inf")
