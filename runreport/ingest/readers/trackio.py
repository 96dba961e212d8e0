"""Trackio's SQLite store: a database a project, metrics as JSON a row."""

from __future__ import annotations

import json
import math
import sqlite3
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.scalars import flat
from runreport.ingest.series import Point, runs_of_series, with_left_out
from runreport.ingest.sqlite import ENDINGS, MAGIC, bounded_rows, database, has_columns
from runreport.marks import clean
from runreport.run import Run

WORDS: Mapping[str, float] = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}
"""What Trackio writes where JSON has no number."""
MOST_DEPTH = 8
"""Nesting of logged mappings (``{"val": {"loss": 1}}``) that is followed."""
NEEDED = ("run_name", "step", "metrics")


def claim(path: Path, head: Head) -> Claim | None:
    """A database with Trackio's metrics table."""
    if path.suffix.lower() not in ENDINGS or not head.bytes.startswith(MAGIC):
        return None
    try:
        with database(path) as connection:
            mine = has_columns(connection, "metrics", *NEEDED)
    except InputError:
        return None
    return Claim(root=path, run=path.stem, kind="database") if mine else None


def read(source: Source, options: ReadOptions) -> list[Run]:
    """The runs of the project, in the order they were first logged.

    Raises
    ------
    InputError
        No table of Trackio's, or no run with a metric that is known.
    """
    path = source.files["database"]
    with database(path) as connection:
        if not has_columns(connection, "metrics", *NEEDED):
            raise InputError(path, found="a database without Trackio's metrics", expected="a Trackio project")
        bounded_rows(path, connection, "metrics")
        names, logged = _logged(connection)
        settings = _settings(connection)
    runs: list[Run] = []
    failed: list[str] = []
    problem: InputError | None = None
    for run_id, series in logged.items():
        named = replace(source, name=clean(names[run_id]).strip() or source.name)
        try:
            runs += runs_of_series(named, path, series, options.columns, config=settings.get(run_id, {}))
        except InputError as error:
            failed.append(named.name)
            problem = InputError(f"{path} run {named.name}", found=error.found, expected=error.expected)
    if not runs:
        raise problem or InputError(path, found="no logged rows", expected="at least one run with a logged metric")
    return with_left_out(runs, failed)


def _logged(connection: sqlite3.Connection) -> tuple[dict[str, str], dict[str, dict[str, list[Point]]]]:
    """Run id -> name, and run id -> its series; the order of the rows stands for the time, which whole batches share."""
    run_id = "run_id" if has_columns(connection, "metrics", "run_id") else "run_name"  # early versions had no ids
    names: dict[str, str] = {}
    logged: dict[str, dict[str, list[Point]]] = {}
    rows = connection.execute(f"SELECT {run_id}, run_name, step, metrics FROM metrics ORDER BY rowid")
    for order, (key, name, step, text) in enumerate(rows):
        if not isinstance(step, int | float):
            continue
        names.setdefault(str(key), str(name))
        series = logged.setdefault(str(key), {})
        for metric, value in _numbers(_json(text)):
            series.setdefault(metric, []).append(Point(float(step), value, float(order)))
    return names, logged


def _settings(connection: sqlite3.Connection) -> dict[str, dict[str, object]]:
    """Run id -> what it was configured with; Trackio's own entries begin with an underscore."""
    if not has_columns(connection, "configs", "run_name", "config"):
        return {}
    run_id = "run_id" if has_columns(connection, "configs", "run_id") else "run_name"
    settings: dict[str, dict[str, object]] = {}
    for key, text in connection.execute(f"SELECT {run_id}, config FROM configs"):
        settings[str(key)] = {name: value for name, value in flat(_json(text)).items() if not name.startswith("_")}
    return settings


def _json(text: object) -> object:
    """A JSON cell, None where it is damaged."""
    try:
        return json.loads(text) if isinstance(text, str | bytes) else None
    except (ValueError, RecursionError):
        return None


def _numbers(value: object, name: str = "", depth: int = 0) -> list[tuple[str, float]]:
    """(metric, value) of the numbers in a logged mapping, nested ones by their path; text and media are left out."""
    if isinstance(value, Mapping):
        if depth > MOST_DEPTH or "_type" in value:  # images, tables and histograms say their type
            return []
        return [n for key, v in value.items() for n in _numbers(v, f"{name}/{key}" if name else str(key), depth + 1)]
    if isinstance(value, str) and value in WORDS:
        return [(name, WORDS[value])]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return []
    try:
        return [(name, float(value))]
    except OverflowError:
        return [(name, math.inf if value > 0 else -math.inf)]


READER = Reader(
    name="trackio",
    reads="Trackio: <project>.db, every run of the project",
    claim=claim,
    read=read,
)
