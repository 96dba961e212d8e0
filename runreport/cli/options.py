"""Arguments and options that several commands share: one spelling, one help, one completion.

Imported at run time by the commands, not only for types: typer reads the annotations of a command when it is called.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from runreport.cli import complete

Paths = Annotated[
    list[str], typer.Argument(metavar="PATH...", help="Log files, folders or globs. A file brings its siblings.")
]
Group = Annotated[str | None, typer.Option(help="Column of the predictions to resample whole.")]
Column = Annotated[list[str] | None, typer.Option(help="Name a column: val_loss=valid_mse. Repeatable.")]
Reader = Annotated[
    str | None,
    typer.Option(help="Read with this reader (see: runreport formats).", autocompletion=complete.readers),
]
Truth = Annotated[Path | None, typer.Option(help="Table of true values, for predictions without.")]
Key = Annotated[str | None, typer.Option(help="Column that joins --truth to the predictions.")]
SettingsFile = Annotated[Path | None, typer.Option(help="Settings file [default: runreport.toml here].")]
