"""Runs that were really trained: networks on real tables, with a fault put into settings, data or what was written."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.truth.case import Case, Split


def cases(split: Split, quick: bool, *, part: tuple[int, int] = (0, 1)) -> Iterator[Case]:
    """See :func:`benchmarks.truth.trained.source.cases`; torch is loaded only when cases are asked for."""
    from benchmarks.truth.trained import source

    return source.cases(split, quick, part=part)
