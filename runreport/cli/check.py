"""``runreport check``: an exit code for scripts and builds."""

from __future__ import annotations

import errno
import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runreport.cli import complete
from runreport.cli.analyze import _tiers
from runreport.cli.common import (
    UNUSABLE,
    check_key,
    column_options,
    fail,
    say,
    say_passed_over,
    settings_from,
    unused,
    watched,
)
from runreport.cli.options import Column, Group, Key, Paths, Reader, SettingsFile, Truth
from runreport.errors import InputError
from runreport.findings import Severity

if TYPE_CHECKING:
    from runreport.analysis.record import Analysis
    from runreport.criteria.spec import Tier
    from runreport.gate.judge import Gate
    from runreport.gate.record import Verdict
    from runreport.ingest.discover import Found
    from runreport.ingest.reader import ReadOptions
    from runreport.settings import Settings

HELP = """Judge runs and answer with an exit code, for scripts and builds.

Exit code 0: judged, and nothing stops it; 1: a finding of the asked severity, a criterion that is not met, or a figure
worse than the baseline's beyond its noise; 2: something could not be judged. Over several runs 2 comes before 1 and 1
before 0: an answer that is incomplete has to be completed first.

Example: runreport check logs/csv/run4.csv --fail-on warning --baseline baselines/run4.csv --junit check.xml"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """Where the verdict goes besides stdout."""

    junit: Path | None
    sarif: Path | None
    comment: Path | None
    github: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be judged, and by what."""

    paths: list[str]
    reader: str | None
    criteria: Path | None
    tiers: list[str]
    baseline: str | None
    logs: list[Path] | None


def check(
    paths: Paths,
    fail_on: Annotated[
        Severity, typer.Option("--fail-on", help="Least severity of a finding that fails.")
    ] = Severity.CRITICAL,
    criteria: Annotated[
        Path | None, typer.Option(help="YAML file of success criteria; all its tiers must be met.")
    ] = None,
    tier: Annotated[list[str] | None, typer.Option(help="Tier of --criteria that must be met. Repeatable.")] = None,
    baseline: Annotated[
        str | None,
        typer.Option(help="Run, by name or path, that these must not be worse than.", autocompletion=complete.runs),
    ] = None,
    logs: Annotated[list[Path] | None, typer.Option(help="Folder to look the baseline's name up in.")] = None,
    junit: Annotated[Path | None, typer.Option(help="Write JUnit XML here.")] = None,
    sarif: Annotated[Path | None, typer.Option(help="Write SARIF 2.1.0 here.")] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Annotations, and a summary in $GITHUB_STEP_SUMMARY.")
    ] = False,
    comment: Annotated[Path | None, typer.Option(help="Write the body of a pull-request comment here.")] = None,
    group: Group = None,
    column: Column = None,
    reader: Reader = None,
    truth: Truth = None,
    key: Key = None,
    settings: SettingsFile = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but what went wrong.")] = False,
) -> None:
    """Parse, call, print."""
    outputs = Outputs(junit=junit, sarif=sarif, comment=comment, github=github)
    asked = Asked(paths=paths, reader=reader, criteria=criteria, tiers=tier or [], baseline=baseline, logs=logs)
    try:
        with _commands_paused(github):
            gate, verdicts = _judged(asked, fail_on, settings, group, column or [], truth, key)
            _print(verdicts, quiet=quiet)
        _write(verdicts, gate, outputs)
    except InputError as error:
        fail(error)
    except typer.Exit:
        raise
    except Exception as error:
        if isinstance(error, OSError) and error.errno in (errno.EPIPE, errno.ENOSPC):
            raise  # of stdout: the group answers it
        # Python's own exit code for a crash is 1, which a build would read as "judged, and something was found".
        traceback.print_exc()
        say("runreport: check: could not judge: this is a fault of runreport itself, please report the lines above")
        raise typer.Exit(UNUSABLE) from None
    from runreport.gate.record import overall

    raise typer.Exit(overall(verdicts).value)


@contextmanager
def _commands_paused(github: bool) -> Iterator[None]:
    """With ``--github``: what is printed in between is text to the build system, whatever names are in it."""
    if not github:
        yield
        return
    from runreport.gate.github import pause

    stop, resume = pause()
    typer.echo(stop)
    try:
        yield
    finally:
        sys.stderr.flush()
        typer.echo(resume)


def _judged(
    asked: Asked,
    fail_on: Severity,
    settings: Path | None,
    group: str | None,
    column: list[str],
    truth: Path | None,
    key: str | None,
) -> tuple[Gate, list[Verdict]]:
    """What is asked of the runs, and the verdict on each.

    Settings, criteria or a baseline that cannot be used are a verdict of their own, so that the files which a build
    collects say so as well, and are not those of the last build.
    """
    from runreport.gate.judge import Gate, chosen_tiers, unreadable
    from runreport.ingest.load import find
    from runreport.ingest.reader import ReadOptions

    try:
        chosen = settings_from(settings, group)
        check_key(truth, key)
        tiers = _tiers(asked.criteria)
        if asked.criteria is None and asked.tiers:
            raise InputError("--tier", found="no --criteria", remedy="name the file that holds the tier")
        names = () if asked.criteria is None else chosen_tiers([t.name for t in tiers], asked.tiers)
        options = ReadOptions(columns=column_options(column), truth=truth, key=key)
        found = find(asked.paths, reader=asked.reader, passed_over=say_passed_over)
        before = _baseline(asked, found, options, chosen, tiers) if asked.baseline is not None else None
        gate = Gate(fail_on=fail_on, tiers=names, baseline=before)
        return gate, _verdicts(found, options, chosen, tiers, gate, group)
    except InputError as error:
        say(f"runreport: {error}")
        return Gate(fail_on=fail_on), [unreadable(error)]


def _baseline(
    asked: Asked, found: Found, options: ReadOptions, settings: Settings, tiers: tuple[Tier, ...]
) -> Analysis:
    """The one run that the baseline names, analysed: of several PATHs the one of this name, unless --logs says where.

    Raises
    ------
    InputError
        None, several, or one that cannot be read.
    """
    from runreport.analysis.engine import analyze_run
    from runreport.ingest.load import DEFAULT_LOGS, find_runs, read_sources

    where = f"--baseline {asked.baseline}"
    # A run that is the only one given is to be judged: the baseline of its name is another, kept elsewhere.
    given = [s for s in found.sources if s.name == asked.baseline] if len(found.sources) > 1 and not asked.logs else []
    if given:
        loaded = read_sources(given, options, found.fetcher)
    else:
        loaded = find_runs([asked.baseline or ""], asked.logs or DEFAULT_LOGS, options, asked=bool(asked.logs))
    runs = []
    for item in loaded:
        if isinstance(item, InputError):
            if item.where != asked.baseline:
                raise item
            raise InputError(where, found=item.found, expected=item.expected, remedy=item.remedy)
        runs.append(item)
    if len(runs) != 1:
        raise InputError(where, found=f"{len(runs)} runs", expected="one run", remedy="name its file")
    return analyze_run(runs[0], settings, tiers)


def _verdicts(
    found: Found, options: ReadOptions, settings: Settings, tiers: tuple[Tier, ...], gate: Gate, group: str | None
) -> list[Verdict]:
    """A verdict for each run and for each file that could not be read; one run is held at a time."""
    from runreport.analysis.engine import analyze_run
    from runreport.gate.judge import judge_run, unreadable
    from runreport.ingest.load import read_sources

    verdicts = [unreadable(error) for error in found.errors]
    loaded = read_sources(found.sources, options, found.fetcher)
    useless: list[InputError | None] = []
    for item in watched(loaded, len(found.sources), "judging"):
        if isinstance(item, InputError):
            verdicts.append(unreadable(item))
            continue
        useless.append(unused([item], group, options.truth, options.key))
        try:
            verdicts.append(judge_run(analyze_run(item, settings, tiers), gate))
        except InputError as error:
            verdicts.append(unreadable(error))
    if useless and useless[0] is not None and all(useless) and len(useless) == len(verdicts):
        raise useless[0]
    return verdicts


def _print(verdicts: list[Verdict], *, quiet: bool) -> None:
    """Every run's lines; quiet: the one line of each that failed or could not be judged."""
    from runreport.gate.lines import last_line, run_lines
    from runreport.gate.record import Code

    for verdict in verdicts:
        if quiet and verdict.code is Code.PASSED:
            continue
        for line in islice(run_lines(verdict), 1 if quiet else None):
            typer.echo(line)
    if not quiet:
        typer.echo(last_line(verdicts))


def _write(verdicts: list[Verdict], gate: Gate, outputs: Outputs) -> None:
    """Every file that was asked for, each whole or not at all."""
    from runreport.report.write import write_text

    if outputs.junit is not None:
        from runreport.gate.junit import junit

        write_text(outputs.junit, junit(verdicts))
    if outputs.sarif is not None:
        from importlib.metadata import version

        from runreport.gate.sarif import sarif
        from runreport.rules.registry import all_rules

        write_text(outputs.sarif, sarif(verdicts, all_rules(), version("regression-runreport")))
    if outputs.comment is not None:
        from runreport.gate.comment import comment

        write_text(outputs.comment, comment(verdicts, gate))
    if outputs.github:
        _github(verdicts, gate)


def _github(verdicts: list[Verdict], gate: Gate) -> None:
    from runreport.gate.comment import summary
    from runreport.gate.github import annotation_lines

    for line in annotation_lines(verdicts):
        typer.echo(line)
    place = os.environ.get("GITHUB_STEP_SUMMARY")
    if not place:
        say("runreport: --github: $GITHUB_STEP_SUMMARY is not set, so no summary was written")
        return
    try:
        # One write to the end: the file belongs to the whole step, which may have written to it before.
        with Path(place).open("a", encoding="utf-8", newline="\n") as file:
            file.write(summary(verdicts, gate) + "\n")
    except OSError as error:
        raise InputError(place, found=f"cannot be written ({error.strerror or error})") from None
