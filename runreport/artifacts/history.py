"""The history of a run, appended epoch by epoch."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from runreport.artifacts.atomic import write_atomically
from runreport.artifacts.cells import line
from runreport.errors import InputError

Row = Mapping[str, float | int | str | None]


class HistoryWriter:
    """Appends one row an epoch to ``path``; a run that is killed is readable up to its last whole epoch.

    The first row fixes the columns and their order. Each row reaches the operating system as one unbuffered write, so a
    kill between epochs never leaves half a line. Creating the writer fails when the file exists: histories are not
    mixed.

    With ``grow`` a later row may lack columns (empty cells) and bring new ones: the file is then written anew with them
    at the end, by atomic rename, so that it is whole at every moment.
    """

    def __init__(self, path: Path, *, grow: bool = False) -> None:
        self.path = path
        self._columns: tuple[str, ...] | None = None
        # What a wider file is written from; a history is small beside anything that a run holds in memory.
        self._rows: list[Row] | None = [] if grow else None
        try:
            self._file = path.open("xb", buffering=0)
        except FileExistsError as error:
            found = "a history is already there"
            raise InputError(path, found=found, remedy="remove it or use another name") from error

    def write(self, row: Row) -> None:
        """Appends one row. None is an empty cell; without ``grow``, other keys than the first row's are an InputError."""
        text = b""
        if self._columns is None:
            self._columns = tuple(row)
            text = line(list(self._columns))
        if self._rows is not None:
            new = [name for name in row if name not in self._columns]
            if new:
                self._widen(new, self._rows)
            row = dict.fromkeys(self._columns) | dict(row)
            self._rows.append(row)
        if set(row) != set(self._columns):
            differing = ", ".join(sorted(set(row) ^ set(self._columns)))
            found = f"a row that differs in {differing}"
            raise InputError(self.path, found=found, expected="the columns of the first row")
        self._file.write(text + line([row[name] for name in self._columns]))

    def _widen(self, new: list[str], rows: list[Row]) -> None:
        """Puts a file with the ``new`` columns, empty so far, in the place of this one and goes on appending to it."""
        columns = (*(self._columns or ()), *new)
        text = line(list(columns)) + b"".join(line([row.get(name) for name in columns]) for row in rows)
        self._file.close()  # some systems rename nothing onto an open file
        write_atomically(self.path, lambda part: part.write_bytes(text))
        self._file = self.path.open("ab", buffering=0)
        self._columns = columns

    def close(self) -> None:
        """Closes the file; writing afterwards is an error."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
