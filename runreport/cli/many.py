"""More runs than are compared with each other: each is read, analysed, written and let go before the next ones are."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from runreport.errors import InputError

if TYPE_CHECKING:
    from runreport.analysis.record import Analysis
    from runreport.compare.record import Comparison
    from runreport.criteria.spec import Tier
    from runreport.report.write import Form, Written
    from runreport.run import Run
    from runreport.settings import Settings

MOST_COMPARED = 200
"""Runs of one call up to which each pair is compared: 20,000 pairs take a minute, and a table of more helps nobody."""
AHEAD = 8
"""Runs per process that are read before the first of them is finished: enough that none waits, few enough to hold."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """What is done to every run; sent to each process once.

    folder
        Where the reports go; None where the JSON of each run is wanted instead.
    """

    settings: Settings
    tiers: tuple[Tier, ...]
    folder: Path | None
    charts: bool
    form: Form = "md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What became of one run: its report and title, or its JSON, or the line about why there is none."""

    report: str = ""
    title: str = ""
    document: str = ""
    error: str = ""


_job: Job | None = None
"""The job of this process; set once by the pool."""


def _begin(job: Job) -> None:
    global _job
    _job = job


def _finish(run: Run, name: str) -> Done:
    """In a process of the pool: the run's report."""
    if _job is None:
        raise RuntimeError("the pool was not begun")
    return finish(run, name, _job)


def finish(run: Run, name: str, job: Job) -> Done:
    """The run analysed and written under ``name``; an error as its line, so that the others go on."""
    from runreport.analysis.engine import analyze_run
    from runreport.report.headline import headline
    from runreport.report.json import document, to_json
    from runreport.report.terminal import first_sentence
    from runreport.report.write import write_report

    try:
        analysis = analyze_run(run, job.settings, job.tiers)
        if job.folder is None:
            return Done(document=to_json(document([analysis])["runs"][0]).rstrip("\n"))
        written = write_report(analysis, None, job.folder, name, charts=job.charts, form=job.form)
    except InputError as error:
        return Done(error=str(error))
    return Done(report=written.report.as_posix(), title=first_sentence(headline(analysis)))


def finished(runs: Iterable[Run], names: Callable[[str], str], job: Job, jobs: int) -> Iterator[Done]:
    """What became of each run, in their order; at most ``jobs`` processes, and a bounded number of runs held."""
    if jobs <= 1:
        for run in runs:
            yield finish(run, names(run.name), job)
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Spawned, not forked: threads of the frame library do not survive a fork.
    with ProcessPoolExecutor(jobs, get_context("spawn"), initializer=_begin, initargs=(job,)) as pool:
        yield from _in_order(pool, runs, names, AHEAD * jobs)


def _in_order(pool: Executor, runs: Iterable[Run], names: Callable[[str], str], most: int) -> Iterator[Done]:
    waiting: deque[Future[Done]] = deque()
    for run in runs:
        waiting.append(pool.submit(_finish, run, names(run.name)))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


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
