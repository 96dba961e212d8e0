"""What a run leaves on disk and on the screen, by way of the project's own logger; nothing where another process writes."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Self

from runreport.artifacts import HISTORY_COLUMNS
from runreport.logger import RunLogger
from training.acceleration import say
from training.checkpoint import save_checkpoint
from training.config import Config
from training.loop import Trainer
from training.places import Places
from training.progress import Progress
from training.resume import Row, RunState, save_state


class Recorder:
    """Writes best weights, history, state and final artifacts of a run, and tells the progress bar; a context manager.

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
        self._log: RunLogger | None = None
        self._shown: Progress | None = None

    def __enter__(self) -> Self:
        if self._writes:
            # Whether an earlier run may be replaced was settled by Places.prepare; a resumed one's history is written anew.
            self._log = self._stack.enter_context(
                RunLogger(self._config.run_name, out=self._places.folder, config=self._config.to_dict(), force=True)
            )
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
        if self._log is not None:
            # The metrics are the trainer's own: they are in the state, from which a resumed run's history is written.
            columns: dict[str, Any] = {name: row[name] for name in HISTORY_COLUMNS}
            self._log.epoch(**columns)
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

    def final(self, *, y_true: Any, y_pred: Any, groups: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
        """Writes the test predictions, then the metrics file, and gives back what it holds; then the state has served.

        ``given`` is what only the trainer knows; the rest follows from the predictions. Predictions that are not finite
        are said on stderr and counted in the file. Empty where another process writes.
        """
        if self._log is None:
            return {}
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            document = self._log.final(y_true=y_true, y_pred=y_pred, groups=groups, **given)
        for warning in caught:
            say(f"warning: {warning.message}")
        self._places.state.unlink(missing_ok=True)
        return document
