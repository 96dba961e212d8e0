"""Courses that a page tells: "46 % → 6 % → 22 %", "fell from 0.9 to 0.4": each stage must be in the log, and in that order."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from runreport.verify.collect import LEAST_DECIMALS
from runreport.verify.context import About
from runreport.verify.facts import Epoch, Facts
from runreport.verify.numbers import Written, agrees, rounding, shown
from runreport.verify.page import Sentence
from runreport.verify.record import Claim, Kind, Verdict
from runreport.verify.scope import LOOSE_NAMES
from runreport.verify.superlatives import COLUMN, Extremes
from runreport.verify.tokens import Token
from runreport.verify.values import shorten
from runreport.verify.vocabulary import HARMLESS, HYPOTHETICAL, is_share, label
from runreport.wording import epoch as epoch_words
from runreport.wording import listing

ARROWS = frozenset({"→", "->", "⇒", "=>"})
OVER_TRAINING = re.compile(
    r"\b(?:during|over|through(?:out)?) (?:the )?(?:training|epochs?|run)\b|\bepochs?\b", re.IGNORECASE
)
RISE = re.compile(r"\b(?:rose|rises|rising|increased|grew|climbed|went up)\b", re.IGNORECASE)
FALL = re.compile(r"\b(?:fell|falls|falling|dropped|decreased|declined|collapsed|shrank|went down)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chain:
    """Numbers that a sentence puts in an order, and the metric they are of."""

    numbers: tuple[Written, ...]
    metric: str

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """Where its numbers stand."""
        return tuple((n.start, n.end) for n in self.numbers)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """A logged figure that a stage can be: its epoch (infinite for final figures of another split) and where it is."""

    order: float
    value: float
    what: str
    half: float


def find_chains(tokens: Sequence[Token], text: str, whose: About, facts: Facts) -> Iterator[Chain]:
    """Every chain of a sentence whose metric is named before it."""
    position = 0
    while position < len(tokens):
        numbers, end = _chain_from(tokens, position, text)
        if len(numbers) > 1:
            metric = _metric_before(tokens, position, whose, facts)
            if metric is not None:
                yield Chain(numbers=tuple(numbers), metric=metric)
            position = end
        else:
            position += 1


def _chain_from(tokens: Sequence[Token], position: int, text: str) -> tuple[list[Written], int]:
    """The chain that starts at this token, and where it ends; a single number is none."""
    first = tokens[position]
    if first.kind != "number" or first.number is None or first.number.times:
        return [], position
    chain, at = [first.number], position + 1
    fromward = bool(re.search(r"\bfrom\s+$", text[: first.start]))
    while at + 1 < len(tokens):
        link, following = tokens[at], tokens[at + 1]
        linked = link.key in ARROWS or (link.key == "to" and fromward)
        if not linked or following.kind != "number" or following.number is None:
            break
        chain.append(following.number)
        at += 2
    return chain, at


def _metric_before(tokens: Sequence[Token], position: int, whose: About, facts: Facts) -> str | None:
    """The last metric named before the chain, with no other number between; "variance" stands for a logged std ratio."""
    for token in reversed(tokens[:position]):
        if token.kind == "number":
            return None
        if token.kind == "metric":
            return token.key
        if token.kind == "word" and token.key in LOOSE_NAMES and any(facts.of(r, "variance_ratio") for r in whose.runs):
            return LOOSE_NAMES[token.key]
    return None


def judge_chain(
    chain: Chain, sentence: Sentence, tokens: Sequence[Token], whose: About, facts: Facts, extremes: Extremes
) -> Claim:
    """Whether every stage is in the logs, in the order told."""
    text, share = shorten(sentence.text), is_share(chain.metric)
    about = {"metric": chain.metric} | ({"run": whose.runs[0]} if len(whose.runs) == 1 else {})
    written = " → ".join(n.text for n in chain.numbers)

    def claim(verdict: Verdict, reason: str, right: float | None = None) -> Claim:
        return Claim(
            line=sentence.line, kind=Kind.TREND, verdict=verdict, text=text, reason=reason, written=written, right=right,
            about=about,
        )  # fmt: skip

    stages = [s for run in whose.runs for s in _stages(facts, run, chain.metric)]
    if not stages:
        return claim(
            Verdict.NOT_CHECKABLE, f"no {label(chain.metric)} in the logs of {listing(whose.runs, 'or') or 'any run'}"
        )
    wrong_way = _wrong_way(chain, _leading_to(chain, tokens, sentence.text))
    if wrong_way:
        return claim(Verdict.CONTRADICTED, wrong_way)
    placed = [[s for s in stages if agrees(n, s.value, share=share, half=s.half)] for n in chain.numbers]
    missing = [n for n, found in zip(chain.numbers, placed, strict=True) if not found]
    if not missing:
        order = _in_order(placed) if len(whose.runs) == 1 else [found[0] for found in placed]
        if order is None:
            return claim(Verdict.NOT_CHECKABLE, "each figure is in the logs, but in no such order")
        return claim(Verdict.SUPPORTED, " → ".join(s.what for s in order))
    alone = whose.certain and len(whose.runs) == 1 and len(missing) < len(chain.numbers)
    told = alone and not HYPOTHETICAL.search(sentence.text) and _is_of_training(sentence.text, tokens)
    return _judge_missing(missing[0], chain, stages, whose, facts, extremes, told, claim)


def _judge_missing(  # type: ignore[no-untyped-def]
    number: Written, chain: Chain, stages: Sequence[_Stage], whose: About, facts: Facts, extremes: Extremes, told: bool, claim
) -> Claim:  # fmt: skip
    """A stage that is nowhere in the logs."""
    share = is_share(chain.metric)
    factor = 100.0 if number.percent and share else 1.0
    logged = [s for s in stages if s.order != float("inf")] or list(stages)
    low, high = min(logged, key=lambda s: s.value), max(logged, key=lambda s: s.value)
    below, above = number.bounds[1] < factor * low.value, number.bounds[0] > factor * high.value
    nearest = low if below else high if above else min(logged, key=lambda s: abs(factor * s.value - number.value))
    word = "lowest" if below else "highest" if above else "nearest"
    found = (
        f"no logged epoch has {number.text}: the {word} is {shown(nearest.value, number, share=share)} ({nearest.what})"
    )
    if not told:
        return claim(Verdict.NOT_CHECKABLE, found + "; whether it is told of this run's training is not plain")  # type: ignore[no-any-return]
    gaps = facts.gaps(whose.runs[0])
    if gaps is None:
        return claim(Verdict.CONTRADICTED, found, nearest.value)  # type: ignore[no-any-return]
    own = extremes.of(whose.runs[0], chain.metric, "low" if below else "high") if below or above else None
    if own is not None and own.epoch == nearest.order:
        reason = f"{found}, which line {own.line} of the page calls the {word} of all"
        return claim(Verdict.CONTRADICTED, reason, nearest.value)  # type: ignore[no-any-return]
    missing = gaps[1] - gaps[0]
    return claim(Verdict.NOT_CHECKABLE, f"{found}; {missing} of {gaps[1]} epochs are not in the log")  # type: ignore[no-any-return]


def _stages(facts: Facts, run: str, metric: str) -> list[_Stage]:
    """What a stage can be: every epoch's figure, and the final ones after them."""
    found = []
    history = facts.analyses[run].history
    series = history.finite(COLUMN.get(metric, metric)) if history is not None else []
    half = rounding([value for _, value in series])
    for epoch, value in series:
        found.append(_Stage(order=float(epoch), value=value, what=f"epoch {epoch_words(epoch)}", half=half))
    final = facts.analyses[run].final
    ended = final[metric] if final is not None else None
    if final is not None and ended is not None and final.basis != "history":
        whose = f"{run}, " if len(facts.runs) > 1 else ""
        half = 0.0 if final.basis == "predictions" else rounding([ended], least=LEAST_DECIMALS)
        found.append(_Stage(order=float("inf"), value=ended, what=f"{whose}{final.split} set", half=half))
    return found


def _in_order(placed: Sequence[Sequence[_Stage]]) -> list[_Stage] | None:
    """A stage for each number with orders that never fall, the earliest there are; None where there is none."""
    chosen: list[_Stage] = []
    reached: Epoch = float("-inf")
    for found in placed:
        later = [s for s in found if s.order >= reached]
        if not later:
            return None
        chosen.append(min(later, key=lambda s: s.order))
        reached = chosen[-1].order
    return chosen


def _is_of_training(text: str, tokens: Sequence[Token]) -> bool:
    """Whether the sentence says that it is about training, or says nothing else."""
    return bool(OVER_TRAINING.search(text)) or all(t.kind != "word" or t.key in HARMLESS for t in tokens)


def _leading_to(chain: Chain, tokens: Sequence[Token], text: str) -> str:
    """What stands between the metric and its first number: a verb elsewhere may be of something else ("run 2 collapsed: ...")."""
    first = chain.numbers[0].start
    named = [t.end for t in tokens if t.end <= first and (t.kind == "metric" or t.key in LOOSE_NAMES)]
    return text[named[-1] : first] if named else ""


def _wrong_way(chain: Chain, text: str) -> str:
    """A verb that says up where the two numbers go down, or the reverse; empty where they agree."""
    if len(chain.numbers) != 2 or bool(RISE.search(text)) == bool(FALL.search(text)):
        return ""
    first, last = chain.numbers[0], chain.numbers[-1]
    rising = last.value > first.value
    if first.value == last.value or rising == bool(RISE.search(text)) or first.value < 0 or last.value < 0:
        return ""
    return f"{last.text} is {'more' if rising else 'less'} than {first.text}"
