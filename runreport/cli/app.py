"""The command's parts and its entry point."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from runreport.cli import analyze, check, compare, formats, init, rules

app = typer.Typer(
    name="runreport",
    help="What happened in a regression training run, and what to try next. Every sentence is computed from the logs.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("analyze", help=analyze.HELP)(analyze.analyze)
app.command("compare", help=compare.HELP)(compare.compare)
app.command("check", help=check.HELP)(check.check)
app.command("formats", help=formats.HELP)(formats.formats)
app.command("rules", help=rules.RULES_HELP)(rules.rules)
app.command("explain", help=rules.EXPLAIN_HELP)(rules.explain)
app.command("init", help=init.HELP)(init.init)


def _version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        typer.echo(f"runreport {version('regression-runreport')}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options of the command itself."""


def main() -> None:
    """Run the command; a broken pipe (``| head``) ends it quietly, as other tools do."""
    try:
        app()
    except BrokenPipeError:
        sys.stderr.close()
        raise SystemExit(141) from None
