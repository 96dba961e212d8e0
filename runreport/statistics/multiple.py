"""Adjusted p-values for many tests at once, in plain Python.

None (a test that could not run) stays None and is not counted.
"""

from collections.abc import Sequence


def benjamini_hochberg(p_values: Sequence[float | None]) -> list[float | None]:
    """q-values: the false discovery rate at which each test is flagged, in [0, 1], in the order given.

    q_(i) = min_{j ≥ i} m p_(j) / j (Benjamini & Hochberg 1995, doi:10.1111/j.2517-6161.1995.tb02031.x): valid for
    independent and for positively dependent tests (Benjamini & Yekutieli 2001).

    >>> benjamini_hochberg([0.01, None, 0.04, 0.03])
    [0.03, None, 0.04, 0.04]
    """
    ranked = _ranked(p_values)
    adjusted: list[float | None] = [None] * len(p_values)
    count, lowest = len(ranked), 1.0
    for rank in range(count, 0, -1):
        p, index = ranked[rank - 1]
        lowest = min(lowest, p * count / rank)
        adjusted[index] = lowest
    return adjusted


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjusted p-values that control the chance of any false claim, in [0, 1], in the order given.

    max_{j ≤ i} (m - j + 1) p_(j), no more than 1 (Holm 1979); valid under any dependence.

    >>> holm([0.01, None, 0.04, 0.03])
    [0.03, None, 0.06, 0.06]
    """
    ranked = _ranked(p_values)
    adjusted: list[float | None] = [None] * len(p_values)
    highest = 0.0
    for rank, (p, index) in enumerate(ranked):
        highest = max(highest, min(1.0, p * (len(ranked) - rank)))
        adjusted[index] = highest
    return adjusted


def _ranked(p_values: Sequence[float | None]) -> list[tuple[float, int]]:
    """(p, position) of the tests that ran, smallest first. A p outside [0, 1] is a programming error: ValueError."""
    pairs = [(p, index) for index, p in enumerate(p_values) if p is not None]
    for p, _ in pairs:
        if not 0.0 <= p <= 1.0:
            raise ValueError(f"a p-value must lie in [0, 1], got {p}")
    return sorted(pairs)
