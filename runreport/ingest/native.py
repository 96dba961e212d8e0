"""The native format: what ``training`` (and any loop that logs a row an epoch) leaves behind.

``<run>.csv`` a row an epoch; ``predictions_<run>.csv``; ``metrics_<run>.json``; ``epoch_predictions_<run>.parquet``.
Each is optional as long as one of them is there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from runreport.errors import InputError
from runreport.ingest.columns import map_columns, prediction_columns
from runreport.ingest.epoch_predictions import check_epoch_predictions
from runreport.ingest.table import (
    LARGEST,
    MISSING,
    SMALLEST,
    Table,
    bounded,
    frame,
    numbers,
    read_bytes,
    read_table,
    to_float,
)
from runreport.marks import clean
from runreport.run import Note, Run
from runreport.wording import plural

if TYPE_CHECKING:
    import polars as pl

FORMAT = "native"
MOST_SPLIT = 40
"""Characters kept of a split's name, which stands in sentences and table cells."""
MOST_EPOCHS = 2.0**53
"""Beyond it a float no longer counts by ones; a cell that large in an epoch column is something else."""
Files = Mapping[str, Path]


def read_native(name: str, files: Files, columns: Mapping[str, str]) -> list[Run]:
    """The run whose artifacts are ``files`` (kind -> path); several where the history file holds several.

    Raises
    ------
    InputError
        Where one of the files cannot be used: a report on the rest would look whole and not be.
    """
    summary, config = _read_summary(files["metrics"]) if "metrics" in files else ({}, {})
    if set(files) == {"metrics"} and not any(isinstance(v, int | float) for v in summary.values()):
        found = "no figures, and the run has no other file"
        raise InputError(files["metrics"], found=found, expected="r2, variance_ratio, mae or rmse")
    predictions: pl.DataFrame | None = None
    notes: tuple[Note, ...] = ()
    sample_columns: dict[str, str] = {}
    if "predictions" in files:
        predictions, sample_columns, notes = _read_predictions(files["predictions"], columns)
    if "epoch_predictions" in files:
        check_epoch_predictions(files["epoch_predictions"])
    histories: list[tuple[pl.DataFrame | None, dict[str, str], tuple[Note, ...]]] = [(None, {}, ())]
    if "history" in files:
        histories = list(_read_histories(files["history"], columns))
    split = summary.get("split")
    runs = []
    for index, (history, read_as, history_notes) in enumerate(histories):
        last = index == len(histories) - 1
        # Only the last of several runs in one file can be the one that the final artifacts belong to.
        runs.append(
            Run(
                name=name if len(histories) == 1 else f"{name}-part{index + 1}",
                format=FORMAT,
                files=files if last else {"history": files["history"]},
                history=history,
                predictions=predictions if last else None,
                epoch_predictions=files.get("epoch_predictions") if last else None,
                split=(clean(split)[:MOST_SPLIT].strip() or "test" if isinstance(split, str) else "test")
                if last and (predictions is not None or summary)
                else None,
                summary=summary if last else {},
                config=config if last else {},
                columns_read={k: v for k, v in (read_as | (sample_columns if last else {})).items() if k != v},
                notes=(*history_notes, *(notes if last else ())),
            )
        )
    return runs


def _read_histories(
    path: Path, given: Mapping[str, str]
) -> list[tuple[pl.DataFrame, dict[str, str], tuple[Note, ...]]]:
    """The runs of one history file: (frame sorted by epoch, known name -> name in the file, notes)."""
    import polars as pl

    table = read_table(path)
    mapped = map_columns(path, table.header, given)
    measured = [known for known in mapped if known not in ("epoch", "epoch_seconds")]
    if not measured:
        raise InputError(
            path,
            found=f"no column that is known among {', '.join(table.header[:12])}",
            expected="at least one of val_loss, train_loss, r2, variance_ratio, mae, rmse",
            remedy=_remedy(path, table),
        )
    data = {known: numbers(table, theirs) for known, theirs in mapped.items()}
    notes = list(table.notes)
    n_rows = len(table.rows)
    if "epoch" in data:
        epochs = _epochs(table, mapped["epoch"], data["epoch"])
    else:
        epochs = [float(i + 1) for i in range(n_rows)]
        notes.append(Note(code="derived", message="there is no epoch column: rows were numbered from 1"))
    data["epoch"] = list(epochs)
    # Columns nobody knows are kept under their own names where they are numbers: rules of other people may want them.
    for extra in table.header:
        if extra not in mapped.values() and extra not in data and _is_numeric(table, extra):
            data[extra] = numbers(table, extra)
    beyond = sum(v is not None and LARGEST < abs(v) < math.inf for values in data.values() for v in values)
    if beyond:
        them = "value is" if beyond == 1 else "values are"
        notes.append(Note(code="derived", message=f"{beyond} {them} beyond ±{LARGEST:g} and read as infinite"))
    data = {name: [v if v is None else bounded(v) for v in values] for name, values in data.items()}
    whole = pl.DataFrame({name: pl.Series(name, values, dtype=pl.Float64) for name, values in data.items()})
    parts = _split_restarts(epochs)
    histories = []
    for number, (start, stop) in enumerate(parts, start=1):
        part, part_notes = _one_row_an_epoch(whole[start:stop], measured)
        said = [*notes, *part_notes]
        if len(parts) > 1:
            first = f"epochs start again on line {table.lines[start]}" if number > 1 else "the first of several"
            said.append(
                Note(
                    code="log.restarts", message=f"the file holds {len(parts)} runs; this is number {number} ({first})"
                )
            )
        histories.append((part, mapped, tuple(said)))
    return histories


def _remedy(path: Path, table: Table) -> str:
    """What to do about a history without a known column: it may be predictions by another name."""
    try:
        prediction_columns(path, table.header)
    except InputError:
        return "map one with --column val_loss=NAME"
    return "if these are predictions, name the file predictions_<run>.csv"


def _epochs(table: Table, name: str, values: list[float | None]) -> list[float]:
    """Epoch numbers, every one of them finite and small enough to be told from the next."""
    for line, value in zip(table.lines, values, strict=True):
        if value is None or not abs(value) < MOST_EPOCHS:
            raise InputError(table.path, found=f"no epoch number in column {name!r}, line {line}", expected="a number")
    return [v for v in values if v is not None]


def _split_restarts(epochs: list[float]) -> list[tuple[int, int]]:
    """Row ranges of the runs in one file: a jump back to the first epoch (or before it) starts another run.

    A jump back to a later epoch is a resume of the same run, and is handled as duplicate epochs. Where no epoch comes
    twice the rows are of one run in another order (newest first), whatever jumps they make.

    >>> _split_restarts([1, 2, 3, 1, 2]), _split_restarts([1, 2, 3, 2, 3, 4]), _split_restarts([3, 2, 1])
    ([(0, 3), (3, 5)], [(0, 6)], [(0, 3)])
    """
    if len(set(epochs)) == len(epochs):
        return [(0, len(epochs))]
    starts = [0]
    for i in range(1, len(epochs)):
        if epochs[i] < epochs[i - 1] and epochs[i] <= epochs[starts[-1]]:
            starts.append(i)
    return list(zip(starts, [*starts[1:], len(epochs)], strict=True))


def _one_row_an_epoch(part: pl.DataFrame, measured: Sequence[str]) -> tuple[pl.DataFrame, list[Note]]:
    """One row an epoch: rows that complement each other are merged, exact repeats dropped, contradictions noted.

    Only ``measured`` columns can contradict: a step or a clock beside them differs in every row and means nothing by it.
    """
    import polars as pl

    notes: list[Note] = []
    if part["epoch"].n_unique() == part.height:
        if not part["epoch"].is_sorted():
            part = part.sort("epoch", maintain_order=True)
            notes.append(Note(code="derived", message="the rows were not in epoch order and have been sorted"))
        return part, notes
    steps = part["epoch"].diff().drop_nulls()
    backward = int((steps < 0).sum())
    values = [c for c in part.columns if c != "epoch"]
    said_twice = part.group_by("epoch", maintain_order=True).agg(pl.col(measured).drop_nulls().n_unique() > 1)
    contradictory = said_twice.filter(pl.any_horizontal(measured))["epoch"].to_list()
    merged = part.group_by("epoch", maintain_order=True).agg(pl.col(values).drop_nulls().last()).sort("epoch")
    if backward:
        plus = "" if not contradictory else f"; {plural(len(contradictory), 'epoch')} logged twice, the later kept"
        resumed = part.filter(pl.col("epoch").diff() < 0)["epoch"][0]
        notes.append(
            Note(code="log.restarts", message=f"the run was resumed at epoch {resumed:g}{plus}", epoch=resumed)
        )
    elif contradictory:
        shown = ", ".join(f"{e:g}" for e in contradictory[:5]) + (", ..." if len(contradictory) > 5 else "")
        notes.append(
            Note(
                code="log.duplicate-epochs",
                message=f"{plural(len(contradictory), 'epoch')} logged more than once with other values ({shown}); "
                "the last row of each was kept",
                epoch=contradictory[0],
            )
        )
    return merged, notes


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


def _read_predictions(path: Path, given: Mapping[str, str]) -> tuple[pl.DataFrame, dict[str, str], tuple[Note, ...]]:
    """Rows with finite truth and prediction, what the two columns were called, and a note about rows without."""
    import polars as pl

    table = read_table(path)
    true, pred = prediction_columns(path, table.header, given)
    # A column that is not the truth but bears its name (another was given) would be two of one name.
    kept = [c for c in table.header if c in (true, pred) or c not in ("y_true", "y_pred", "")]
    cells = frame(table, numeric=(true, pred)).select(kept).rename({true: "y_true", pred: "y_pred"})
    finite = pl.col("y_true").is_finite().fill_null(False) & pl.col("y_pred").is_finite().fill_null(False)
    rows = cells.filter(finite)
    if rows.is_empty():
        raise InputError(
            path, found=f"none of the {cells.height} rows has both a finite truth and a finite prediction",
            expected="numbers in y_true and y_pred", remedy="the model may have diverged",
        )  # fmt: skip
    for column, name in (("y_true", true), ("y_pred", pred)):
        # Refused, not mended: the squares of such numbers are infinite or zero, and every figure with them.
        largest = max(abs(v) for v in rows[column].to_list())
        if largest > LARGEST or 0 < largest < SMALLEST:
            raise InputError(
                path,
                found=f"values up to {largest:.0e} in column {name!r}",
                expected=f"a largest value between {SMALLEST:g} and {LARGEST:g}",
                remedy="use another unit",
            )
    notes = list(table.notes)
    if rows.height < cells.height:
        lost = cells.height - rows.height
        notes.append(
            Note(
                code="predictions.not-finite",
                message=f"{lost} of {cells.height} prediction rows lack a finite truth or prediction and were left out",
            )
        )
    return rows, {"y_true": true, "y_pred": pred}, tuple(notes)


def _finite(text: str) -> float | None:
    """A JSON number; None where its square would be beyond the range of a float, as an infinity is."""
    value = bounded(float(text))
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | None:
    """A whole JSON number; None where it is beyond that too, so that no later arithmetic overflows."""
    return int(text) if _finite(text) is not None else None


def _read_summary(path: Path) -> tuple[dict[str, object], dict[str, object]]:
    """The run's own figures and its config; NaN and infinities in the JSON become None (undefined)."""
    try:
        document = json.loads(
            read_bytes(path, "a JSON object of metrics"),
            parse_constant=lambda _: None,
            parse_float=_finite,
            parse_int=_whole,
        )
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError) as error:
        if isinstance(error, json.JSONDecodeError):
            detail = f"{error.msg} at line {error.lineno}"
        else:
            detail = "nested too deeply" if isinstance(error, RecursionError) else "bytes that are not UTF-8"
        raise InputError(path, found=f"not JSON ({detail})", expected="a JSON object of metrics") from None
    if not isinstance(document, dict):
        kind = {list: "list", str: "text", bool: "truth value", type(None): "null"}.get(type(document), "number")
        raise InputError(path, found=f"a JSON {kind}", expected="a JSON object of metrics")
    for key in ("r2", "variance_ratio", "mae", "rmse", "selected_epoch", "num_samples"):
        value = document.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise InputError(path, found=f"{value!r:.40} under {key!r}", expected="a number or null")
    config = document.pop("config", None)
    return document, config if isinstance(config, dict) else {}
