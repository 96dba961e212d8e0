"""`RunLoggerCallback` for the Hugging Face ``Trainer``; transformers is imported when the name is used.

    from runreport.logger.transformers import RunLoggerCallback
    callback = RunLoggerCallback("run5")
    trainer = Trainer(..., compute_metrics=callback.compute_metrics, callbacks=[callback])
    trainer.train()
    trainer.predict(test_dataset)

Evaluate and log once an epoch (``eval_strategy="epoch", logging_strategy="epoch"``).
"""

# ruff: noqa: ARG002  (the hooks have the signatures that the library calls them with)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runreport.logger.adapter import Adapter, callback_class
from runreport.logger.moments import metrics, pairs
from runreport.logger.run_logger import FROM_PREDICTIONS

_CLASSES = {"transformers": "TrainerCallback"}


class TransformersHooks(Adapter):
    """A row an evaluation from ``Trainer.train``; the final artifacts from the first ``Trainer.predict`` after it.

    Takes the arguments of `runreport.logger.RunLogger`; without ``config`` the training arguments are kept.
    ``predict_split`` names the split that ``Trainer.predict`` is called with; None writes no final artifacts.

    A Trainer shows callbacks no predictions; `compute_metrics` is how they come here. Rows are numbered by evaluation,
    which is the epoch where each epoch is evaluated once; the column ``trained_epochs`` holds the Trainer's own count.
    ``train_loss`` is the mean of the losses logged since the last row, weighted by their steps. With several processes
    the Trainer gathers the predictions, and the first process writes.
    """

    def __init__(self, run: str, *, predict_split: str | None = "test", **settings: Any) -> None:
        super().__init__(run, **settings)
        self._predict_split = predict_split
        self._predictions: tuple[Any, Any] | None = None
        self._steps_of_rows: list[int] = []
        self._training = False

    def compute_metrics(self, evaluated: Any) -> dict[str, float]:
        """For ``Trainer(compute_metrics=...)``: takes the predictions, and gives the Trainer what is defined of them.

        So ``metric_for_best_model="r2"`` works. Of several outputs the first is the prediction.
        """
        y_pred, y_true = evaluated.predictions, evaluated.label_ids
        y_pred = y_pred[0] if isinstance(y_pred, tuple) else y_pred
        self._predictions = (y_true, y_pred)
        found = metrics(pairs(y_true, y_pred))
        named = {column: found[name] for column, name in FROM_PREDICTIONS.items()}
        return {column: float(value) for column, value in named.items() if value is not None}

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Makes the log before the first step, in the process that writes."""
        self._training = True
        if state.is_world_process_zero:
            self.start(args.to_dict())

    def on_evaluate(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Writes the row of an evaluation that belongs to the training."""
        predictions, self._predictions = self._predictions, None
        if not self._training or self._logger is None:
            return
        if predictions is None:
            raise ValueError("no predictions to log: pass compute_metrics=callback.compute_metrics to the Trainer")
        step = int(state.global_step)
        before = self._steps_of_rows[-1] if self._steps_of_rows else 0
        if step <= before:
            raise ValueError(f"a second evaluation at step {step}: run logging takes one evaluation dataset")
        logged = [entry for entry in state.log_history if "loss" in entry and entry["step"] > before]
        last = logged[-1] if logged else {}
        self._steps_of_rows.append(step)
        self.logger.epoch(
            len(self._steps_of_rows),
            y_true=predictions[0],
            y_pred=predictions[1],
            train_loss=_mean_loss(logged, before),
            val_loss=(kwargs.get("metrics") or {}).get("eval_loss"),
            lr=last.get("learning_rate"),
            grad_norm=last.get("grad_norm"),
            trained_epochs=state.epoch,
        )

    def on_train_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Training has ended: closes the history."""
        self._training = False
        if self._logger is not None:
            self.logger.close()

    def on_predict(self, args: Any, state: Any, control: Any, metrics: Mapping[str, Any], **kwargs: Any) -> None:
        """Writes the final artifacts; a later prediction changes nothing of a run that is complete."""
        predictions, self._predictions = self._predictions, None
        if self._logger is None or self._predict_split is None or self.logger.is_complete or predictions is None:
            return
        step = state.best_global_step if args.load_best_model_at_end else state.global_step
        selected = self._steps_of_rows.index(step) + 1 if step in self._steps_of_rows else None
        losses = {"loss": metrics["test_loss"]} if "test_loss" in metrics else {}
        self.logger.final(
            y_true=predictions[0], y_pred=predictions[1], split=self._predict_split, selected_epoch=selected, **losses
        )


def _mean_loss(logged: list[dict[str, Any]], before: int) -> float | None:
    """The mean of losses that each are means over the steps since the one before."""
    if not logged:
        return None
    steps = [entry["step"] for entry in logged]
    weights = [step - earlier for step, earlier in zip(steps, [before, *steps[:-1]], strict=True)]
    return float(sum(w * entry["loss"] for w, entry in zip(weights, logged, strict=True)) / sum(weights))


def __getattr__(name: str) -> Any:
    if name != "RunLoggerCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = callback_class(TransformersHooks, _CLASSES, "transformers")
    return globals()[name]
