"""The native format: what ``training`` (and any loop that logs a row an epoch) leaves behind.

``<run>.csv`` a row an epoch; ``predictions_<run>.csv``; ``metrics_<run>.json``; ``epoch_predictions_<run>.parquet``.
Each is optional as long as one of them is there.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from runreport.errors import InputError, NoFinitePredictionsError
from runreport.history import History
from runreport.ingest.columns import prediction_columns
from runreport.ingest.history import read_histories
from runreport.ingest.table import (
    LARGEST,
    SMALLEST,
    bounded,
    frame,
    read_bytes,
    read_table,
)
from runreport.marks import clean
from runreport.run import Note, Run

if TYPE_CHECKING:
    import polars as pl

FORMAT = "native"
MOST_SPLIT = 40
"""Characters kept of a split's name, which stands in sentences and table cells."""
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
        try:
            predictions, sample_columns, notes = _read_predictions(files["predictions"], columns)
        except NoFinitePredictionsError as error:
            if "history" not in files:
                raise
            notes = (Note(code="predictions.not-finite", message=f"the predictions were left out: {error.found}"),)
    if "epoch_predictions" in files:
        from runreport.ingest.epoch_predictions import check_epoch_predictions

        check_epoch_predictions(files["epoch_predictions"])
    histories: list[tuple[History | None, dict[str, str], tuple[Note, ...]]] = [(None, {}, ())]
    if "history" in files:
        histories = list(read_histories(files["history"], columns))
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
        raise NoFinitePredictionsError(
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
