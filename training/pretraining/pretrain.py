"""Self-supervised pretraining of the encoder: frames in, no targets."""

from __future__ import annotations

import copy
import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from training.config import Config
from training.data.dataset import Split
from training.model.encoder import FrameEncoder
from training.pretraining.masking import hidden_patches
from training.pretraining.reconstruction import Reconstructor
from training.stopping import POLICIES, EarlyStopping


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How to pretrain.

    first_frame_only
        Whether the network sees and reconstructs the first frame of each sample alone.
    holdout
        Share of each group, its last samples, that is held out to stop by; 0 where nothing is: then every sample trains,
        all epochs run, and the last one's weights are kept, whatever became of them.
    """

    first_frame_only: bool
    holdout: float
    epochs: int
    patience: int
    learning_rate: float
    batch_size: int
    mask: float
    patch: int
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pretraining:
    """What pretraining came to. Losses are per hidden pixel, in variances: 1 is what the mean of the sample reaches.

    ``heldout_loss_start`` is of the encoder as it was initialised, with the untrained decoder. Numbers of the held-out
    samples are None where nothing was held out; ``selected_epoch`` is None where no epoch had a finite loss, and the
    encoder then stays as it was initialised.
    """

    kind: str
    frames_seen: int
    train_samples: int
    heldout_samples: int
    epochs_run: int
    selected_epoch: int | None
    stopped_because: str
    train_loss: float
    heldout_loss_start: float | None
    heldout_loss: float | None

    def to_dict(self) -> dict[str, Any]:
        """As the metrics file has it."""
        return asdict(self)


def last_of_each_group(split: Split, share: float) -> tuple[Tensor, Tensor]:
    """Rows to train on and rows held out, int64: of every group the last ``share`` in time, at least one sample of two.

    The last, not any: neighbours in time look alike, and would make a random share look better than it is.
    """
    train, held = [], []
    for flight in range(len(split.flight_names)):
        rows = (split.flight == flight).nonzero()[:, 0]
        count = min(max(round(share * len(rows)), 1), len(rows) - 1) if share > 0 else 0
        train.append(rows[: len(rows) - count])
        held.append(rows[len(rows) - count :])
    return torch.cat(train), torch.cat(held)


def pretrain_encoder(encoder: FrameEncoder, split: Split, plan: Plan, *, kind: str, motion: bool) -> Pretraining:
    """Trains ``encoder`` in place to fill in hidden patches of the split's frames; the targets are never looked at.

    Adam (Kingma & Ba 2015, arXiv:1412.6980) at a constant rate, without weight decay. The held-out samples hide the same
    patches in every epoch, so that their losses differ by the weights alone. The global random state is as before
    afterwards, so a run's own draws are the same with and without pretraining.
    """
    device = split.frames.device
    frames = split.frames[:, :1] if plan.first_frame_only else split.frames
    train, held = last_of_each_group(split, plan.holdout)
    drawing = torch.Generator().manual_seed(plan.seed)

    def draw(rows: Tensor) -> Tensor:
        shape = (len(rows), frames.shape[1], frames.shape[2], frames.shape[3])
        return hidden_patches(shape, patch=plan.patch, share=plan.mask, generator=drawing).to(device)

    with torch.random.fork_rng(devices=[device] if device.type == "cuda" else []):
        torch.manual_seed(plan.seed)
        network = Reconstructor(encoder, motion=motion).to(device)
    held_mask = draw(held) if len(held) else None
    optimizer = torch.optim.Adam(network.parameters(), lr=plan.learning_rate)
    stopping = EarlyStopping(POLICIES["val_loss"], patience=plan.patience, min_delta=0.0)
    kept = copy.deepcopy(encoder.state_dict())
    start = _evaluate(network, frames, held, held_mask, plan.batch_size)
    heldout: float | None = start
    stopped_because, epoch, train_loss = "max_epochs", 0, math.nan
    for epoch in range(1, plan.epochs + 1):
        train_loss = _epoch(network, optimizer, frames, train, draw, plan.batch_size, drawing)
        if held_mask is None:
            continue
        loss = _evaluate(network, frames, held, held_mask, plan.batch_size)
        if stopping.update(epoch, {"val_loss": loss}):
            kept, heldout = copy.deepcopy(encoder.state_dict()), loss
        if stopping.should_stop:
            stopped_because = "patience"
            break
    if held_mask is not None:
        encoder.load_state_dict(kept)
    return Pretraining(
        kind=kind,
        frames_seen=int(frames.shape[1]),
        train_samples=len(train),
        heldout_samples=len(held),
        epochs_run=epoch,
        selected_epoch=epoch if held_mask is None else stopping.selected_epoch,
        stopped_because=stopped_because,
        train_loss=train_loss,
        heldout_loss_start=start,
        heldout_loss=heldout,
    )


def _epoch(
    network: Reconstructor,
    optimizer: torch.optim.Optimizer,
    frames: Tensor,
    rows: Tensor,
    draw: Any,
    batch_size: int,
    generator: torch.Generator,
) -> float:
    """One pass in random order; the mean loss over the samples. The device is waited for once, at the end."""
    network.train()
    total = torch.zeros((), device=frames.device)
    order = rows[torch.randperm(len(rows), generator=generator).to(rows.device)]
    for batch in torch.split(order, batch_size):
        loss = network.loss(frames[batch], draw(batch))
        optimizer.zero_grad(set_to_none=True)
        torch.autograd.backward(loss)
        optimizer.step()
        total += loss.detach() * len(batch)
    return float(total) / len(rows)


@torch.no_grad()
def _evaluate(
    network: Reconstructor, frames: Tensor, rows: Tensor, hidden: Tensor | None, batch_size: int
) -> float | None:
    """The loss over the held-out samples; None where there are none. Every sample hides equally many pixels or so:
    batches are weighted by their samples."""
    if hidden is None:
        return None
    network.eval()
    total = torch.zeros((), device=frames.device)
    for part in torch.split(torch.arange(len(rows), device=rows.device), batch_size):
        total += network.loss(frames[rows[part]], hidden[part]) * len(part)
    return float(total) / len(rows)


def plan_for(config: Config) -> Plan:
    """What ``config.pretraining`` asks for.

    ``masked`` is the sound one. ``broken_ssl`` is a stand-in for the source's run 1, whose self-supervision was broken:
    it sees the first frame only, so nothing that moves, and nothing tells it when to stop.
    """
    broken = config.pretraining == "broken_ssl"
    return Plan(
        first_frame_only=broken,
        holdout=0.0 if broken else config.pretraining_holdout,
        epochs=config.pretraining_epochs,
        patience=config.pretraining_patience,
        learning_rate=config.pretraining_learning_rate,
        batch_size=config.batch_size,
        mask=config.pretraining_mask,
        patch=config.pretraining_patch,
        seed=config.seed,
    )
