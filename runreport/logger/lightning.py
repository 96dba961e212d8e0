"""`RunLoggerCallback` for Lightning (``lightning`` or ``pytorch_lightning``), which is imported when the name is used.

    from runreport.logger.lightning import RunLoggerCallback
    trainer = Trainer(callbacks=[RunLoggerCallback("run5")])

``validation_step`` and ``test_step`` return ``{"y_true": ..., "y_pred": ...}`` (other keys are left alone).
"""

# ruff: noqa: ARG002  (the hooks have the signatures that the library calls them with)
from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from runreport.logger.adapter import Adapter, callback_class, free_names

_CLASSES = {"lightning.pytorch": "Callback", "pytorch_lightning": "Callback"}


class LightningHooks(Adapter):
    """A row an epoch from ``Trainer.fit``; the final artifacts from the first ``Trainer.test`` after it.

    Takes the arguments of `runreport.logger.RunLogger`; without ``config`` the module's hyperparameters are kept. What
    the module logged in an epoch (``train_loss``, ``val_loss``, ...) becomes its columns. The learning rate is the first
    optimizer's in the epoch's last step. Where an epoch is validated several times its last validation counts.

    One process only: with more, each would see its own share of the samples, and metrics of a share are wrong.
    """

    _tested_epoch: int | None = None
    _learning_rate: float | None = None

    def __init__(self, run: str, **settings: Any) -> None:
        super().__init__(run, **settings)
        self._logged_before: dict[str, Any] = {}

    def setup(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Makes the log before the first step; ValueError where several processes train."""
        if stage != "fit":
            return
        if trainer.world_size > 1:
            raise ValueError(f"run logging sees the samples of one process of {trainer.world_size}: use devices=1")
        self.start(dict(getattr(pl_module, "hparams", {}) or {}))

    def on_train_batch_start(self, trainer: Any, pl_module: Any, batch: Any, batch_idx: int) -> None:
        """Takes the rate of the step about to be made: after it, schedulers have set the next one's."""
        groups = trainer.optimizers[0].param_groups if trainer.optimizers else ()
        self._learning_rate = float(groups[0]["lr"]) if groups else None

    def on_validation_epoch_start(self, trainer: Any, pl_module: Any) -> None:
        """A validation begins: an earlier one of this epoch no longer counts."""
        if _is_fit(trainer):
            self.logger.drop_batches()

    def on_validation_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Takes one batch of validation predictions."""
        if _is_fit(trainer):
            self._take(outputs, "validation_step", dataloader_idx)

    def on_train_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """The epoch is validated and its training loss known: writes the row."""
        numbers = free_names(self._fresh(trainer.callback_metrics))
        numbers.pop("lr", None)
        numbers.setdefault("learning_rate", self._learning_rate)
        self.logger.epoch(trainer.current_epoch + 1, **numbers)
        self._tested_epoch = trainer.current_epoch + 1

    def on_load_checkpoint(self, trainer: Any, pl_module: Any, checkpoint: Mapping[str, Any]) -> None:
        """Weights of another epoch are about to be used: remembers which."""
        if isinstance(checkpoint.get("epoch"), int):
            self._tested_epoch = checkpoint["epoch"] + 1

    def on_test_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int, dataloader_idx: int = 0
    ) -> None:
        """Takes one batch of test predictions."""
        if self._logger is not None and not self.logger.is_complete:
            self._take(outputs, "test_step", dataloader_idx)

    def on_test_epoch_end(self, trainer: Any, pl_module: Any) -> None:
        """Writes the final artifacts; a later test changes nothing of a run that is complete."""
        if self._logger is None or self.logger.is_complete:
            return
        numbers = free_names(self._fresh(trainer.callback_metrics))
        if "test_loss" in numbers:
            numbers.setdefault("loss", numbers["test_loss"])
        self.logger.final(split="test", selected_epoch=self._tested_epoch, **numbers)

    def teardown(self, trainer: Any, pl_module: Any, stage: str) -> None:
        """Training has ended: closes the history."""
        if self._logger is not None and stage == "fit":
            self.logger.close()

    def on_exception(self, trainer: Any, pl_module: Any, exception: BaseException) -> None:
        """Training broke off: what was logged stays readable, and nothing looks finished."""
        if self._logger is not None:
            self.logger.drop_batches()
            self.logger.close()

    def _fresh(self, logged: Mapping[str, Any]) -> dict[str, float]:
        """What was logged since the last call. Lightning keeps a figure until a newer one takes its place.

        A figure that is the same object as before (not merely equal) is the old one: held here, so that no new object
        can be in its place.
        """
        fresh = {name: float(value) for name, value in logged.items() if value is not self._logged_before.get(name)}
        self._logged_before = dict(logged)
        return fresh

    def _take(self, outputs: Any, step: str, dataloader_idx: int) -> None:
        if dataloader_idx > 0:
            raise ValueError(
                f"{step}: run logging takes one dataloader, found a second: their samples are not one split"
            )
        if not isinstance(outputs, Mapping) or not {"y_true", "y_pred"} <= outputs.keys():
            found = f"keys {', '.join(map(str, outputs))}" if isinstance(outputs, Mapping) else type(outputs).__name__
            raise ValueError(f"{step} returned {found}: run logging needs {{'y_true': ..., 'y_pred': ...}}")
        self.logger.batch(outputs["y_true"], outputs["y_pred"])


def _is_fit(trainer: Any) -> bool:
    """Whether this validation belongs to an epoch: not the sanity check, not ``Trainer.validate``."""
    return trainer.state.fn == "fit" and not trainer.sanity_checking


def __getattr__(name: str) -> Any:
    if name != "RunLoggerCallback":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = callback_class(LightningHooks, _CLASSES, "lightning")
    return globals()[name]
