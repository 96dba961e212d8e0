"""Sums that a page works out itself: "0.5 × 0.85 = 0.43", with the rounding of its terms carried through."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from runreport.verify.numbers import Written, find_numbers
from runreport.verify.record import Claim, Kind, Verdict
from runreport.verify.values import shorten

_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_OPERATOR = r"(?:\*\*|\^|[+\-−–×*·/÷])"
EXPRESSION = re.compile(
    rf"(?<![\w.)²%])(?P<sum>[(\s]*[-−]?{_NUMBER}[)²]*(?:\s*{_OPERATOR}[\s(]*{_NUMBER}[)²]*)+)\s*(?P<sign>=|≈)\s*"
    rf"(?P<result>[-−]?{_NUMBER}(?![\w.]))(?!\s*(?:%|{_OPERATOR}\s*[\d(]))"
)
TOKEN = re.compile(rf"{_NUMBER}|\*\*|[+\-*/^()²]")
Interval = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sum:
    """A worked-out sum: where it stands, the interval that its terms allow, and the result that is written."""

    start: int
    end: int
    text: str
    value: Interval
    exact: float
    result: Written


def find_sums(text: str) -> Iterator[Sum]:
    """The sums of a sentence that are made of numbers only.

    >>> [(round(s.exact, 3), s.result.value) for s in find_sums("0.5 × 0.85 = 0.43")]
    [(0.425, 0.43)]
    """
    for match in EXPRESSION.finditer(text):
        before = text[: match.start("sum")].rstrip()
        if before and (before[-1] in "+-−×*·/÷^&" or before.endswith("**")):
            continue  # a part of a longer sum
        normal = re.sub(r"[−–]", "-", match["sum"])
        normal = re.sub(r"[×·]", "*", normal).replace("÷", "/")
        written = next(iter(find_numbers(match["result"])), None)
        try:
            value = _Parser(normal, rounded=True).result()
            exact = _Parser(normal, rounded=False).result()[0]
        except (ValueError, ZeroDivisionError, OverflowError):
            continue
        if written is not None:
            yield Sum(
                start=match.start("sum"), end=match.end("result"), text=match[0].strip(), value=value, exact=exact,
                result=written,
            )  # fmt: skip


def judge_sum(found: Sum, line: int, sentence: str) -> Claim:
    """Whether the result can be the sum of numbers that round to its terms."""
    low, high = found.result.bounds
    agrees = found.value[0] <= high + 1e-9 and found.value[1] >= low - 1e-9
    return Claim(
        line=line,
        kind=Kind.ARITHMETIC,
        verdict=Verdict.SUPPORTED if agrees else Verdict.CONTRADICTED,
        text=shorten(sentence),
        reason=f"{found.text}: it is {found.exact:.4g}" + ("" if agrees else ", not within the rounding of its terms"),
        written=found.result.text,
        right=None if agrees else found.exact,
    )


class _Parser:
    """Sums, products, powers and brackets over intervals; a ValueError where the text is none of these."""

    def __init__(self, text: str, *, rounded: bool) -> None:
        self.tokens = TOKEN.findall(text)
        if "".join(self.tokens) != re.sub(r"\s", "", text):
            raise ValueError(text)
        self.rounded = rounded
        self.at = 0

    def result(self) -> Interval:
        value = self._sum()
        if self.at != len(self.tokens):
            raise ValueError(self.tokens[self.at])
        return value

    def _next(self) -> str:
        return self.tokens[self.at] if self.at < len(self.tokens) else ""

    def _take(self) -> str:
        token = self._next()
        self.at += 1
        return token

    def _sum(self) -> Interval:
        value = self._product()
        while self._next() in ("+", "-"):
            plus = self._take() == "+"
            other = self._product()
            value = (value[0] + other[0], value[1] + other[1]) if plus else (value[0] - other[1], value[1] - other[0])
        return value

    def _product(self) -> Interval:
        value = self._power()
        while self._next() in ("*", "/"):
            times = self._take() == "*"
            other = self._power()
            if not times and other[0] <= 0 <= other[1]:
                raise ZeroDivisionError
            ends = [a * b if times else a / b for a in value for b in other]
            value = min(ends), max(ends)
        return value

    def _power(self) -> Interval:
        value = self._unit()
        while self._next() in ("²", "^", "**"):
            exponent = 2.0 if self._take() == "²" else self._unit()[0]
            if exponent != 2.0:
                raise ValueError("only squares")
            ends = sorted(abs(v) for v in value)
            value = (0.0 if value[0] <= 0 <= value[1] else ends[0] ** 2), ends[1] ** 2
        return value

    def _unit(self) -> Interval:
        token = self._take()
        if token == "-":
            low, high = self._unit()
            return -high, -low
        if token == "(":
            value = self._sum()
            if self._take() != ")":
                raise ValueError("brackets")
            return value
        number = float(token)
        decimals = len(token.partition(".")[2])
        # A whole number in a sum is exact ("1 - 0.08"); a decimal fraction was rounded to what is written.
        half = 0.5 * 10.0**-decimals if decimals and self.rounded else 0.0
        return number - half, number + half
