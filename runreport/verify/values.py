"""A written number against the figures that it can be: supported, contradicted, or neither."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from runreport.verify.facts import Epoch, Fact, Facts
from runreport.verify.numbers import Written, agrees, shown
from runreport.verify.reading import EpochSpan, Use
from runreport.verify.record import Claim, Kind, Verdict
from runreport.verify.vocabulary import is_share, label
from runreport.wording import epoch as epoch_words
from runreport.wording import listing

NAMED_VALUE = re.compile(r"^[^:=]{1,40}[:=]\s*[-−+~≈]?[\d.]")
"""A ``name: value`` line: the run's headline figure, not one of some epoch."""
VAGUE = frozenset({"bias_word", "rate_word"})
"""Names that are looked up, and that no number is held against."""
IN_PERCENT = frozenset({"mape", "pearson_r"})
"""Figures that are no shares, and that people write in percent of nothing else."""
LONGEST_TEXT = 100
"""Characters of a claim that are shown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a number is to be compared with.

    roles
        "lowest", "best", "final": only figures of that role are meant; empty where none is named.
    plain
        Whether a mismatch is a contradiction.
    why_not
        Why it is none, where ``plain`` is false.
    """

    written: Written
    metric: str
    runs: tuple[str, ...]
    split: str | None = None
    epochs: tuple[EpochSpan, ...] = ()
    roles: frozenset[str] = frozenset()
    plain: bool = False
    why_not: str = ""
    end: str = ""


def judge_use(use: Use, facts: Facts, text: str, line: int) -> Claim:
    """The verdict on one number of a sentence."""
    metric = use.metric
    if metric is None:
        reason = use.why_not or "it does not say what the number is of"
        return _claim(line, text, use.number, Verdict.NOT_CHECKABLE, reason, {})
    runs = use.about.runs
    unlogged = next((g for run in runs if (g := facts.gaps(run))), None)
    if unlogged and use.plain and not use.epochs and use.split is None and not NAMED_VALUE.match(text):
        missing = f"no epoch is named, and {unlogged[1] - unlogged[0]} of {unlogged[1]} epochs are not in the log"
        use = replace(use, plain=False, why_not=missing)
    asked = Asked(
        written=use.number,
        metric=metric,
        runs=runs,
        split=use.split,
        epochs=use.epochs,
        plain=use.plain and use.about.certain,
        why_not=use.why_not or use.about.why or ("" if use.about.certain else "several runs may be meant"),
        end=use.end,
    )
    return judge(asked, facts, text, line)


def judge(asked: Asked, facts: Facts, text: str, line: int) -> Claim:
    """The verdict on one number that is of a known metric."""
    written, metric = asked.written, asked.metric
    known = {"metric": metric.removeprefix("config.")}
    if len(asked.runs) == 1:
        known["run"] = asked.runs[0]
    if asked.split:
        known["split"] = asked.split
    if asked.epochs:
        known["epoch"] = listing([_span_words(s) for s in asked.epochs])
    if not asked.runs:
        reason = asked.why_not or "it does not say which run"
        return _claim(line, text, written, Verdict.NOT_CHECKABLE, reason, known)
    if asked.end:
        return _interval(asked, facts, text, line, known)
    meant = [f for run in asked.runs for f in facts.of(run, metric)]
    meant = [f for f in meant if _of_split(f, asked.split) and _of_epoch(f, asked.epochs)]
    if not meant:
        return _claim(line, text, written, Verdict.NOT_CHECKABLE, _nothing(asked, facts), known)
    share = is_share(metric)
    salient = [f for f in meant if f.salient or asked.epochs]
    asked = _held(asked, facts)
    if not asked.plain and not asked.epochs and asked.split is None:
        # A sentence that says more than was read may be about something else: the headline figures only can support it.
        salient = [f for f in salient if f.epoch is None or "final" in f.roles]
    in_role = [f for f in salient if not asked.roles or asked.roles & f.roles]
    hit = next((f for f in in_role or salient if f.is_written(written)), None)
    if hit is not None:
        return _claim(line, text, written, Verdict.SUPPORTED, _found(hit, facts), _places(hit, known))
    elsewhere = next((f for f in meant if f.is_written(written)), None)
    if elsewhere is not None:
        reason = f"{elsewhere.what} has it; which one is meant is not said"
        return _claim(line, text, written, Verdict.NOT_CHECKABLE, reason, known)
    right = min(in_role or salient or meant, key=lambda f: not f.roles & {"final", "saved"})
    has = f"the logs have {shown(right.value, written, share=share)} ({_whose(right, facts)}{right.what})"
    if not asked.plain:
        reason = f"{asked.why_not or 'what it is of is not plain'}; {has}"
        return _claim(line, text, written, Verdict.NOT_CHECKABLE, reason, known)
    if _other_unit(written, right.value):
        reason = f"{has}: the same digits at another power of ten, so perhaps another unit"
        return _claim(line, text, written, Verdict.NOT_CHECKABLE, reason, known)
    beside = _next_epoch(asked, facts)
    if beside is not None:
        reason = f"{has}; {beside.what} has it, so perhaps the page counts epochs from another number"
        return _claim(line, text, written, Verdict.NOT_CHECKABLE, reason, known)
    also = [f for f in (in_role or salient)[1:] if f.value != right.value and f.metric == right.metric]
    more = "" if not also else f"; also {shown(also[0].value, written, share=share)} ({also[0].what})"
    return _claim(line, text, written, Verdict.CONTRADICTED, has + more, _places(right, known), right.value)


def _held(asked: Asked, facts: Facts) -> Asked:
    """The question, without holding a number against the logs that is not possible or not surely of what the logs have."""
    written, metric = asked.written, asked.metric
    why = ""
    value = written.value / 100 if written.percent else written.value
    if metric in ("pearson_r", "train_pearson_r") and abs(value) > 1:
        why = "no correlation is outside [-1, 1], so it is something else"
    elif metric == "samples" and asked.split is None:
        why = "of which split is not said"
    elif metric == "epochs_run" and not any(
        f.what == "config max_epochs" for r in asked.runs for f in facts.of(r, metric)
    ):
        why = "how many epochs were planned is not in the logs"
    elif metric == "saved_epoch" and (written.percent or not written.value.is_integer() or written.value < 0):
        why = "no epoch has such a number, so it is something else"
    elif written.percent and not is_share(metric) and metric not in IN_PERCENT:
        why = "a percentage of what is not said"
    elif metric in VAGUE:
        why = "the word stands for more than one figure"
    return replace(asked, plain=False, why_not=why) if why and asked.plain else asked


def _next_epoch(asked: Asked, facts: Facts) -> Fact | None:
    """The figure of the epoch before or after, where the number is that: pages count from 0 or from 1."""
    if not asked.epochs:
        return None
    shifted = [(first + by, None if last is None else last + by) for first, last in asked.epochs for by in (-1.0, 1.0)]
    near = [f for run in asked.runs for f in facts.of(run, asked.metric)]
    near = [f for f in near if _of_split(f, asked.split) and _of_epoch(f, shifted)]
    return next((f for f in near if f.is_written(asked.written)), None)


def _interval(asked: Asked, facts: Facts, text: str, line: int, known: Mapping[str, str]) -> Claim:
    """An end of a 95 % interval of the final figures."""
    share = is_share(asked.metric)
    position = 0 if asked.end == "low" else 1
    ends = []
    for run in asked.runs:
        analysis = facts.analyses[run]
        for final in (analysis.final, analysis.context.validation):
            interval = final.interval(asked.metric) if final is not None else None
            if final is not None and interval is not None and asked.split in (None, final.split):
                ends.append((interval[position], final.split))
    if not ends:
        reason = f"no interval of {label(asked.metric)} can be computed from these logs"
        return _claim(line, text, asked.written, Verdict.NOT_CHECKABLE, reason, known, kind=Kind.INTERVAL)
    for value, split in ends:
        if agrees(asked.written, value, share=share):
            reason = f"{'lower' if position == 0 else 'upper'} end of the 95 % interval, {split}"
            return _claim(line, text, asked.written, Verdict.SUPPORTED, reason, known, kind=Kind.INTERVAL)
    # Another method, level or resampling gives other ends: that these differ contradicts nobody.
    value, split = ends[0]
    reason = f"its method is not known; computed here: {shown(value, asked.written, share=share)} (95 %, {split})"
    return _claim(line, text, asked.written, Verdict.NOT_CHECKABLE, reason, known, kind=Kind.INTERVAL)


def _of_split(fact: Fact, split: str | None) -> bool:
    return split is None or fact.split is None or fact.split == split


def _of_epoch(fact: Fact, spans: Sequence[EpochSpan]) -> bool:
    """Whether a figure is of one of these epochs; where some are named, a figure of no epoch is not meant."""
    return not spans or (fact.epoch is not None and any(inside(fact.epoch, span) for span in spans))


def inside(epoch: Epoch, span: EpochSpan) -> bool:
    """Whether an epoch lies in a span; an open one has no end."""
    first, last = span
    return first <= epoch and (last is None or epoch <= last)


def _nothing(asked: Asked, facts: Facts) -> str:
    """Why there is nothing to compare with."""
    name = label(asked.metric)
    where = f" of the {asked.split} set" if asked.split else ""
    if asked.epochs:
        gaps = [g for run in asked.runs if (g := facts.gaps(run))]
        missing = f" ({gaps[0][0]} of {gaps[0][1]} epochs are in the log)" if gaps else ""
        return f"no {name}{where} at epoch {listing([_span_words(s) for s in asked.epochs])} in the logs{missing}"
    return f"no {name}{where} in the logs of {listing(asked.runs, 'or', most=3)}"


def _span_words(span: EpochSpan) -> str:
    first, last = span
    if last is None:
        return f"{epoch_words(first)}+"
    return epoch_words(first) if first == last else f"{epoch_words(first)}-{epoch_words(last)}"


def _found(hit: Fact, facts: Facts) -> str:
    return f"{_whose(hit, facts)}{hit.what}"


def _whose(fact: Fact, facts: Facts) -> str:
    return f"{fact.run}, " if len(facts.runs) > 1 else ""


def _places(fact: Fact, known: Mapping[str, str]) -> dict[str, str]:
    found = dict(known) | {"run": fact.run}
    if fact.split is not None:
        found["split"] = fact.split
    if fact.epoch is not None and "epoch" not in found:
        found["epoch"] = epoch_words(fact.epoch)
    return found


def _other_unit(written: Written, value: float) -> bool:
    """Whether the written number is the value times a power of ten that a unit makes: 345.7 m for 0.3457 km."""
    for power in (-9, -6, -3, -2, 2, 3, 6, 9):
        factor = 10.0**power
        scaled = replace(written, value=written.value * factor, place=written.place * factor, percent=False)
        if value and agrees(scaled, value):
            return True
    return False


def _claim(
    line: int, text: str, written: Written, verdict: Verdict, reason: str, known: Mapping[str, str],
    right: float | None = None, kind: Kind = Kind.VALUE,
) -> Claim:  # fmt: skip
    return Claim(
        line=line, kind=kind, verdict=verdict, text=shorten(text), reason=reason, written=written.text, right=right,
        about=dict(known),
    )  # fmt: skip


def shorten(text: str) -> str:
    """A claim's text, cut to what fits a line."""
    flat = " ".join(text.split())
    return flat if len(flat) <= LONGEST_TEXT else flat[: LONGEST_TEXT - 1].rstrip() + "…"
