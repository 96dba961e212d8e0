"""From what a person typed to the files of each run."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.beside import with_artifacts
from runreport.ingest.compressed import plain_path
from runreport.ingest.fetch import Fetcher
from runreport.ingest.reader import Claim, Head, Reader, Source
from runreport.ingest.refused import is_pointer, is_silent, why_refused

MAX_FILES = 100_000
"""Files looked at under one folder before it is refused: more than that is a mistyped path, not a set of logs."""
SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages"})
"""Folders that hold no runs and can hold very many files; hidden ones are passed over too."""
AIM = ".aim"
"""The one hidden folder that is a store of runs."""
STDIN_NAMES = ("stdin.jsonl", "stdin.json", "stdin.csv", "stdin.log")
"""What standard input may be: the first name under which a reader claims it."""
MOST_NAMED = 5
"""Files named in a line about several."""


@dataclass(slots=True)
class Found:
    """Sources in the order first named, what could not be found or used, and files that no reader knows."""

    sources: list[Source] = field(default_factory=list)
    errors: list[InputError] = field(default_factory=list)
    passed_over: list[Path] = field(default_factory=list)
    fetcher: Fetcher = field(default_factory=Fetcher)


def discover(
    arguments: Iterable[str], readers: Sequence[Reader] | None = None
) -> tuple[list[Source], list[InputError]]:
    """Every run named by files, folders and globs, each once; and what could not be found."""
    found = find_sources(arguments, readers)
    return found.sources, found.errors


def find_sources(
    arguments: Iterable[str], readers: Sequence[Reader] | None = None, fetcher: Fetcher | None = None
) -> Found:
    """Every run named by files, folders and globs, each once, in the order first named.

    A file brings its siblings: ``predictions_run4.csv`` and ``run4.csv`` in one folder are one run. The first of the
    ``readers`` (all that are registered, where none are given) that claims a file has it. Files of a folder or a glob that
    no reader claims are passed over; one that was named itself is an error.
    """
    if readers is None:
        from runreport.ingest.registry import all_readers

        readers = all_readers()
    search = _Search(readers=readers, found=Found(fetcher=fetcher or Fetcher()))
    for argument in arguments:
        try:
            search.take(argument)
        except InputError as error:
            search.found.errors.append(error)
        except OSError as error:  # a name longer than the file system allows, a folder that may not be looked into
            found = f"cannot be looked up ({error.strerror or error})"
            search.found.errors.append(InputError(argument, found=found))
    search.found.sources = with_artifacts(search.found.sources)
    return search.found


@dataclass(slots=True, kw_only=True)
class _Search:
    """One call's search: what was found so far, and where each run's files are collected."""

    readers: Sequence[Reader]
    found: Found
    places: dict[tuple[str, Path, str], int] = field(default_factory=dict)
    resolved: dict[Path, Path] = field(default_factory=dict)

    def take(self, argument: str) -> None:
        """Adds the runs that one argument names."""
        found = self.found
        fetched = found.fetcher.fetch(argument)
        paths, named = (
            _expand(argument)
            if fetched is None
            else ([fetched.path] if fetched.named else _walk(fetched.path), fetched.named)
        )
        before = len(found.sources), len(found.errors)
        unknown: list[Path] = []
        pointers: list[Path] = []
        for path in paths:
            try:
                if not self._add(path, named=named):
                    (pointers if is_pointer(path) else unknown).append(path)
            except InputError as error:
                found.errors.append(found.fetcher.restated(error))
        if pointers:
            # One line for all of them: a repository that was not fetched whole has one for each of its logs.
            found.errors.append(_not_fetched(argument, pointers))
        found.passed_over += [path for path in unknown if not is_silent(path)]
        nothing_new = before == (len(found.sources), len(found.errors))
        if not named and nothing_new and len(unknown) == len(paths):
            found.errors.append(_nothing(argument, unknown))

    def _add(self, path: Path, *, named: bool) -> bool:
        """Puts one file to its run; False where no reader claims it."""
        claimed = self._claim(path, named=named)
        if claimed is None:
            if not named:
                return False
            raise why_refused(path)
        reader, claim = claimed
        key = (reader.name, self._real(claim.root), claim.run)
        sources = self.found.sources
        at = self.places.get(key)
        if at is None:
            self.places[key] = len(sources)
            source = Source(reader=reader.name, name=claim.run, root=claim.root, files={claim.kind: path})
            sources.append(reader.complete(source))
            return True
        source = sources[at]
        taken = source.files.get(claim.kind)
        if taken is None:
            sources[at] = replace(source, files={**source.files, claim.kind: path})
        elif taken.name != path.name:
            raise InputError(
                path,
                found=f"a second {claim.kind} of run {claim.run!r}, beside {taken.name}",
                remedy="remove or rename one",
            )
        return True

    def _claim(self, path: Path, *, named: bool) -> tuple[Reader, Claim] | None:
        """The first reader that claims the file, by its name without the ending of a compression."""
        head = Head(path)
        shown = plain_path(path)
        is_stdin = path.name == "stdin" and self.found.fetcher.shown(path) is not None
        for name in [shown.with_name(n) for n in STDIN_NAMES] if is_stdin else [shown]:
            for reader in self.readers:
                if reader.named_only and not named:
                    continue
                claim = reader.claim(name, head)
                if claim is not None:
                    return reader, claim
        if not named:
            return None
        if len(self.readers) == 1:  # --reader: the person knows better than the name of the file
            return self.readers[0], Claim(root=shown.parent, run=shown.stem, kind="history")
        table = next((r for r in self.readers if r.name == "table"), None)
        if table is not None and shown.suffix.lower() in (".csv", ".tsv") and not is_pointer(path):
            # Its reading says which columns were looked for: of use to the person who named this very file.
            return table, Claim(root=shown.parent, run=shown.stem, kind="history")
        return None

    def _real(self, root: Path) -> Path:
        """The root without links and dots; looked up once a folder, not once a file."""
        if root not in self.resolved:
            self.resolved[root] = root.resolve()
        return self.resolved[root]


def _expand(argument: str) -> tuple[list[Path], bool]:
    """The files that one argument names, and whether it names a file itself."""
    if not argument.strip():  # an unset shell variable: the folder worked in was not meant
        raise InputError(repr(argument), found="an empty path", expected="a file, a folder or a glob")
    path = Path(argument)
    if path.is_dir():
        return _walk(path), False
    if path.exists():
        if not path.is_file():  # opened, a pipe that nobody writes to would be waited for
            raise InputError(argument, found="a pipe or a device, not a file", remedy=f"read it with -: - < {argument}")
        return [path], True
    if glob.has_magic(argument):
        matches = sorted(Path(m) for m in glob.glob(argument, recursive=True))  # noqa: PTH207  (a pattern, not a folder)
        files = [inner for m in matches for inner in (_walk(m) if m.is_dir() else [m] if m.is_file() else [])]
        if files:
            return list(dict.fromkeys(files)), False
        raise InputError(argument, found="no log matches this pattern", expected="files such as logs/csv/run1.csv")
    raise InputError(argument, found="no such file or folder", remedy="check the path")


def _nothing(argument: str, unknown: Sequence[Path]) -> InputError:
    """Files were there, and none is a log."""
    shown = [path for path in unknown if not is_silent(path)] or unknown
    others = f" ({named(shown)} not recognised)" if shown else ""
    if glob.has_magic(argument) and not Path(argument).exists():
        return InputError(
            argument, found=f"no log matches this pattern{others}", expected="files such as logs/csv/run1.csv"
        )
    return InputError(
        argument,
        found=f"no runs in this folder{others}",
        expected="history CSVs, predictions_<run>.csv, or another log that `runreport formats` lists",
    )


def _not_fetched(argument: str, pointers: Sequence[Path]) -> InputError:
    if len(pointers) == 1:
        return why_refused(pointers[0])
    return InputError(
        argument, found=f"Git LFS pointers in place of {named(pointers)}", remedy="fetch them with `git lfs pull`"
    )


def named(paths: Sequence[Path]) -> str:
    """How many files, and the first of them.

    >>> named([Path("a/x.csv"), Path("b/y.csv")])
    '2 files: x.csv, y.csv'
    """
    names = ", ".join(path.name for path in paths[:MOST_NAMED]) + (", ..." if len(paths) > MOST_NAMED else "")
    return f"{len(paths)} {'file' if len(paths) == 1 else 'files'}: {names}"


def _walk(folder: Path) -> list[Path]:
    """Every file below a folder; links to folders are not followed, so a loop of links ends."""
    found: list[Path] = []
    seen = 0
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        folders, files = _entries(here)
        seen += len(files)
        if seen > MAX_FILES:
            raise InputError(folder, found=f"more than {MAX_FILES} files", remedy="name the folder that holds the logs")
        found += [here / name for name in files if not name.startswith(".")]
        waiting += [here / name for name in reversed(folders)]
    return found


def _entries(folder: Path) -> tuple[list[str], list[str]]:
    """Names of the folders to look into and of the files that can be read; none of a folder that may not be listed.

    A pipe or a socket would be waited for; a broken link is an error when it is read.
    """
    try:
        with os.scandir(folder) as listed:
            entries = list(listed)
    except OSError:
        return [], []
    folders, files = [], []
    for entry in entries:
        if entry.is_symlink():
            path = Path(entry.path)
            if path.is_file() or not path.exists():
                files.append(entry.name)
        elif entry.is_dir():
            if _is_looked_into(entry.name):
                folders.append(entry.name)
        elif entry.is_file():
            files.append(entry.name)
    return sorted(folders), sorted(files)


def _is_looked_into(name: str) -> bool:
    return (not name.startswith(".") or name == AIM) and name not in SKIPPED_FOLDERS
