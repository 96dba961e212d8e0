"""Where cases come from. A source is a function; a new one is a line here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from benchmarks.truth import simulated, trained
from benchmarks.truth.case import Case, Split


class Source(Protocol):
    """Yields the cases of one split; a case's folder need only live until the next case is asked for.

    ``part`` = (i, k) asks for each k-th case from the i-th on, so that k processes share the work.
    """

    def __call__(self, split: Split, quick: bool, *, part: tuple[int, int] = (0, 1)) -> Iterator[Case]: ...


SOURCES: tuple[tuple[str, Source], ...] = (("simulated", simulated.cases), ("trained", trained.cases))
