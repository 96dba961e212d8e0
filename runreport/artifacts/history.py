"""The history of a run, appended epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from runreport.artifacts.cells import line
from runreport.errors import InputError


class HistoryWriter:
    """Appends one row an epoch to ``path``; a run that is killed is readable up to its last whole epoch.

    The first row fixes the columns and their order. Each row reaches the operating system as one unbuffered write, so a
    kill between epochs never leaves half a line. Creating the writer fails when the file exists: histories are not
    mixed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._columns: tuple[str, ...] | None = None
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError as error:
            found = "a history is already there"
            raise InputError(path, found=found, remedy="remove it or use another name") from error

    def write(self, row: Mapping[str, float | int | str | None]) -> None:
        """Appends one row. None is an empty cell; a key more or less than in the first row, an InputError."""
        text = b""
        if self._columns is None:
            self._columns = tuple(row)
            text = line(list(self._columns))
        if set(row) != set(self._columns):
            differing = ", ".join(sorted(set(row) ^ set(self._columns)))
            found = f"a row that differs in {differing}"
            raise InputError(self.path, found=found, expected="the columns of the first row")
        self._file.write(text + line([row[name] for name in self._columns]))

    def close(self) -> None:
        """Closes the file; writing afterwards is an error."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
