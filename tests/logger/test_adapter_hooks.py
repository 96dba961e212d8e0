"""The adapters' logic against small stand-ins for the libraries, in the order in which those call."""

import csv
import json
import pickle
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest

from runreport.artifacts import InputError
from runreport.logger import adapter, keras, lightning, transformers
from runreport.logger.keras import KerasHooks
from runreport.logger.lightning import LightningHooks
from runreport.logger.transformers import TransformersHooks

TRUE = np.array([1.0, 2.0, 3.0, 4.0])
PRED = np.array([1.5, 2.0, 2.5, 4.5])
R2 = 1 - 0.75 / 5  # by hand


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "run.csv").open(newline="") as file:
        return list(csv.DictReader(file))


class _Number:
    """A logged figure: an object of its own each time, as a tensor is."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __float__(self) -> float:
        return self.value


def _trainer(**settings: Any) -> SimpleNamespace:
    made = SimpleNamespace(
        world_size=1,
        sanity_checking=False,
        current_epoch=0,
        state=SimpleNamespace(fn="fit"),
        callback_metrics={},
        optimizers=[SimpleNamespace(param_groups=[{"lr": 0.1}])],
    )
    vars(made).update(settings)
    return made


def _lightning_epoch(hooks: LightningHooks, trainer: SimpleNamespace, *, validations: int = 1) -> None:
    hooks.on_train_batch_start(trainer, None, None, 0)
    trainer.optimizers[0].param_groups[0]["lr"] /= 2  # what a scheduler does after the step
    for validation in range(validations):
        hooks.on_validation_epoch_start(trainer, None)
        pred = PRED if validation == validations - 1 else PRED * 0
        for part in (slice(0, 3), slice(3, 4)):
            hooks.on_validation_batch_end(trainer, None, {"y_true": TRUE[part], "y_pred": pred[part]}, None, 0)
    trainer.callback_metrics["train_loss"] = _Number(0.5)
    hooks.on_train_epoch_end(trainer, None)
    trainer.current_epoch += 1


def test_lightning_hooks(tmp_path: Path) -> None:
    hooks, trainer = LightningHooks("run", out=tmp_path), _trainer(callback_metrics={"val_loss": _Number(0.25)})
    with pytest.raises(ValueError, match="training has not started"):
        _ = hooks.logger
    hooks.setup(trainer, SimpleNamespace(hparams={"width": 3}), "fit")
    trainer.sanity_checking = True
    hooks.on_validation_epoch_start(trainer, None)
    hooks.on_validation_batch_end(trainer, None, {}, None, 0)
    trainer.sanity_checking = False
    _lightning_epoch(hooks, trainer)
    _lightning_epoch(hooks, trainer, validations=2)
    _lightning_epoch(hooks, trainer, validations=0)
    rows = _rows(tmp_path)
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [row["r2"] for row in rows] == [repr(R2), repr(R2), ""]
    assert [row["learning_rate"] for row in rows] == ["0.1", "0.05", "0.025"]
    assert [row["val_loss"] for row in rows] == ["0.25", "", ""]  # an old figure is not logged again
    assert [row["train_loss"] for row in rows] == ["0.5"] * 3
    hooks.teardown(trainer, None, "fit")
    hooks.on_load_checkpoint(trainer, None, {"epoch": 1})
    trainer.callback_metrics["test_loss"] = _Number(0.75)
    hooks.on_test_batch_end(trainer, None, {"y_true": TRUE, "y_pred": PRED}, None, 0)
    hooks.on_test_epoch_end(trainer, None)
    document = json.loads((tmp_path / "metrics_run.json").read_text())
    assert (document["r2"], document["selected_epoch"], document["loss"]) == (R2, 2, 0.75)
    assert document["config"] == {"width": 3}
    hooks.on_test_batch_end(trainer, None, {"y_true": TRUE, "y_pred": TRUE}, None, 0)
    hooks.on_test_epoch_end(trainer, None)
    assert json.loads((tmp_path / "metrics_run.json").read_text()) == document


def test_lightning_refuses_what_it_cannot_log(tmp_path: Path) -> None:
    module = SimpleNamespace()
    with pytest.raises(ValueError, match="one process of 2: use devices=1"):
        LightningHooks("run", out=tmp_path).setup(_trainer(world_size=2), module, "fit")
    hooks, trainer = LightningHooks("run", out=tmp_path), _trainer()
    hooks.setup(trainer, module, "fit")
    with pytest.raises(InputError, match="already there"):
        LightningHooks("run", out=tmp_path).setup(trainer, module, "fit")
    with pytest.raises(ValueError, match=r"validation_step returned keys loss: run logging needs"):
        hooks.on_validation_batch_end(trainer, module, {"loss": 0.5}, None, 0)
    with pytest.raises(ValueError, match="validation_step returned NoneType"):
        hooks.on_validation_batch_end(trainer, module, None, None, 0)
    with pytest.raises(ValueError, match="one dataloader"):
        hooks.on_validation_batch_end(trainer, module, {"y_true": TRUE, "y_pred": PRED}, None, 0, dataloader_idx=1)
    hooks.on_exception(trainer, module, RuntimeError())
    assert list(tmp_path.iterdir()) == []
    LightningHooks("run", out=tmp_path).on_test_epoch_end(trainer, module)  # never trained: nothing to finish
    assert list(tmp_path.iterdir()) == []


def test_keras_hooks(tmp_path: Path) -> None:
    hooks = KerasHooks("run", out=tmp_path, validation_data=("x", TRUE[:, None]), config={"a": 1})
    asked = []

    def predict(x: object, *, batch_size: int | None, verbose: int) -> np.ndarray[Any, np.dtype[np.float64]]:
        asked.append((x, batch_size, verbose))
        return PRED[:, None]

    hooks.model = SimpleNamespace(predict=predict, optimizer=SimpleNamespace(learning_rate=0.1))
    hooks.on_train_begin()
    hooks.on_epoch_end(0, {"loss": 0.5, "mae": 0.4, "val_loss": 0.25})
    hooks.on_epoch_end(1, {"loss": 0.5, "mae": 0.4, "val_loss": 0.25, "learning_rate": 0.05})
    hooks.on_epoch_end(2, {"lr": 0.025})
    hooks.on_train_end()
    rows = _rows(tmp_path)
    assert asked == [("x", None, 0)] * 3
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    assert [row["learning_rate"] for row in rows] == ["0.1", "0.05", "0.025"]
    assert (rows[0]["train_loss"], rows[0]["train_mae"], rows[0]["val_loss"]) == ("0.5", "0.4", "0.25")
    assert (float(rows[0]["r2"]), float(rows[0]["mae"])) == (R2, 0.375)
    assert hooks.logger.final(y_true=TRUE, y_pred=PRED, selected_epoch=2)["config"] == {"a": 1}


def _evaluated(pred: Any, true: Any = TRUE) -> SimpleNamespace:
    return SimpleNamespace(predictions=pred, label_ids=true)


def test_transformers_hooks(tmp_path: Path) -> None:
    hooks = TransformersHooks("run", out=tmp_path)
    args = SimpleNamespace(to_dict=lambda: {"seed": 5}, load_best_model_at_end=True)
    state = SimpleNamespace(is_world_process_zero=True, global_step=0, epoch=0.0, log_history=[], best_global_step=4)
    hooks.compute_metrics(_evaluated(PRED))
    hooks.on_evaluate(args, state, None, metrics={"eval_loss": 9.0})  # before training: not a row
    hooks.on_train_begin(args, state, None)
    state.log_history = [
        {"loss": 1.0, "step": 1, "learning_rate": 0.1},
        {"loss": 0.25, "step": 4, "learning_rate": 0.05},
    ]
    state.global_step, state.epoch = 4, 1.0
    scores = hooks.compute_metrics(_evaluated((PRED[:, None], "hidden states")))
    assert scores["r2"] == R2
    assert scores["mae"] == 0.375
    hooks.on_evaluate(args, state, None, metrics={"eval_loss": 0.5})
    state.log_history = [*state.log_history, {"eval_loss": 0.5, "step": 4}]
    state.global_step, state.epoch = 8, 2.0
    assert "pearson_r" not in hooks.compute_metrics(_evaluated(PRED * 0))  # undefined: the Trainer gets no NaN
    hooks.on_evaluate(args, state, None, metrics={"eval_loss": 0.75})
    hooks.compute_metrics(_evaluated(PRED))
    with pytest.raises(ValueError, match="second evaluation at step 8"):
        hooks.on_evaluate(args, state, None, metrics={"eval_other_loss": 0.75})
    state.global_step = 12
    with pytest.raises(ValueError, match=r"compute_metrics=callback\.compute_metrics"):
        hooks.on_evaluate(args, state, None, metrics={"eval_loss": 0.75})
    hooks.on_train_end(args, state, None)
    rows = _rows(tmp_path)
    assert [row["train_loss"] for row in rows] == [repr((1 * 1.0 + 3 * 0.25) / 4), ""]
    assert [row["learning_rate"] for row in rows] == ["0.05", ""]
    assert [row["trained_epochs"] for row in rows] == ["1.0", "2.0"]
    hooks.compute_metrics(_evaluated(PRED))
    hooks.on_predict(args, state, None, {"test_loss": 0.125})
    document = json.loads((tmp_path / "metrics_run.json").read_text())
    assert (document["r2"], document["selected_epoch"], document["seed"], document["loss"]) == (R2, 1, 5, 0.125)
    hooks.compute_metrics(_evaluated(TRUE))
    hooks.on_predict(args, state, None, {})
    assert json.loads((tmp_path / "metrics_run.json").read_text()) == document


def test_transformers_writes_in_the_first_process_only(tmp_path: Path) -> None:
    hooks = TransformersHooks("run", out=tmp_path)
    args = SimpleNamespace(to_dict=dict, load_best_model_at_end=False)
    state = SimpleNamespace(is_world_process_zero=False, global_step=4, log_history=[])
    hooks.on_train_begin(args, state, None)
    hooks.compute_metrics(_evaluated(PRED))
    hooks.on_evaluate(args, state, None, metrics={})
    hooks.on_train_end(args, state, None)
    hooks.compute_metrics(_evaluated(PRED))
    hooks.on_predict(args, state, None, {})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("module", "library", "base"),
    [
        (lightning, "lightning.pytorch", "Callback"),
        (keras, "keras.callbacks", "Callback"),
        (transformers, "transformers", "TrainerCallback"),
    ],
)
def test_the_callback_is_the_librarys_own(
    monkeypatch: pytest.MonkeyPatch, module: ModuleType, library: str, base: str
) -> None:
    for name in ("lightning.pytorch", "pytorch_lightning"):
        monkeypatch.delitem(sys.modules, name, raising=False)
    fake = ModuleType(library)
    setattr(fake, base, type(base, (), {}))
    monkeypatch.setitem(sys.modules, library, fake)
    monkeypatch.delitem(vars(module), "RunLoggerCallback", raising=False)
    made = module.RunLoggerCallback
    try:
        assert issubclass(made, getattr(fake, base))
        assert made is module.RunLoggerCallback
        assert pickle.loads(pickle.dumps(made)) is made
    finally:
        del module.RunLoggerCallback
    with pytest.raises(AttributeError, match="no attribute 'Other'"):
        _ = module.Other


def test_a_library_that_is_not_installed_is_named() -> None:
    with pytest.raises(ImportError, match=r"needs no_such_library_a or no_such_library_b: pip install something"):
        adapter.callback_class(
            LightningHooks, {"no_such_library_a": "Callback", "no_such_library_b": "Callback"}, "something"
        )
