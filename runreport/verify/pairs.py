"""Rows of a table that give the difference of two runs: "run4 - run1 | ΔR² | interval | p"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runreport.verify.facts import Facts
from runreport.verify.headers import Label
from runreport.verify.numbers import Written, agrees, find_numbers, shown
from runreport.verify.page import Row
from runreport.verify.record import Claim, Kind, Verdict
from runreport.verify.vocabulary import is_share, label

PAIRED = ("r2", "pearson_r", "mae")
"""Metrics whose paired differences are tested (`runreport.statistics.paired`)."""


def judge_pair(
    row: Row,
    index: int,
    columns: Sequence[Label],
    titles: Sequence[str],
    pair: tuple[str, str],
    facts: Facts,
    text: str,
) -> Iterator[Claim]:
    """The numbers of one cell: a difference, which is contradicted where it is another; an interval or a p-value, which
    is only ever supported, since another method gives others."""
    numbers = list(find_numbers(row.cells[index]))
    column = columns[index]
    if column.kind == "delta" and column.metric is not None:
        if numbers:
            yield _difference(row, column.metric, pair, facts, numbers[0], text)
        figures: tuple[float, ...] = _interval(column.metric, pair, facts)
        rest = numbers[1:]
    else:
        metric = next((c.metric for c in columns if c.kind == "delta" and c.metric is not None), None)
        p = titles[index].strip().lower().startswith("p")
        figures = () if metric is None else _p_value(metric, pair, facts) if p else _interval(metric, pair, facts)
        rest = numbers
    for position, number in enumerate(rest):
        holds = position < len(figures) and agrees(number, figures[position])
        yield Claim(
            line=row.line,
            kind=Kind.VALUE,
            verdict=Verdict.SUPPORTED if holds else Verdict.NOT_CHECKABLE,
            text=text,
            reason=f"paired difference of {pair[0]} and {pair[1]}, computed here"
            if holds
            else "its method is not known",
            written=number.text,
        )


def _difference(row: Row, metric: str, pair: tuple[str, str], facts: Facts, number: Written, text: str) -> Claim:
    finals = [facts.analyses[run].final for run in pair]
    first, second = (final[metric] if final is not None else None for final in finals)
    about = {"metric": f"Δ{metric}"}
    if first is None or second is None:
        return Claim(
            line=row.line, kind=Kind.VALUE, verdict=Verdict.NOT_CHECKABLE, text=text, written=number.text, about=about,
            reason=f"no {label(metric)} of both {pair[0]} and {pair[1]}",
        )  # fmt: skip
    right = first - second
    share = is_share(metric)
    holds = agrees(number, right, share=share)
    return Claim(
        line=row.line, kind=Kind.VALUE, verdict=Verdict.SUPPORTED if holds else Verdict.CONTRADICTED, text=text,
        reason=f"{pair[0]} less {pair[1]} in {label(metric)}: {shown(right, number, share=share)}", written=number.text,
        right=None if holds else right, about=about,
    )  # fmt: skip


def _paired(metric: str, pair: tuple[str, str], facts: Facts):  # type: ignore[no-untyped-def]
    """(the paired difference, whether it is of the same direction as the row); None where there is none."""
    paired = facts.comparison.paired if facts.comparison is not None else None
    if paired is None or metric not in PAIRED or any(run not in paired.names for run in pair):
        return None
    # A difference is that of the second less the first, in the order in which the names were given.
    forward = paired.names.index(pair[1]) < paired.names.index(pair[0])
    first, second = (pair[1], pair[0]) if forward else pair
    return paired.difference(first, second, metric), forward


def _interval(metric: str, pair: tuple[str, str], facts: Facts) -> tuple[float, ...]:
    found = _paired(metric, pair, facts)
    if found is None or found[0].lo is None:
        return ()
    difference, forward = found
    return (difference.lo, difference.hi) if forward else (-difference.hi, -difference.lo)


def _p_value(metric: str, pair: tuple[str, str], facts: Facts) -> tuple[float, ...]:
    found = _paired(metric, pair, facts)
    return () if found is None or found[0].p_holm is None else (found[0].p_holm,)
