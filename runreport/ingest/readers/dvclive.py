"""DVCLive: ``dvclive/plots/metrics/**/<name>.tsv``, a file a metric; ``metrics.json``; ``params.yaml``."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.scalars import flat, read_yaml
from runreport.ingest.series import Point, runs_of_series
from runreport.ingest.table import numbers, read_bytes, read_table
from runreport.marks import clean
from runreport.run import Note, Run

FOLDERS = ("plots", "metrics")
MOST_DEPTH = 6
"""Folders below ``plots/metrics`` that a metric's name may make."""
BESIDE = ("metrics.json", "params.yaml", "report.md", "report.html", "report.ipynb", "dvc.yaml")
"""Files that DVCLive writes beside ``plots``; the reports repeat the metrics."""
OLD_FOLDER = "scalars"
"""Where versions before 1.0 kept the metrics."""


def claim(path: Path, head: Head) -> Claim | None:
    """A metric by the folder it lies in and its ``step`` column; the folder's summary and settings beside them."""
    if path.suffix == ".tsv":
        root = _root(path)
        if root is None or "step" not in head.line.split("\t"):
            return None
        return Claim(
            root=root, run=_name(root), kind=f"metric {path.relative_to(_metrics(root)).with_suffix('').as_posix()}"
        )
    summary_alone = (
        path.name == "metrics.json" and path.parent.name == "dvclive"
    )  # figures that were logged once have no plot
    if path.name in BESIDE and (_metrics(path.parent).is_dir() or summary_alone):
        return Claim(root=path.parent, run=_name(path.parent), kind=path.name)
    return None


def _root(path: Path) -> Path | None:
    """The folder that holds ``plots/metrics``, for a file below that."""
    for depth, parent in enumerate(path.parents):
        if depth > MOST_DEPTH:
            return None
        if parent.name in (FOLDERS[1], OLD_FOLDER) and parent.parent.name == FOLDERS[0]:
            return parent.parent.parent
    return None


def _metrics(root: Path) -> Path:
    new = root.joinpath(*FOLDERS)
    return new if new.is_dir() else root / FOLDERS[0] / OLD_FOLDER


def _name(root: Path) -> str:
    """``dvclive`` is what every run's folder is called: the one above it says which."""
    folder = root.resolve()
    return (folder.parent.name or folder.name) if folder.name == "dvclive" else folder.name


def complete(source: Source) -> Source:
    """Every metric of the folder, whichever was named."""
    folder = _metrics(source.root)
    files = {
        f"metric {path.relative_to(folder).with_suffix('').as_posix()}": path
        for path in (sorted(folder.rglob("*.tsv")) if folder.is_dir() else [])
        if path.is_file()
    }
    beside = {name: source.root / name for name in ("metrics.json", "params.yaml") if (source.root / name).is_file()}
    return replace(source, files={**files, **beside, **source.files})


def read(source: Source, options: ReadOptions) -> list[Run]:
    """The run of one folder.

    A metric that ``metrics.json`` alone has (logged with ``plot=False``, or a file of its own lost) is a final figure.

    Raises
    ------
    InputError
        No metric, or none that is known.
    """
    notes: list[Note] = []
    series: dict[str, list[Point]] = {}
    for kind, path in source.files.items():
        part, _, name = kind.partition(" ")
        if part == "metric":
            series[name] = _points(path, notes)
    last = _last(source.files.get("metrics.json"), notes)
    final = {name: value for name, value in last.items() if name != "step" and name not in series}
    config: dict[str, object] = {}
    if "params.yaml" in source.files:
        try:
            config = read_yaml(source.files["params.yaml"])
        except InputError as error:
            notes.append(Note(code="derived", message=f"params.yaml was not used: {clean(error.found)}"))
    return runs_of_series(source, source.root, series, options.columns, final=final, config=config, notes=notes)


def _points(path: Path, notes: list[Note]) -> list[Point]:
    """The values of one metric. The file names its last column after itself; its time is kept only where all have one."""
    try:
        table = read_table(path)
    except InputError as error:
        notes.append(Note(code="derived", message=f"{clean(path.name)} was not used: {clean(error.found)}"))
        return []
    notes += [replace(note, message=f"{clean(path.name)}: {note.message}") for note in table.notes]
    value = next((name for name in reversed(table.header) if name not in ("step", "timestamp")), None)
    if value is None or "step" not in table.header:
        return []
    steps, values = numbers(table, "step"), numbers(table, value)
    return [Point(s, v) for s, v in zip(steps, values, strict=True) if s is not None and v is not None]


def _last(path: Path | None, notes: list[Note]) -> Mapping[str, float]:
    """The last values by name, ``train/loss`` for a nested one."""
    if path is None:
        return {}
    try:
        document = json.loads(read_bytes(path, "a JSON object of metrics"))
    except (ValueError, RecursionError, InputError):
        notes.append(Note(code="derived", message="metrics.json was not used: no JSON object of metrics"))
        return {}
    values: dict[str, float] = {}
    for name, value in flat(document).items():
        if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < math.inf:
            values[name.replace(".", "/")] = float(value)
    return values


READER = Reader(
    name="dvclive",
    reads="DVCLive: dvclive/plots/metrics/, metrics.json, params.yaml",
    claim=claim,
    read=read,
    complete=complete,
)
