"""The native format's artifacts (``predictions_<run>.csv``, ...) beside a log of another format: they belong to its run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError, NoFinitePredictionsError
from runreport.ingest.compressed import ENDINGS as COMPRESSED
from runreport.ingest.compressed import plain_path
from runreport.ingest.derive import of_predictions
from runreport.ingest.predictions import read_one
from runreport.ingest.reader import ReadOptions, Source
from runreport.marks import clean
from runreport.run import Note, Run

OWNERS = frozenset({"native", "predictions"})
"""Readers that find such files themselves, or are of nothing else."""
ENDINGS = (".csv", ".tsv")
KINDS: Mapping[str, tuple[str, ...]] = {
    "predictions": tuple(f"{end}{c}" for c in ("", *COMPRESSED) for end in ENDINGS),
    "metrics": tuple(f".json{c}" for c in ("", *COMPRESSED)),
    "epoch_predictions": (".parquet",),
}
"""What begins such a file's name, and how it may end."""
FIGURES = ("r2", "variance_ratio", "mae", "rmse", "selected_epoch")
"""What a file of metrics must have one of: others may call theirs so too."""


def with_artifacts(sources: Sequence[Source]) -> list[Source]:
    """The sources, each with the artifacts that lie beside it; a file that was given to one is no source of its own."""
    made = [replace(source, beside=_beside(source)) for source in sources]
    given = {path.resolve() for s in made if s.beside for path in (*s.beside.values(), *s.files.values())}
    return [source for source in made if not _is_given(source, given)] if given else made


def _is_given(source: Source, given: set[Path]) -> bool:
    """Whether all that this source has is of others; its table may be their log (Lightning's metrics.csv)."""
    if source.reader != "native" or not set(KINDS) & set(source.files):
        return False
    return all(path.resolve() in given for path in source.files.values())


def _beside(source: Source) -> dict[str, Path]:
    """The artifacts by the run's name or its log's, in the log's folder; by the run's name also beside a run's folder."""
    if source.reader in OWNERS or "predictions" in source.files:
        return {}
    own = set(source.files.values())
    found: dict[str, Path] = {}
    for folder, name in _places(source):
        if "/" in name or any((log := folder / f"{name}{end}").is_file() and log not in own for end in ENDINGS):
            continue  # the native format's: <run>.csv with its artifacts
        for kind, endings in KINDS.items():
            paths = (folder / f"{kind}_{name}{end}" for end in endings)
            there = next((path for path in paths if path.is_file() and path not in own), None)
            if there is not None:
                found.setdefault(kind, there)
    return found


def _places(source: Source) -> Iterator[tuple[Path, str]]:
    """(folder, run's name) under which artifacts may lie."""
    stems = [plain_path(path).stem for kind, path in source.files.items() if kind == "history"]
    for folder in dict.fromkeys(path.parent for path in source.files.values()):
        for name in dict.fromkeys((source.name, *stems)):
            yield folder, name
    if source.root.is_dir() and source.root.resolve().name == source.name:
        yield source.root, source.name
        yield source.root.resolve().parent, source.name


def attached(runs: Sequence[Run], beside: Mapping[str, Path], options: ReadOptions) -> list[Run]:
    """The runs of one log with these artifacts: the run's, or those of the last part where epochs start again.

    Raises
    ------
    InputError
        Predictions that cannot be used: a report on the rest would look whole and not be.
    """
    if not runs:
        return []
    *before, last = runs
    parted = bool(before) and last.name.endswith(f"-part{len(runs)}")
    if (before and not parted) or last.predictions is not None:
        why = f"the log holds {len(runs)} runs" if before else "the log has predictions of its own"
        names = ", ".join(path.name for path in beside.values())
        note = Note(code="unused", message=f"{names} {'was' if len(beside) == 1 else 'were'} not used: {why}")
        return [replace(runs[0], notes=(*runs[0].notes, note)), *runs[1:]]
    if "metrics" in beside:
        last = _with_metrics(last, beside["metrics"])
    if "epoch_predictions" in beside:
        from runreport.ingest.epoch_predictions import check_epoch_predictions

        path = beside["epoch_predictions"]
        check_epoch_predictions(path)
        last = replace(last, epoch_predictions=path, files={**last.files, "epoch_predictions": path})
    if "predictions" in beside:
        last = _with_predictions(last, beside["predictions"], options)
    return [*before, last]


def _with_metrics(run: Run, path: Path) -> Run:
    """The run with the final figures and the settings of this file, where it is one of metrics."""
    from runreport.ingest.native import read_summary, split_named

    try:
        summary, config = read_summary(path)
        why = (
            None
            if any(isinstance(summary.get(n), int | float) for n in FIGURES)
            else "no r2, variance_ratio, mae or rmse"
        )
    except InputError as error:
        why = clean(error.found)
    if why is not None:
        return replace(run, notes=(*run.notes, Note(code="unused", message=f"{path.name} was not used: {why}")))
    return replace(
        run,
        files={**run.files, "metrics": path},
        summary={**run.summary, **summary},
        config={**run.config, **config},
        split=split_named(summary["split"]) if "split" in summary else run.split or "test",
    )


def _with_predictions(run: Run, path: Path, options: ReadOptions) -> Run:
    """The run with these predictions; without them, and that is said, where not one is finite."""
    try:
        found = read_one(path, options)
    except NoFinitePredictionsError as error:
        note = Note(code="predictions.not-finite", message=f"the predictions were left out: {error.found}")
        return replace(run, notes=(*run.notes, note))
    named = {known: theirs for known, theirs in found.columns_read.items() if known != theirs}
    split = run.summary.get("split") or found.split or "test"
    return replace(
        run,
        files={**run.files, "predictions": path},
        predictions=found.rows,
        split=str(split),
        columns_read={**run.columns_read, **named},
        notes=(*run.notes, *of_predictions(found.notes)),
    )
