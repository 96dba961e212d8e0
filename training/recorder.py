"""What an epoch leaves on disk and on the screen; nothing where another process writes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Self

from runreport.artifacts import HISTORY_COLUMNS, HistoryWriter, history_path
from training.checkpoint import save_checkpoint
from training.config import Config
from training.loop import Trainer
from training.places import Places
from training.progress import Progress
from training.resume import Row, RunState, save_state


class Recorder:
    """Writes best weights, history and state of a run, and tells the progress bar; a context manager.

    The order within an epoch is what makes a kill harmless: best weights, history row, then the state, which holds all
    rows. Whatever was cut off is done again, to the same values, from the state before; the history is then written anew
    from the state's rows. With ``writes`` False all of it is left to another process.
    """

    def __init__(
        self, config: Config, places: Places, progress: Callable[[str, int], Progress], *, writes: bool
    ) -> None:
        self._config = config
        self._places = places
        self._progress = progress
        self._writes = writes
        self._stack = ExitStack()
        self._history: HistoryWriter | None = None
        self._shown: Progress | None = None

    def __enter__(self) -> Self:
        if self._writes:
            path = history_path(self._places.folder, self._config.run_name)
            path.unlink(missing_ok=True)
            self._history = self._stack.enter_context(HistoryWriter(path))
            self._shown = self._stack.enter_context(self._progress(self._config.run_name, self._config.max_epochs))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def best(self, trainer: Trainer, epoch: int, penalty_weight: float) -> None:
        """Keeps the weights of the best epoch so far, which was trained under this λ."""
        if self._writes:
            save_checkpoint(
                self._places.checkpoint,
                trainer.model,
                config=self._config,
                epoch=epoch,
                scale=trainer.objective.scale,
                penalty_weight=penalty_weight,
            )

    def row(self, row: Row, *, selected: int | None) -> None:
        """Adds one epoch to the history."""
        if self._history is not None:
            self._history.write({name: row[name] for name in HISTORY_COLUMNS})
        if self._shown is not None:
            self._shown.epoch(row, selected=selected)

    def again(self, rows: Sequence[Row], *, selected: int | None) -> None:
        """Writes the history of the epochs before a resumption."""
        for row in rows:
            self.row(row, selected=selected)

    def state(self, state: Callable[[], RunState]) -> None:
        """Saves where the run stands; ``state`` is only asked where this process writes."""
        if self._writes:
            save_state(self._places.state, state())
