"""CatBoost's ``catboost_info``: ``learn_error.tsv`` and ``test_error.tsv``, or the same figures in ``catboost_training.json``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.columns import map_columns
from runreport.ingest.history import histories_of_columns
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.runs import runs_of_parts
from runreport.ingest.table import numbers, read_bytes, read_table
from runreport.marks import clean
from runreport.run import Note, Run

FILES: Mapping[str, str] = {
    "learn_error.tsv": "learn",
    "test_error.tsv": "test",
    "catboost_training.json": "training",
    "time_left.tsv": "time",
}
EVENTS = "events.out.tfevents"
"""CatBoost writes the same figures for TensorBoard in ``learn/`` and ``test/``: one run, not three."""
SETS = (("learn", "train"), ("test", "val"))
"""CatBoost's name of a set and the prefix that the field uses; its test set is the one that stops the training."""
Columns = dict[str, list[float | None]]


def claim(path: Path, head: Head) -> Claim | None:
    """The files of a ``train_dir``, by their names and their first words."""
    if path.name == EVENTS and _is_copy(path):
        folder = path.parent.parent
        return Claim(root=folder, run=folder.resolve().name, kind=f"events {path.parent.name}")
    kind = FILES.get(path.name)
    if kind is None:
        return None
    mine = (
        '"iterations"' in head.text and '"meta"' in head.text if kind == "training" else head.line.startswith("iter\t")
    )
    return Claim(root=path.parent, run=path.parent.resolve().name, kind=kind) if mine else None


def _is_copy(path: Path) -> bool:
    """Whether these events lie in ``learn/`` or ``test/`` of a CatBoost folder."""
    try:
        return any((path.parent.parent / name).is_file() for name in ("learn_error.tsv", "catboost_training.json"))
    except OSError:
        return False


def complete(source: Source) -> Source:
    """The other files of the folder."""
    there = {kind: source.root / name for name, kind in FILES.items() if (source.root / name).is_file()}
    return replace(source, files={**there, **source.files})


def read(source: Source, options: ReadOptions) -> list[Run]:
    """The run of one ``train_dir``; iterations number its epochs.

    Raises
    ------
    InputError
        Neither a table of errors nor a training file that can be read.
    """
    config, notes, best = ({}, [], {}) if "training" not in source.files else _meta(source.files["training"])
    columns: dict[str, Columns] = {}
    path = source.root
    for kind, _ in SETS:
        if kind in source.files:
            path = source.files[kind]
            table = read_table(path)
            if "iter" not in table.header:
                raise InputError(path, found="no column 'iter'", expected="a table of errors by CatBoost")
            columns[kind] = {name: numbers(table, name) for name in table.header}
            notes += table.notes
    if not columns:
        if "training" not in source.files:
            found = "neither learn_error.tsv nor catboost_training.json"
            raise InputError(source.root, found=found, remedy="name the folder that train_dir was set to")
        path = source.files["training"]
        columns = _iterations(path)
    flat, given = _flat(path, columns, best)
    given = {k: v for k, v in given.items() if k not in options.columns and v not in options.columns.values()}
    parts = histories_of_columns(path, flat, {**given, **options.columns}, notes=notes)
    if len({name for name in columns.get("test", {}) if ":" in name}):
        notes_of_sets = "several evaluation sets: the last one, which stops the training, was read as validation"
        parts = [(h, read_as, (*said, Note(code="mapped", message=notes_of_sets))) for h, read_as, said in parts]
    return runs_of_parts(source, parts, config=config)


def _flat(path: Path, columns: Mapping[str, Columns], best: Mapping[str, str]) -> tuple[Columns, dict[str, str]]:
    """One row an iteration over both sets, and known name -> column of it."""
    iterations = sorted({v for of_set in columns.values() for v in of_set.get("iter", []) if v is not None})
    flat: Columns = {"iter": list(iterations)}
    given: dict[str, str] = {}
    for kind, prefix in SETS:
        of_set = columns.get(kind, {})
        rows = of_set.get("iter", [])
        for metric, values in of_set.items():
            if metric == "iter":
                continue
            name = f"{kind} {clean(metric)}"
            at = dict(zip(rows, values, strict=True))
            flat[name] = [at.get(i) for i in iterations]
            known = next(iter(map_columns(path, [f"{prefix}_{metric}"], {})), None)
            if ":" in metric:
                continue
            if known is not None:
                given.setdefault(known, name)
            loss = f"{prefix}_loss"
            if loss not in given and best.get(metric, "Min") == "Min" and metric != "R2":
                # Its own column beside the metric's: RMSE is both the loss and a figure of the report.
                flat[f"{kind}_error.tsv {clean(metric)}"] = flat[name]
                given[loss] = f"{kind}_error.tsv {clean(metric)}"
    return flat, given


def _document(path: Path) -> tuple[Mapping[str, object], list[object]]:
    """``meta`` and ``iterations`` of the training file."""
    try:
        document = json.loads(read_bytes(path, "CatBoost's training log"))
    except (ValueError, RecursionError):
        # A run that was killed leaves the list of iterations open; the tables beside it have the same figures.
        raise InputError(path, found="JSON that is cut off or damaged", expected="CatBoost's training log") from None
    meta = document.get("meta") if isinstance(document, dict) else None
    iterations = document.get("iterations") if isinstance(document, dict) else None
    if not isinstance(meta, dict) or not isinstance(iterations, list):
        raise InputError(path, found="no meta or no iterations", expected="CatBoost's training log")
    return meta, iterations


def _meta(path: Path) -> tuple[dict[str, object], list[Note], dict[str, str]]:
    """(config, notes, metric -> whether its best is Min or Max); nothing but a note where the file is cut off."""
    try:
        meta, _ = _document(path)
    except InputError as error:
        return {}, [Note(code="derived", message=f"{path.name} was not used: {clean(error.found)}")], {}
    count = meta.get("iteration_count")
    config: dict[str, object] = {"iterations": count} if isinstance(count, int) else {}
    return config, [], {name: best for kind in ("learn", "test") for name, best in _metrics(meta, kind)}


def _metrics(meta: Mapping[str, object], kind: str) -> list[tuple[str, str]]:
    listed = meta.get(f"{kind}_metrics")
    entries = [m for m in listed if isinstance(m, dict)] if isinstance(listed, list) else []
    return [(str(m.get("name")), str(m.get("best_value"))) for m in entries]


def _iterations(path: Path) -> dict[str, Columns]:
    """The tables, from the training file alone."""
    meta, listed = _document(path)
    rows = [row for row in listed if isinstance(row, dict) and _number(row.get("iteration")) is not None]
    steps = [_number(row["iteration"]) for row in rows]
    sets = meta.get("test_sets")
    tests = [str(s) for s in sets] if isinstance(sets, list) else ["test"]
    columns: dict[str, Columns] = {"learn": {"iter": list(steps)}, "test": {"iter": list(steps)}}
    for kind, names in (("learn", ["learn"]), ("test", tests)):
        for number, name in enumerate(names):
            for index, (metric, _) in enumerate(_metrics(meta, kind)):
                label = metric if number == len(names) - 1 else f"{metric}:{number}"
                values = [_at(row.get(name), index) for row in rows]
                if any(v is not None for v in values):
                    columns[kind][label] = values
    return columns


def _at(values: object, index: int) -> float | None:
    return _number(values[index]) if isinstance(values, Sequence) and index < len(values) else None


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        return float(value)
    except OverflowError:
        return None


READER = Reader(
    name="catboost",
    reads="CatBoost: catboost_info/ (learn_error.tsv, test_error.tsv, catboost_training.json)",
    claim=claim,
    read=read,
    complete=complete,
)
