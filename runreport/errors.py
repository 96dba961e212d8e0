"""Errors that a person can act on."""

from __future__ import annotations

from pathlib import Path
from typing import Self


class InputError(Exception):
    """Something given to the program cannot be used.

    Renders as one line: ``where: found; expected; remedy``. The command line prints that line and exits with 2.

    >>> str(InputError("a.csv", found="no column 'val_loss'", expected="one of epoch, loss", remedy="map it"))
    "a.csv: no column 'val_loss'; expected one of epoch, loss; map it"
    """

    def __init__(
        self, where: str | Path, *, found: str, expected: str | None = None, remedy: str | None = None
    ) -> None:
        self.where = str(where)
        self.found = found
        self.expected = expected
        self.remedy = remedy
        parts = [found]
        if expected is not None:
            parts.append(f"expected {expected}")
        if remedy is not None:
            parts.append(remedy)
        # Control characters in a file name or a cell must not break the one-line promise or drive the terminal.
        line = f"{self.where}: " + "; ".join(parts)
        super().__init__("".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in line))

    def __reduce__(self) -> tuple[object, ...]:
        # An exception is sent between processes as its class and its line; this one is made of four parts.
        return self._made_of, (self.where, self.found, self.expected, self.remedy)

    @classmethod
    def _made_of(cls, where: str, found: str, expected: str | None, remedy: str | None) -> Self:
        return cls(where, found=found, expected=expected, remedy=remedy)


class NoFinitePredictionsError(InputError):
    """A predictions file without one finite pair: what a diverged run leaves. Its history can still be reported."""
