"""``runreport verify``: a written analysis against the logs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from runreport.cli.common import UNUSABLE, column_options, console, fail, say, settings_from, split_loaded
from runreport.cli.options import Column, SettingsFile
from runreport.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from runreport.analysis.record import Analysis
    from runreport.run import Run
    from runreport.settings import Settings
    from runreport.verify.record import Claim, Verification

HELP = """Check a written analysis against the logs: its tables, figures, courses, superlatives and comparisons.

Example: runreport verify analysis.md --logs logs/csv; from another program: ... | runreport verify - --logs logs/csv

Each claim is supported, contradicted (with the right value) or not checkable (with the reason). A claim is contradicted only
where the page says plainly what it is of.

Exit code 0: nothing is contradicted; 1: something is; 2: nothing could be checked, or something could not be read."""
CONTRADICTED = 1


class Format(StrEnum):
    """Outputs of ``verify``."""

    TEXT = "text"
    JSON = "json"
    MD = "md"


def verify(
    page: Annotated[
        str, typer.Argument(metavar="REPORT.md", help="The written analysis (Markdown); - for standard input.")
    ],
    logs: Annotated[
        list[str] | None, typer.Option(help="Log files, folders or globs. Repeatable [default: logs/csv here].")
    ] = None,
    run: Annotated[str | None, typer.Option(help="The run that the page is about, where it does not say.")] = None,
    output: Annotated[
        Format, typer.Option("--format", help="text: a list here; json: one document; md: tables for a comment.")
    ] = Format.TEXT,
    everything: Annotated[bool, typer.Option("--all", help="Show also what is supported.")] = False,
    column: Column = None,
    settings: SettingsFile = None,
) -> None:
    """Parse, call, print."""
    try:
        text, name = _read(page)
        runs, unread = _runs(logs, column)
        if not runs:
            remedy = "name the folder of the logs with --logs"
            raise InputError("--logs", found="no run that could be read", remedy=remedy)
        names = [r.name for r in runs]
        if run is not None and run not in names:
            from runreport.ingest.columns import near

            raise InputError("--run", found=f"no run {run!r}", expected=near(run, names))
        chosen = settings_from(settings, None)
    except InputError as error:
        fail(error)
    from runreport.verify.engine import runs_needed
    from runreport.verify.engine import verify as verify_page
    from runreport.verify.record import Verdict
    from runreport.verify.render import document, markdown, plain_lines

    needed = runs_needed(text, names, file_stem=Path(name).stem, run=run)
    analyses = _analyze_all([r for r in runs if r.name in needed], chosen, unread)
    found = verify_page(text, analyses, file_stem=Path(name).stem, run=run)
    if output is Format.JSON:
        typer.echo(json.dumps(document(found, name), indent=2, ensure_ascii=False))
    elif output is Format.MD:
        typer.echo(markdown(found, name), nl=False)
    elif sys.stdout.isatty():
        _show(console(), found, name, everything=everything)
    else:
        for line in plain_lines(found, name, everything=everything):
            typer.echo(line)
    if found.count(Verdict.CONTRADICTED):
        raise typer.Exit(CONTRADICTED)
    if unread or not found.count(Verdict.SUPPORTED):
        raise typer.Exit(UNUSABLE)


def _read(page: str) -> tuple[str, str]:
    """(text, name) of the page."""
    try:
        if page == "-":
            return sys.stdin.buffer.read().decode("utf-8"), "standard input"
        path = Path(page)
        return path.read_bytes().decode("utf-8-sig"), path.as_posix()
    except UnicodeDecodeError as error:
        raise InputError(page, found=f"not UTF-8 text (byte {error.start})", expected="a Markdown file") from None
    except OSError as error:
        found = (
            "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read ({error.strerror or error})"
        )
        raise InputError(page, found=found, expected="a Markdown file", remedy="check the path") from None


def _runs(logs: list[str] | None, column: list[str] | None) -> tuple[list[Run], list[InputError]]:
    """The runs of the logs, and what could not be read."""
    from runreport.ingest.load import DEFAULT_LOGS, load_runs
    from runreport.ingest.reader import ReadOptions

    options = ReadOptions(columns=column_options(column or []))
    places = logs or [str(folder) for folder in DEFAULT_LOGS if folder.is_dir()][:1]
    if not places:
        expected = " or ".join(str(folder) for folder in DEFAULT_LOGS)
        raise InputError("--logs", found="not given, and no log folder here", expected=expected)
    return split_loaded(load_runs(places, options))


def _analyze_all(runs: list[Run], settings: Settings, errors: list[InputError]) -> list[Analysis]:
    """The runs analysed; what could not be is said and added to the errors."""
    from runreport.analysis.engine import analyze_run

    analyses = []
    for item in runs:
        try:
            analyses.append(analyze_run(item, settings))
        except InputError as error:
            say(f"runreport: {error}")
            errors.append(error)
    return analyses


def _show(screen: Console, found: Verification, name: str, *, everything: bool) -> None:
    """The claims on a terminal, contradicted ones first."""
    from rich.text import Text

    from runreport.verify.record import Verdict
    from runreport.verify.render import figures, heading, judgements, summary

    screen.print(Text(heading(found, name), style="bold"))
    wrong = [c for c in found.claims if c.verdict is Verdict.CONTRADICTED]
    _group(screen, "contradicted by the logs", "bold red", wrong)
    _group(screen, "not borne out by the logs", "yellow", judgements(found))
    shown, more = figures(found, everything=everything)
    _group(screen, "figures that could not be checked", "dim", shown)
    if more:
        screen.print(Text(f"  {more} more: --all shows them", style="dim"))
    if everything:
        _group(screen, "supported", "green", [c for c in found.claims if c.verdict is Verdict.SUPPORTED])
    screen.print()
    screen.print(Text(summary(found), style="bold red" if wrong else "bold"))


def _group(screen: Console, title: str, style: str, claims: Sequence[Claim]) -> None:
    from rich.table import Table
    from rich.text import Text

    if not claims:
        return
    screen.print()
    screen.print(Text(title, style=style))
    grid = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    grid.add_column(justify="right", no_wrap=True, style="bold")
    grid.add_column(ratio=1)
    last = (0, "")
    for claim in claims:
        written = Text(f"{claim.written}  ", style="bold") if claim.written else Text()
        here = (claim.line, claim.text)
        said = Text() if here == last else Text(f"{claim.text}\n", style="dim italic")
        grid.add_row("" if here == last else str(claim.line), Text.assemble(said, written, claim.reason))
        last = here
    screen.print(grid)
