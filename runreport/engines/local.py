"""One machine: piece after piece, each on all cores."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runreport.engines.engine import Engine, Outcome
from runreport.engines.pieces import Piece, moments_of
from runreport.errors import InputError


def run(pieces: Sequence[Piece], address: str | None = None) -> Iterator[Outcome]:
    """The outcome of every piece, in order. ``address`` must be None: there is no cluster here."""
    if address is not None:
        raise InputError("--ray-address", found=address, expected="--engine daft with it")
    for piece in pieces:
        try:
            yield piece, moments_of(piece)
        except InputError as error:
            yield piece, str(error)


ENGINE = Engine(name="polars", where="this machine", run=run)
