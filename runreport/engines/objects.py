"""Which Parquet objects hold the per-epoch predictions of which run."""

from __future__ import annotations

import glob as local_glob
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from runreport.errors import InputError
from runreport.ingest.fetch import URL, open_store

PREFIX = "epoch_predictions_"
"""How the native format begins the name of such a file (or of a folder of parts); the run's name is what follows."""
SUFFIX = ".parquet"


@dataclass(frozen=True, slots=True, kw_only=True)
class Object:
    """One Parquet file: its path or address, its size in bytes, and the run whose rows it holds."""

    address: str
    size: int
    run: str


def find_objects(arguments: Iterable[str]) -> list[Object]:
    """The Parquet files that paths, folders, globs and addresses of object stores name, each once, sorted by run and address.

    ``epoch_predictions_<run>.parquet`` belongs to ``<run>``; so does every Parquet file below a folder
    ``epoch_predictions_<run>``. Another name is itself the run's. Only names and sizes are asked for: nothing is read.

    Raises
    ------
    InputError
        An argument that names no Parquet file, or a store that cannot be listed.
    """
    found: dict[str, Object] = {}
    for argument in arguments:
        listed = _listed(argument)
        if not listed:
            raise InputError(argument, found="no Parquet file", expected=f"{PREFIX}<run>{SUFFIX}, or a folder of them")
        for address, size in listed:
            found[address] = Object(address=address, size=size, run=run_name(address))
    return sorted(found.values(), key=lambda item: (item.run, item.address))


def run_name(address: str) -> str:
    """The run that a file's own name, or the nearest folder above it, says.

    >>> run_name("s3://logs/epoch_predictions_run4.parquet"), run_name("a/epoch_predictions_run5/part-0.parquet")
    ('run4', 'run5')
    >>> run_name("a/run6.parquet")
    'run6'
    """
    path = PurePosixPath(address.rpartition("://")[2])
    for name in (path.name.removesuffix(SUFFIX), *(parent.name for parent in path.parents)):
        if name.startswith(PREFIX) and len(name) > len(PREFIX):
            return name.removeprefix(PREFIX)
    return path.name.removesuffix(SUFFIX)


def _listed(argument: str) -> Sequence[tuple[str, int]]:
    match = URL.match(argument)
    return _in_store(argument, match[1]) if match else _on_disk(argument)


def _on_disk(argument: str) -> list[tuple[str, int]]:
    path = Path(argument)
    if path.is_dir():
        files = sorted(path.rglob(f"*{SUFFIX}"))
    elif path.is_file():
        files = [path] if path.name.endswith(SUFFIX) else []
    else:
        names = sorted(local_glob.glob(argument, recursive=True))  # noqa: PTH207  (a pattern, not a folder)
        files = [Path(name) for name in names if name.endswith(SUFFIX)]
    # Resolved, because the machine that reads it may stand in another folder.
    return [(file.resolve().as_posix(), file.stat().st_size) for file in files if file.is_file()]


def _in_store(argument: str, scheme: str) -> list[tuple[str, int]]:
    filesystem, root = open_store(argument, scheme.lower())
    try:
        list_it = filesystem.glob if any(c in root for c in "*?[") else filesystem.find
        known = list_it(root, detail=True)
    except Exception as error:  # each store raises its own library's exceptions: credentials, networks, names
        why = str(error) or type(error).__name__
        raise InputError(
            argument, found=f"cannot be listed ({why[:120]})", expected="objects that can be read"
        ) from None
    return [
        (f"{scheme}://{path}", int(entry.get("size") or 0))
        for path, entry in sorted(known.items())
        if entry.get("type") == "file" and path.endswith(SUFFIX)
    ]
