"""What the adapters to training libraries share: the logger's arguments, and the library found when it is needed."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from runreport.logger.document import COMPUTED, RESERVED
from runreport.logger.plain import Config
from runreport.logger.run_logger import FROM_PREDICTIONS, Groups, RunLogger


class Adapter:
    """Holds the arguments of a `RunLogger` and makes it when training starts.

    Not before, because only then is it known which of several processes writes; a run that is already there is refused
    then too, before the first step.
    """

    def __init__(
        self,
        run: str,
        *,
        out: str | Path = "logs/csv",
        config: Config = None,
        force: bool = False,
        keep_predictions: bool = False,
        val_groups: Groups | None = None,
    ) -> None:
        super().__init__()
        self._run = run
        self._config = config
        self._settings: dict[str, Any] = {
            "out": out,
            "force": force,
            "keep_predictions": keep_predictions,
            "val_groups": val_groups,
        }
        self._logger: RunLogger | None = None

    @property
    def logger(self) -> RunLogger:
        """The logger; ``callback.logger.final(...)`` ends a run by hand. ValueError before training has started."""
        if self._logger is None:
            raise ValueError(f"run {self._run!r} has no log yet: training has not started in this process")
        return self._logger

    def start(self, config: Config = None) -> None:
        """Makes the logger where there is none; ``config`` stands in where the user gave none."""
        if self._logger is None:
            self._logger = RunLogger(
                self._run, config=self._config if self._config is not None else config, **self._settings
            )


def free_names(numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Numbers that a library logged, those whose names the logger computes itself under ``logged_<name>``.

    >>> free_names({"val_loss": 0.5, "mae": 0.1})
    {'val_loss': 0.5, 'logged_mae': 0.1}
    """
    taken = FROM_PREDICTIONS.keys() | COMPUTED | RESERVED | {"epoch", "split", "groups", "selected_epoch"}
    return {f"logged_{name}" if name in taken else name: value for name, value in numbers.items()}


def callback_class(hooks: type, bases: Mapping[str, str], install: str) -> type:
    """``hooks`` as a callback of the library: a subclass of both.

    ``bases`` maps module to class. Modules that the program has loaded are used (all of them, where it uses two
    packages of one library), else the first that can be imported. ImportError says what to install.
    """
    loaded = [module for module in bases if module in sys.modules]
    for module in bases if not loaded else ():
        try:
            importlib.import_module(module)
        except ModuleNotFoundError as error:
            if error.name is None or not module.startswith(error.name):  # the library is there, but lacks something
                raise
            continue
        loaded = [module]
        break
    if not loaded:
        raise ImportError(f"{hooks.__module__} needs {' or '.join(bases)}: pip install {install}")
    found = tuple(getattr(sys.modules[module], bases[module]) for module in loaded)
    return type("RunLoggerCallback", (hooks, *found), {"__module__": hooks.__module__, "__doc__": hooks.__doc__})
