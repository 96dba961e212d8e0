"""What is trained in place of a run: as the report advises, and as somebody would who has read no report."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from training.config import Config
from training.config_file import parse_config

ADVICE, DEFAULT, RANDOM, RESEED = "advice", "default recipe", "random advice", "another seed"
SOURCE: dict[str, dict[str, Any]] = {
    "source: λ = 2": {"variance_lambda": 2.0, "penalty": "variance_ratio", "lambda_schedule": "constant"},
    "source: λ = 5": {"variance_lambda": 5.0, "penalty": "variance_ratio", "lambda_schedule": "constant"},
    "source: ratio floor": {"early_stopping": "floor", "ratio_floor": 0.4},
    "source: composite monitor": {"early_stopping": "composite"},
}
"""What the source analysis advises for a run whose predictions vary too little."""
CONTROLS = (DEFAULT, RANDOM, RESEED, *SOURCE)
ON_SOUND_RUNS = (ADVICE, DEFAULT, RANDOM, RESEED)
"""Arms that runs without a harmful fault are put through as well, to see what they spoil."""
SEED_STEP = 1000
"""Added to a run's seed: no other run of the suite has it."""
WARMUP_SHARE = 0.05
"""Share of the default recipe's steps that warm up."""


def default_recipe(config: Config, *, epochs: int, train_rows: int) -> Config:
    """What one would train with by habit, knowing nothing of this run but its network and its data.

    AdamW at 1e-3 with decay 0.01, batches of 32, squared error on a standardised target, no penalty, a short warm-up, a
    cosine to 0, the epoch with the best validation R², 20 epochs of patience.
    """
    batch = 32
    steps = epochs * math.ceil(train_rows / batch)
    return Config(
        run_name=config.run_name,
        seed=config.seed,
        device=config.device,
        threads=config.threads,
        data=config.data,
        model=config.model,
        hidden_size=config.hidden_size,
        hidden_layers=config.hidden_layers,
        temporal_frames=config.temporal_frames,
        motion_channel=config.motion_channel,
        max_epochs=epochs,
        batch_size=batch,
        learning_rate=1e-3,
        weight_decay=0.01,
        loss="mse",
        standardise_target=True,
        variance_lambda=None,
        schedule="cosine",
        warmup_unit="step",
        warmup_steps=max(1, round(WARMUP_SHARE * steps)),
        early_stopping="r2",
        patience=20,
        min_delta=0.0,
    )


def arms_of(
    config: Config,
    advised: Config | None,
    possible: Sequence[Mapping[str, Any]],
    rng: np.random.Generator,
    *,
    train_rows: int,
) -> dict[str, Config]:
    """Arm -> the config that it trains; an arm that changes nothing has the run's own.

    The default recipe may use as many epochs as the advised run may. ``possible`` are the patches that advice could hold
    for this run, of which the random arm takes one.
    """
    budget = max(config.max_epochs, advised.max_epochs if advised is not None else 0)
    drawn = possible[int(rng.integers(len(possible)))] if possible else {}
    return {
        ADVICE: config if advised is None else dataclasses.replace(advised, run_name=config.run_name),
        DEFAULT: default_recipe(config, epochs=budget, train_rows=train_rows),
        RANDOM: parse_config(config.to_dict() | dict(drawn)),
        RESEED: dataclasses.replace(config, seed=config.seed + SEED_STEP),
    } | {name: dataclasses.replace(config, **settings) for name, settings in SOURCE.items()}
