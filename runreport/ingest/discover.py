"""From what a person typed to the files of each run."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from runreport.errors import InputError

MAX_FILES = 100_000
"""Files looked at under one folder before it is refused: more than that is a mistyped path, not a set of logs."""
PREFIXES = (
    ("epoch_predictions_", (".parquet",), "epoch_predictions"),
    ("predictions_", (".csv", ".tsv"), "predictions"),
    ("metrics_", (".json",), "metrics"),
    ("", (".csv", ".tsv"), "history"),
)
"""File-name prefix, endings, and what such a file is; the first that matches counts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The files of one run: kind (history, predictions, metrics, epoch_predictions) -> path."""

    name: str
    files: dict[str, Path]

    @property
    def folder(self) -> Path:
        """Where the files lie."""
        return next(iter(self.files.values())).parent


def classify(path: Path) -> tuple[str, str] | None:
    """(kind, run name) of a file by its name, or None where it is none of ours.

    >>> classify(Path("logs/predictions_run4.csv")), classify(Path("run4.csv")), classify(Path("notes.txt"))
    (('predictions', 'run4'), ('history', 'run4'), None)
    """
    for prefix, endings, kind in PREFIXES:
        for ending in endings:
            if path.name.startswith(prefix) and path.name.endswith(ending):
                name = path.name[len(prefix) : -len(ending)]
                if name:
                    return kind, name
    return None


def discover(arguments: Iterable[str]) -> tuple[list[Source], list[InputError]]:
    """Every run named by files, folders and globs, each once, in the order first named; and what could not be found.

    A file brings its siblings: ``predictions_run4.csv`` and ``run4.csv`` in one folder are one run.
    """
    sources: dict[tuple[Path, str], Source] = {}
    errors: list[InputError] = []
    for argument in arguments:
        try:
            for path in _expand(argument):
                found = classify(path)
                if found is None:
                    raise InputError(
                        path,
                        found="not a file that can be read here",
                        expected="a history CSV, or predictions_<run>.csv, metrics_<run>.json, epoch_predictions_<run>.parquet",
                    )
                kind, name = found
                key = (path.parent.resolve(), name)
                known = sources.setdefault(key, Source(name=name, files=_siblings(path, name)))
                taken = known.files.get(kind)
                if taken is not None and taken.name != path.name:
                    raise InputError(
                        path,
                        found=f"a second {kind} of run {name!r}, beside {taken.name}",
                        remedy="remove or rename one",
                    )
        except InputError as error:
            errors.append(error)
        except OSError as error:  # a name longer than the file system allows, a folder that may not be looked into
            errors.append(InputError(argument, found=f"cannot be looked up ({error.strerror or error})"))
    return list(sources.values()), errors


def _siblings(path: Path, name: str) -> dict[str, Path]:
    """The artifacts of one run beside a file of it; that file itself goes before another of its kind."""
    files: dict[str, Path] = {}
    for prefix, endings, kind in reversed(PREFIXES):
        candidates = [path.parent / f"{prefix}{name}{ending}" for ending in endings]
        there = [c for c in candidates if c == path] or [c for c in candidates if c.is_file()]
        if there:
            files[kind] = there[0]
    return files


def _expand(argument: str) -> list[Path]:
    """The files that one argument names."""
    if not argument.strip():  # an unset shell variable: the folder worked in was not meant
        raise InputError(repr(argument), found="an empty path", expected="a file, a folder or a glob")
    path = Path(argument)
    if path.is_dir():
        return _walk(path)
    if path.exists():
        return [path]
    if glob.has_magic(argument):
        matches = sorted(Path(m) for m in glob.glob(argument, recursive=True))  # noqa: PTH207  (a pattern, not a folder)
        files = [m for m in matches if m.is_file() and classify(m) is not None]
        if files:
            return files
        raise InputError(argument, found="no log matches this pattern", expected="files such as logs/csv/run1.csv")
    raise InputError(argument, found="no such file or folder", remedy="check the path")


def _walk(folder: Path) -> list[Path]:
    """Every log below a folder; links to folders are not followed, so a loop of links ends."""
    found: list[Path] = []
    seen = 0
    for parent, folders, names in os.walk(folder, followlinks=False):
        folders.sort()
        for name in sorted(names):
            seen += 1
            if seen > MAX_FILES:
                raise InputError(
                    folder, found=f"more than {MAX_FILES} files", remedy="name the folder that holds the logs"
                )
            path = Path(parent) / name
            # A pipe or a socket would be waited for; a broken link is an error when it is read.
            if not name.startswith(".") and classify(path) is not None and (path.is_file() or not path.exists()):
                found.append(path)
    if not found:
        raise InputError(
            folder, found="no runs in this folder", expected="history CSVs, predictions_<run>.csv or metrics_<run>.json"
        )
    return found
