"""What the commands share: option types, messages to stderr, exit codes."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, Protocol, TypeVar

import typer

from runreport.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from runreport.run import Note, Run
    from runreport.settings import Settings

UNUSABLE = 2
"""Exit code when something given could not be used."""
FEW = 20
"""Runs below which no bar is worth drawing."""
T = TypeVar("T")
MOST_NOTES = 20
"""Notes printed: beyond that the reports hold them."""


def say(message: object) -> None:
    """One line to stderr."""
    print(str(message), file=sys.stderr)


def fail(error: InputError) -> NoReturn:
    """The error's line, and exit code 2."""
    say(f"runreport: {error}")
    raise typer.Exit(UNUSABLE)


def console() -> Console:
    """The terminal, or plain text where output is not one; 80 columns where the width is unknown."""
    from rich.console import Console

    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else 100
    return Console(highlight=False, emoji=False, markup=False, width=width)


def column_options(given: Iterable[str]) -> dict[str, str]:
    """``--column known=theirs`` options as a mapping.

    >>> column_options(["val_loss=valid_mse"])
    {'val_loss': 'valid_mse'}
    """
    columns = {}
    for text in given:
        known, equals, theirs = text.partition("=")
        if not (known and equals and theirs):
            raise InputError("--column", found=repr(text), expected="NAME=COLUMN, such as val_loss=valid_mse")
        columns[known.strip()] = theirs.strip()
    return columns


def settings_from(path: Path | None, group: str | None) -> Settings:
    """The settings file that was named, else the one of this folder, else the defaults; ``--group`` wins over it."""
    from dataclasses import replace

    from runreport.settings import Settings, find_settings, read_settings

    source = path if path is not None else find_settings(Path())
    settings = read_settings(source) if source is not None else Settings()
    return settings if group is None else replace(settings, group=group)


def unused(runs: Iterable[Run], group: str | None, truth: Path | None, key: str | None) -> InputError | None:
    """The first option about predictions that no run could use, as none has any."""
    given = {"--group": group, "--truth": truth, "--key": key}
    option = next((f"{name} {value}" for name, value in given.items() if value is not None), None)
    if option is None or any(run.predictions is not None or run.epoch_predictions is not None for run in runs):
        return None
    found, remedy = "no run with predictions to use it on", "save predictions_<run>.csv beside the log"
    return InputError(option, found=found, remedy=remedy)


def check_key(truth: Path | None, key: str | None) -> None:
    """Raises where ``--key`` has nothing to join."""
    if key is not None and truth is None:
        found, remedy = "no --truth", "name the table that it joins to the predictions with --truth FILE"
        raise InputError(f"--key {key}", found=found, remedy=remedy)


def say_passed_over(paths: Sequence[Path]) -> None:
    """One line about the files of a folder that no reader knows."""
    shown = ", ".join(path.name for path in paths[:3]) + (", ..." if len(paths) > 3 else "")
    files = "1 file was" if len(paths) == 1 else f"{len(paths)} files were"
    say(f"{files} not recognised and passed over: {shown}")


def split_loaded(loaded: Iterable[Run | InputError]) -> tuple[list[Run], list[InputError]]:
    """Runs and errors apart; each error's line, and each run's notes, go to stderr as they come."""
    errors: list[InputError] = []
    return list(readable(loaded, errors)), errors


class Noted(Protocol):
    """Something read, with what was said while it was read."""

    @property
    def name(self) -> str:
        """The run's name."""

    @property
    def notes(self) -> tuple[Note, ...]:
        """What was said."""


N = TypeVar("N", bound=Noted)


def readable(loaded: Iterable[N | InputError], errors: list[InputError]) -> Iterator[N]:
    """The runs; errors go to ``errors``. Each error's line, and the first notes of runs, go to stderr as they come."""
    noted = 0
    for item in loaded:
        if isinstance(item, InputError):
            say(f"runreport: {item}")
            errors.append(item)
            continue
        yield item
        for note in item.notes:
            noted += 1
            if noted <= MOST_NOTES:
                say(f"{item.name}: {note.message}")
    if noted > MOST_NOTES:
        say(f"{noted - MOST_NOTES} more notes: see the reports")


def watched(items: Iterable[T], total: int, what: str) -> Iterator[T]:
    """The items, with a bar on the terminal while they are gone through; without one, or for a few, as they are."""
    if total < FEW or not sys.stderr.isatty():
        yield from items
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as bar:
        yield from bar.track(items, total=total, description=what)
