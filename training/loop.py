"""One epoch of training, and evaluation."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from training.augmentation import mirror_randomly
from training.config import Config
from training.data import Split
from training.diagnostics import GradientNorms
from training.losses import SampleLoss, make_loss, weighted_mean
from training.model import HeightNetwork
from training.penalties import BatchPenalty, make_penalty
from training.schedules import Schedule, make_schedule

EVALUATION_BATCH = 256  # bounds memory only: evaluation is per sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What is minimised: the base loss of each sample, plus ``weight`` times a penalty on the batch."""

    sample_loss: SampleLoss
    penalty: BatchPenalty | None
    weight: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EpochResult:
    """What one epoch of training leaves to be logged. ``train_loss`` is the mean over samples, penalty included."""

    train_loss: float
    learning_rate: float
    norms: GradientNorms


@dataclass(frozen=True, slots=True, kw_only=True)
class SplitLosses:
    """Losses of a whole split: ``total = base + weight·penalty``; ``penalty`` before its weight, None without one."""

    base: float
    penalty: float | None
    total: float


class Trainer:
    """A network with its optimizer, schedule and order of batches."""

    def __init__(self, config: Config, model: HeightNetwork, split: Split) -> None:
        self.config = config
        self.model = model
        self.split = split
        self.objective = Objective(
            sample_loss=make_loss(config), penalty=make_penalty(config), weight=config.penalty_weight
        )
        self.schedule: Schedule = make_schedule(config)
        self.optimizer = torch.optim.AdamW(
            model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        # On the CPU, so that the order of batches is the same on every kind of device.
        self._order = torch.Generator().manual_seed(config.seed)

    def train_epoch(self, weights: Tensor | None) -> EpochResult:
        """One pass over the training split in random order. ``weights``: (n,) on the split's device, or None."""
        config, split, objective = self.config, self.split, self.objective
        self.model.train()
        norms = GradientNorms(every=config.gradient_every)
        clip = math.inf if config.gradient_clip is None else config.gradient_clip
        loss_sum = torch.zeros((), device=split.target.device)
        rate = self.schedule.rate()
        order = torch.randperm(len(split), generator=self._order).to(split.target.device)
        for batch in torch.split(order, config.batch_size):
            rate = self.schedule.rate()
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            frames, angles, y_true = split.frames[batch], split.angles[batch], split.target[batch]
            if config.augment:
                frames, angles = mirror_randomly(frames, angles, self._order)
            y_pred = self.model(frames, angles)
            base = weighted_mean(objective.sample_loss(y_pred, y_true), None if weights is None else weights[batch])
            penalty = None if objective.penalty is None else objective.weight * objective.penalty(y_pred, y_true)
            loss = base if penalty is None else base + penalty
            self.optimizer.zero_grad(set_to_none=True)
            norms.measure(base, penalty, self.model.output.weight)
            torch.autograd.backward(loss)
            norms.add_total(nn.utils.clip_grad_norm_(self.model.parameters(), clip))
            self.optimizer.step()
            self.schedule.after_step()
            loss_sum += loss.detach() * len(batch)
        return EpochResult(train_loss=float(loss_sum) / len(split), learning_rate=rate, norms=norms)


@torch.inference_mode()
def predict(model: HeightNetwork, split: Split) -> Tensor:
    """Predictions for a whole split in evaluation mode, (n,), on the split's device."""
    model.eval()
    parts = torch.split(torch.arange(len(split), device=split.target.device), EVALUATION_BATCH)
    return torch.cat([model(split.frames[part], split.angles[part]) for part in parts])


@torch.inference_mode()
def evaluate_losses(objective: Objective, y_pred: Tensor, y_true: Tensor) -> SplitLosses:
    """Losses over a whole split at once.

    No sample weights: those steer training, they do not redefine what is measured.
    """
    base = float(weighted_mean(objective.sample_loss(y_pred, y_true), None))
    if objective.penalty is None:
        return SplitLosses(base=base, penalty=None, total=base)
    penalty = float(objective.penalty(y_pred, y_true))
    return SplitLosses(base=base, penalty=penalty, total=base + objective.weight * penalty)
