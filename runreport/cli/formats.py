"""``runreport formats``: what can be read, out of the registry."""

from __future__ import annotations

from typing import Annotated

import typer

from runreport.cli.common import fail
from runreport.errors import InputError

HELP = """List the log formats that can be read: the reader's name, what it reads, the extra it needs.

Example: runreport formats"""


def formats(
    as_json: Annotated[bool, typer.Option("--json", help="The list as JSON.")] = False,
) -> None:
    """Parse, call, print."""
    from runreport.ingest.registry import all_readers

    try:
        readers = all_readers()
    except InputError as error:
        fail(error)
    if as_json:
        import json

        rows = [{"reader": r.name, "reads": r.reads, "extra": r.extra} for r in readers]
        typer.echo(json.dumps(rows, indent=2))
        return
    width = max(len(r.name) for r in readers)
    for r in readers:
        needs = "" if r.extra is None else f" (needs the extra: {r.extra})"
        typer.echo(f"{r.name:<{width}}  {r.reads}{needs}")
