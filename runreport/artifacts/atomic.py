"""Files that are either whole or not there."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to; when the block ends without an error, that file takes the place of ``path`` at once.

    The part file lies beside ``path`` (a rename is atomic only within a file system), and is removed after an error.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        yield part
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def strict(value: Any) -> Any:
    """The value with every non-finite number in it as None, tuples as lists, keys as text.

    >>> strict({"r2": float("nan"), "range": (0.5, float("inf"))})
    {'r2': None, 'range': [0.5, None]}
    """
    if isinstance(value, Mapping):
        return {str(key): strict(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [strict(item) for item in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value


def write_json(path: Path, document: Mapping[str, Any]) -> None:
    """Writes strict JSON (UTF-8, no NaN) by atomic rename; non-finite numbers become null. Key order is kept."""
    text = json.dumps(strict(document), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_atomically(path, lambda part: part.write_bytes(text.encode("utf-8")))


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Calls ``write`` with a part file, puts it on the disk for good and renames it to ``path``."""
    with replacing(path) as part:
        write(part)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
