"""MLflow's SQLite store (``mlflow.db``), the default since MLflow 3.7: many runs in one file."""

from __future__ import annotations

import math
import sqlite3
from dataclasses import replace
from itertools import groupby
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.scalars import scalar
from runreport.ingest.series import Point, runs_of_series, with_left_out
from runreport.ingest.sqlite import ENDINGS, MAGIC, bounded_rows, database, has_columns
from runreport.marks import clean
from runreport.run import Run

STORED_INFINITY = 1.7976931348623157e308
"""What MLflow stores for an infinity, which the column of its schema cannot hold."""
WORDS = (b"latest_metrics", b"is_nan")
"""Of the schema, which stands at the beginning of every SQLite file."""


def claim(path: Path, head: Head) -> Claim | None:
    """A database whose schema has MLflow's tables."""
    if path.suffix.lower() not in ENDINGS or not head.bytes.startswith(MAGIC):
        return None
    if path.name != "mlflow.db" and not (all(word in head.bytes for word in WORDS) or _has_schema(path)):
        return None
    return Claim(root=path, run=path.stem, kind="database")


def _has_schema(path: Path) -> bool:
    """The same asked of the database, for a schema that is longer than the bytes looked at."""
    try:
        with database(path) as connection:
            return _readable(connection)
    except InputError:
        return False


def _readable(connection: sqlite3.Connection) -> bool:
    return has_columns(
        connection, "metrics", "key", "value", "timestamp", "step", "is_nan", "run_uuid"
    ) and has_columns(connection, "runs", "run_uuid", "name", "lifecycle_stage")


def read(source: Source, options: ReadOptions) -> list[Run]:
    """Its runs that are not deleted and have metrics, in the order they were started.

    Raises
    ------
    InputError
        No tables of MLflow's, or none of its runs with a metric that is known.
    """
    path = source.files["database"]
    problem: InputError | None = None
    failed: set[str] = set()
    with database(path) as connection:
        if not _readable(connection):
            raise InputError(path, found="a database without MLflow's runs and metrics", expected="an MLflow store")
        bounded_rows(path, connection, "metrics")
        names = _active(connection)
        settings = _settings(connection)
        by_run = connection.execute(
            "SELECT run_uuid, key, step, value, is_nan, timestamp FROM metrics ORDER BY run_uuid, timestamp, step"
        )
        found: dict[str, list[Run]] = {}
        for run_id, rows in groupby(by_run, key=lambda row: str(row[0])):
            if run_id not in names:
                continue
            series: dict[str, list[Point]] = {}
            for _, key, step, value, is_nan, timestamp in rows:
                point = _point(step, value, is_nan, timestamp)
                if point is not None:
                    series.setdefault(str(key), []).append(point)
            named = replace(source, name=names[run_id])
            try:
                found[run_id] = runs_of_series(named, path, series, options.columns, config=settings.get(run_id, {}))
            except InputError as error:
                failed.add(run_id)
                problem = InputError(f"{path} run {names[run_id]}", found=error.found, expected=error.expected)
    runs = [run for run_id in names for run in found.get(run_id, [])]
    if not runs:
        raise problem or InputError(path, found="no run with metrics", expected="at least one run with a logged metric")
    return with_left_out(runs, [names[i] for i in names if i in failed])


def _active(connection: sqlite3.Connection) -> dict[str, str]:
    """Run id -> name of the runs that are not deleted, the oldest first."""
    order = "start_time" if has_columns(connection, "runs", "start_time") else "rowid"
    gone = set()
    if has_columns(connection, "experiments", "experiment_id", "lifecycle_stage"):
        rows = connection.execute("SELECT experiment_id FROM experiments WHERE lifecycle_stage = 'deleted'")
        gone = {row[0] for row in rows}
    of = "experiment_id" if has_columns(connection, "runs", "experiment_id") else "NULL"
    rows = connection.execute(
        f"SELECT run_uuid, name, {of} FROM runs WHERE lifecycle_stage IS NOT 'deleted' ORDER BY {order}"
    )
    names: dict[str, str] = {}
    for run_id, name, experiment in rows:
        if experiment in gone:
            continue
        names[str(run_id)] = clean(name or "").strip() or str(run_id)[:8]
    return names


def _settings(connection: sqlite3.Connection) -> dict[str, dict[str, object]]:
    if not has_columns(connection, "params", "key", "value", "run_uuid"):
        return {}
    settings: dict[str, dict[str, object]] = {}
    for run_id, key, value in connection.execute("SELECT run_uuid, key, value FROM params"):
        settings.setdefault(str(run_id), {})[clean(key)] = scalar(str(value))
    return settings


def _point(step: object, value: object, is_nan: object, timestamp: object) -> Point | None:
    """A row as logged; None where a damaged row has no numbers."""
    if not isinstance(step, int | float) or not isinstance(timestamp, int | float):
        return None
    if is_nan == 1:
        return Point(float(step), math.nan, float(timestamp))
    if not isinstance(value, int | float):
        return None
    number = float(value)
    if abs(number) >= STORED_INFINITY:
        number = math.copysign(math.inf, number)
    return Point(float(step), number, float(timestamp))


READER = Reader(
    name="mlflow-sqlite",
    reads="MLflow's SQLite store: mlflow.db, every run that is not deleted",
    claim=claim,
    read=read,
)
