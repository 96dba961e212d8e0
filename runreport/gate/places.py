"""Where a finding can be seen: the run's file, and the line of the finding's epoch."""

from __future__ import annotations

import csv
import math
import os
from pathlib import Path

from runreport.run import Run

MOST_BYTES = 50_000_000
"""A log larger than this is not read a second time for a line number."""


def shown_path(path: Path) -> Path:
    """The path from here where it lies below here, as a checkout on another machine knows it; else as it is."""
    try:
        relative = Path(os.path.relpath(path))
    except (OSError, ValueError):  # no working folder, or another drive
        return path
    return path if relative.parts[:1] == ("..",) else relative


class Places:
    """The files of one run and, for a history in CSV, the line of each epoch."""

    def __init__(self, run: Run) -> None:
        history = run.files.get("history")
        self.path = history or next(iter(run.files.values()), None)
        self._history = history
        self._lines: dict[float, int] | None = None

    def line(self, epoch: float | None) -> int | None:
        """The line (from 1) of an epoch's row; None where the file does not tell."""
        if epoch is None or self._history is None:
            return None
        if self._lines is None:
            self._lines = _lines(self._history)
        return self._lines.get(float(epoch))


def _lines(path: Path) -> dict[float, int]:
    """Epoch -> line of the one row that has it; an epoch of several rows has no line of its own, nor has one of a file
    that is not a CSV with an ``epoch`` column."""
    if path.suffix.lower() != ".csv":
        return {}
    found: dict[float, int] = {}
    twice: set[float] = set()
    try:
        if path.stat().st_size > MOST_BYTES:
            return {}
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            header = [name.strip().lower() for name in next(rows, [])]
            column = header.index("epoch")
            for row in rows:
                value = _number(row[column]) if len(row) > column else None
                if value is not None:
                    if value in found:
                        twice.add(value)
                    found[value] = rows.line_num
    except (OSError, UnicodeDecodeError, ValueError, csv.Error):
        return {}
    return {epoch: line for epoch, line in found.items() if epoch not in twice}


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
