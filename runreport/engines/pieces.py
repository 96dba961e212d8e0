"""The work cut into pieces: a stretch of rows of one object, and its moments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runreport.engines.objects import Object
from runreport.errors import InputError

if TYPE_CHECKING:
    import polars as pl

KEYS = ("run", "epoch")
PIECE_BYTES = 256 * 1024**2
"""Bytes of an object that one piece reads: seconds of work, so that scheduling it (milliseconds) and doing it again after
a lost machine both stay small beside the whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Rows ``first`` to ``first + rows`` of an object; all of them where ``rows`` is None."""

    run: str
    address: str
    first: int = 0
    rows: int | None = None


def cut(objects: Iterable[Object], piece_bytes: int = PIECE_BYTES) -> Iterator[Piece]:
    """Pieces of at most about ``piece_bytes``. The footer is read only of objects that are larger.

    Raises
    ------
    InputError
        A large object whose footer cannot be read.
    """
    for item in objects:
        if item.size <= piece_bytes:
            yield Piece(run=item.run, address=item.address)
            continue
        rows = _row_count(item.address)
        step = -(-rows * piece_bytes // item.size)
        for first in range(0, rows, step):
            yield Piece(run=item.run, address=item.address, first=first, rows=min(step, rows - first))


def moments_of(piece: Piece) -> pl.DataFrame:
    """The ``MOMENTS`` of every epoch in a piece, after the columns ``run`` and ``epoch`` (Float64), with the tolerances
    below which either column counts as constant (``true_tolerance``, ``pred_tolerance``).

    Runs where the engine puts it, and needs nothing but the object and this package.

    Raises
    ------
    InputError
        An object that cannot be read, lacks a column, or holds a row without an epoch.
    """
    import polars as pl

    from runreport.metrics.streaming import table_moments

    scan = pl.scan_parquet(piece.address, glob=False)
    if piece.first or piece.rows is not None:
        scan = scan.slice(piece.first, piece.rows)
    found = table_moments(scan, ("epoch",), where=piece.address)
    epochs = found.moments["epoch"].cast(pl.Float64, strict=False)
    if not epochs.is_finite().fill_null(value=False).all():
        raise InputError(piece.address, found="rows without an epoch", expected="a number in every row's `epoch`")
    return found.moments.select(
        pl.lit(piece.run).alias("run"),
        epochs.alias("epoch"),
        pl.exclude("epoch"),
        pl.lit(found.true_tolerance).alias("true_tolerance"),
        pl.lit(found.pred_tolerance).alias("pred_tolerance"),
    )


def _row_count(address: str) -> int:
    import polars as pl

    try:
        return int(pl.scan_parquet(address, glob=False).select(pl.len()).collect().item())
    except (pl.exceptions.PolarsError, OSError) as problem:
        detail = (str(problem).strip().splitlines() or [type(problem).__name__])[0]
        raise InputError(address, found=f"cannot be read ({detail[:120]})", expected="a Parquet file") from None
