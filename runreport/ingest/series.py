"""Metrics logged one by one (a store's series of step and value) → runs with one row an epoch."""

from __future__ import annotations

import heapq
import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from runreport.errors import InputError
from runreport.ingest.columns import map_columns, plain
from runreport.ingest.documents import final_figures
from runreport.ingest.history import HistoryPart, histories_of_columns
from runreport.ingest.reader import Source
from runreport.ingest.runs import runs_of_parts
from runreport.marks import clean
from runreport.run import Note, Run
from runreport.wording import plural

MOST_NAME = 200
"""Characters kept of a metric's name: loggers allow 250, and a column of a report shows far fewer."""
ENDED_TOGETHER = 0.9
"""Share of the log's time after which a series must still be written to count as running to the end of the training."""
OTHER_AXIS = 0.5
"""A series that runs to the end and yet reaches less than this share of another's last step does not count in those steps:
two counters of one axis differ at the end by one interval of logging, two of different axes by the steps of an epoch."""
FEWEST_POINTS = 3
"""Points that a series needs before its axis is judged: two of them say nothing about how it counts."""
RUNWIDE = ("epoch", "global_step", "learning_rate", "lr")
"""What belongs to the whole run though loggers file it under ``train/``."""
TRAIN, VALIDATION = ("train", "training"), ("val", "valid", "validation", "eval", "dev")
LOSSES = ("train_loss", "val_loss")
EVALUATION = "evaluation"
"""The split that a final figure without a prefix is said to be of: which one it was, the log does not tell."""


class Point(NamedTuple):
    """One logged value; ``time`` in any unit, None where the store keeps none."""

    step: float
    value: float
    time: float | None = None


class SeriesRead(NamedTuple):
    """What a set of series holds: the runs' histories (none where there are final figures only), and those figures."""

    parts: list[HistoryPart]
    summary: dict[str, object]
    split: str | None
    notes: tuple[Note, ...]


Series = Mapping[str, Sequence[Point]]


def read_series(
    path: Path,
    series: Series,
    given: Mapping[str, str],
    *,
    final: Mapping[str, float] | None = None,
    notes: Sequence[Note] = (),
) -> SeriesRead:
    """The runs that these series are of, with the ``final`` figures that a store keeps apart; ``path`` stands in messages.

    Steps number the rows unless an ``epoch`` is logged beside them. Series logged once, at the end, are final figures
    (``summary``), and so is everything logged once under ``test``. Values are never carried from one step to another.

    Raises
    ------
    InputError
        No series, or none that is known.
    """
    named, renamed = _named(series)
    given = {known: renamed.get(theirs, theirs) for known, theirs in given.items()}
    if not any(named.values()) and not final:
        raise InputError(path, found="no numbers logged", expected="at least one epoch of a loss, r2, mae or rmse")
    final = {clean(name): value for name, value in (final or {}).items()}
    final |= {name: points[-1].value for name, points in named.items() if _is_final(name, points, named)}
    curves: dict[str, Sequence[Point]] = {n: points for n, points in named.items() if n not in final and points}
    said = list(notes)
    if not any(_steps(points) > 1 for points in curves.values()):
        known = map_columns(path, list(curves), given)
        if not any(loss in known for loss in LOSSES):  # one epoch has a loss; figures alone are of an evaluation
            final |= {name: points[-1].value for name, points in curves.items()}
            curves = {}
    summary, split = _summary(path, final)
    if not curves:
        if split is None:
            raise InputError(
                path,
                found=f"no figure that is known among {', '.join(list(final)[:12])}",
                expected="a history of a loss or a score, or a final r2, mae or rmse",
            )
        return SeriesRead([], summary, split, tuple(said))
    curves, aligned = _one_axis(curves)
    columns, placed = _columns(curves)
    parts = histories_of_columns(path, columns, given, notes=[*said, *aligned, *placed])
    theirs = {shown: name for name, shown in renamed.items()}
    logged = [(h, {k: theirs.get(v, v) for k, v in read_as.items()}, part_notes) for h, read_as, part_notes in parts]
    return SeriesRead(logged, summary, split, ())


def runs_of_series(
    source: Source,
    path: Path,
    series: Series,
    given: Mapping[str, str],
    *,
    final: Mapping[str, float] | None = None,
    config: Mapping[str, object] | None = None,
    notes: Sequence[Note] = (),
) -> list[Run]:
    """The runs of :func:`read_series`, named after the source; one without a history where there are final figures only."""
    found = read_series(path, series, given, final=final, notes=notes)
    if found.parts:
        return runs_of_parts(source, found.parts, config=config, summary=found.summary, split=found.split)
    return [
        Run(
            name=source.name, format=source.reader, files=source.files, split=found.split, summary=found.summary,
            config=config or {}, notes=found.notes,
        )
    ]  # fmt: skip


def with_left_out(runs: Sequence[Run], left_out: Sequence[str]) -> list[Run]:
    """The runs of a database, the first with a note about those beside it that could not be read."""
    if not left_out or not runs:
        return list(runs)
    shown = ", ".join(left_out[:5]) + (", ..." if len(left_out) > 5 else "")
    message = f"{plural(len(left_out), 'run')} of the same database without a known metric left out: {shown}"
    return [replace(runs[0], notes=(*runs[0].notes, Note(code="unused", message=message))), *runs[1:]]


def _named(series: Series) -> tuple[dict[str, list[Point]], dict[str, str]]:
    """Series by a printable name, run-wide ones without their prefix, the split first; and the names that changed."""
    named: dict[str, list[Point]] = {}
    renamed: dict[str, str] = {}
    for name, points in series.items():
        shown = clean(name)[:MOST_NAME].strip()
        head, _, tail = shown.rpartition("/")
        if head.lower() in (*TRAIN, *VALIDATION) and tail in RUNWIDE and tail not in series:
            shown = tail
        elif tail.lower() in (*TRAIN, *VALIDATION, "test") and head:
            shown = f"{tail}/{head}"  # `r2/val`, as PyTorch's tutorials group their curves
        if not shown or not points:
            continue
        if shown != name:
            renamed[name] = shown
        kept = (Point(float(p.step), float(p.value), p.time) for p in points if math.isfinite(p.step))
        named.setdefault(shown, []).extend(kept)
    return named, renamed


def _steps(points: Sequence[Point]) -> int:
    return len({p.step for p in points})


def _is_final(name: str, points: Sequence[Point], series: Series) -> bool:
    """Whether this was logged once, about the end: a test figure, or one without a step after others had theirs."""
    if not points or _steps(points) > 1:
        return False
    if plain(name).split("_")[0] == "test":
        return True
    time = points[-1].time
    if points[-1].step != 0 or time is None:
        return False
    later = [p.time for others in series.values() for p in others if p.step > 0 and p.time is not None]
    return bool(later) and time >= max(later)


def _summary(path: Path, final: Mapping[str, float]) -> tuple[dict[str, object], str | None]:
    """Final figures under the names that the report knows, and the split they are of: test before any other."""
    by_split: dict[str, dict[str, float]] = {}
    for name, value in final.items():
        head = plain(name).split("_")[0]
        if head in TRAIN:
            continue
        split = "test" if head == "test" else "validation" if head in VALIDATION else EVALUATION
        by_split.setdefault(split, {})[plain(name).removesuffix("_epoch")] = value
    for split in ("test", EVALUATION, "validation"):
        figures = final_figures(path, by_split.get(split, {}))
        if figures:
            return {**figures, "split": split}, split
    return {}, None


def _one_axis(series: Series) -> tuple[dict[str, Sequence[Point]], list[Note]]:
    """Every series on one axis: where some count steps and others epochs, the steps are placed in epochs by the clock."""
    timed = {
        name: points
        for name, points in series.items()
        if _steps(points) >= FEWEST_POINTS and all(p.time is not None for p in points)
    }
    times = [p.time for points in timed.values() for p in points if p.time is not None]
    if not times or "epoch" in series or max(times) == min(times):
        return dict(series), []
    cut = min(times) + ENDED_TOGETHER * (max(times) - min(times))
    lasts = {n: max(p.step for p in ps) for n, ps in timed.items() if (ps[-1].time or cut) >= cut}
    longest = max(lasts.values(), default=0.0)
    by_epoch = [n for n, last in lasts.items() if last < OTHER_AXIS * longest]
    if not by_epoch or any(_jumps(series[n]) for n in lasts):
        return dict(series), []
    # The epoch ends when its figures are logged: what was logged before that and after the last end is of this epoch.
    clock = max(by_epoch, key=lambda n: len(timed[n]))
    ends = [(p.time or 0.0, p.step) for p in timed[clock]]
    moved: list[str] = []
    placed: dict[str, Sequence[Point]] = {}
    for name, points in series.items():
        if name not in timed or max(p.step for p in points) * OTHER_AXIS <= ends[-1][1]:
            placed[name] = points
            continue
        moved.append(name)
        last: dict[float, Point] = {}
        for p in points:
            index = bisect_left(ends, (p.time or 0.0, -math.inf))
            if index < len(ends):
                last[ends[index][1]] = p._replace(step=ends[index][1])
        placed[name] = list(last.values())
    message = (
        f"{', '.join(moved[:5])} {'counts' if len(moved) == 1 else 'count'} steps and {clock} epochs: "
        "each epoch has the last value logged before its end, by the clock"
    )
    return placed, [Note(code="merged", message=message)]


def _jumps(points: Sequence[Point]) -> bool:
    return any(b.step < a.step for a, b in pairwise(points))


def _columns(series: Series) -> tuple[dict[str, list[float | None]], list[Note]]:
    """A row for each step of each session (and for each repeat of a step), in the order logged."""
    cells: dict[tuple[int, float, int], dict[str, float]] = {}
    seen: dict[tuple[str, int, float], int] = {}
    for session, name, point in _sessions(series):
        repeat = seen.get((name, session, point.step), 0)
        seen[name, session, point.step] = repeat + 1
        cells.setdefault((session, point.step, repeat), {})[name] = point.value
    rows = sorted(cells)
    columns: dict[str, list[float | None]] = {name: [cells[row].get(name) for row in rows] for name in series}
    steps: list[float | None] = [step for _, step, _ in rows]
    epochs = columns.pop("epoch", None)
    placed, notes = _epochs(rows, epochs) if epochs is not None else (None, [])
    axis: dict[str, list[float | None]] = {"step": steps} if placed is None else {"epoch": [*placed], "step": steps}
    return axis | {name: values for name, values in columns.items() if name not in axis}, notes


def _sessions(series: Series) -> Iterator[tuple[int, str, Point]]:
    """(session, series, point): a step that falls back starts another session, for all series where a clock joins them."""
    if any(p.time is None or math.isnan(p.time) for points in series.values() for p in points):
        for name, points in series.items():
            session, last = 0, -math.inf
            for p in points:
                session += p.step < last
                last = p.step
                yield session, name, p
        return
    session = 0
    reached: dict[str, float] = {}
    for _, name, p in heapq.merge(
        *(_clocked(name, points) for name, points in series.items()), key=lambda item: item[0]
    ):
        if p.step < reached.get(name, -math.inf):
            session += 1
            reached = {}
        reached[name] = p.step
        yield session, name, p


def _clocked(name: str, points: Iterable[Point]) -> Iterator[tuple[float, str, Point]]:
    """The points with a time that never runs back: a clock set back must not reorder what one series logged."""
    latest = -math.inf
    for p in points:
        latest = max(latest, p.time or 0.0)
        yield latest, name, p


def _epochs(
    rows: Sequence[tuple[int, float, int]], logged: Sequence[float | None]
) -> tuple[list[float] | None, list[Note]]:
    """The epoch of each row: its own, that of its step, else that of the next row of its session (then the last one).

    A learning rate is logged at a step of its own, before the epoch's figures: the next epoch logged is the one it is of.
    None where the epochs of a session do not rise with its steps, or a session logged none: then steps are the axis.
    """
    of_step = {row[:2]: e for row, e in zip(rows, logged, strict=True) if e is not None}
    epochs: list[float | None] = [of_step.get(row[:2]) if e is None else e for row, e in zip(rows, logged, strict=True)]
    missing = sum(e is None for e in epochs)
    unusable = [Note(code="derived", message="the logged epochs do not number every step: the steps were used instead")]
    for direction in (range(len(rows) - 2, -1, -1), range(1, len(rows))):
        back = 1 if direction.step < 0 else -1
        for i in direction:
            if epochs[i] is None and rows[i + back][0] == rows[i][0]:
                epochs[i] = epochs[i + back]
    placed = [e for e in epochs if e is not None and math.isfinite(e)]
    if len(placed) < len(rows):
        return None, unusable
    if any(a > b and r[0] == s[0] for (a, b), (r, s) in zip(pairwise(placed), pairwise(rows), strict=True)):
        return None, unusable
    if not missing:
        return placed, []
    message = f"{plural(missing, 'row')} without an epoch got that of the step logged next"
    return placed, [Note(code="derived", message=message)]
