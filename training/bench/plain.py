"""The loop that anybody writes first: what ours is measured against."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset, RandomSampler

from training.config import Config
from training.data import Split
from training.model import Network
from training.objective import Objective

Sample = tuple[Tensor, Tensor, Tensor]


class SampleDataset(Dataset[Sample]):
    """A split in host memory, handed out a sample at a time."""

    def __init__(self, split: Split) -> None:
        self._split = split

    def __len__(self) -> int:
        return len(self._split)

    def __getitem__(self, index: int) -> Sample:
        return self._split.frames[index], self._split.angles[index], self._split.target[index]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlainLoop:
    """A network with loss, optimizer and loader: float32, eager, nothing measured but the loss.

    The same network, loss, clipping and optimizer as ``training.loop.Trainer``. ``loader`` draws its first epoch in the
    trainer's own order, so that both come to the same loss.
    """

    model: Network
    objective: Objective
    penalty_weight: float
    optimizer: torch.optim.Optimizer
    loader: DataLoader[Sample]
    clip: float
    device: torch.device

    @classmethod
    def of(cls, config: Config, model: Network, objective: Objective, split: Split, device: torch.device) -> PlainLoop:
        """The plain loop for ``model`` (on ``device``) on ``split`` (on the CPU)."""
        samples = SampleDataset(split)
        order = RandomSampler(samples, generator=torch.Generator().manual_seed(config.seed))
        return cls(
            model=model,
            objective=objective,
            penalty_weight=config.penalty_weight,
            optimizer=torch.optim.AdamW(model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay),
            loader=DataLoader(samples, batch_size=config.batch_size, sampler=order),
            clip=config.gradient_clip or float("inf"),
            device=device,
        )

    def step(self, frames: Tensor, angles: Tensor, y_true: Tensor) -> Tensor:
        """One step on a batch that is on the device; the loss."""
        outputs = self.model(frames, angles)
        loss = self.objective.base_loss(outputs, y_true, None)
        penalty = self.objective.penalty_loss(outputs, y_true)
        if penalty is not None:
            loss = loss + self.penalty_weight * penalty
        self.optimizer.zero_grad()
        torch.autograd.backward(loss)
        nn.utils.clip_grad_norm_(self.model.parameters(), self.clip)
        self.optimizer.step()
        return loss

    def epoch(self) -> float:
        """One epoch: samples collated one by one, each batch copied to the device, its loss read back. The mean loss."""
        self.model.train()
        total, count = 0.0, 0
        for frames, angles, target in self.loader:
            loss = self.step(frames.to(self.device), angles.to(self.device), target.to(self.device))
            total += loss.item() * len(target)
            count += len(target)
        return total / count
