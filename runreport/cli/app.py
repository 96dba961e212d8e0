"""The command's parts and its entry point."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, NoReturn

import typer
from typer.core import TyperGroup

from runreport.cli import analyze, check, compare, formats, init, rules, verify, watch
from runreport.cli.common import UNUSABLE, say
from runreport.cli.encoding import spell_out

CLOSED_PIPE = 141
"""Exit code of a program whose reader went away (128 + SIGPIPE), as shells report it of other tools."""


def _end(code: int) -> NoReturn:
    """Ends the program when its output can go nowhere: what is unwritten is dropped, so that the interpreter's own flush
    at exit finds nothing wrong."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    raise SystemExit(code)


@contextmanager
def _output() -> Iterator[None]:
    """Errors of stdout, before Typer turns them into exit code 1, which to a build means "it failed"."""
    try:
        yield
        if sys.stdout is not None:  # None where it was closed before the start
            sys.stdout.flush()
    except BrokenPipeError:
        _end(CLOSED_PIPE)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        say("runreport: output: cannot be written (no space left on the device)")
        _end(UNUSABLE)


class _Commands(TyperGroup):
    """The group of the commands, whose output may end early."""

    def make_context(self, *arguments: Any, **named: Any) -> Any:
        with _output():  # --help and --version print here
            return super().make_context(*arguments, **named)

    def invoke(self, ctx: Any) -> Any:
        with _output():
            return super().invoke(ctx)


app = typer.Typer(
    name="runreport",
    help="What happened in a regression training run, and what to try next. Every sentence is computed from the logs.",
    cls=_Commands,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("analyze", help=analyze.HELP, short_help="Write a report for each run.")(analyze.analyze)
app.command("compare", help=compare.HELP, short_help="Put runs beside each other, with the noise.")(compare.compare)
app.command("check", help=check.HELP, short_help="Judge runs: an exit code for CI.")(check.check)
app.command("verify", help=verify.HELP, short_help="Check a written analysis against the logs.")(verify.verify)
app.command("watch", help=watch.HELP, short_help="Follow a run while it is written.")(watch.watch)
app.command("formats", help=formats.HELP, short_help="List the log formats that can be read.")(formats.formats)
app.command("rules", help=rules.RULES_HELP, short_help="List what can be found in a run.")(rules.rules)
app.command("explain", help=rules.EXPLAIN_HELP, short_help="Explain one rule.")(rules.explain)
app.command("init", help=init.HELP, short_help="Write a settings file and a CI example.")(init.init)


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
    """Run the command. A reader that goes away early (``| head``) ends it quietly with 141, as it ends other tools."""
    spell_out()
    app()
