"""What does not lie on this machine's disk: standard input, and object stores through fsspec, brought into a folder that goes."""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib import import_module  # fsspec has no types, and may be absent
from pathlib import Path, PurePosixPath
from typing import Any, BinaryIO

from runreport.errors import InputError
from runreport.ingest.table import MAX_BYTES
from runreport.marks import clean

STDIN = "-"
DESCRIPTOR = re.compile(r"(?:/dev|/proc/self)/fd/([0-9]{1,6})")
"""What a shell calls the output of another command: ``<(cat x.csv)``."""
URL = re.compile(r"([a-z][a-z0-9+.-]*)://", re.IGNORECASE)
STORES = {
    "s3": "s3fs", "s3a": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "hf": "huggingface_hub",
    "az": "adlfs", "abfs": "adlfs", "abfss": "adlfs", "memory": "fsspec",
}  # fmt: skip
"""Scheme of an object store -> the package that reads it. Web pages are not among them: nobody says what they hold."""
MAX_OBJECTS = 10_000
"""Objects fetched for one argument: each is a request that may cost money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetched:
    """What an argument was fetched as.

    path
        The file or folder it lies in now.
    named
        Whether the argument names a file itself.
    """

    path: Path
    named: bool


@dataclass(slots=True)
class Fetcher:
    """Fetches into one folder, which :meth:`close` removes; remembers what lies there under another name."""

    _folder: Path | None = None
    _origins: dict[Path, str] = field(default_factory=dict)

    def fetch(self, argument: str) -> Fetched | None:
        """The argument's files, brought here; None where it is a path like any other.

        Raises
        ------
        InputError
            Nothing there, too much, a scheme that is no object store, or the library for it is not installed.
        """
        if argument in (STDIN, "/dev/stdin"):
            return self._stream(sys.stdin.buffer, "standard input")
        if descriptor := DESCRIPTOR.fullmatch(argument):
            try:
                with os.fdopen(os.dup(int(descriptor[1])), "rb") as stream:
                    return self._stream(stream, argument)
            except OSError as error:
                raise InputError(argument, found=f"cannot be read ({error.strerror or error})") from None
        match = URL.match(argument)
        if match is None:
            return None
        return self._store(argument, match[1].lower())

    def shown(self, path: Path) -> str | None:
        """Where a fetched file came from; None for one that was not fetched."""
        for at in (path, *path.parents):
            if at in self._origins:
                rest = path.relative_to(at).as_posix()
                return self._origins[at] if rest == "." else f"{self._origins[at].rstrip('/')}/{rest}"
        return None

    def restated(self, error: InputError) -> InputError:
        """The error about a fetched file with the name that the person knows it by."""
        shown = self.shown(Path(error.where)) if self._origins else None
        if shown is None:
            return error
        return InputError(shown, found=error.found, expected=error.expected, remedy=error.remedy)

    def close(self) -> None:
        """Removes what was fetched."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _place(self, name: str) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="runreport-"))
        place = self._folder / str(len(self._origins))
        place.mkdir()
        return place / name

    def _stream(self, stream: BinaryIO, shown: str) -> Fetched:
        """What can be read once, from its start to its end."""
        data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise InputError(shown, found="more than 2 GiB", expected="one log", remedy="name a file instead")
        if not data.strip():
            raise InputError(shown, found="nothing", expected="one log", remedy="pipe one into the command")
        path = self._place("stdin")
        path.write_bytes(data)
        self._origins[path] = shown
        return Fetched(path=path, named=True)

    def _store(self, argument: str, scheme: str) -> Fetched:
        filesystem, root = open_store(argument, scheme)
        try:
            if any(c in root for c in "*?["):
                base, objects = _base(root), [p for p in filesystem.glob(root) if filesystem.isfile(p)]
                named = False
            elif filesystem.isdir(root):
                base, objects, named = root, filesystem.find(root), False
            else:
                base, objects, named = root.rpartition("/")[0], [root], True
            _check(argument, filesystem, objects)
            name = root.rstrip("/").rpartition("/")[2] if not any(c in root for c in "*?[") else "matches"
            place = self._place(clean(name).replace("/", "_") or "objects")
            for at in objects:
                inner = PurePosixPath(at[len(base) :].lstrip("/"))
                if ".." in inner.parts or inner.is_absolute():
                    continue  # a key is a name, and names from elsewhere never lead out of the folder
                local = place if named else place / inner
                local.parent.mkdir(parents=True, exist_ok=True)
                filesystem.get_file(at, str(local))
        except InputError:
            raise
        except Exception as error:  # each store raises its own library's exceptions: credentials, networks, names
            why = clean(str(error) or type(error).__name__)[:120]
            raise InputError(
                argument, found=f"cannot be fetched ({why})", expected="objects that can be read"
            ) from None
        self._origins[place] = argument if named else f"{scheme}://{base.strip('/')}"
        return Fetched(path=place, named=named)


def open_store(argument: str, scheme: str) -> tuple[Any, str]:
    """The store (of fsspec) that an address names, and the path in it.

    Raises
    ------
    InputError
        A scheme that is no object store, a store that cannot be opened, or the library for it is not installed.
    """
    if scheme not in STORES:
        raise InputError(
            argument, found=f"{scheme}:// is no object store that is read here", expected=", ".join(sorted(STORES)),
            remedy="download it, or pipe it in: ... | runreport analyze -",
        )  # fmt: skip
    package = STORES[scheme]
    try:
        core = import_module("fsspec.core")
        filesystem, root = core.url_to_fs(argument)
    except ImportError:
        raise InputError(
            argument,
            found=f"an object store, and {package} is not installed",
            remedy=f"pip install fsspec {package}" if package != "fsspec" else "pip install fsspec",
        ) from None
    except Exception as error:
        raise InputError(argument, found=f"cannot be opened ({clean(str(error))[:120]})") from None
    return filesystem, str(root)


def _base(pattern: str) -> str:
    """The folder above the first part of a pattern that has a wild card."""
    parts = pattern.split("/")
    return "/".join(parts[: next(i for i, part in enumerate(parts) if any(c in part for c in "*?["))])


def _check(argument: str, filesystem: Any, objects: Sequence[str]) -> None:
    """That there is something, and not more than a person can have meant."""
    if not objects:
        raise InputError(argument, found="no objects", expected="logs", remedy="check the address")
    if len(objects) > MAX_OBJECTS:
        raise InputError(argument, found=f"{len(objects)} objects", expected=f"at most {MAX_OBJECTS}")
    size = sum(int(filesystem.size(at) or 0) for at in objects)
    if size > MAX_BYTES:
        raise InputError(argument, found=f"{size / 1024**3:.1f} GiB", expected="at most 2 GiB", remedy="name fewer")
