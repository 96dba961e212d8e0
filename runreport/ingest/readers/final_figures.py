"""Final figures on their own, without a history: ``{"r2": .., "rmse": ..}``, ``metric,value``. Only of a file that was named."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.columns import plain
from runreport.ingest.documents import CONTAINERS, SPLITS, final_figures, flat, number_of, parse_json, read_json
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.series import runs_of_series
from runreport.ingest.table import read_table, to_float
from runreport.ingest.tables import header_of
from runreport.run import Run

METRIC, VALUE = ("metric", "metrics", "name", "measure"), ("value", "score", "values")
EXPECTED = "final figures such as r2, rmse, mae"
MOST_MODELS = 200


def claim(path: Path, head: Head) -> Claim | None:
    """A JSON object with a known score, or a table of metric and value; never out of a folder (see ``named_only``)."""
    if path.suffix.lower() in (".csv", ".tsv"):
        header = header_of(head)
        mine = len(header) == 2 and header[0] in METRIC and header[1] in VALUE
    elif path.suffix.lower() == ".json" and head.text.lstrip().startswith("{"):
        try:
            document = parse_json(head.text)
        except (ValueError, RecursionError, json.JSONDecodeError):
            return None
        mine = isinstance(document, dict) and any(_figures(path, part) for part in _parts(document).values())
    else:
        return None
    return Claim(root=path, run=path.stem, kind="figures") if mine else None


def read(source: Source, options: ReadOptions) -> list[Run]:  # noqa: ARG001  (every reader takes both)
    """A run of final figures; one for each model where the document holds several.

    Raises
    ------
    InputError
        No figure that is known.
    """
    (path,) = source.files.values()
    if path.suffix.lower() == ".json":
        document = read_json(path, EXPECTED)
        parts = _parts(document) if isinstance(document, dict) else {}
    else:
        parts = {"": _pairs(path)}
    found = {label: figures for label, part in parts.items() if (figures := _figures(path, part))}
    if not found:
        raise InputError(path, found="no final figure that is known", expected=EXPECTED)
    runs: list[Run] = []
    for label, figures in found.items():
        name = f"{source.name}[{label}]" if label else source.name
        runs += runs_of_series(replace(source, name=name), path, {}, {}, final=figures)
    return runs


def _pairs(path: Path) -> dict[str, object]:
    table = read_table(path, lenient=True)
    pairs: dict[str, object] = {}
    for row in table.rows:
        try:
            pairs[row[0]] = to_float(row[-1])
        except ValueError:
            continue
    return pairs


def _parts(document: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
    """The document as one run, or an object a model where every key is one."""
    inner = {k: v for k, v in document.items() if isinstance(v, dict)}
    names_models = len(inner) > 1 and not any(plain(k) in SPLITS or plain(k) in CONTAINERS for k in inner)
    if names_models and len(inner) == len(document) <= MOST_MODELS:
        return {plain(k) or "unnamed": v for k, v in inner.items()}
    return {"": document}


def _figures(path: Path, part: Mapping[str, object]) -> dict[str, float]:
    """The numbers of a part, where one is a score that is known; ``test/rmse`` of a nested split."""
    figures = {name: number for name, value in flat(part) if (number := number_of(value)) is not None}
    try:
        scores = final_figures(path, {n: v for n, v in figures.items() if plain(n).split("_")[0] != "train"})
    except InputError:
        return {}
    return figures if set(scores) - {"loss"} else {}


READER = Reader(
    name="figures",
    reads="final figures alone: {r2, rmse, mae} as JSON, metric,value as CSV; only of a file that is named itself",
    claim=claim,
    read=read,
    named_only=True,
)
