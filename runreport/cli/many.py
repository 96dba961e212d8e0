"""More runs than are compared with each other: each is read, analysed, written and let go before the next ones are."""

from __future__ import annotations

import gc
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from runreport.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor, Future
    from multiprocessing.context import BaseContext

    from runreport.analysis.record import Analysis
    from runreport.cli.cache import Cache
    from runreport.compare.record import Comparison
    from runreport.criteria.spec import Tier
    from runreport.ingest.fetch import Fetcher
    from runreport.ingest.reader import ReadOptions, Source
    from runreport.report.write import Form, Written
    from runreport.run import Note, Run
    from runreport.settings import Settings

MOST_COMPARED = 200
"""Runs of one call up to which each pair is compared: 20,000 pairs take a minute, and a table of more helps nobody."""
AHEAD = 2
"""Batches per process that are read before the first of them is finished: enough that none waits, few enough to hold."""
BATCH = 8
"""Runs sent to a process at once: sending takes as long as a fifth of a report, whatever is sent. A run with predictions goes
alone: it can be large, and takes far longer than its way."""
COLLECT_AFTER = 50_000
"""Objects made before Python looks for cycles among the young ones. At its own 700 it looks some thirty times a report and
finds none: a seventh of the time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is done to every run; sent to each process once.

    folder
        Where the reports go; None where the JSON of each run is wanted instead.
    keep
        Whether the text of each report is wanted too, to be kept for another call.
    """

    settings: Settings
    tiers: tuple[Tier, ...]
    folder: Path | None
    charts: bool
    form: Form = "md"
    keep: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What a run came to: its name, what was said while it was read, its title, and its report or JSON."""

    name: str
    notes: tuple[Note, ...]
    title: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one run: its report and title, or its JSON, or the line about why there is none.

    kept, again
        What to keep of it, and whether it was itself kept from an earlier call.
    """

    report: str = ""
    title: str = ""
    document: str = ""
    error: str = ""
    kept: Kept | None = None
    again: bool = False


_job: Job | None = None
"""The job of this process; set once by the pool."""


def _begin(job: Job) -> None:
    global _job
    _job = job
    collect_seldom()


def _finish(runs: Sequence[tuple[Run, str]]) -> list[Done]:
    """In a process of the pool: the report of each run, under its name."""
    if _job is None:
        raise RuntimeError("the pool was not begun")
    return [finish(run, name, _job) for run, name in runs]


def collect_seldom() -> None:
    """For a process that makes many reports: what it has imported is not looked at again, and new objects seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])


def finish(run: Run, name: str, job: Job) -> Done:
    """The run analysed and written under ``name``; an error as its line, so that the others go on."""
    from runreport.analysis.engine import analyze_run
    from runreport.report.headline import headline
    from runreport.report.json import document, to_json
    from runreport.report.terminal import first_sentence
    from runreport.report.write import write_and_keep

    try:
        analysis = analyze_run(run, job.settings, job.tiers)
        if job.folder is None:
            text = to_json(document([analysis])["runs"][0]).rstrip("\n")
            return Done(document=text, kept=_kept(run, "", text) if job.keep else None)
        written, text = write_and_keep(analysis, None, job.folder, name, charts=job.charts, form=job.form)
    except InputError as error:
        return Done(error=str(error))
    title = first_sentence(headline(analysis))
    kept = _kept(run, title, text) if job.keep else None
    return Done(report=written.report.as_posix(), title=title, kept=kept)


def _kept(run: Run, title: str, text: str) -> Kept:
    return Kept(name=run.name, notes=run.notes, title=title, text=text)


def again(kept: Kept, name: str, job: Job) -> Done:
    """A report of an earlier call where it belongs; written only where it is not there as it is."""
    from runreport.report.write import write_text

    if job.folder is None:
        return Done(document=kept.text, again=True)
    path = job.folder / f"{name}.{'html' if job.form == 'html' else 'md'}"
    try:
        there = path.read_bytes() if path.is_file() else None
        if there != kept.text.encode():
            write_text(path, kept.text)
    except (InputError, OSError) as error:
        return Done(error=str(error))
    return Done(report=path.as_posix(), title=kept.title, again=True)


def finished(runs: Iterable[Run | Kept], names: Callable[[str], str], job: Job, jobs: int) -> Iterator[Done]:
    """What became of each run, in their order; at most ``jobs`` processes, and a bounded number of runs held."""
    if jobs <= 1:
        for run in runs:
            name = names(run.name)
            yield again(run, name, job) if isinstance(run, Kept) else finish(run, name, job)
        return
    with ExitStack() as stack:

        @cache
        def pool() -> Executor:  # begun with the first run that no earlier call has reported
            from concurrent.futures import ProcessPoolExecutor

            return stack.enter_context(ProcessPoolExecutor(jobs, _way_to_start(), initializer=_begin, initargs=(job,)))

        yield from _in_order(pool, runs, names, job, AHEAD * jobs)


def _way_to_start() -> BaseContext:
    """Forked where this process has one thread: what it has imported is there at once, for a quarter of a second a process.

    Else spawned: the threads of the frame library do not survive a fork. Only Linux tells how many there are.
    """
    from multiprocessing import get_context

    try:
        alone = len(os.listdir("/proc/self/task")) == 1  # noqa: PTH208  (names are counted, not looked at)
    except OSError:
        alone = False
    if not alone:
        return get_context("spawn")
    import runreport.analysis.engine  # noqa: F401  (so that each process has it)
    from runreport.report.markdown import environment

    environment().get_template("report.md.j2")
    return get_context("fork")


def _in_order(
    pool: Callable[[], Executor], runs: Iterable[Run | Kept], names: Callable[[str], str], job: Job, most: int
) -> Iterator[Done]:
    waiting: deque[Future[list[Done]] | Kept] = deque()
    named: deque[str] = deque()
    batch: list[tuple[Run, str]] = []

    def send() -> None:
        if batch:
            waiting.append(pool().submit(_finish, batch.copy()))
            batch.clear()

    def first() -> list[Done]:
        done = waiting.popleft()
        return [again(done, named.popleft(), job)] if isinstance(done, Kept) else done.result()

    for run in runs:
        name = names(run.name)
        if isinstance(run, Kept):
            send()
            waiting.append(run)
            named.append(name)
        else:
            batch.append((run, name))
            if len(batch) >= BATCH or run.predictions is not None or run.epoch_predictions is not None:
                send()
        while len(waiting) > most:
            yield from first()
    send()
    while waiting:
        yield from first()


class Reuse:
    """The runs of sources, those that an earlier call reported without reading them; and what this call adds to the cache."""

    def __init__(self, cache: Cache, options: ReadOptions, fetcher: Fetcher) -> None:
        self._cache, self._options, self._fetcher = cache, options, fetcher
        self._pending: deque[tuple[bytes | None, int]] = deque()
        self._collected: list[Kept] = []

    def loaded(self, sources: Iterable[Source]) -> Iterator[Run | Kept | InputError]:
        """A run, a report of an earlier call or an error for each source, in their order."""
        from runreport.ingest.load import Names, read_source
        from runreport.ingest.registry import all_readers

        readers = {reader.name: reader for reader in all_readers()}
        names = Names()
        for source in sources:
            key = self._cache.key(source, self._options)
            kept = self._cache.get(key)
            if kept is not None and not any(one.name in names.taken for one in kept):
                names.taken |= {one.name for one in kept}
                yield from kept
                continue
            items = read_source(readers[source.reader], source, self._options, self._fetcher)
            runs = [item for item in items if not isinstance(item, InputError)]
            named = [names.named(run) for run in runs]
            # A number behind a name is of this call: another one may not need it.
            whole = len(runs) == len(items) and all(a.name == b.name for a, b in zip(runs, named, strict=True))
            if named:
                self._pending.append((key if whole else None, len(named)))
            yield from [item for item in items if isinstance(item, InputError)]
            yield from named

    def close(self) -> None:
        """Writes what is to be kept."""
        self._cache.close()

    def done(self, done: Done) -> None:
        """Takes what a run came to, in the order that they were handed out; kept when all runs of its source are there."""
        if done.again:
            return
        key, count = self._pending[0]
        if done.kept is None:
            self._pending[0] = key, count = None, count - 1
        else:
            self._collected.append(done.kept)
            count -= 1
            self._pending[0] = key, count
        if count == 0:
            self._cache.put(key, self._collected)
            self._collected = []
            self._pending.popleft()


def write_reports(
    analyses: Sequence[Analysis],
    comparison: Comparison | None,
    folder: Path,
    names: Sequence[str],
    *,
    charts: bool,
    form: Form,
    jobs: int,
) -> Iterator[Written]:
    """The reports of analyses that are compared with each other, in their order, ``jobs`` at a time: charts take the time.

    Raises
    ------
    InputError
        Where one cannot be written.
    """
    from runreport.report.write import write_report

    if jobs <= 1 or len(analyses) < 2:
        for analysis, name in zip(analyses, names, strict=True):
            yield write_report(analysis, comparison, folder, name, charts=charts, form=form)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(
        min(jobs, len(analyses)),
        get_context("spawn"),
        initializer=_begin_writing,
        initargs=(comparison, folder, charts, form),
    ) as pool:
        yield from pool.map(_write, analyses, names)


_writing: tuple[Comparison | None, Path, bool, Form] | None = None
"""What the reports of this process have in common; set once by the pool."""


def _begin_writing(comparison: Comparison | None, folder: Path, charts: bool, form: Form) -> None:
    global _writing
    _writing = (comparison, folder, charts, form)


def _write(analysis: Analysis, name: str) -> Written:
    from runreport.report.write import write_report

    if _writing is None:
        raise RuntimeError("the pool was not begun")
    comparison, folder, charts, form = _writing
    return write_report(analysis, comparison, folder, name, charts=charts, form=form)


def whole_document(documents: Iterable[str]) -> Iterator[str]:
    """The JSON document of these runs in pieces: byte for byte that of all of them together, without a comparison."""
    from runreport.report.json import document, to_json

    empty = to_json(document([]))
    head, runs, tail = empty.partition('"runs": []')
    first = True
    for text in documents:
        yield (head + '"runs": [\n    ' if first else ",\n    ") + text.replace("\n", "\n    ")
        first = False
    yield head + runs + tail if first else "\n  ]" + tail
