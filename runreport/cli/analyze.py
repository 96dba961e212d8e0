"""``runreport analyze``: a report for each run."""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterable, Iterator
from enum import StrEnum
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runreport.cli.common import (
    UNUSABLE,
    check_key,
    column_options,
    console,
    fail,
    readable,
    say,
    say_passed_over,
    settings_from,
    split_loaded,
    unused,
    watched,
)
from runreport.cli.engine import EngineName, runs_by_engine
from runreport.cli.many import MOST_COMPARED, Job, Kept, Reuse, collect_seldom, finished, whole_document
from runreport.cli.options import Column, Group, Key, Paths, Reader, SettingsFile, Truth
from runreport.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from runreport.analysis.record import Analysis
    from runreport.compare.record import Comparison
    from runreport.criteria.spec import Tier
    from runreport.ingest.reader import ReadOptions
    from runreport.report.write import Form
    from runreport.run import Run
    from runreport.settings import Settings

HELP = """Write a report for each run: what happened, why, how sure that is, what to try next.

Example: runreport analyze logs/csv/*.csv --out reports/

Exit code 0: all reported; 2: something could not be read (the other runs are reported all the same)."""


class Format(StrEnum):
    """Outputs of ``analyze``."""

    MD = "md"
    HTML = "html"
    JSON = "json"


def analyze(
    paths: Paths,
    out: Annotated[Path | None, typer.Option(help="Folder for the reports [default: reports; json: none].")] = None,
    output: Annotated[
        Format,
        typer.Option("--format", help="md, html: files and a summary here; json: one document here."),
    ] = Format.MD,
    criteria: Annotated[Path | None, typer.Option(help="YAML file of success criteria.")] = None,
    group: Group = None,
    column: Column = None,
    reader: Reader = None,
    truth: Truth = None,
    key: Key = None,
    settings: SettingsFile = None,
    next_config: Annotated[
        Path | None, typer.Option("--next", help="Write the next run's whole config here (one run).")
    ] = None,
    charts: Annotated[
        bool | None, typer.Option("--charts/--no-charts", help="Draw charts [default: for up to 200 runs].")
    ] = None,
    embed: Annotated[
        bool, typer.Option("--embed", help="Markdown with its charts inside, one file a run (see docs/html.md).")
    ] = False,
    jobs: Annotated[int, typer.Option(min=1, help="Processes that write reports at a time.")] = 1,
    engine: Annotated[
        EngineName | None,
        typer.Option(help="PATHs are Parquet files of per-epoch predictions: reduce them to moments with this."),
    ] = None,
    ray_address: Annotated[str | None, typer.Option(help="Ray cluster for --engine daft: ray://HOST:10001.")] = None,
    use_cache: Annotated[
        bool,
        typer.Option("--cache/--no-cache", help="Above 200 runs: use reports of earlier calls where nothing changed."),
    ] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print only where the reports are.")] = False,
    plain: Annotated[bool, typer.Option("--plain", help="Print text only: no colours, bars or curves.")] = False,
) -> None:
    """Parse, call, print."""
    try:
        chosen = settings_from(settings, group)
        tiers = _tiers(criteria)
        columns = column_options(column or [])
        form = form_of(output, embed)
        check_key(truth, key)
    except InputError as error:
        fail(error)
    from runreport.ingest.reader import ReadOptions

    options = ReadOptions(columns=columns, truth=truth, key=key)
    reuse: Reuse | None = None
    loaded: Iterable[Run | Kept | InputError]
    try:
        reduced = runs_by_engine(paths, engine, ray_address)
        if reduced is not None:
            loaded, count = reduced, len(reduced)
        else:
            fixed = (chosen, tiers, columns, key, output, form) if use_cache and not charts else None
            loaded, count, reuse = _read(paths, reader, options, fixed)
    except InputError as error:
        fail(error)
    if count > MOST_COMPARED:
        if next_config is not None:
            fail(InputError("--next", found=f"{count} runs", expected="one run", remedy="name one run"))
        folder = None if output is Format.JSON else out or Path("reports")
        job = Job(settings=chosen, tiers=tiers, folder=folder, charts=bool(charts), form=form, keep=reuse is not None)
        _many(loaded, count, job, out, jobs, quiet=quiet, reuse=reuse)
        return
    runs, errors = split_loaded(item for item in loaded if not isinstance(item, Kept))
    if runs and not errors and (useless := unused(runs, group, truth, key)) is not None:
        fail(useless)
    analyses = _analyze_all(runs, chosen, tiers, errors)
    try:
        if output is Format.JSON:
            _json(analyses, out)
        else:
            drawn = charts is not False
            folder = out or Path("reports")
            _reports(analyses, folder, charts=drawn, form=form, quiet=quiet, plain=plain, errors=errors, jobs=jobs)
        if next_config is not None and (analyses or not errors):  # the line about each path says enough
            _next(analyses, next_config)
    except InputError as error:
        fail(error)
    if errors or not analyses:
        raise typer.Exit(UNUSABLE)


def _read(
    paths: list[str], reader: str | None, options: ReadOptions, fixed: tuple[object, ...] | None
) -> tuple[Iterable[Run | Kept | InputError], int, Reuse | None]:
    """The runs of these paths as they are read, how many sources there are, and the cache where they are many.

    ``fixed`` is what a report depends on beside its files; None where no cache is to be used.
    """
    from runreport.ingest.load import find, read_sources

    found = find(paths, reader=reader, passed_over=say_passed_over)
    count = len(found.sources)
    if count <= MOST_COMPARED or fixed is None:
        read: Iterable[Run | Kept | InputError] = read_sources(found.sources, options, found.fetcher)
        return chain(found.errors, watched(read, count, "reading")), count, None
    from runreport.cli.cache import Cache

    reuse = Reuse(Cache.of(*fixed), options, found.fetcher)
    return chain(found.errors, watched(reuse.loaded(found.sources), count, "reading")), count, reuse


def form_of(output: Format, embed: bool) -> Form:
    """What is written for each run (Markdown where nothing is)."""
    if embed and output is not Format.MD:
        raise InputError("--embed", found=f"with --format {output.value}", expected="with --format md")
    return "html" if output is Format.HTML else ("embedded" if embed else "md")


def _tiers(path: Path | None) -> tuple[Tier, ...]:
    from runreport.criteria.spec import default_tiers, read_tiers

    return read_tiers(path) if path is not None else default_tiers()


def _analyze_all(
    runs: list[Run], settings: Settings, tiers: tuple[Tier, ...], errors: list[InputError]
) -> list[Analysis]:
    """Every run that can be analysed; an error of one run does not stop the others."""
    from runreport.analysis.engine import analyze_run

    analyses = []
    for run in runs:
        try:
            analyses.append(analyze_run(run, settings, tiers))
        except InputError as error:
            say(f"runreport: {error}")
            errors.append(error)
    return analyses


def _many(
    loaded: Iterable[Run | Kept | InputError],
    count: int,
    job: Job,
    out: Path | None,
    jobs: int,
    *,
    quiet: bool,
    reuse: Reuse | None,
) -> None:
    """A report (or the JSON) of each run as it is finished; none is compared with another."""
    from runreport.report.write import next_name, write_text

    collect_seldom()
    say(f"{count} logs: more than {MOST_COMPARED} are not compared with each other")
    errors: list[InputError] = []
    reported = failed = 0
    taken: set[str] = set()

    def documents() -> Iterator[str]:
        nonlocal reported, failed
        for done in finished(readable(loaded, errors), lambda name: next_name(name, taken), job, jobs):
            if reuse is not None:
                reuse.done(done)
            if done.error:
                failed += 1
                say(f"runreport: {done.error}")
                continue
            reported += 1
            if job.folder is None:
                yield done.document
            else:
                typer.echo(done.report if quiet else f"{done.report}: {done.title}")

    if job.folder is None:
        pieces = []
        for piece in whole_document(documents()):
            typer.echo(piece, nl=False)
            if out is not None:
                pieces.append(piece)
        if out is not None:
            try:
                write_text(out if out.suffix == ".json" else out / "runreport.json", "".join(pieces))
            except InputError as error:
                fail(error)
    else:
        deque(documents(), maxlen=0)
    if reuse is not None:
        reuse.close()
    failed += len(errors)
    if failed and not quiet:
        say(f"{reported} reported, {failed} not (see above)")
    if failed or not reported:
        raise typer.Exit(UNUSABLE)


def _compared(analyses: list[Analysis]) -> Comparison | None:
    """The runs beside each other; a run alone does not even import what compares."""
    if len(analyses) < 2:
        return None
    from runreport.compare.engine import compare_runs

    return compare_runs(analyses)


def _json(analyses: list[Analysis], out: Path | None) -> None:
    from runreport.report.json import document, to_json
    from runreport.report.write import write_text

    text = to_json(document(analyses, _compared(analyses)))
    if out is not None:
        write_text(out if out.suffix == ".json" else out / "runreport.json", text)
    typer.echo(text, nl=False)


def _reports(
    analyses: list[Analysis],
    out: Path,
    *,
    charts: bool,
    form: Form,
    quiet: bool,
    plain: bool,
    errors: list[InputError],
    jobs: int,
) -> None:
    from runreport.cli.many import write_reports
    from runreport.report.write import file_names

    if not analyses:
        return
    comparison = _compared(analyses)
    screen = console() if sys.stdout.isatty() and not plain else None
    names = file_names([a.run.name for a in analyses])
    # All files first: a reader who closes the pipe early (`| head`) must not lose reports.
    tasks = write_reports(analyses, comparison, out, names, charts=charts, form=form, jobs=jobs)
    written = list(watched(tasks, len(analyses), "writing"))
    for analysis, files in zip(analyses, written, strict=True):
        if quiet:
            typer.echo(files.report.as_posix())
        else:
            _show(screen, analysis, files.report.as_posix(), plain=plain)
    if errors and not quiet:
        say(f"{len(analyses)} reported, {len(errors)} not (see above)")


def _show(screen: Console | None, analysis: Analysis, written: str, *, plain: bool) -> None:
    """The summary on a terminal; into a pipe or a file a line each, unwrapped and unstyled, for other programs."""
    from runreport.report.drawing import glyphs_for
    from runreport.report.terminal import print_run, run_lines

    if screen is not None:
        print_run(screen, analysis, written)
    else:
        lines = run_lines(analysis, written, glyphs=glyphs_for(sys.stdout.encoding), drawn=not plain)
        typer.echo("\n".join(line.text for line in lines))


def _next(analyses: list[Analysis], path: Path) -> None:
    from runreport.advice.next_config import next_config_text
    from runreport.report.write import write_text

    if len(analyses) != 1:
        raise InputError("--next", found=f"{len(analyses)} runs", expected="one run", remedy="name one run")
    write_text(path, next_config_text(analyses[0]))
    say(f"next config: {path.as_posix()}")
