"""How numbers and lists read in a sentence. Rounding happens here and nowhere else."""

from __future__ import annotations

import math
from collections.abc import Sequence


def number(value: float | None, digits: int = 3) -> str:
    """A number to ``digits`` significant digits, never in scientific notation between 1e-4 and 1e6.

    >>> number(0.12345), number(-0.0655, 2), number(1234.5), number(None), number(0.0)
    ('0.123', '-0.066', '1234', 'n/a', '0')
    """
    if value is None or not math.isfinite(value):
        return "n/a" if value is None or math.isnan(value) else ("∞" if value > 0 else "-∞")
    if value == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(value)))
    if magnitude < -4 or magnitude >= 6:
        return f"{value:.{max(digits - 1, 0)}e}"
    return f"{value:.{max(digits - 1 - magnitude, 0)}f}"


def setting(value: object) -> str:
    """A config value as a person wrote it: no digits added.

    >>> setting(0.0005), setting(20.0), setting("huber"), setting(None), setting(True)
    ('0.0005', '20', 'huber', 'not set', 'true')
    """
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6g}" if isinstance(value, float) else str(value)


FIXED_BELOW = 1e6
"""From here on a score is written as other numbers are: ``number`` has scientific notation from the same size."""


def fixed(value: float | None, decimals: int = 3) -> str:
    """A number with fixed decimals; for scores such as R² whose scale is known. Never "-0.000".

    Of a run that diverged such a score has no scale any more, and its decimals say nothing: then three significant digits.

    >>> fixed(-0.0655), fixed(0.12345, 2), fixed(None), fixed(-0.0001), fixed(-1e9)
    ('-0.066', '0.12', 'n/a', '0.000', '-1.00e+09')
    """
    if value is None or not math.isfinite(value) or abs(value) >= FIXED_BELOW:
        return number(value)
    text = f"{value:.{decimals}f}"
    return text.removeprefix("-") if float(text) == 0 else text


def percent(value: float | None, digits: int | None = None) -> str:
    """A share as a percentage: one decimal below 100 %, none from there on.

    >>> percent(0.2229), percent(0.9235, 0), percent(None), percent(2.004)
    ('22.3 %', '92 %', 'n/a', '200 %')
    """
    if value is None or not math.isfinite(value):
        return number(value)
    decimals = digits if digits is not None else (1 if abs(value) < 0.9995 else 0)
    return f"{fixed(100 * value, decimals)} %"


def interval(bounds: tuple[float, float] | None, decimals: int = 2) -> str:
    """A 95 % interval in brackets, or nothing where there is none.

    >>> interval((-0.21, 0.03)), interval(None)
    ('[-0.21, 0.03]', '')
    """
    return "" if bounds is None else f"[{fixed(bounds[0], decimals)}, {fixed(bounds[1], decimals)}]"


def outward(bounds: tuple[float, float], decimals: int = 3) -> str:
    """An interval whose ends are rounded away from it: what lies outside it lies outside the unrounded one.

    >>> outward((0.9172, 0.9301))
    '[0.917, 0.931]'
    """
    scale = 10.0**decimals
    return interval((math.floor(bounds[0] * scale) / scale, math.ceil(bounds[1] * scale) / scale), decimals)


def with_interval(value: float | None, bounds: tuple[float, float] | None, decimals: int = 3) -> str:
    """A score and its interval, to the same decimals.

    >>> with_interval(0.125, (-0.04, 0.28), 2), with_interval(0.125, None)
    ('0.12 [-0.04, 0.28]', '0.125')
    """
    text = fixed(value, decimals)
    return text if bounds is None else f"{text} {interval(bounds, decimals)}"


def epoch(value: int | float | None) -> str:
    """An epoch as people write it: whole numbers without a point.

    >>> epoch(37.0), epoch(0.5), epoch(None)
    ('37', '0.5', 'unknown')
    """
    if value is None:
        return "unknown"
    return f"{value:.6g}"


def listing(items: Sequence[str], conjunction: str = "and", most: int | None = None) -> str:
    """Items as a list in a sentence; with ``most``, the rest is counted.

    >>> listing(["a"]), listing(["a", "b"]), listing(["a", "b", "c"]), listing(list("abcd"), most=2)
    ('a', 'a and b', 'a, b and c', 'a, b and 2 more')
    """
    shown = list(items)
    if most is not None and len(shown) > most:
        shown = [*shown[:most], f"{len(shown) - most} more"]
    if len(shown) < 2:
        return "".join(shown)
    return f"{', '.join(shown[:-1])} {conjunction} {shown[-1]}"


def sentence(text: str) -> str:
    """Text as a sentence: a capital first, a full stop last.

    >>> sentence("one group: a series"), sentence("Done."), sentence("")
    ('One group: a series.', 'Done.', '')
    """
    text = text.strip()
    return f"{text[:1].upper()}{text[1:].rstrip('.')}." if text else ""


def plural(count: int, noun: str, many: str | None = None) -> str:
    """A count and its noun.

    >>> plural(1, "epoch"), plural(3, "epoch"), plural(2, "history", "histories")
    ('1 epoch', '3 epochs', '2 histories')
    """
    return f"{count} {noun if count == 1 else many or noun + 's'}"
