"""Numbers as people write them, and whether a logged value is what was written."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

APPROXIMATE_SHARE = 0.1
"""How far a number called "about" may be off: a tenth of itself, or one unit of its last written place if that is more."""
SINGLE_PRECISION = 6
"""Decimals from which a logged value counts as unrounded: fewer are a figure that somebody had rounded before it was logged."""
PRINTED = 4
"""Decimals, or significant digits, with which the reports print a figure; a share's percent has three less, rounded to one."""
SLACK = 1e-9
"""Relative room for the binary representation of decimal fractions."""
SIGN = r"[+\-−]"
_DIGITS = r"(?:\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?|\.\d+)"
_VALUE = rf"{SIGN}?{_DIGITS}(?:[eE][+\-−]?\d+)?"
NUMBER = re.compile(
    rf"""
    (?<![\w./+\-−])(?<!\d[–,])
    (?P<about>(?:~|≈|≃|\b(?:about|around|roughly|approximately|nearly|almost|circa|ca\.)\s*)\s*)?
    (?P<first>{_VALUE})(?P<first_percent>\s?%)?
    (?:(?:\s?[–…]\s?|(?<=[\d%])-)(?P<second>{_DIGITS}))?
    (?P<percent>\s?(?:%|percent\b|per\s+cent\b))?
    (?P<times>\s?(?:×(?!\s?\d)|[xX](?!\w)|-?fold\b|\s?times\b))?
    (?![\w²^⁻⁰¹³-⁹]|\.\d|,\d|[-/]\d|\s?(?:−|–)\d|\s?[×·*]\s?\d|\s?x\s?\d)
    """,
    re.VERBOSE,
)
LEADING_DASH = re.compile(r"(?<![\d%])(?<![\d%]\s)–(?=[\d.])")
"""An en dash before a number and after none: a minus as word processors set it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """A number in a text.

    value
        As written, without its percent sign; the lower end of a range.
    upper
        The upper end where a range is written ("14-20 %"), else None.
    place
        Size of the last written place: 0.01 for "0.25", 100 for "1.2e3".
    percent, times
        Whether a percent sign, or an "x" that makes it a factor, follows.
    about
        Whether it is said to be approximate.
    start, end
        Where it stands in the sentence.
    """

    text: str
    value: float
    place: float
    upper: float | None = None
    percent: bool = False
    times: bool = False
    about: bool = False
    start: int = 0
    end: int = 0

    @property
    def half(self) -> float:
        """How far the true value may lie from the written one, either way."""
        room = self.place / 2
        return max(APPROXIMATE_SHARE * abs(self.value), self.place) if self.about else room

    @property
    def bounds(self) -> tuple[float, float]:
        """The values that this may stand for, in the units it is written in."""
        top = self.value if self.upper is None else self.upper
        return min(self.value, top) - self.half, max(self.value, top) + self.half


def find_numbers(text: str) -> Iterator[Written]:
    """Every number of a sentence; not those inside words, dates, versions, times of day, products and lists without spaces
    ("0,35" may be a decimal comma).

    >>> [(w.value, w.place, w.percent) for w in find_numbers("R² = -0.0655, ratio 22.3 %, run4 on 2024-10-20")]
    [(-0.0655, 0.0001, False), (22.3, 0.1, True)]
    >>> [(w.value, w.upper, w.times) for w in find_numbers("14-20% and 5-7x")]
    [(14.0, 20.0, False), (5.0, 7.0, True)]
    """
    text = LEADING_DASH.sub("-", text)
    hidden = [m.span() for m in re.finditer(r"\d{4}-\d\d-\d\d|\d{1,2}:\d\d(?::\d\d)?|\bv?\d+\.\d+\.\d+\S*", text)]
    for match in NUMBER.finditer(text):
        if any(start < match.end() and match.start() < end for start, end in hidden):
            continue
        first, second = match["first"], match["second"]
        percent = bool(match["percent"] or match["first_percent"])
        places = [_place(first)] + ([_place(second)] if second else [])
        yield Written(
            text=match[0].strip(),
            value=_float(first),
            upper=_float(second) if second else None,
            place=max(places),
            percent=percent,
            times=bool(match["times"]),
            about=bool(match["about"]),
            start=match.start(),
            end=match.end(),
        )


def _float(text: str) -> float:
    return float(text.replace(",", "").replace("−", "-"))


def _place(text: str) -> float:
    """The last written place of a number: 0.1 for "22.3"."""
    mantissa, _, exponent = text.replace(",", "").lower().partition("e")
    decimals = len(mantissa.partition(".")[2])
    power = int(exponent.replace("−", "-")) if exponent else 0
    return float(f"1e{power - decimals}")


def decimals_of(value: float) -> int:
    """Decimals that a logged value is written with; :data:`SINGLE_PRECISION` or more: not rounded.

    >>> decimals_of(0.081), decimals_of(2.0), decimals_of(5e-07)
    (3, 0, 7)
    """
    mantissa, _, exponent = repr(float(value)).partition("e")
    fraction = mantissa.partition(".")[2].rstrip("0")
    return max(0, len(fraction) - int(exponent or 0))


def rounding(values: Iterable[float], least: int = 0) -> float:
    """Half a unit of the last place of figures that were rounded alike before they were logged; 0 where they were not.

    A log drops closing zeros, so it is the longest of them that tells; ``least`` decimals are taken where fewer are seen.

    >>> rounding([0.1, 0.081]), rounding([0.0812345678]), rounding([0.4], least=2)
    (0.0005, 0.0, 0.005)
    """
    decimals = max((decimals_of(v) for v in values if math.isfinite(v)), default=SINGLE_PRECISION)
    return 0.5 * 10.0 ** -max(decimals, least) if decimals < SINGLE_PRECISION else 0.0


def agrees(written: Written, value: float, *, share: bool = False, half: float = 0.0) -> bool:
    """Whether a logged value is what was written, at the precision to which it was written.

    A number agrees where the value rounds to it, where it is the value cut off after its last place, or where it is
    written more finely than the value was logged and rounds to that; or where it is rounded from a figure that a report had
    rounded before (0.57247 is printed 0.5725, and copied as 0.573). ``share``: whether the quantity may be written in percent
    (then 22.3 and 22.3 % both stand for 0.223). ``half``: how far the true value may lie from the logged one (`rounding`).

    >>> w = next(find_numbers("8.1 %"))
    >>> agrees(w, 0.0812, share=True), agrees(w, 0.0856, share=True)
    (True, False)
    """
    readings = [value]
    if written.percent:
        readings = [100 * value] if share else [100 * value, value]
    elif share:
        readings = [value, 100 * value]
    low, high = written.bounds
    for reading in readings:
        scale = reading / value if value else 1.0
        if any(low - SLACK <= copied <= high + SLACK for copied in _as_printed(reading, written, scale)):
            return True
        room = half * scale + SLACK * max(1.0, abs(reading))
        if low - room <= reading <= high + room:
            return True
        # One digit cut off is no figure: "0" is not 0.84.
        exact = written.upper is None and not written.about and abs(written.value) >= 10 * written.place
        if (
            exact
            and reading * written.value >= 0
            and 0 <= abs(reading) - abs(written.value) < written.place * (1 - SLACK)
        ):
            return True  # cut off instead of rounded
    return False


def _as_printed(reading: float, written: Written, scale: float) -> Iterator[float]:
    """A figure as reports print it, where that has more places than what is written."""
    if not math.isfinite(reading) or not reading:
        return
    decimals = 1 if scale == 100.0 else PRINTED
    digits = PRINTED - 1 - math.floor(math.log10(abs(reading)))
    for places in {decimals, digits}:
        if 0 <= places <= 12 and 10.0**-places < written.place * (1 - SLACK):
            yield round(reading, places)


def shown(value: float, written: Written, *, share: bool = False) -> str:
    """A value as it would have been written there, with the same percent sign and one place more.

    >>> shown(0.0812, next(find_numbers("6 %")), share=True)
    '8.1 %'
    """
    percent = written.percent and share
    scaled = 100 * value if percent else value
    decimals = max(0, round(-math.log10(written.place))) + (not scaled.is_integer())
    text = f"{scaled:.{decimals}f}" if abs(scaled) < 1e6 and (abs(scaled) >= 1e-4 or not scaled) else f"{scaled:.4g}"
    return f"{text} %" if percent else text
