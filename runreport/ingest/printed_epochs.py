"""Printed lines → epochs: which lines belong together, and which figures are of an epoch at all."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from runreport.ingest.columns import plain
from runreport.ingest.documents import SPLITS, measures, split_of
from runreport.ingest.printed_caffe import NetOutputs
from runreport.ingest.printed_lines import (
    COUNT_OF,
    MOST_LINE,
    Line,
    counted_line,
    names_of_targets,
    of_split,
    parse_line,
    target_of,
)
from runreport.marks import clean
from runreport.run import Note
from runreport.wording import plural

ANSI = re.compile(r"\x1b(?:\[[0-?]*+[ -/]*+[@-~]|[@-Z\\^_])")
BREAKS = re.compile(r"[\n\r\x08\x0b\x0c]+|(?<=(?:it/s|s/it)\])(?=[^\W_])")
"""Line ends; a carriage return and a row of backspaces begin a progress bar's next state, and what follows a bar is a line."""
STARS = re.compile(r"\s{0,20}(\*{1,2})\s")
"""CGCNN: one star before the figures of validation, two before those of the test set."""
BATCHES_OF = re.compile(r"\s{0,20}(?:test|val|valid|validation|eval)\w{0,10}:\s{0,5}\[", re.IGNORECASE)
SECTION = re.compile(
    r"[^\w]{0,20}(train(?:ing)?|val(?:id(?:ation)?)?|eval(?:uation)?|test(?:ing)?)"
    r"(?: (?:set|error|errors|results|metrics|phase|loss))?[^\w]{0,40}",
    re.IGNORECASE,
)
"""A line of a split's name alone (``Test Error:``): the figures on the lines after it are of that split."""
PREFIX = re.compile(
    r"\s{0,20}[IWEF]\d{4} \d\d:\d\d:\d\d\.\d{1,9}\s{1,8}\d{1,9} [\w.-]{1,60}:\d{1,6}\] "
    r"|\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d[.,]\d{1,6} ?\| ?\w{1,10} {0,8}\| ?[\w.<>]{1,80}:[\w.<>]{1,60}:\d{1,6} - "
    r"|\[\d{2,4}[-/]\d\d[-/]\d{2,4}[:T ]\d\d:\d\d:\d\d[^\]\n]{0,20}\](?:\[[\w.]{1,60}\]){0,3}(?: ?- )?\s{0,4}"
)
"""What loggers put before a line (glog and absl, loguru, hydra, SageMaker): clocks, files and lines, none of them figures."""
ANNOUNCED = re.compile(
    r"\b(?:evaluating|validating|testing|running evaluation) on (?:the )?(train|val|valid|validation|dev|test)\w{0,4}\b"
    r"|\b(eval) begin\b",
    re.IGNORECASE,
)
"""``Evaluating on val.`` (fairchem), ``Eval begin...`` (Paddle): the next line with figures has those of that split."""
TEST_PHASE = re.compile(r"\bevaluat\w{0,10}\b.{0,40}\btest\b", re.IGNORECASE)
TESTING = re.compile(r"[^\w]{2,20}testing\b", re.IGNORECASE)
"""``>>>>>>>testing : model<<<<<<<`` (Informer and its many descendants): the bare figures after it are of the test set."""
BAR_EPOCH = re.compile(r"(?:it/s|s/it|\?it).{0,200}?[\s,]epochs?[=:]\s?(\d{1,9})", re.IGNORECASE)
"""A progress bar that counts the epochs behind itself: ``50/50 [00:05, 9.1it/s, epoch=1/5]`` (GluonTS)."""
BEST_FOLLOWS = re.compile(r"best iteration(?: is)?:?\s{0,9}$", re.IGNORECASE)
"""LightGBM and XGBoost print the line of the best round after these words."""


@dataclass(slots=True, kw_only=True)
class Record:
    """One epoch (or step) as it is being read: the last value of each figure, the first, and what a bar showed of it.

    ``open``: its own figures are still to come; ``stepped``: those it has are of steps within it.
    """

    axis: str
    word: str
    at: float
    figures: dict[str, float] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    shown: dict[str, float] = field(default_factory=dict)
    repeated: bool = False
    open: bool = False
    stepped: bool = False


@dataclass(slots=True, kw_only=True)
class Log:
    """The epochs of a text, in its order."""

    records: list[Record] = field(default_factory=list)
    test: dict[str, float] = field(default_factory=dict)
    averaged: bool = False
    boosting: bool = False
    counted: bool = False
    batches: int = 0
    bars_ahead: bool = False
    targets: frozenset[str] = frozenset()
    nets: NetOutputs = field(default_factory=NetOutputs)

    @property
    def tells(self) -> bool:
        """Whether some epoch has a figure that reports know, or a round those of a boosting library."""
        known = any(measures(n) for r in self.records for n in (*r.figures, *r.shown))
        return known or (self.boosting and bool(self.records))

    @property
    def has_bare_splits(self) -> bool:
        """Whether epochs have figures that are called ``train`` and ``val`` alone."""
        return any({"train", "val"} <= {split_of(n) for n in r.figures if plain(n) in SPLITS} for r in self.records)


def lines_of(text: str) -> Iterable[str]:
    """The lines of a terminal's output, each state of a progress bar on its own, without colours."""
    lines = (line for line in BREAKS.split(ANSI.sub("", text).replace("#011", "\t")) if line.strip())
    return (line if (prefix := PREFIX.match(line)) is None else line[prefix.end() :] for line in lines)


def collect(lines: Iterable[str]) -> Log:
    """The epochs that these lines name, with the figures on their lines and on the lines that belong to them.

    Where no line names one, and lines begin with a count that rises (``[3/50]``), that is the epoch.
    """
    lines = list(lines)
    log = Log(bars_ahead=_bars_ahead(lines), targets=names_of_targets(lines))
    _collect(lines, parse_line, log)
    if log.tells or log.has_bare_splits:
        return log
    counted = _collect((line for line in lines if COUNT_OF.match(line)), counted_line, Log())
    ats = [record.at for record in counted.records]
    rises = len(set(ats)) > 1 and sum(b < a for a, b in pairwise(ats)) <= len(ats) // 10
    if rises and (counted.tells or counted.has_bare_splits):
        counted.counted = True
        return counted
    return log


def _bars_ahead(lines: Sequence[str]) -> bool:
    """Whether progress bars count the epochs from 1 behind themselves, and the lines between them from 0 (GluonTS).

    So it is where each line that names an epoch has the number before that of the bar above it, and each bar the number after
    that of the line above it.
    """
    if not any("it" in line and BAR_EPOCH.search(line[:MOST_LINE]) for line in lines):
        return False
    last: tuple[bool, float] | None = None
    changes = {True: 0, False: 0}
    for line in lines:
        bar = BAR_EPOCH.search(line[:MOST_LINE])
        at = float(bar[1]) if bar else None
        if bar is None and (found := parse_line(line)) is not None and found.axis == "epoch":
            at = found.at
        if at is None:
            continue
        is_bar = bar is not None
        if last is not None and last[0] != is_bar:
            if at != last[1] + (1 if is_bar else -1):
                return False
            changes[is_bar] += 1
        last = (is_bar, at)
    return all(changes.values())


def _collect(lines: Iterable[str], parse: Callable[[str], Line | None], log: Log) -> Log:
    """The log with the epochs of the lines as ``parse`` takes them."""
    current: Record | None = None
    section: str | None = None
    announced: str | None = None
    testing = repeats_best = tested = False
    for line in lines:
        if alone := SECTION.fullmatch(line):
            section = split_of(alone[1])
            continue
        if BEST_FOLLOWS.search(line[:200]):
            repeats_best = True
            continue
        if said := ANNOUNCED.search(line[:200]):
            announced = split_of(said[1] or said[2])
            if announced == "test":
                announced, testing = None, testing or current is not None
            continue
        if (outputs := log.nets.figures_of(line)) is not None:
            if current is not None:
                current.figures |= outputs
            continue
        testing = testing or bool(current and TEST_PHASE.search(line[:200]))
        tested = tested or bool(current and TESTING.match(line))
        stars = STARS.match(line)
        found = parse(line)
        if found is None:
            continue
        if log.bars_ahead and found.axis == "epoch" and found.at is not None and BAR_EPOCH.search(line):
            found = found._replace(at=found.at - 1)
        if found.boosting and repeats_best:
            repeats_best = False
            _take_best(log.records, found)
            continue
        figures = {
            clean(name).strip(): value
            for name, value in found.figures.items()
            if not (found.averaged and plain(name) in ("time", "data"))  # seconds of a batch, not of the epoch
        }
        if found.axis is None and (target := target_of(line, log.targets)) is not None:
            figures = {f"{name} [{clean(target)}]": value for name, value in figures.items()}
        if found.axis is None:
            figures = _of_one_split(figures)
        if announced is not None and found.axis is None and figures:
            section, announced = announced, None
        if found.axis is not None and found.at is not None:
            testing = tested = False
            section = None
            axis = "epoch" if found.axis == "epoch" else "step"
            if announced is not None and figures and current is not None:
                figures, section, announced = {of_split(announced, n): v for n, v in figures.items()}, None, None
                if axis == "step" and current.axis == "epoch":
                    _take(current, figures, found, final=False)
                    continue
            if axis == "step" and current is not None and current.axis == "epoch":
                if not current.open and not current.stepped:
                    log.batches += 1  # of the epoch that runs now, whose own line is still to come
                    continue
                log.averaged |= current.stepped
                current.stepped = True
                figures["step"] = found.at
            elif current is None or (current.axis, current.at) != (axis, found.at):
                current = Record(axis=axis, word=found.axis, at=found.at)
                log.records.append(current)
            current.open = not any(measures(n) for n in figures) or found.averaged
            log.averaged |= found.averaged
            log.boosting |= found.boosting
        elif current is None or log.boosting:
            continue  # what a program prints after its rounds is of none of them
        elif stars or BATCHES_OF.match(line):
            held = "test" if testing or (stars and stars[1] == "**") else "val"
            figures = {of_split(held, n): v for n, v in figures.items()}
            if held == "test":
                log.test |= figures
                continue
        elif tested:
            figures = {of_split("test", n): v for n, v in figures.items()}
            log.test |= {n: v for n, v in figures.items() if split_of(plain(n).split("_")[0]) == "test"}
            continue
        elif testing:
            log.test |= {n: v for n, v in figures.items() if split_of(plain(n).split("_")[0]) == "test"}
            continue
        elif section is not None:
            figures = {of_split(section, n): v for n, v in figures.items()}
        elif not current.open:
            figures = {n: v for n, v in figures.items() if split_of(plain(n).split("_")[0]) is not None}
        _take(current, figures, found, final=stars is not None)
    return log


def _of_one_split(figures: dict[str, float]) -> dict[str, float]:
    """The figures of a line, all of one split where its first is and no other names another: ``Train MSE: 1 | R2: 0.5``."""
    splits = [split_of(plain(name).split("_")[0]) for name in figures]
    if not splits or splits[0] is None or len(set(splits) - {None}) > 1:
        return figures
    return {of_split(splits[0], name): value for name, value in figures.items()}


def _take_best(records: list[Record], line: Line) -> None:
    """The best round into its place, where only each tenth or so was printed and it was none of them."""
    start = len(records)
    while start > 0 and (start == len(records) or records[start - 1].at < records[start].at):
        start -= 1
    at = line.at or 0.0
    place = next((i for i in range(start, len(records)) if records[i].at >= at), len(records))
    if place == len(records) or records[place].at > at:
        records.insert(
            place,
            Record(axis="step", word="iter", at=at, figures={clean(n).strip(): v for n, v in line.figures.items()}),
        )


def _take(record: Record, figures: dict[str, float], line: Line, *, final: bool) -> None:
    """Figures into their epoch: those of an unfinished bar apart from the others."""
    if line.partial:
        record.shown |= figures
        return
    told = [n for n in figures if measures(n)]
    if (
        not line.averaged
        and not record.stepped
        and not final
        and any(n in record.figures and record.figures[n] != figures[n] for n in told)
    ):
        record.repeated = True
    record.first = {**figures, **record.first}
    record.figures |= figures


def finished(log: Log, notes: list[Note]) -> list[Record]:
    """The epochs with figures; an unfinished bar counts where a later epoch shows that its epoch ended."""
    last = log.records[-1] if log.records else None
    bars = 0
    for record in log.records:
        if not record.figures and record.shown and record is not last:
            record.figures = record.shown
            bars += 1
    kept = [record for record in log.records if record.figures]
    axis = "epoch" if any(r.axis == "epoch" for r in kept) else "step"
    if bars:
        message = f"{plural(bars, 'epoch')} without a finished progress bar: the last state shown was taken"
        notes.append(Note(code="derived", message=message))
    if last is not None and last.shown and not last.figures:
        message = f"{last.axis} {last.at:g} was not finished when the log ends and was left out"
        notes.append(Note(code="log.truncated", message=message))
    if log.batches:
        message = f"{plural(log.batches, 'line')} of single batches between the epochs left out"
        notes.append(Note(code="unused", message=message))
    if log.averaged:
        message = (
            "figures printed batch by batch: the last of each epoch was taken, a running mean where one is printed"
        )
        notes.append(Note(code="derived", message=message))
    if log.counted:
        message = "no line names an epoch: the count that lines begin with was taken for it"
        notes.append(Note(code="derived", message=message))
    if log.bars_ahead:
        message = "progress bars count epochs from 1, the lines between them from 0: both were read as from 0"
        notes.append(Note(code="derived", message=message))
    notes += log.nets.notes()
    kept = [r for r in kept if r.axis == axis]
    kept = kept[_settings(kept) :]
    _settle_repeats(kept, notes)
    return kept


def _settings(records: Sequence[Record]) -> int:
    """How many of the first records are settings (``'epoch': 300, 'learning_rate': 0.001``): no figure, and a later epoch."""
    first = next((i for i, r in enumerate(records) if any(measures(n) for n in r.figures)), 0)
    return first if any(r.at > records[first].at for r in records[:first]) else 0


def _settle_repeats(records: list[Record], notes: list[Note]) -> None:
    """Which of several values an epoch has: its last one; but its first where only the last epoch of a run repeats itself.

    What a program prints after its training (Keras' ``evaluate``, a table of scores) follows the lines of the last epoch
    and is not of it.
    """
    repeated = [r for r in records if r.repeated]
    if not repeated:
        return
    ends = [r for r, after in zip(records, [*records[1:], None], strict=True) if after is None or after.at <= r.at]
    if len(ends) < len(records) and all(any(r is end for end in ends) for r in repeated):
        for record in repeated:
            record.figures |= record.first
        message = "figures printed once more after the last epoch are not of that epoch and were left out"
        notes.append(Note(code="unused", message=message))
        return
    message = f"{plural(len(repeated), 'epoch')} with figures printed several times; the last was kept"
    notes.append(Note(code="merged", message=message))


def final_test(log: Log, records: list[Record]) -> dict[str, float]:
    """Figures of the test split that were printed once, after the last epoch; those of every epoch stay in the history."""
    test = dict(log.test)
    last = records[-1]
    for name in [n for n in last.figures if split_of(plain(n).split("_")[0]) == "test"]:
        if len(records) > 1 and not any(name in r.figures for r in records[:-1]):
            test[name] = last.figures.pop(name)
    return test
