"""How far a logged figure may be from the one it was rounded from."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

FLOAT32_RELATIVE = 1e-6
"""Relative error of a mean or std summed in float32: its resolution is 6e-8, and a sum over rows loses about a digit."""
LEAST_PLACES = 2
"""Places that a figure is credited with even where it ends earlier: "0.5" in a column of four decimals is "0.5000" with
its zeros dropped, and half a unit of its last printed digit would excuse anything."""
FULL_PRECISION = 12
"""A column with a value of this many decimals was printed in full: nothing in it is rounded to speak of."""


def decimals(value: float) -> int:
    """Digits after the point in the shortest text of a number.

    >>> decimals(0.125), decimals(-4.38), decimals(2.0), decimals(1e-7), decimals(3e20)
    (3, 2, 0, 7, 0)
    """
    text = repr(value)
    if "e" in text:
        exponent = Decimal(text).as_tuple().exponent
        return max(0, -exponent) if isinstance(exponent, int) else 0
    places = text.partition(".")[2]
    return 0 if places == "0" else len(places)


def column_decimals(values: Iterable[float]) -> int:
    """Most digits after the point of any value, up to :data:`FULL_PRECISION`: what the column was printed with.

    >>> column_decimals([0.5, 0.25, 1.0]), column_decimals([0.1, 1 / 3])
    (2, 12)
    """
    most = 0
    for value in values:
        most = max(most, decimals(value))
        if most >= FULL_PRECISION:
            return FULL_PRECISION
    return most


def half_unit(value: float, column: int | None = None) -> float:
    """Half a unit in the last digit that ``value`` was printed with.

    Its own digits count, but no fewer than :data:`LEAST_PLACES` where its column (``column`` decimals; None: a figure on
    its own) has them.

    >>> half_unit(-4.38, 4), half_unit(0.5, 4), half_unit(3.0, 1)
    (0.005, 0.005, 0.05)
    """
    if column == FULL_PRECISION:
        return 0.5 * 10.0**-FULL_PRECISION
    least = LEAST_PLACES if column is None else min(LEAST_PLACES, column)
    return 0.5 * 10.0 ** -max(decimals(value), least)


def half_units(values: Iterable[float]) -> list[float]:
    """:func:`half_unit` of every value of one column.

    >>> half_units([-4.38, 0.5, 0.1234]), half_units([3.0, 0.5]), half_units([0.1, 1 / 3])
    ([0.005, 0.005, 5e-05], [0.05, 0.05], [5e-13, 5e-13])
    """
    places = [decimals(value) for value in values]
    most = max(places, default=0)
    if most >= FULL_PRECISION:
        return [0.5 * 10.0**-FULL_PRECISION] * len(places)
    least = min(LEAST_PLACES, most)
    return [0.5 * 10.0 ** -max(own, least) for own in places]
