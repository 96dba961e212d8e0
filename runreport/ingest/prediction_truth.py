"""The truth of predictions from another table, joined by a key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from runreport.errors import InputError
from runreport.ingest.columns import near, plain
from runreport.ingest.prediction_columns import TRUE_NAMES
from runreport.ingest.prediction_tables import Cells, read_cells
from runreport.ingest.table import to_float
from runreport.run import Note

if TYPE_CHECKING:
    pass


def join_truth(cells: Cells, truth: Path, key: str | None, given: Mapping[str, str]) -> tuple[Cells, Note]:
    """The predictions with a column ``y_true`` out of another table, and a note that says how they were joined.

    Predictions that have a truth keep it. Keys are compared as text; where none is equal, as numbers (``7`` and ``7.0``).

    Raises
    ------
    InputError
        No common column, a key that has two truths, or no key in common.
    """
    import polars as pl

    own = [c for c in cells.frame.columns if plain(c) in TRUE_NAMES]
    if own and "y_true" not in given:
        message = f"the predictions have a truth of their own ({own[0]}), so {truth.name} was not used"
        return cells, Note(code="unused", message=message)
    other = read_cells(truth)
    key = _key(cells, other, key)
    column = _truth_column(other, key, given)
    pairs = list(zip(other.frame[key].cast(pl.String).to_list(), other.frame[column].to_list(), strict=True))
    wanted = cells.frame[key].cast(pl.String).to_list()
    found, matched = _look_up(truth, key, wanted, [(k, v) for k, v in pairs if k is not None])
    if not matched:
        raise InputError(
            truth,
            found=f"none of the {len(wanted)} keys of {cells.path.name} in column {key!r}",
            expected="the same keys in both tables",
            remedy="name the column that joins them with --key COLUMN",
        )
    name = "y_true"
    values = pl.Series(name, found, dtype=other.frame[column].dtype, strict=False)
    frame = cells.frame.drop([c for c in cells.frame.columns if c == name]).with_columns(values)
    missing = len(wanted) - matched
    lost = f"; {missing} of {len(wanted)} rows have no truth there" if missing else ""
    message = f"the truth is column {column} of {truth.name}, joined by {key}{lost}"
    # The lines of the predictions still stand, but not for a column that is not theirs.
    return replace(cells, frame=frame), Note(code="mapped", message=message)


def _key(cells: Cells, other: Cells, key: str | None) -> str:
    common = [c for c in cells.frame.columns if c in other.frame.columns and c]
    if key is not None:
        for table in (cells, other):
            if key not in table.frame.columns:
                raise InputError(
                    table.path, found=f"no column {key!r} to join by", expected=near(key, table.frame.columns)
                )
        return key
    if len(common) != 1:
        found = (
            f"{len(common)} columns in common with {cells.path.name}" if common else f"no column of {cells.path.name}"
        )
        raise InputError(other.path, found=found, expected="one that joins the two", remedy="name it with --key COLUMN")
    return common[0]


def _truth_column(other: Cells, key: str, given: Mapping[str, str]) -> str:
    columns = [c for c in other.frame.columns if c != key]
    if "y_true" in given:
        if given["y_true"] not in columns:
            raise InputError(
                other.path, found=f"no column {given['y_true']!r}", expected=near(given["y_true"], columns)
            )
        return given["y_true"]
    named = [c for c in columns if plain(c) == "y_true"] or [c for c in columns if plain(c) in TRUE_NAMES]
    if len(named) == 1:
        return named[0]
    if not named and len(columns) == 1:
        return columns[0]
    what = f"{len(named)} columns that could be the truth" if named else "no column that is surely the truth"
    shown = ", ".join(repr(c) for c in (named or columns)[:8])
    raise InputError(other.path, found=f"{what} ({shown})", remedy="name it with --column y_true=NAME")


def _look_up(
    truth: Path, key: str, wanted: Sequence[str | None], pairs: Sequence[tuple[str, object]]
) -> tuple[list[object], int]:
    """The truth of each wanted key (None where there is none) and how many have one."""
    for convert in (str.strip, _as_number):
        table: dict[object, object] = {}
        for name, value in pairs:
            converted = convert(name)
            if converted in table and table[converted] != value:
                raise InputError(
                    truth, found=f"two truths for {name[:40]!r} in column {key!r}", expected="each key once"
                )
            table[converted] = value
        keys = [convert(name) if name is not None else None for name in wanted]
        found = [table.get(k) if k is not None else None for k in keys]
        matched = sum(k is not None and k in table for k in keys)
        if matched:
            return found, matched
    return [], 0


def _as_number(name: str) -> float | str:
    try:
        return to_float(name.strip())
    except ValueError:
        return name.strip()
