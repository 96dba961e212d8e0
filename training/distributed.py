"""Several processes, one run: every rank computes a share of each batch, and all hold the same numbers afterwards."""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import torch
import torch.distributed as dist
from torch import Tensor, nn

TIMEOUT = datetime.timedelta(minutes=10)  # rank 0 alone prepares files and writes: slow disks must not end a run
SEED_STRIDE = 1_000_003  # keeps the dropout of ranks and epochs apart; a prime above any number of ranks


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """The processes of a run. ``rank`` 0 writes files and speaks; ``size`` 1 is an ordinary run, where nothing is sent.

    The loss is computed on the *global* batch on every rank: predictions are gathered first. So a loss of the batch as
    a whole, such as a penalty on its variance, is the same for any number of processes, as is a last batch that does not
    divide. Gradients are then summed, not averaged: each rank's are its own samples' share of the one loss. That is why
    torch's DistributedDataParallel is not used: it averages gradients of losses that each rank takes on its own shard.
    """

    rank: int = 0
    size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process writes and speaks."""
        return self.rank == 0

    def bounds(self, count: int) -> tuple[int, int]:
        """First and past-the-last of the ``count`` samples that this rank computes: contiguous, equal but for one.

        >>> [World(rank=rank, size=3).bounds(7) for rank in range(3)]
        [(0, 3), (3, 5), (5, 7)]
        """
        share, more = divmod(count, self.size)
        start = self.rank * share + min(self.rank, more)
        return start, start + share + (self.rank < more)

    def gather(self, own: Tensor, count: int) -> Tensor:
        """The ``count`` rows of all ranks in order; gradients flow to this rank's rows only.

        own: this rank's rows, (its share, ...), for the bounds of ``count``; its rows may be none.
        """
        if self.size == 1:
            return own
        start, end = self.bounds(count)
        everything = own.new_zeros((count, *own.shape[1:]))
        everything[start:end] = own.detach()
        dist.all_reduce(everything)
        return torch.cat((everything[:start], own, everything[end:]))

    def sum_gradients(self, parameters: Sequence[nn.Parameter]) -> None:
        """Makes every rank's gradients the sum over ranks, sent as one buffer; a rank without any counts as zero."""
        if self.size == 1:
            return
        trained = [parameter for parameter in parameters if parameter.requires_grad]
        parts = [torch.zeros_like(p) if p.grad is None else p.grad for p in trained]
        flat = torch.cat([part.flatten() for part in parts])
        dist.all_reduce(flat)
        for parameter, part in zip(trained, torch.split(flat, [part.numel() for part in parts]), strict=True):
            parameter.grad = part.view_as(parameter)

    def sum(self, value: Tensor) -> Tensor:
        """The sum of ``value`` over ranks, on every rank."""
        if self.size == 1:
            return value
        total = value.clone()
        dist.all_reduce(total)
        return total

    def share_weights(self, model: nn.Module) -> None:
        """Gives every rank the weights of rank 0."""
        if self.size > 1:
            for tensor in model.state_dict().values():
                dist.broadcast(tensor, 0)

    def first_says(self, message: str | None) -> str | None:
        """What rank 0 says, on every rank; the others' own words do not count."""
        if self.size == 1:
            return message
        words = [message]
        dist.broadcast_object_list(words, 0)
        return words[0]

    def wait(self) -> None:
        """Returns when every rank has come here: what rank 0 wrote before can then be read by all."""
        if self.size > 1:
            dist.barrier()

    def seed_epoch(self, seed: int, epoch: int) -> None:
        """With several ranks, seeds dropout from run, epoch and rank: each rank drops other units, and a resumed epoch
        drops the same. A single process carries its generator along instead."""
        if self.size > 1:
            torch.manual_seed(seed + SEED_STRIDE * (epoch * self.size + self.rank))


ALONE = World()


def speaks() -> bool:
    """Whether this process is the one that prints results: rank 0, or the only one."""
    return int(os.environ.get("RANK", "0")) == 0


def launched() -> bool:
    """Whether torchrun, or something that sets the same variables, started this process as one of several."""
    return int(os.environ.get("WORLD_SIZE", "1")) > 1


@contextmanager
def join_world(device: torch.device) -> Iterator[World]:
    """The world that torchrun made, or one process alone; left again at the end.

    gloo between CPUs, nccl between GPUs; one GPU a process, chosen by the caller.
    """
    if not launched():
        yield ALONE
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo", timeout=TIMEOUT)
    try:
        yield World(rank=dist.get_rank(), size=dist.get_world_size())
    finally:
        dist.destroy_process_group()
