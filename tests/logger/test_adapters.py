"""The adapters with the real libraries; each test is skipped where its library is not installed.

What the figures should be is recomputed from the trained model itself, outside of its library's loop.
"""

import csv
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.metrics
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

# Warnings of the libraries are theirs to mend, and change with their versions.
pytestmark = [pytest.mark.filterwarnings("ignore"), pytest.mark.slow]
OPTIONAL = "an optional library; the adapters' own logic is tested against stand-ins elsewhere"


def _data(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, 3)).astype(np.float32)
    y = (x @ np.array([1.0, -0.5, 0.25]) + 0.3 * rng.normal(size=n) + 0.5).astype(np.float32)
    return x, y[:, None]


TRAIN, VAL, TEST = _data(64, 1), _data(30, 2), _data(25, 3)


def _rows(folder: Path, run: str) -> list[dict[str, str]]:
    with (folder / f"{run}.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def _metrics(folder: Path, run: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"metrics_{run}.json").read_text())
    return found


def _loader(data: tuple[np.ndarray, np.ndarray], batch: int) -> DataLoader[tuple[torch.Tensor, ...]]:
    return DataLoader(TensorDataset(torch.from_numpy(data[0]), torch.from_numpy(data[1])), batch_size=batch)


def _lightning_module(base: Any) -> Any:
    class Module(base):  # type: ignore[misc]
        def __init__(self, width: int = 3) -> None:
            super().__init__()
            self.save_hyperparameters()
            self.net = nn.Linear(width, 1)
            self.val_r2: list[float] = []
            self._seen: list[tuple[torch.Tensor, torch.Tensor]] = []

        def training_step(self, batch: Any, batch_idx: int) -> torch.Tensor:
            loss = nn.functional.mse_loss(self.net(batch[0]), batch[1])
            self.log("train_loss", loss, on_step=False, on_epoch=True)
            self.log("train_worst", loss, on_step=False, on_epoch=True, reduce_fx="max")
            self.log("constant", 0.5, on_step=False, on_epoch=True)
            return loss

        def validation_step(self, batch: Any, batch_idx: int) -> dict[str, torch.Tensor]:
            pred = self.net(batch[0])
            self.log("val_loss", nn.functional.mse_loss(pred, batch[1]))
            self.log("mae", (pred - batch[1]).abs().mean())
            self._seen.append((batch[1], pred))
            return {"y_true": batch[1], "y_pred": pred}

        def on_validation_epoch_end(self) -> None:
            true, pred = (torch.cat(part).numpy() for part in zip(*self._seen, strict=True))
            self._seen.clear()
            if not self.trainer.sanity_checking:
                self.val_r2.append(sklearn.metrics.r2_score(true, pred))

        def test_step(self, batch: Any, batch_idx: int) -> dict[str, torch.Tensor]:
            pred = self.net(batch[0])
            self.log("test_loss", nn.functional.mse_loss(pred, batch[1]))
            return {"y_true": batch[1], "y_pred": pred}

        def configure_optimizers(self) -> Any:
            optimizer = torch.optim.SGD(self.parameters(), lr=0.1)
            return [optimizer], [torch.optim.lr_scheduler.StepLR(optimizer, 1, gamma=0.5)]

    return Module()


def _lightning_trainer(package: Any, folder: Path, callbacks: list[Any], **settings: Any) -> Any:
    return package.Trainer(
        accelerator="cpu", logger=False, enable_progress_bar=False, enable_model_summary=False,
        default_root_dir=folder, callbacks=callbacks, **settings,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["lightning.pytorch", "pytorch_lightning"])
def test_lightning(tmp_path: Path, name: str) -> None:
    package = pytest.importorskip(name, reason=OPTIONAL)
    from runreport.logger.lightning import RunLoggerCallback

    torch.manual_seed(0)
    module = _lightning_module(package.LightningModule)
    callback = RunLoggerCallback("run", out=tmp_path / "csv", keep_predictions=True)
    best = package.callbacks.ModelCheckpoint(dirpath=tmp_path, monitor="val_loss", mode="max")  # picks an early epoch
    trainer = _lightning_trainer(package, tmp_path, [callback, best], max_epochs=4)
    trainer.fit(module, _loader(TRAIN, 16), _loader(VAL, 7))
    rows = _rows(tmp_path / "csv", "run")
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [float(row["r2"]) for row in rows] == pytest.approx(module.val_r2, rel=1e-6)
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([0.1, 0.05, 0.025, 0.0125])
    true, pred = VAL[1], module.net(torch.from_numpy(VAL[0])).detach().numpy()
    assert float(rows[-1]["val_loss"]) == pytest.approx(sklearn.metrics.mean_squared_error(true, pred), rel=1e-5)
    assert float(rows[-1]["mae"]) == pytest.approx(sklearn.metrics.mean_absolute_error(true, pred), rel=1e-5)
    assert all(row["train_loss"] and row["logged_mae"] for row in rows)
    assert not (tmp_path / "csv" / "metrics_run.json").exists()
    val_loss = [float(row["val_loss"]) for row in rows]
    trainer.test(module, _loader(TEST, 10), ckpt_path="best", verbose=False)
    document = _metrics(tmp_path / "csv", "run")
    assert document["selected_epoch"] == val_loss.index(max(val_loss)) + 1 == 1
    pred = module.net(torch.from_numpy(TEST[0])).detach().numpy()  # the best weights are loaded now
    assert document["r2"] == pytest.approx(sklearn.metrics.r2_score(TEST[1], pred), rel=1e-6)
    assert document["loss"] == pytest.approx(sklearn.metrics.mean_squared_error(TEST[1], pred), rel=1e-5)
    assert document["config"] == {"width": 3}
    assert document["splits"]["val"]["n"] == 30
    trainer.validate(module, _loader(VAL, 7), verbose=False)
    trainer.test(module, _loader(TEST, 10), verbose=False)
    assert _metrics(tmp_path / "csv", "run") == document
    assert len(_rows(tmp_path / "csv", "run")) == 4


def test_lightning_without_a_checkpoint_tests_the_last_epoch_and_skips_unvalidated_ones(tmp_path: Path) -> None:
    package = pytest.importorskip("lightning.pytorch", reason=OPTIONAL)
    from runreport.logger.lightning import RunLoggerCallback

    module = _lightning_module(package.LightningModule)
    callback = RunLoggerCallback("run", out=tmp_path, config={"a": 1})
    trainer = _lightning_trainer(
        package, tmp_path, [callback], max_epochs=4, check_val_every_n_epoch=2, enable_checkpointing=False
    )
    trainer.fit(module, _loader(TRAIN, 16), _loader(VAL, 7))
    rows = _rows(tmp_path, "run")
    assert [bool(row["r2"]) for row in rows] == [False, True, False, True]
    assert [bool(row["val_loss"]) for row in rows] == [False, True, False, True]
    assert all(float(row["train_worst"]) >= float(row["train_loss"]) for row in rows)
    assert [row["constant"] for row in rows] == ["0.5"] * 4
    trainer.test(module, _loader(TEST, 10), verbose=False)
    assert (_metrics(tmp_path, "run")["selected_epoch"], _metrics(tmp_path, "run")["config"]) == (4, {"a": 1})


def test_lightning_interrupted(tmp_path: Path) -> None:
    package = pytest.importorskip("lightning.pytorch", reason=OPTIONAL)
    from runreport.logger.lightning import RunLoggerCallback

    module = _lightning_module(package.LightningModule)

    callbacks: Any = package.callbacks

    class Breaks(callbacks.Callback):  # type: ignore[misc]
        def on_train_epoch_start(self, trainer: Any, pl_module: Any) -> None:
            if trainer.current_epoch == 2:
                raise RuntimeError("out of memory")

    callback = RunLoggerCallback("run", out=tmp_path)
    trainer = _lightning_trainer(package, tmp_path, [callback, Breaks()], max_epochs=4, enable_checkpointing=False)
    with pytest.raises(RuntimeError, match="out of memory"):
        trainer.fit(module, _loader(TRAIN, 16), _loader(VAL, 7))
    assert [path.name for path in tmp_path.iterdir()] == ["run.csv"]
    assert len(_rows(tmp_path, "run")) == 2


def test_keras(tmp_path: Path) -> None:
    os.environ.setdefault("KERAS_BACKEND", "torch")
    keras = pytest.importorskip("keras", reason=OPTIONAL)
    from runreport.logger.keras import RunLoggerCallback

    keras.utils.set_random_seed(0)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(optimizer=keras.optimizers.SGD(0.1), loss="mse", metrics=["mae"])
    callback = RunLoggerCallback("run", out=tmp_path, validation_data=VAL, config={"seed": 0}, keep_predictions=True)
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate if epoch == 0 else rate / 2)
    shown = model.fit(
        *TRAIN, validation_data=VAL, epochs=3, batch_size=16, verbose=0, callbacks=[halve, callback]
    ).history
    rows = _rows(tmp_path, "run")
    assert [row["epoch"] for row in rows] == ["1", "2", "3"]
    for column, logged in {
        "train_loss": "loss", "val_loss": "val_loss", "mae": "val_mae", "train_mae": "mae", "val_mae": "val_mae",
    }.items():  # fmt: skip
        assert [float(row[column]) for row in rows] == pytest.approx(shown[logged], rel=1e-5)
    assert [float(row["learning_rate"]) for row in rows] == pytest.approx([0.1, 0.05, 0.025])
    pred = model.predict(VAL[0], verbose=0)
    assert float(rows[-1]["r2"]) == pytest.approx(sklearn.metrics.r2_score(VAL[1], pred), rel=1e-6)
    callback.logger.final(y_true=TEST[1], y_pred=model.predict(TEST[0], verbose=0), selected_epoch=3)
    document = _metrics(tmp_path, "run")
    assert document["num_samples"] == 25
    assert document["versions"]["keras"] == keras.__version__
    assert (tmp_path / "epoch_predictions_run.parquet").exists()


class _Rows(torch.utils.data.Dataset[dict[str, torch.Tensor]]):
    def __init__(self, data: tuple[np.ndarray, np.ndarray]) -> None:
        self.x, self.y = (torch.from_numpy(part) for part in data)

    def __len__(self) -> int:
        return len(self.x)

    def __getitem__(self, index: int) -> dict[str, torch.Tensor]:
        return {"x": self.x[index], "labels": self.y[index]}


class _Linear(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.net = nn.Linear(3, 1)

    def forward(self, x: torch.Tensor, labels: torch.Tensor) -> dict[str, torch.Tensor]:
        pred = self.net(x)
        return {"loss": nn.functional.mse_loss(pred, labels), "logits": pred}


def test_transformers(tmp_path: Path) -> None:
    transformers = pytest.importorskip("transformers", reason=OPTIONAL)
    pytest.importorskip("accelerate", reason="transformers' Trainer needs it")
    from runreport.logger.transformers import RunLoggerCallback

    args = transformers.TrainingArguments(
        output_dir=str(tmp_path / "out"), num_train_epochs=4, per_device_train_batch_size=16, learning_rate=0.1,
        eval_strategy="epoch", logging_strategy="steps", logging_steps=2, save_strategy="epoch", report_to=[],
        load_best_model_at_end=True, metric_for_best_model="r2", greater_is_better=True, use_cpu=True, seed=5,
        disable_tqdm=True, lr_scheduler_type="linear", optim="sgd",
    )  # fmt: skip
    transformers.set_seed(5)
    callback = RunLoggerCallback("run", out=tmp_path / "csv", keep_predictions=True)
    trainer = transformers.Trainer(
        model=_Linear(), args=args, train_dataset=_Rows(TRAIN), eval_dataset=_Rows(VAL), callbacks=[callback],
        compute_metrics=callback.compute_metrics,
    )  # fmt: skip
    trainer.evaluate()  # before training: not a row
    trainer.train()
    rows = _rows(tmp_path / "csv", "run")
    logged = [entry for entry in trainer.state.log_history if "eval_r2" in entry and entry["step"] > 0]
    assert [row["epoch"] for row in rows] == ["1", "2", "3", "4"]
    assert [float(row["trained_epochs"]) for row in rows] == [1.0, 2.0, 3.0, 4.0]
    assert [float(row["r2"]) for row in rows] == pytest.approx([entry["eval_r2"] for entry in logged])
    assert [float(row["val_loss"]) for row in rows] == pytest.approx([entry["eval_loss"] for entry in logged])
    losses = [entry["loss"] for entry in trainer.state.log_history if "loss" in entry]
    assert len(losses) == 8  # two an epoch of four steps
    assert [float(row["train_loss"]) for row in rows] == pytest.approx(np.reshape(losses, (4, 2)).mean(axis=1))
    rates = [float(row["learning_rate"]) for row in rows]
    assert rates == sorted(rates, reverse=True)
    assert all(row["grad_norm"] for row in rows)
    trainer.predict(_Rows(TEST))
    document = _metrics(tmp_path / "csv", "run")
    scores = [float(row["r2"]) for row in rows]
    assert document["selected_epoch"] == scores.index(max(scores)) + 1
    pred = trainer.model.net(torch.from_numpy(TEST[0])).detach().numpy()
    assert document["r2"] == pytest.approx(sklearn.metrics.r2_score(TEST[1], pred), rel=1e-5)
    assert document["loss"] == pytest.approx(sklearn.metrics.mean_squared_error(TEST[1], pred), rel=1e-5)
    assert document["seed"] == document["config"]["seed"] == 5
    trainer.predict(_Rows(VAL))
    assert _metrics(tmp_path / "csv", "run") == document
