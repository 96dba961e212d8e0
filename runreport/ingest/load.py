"""From paths to runs, with an error a source that could not be read."""

from __future__ import annotations

import atexit
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.beside import attached
from runreport.ingest.columns import near
from runreport.ingest.derive import with_derived
from runreport.ingest.discover import Found, find_sources
from runreport.ingest.fetch import Fetcher
from runreport.ingest.reader import Reader, ReadOptions, Source
from runreport.ingest.registry import all_readers, reader_named
from runreport.run import Note, Run

DEFAULT_LOGS = (Path("logs/csv"), Path("example_logs/csv"))
"""Where run names are looked up: where training writes, then the examples of this repository."""
PassedOver = Callable[[Sequence[Path]], None]


def load_runs(
    arguments: Iterable[str],
    options: ReadOptions | None = None,
    *,
    reader: str | None = None,
    passed_over: PassedOver | None = None,
) -> Iterator[Run | InputError]:
    """Each run that the arguments (files, folders, globs) name, or the error that stands in its place.

    Runs of one name in two folders are told apart by the folder: ``a/run1`` and ``b/run1``. ``reader`` forces one by name.
    ``passed_over`` gets the files of folders and globs that no reader knows, if there are any.

    Raises
    ------
    InputError
        A reader of that name does not exist.
    """
    found = find(arguments, reader=reader, passed_over=passed_over)
    yield from found.errors
    yield from read_sources(found.sources, options or ReadOptions(), found.fetcher)


def find(arguments: Iterable[str], *, reader: str | None = None, passed_over: PassedOver | None = None) -> Found:
    """The sources that the arguments name, labelled; nothing is read but the heads of files.

    Raises
    ------
    InputError
        A reader of that name does not exist.
    """
    readers = None if reader is None else (reader_named(reader),)
    fetcher = Fetcher()
    atexit.register(fetcher.close)  # per-epoch predictions are scanned long after the reading
    found = find_sources(arguments, readers, fetcher)
    found.sources = labelled(found.sources)
    if passed_over is not None and found.passed_over:
        passed_over(found.passed_over)
    return found


def find_runs(
    names: Iterable[str], folders: Iterable[Path], options: ReadOptions | None = None, *, asked: bool = False
) -> Iterator[Run | InputError]:
    """Runs by name (looked up in ``folders``, the first that has it wins) or by path.

    ``asked``: the person named the folders, so that a run in them goes before a file or folder of its name worked in.
    """
    wanted: list[Source] = []
    fetcher = Fetcher()
    atexit.register(fetcher.close)
    looked = [folder for folder in folders if folder.is_dir()]
    known: list[Source] | None = None
    for name in names:
        is_path = _is_path(name)
        if is_path and asked and looked and not any(c in name for c in "*?[/\\") and name != "-":
            known = known if known is not None else [source for folder in looked for source in _runs_of(folder)]
            is_path = all(source.name != name for source in known)
        if is_path:
            found = find_sources([name], None, fetcher)
            yield from found.errors
            wanted += found.sources
            continue
        if known is None:  # looked through once, and only where a name asks for it
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
    unique = {(source.reader, source.root.resolve(), source.name): source for source in wanted}
    yield from read_sources(labelled(list(unique.values())), options or ReadOptions(), fetcher)


def _is_path(name: str) -> bool:
    """Whether this names files rather than a run to look up."""
    try:
        return any(c in name for c in "*?[/\\") or name == "-" or Path(name).exists()
    except OSError:  # longer than the file system allows: no file, and no run's name either
        return False


def _runs_of(folder: Path) -> list[Source]:
    try:
        return find_sources([str(folder)]).sources
    except OSError:
        return []


def read_sources(
    sources: Iterable[Source], options: ReadOptions, fetcher: Fetcher | None = None
) -> Iterator[Run | InputError]:
    """The runs of labelled sources, each with a name of its own, or the error that stands in a source's place."""
    readers = {reader.name: reader for reader in all_readers()}
    names = Names()
    for source in sources:
        for item in read_source(readers[source.reader], source, options, fetcher or Fetcher()):
            yield item if isinstance(item, InputError) else names.named(item)


class Names:
    """The names given to runs so far: no two are alike."""

    def __init__(self) -> None:
        self.taken: set[str] = set()
        self._next: Counter[str] = Counter()

    def named(self, run: Run) -> Run:
        """The run, with a number where its name is taken: a second run.csv's part 1 and a file run-part1.csv."""
        name = run.name
        while name in self.taken:
            self._next[run.name] += 1
            name = f"{run.name}-{self._next[run.name] + 1}"
        self.taken.add(name)
        return run if name == run.name else replace(run, name=name)


def read_source(reader: Reader, source: Source, options: ReadOptions, fetcher: Fetcher) -> list[Run | InputError]:
    """The runs of one source with what can be derived from their figures, or its one error."""
    try:
        runs = reader.read(source, options)
        if source.beside:
            runs = attached(runs, source.beside, options)
        return [_shown(with_derived(run), fetcher) for run in runs]
    except InputError as error:
        return [fetcher.restated(error)]


def _shown(run: Run, fetcher: Fetcher) -> Run:
    """The run with the places that a person knows its files by, where they were fetched."""
    origins = {kind: fetcher.shown(path) for kind, path in run.files.items()}
    fetched = [origin for origin in origins.values() if origin is not None]
    if not fetched:
        return run
    files = {k: run.files[k] if o is None else Path(o.partition("://")[2] or o) for k, o in origins.items()}
    note = Note(code="derived", message=f"read from {fetched[0]}")
    return replace(run, files=files, notes=(*run.notes, note))


def labelled(sources: Sequence[Source]) -> list[Source]:
    """The sources with a name each: their own, with as many of their folders before it as tell it from others of that name."""
    roots: dict[Path, Path] = {}
    parts = []
    for source in sources:
        if source.root not in roots:
            roots[source.root] = source.root.resolve()
        root = roots[source.root]
        # A run that is a folder (or a file) itself is named by it, so those above that tell it apart.
        inner = root.name == source.name or root.stem == source.name
        parts.append((*(root.parent if inner else root).parts[1:], source.name))
    lengths = [1] * len(sources)
    while True:
        labels = ["/".join(p[-length:]) for p, length in zip(parts, lengths, strict=True)]
        # Two logs of one name in one folder (run.log, run.json) are told apart by no folder: they get numbers.
        counts = Counter(label for label, _ in set(zip(labels, parts, strict=True)))
        longer = [
            length + 1 if counts[label] > 1 and length < len(p) else length
            for p, label, length in zip(parts, labels, lengths, strict=True)
        ]
        if longer == lengths:
            return [replace(source, name=label) for source, label in zip(sources, labels, strict=True)]
        lengths = longer
