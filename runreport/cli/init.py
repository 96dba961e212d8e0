"""``runreport init``: a settings file to begin with, and an example for CI."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from runreport.cli.common import UNUSABLE, fail, say
from runreport.errors import InputError

HELP = """Write runreport.toml, every setting at its default with the reason for it, and an example for CI.

Files that are there already are kept, unless --force is given. Exit code 2: nothing was written.

Example: runreport init --ci github"""


class Ci(StrEnum):
    """Build systems that an example is there for."""

    GITHUB = "github"
    GITLAB = "gitlab"


PLACES = {Ci.GITHUB: Path(".github/workflows/runreport.yml"), Ci.GITLAB: Path(".gitlab/runreport.yml")}


def init(
    ci: Annotated[Ci | None, typer.Option(help="Also write an example for this build system.")] = None,
    out: Annotated[Path, typer.Option(help="Folder to write into.")] = Path(),
    force: Annotated[bool, typer.Option("--force", help="Replace files that are there already.")] = False,
) -> None:
    """Parse, call, print."""
    from runreport.report.markdown import templates_folder
    from runreport.report.write import write_text
    from runreport.rules.registry import all_rules
    from runreport.settings import find_settings
    from runreport.settings_file import settings_text

    try:
        found = find_settings(out)
        if found is not None and found.name == "pyproject.toml":
            raise InputError(
                found,
                found="settings in [tool.runreport], which a runreport.toml beside it would put out of force",
                remedy="change them there",
            )
        texts = {out / "runreport.toml": settings_text(all_rules())}
        if ci is not None:
            texts[out / PLACES[ci]] = (templates_folder() / "ci" / f"{ci.value}.yml").read_text(encoding="utf-8")
        written = 0
        for path, text in texts.items():
            if path.exists() and not force:
                say(f"runreport: {path.as_posix()}: there already, kept as it is; --force replaces it")
                continue
            write_text(path, text)
            written += 1
            typer.echo(path.as_posix())
    except InputError as error:
        fail(error)
    if not written:
        raise typer.Exit(UNUSABLE)
