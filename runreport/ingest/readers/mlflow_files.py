"""MLflow's file store: ``mlruns/<experiment>/<run>/metrics/<name>``, a line a logged value."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.scalars import read_yaml, scalar
from runreport.ingest.series import Point, runs_of_series
from runreport.ingest.table import read_text, to_float
from runreport.marks import clean
from runreport.run import Note, Run

META = "meta.yaml"
PARTS = ("metrics", "params", "tags")
"""Folders of a run; a name with slashes in it makes folders below them."""
MOST_DEPTH = 6
"""Folders below ``metrics`` that are looked through for the one that has it."""
MAX_FILES = 10_000
"""Files of one run that are read."""
RUN_KEYS = ("run_id:", "run_uuid:")
FIELDS = (2, 3, 4, 5, 6)
"""A line is ``timestamp value [step [dataset digest]]``; under a logged model a run's id stands at its end as well."""


def claim(path: Path, head: Head) -> Claim | None:
    """The files of a run folder: its ``meta.yaml`` and what lies in its metrics, params and tags."""
    if path.name == META:
        folder = path.parent
        if _deleted_experiment(folder) or not any(line.startswith(RUN_KEYS) for line in head.text.splitlines()):
            return None
        return Claim(root=folder, run=folder.resolve().name, kind="meta")
    if set(path.parts).isdisjoint(PARTS):
        return None
    for depth, parent in enumerate(path.parents):
        if depth > MOST_DEPTH:
            return None
        if parent.name in PARTS and _is_run(parent.parent):
            name = path.relative_to(parent).as_posix()
            return Claim(root=parent.parent, run=parent.parent.resolve().name, kind=f"{parent.name}/{name}")
    return None


def _is_run(folder: Path) -> bool:
    """Whether a folder is a run's: named by its id, in no rubbish bin, and no logged model (which repeats a run's figures)."""
    try:
        return not _deleted_experiment(folder) and folder.parent.name != "models" and (folder / META).is_file()
    except OSError:
        return False


def _deleted_experiment(folder: Path) -> bool:
    return ".trash" in folder.parts


def complete(source: Source) -> Source:
    """Every file of the run folder, whichever of them was named."""
    files: dict[str, Path] = {}
    if (source.root / META).is_file():
        files["meta"] = source.root / META
    for part in PARTS[:2]:
        folder = source.root / part
        for path in sorted(folder.rglob("*")) if folder.is_dir() else []:
            if len(files) >= MAX_FILES:
                raise InputError(source.root, found=f"more than {MAX_FILES} files", expected="the folder of one run")
            if path.is_file():
                files[f"{part}/{path.relative_to(folder).as_posix()}"] = path
    return replace(source, files={**files, **source.files})


def read(source: Source, options: ReadOptions) -> list[Run]:
    """The run of one folder; none where MLflow counts it as deleted.

    Raises
    ------
    InputError
        No metrics, none that is known, or a line that is no logged value.
    """
    meta: dict[str, object] = {}
    notes: list[Note] = []
    if "meta" in source.files:
        try:
            meta = read_yaml(source.files["meta"])
        except InputError as error:
            notes.append(Note(code="derived", message=f"{META} was not used: {clean(error.found)}"))
    if meta.get("lifecycle_stage") == "deleted":
        return []
    series: dict[str, list[Point]] = {}
    config: dict[str, object] = {}
    for kind, path in source.files.items():
        part, _, name = kind.partition("/")
        if part == "metrics":
            series[name] = _points(path, notes)
        elif part == "params":
            config[clean(name)] = _param(path)
    if not series:
        raise InputError(source.root, found="no metrics", expected="at least one file in metrics/")
    title = meta.get("run_name")
    named = replace(source, name=clean(title).strip() or source.name) if isinstance(title, str) else source
    return runs_of_series(named, source.root / "metrics", series, options.columns, config=config, notes=notes)


def _param(path: Path) -> object:
    try:
        return scalar(read_text(path))
    except InputError:  # an empty parameter is an empty file
        return None


def _points(path: Path, notes: list[Note]) -> list[Point]:
    """The values of one metric, in the order logged; lines of old stores have no step and are numbered.

    MLflow itself takes step 0 for a line of five fields though the step is the third of them: here it is read.
    """
    lines = [line for line in read_text(path).split("\n") if line.strip()]
    points: list[Point] = []
    for number, line in enumerate(lines):
        fields = line.split(" ")
        try:
            if len(fields) not in FIELDS:
                raise ValueError(line)
            step = float(number) if len(fields) == 2 else to_float(fields[2])
            points.append(Point(step, to_float(fields[1]), to_float(fields[0])))
        except ValueError:
            if number == len(lines) - 1 and points:
                notes.append(Note(code="log.truncated", message=f"the last line of {clean(path.name)} is cut off"))
                break
            raise InputError(
                path, found=f"{line[:40]!r} on line {number + 1}", expected="a line `timestamp value step`"
            ) from None
    return points


READER = Reader(
    name="mlflow",
    reads="MLflow's file store: mlruns/<experiment>/<run>/metrics/",
    claim=claim,
    read=read,
    complete=complete,
)
