"""What an engine is: where pieces are worked on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runreport.engines.pieces import Piece

if TYPE_CHECKING:
    import polars as pl

Outcome = tuple[Piece, "pl.DataFrame | str"]
"""A piece, and its moments or the line about why it has none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    """Where pieces are worked on.

    run
        (pieces, address of a cluster or None) -> the outcome of every piece, in any order. An error of one piece is its
        outcome and stops none of the others. Raises :class:`~runreport.errors.InputError` where the engine itself is
        missing or cannot be reached.
    """

    name: str
    where: str
    run: Callable[[Sequence[Piece], str | None], Iterator[Outcome]]
