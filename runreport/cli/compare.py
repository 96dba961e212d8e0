"""``runreport compare``: several runs beside each other."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runreport.cli import complete
from runreport.cli.analyze import Format, _analyze_all, _tiers, form_of
from runreport.cli.common import UNUSABLE, column_options, console, fail, say, settings_from, split_loaded, unused
from runreport.cli.options import Column, Group, SettingsFile
from runreport.errors import InputError

HELP = """Compare runs, by name or path: paired where they predicted the same samples, an honest refusal where not.

Runs that differ in settings and seed (a sweep) are compared by setting: what each changed, with its noise over seeds.

Example: runreport compare run1 run4; for a sweep: runreport compare sweep/*.csv --out reports

Names are looked up in --logs, by default in logs/csv and then in example_logs/csv."""


def compare(
    names: Annotated[
        list[str],
        typer.Argument(metavar="RUN RUN...", help="Run names or paths, two or more.", autocompletion=complete.runs),
    ],
    logs: Annotated[list[Path] | None, typer.Option(help="Folder to look names up in. Repeatable.")] = None,
    out: Annotated[
        Path | None, typer.Option(help="Folder for comparison.md or .html [default: html: reports; else none].")
    ] = None,
    output: Annotated[
        Format, typer.Option("--format", help="md, html: a table here, the file in --out; json: one document here.")
    ] = Format.MD,
    embed: Annotated[bool, typer.Option("--embed", help="Markdown with its charts inside.")] = False,
    criteria: Annotated[Path | None, typer.Option(help="YAML file of success criteria.")] = None,
    group: Group = None,
    column: Column = None,
    settings: SettingsFile = None,
) -> None:
    """Parse, call, print."""
    try:
        chosen = settings_from(settings, group)
        tiers = _tiers(criteria)
        columns = column_options(column or [])
        form = form_of(output, embed)
    except InputError as error:
        fail(error)
    from runreport.compare.engine import compare_runs
    from runreport.ingest.load import DEFAULT_LOGS, find_runs
    from runreport.ingest.reader import ReadOptions
    from runreport.report.comparison_files import design_lines, write_comparison_files
    from runreport.report.json import document, to_json
    from runreport.report.terminal import print_comparison

    runs, errors = split_loaded(find_runs(names, logs or DEFAULT_LOGS, ReadOptions(columns=columns), asked=bool(logs)))
    if runs and not errors and (useless := unused(runs, group, None, None)) is not None:
        fail(useless)
    analyses = _analyze_all(runs, chosen, tiers, errors)
    if len(analyses) < 2:
        if not errors:
            say(f"runreport: compare: {_too_few(len(analyses), names)}")
        raise typer.Exit(UNUSABLE)
    comparison = compare_runs(analyses, chosen.seed)
    if output is Format.JSON:
        typer.echo(to_json(document(analyses, comparison)), nl=False)
    else:
        screen = console()
        print_comparison(screen, comparison)
        for line in design_lines(comparison):
            screen.print(line)
    if out is None and output is Format.HTML:
        out = Path("reports")
    if out is not None:
        try:
            written = write_comparison_files(comparison, out, form=form, analyses=analyses)
            say(f"report: {written.report.as_posix()}")
        except InputError as error:
            fail(error)
    if errors:
        raise typer.Exit(UNUSABLE)


def _too_few(count: int, names: list[str]) -> str:
    """What a comparison of fewer than two runs needs."""
    given = names[0] if count == 1 else "what was given"
    return (
        f"{given}: {count} run; expected two or more (names, files, or a folder or glob that holds several); "
        f"name another run to compare it with, or report on one with: runreport analyze"
    )
