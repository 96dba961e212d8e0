"""From paths to runs, with an error a source that could not be read."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.columns import near
from runreport.ingest.discover import Source, discover
from runreport.ingest.native import read_native
from runreport.run import Run

DEFAULT_LOGS = (Path("logs/csv"), Path("example_logs/csv"))
"""Where run names are looked up: where training writes, then the examples of this repository."""


def load_runs(arguments: Iterable[str], columns: Mapping[str, str] | None = None) -> Iterator[Run | InputError]:
    """Each run that the arguments (files, folders, globs) name, or the error that stands in its place.

    Runs of one name in two folders are told apart by the folder: ``a/run1`` and ``b/run1``.
    """
    sources, errors = discover(arguments)
    yield from errors
    yield from _read_all(sources, columns or {})


def find_runs(
    names: Iterable[str], folders: Iterable[Path], columns: Mapping[str, str] | None = None
) -> Iterator[Run | InputError]:
    """Runs by name (looked up in ``folders``, the first that has it wins) or by path."""
    wanted: list[Source] = []
    looked = [folder for folder in folders if folder.is_dir()]
    for name in names:
        if _is_path(name):
            sources, errors = discover([name])
            yield from errors
            wanted += sources
            continue
        known = [source for folder in looked for source in _runs_of(folder)]
        match = next((source for source in known if source.name == name), None)
        if match is None:
            yield InputError(
                name,
                found="no run of this name in " + (" or ".join(str(f) for f in looked) or "any log folder"),
                expected=near(name, dict.fromkeys(s.name for s in known)) if known else None,
                remedy="give a path, or the folder with --logs",
            )
        else:
            wanted.append(match)
    unique = {(source.folder.resolve(), source.name): source for source in wanted}
    yield from _read_all(list(unique.values()), columns or {})


def _is_path(name: str) -> bool:
    """Whether this names files rather than a run to look up."""
    try:
        return any(c in name for c in "*?[/\\") or Path(name).exists()
    except OSError:  # longer than the file system allows: no file, and no run's name either
        return False


def _runs_of(folder: Path) -> list[Source]:
    try:
        return discover([str(folder)])[0]
    except OSError:
        return []


def _read_all(sources: list[Source], columns: Mapping[str, str]) -> Iterator[Run | InputError]:
    taken: set[str] = set()
    for source, label in zip(sources, _labels(sources), strict=True):
        try:
            for run in read_native(label, source.files, columns):
                name, count = run.name, 1
                while name in taken:  # a second run.csv's part 1 and a file run-part1.csv
                    count += 1
                    name = f"{run.name}-{count}"
                taken.add(name)
                yield run if name == run.name else replace(run, name=name)
        except InputError as error:
            yield error


def _labels(sources: Sequence[Source]) -> list[str]:
    """A name for each source: its own, with as many of its folders before it as tell it from others of that name."""
    parts = [(*source.folder.resolve().parts[1:], source.name) for source in sources]
    lengths = [1] * len(sources)
    while True:
        labels = ["/".join(p[-length:]) for p, length in zip(parts, lengths, strict=True)]
        counts = Counter(labels)
        longer = [
            length + 1 if counts[label] > 1 and length < len(p) else length
            for p, label, length in zip(parts, labels, lengths, strict=True)
        ]
        if longer == lengths:
            return labels
        lengths = longer
