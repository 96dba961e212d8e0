"""What can be made again, but takes its time to make: kept on the disk between calls."""

from __future__ import annotations

import contextlib
import hashlib
import os
import sys
from collections.abc import Callable
from pathlib import Path

from runreport.artifacts.atomic import replacing

VARIABLE = "RUNREPORT_CACHE"
"""Environment variable that names the folder."""


def folder() -> Path:
    """Where such things lie: ``$RUNREPORT_CACHE``, else the platform's place for what can be made again."""
    given = os.environ.get(VARIABLE)
    if given:
        return Path(given)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "runreport" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library/Caches/runreport"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "runreport"


def kept_text(name: str, make: Callable[[], str]) -> str:
    """The text kept under a name, which must say all that the text follows from; else the text as made, kept from now on.

    A file begins with the SHA-256 of the rest: a damaged one is made again. A folder that cannot be written keeps nothing.
    """
    path = folder() / name
    with contextlib.suppress(OSError):
        mark, _, data = path.read_bytes().partition(b"\n")
        if mark.decode("ascii", "replace") == hashlib.sha256(data).hexdigest():
            return data.decode("utf-8")
    text = make()
    data = text.encode("utf-8")
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as part:
            part.write_bytes(hashlib.sha256(data).hexdigest().encode("ascii") + b"\n" + data)
    return text
