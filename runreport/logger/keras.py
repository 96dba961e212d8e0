"""`RunLoggerCallback` for Keras 3, which is imported when the name is used.

from runreport.logger.keras import RunLoggerCallback
callback = RunLoggerCallback("run5", validation_data=(x_val, y_val))
model.fit(x, y, validation_data=(x_val, y_val), callbacks=[callback])
callback.logger.final(y_true=y_test, y_pred=model.predict(x_test), selected_epoch=...)
"""

# ruff: noqa: ARG002  (the hooks have the signatures that the library calls them with)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runreport.logger.adapter import Adapter, callback_class, free_names

_CLASSES = {"keras.callbacks": "Callback"}


class KerasHooks(Adapter):
    """A row an epoch from ``model.fit``.

    Takes the arguments of `runreport.logger.RunLogger` and ``validation_data=(x, y)``: Keras hands a callback no
    predictions, so they are made here after each epoch, in batches of ``batch_size`` (32 unless given). That is one
    more pass over the validation split. Keras logs training metrics without prefix: they become ``train_<name>``.

    Whether the weights at the end are the last or the best epoch's only you know, so the final artifacts are yours to
    ask for: ``callback.logger.final(...)``.
    """

    model: Any

    def __init__(
        self, run: str, *, validation_data: tuple[Any, Any], batch_size: int | None = None, **settings: Any
    ) -> None:
        super().__init__(run, **settings)
        self._x, self._y = validation_data
        self._batch_size = batch_size

    def on_train_begin(self, logs: Mapping[str, Any] | None = None) -> None:
        """Makes the log before the first step."""
        self.start()

    def on_epoch_end(self, epoch: int, logs: Mapping[str, Any] | None = None) -> None:
        """Predicts the validation split and writes the row. Keras counts epochs from 0."""
        numbers = {name if _as_it_is(name) else f"train_{name}": float(value) for name, value in (logs or {}).items()}
        rate = numbers.pop("lr", None)
        numbers.setdefault("learning_rate", _learning_rate(self.model) if rate is None else rate)
        y_pred = self.model.predict(self._x, batch_size=self._batch_size, verbose=0)
        self.logger.epoch(epoch + 1, y_true=self._y, y_pred=y_pred, **free_names(numbers))

    def on_train_end(self, logs: Mapping[str, Any] | None = None) -> None:
        """Training has ended: closes the history."""
        self.logger.close()


def _as_it_is(name: str) -> bool:
    return name.startswith("val_") or name in ("lr", "learning_rate")


def _learning_rate(model: Any) -> float:
    """The optimizer's rate; a schedule shows it as of the last step."""
    return float(model.optimizer.learning_rate)


def __getattr__(name: str) -> Any:
    if name != "RunLoggerCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = callback_class(KerasHooks, _CLASSES, "keras")
    return globals()[name]
