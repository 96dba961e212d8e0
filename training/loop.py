"""One epoch of training, and evaluation."""

from __future__ import annotations

import math
import time
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from training.augmentation import mirror_randomly
from training.c_mixup import draw_mixture
from training.config import Config
from training.data import Split
from training.diagnostics import GradientNorms, Norms, weight_norm
from training.distributed import ALONE, World
from training.lambdas import LambdaSchedule, make_lambda_schedule
from training.model import Network
from training.objective import Objective, make_objective
from training.precision import Precision
from training.schedules import Schedule, make_schedule
from training.standardisation import TargetScale

EVALUATION_BATCH = {"cpu": 32, "cuda": 256}
"""Samples at a time by kind of device; evaluation is per sample. On a CPU a small batch's maps stay in the caches: 32 takes
as little as half the time of 256 (measured at 48 × 48 and 110 × 160)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult:
    """What one epoch of training leaves to be logged. ``train_loss`` is the mean over samples, penalty included.

    ``penalty_weight`` is the λ that the epoch was trained with, 0 without a penalty. ``weight_norm`` is the L2 norm of all
    weights after the epoch; ``samples_per_second`` counts training alone, no evaluation.
    """

    train_loss: float
    penalty_weight: float
    learning_rate: float
    norms: Norms
    weight_norm: float
    samples_per_second: float


class Trainer:
    """A network with its optimizer, schedule and order of batches.

    In a ``world`` of several processes all of them hold the same order of batches and each runs its share of a batch.
    """

    def __init__(
        self,
        config: Config,
        model: Network,
        split: Split,
        *,
        objective: Objective | None = None,
        world: World = ALONE,
    ) -> None:
        self.config = config
        self.model = model
        self.split = split
        self.world = world
        self.objective = objective or make_objective(config, split.target)
        self.lambdas: LambdaSchedule = make_lambda_schedule(config)
        self._mixing_width = config.c_mixup_bandwidth * TargetScale.of(split.target).std
        self.steps_per_epoch = math.ceil(len(split) / config.batch_size)
        self.schedule: Schedule = make_schedule(config, steps_per_epoch=self.steps_per_epoch)
        device = split.target.device
        self.precision = Precision(config.precision, device)
        # Fused on CUDA: one kernel, and it takes an fp16 scale without asking the device. Not on the CPU: other sums.
        self.optimizer = torch.optim.AdamW(
            model.parameters(),
            lr=config.learning_rate,
            weight_decay=config.weight_decay,
            fused=True if device.type == "cuda" else None,
        )
        self._parameters = list(model.parameters())
        # On the CPU, so that the order of batches is the same on every kind of device.
        self._order = torch.Generator().manual_seed(config.seed)

    def train_epoch(self, weights: Tensor | None) -> EpochResult:
        """One pass over the training split in random order. ``weights``: (n,) on the split's device, or None.

        The device is waited for once, at the end.
        """
        start = time.perf_counter()
        self.model.train()
        norms = GradientNorms(every=self.config.gradient_every, total_over_ranks=self.world.sum)
        device = self.split.target.device
        loss_sum = torch.zeros((), device=device)
        rate = self.schedule.rate()
        order = torch.randperm(len(self.split), generator=self._order).to(device)
        for batch in torch.split(order, self.config.batch_size):
            rate = self.schedule.rate()
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            loss_sum += self._step(batch, weights, norms) * len(batch)
            self.schedule.after_step()
        train_loss = float(loss_sum) / len(self.split)
        seconds = time.perf_counter() - start
        penalty_weight = self.lambdas.weight() if self.objective.penalty is not None else 0.0
        self.lambdas.after_epoch(base_norm=norms.mean("base"), penalty_norm=norms.mean("penalty"))
        return EpochResult(
            train_loss=train_loss,
            penalty_weight=penalty_weight,
            learning_rate=rate,
            norms=norms,
            weight_norm=float(weight_norm(self._parameters)),
            samples_per_second=len(self.split) / seconds,
        )

    def _step(self, batch: Tensor, weights: Tensor | None, norms: GradientNorms) -> Tensor:
        """One step on the samples that ``batch`` (on the split's device) indexes; the loss, detached."""
        split, objective = self.split, self.objective
        frames, angles, y_true = split.frames[batch], split.angles[batch], split.target[batch]
        if self.config.augment:
            frames, angles = mirror_randomly(frames, angles, self._order)
        own_weights = None if weights is None else weights[batch]
        if self.config.c_mixup_alpha > 0:
            mixture = draw_mixture(
                y_true, alpha=self.config.c_mixup_alpha, bandwidth=self._mixing_width, generator=self._order
            )
            frames, angles, y_true = mixture.mixed(frames), mixture.mixed_angles(angles), mixture.mixed(y_true)
            own_weights = None if own_weights is None else mixture.mixed(own_weights)
        outputs = self._forward(frames, angles)
        base = objective.base_loss(outputs, y_true, own_weights)
        penalty = objective.penalty_loss(outputs, y_true)
        if penalty is not None:
            penalty = self.lambdas.weight() * penalty
        loss = base if penalty is None else base + penalty
        self.optimizer.zero_grad(set_to_none=True)
        norms.measure(base, penalty, self.model.output.weight)
        torch.autograd.backward(self.precision.scaled(loss))
        self.world.sum_gradients(self._parameters)
        norms.add_total(self.precision.step(self.optimizer, self._parameters, self.config.gradient_clip))
        return loss.detach()

    def _forward(self, frames: Tensor, angles: Tensor) -> Tensor:
        """Predictions for the whole batch in float32; those of other ranks carry no gradient."""
        start, end = self.world.bounds(len(frames))
        # A rank without a sample, as in a last batch of one, still runs one and drops its prediction.
        own = slice(start, end) if end > start else slice(0, 1)
        with self.precision.autocast():
            y_pred: Tensor = self.model(frames[own], angles[own])
        return self.world.gather(y_pred.float()[: end - start], len(frames))

    def predict(self, split: Split) -> Tensor:
        """Outputs for a whole split, see :func:`predict`, in the run's precision and shared between its processes."""
        return predict(self.model, split, precision=self.precision, world=self.world)

    def trial(self) -> Tensor:
        """Outputs for the first batch, with gradients: what this process computes in a step of full size."""
        self.model.train()
        count = min(self.config.batch_size, len(self.split))
        start, end = self.world.bounds(count)
        own = slice(start, max(end, start + 1))
        with self.precision.autocast():
            outputs: Tensor = self.model(self.split.frames[own], self.split.angles[own])
        return outputs

    def state_dict(self) -> dict[str, Any]:
        """Weights, optimizer, loss scale and the generator of the order, for ``load_state_dict``.

        The schedule is not in it: it follows from the epochs that ended, see :meth:`follow`.
        """
        scaler = self.precision.scaler
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": None if scaler is None else scaler.state_dict(),
            "order": self._order.get_state(),
            "lambdas": self.lambdas.state(),
        }

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Carries on where ``state_dict`` was taken."""
        self.model.load_state_dict(state["model"])
        self.optimizer.load_state_dict(state["optimizer"])
        if self.precision.scaler is not None:
            self.precision.scaler.load_state_dict(state["scaler"])
        self._order.set_state(state["order"].cpu())
        self.lambdas.restore(state["lambdas"])

    def follow(self, val_loss: float) -> None:
        """Takes the schedule through one epoch that was trained before, and ended with this validation loss."""
        for _ in range(self.steps_per_epoch):
            self.schedule.after_step()
        self.schedule.after_epoch(val_loss)


@torch.inference_mode()
def predict(model: Network, split: Split, *, precision: Precision | None = None, world: World = ALONE) -> Tensor:
    """Outputs for a whole split in evaluation mode, float32, on the split's device, the same on every rank.

    (n,), or (n, K) where the loss needs K outputs; ``Objective.point`` makes predictions in target units of them.
    """
    model.eval()
    start, end = world.bounds(len(split))
    device = split.target.device
    # A rank without a sample still runs one and drops its prediction.
    own = torch.arange(start, end, device=device) if end > start else split.target.new_zeros(1).long()
    with nullcontext() if precision is None else precision.autocast():
        y_pred = torch.cat(
            [model(split.frames[part], split.angles[part]) for part in torch.split(own, EVALUATION_BATCH[device.type])]
        )
    return world.gather(y_pred.float()[: end - start], len(split))
