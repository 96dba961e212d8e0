"""What a person sees while a run trains: a bar on a terminal, plain lines elsewhere. On stderr."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Protocol, Self

SHOWN = (("train_loss", "train"), ("val_loss", "val"), ("r2", "R²"), ("variance_ratio", "ratio"))


class Progress(Protocol):
    """A context manager that is told of every epoch."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def epoch(self, row: Mapping[str, Any], *, selected: int | None) -> None:
        """One epoch ended: its row of the history, and the epoch that would be kept now."""


def describe(row: Mapping[str, Any], selected: int | None) -> str:
    """The numbers of an epoch that matter, in one line.

    >>> describe({"train_loss": 0.1, "val_loss": 0.2, "r2": None, "variance_ratio": 0.5, "learning_rate": 5e-4}, 3)
    'train 0.1000  val 0.2000  R² –  ratio 0.500  lr 5.00e-04  best 3'
    """
    digits = {"train_loss": 4, "val_loss": 4}
    parts = []
    for key, label in SHOWN:
        value = row[key]
        parts.append(f"{label} –" if value is None else f"{label} {value:.{digits.get(key, 3)}f}")
    parts.append(f"lr {row['learning_rate']:.2e}")
    parts.append(f"best {selected if selected is not None else '–'}")
    return "  ".join(parts)


def result_line(metrics: dict[str, Any]) -> str:
    """One line on how the test split came out.

    >>> result_line({"run": "a", "selected_epoch": 3, "selected_by": "r2", "epochs_run": 5, "num_samples": 144,
    ...     "stopped_because": "patience", "r2": 0.5, "variance_ratio": None, "mae": 0.25})
    'a: epoch 3 by r2 (5 run, patience); test n 144, R² 0.5000, variance ratio –, MAE 0.2500'
    """

    def number(key: str) -> str:
        return "–" if metrics[key] is None else f"{metrics[key]:.4f}"

    return (
        f"{metrics['run']}: epoch {metrics['selected_epoch']} by {metrics['selected_by']} "
        f"({metrics['epochs_run']} run, {metrics['stopped_because']}); test n {metrics['num_samples']}, "
        f"R² {number('r2')}, variance ratio {number('variance_ratio')}, MAE {number('mae')}"
    )


class PlainProgress:
    """One line an epoch."""

    def __init__(self, name: str, epochs: int) -> None:
        self._name = name
        self._epochs = epochs

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None

    def epoch(self, row: Mapping[str, Any], *, selected: int | None) -> None:
        """Prints the epoch."""
        text = f"{self._name}  epoch {row['epoch']}/{self._epochs}  {describe(row, selected)}"
        print(f"{text}  {row['epoch_seconds']:.1f} s", file=sys.stderr, flush=True)


class RichProgress:
    """A bar with the last epoch's numbers."""

    def __init__(self, name: str, epochs: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        columns = (TextColumn("{task.description}"), BarColumn(bar_width=20), MofNCompleteColumn())
        self._bars = Bars(
            *columns, TextColumn("{task.fields[numbers]}"), TimeRemainingColumn(), console=Console(stderr=True)
        )
        self._task = self._bars.add_task(name, total=epochs, numbers="")

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def epoch(self, row: Mapping[str, Any], *, selected: int | None) -> None:
        """Moves the bar."""
        self._bars.update(self._task, advance=1, numbers=describe(row, selected))


def make_progress(name: str, epochs: int) -> Progress:
    """A bar when stderr is a terminal and rich is installed, plain lines otherwise."""
    if sys.stderr.isatty() and importlib.util.find_spec("rich") is not None:
        return RichProgress(name, epochs)
    return PlainProgress(name, epochs)
