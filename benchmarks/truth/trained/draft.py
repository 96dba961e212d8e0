"""A run before it is trained, and the sound way to train it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from benchmarks.truth.trained.tables import data_config
from training.config import Config
from training.data import Dataset
from training.ensemble import Member, Trained
from training.model import Network

Written = Callable[[Trained], Trained]
"""What happens to a run between training and what is written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """Settings, data, what is done to the network before training and to the predictions before they are written.

    ``start`` must tell all that decides it in its ``repr``, by which a stored run is found again.
    """

    config: Config
    dataset: Dataset
    start: Callable[[Network], None] | None = None
    written: tuple[Written, ...] = ()

    @property
    def member(self) -> Member:
        """The run as an ensemble takes it."""
        return Member(config=self.config, dataset=self.dataset, start=self.start)

    def finished(self, trained: Trained) -> Trained:
        """The trained run as it is written."""
        for change in self.written:
            trained = change(trained)
        return trained


def healthy_config(rng: np.random.Generator, table: str, seed: int, *, train_rows: int) -> Config:
    """Settings under which the tables are learned and the best epoch is kept; what else is common practice varies."""
    batch = 16 if table == "wine" else 32
    steps = int(rng.integers(450, 900))
    return Config(
        train_metrics_every=1,
        run_name="draft",
        device="cpu",
        threads=1,
        model="mlp",
        hidden_size=32,
        standardise_target=True,
        batch_size=batch,
        max_epochs=max(30, round(steps / np.ceil(train_rows / batch))),
        learning_rate=float(np.exp(rng.uniform(np.log(1e-3), np.log(4e-3)))),
        weight_decay=float(np.exp(rng.uniform(np.log(0.01), np.log(0.1)))),
        loss=str(rng.choice(["mse", "huber"])),
        schedule=str(rng.choice(["cosine", "warmup_plateau"])),
        warmup_steps=int(rng.integers(10, 41)),
        early_stopping=str(rng.choice(["r2", "val_loss"])),
        patience=int(rng.integers(15, 26)),
        data=data_config(table, seed),
    )
