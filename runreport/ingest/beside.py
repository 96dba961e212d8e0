"""``predictions_<run>.csv`` beside a log of another format: it belongs to the run of that log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from runreport.errors import NoFinitePredictionsError
from runreport.ingest.compressed import plain_path
from runreport.ingest.derive import of_predictions
from runreport.ingest.predictions import read_one
from runreport.ingest.reader import ReadOptions, Source
from runreport.run import Note, Run

OWNERS = frozenset({"native", "predictions"})
"""Readers that find such a file themselves, or are of nothing else."""
ENDINGS = (".csv", ".tsv")


def with_predictions(sources: Sequence[Source]) -> list[Source]:
    """The sources, each with the predictions that lie beside it; a file of predictions that was given to one is no source."""
    made = [replace(source, predictions=_beside(source)) for source in sources]
    whole = [source for source in made if source.predictions is not None]
    given = {path.resolve() for s in whole for path in (s.predictions, *s.files.values()) if path is not None}
    return [source for source in made if not _is_given(source, given)] if given else made


def _is_given(source: Source, given: set[Path]) -> bool:
    """Whether all that this source has is of others; its table may be their log (Lightning's metrics.csv)."""
    if source.reader != "native" or "predictions" not in source.files:
        return False
    return all(path.resolve() in given for path in source.files.values())


def _beside(source: Source) -> Path | None:
    """``predictions_`` and the run's name or its log's, in the log's folder; by the run's name also beside a run's folder."""
    if source.reader in OWNERS or "predictions" in source.files:
        return None
    folders = dict.fromkeys(path.parent for path in source.files.values())
    stems = [plain_path(path).stem for kind, path in source.files.items() if kind == "history"]
    places = [(folder, name) for folder in folders for name in dict.fromkeys((source.name, *stems))]
    if source.root.is_dir() and source.root.resolve().name == source.name:
        places += [(source.root, source.name), (source.root.resolve().parent, source.name)]
    own = set(source.files.values())
    for folder, name in places:
        if "/" in name or any((log := folder / f"{name}{end}").is_file() and log not in own for end in ENDINGS):
            continue  # the native format's: <run>.csv with its predictions
        for end in ENDINGS:
            path = folder / f"predictions_{name}{end}"
            if path.is_file() and path not in own:
                return path
    return None


def attached(runs: Sequence[Run], path: Path, options: ReadOptions) -> list[Run]:
    """The runs of one log with the predictions of this file: the run's, or those of the last part where epochs start again.

    Raises
    ------
    InputError
        The predictions cannot be used: a report on the rest would look whole and not be.
    """
    if not runs:
        return []
    *before, last = runs
    parted = bool(before) and last.name.endswith(f"-part{len(runs)}")
    if (before and not parted) or last.predictions is not None:
        why = f"the log holds {len(runs)} runs" if before else "the log has predictions of its own"
        note = Note(code="unused", message=f"{path.name} was not used: {why}")
        return [replace(runs[0], notes=(*runs[0].notes, note)), *runs[1:]]
    try:
        found = read_one(path, options)
    except NoFinitePredictionsError as error:
        note = Note(code="predictions.not-finite", message=f"the predictions were left out: {error.found}")
        return [*before, replace(last, notes=(*last.notes, note))]
    named = {known: theirs for known, theirs in found.columns_read.items() if known != theirs}
    split = last.summary.get("split") or found.split or "test"
    whole = replace(
        last,
        files={**last.files, "predictions": path},
        predictions=found.rows,
        split=str(split),
        columns_read={**last.columns_read, **named},
        notes=(*last.notes, *of_predictions(found.notes)),
    )
    return [*before, whole]
