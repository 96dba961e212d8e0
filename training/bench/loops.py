"""The loops that are timed side by side, from the same weights on the same samples."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from training.acceleration import accelerate
from training.bench.cases import BenchCase, fast_settings, preset_config
from training.bench.plain import PlainLoop
from training.config import Config
from training.data import Split
from training.environment import make_reproducible
from training.loop import Trainer
from training.model import Network, make_network
from training.objective import make_objective
from training.precision import set_matmul_precision

SEED = 20241020


@dataclass(frozen=True, slots=True, kw_only=True)
class Loop:
    """``epoch`` trains one epoch and returns its mean loss; ``settings`` is what it runs with."""

    epoch: Callable[[], float]
    settings: dict[str, Any]


def start_network(config: Config, split: Split, device: torch.device) -> Network:
    """The network that every loop starts from."""
    torch.manual_seed(SEED)
    return make_network(config, split, output_bias=make_objective(config, split.target).start(0.9)).to(device)


def make_plain(case: BenchCase, split: Split, device: torch.device, *, threads: int) -> PlainLoop:
    """The plain loop on a case."""
    config = preset_config(case, device, threads=threads)
    objective = make_objective(config, split.target.to(device))
    return PlainLoop.of(config, start_network(config, split, device), objective, split, device)


def make_trainer(config: Config, split: Split, on_device: Split, device: torch.device) -> Trainer:
    """This package's loop."""
    objective = make_objective(config, on_device.target)
    return Trainer(config, start_network(config, split, device), on_device, objective=objective)


def plain_loop(plain: PlainLoop, config: Config) -> Loop:
    """The plain loop under torch's own switches, which let cuDNN round the inputs of float32 convolutions to TF32."""

    def epoch() -> float:
        _switch(config, deterministic=False)
        torch.backends.cudnn.benchmark = False
        torch.backends.cudnn.allow_tf32 = True
        return plain.epoch()

    return Loop(epoch=epoch, settings={"precision": "fp32", "channels_last": False, "compiled": False})


def our_loop(trainer: Trainer, *, tell: Callable[[str], None]) -> Loop:
    """The trainer's loop, accelerated as its configuration asks."""
    config = trainer.config
    _switch(config, deterministic=config.deterministic)
    compiled = accelerate(trainer.model, config, trainer.trial, tell=tell)

    def epoch() -> float:
        _switch(config, deterministic=config.deterministic)
        return trainer.train_epoch(None).train_loss

    names = ("precision", "channels_last", "cuda_graphs", "deterministic")
    return Loop(epoch=epoch, settings={name: getattr(config, name) for name in names} | {"compiled": compiled})


def fast_config(config: Config, device: torch.device) -> Config:
    """The configuration with everything that makes it faster on this kind of device."""
    changed: Config = dataclasses.replace(config, **fast_settings(device))  # type: ignore[arg-type]
    return changed


def _switch(config: Config, *, deterministic: bool) -> None:
    """Torch's global switches, which the loops do not share."""
    make_reproducible(
        seed=SEED, threads=config.threads, device=torch.device(config.device), deterministic=deterministic
    )
    set_matmul_precision(config.precision)
