"""An ensemble's members against the same runs trained alone, and AdamW against torch's own."""

from __future__ import annotations

import csv
import dataclasses
import math
from pathlib import Path

import pytest
import torch

from training.config import Config, DataConfig
from training.data import Dataset, load_dataset
from training.ensemble import Member, Trained, train_together
from training.ensemble.adamw import StackedAdamW
from training.errors import ConfigError
from training.places import Places
from training.run import run_training

SAME = 2e-4
"""Relative difference that rounding may grow to within a few epochs; another order of batches gives 1e-1."""
COLUMNS = (
    "train_loss", "val_loss", "base_loss", "penalty_loss", "r2", "pearson_r", "train_r2", "learning_rate",
    "variance_lambda", "grad_norm_base", "grad_norm_penalty", "grad_norm_total", "grad_norm_ratio", "weight_norm",
)  # fmt: skip


def config(seed: int, **settings: object) -> Config:
    base = Config(
        run_name=f"member{seed}", seed=seed, device="cpu", threads=1, max_epochs=5, model="mlp", hidden_size=16,
        data=DataConfig(kind="diabetes", split="random"), standardise_target=True, learning_rate=2e-3, warmup_steps=20,
    )  # fmt: skip
    return dataclasses.replace(base, **settings)  # type: ignore[arg-type]


CONFIGS = (
    config(0),
    config(1, variance_lambda=0.5, learning_rate=5e-3),
    config(2, variance_lambda=2.0, penalty="kl_moments", loss="mse", lambda_schedule="gradient_balanced"),
    config(3, loss="ccc", weight_decay=0.5),
    config(4, loss="mse", gradient_clip=None, warmup_unit="epoch", early_stopping="val_loss"),
    config(5, loss="huber", huber_delta=0.1, schedule="cosine", recalibrate="apply", output_init_bias="train_mean"),
    config(6, loss="huber", variance_lambda=0.5, standardise_target=False, patience=2, max_epochs=4),
)


@pytest.fixture(scope="module")
def diabetes() -> Dataset:
    return load_dataset(CONFIGS[0], torch.device("cpu"))


@pytest.fixture(scope="module")
def together(diabetes: Dataset) -> list[Trained]:
    return train_together([Member(config=c, dataset=diabetes) for c in CONFIGS])


@pytest.mark.slow
@pytest.mark.parametrize("which", range(len(CONFIGS)))
def test_a_member_is_the_run_alone(which: int, together: list[Trained], tmp_path: Path) -> None:
    member, trained = CONFIGS[which], together[which]
    metrics = run_training(member, Places.of(member.run_name, out=tmp_path))
    with (tmp_path / "csv" / f"{member.run_name}.csv").open() as file:
        alone = list(csv.DictReader(file))
    assert len(alone) == len(trained.rows)
    for one, row in zip(alone, trained.rows, strict=True):
        for name in COLUMNS:
            value = row[name]
            assert one[name] == "" if value is None else float(one[name]) == pytest.approx(value, rel=SAME, abs=1e-5), (
                name
            )
    assert trained.selected_epoch == metrics["selected_epoch"]
    assert trained.stopped_because == metrics["stopped_because"]
    assert trained.test_loss == pytest.approx(metrics["loss"], rel=SAME)
    assert float(trained.test_pred.double().mean()) == pytest.approx(metrics["pred_mean"], rel=SAME)


def test_members_keep_data_of_their_own(diabetes: Dataset) -> None:
    shuffled = dataclasses.replace(diabetes.train, target=diabetes.train.target.flip(0))
    other = dataclasses.replace(diabetes, train=shuffled)
    mixed = train_together([Member(config=config(0), dataset=diabetes), Member(config=config(0), dataset=other)])
    (alone,) = train_together([Member(config=config(0), dataset=diabetes)])
    assert mixed[0].rows[-1]["r2"] == pytest.approx(alone.rows[-1]["r2"], rel=SAME)
    assert mixed[1].rows[-1]["r2"] != pytest.approx(alone.rows[-1]["r2"], abs=0.05)


def test_one_that_diverges_takes_nobody_along(diabetes: Dataset) -> None:
    bad = dataclasses.replace(
        diabetes, train=dataclasses.replace(diabetes.train, target=diabetes.train.target * math.nan)
    )
    calm = config(0)
    settings = config(1, standardise_target=False)
    alone, diverged = train_together([Member(config=calm, dataset=diabetes), Member(config=settings, dataset=bad)])
    (reference,) = train_together([Member(config=calm, dataset=diabetes)])
    assert diverged.stopped_because == "not_finite"
    assert len(diverged.rows) == 1
    assert alone.rows[-1]["r2"] == pytest.approx(reference.rows[-1]["r2"], rel=SAME)
    assert len(alone.rows) == calm.max_epochs


def test_members_that_stop_leave_the_others_as_they_were(diabetes: Dataset) -> None:
    # Three of four stop after two epochs, so the stack is made smaller under the one that goes on.
    short = [config(seed, max_epochs=2) for seed in (1, 2, 3)]
    trained = train_together([Member(config=c, dataset=diabetes) for c in (*short, config(0))])
    (alone,) = train_together([Member(config=config(0), dataset=diabetes)])
    assert [len(t.rows) for t in trained] == [2, 2, 2, 5]
    assert trained[3].rows[-1]["r2"] == pytest.approx(alone.rows[-1]["r2"], rel=SAME)
    assert torch.allclose(trained[3].test_pred, alone.test_pred, rtol=SAME)


def test_stacked_adamw_is_torchs() -> None:
    generator = torch.Generator().manual_seed(3)
    start = torch.randn(3, 4, 2, generator=generator)
    rates, decays, clips = (1e-2, 1e-3, 5e-2), (0.0, 0.1, 0.5), (math.inf, 0.5, 1.0)
    stacked = {"w": start.clone()}
    ours = StackedAdamW(stacked, decay=torch.tensor(decays), clip=torch.tensor(clips))
    theirs = [torch.nn.Parameter(start[m].clone()) for m in range(3)]
    optimizers = [torch.optim.AdamW([p], lr=r, weight_decay=d) for p, r, d in zip(theirs, rates, decays, strict=True)]
    for _ in range(5):
        gradient = torch.randn(3, 4, 2, generator=generator)
        norms = ours.step({"w": gradient}, torch.tensor(rates))
        for m, optimizer in enumerate(optimizers):
            theirs[m].grad = gradient[m].clone()
            norm = torch.nn.utils.clip_grad_norm_([theirs[m]], clips[m])
            assert float(norms[m]) == pytest.approx(float(norm), rel=1e-6)
            optimizer.step()
    assert torch.allclose(stacked["w"], torch.stack([p.detach() for p in theirs]), rtol=1e-5, atol=1e-7)


@pytest.mark.parametrize(
    ("settings", "word"),
    [({"augment": True}, "augment"), ({"hidden_size": 8}, "hidden_size"), ({"precision": "bf16"}, "precision")],
)
def test_what_does_not_stack_is_refused(diabetes: Dataset, settings: dict[str, object], word: str) -> None:
    members = [Member(config=config(0), dataset=diabetes), Member(config=config(1, **settings), dataset=diabetes)]
    with pytest.raises(ConfigError, match=f"member1: {word}"):
        train_together(members)


def test_none_is_refused() -> None:
    with pytest.raises(ConfigError, match="no members"):
        train_together([])
