"""Predictions on their own: a table of truth and prediction, whatever its columns are called."""

from __future__ import annotations

import csv
import re
from dataclasses import replace
from pathlib import Path

from runreport.ingest.prediction_tables import PARQUET, is_headerless
from runreport.ingest.predictions import looks_like_predictions, runs_of_predictions
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.table import separator_of
from runreport.run import Run

NATIVE = ("predictions_", "epoch_predictions_", "metrics_")
"""Files that begin so belong to a run of the native format."""
ENDINGS = (".csv", ".tsv", ".txt")
NAMED = re.compile(r"pred|result|output|infer|(?:^|[^a-z])(?:test|val|valid|validation)(?:[^a-z]|$)")
"""What a file of predictions is called: needed where it has no header to tell them from any other table."""


def claim(path: Path, head: Head) -> Claim | None:
    """A table with a prediction column and no epochs, three columns without a header, or Parquet named after predictions."""
    name = path.name.lower()
    if name.startswith(NATIVE):
        return None
    mine = False
    if path.suffix.lower() in ENDINGS:
        line = head.line
        if len(line) < 100_000:
            try:
                mine = (is_headerless(line) and NAMED.search(name) is not None) or _has_columns(path, line)
            except csv.Error:
                mine = False
    elif path.suffix.lower() == ".parquet":
        mine = "pred" in name and head.bytes.startswith(PARQUET)
    return Claim(root=path, run=path.stem, kind="predictions") if mine else None


def _has_columns(path: Path, line: str) -> bool:
    header = [cell.strip().lstrip("\ufeff") for cell in next(csv.reader([line], delimiter=separator_of(line)), [])]
    return len(header) > 1 and looks_like_predictions(path, header)


def read(source: Source, options: ReadOptions) -> list[Run]:
    """A run for each model and target.

    Raises
    ------
    InputError
        As :func:`~runreport.ingest.predictions.read_predictions`.
    """
    return runs_of_predictions(source if "predictions" in source.files else _renamed(source), options)


def _renamed(source: Source) -> Source:
    """A file that was given to this reader by ``--reader``, whatever kind it was taken for."""
    (path,) = source.files.values()
    return replace(source, files={"predictions": path})


READER = Reader(
    name="predictions",
    reads="tables of predictions: several models or targets, CGCNN's id,target,prediction (CSV, TSV, Parquet)",
    claim=claim,
    read=read,
)
