"""TensorBoard's event files, as PyTorch, Lightning, Keras and others write them; needs the extra ``tensorboard``."""

from __future__ import annotations

import logging
import math
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module  # the library has no types, and may be absent
from pathlib import Path
from typing import Any

from runreport.errors import InputError
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.scalars import read_yaml
from runreport.ingest.series import Point, runs_of_series
from runreport.ingest.table import MAX_BYTES, read_bytes
from runreport.marks import clean
from runreport.run import Note, Run
from runreport.wording import plural

EVENTS = "events.out.tfevents"
"""What every event file is called, with a time, a host and a number after it."""
PROFILE = ".profile-empty"
"""Ending of a marker that TensorFlow's profiler leaves beside the events."""
SPLITS = {"train": "train", "validation": "val"}
"""Keras writes these two folders for one run, and its scalars per epoch under this prefix:"""
EPOCH = "epoch_"
BY_STEP = "_vs_iterations"
"""Ending of the copies that Keras logs of its validation figures, by the step instead of the epoch."""
HYPERPARAMETERS = "hparams.yaml"
"""Lightning's settings beside its event files."""
SMALL = 256
"""Bytes below which a file may be empty or a pointer to a file elsewhere: events of one epoch take more."""
FRAME = 16
"""Bytes of a record beside its data."""
MAX_POINTS = 20_000_000
"""Values read of one run: more would not fit in memory beside anything else."""


def claim(path: Path, head: Head) -> Claim | None:  # noqa: ARG001  (every claim takes both)
    """An event file by its name; Keras' ``train/`` and ``validation/`` are one run."""
    if EVENTS not in path.name or path.name.endswith(PROFILE):
        return None
    folder = path.parent
    try:
        pair = folder.name in SPLITS and any(
            _has_events(folder.parent / other) for other in SPLITS if other != folder.name
        )
    except OSError:
        pair = False
    if pair:
        return Claim(root=folder.parent, run=_name(folder.parent), kind=f"{folder.name}/{path.name}")
    return Claim(root=folder, run=_name(folder), kind=path.name)


def _name(folder: Path) -> str:
    return folder.resolve().name or "run"


def _has_events(folder: Path) -> bool:
    return folder.is_dir() and any(EVENTS in p.name for p in folder.iterdir())


def complete(source: Source) -> Source:
    """The folder's other event files (a resume begins a new one), Keras' other folder, and Lightning's settings."""
    folders = {"": source.root}
    if any("/" in kind for kind in source.files):
        folders = {f"{name}/": source.root / name for name in SPLITS}
    files = {
        f"{prefix}{path.name}": path
        for prefix, folder in folders.items()
        for path in (sorted(folder.iterdir()) if folder.is_dir() else [])
        if EVENTS in path.name and not path.name.endswith(PROFILE) and path.is_file()
    }
    settings = source.root / HYPERPARAMETERS
    beside = {HYPERPARAMETERS: settings} if settings.is_file() else {}
    return replace(source, files={**files, **beside, **source.files})


def read(source: Source, options: ReadOptions) -> list[Run]:
    """The run of a folder's event files, in the order of their time.

    Every scalar is read: TensorBoard's own accumulator keeps a sample of 10,000 and, of Keras' tensors, of 10.

    Raises
    ------
    InputError
        The extra is not installed, no file can be read, or no scalar that is known.
    """
    series: dict[str, list[Point]] = {}
    notes: list[Note] = []
    config: dict[str, object] = {}
    left = MAX_POINTS
    for kind, path in source.files.items():
        if kind == HYPERPARAMETERS:
            try:
                config = read_yaml(path)
            except InputError as error:
                notes.append(Note(code="derived", message=f"{HYPERPARAMETERS} was not used: {clean(error.found)}"))
            continue
        folder, _, _ = kind.rpartition("/")
        for tag, point in _scalars(path, notes):
            if folder and tag.endswith(BY_STEP):
                continue
            left -= 1
            if left < 0:
                raise InputError(source.root, found=f"more than {MAX_POINTS} values", expected="fewer logged steps")
            series.setdefault(_column(tag, folder), []).append(point)
    # Two files of one folder may have been written side by side: their values belong in the order of the clock.
    for points in series.values():
        points.sort(key=lambda p: p.time or 0.0)
    return runs_of_series(source, source.root, series, options.columns, config=config, notes=notes)


def _column(tag: str, folder: str) -> str:
    """The tag, with the folder that says its split; Keras' ``epoch_loss`` of ``validation/`` is ``val/loss``."""
    return f"{SPLITS[folder]}/{tag.removeprefix(EPOCH)}" if folder else tag


def _scalars(path: Path, notes: list[Note]) -> Iterator[tuple[str, Point]]:
    """(tag, point) of each scalar of one file, also of those that were written as tensors (Keras, TensorFlow 2)."""
    size = path.stat().st_size if path.is_file() else 0
    if size > MAX_BYTES:
        raise InputError(path, found=f"{size / 1024**3:.1f} GiB of events", expected="at most 2 GiB")
    if size < SMALL:
        read_bytes(path, "a TensorBoard event file")  # says what is wrong with no file, an empty one or a pointer
    loader = _loader(path)
    events = loader.Load()
    count = 0
    while True:
        try:
            event = next(events)
            found = [(str(v.tag), value) for v in event.summary.value if (value := _value(v)) is not None]
            step, time = float(event.step), float(event.wall_time)
        except StopIteration:
            break
        except Exception as error:  # whatever a damaged record makes of the checksums and the protocol buffers
            if count == 0:
                raise InputError(
                    path, found=f"no event record ({clean(type(error).__name__)})", expected="a TensorBoard event file"
                ) from None
            notes.append(_damaged(path, count))
            return
        count += 1
        for tag, value in found:
            yield tag, Point(step, value, time if math.isfinite(time) else 0.0)
    if count == 0:
        raise InputError(path, found="no event record", expected="a TensorBoard event file")
    records, whole = _records(path)
    if count < records or not whole:  # TensorBoard stops without a word at a record whose checksum is wrong
        notes.append(_damaged(path, count))


def _damaged(path: Path, count: int) -> Note:
    message = f"{clean(path.name)} is cut off or damaged after {plural(count, 'record')}: what follows was not read"
    return Note(code="log.truncated", message=message)


def _records(path: Path) -> tuple[int, bool]:
    """(records in the file by their stated lengths, whether it ends with a whole one).

    The frame is TensorFlow's TFRecord: a length of 8 bytes, its checksum of 4, the data, and a checksum of 4.
    """
    size = path.stat().st_size
    at = count = 0
    with path.open("rb") as file:
        while at + FRAME <= size:
            file.seek(at)
            at += FRAME + int.from_bytes(file.read(8), "little")
            count += at <= size
    return count, at == size


def _loader(path: Path) -> Any:
    """TensorBoard's reader of one file, silent about what it skips: the notes say it."""
    try:
        module = import_module("tensorboard.backend.event_processing.event_file_loader")
    except ImportError:
        raise InputError(
            path,
            found="TensorBoard events, and tensorboard is not installed",
            remedy="pip install 'regression-runreport[tensorboard]'",
        ) from None
    logging.getLogger("tensorboard").setLevel(logging.CRITICAL)
    return module.EventFileLoader(str(path))


def _value(value: Any) -> float | None:
    """A summary's number; None for images, texts, histograms and tensors with more than one."""
    if value.WhichOneof("value") == "simple_value":
        return float(value.simple_value)
    if value.metadata.plugin_data.plugin_name != "scalars" or value.WhichOneof("value") != "tensor":
        return None
    array = import_module("tensorboard.util.tensor_util").make_ndarray(value.tensor)
    return float(array.item()) if array.size == 1 else None


READER = Reader(
    name="tensorboard",
    reads="TensorBoard event files (PyTorch, Lightning, Keras): events.out.tfevents.*",
    claim=claim,
    read=read,
    complete=complete,
    extra="tensorboard",
)
