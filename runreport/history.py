"""A log, one row an epoch, as plain tuples: small enough that no frame library is needed to hold it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

Number = float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A run's epochs as plain tuples, one value an epoch and column.

    ``None`` is "not logged"; NaN and infinities are kept because a log that says NaN is saying something.
    """

    epochs: tuple[int | float, ...]
    columns: Mapping[str, tuple[Number, ...]]
    _finite: dict[tuple[str, float], tuple[tuple[int | float, float], ...]] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def __len__(self) -> int:
        return len(self.epochs)

    def has(self, *names: str) -> bool:
        """Whether every one of these columns holds at least one finite value."""
        return all(any(v is not None and math.isfinite(v) for v in self.columns.get(n, ())) for n in names)

    def has_any(self, *names: str) -> bool:
        """Whether one of these columns holds a finite value."""
        return any(self.finite(n) for n in names)

    def get(self, name: str) -> tuple[Number, ...]:
        """The column, or all None where it was not logged."""
        return self.columns.get(name, (None,) * len(self.epochs))

    def finite(self, name: str, *, below: float = math.inf) -> list[tuple[int | float, float]]:
        """(epoch, value) of the column's finite values, in epoch order; only those of a size ``below`` this one."""
        key = (name, below)
        if key not in self._finite:  # dozens of rules ask for the same few columns
            pairs = zip(self.epochs, self.columns.get(name, ()), strict=name in self.columns)
            self._finite[key] = tuple([(e, v) for e, v in pairs if v is not None and abs(v) < below])
        return list(self._finite[key])

    def at(self, epoch: int | float | None, name: str) -> Number:
        """The finite value of a column at an epoch, else None."""
        if epoch is None or epoch not in self.epochs:
            return None
        value = self.get(name)[self.epochs.index(epoch)]
        return value if value is not None and math.isfinite(value) else None


def history_of(epochs: Sequence[int | float], **columns: Sequence[Number]) -> History:
    """A history from sequences; for tests and for callers without files.

    >>> history_of([1, 2], r2=[0.1, 0.2]).finite("r2")
    [(1, 0.1), (2, 0.2)]
    """
    # A numpy number is a float that does not print as one; rules read a number's digits off its text.
    plain = {name: tuple(None if v is None else float(v) for v in values) for name, values in columns.items()}
    return History(epochs=tuple(epochs), columns=plain)


def history_from_frame(frame: pl.DataFrame) -> History:
    """The rows of a frame with a column ``epoch`` as plain tuples; whole epochs become ints."""
    epochs = tuple(int(e) if float(e).is_integer() else float(e) for e in frame["epoch"].to_list())
    columns = {c: tuple(frame[c].to_list()) for c in frame.columns if c != "epoch"}
    return History(epochs=epochs, columns=columns)
