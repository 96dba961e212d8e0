"""Charts that were downloaded as CSV: TensorBoard's ``Wall time,Step,Value``, Weights & Biases' ``run - metric`` columns, and
``step,value`` in a file that bears the metric's name."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.columns import plain
from runreport.ingest.documents import measures
from runreport.ingest.preamble import cells_of
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.series import Point, runs_of_series
from runreport.ingest.table import is_number, numbers, read_table
from runreport.marks import clean
from runreport.run import Note, Run

BOARD = ("Wall time", "Step", "Value")
ONE_METRIC = frozenset(
    ("step", "epoch", "iteration", "value", "wall_time", "timestamp", "time", "relative_time", "date")
)
"""Columns of a file of one metric that bears its name: what Neptune, Aim and MLflow's page download as ``val_loss.csv``."""
NAMED = re.compile(r"run-(?P<run>.*?)-tag-(?P<tag>.+)")
"""What TensorBoard calls a download: ``run-train-tag-epoch_loss.csv``, in which slashes have become underscores."""
BETWEEN = " - "
"""What W&B puts between a run's name and the metric's."""
EXTREMES = ("__MIN", "__MAX")
"""Least and largest value of a point that stands for several steps."""


def claim(path: Path, head: Head) -> Claim | None:
    """A CSV with one of these headers."""
    if path.suffix.lower() != ".csv":
        return None
    names = cells_of(head.line.lstrip("\ufeff"))
    if ONE_METRIC.issuperset(map(plain, names)) and "value" in names and measures(path.stem):
        return Claim(root=path.parent, run=path.parent.resolve().name or "run", kind=path.stem)
    if tuple(names) == BOARD:
        named = NAMED.fullmatch(path.stem)
        run = (named["run"].strip("._") if named else "") or path.parent.resolve().name or "run"
        return Claim(root=path.parent, run=run, kind=named["tag"] if named else path.stem)
    if len(names) > 1 and any(n.endswith(EXTREMES) and BETWEEN in n for n in names):
        return Claim(root=path, run=path.stem, kind="export")
    return None


def read(source: Source, options: ReadOptions) -> list[Run]:
    """The run of the charts of one download folder, or the runs of one chart of W&B.

    Raises
    ------
    InputError
        No figure that is known: the message names those that are there.
    """
    if "export" in source.files:
        return _of_wandb(source, options)
    series: dict[str, list[Point]] = {}
    for tag, path in source.files.items():
        series[tag] = _points(path)
    path = next(iter(source.files.values()))
    return runs_of_series(source, path, series, options.columns)


def _points(path: Path) -> list[Point]:
    """The chart of one metric; its times where they are numbers."""
    table = read_table(path)
    names = {plain(name): name for name in table.header}
    axis = next((names[n] for n in ("step", "epoch", "iteration") if n in names), None)
    if axis is None or "value" not in names:
        raise InputError(path, found=f"columns {', '.join(table.header[:8])}", expected="step,value")
    times: list[float | None] = [None] * len(table.rows)
    if (clock := names.get("wall_time", names.get("timestamp"))) is not None and all(
        map(is_number, table.column(clock))
    ):
        times = numbers(table, clock)
    rows = zip(numbers(table, axis), numbers(table, names["value"]), times, strict=True)
    return [Point(step, value, time) for step, value, time in rows if step is not None and value is not None]


def _of_wandb(source: Source, options: ReadOptions) -> list[Run]:
    path = source.files["export"]
    table = read_table(path)
    axis, *others = table.header
    steps = numbers(table, axis)
    runs: dict[str, dict[str, list[Point]]] = {}
    for name in others:
        run, found, metric = name.rpartition(BETWEEN)
        if not found or name.endswith(EXTREMES):
            continue
        values = zip(steps, numbers(table, name), strict=True)
        points = [Point(step, value) for step, value in values if step is not None and value is not None]
        if metric == "_step" or not points:
            continue
        runs.setdefault(run, {})[metric] = points
    if not runs:
        raise InputError(path, found="no column of a run and a metric", expected="columns such as 'run-1 - val_loss'")
    found_runs: list[Run] = []
    notes = [Note(code="mapped", message=f"a download from Weights & Biases: {clean(axis)} numbers the rows")]
    for run, series in runs.items():
        name = source.name if len(runs) == 1 else f"{source.name}[{clean(run)[:60]}]"
        found_runs += runs_of_series(replace(source, name=name), path, series, options.columns, notes=notes)
    return found_runs


READER = Reader(
    name="chart-csv",
    reads="charts as CSV: TensorBoard (run-*-tag-*.csv), Weights & Biases (run - metric columns), <metric>.csv of step,value",
    claim=claim,
    read=read,
)
