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
from runreport.ingest.derive import of_predictions
from runreport.ingest.history import read_histories
from runreport.ingest.predictions import read_one, runs_of_predictions
from runreport.ingest.reader import ReadOptions, Source
from runreport.ingest.table import (
    bounded,
    read_bytes,
)
from runreport.marks import clean
from runreport.run import Note, Run

if TYPE_CHECKING:
    import polars as pl

MOST_SPLIT = 40
"""Characters kept of a split's name, which stands in sentences and table cells."""


def read_native(source: Source, options: ReadOptions) -> list[Run]:
    """The run of these artifacts; several where the history file holds several.

    Raises
    ------
    InputError
        Where one of the files cannot be used: a report on the rest would look whole and not be.
    """
    name, files, columns = source.name, source.files, options.columns
    summary, config = read_summary(files["metrics"]) if "metrics" in files else ({}, {})
    if set(files) == {"metrics"} and not any(isinstance(v, int | float) for v in summary.values()):
        found = "no figures, and the run has no other file"
        raise InputError(files["metrics"], found=found, expected="r2, variance_ratio, mae or rmse")
    predictions: pl.DataFrame | None = None
    notes: tuple[Note, ...] = ()
    sample_columns: Mapping[str, str] = {}
    own_split: str | None = None
    if set(files) == {"predictions"}:
        return runs_of_predictions(source, options)
    if "predictions" in files:
        try:
            found_predictions = read_one(files["predictions"], options)
            predictions, notes = found_predictions.rows, of_predictions(found_predictions.notes)
            sample_columns, own_split = found_predictions.columns_read, found_predictions.split
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
    split = summary.get("split") or own_split
    runs = []
    for index, (history, read_as, history_notes) in enumerate(histories):
        last = index == len(histories) - 1
        # Only the last of several runs in one file can be the one that the final artifacts belong to.
        runs.append(
            Run(
                name=name if len(histories) == 1 else f"{name}-part{index + 1}",
                format=source.reader,
                files=files if last else {"history": files["history"]},
                history=history,
                predictions=predictions if last else None,
                epoch_predictions=files.get("epoch_predictions") if last else None,
                split=split_named(split) if last and (predictions is not None or summary) else None,
                summary=summary if last else {},
                config=config if last else {},
                columns_read={k: v for k, v in ({**read_as, **(sample_columns if last else {})}).items() if k != v},
                notes=(*history_notes, *(notes if last else ())),
            )
        )
    return runs


def split_named(split: object) -> str:
    """A split as a run's artifacts call it, fit to stand in a sentence; test where they do not say."""
    return clean(split)[:MOST_SPLIT].strip() or "test" if isinstance(split, str) else "test"


def _finite(text: str) -> float | None:
    """A JSON number; None where its square would be beyond the range of a float, as an infinity is."""
    value = bounded(float(text))
    return value if math.isfinite(value) else None


def _whole(text: str) -> int | None:
    """A whole JSON number; None where it is beyond that too, so that no later arithmetic overflows."""
    return int(text) if _finite(text) is not None else None


def read_summary(path: Path) -> tuple[dict[str, object], dict[str, object]]:
    """The run's own figures and its config; NaN and infinities in the JSON become None (undefined).

    Raises
    ------
    InputError
        No JSON object, or a figure that is no number.
    """
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
