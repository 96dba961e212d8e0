"""Trains many runs at once: every step is a step of all, and each member ends as its own run would have."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from training.ensemble.adamw import StackedAdamW
from training.ensemble.losses import LossGroup, loss_groups, stacked_losses
from training.ensemble.member import Member, Trained, check_members
from training.ensemble.norms import MeanNorms
from training.ensemble.running import Running
from training.ensemble.samples import Samples
from training.ensemble.stacked import StackedNetwork
from training.epochs import is_due, loss_columns, metric_columns, train_columns, why_stop
from training.loop import EpochResult
from training.objective import evaluate_losses
from training.recalibration import recalibrated
from training.run import chosen_recalibration

COMPACT_BELOW = 0.5
"""Share of members still training below which the stack is made smaller: copying it costs a step or two."""


def train_together(
    members: Sequence[Member], *, device: torch.device | None = None, tell: Callable[[int, int], None] | None = None
) -> list[Trained]:
    """Trains every member; what each leaves, in the same order.

    Stacks the networks (``torch.func.stack_module_state`` and ``vmap``), so that a step of all is a few products of
    stacked matrices. A member has its own data, seed, rate, schedule, decay, penalty, λ, stopping and kept epoch; it starts
    from the weights and goes through the batches that :func:`training.run.run_training` gives it alone, so that its numbers
    are those of the run alone but for the rounding of stacked products (dropout apart, whose masks are other draws). A
    member whose loss stops being a number stops alone. ``tell`` gets (epoch, members still training).

    Raises
    ------
    ConfigError
        Settings that an ensemble does not have, see :func:`training.ensemble.member.check_members`.
    """
    check_members(members)
    ensemble = _Ensemble([Running(member) for member in members], device or torch.device("cpu"))
    epoch = 0
    while ensemble.running:
        epoch += 1
        ensemble.epoch(epoch)
        if tell is not None:
            tell(epoch, len(ensemble.running))
    return ensemble.trained()


class _Ensemble:
    """All members and the stack of those that still train; ``running`` are the members of the stack's rows."""

    def __init__(self, members: list[Running], device: torch.device) -> None:
        self._members = members
        self._device = device
        self._network = StackedNetwork([m.network() for m in members], device)
        self._kept = {name: value.detach().clone() for name, value in self._network.weights.items()}
        self._optimizer = StackedAdamW(
            self._network.weights,
            decay=self._numbers([m.member.config.weight_decay for m in members]),
            clip=self._numbers([m.member.config.gradient_clip or math.inf for m in members]),
        )
        self._stack = list(members)
        self._place = {id(m): row for row, m in enumerate(members)}
        self._prepare()

    @property
    def running(self) -> list[Running]:
        """Members that have not stopped."""
        return [m for m in self._stack if m.stopped_because is None]

    def _numbers(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(list(values), device=self._device, dtype=torch.float32)

    def _samples(self, split: str) -> Samples:
        return Samples.of([m.member.dataset.splits()[split] for m in self._stack], self._device)

    def _prepare(self) -> None:
        """What follows from which members the stack holds."""
        self._train, self._val = self._samples("train"), self._samples("val")
        objectives = [m.objective for m in self._stack]
        configs = [m.member.config for m in self._stack]
        self._groups: list[LossGroup] = loss_groups(configs, objectives, self._device)
        self._mean = self._numbers([o.scale.mean for o in objectives])[:, None]
        self._std = self._numbers([o.scale.std for o in objectives])[:, None]

    def epoch(self, number: int) -> None:
        """One epoch of training and evaluation of all."""
        start = time.perf_counter()
        stack = self._stack
        norms, losses, rates = self._train_epoch()
        used = [m.penalty_weight() for m in stack]
        for m in stack:
            m.lambdas.after_epoch(base_norm=norms[id(m)].mean("base"), penalty_norm=norms[id(m)].mean("penalty"))
        with torch.no_grad():
            train_out = self._network(self._train.frames, self._train.angles, training=False).float()
            val_out = self._network(self._val.frames, self._val.angles, training=False).float()
            weight_norms = torch.stack(
                [w.flatten(1).square().sum(dim=1) for w in self._network.weights.values()]
            ).sum(dim=0).sqrt().tolist()  # fmt: skip
        seconds = time.perf_counter() - start
        for row, m in enumerate(stack):
            if m.stopped_because is None:
                result = EpochResult(
                    train_loss=losses[row],
                    penalty_weight=used[row],
                    learning_rate=rates[row],
                    norms=norms[id(m)],
                    weight_norm=weight_norms[row],
                    samples_per_second=len(m.member.dataset.train) * len(self.running) / seconds,
                )
                self._log(number, m, row, result, train_out[row].cpu(), val_out[row].cpu(), start)
        self._compact()

    def _train_epoch(self) -> tuple[dict[int, MeanNorms], list[float], list[float]]:
        """Norms by member, mean training losses and last rates by row."""
        stack, config = self._stack, self._stack[0].member.config
        norms = {id(m): MeanNorms() for m in stack}
        order = torch.stack([m.order() for m in stack]).to(self._device)
        weights = self._numbers([m.penalty_weight() for m in stack])
        active = [m.stopped_because is None for m in stack]
        losses, rates = torch.zeros(len(stack), device=self._device), [0.0] * len(stack)
        for step, index in enumerate(torch.split(order, config.batch_size, dim=1)):
            rates = [m.schedule.rate() for m in stack]
            batch = self._train.batch(index)
            outputs = self._network(batch.frames, batch.angles, training=True).float()
            base, penalty = stacked_losses(self._groups, outputs, (batch.target - self._mean) / self._std)
            total = base + weights * penalty
            if step % config.gradient_every == 0:
                self._measure(norms, base, weights * penalty)
            names = list(self._network.weights)
            found = torch.autograd.grad(total.sum(), [self._network.weights[n] for n in names])
            step_rate = self._numbers([rate if on else 0.0 for rate, on in zip(rates, active, strict=True)])
            whole = self._optimizer.step(dict(zip(names, found, strict=True)), step_rate).tolist()
            for m, norm in zip(stack, whole, strict=True):
                norms[id(m)].add("total", norm)
            losses += total.detach() * index.shape[1]
            for m in stack:
                m.schedule.after_step()
        return norms, (losses / len(order[0])).tolist(), rates

    def _measure(self, norms: dict[int, MeanNorms], base: Tensor, penalty: Tensor) -> None:
        """Norms at the output weight, of base and weighted penalty."""
        weight = self._network.weights["output.weight"]
        for which, loss in (("base", base), ("penalty", penalty)):
            if not loss.requires_grad:
                continue  # no member has a penalty
            gradient = torch.autograd.grad(loss.sum(), weight, retain_graph=True)[0]
            for m, norm in zip(self._stack, gradient.flatten(1).norm(dim=1).tolist(), strict=True):
                if which == "base" or m.has_penalty:
                    norms[id(m)].add(which, norm)

    def _log(
        self, number: int, m: Running, row: int, result: EpochResult, train_out: Tensor, val_out: Tensor, start: float
    ) -> None:
        """A member's row, its selection, and whether it ends."""
        dataset, config = m.member.dataset, m.member.config
        train_pred, val_pred = m.objective.point(train_out), m.objective.point(val_out)
        split_losses = evaluate_losses(m.objective, result.penalty_weight, val_out, dataset.val.target.cpu())
        line = loss_columns(number, result, split_losses) | metric_columns(dataset.val, val_pred)
        if m.stopping.update(number, line):
            m.kept_weight = result.penalty_weight
            place = self._place[id(m)]
            for name, value in self._network.weights.items():
                self._kept[name][place] = value.detach()[row]
        m.schedule.after_epoch(split_losses.total)
        m.stopped_because = why_stop(config, line, m.stopping)
        due = is_due(config, number) or m.stopped_because is not None
        line |= train_columns(dataset.train, train_pred if due else None)
        line["gpu_memory_gib"] = None
        line["epoch_seconds"] = round((time.perf_counter() - start) / len(self._stack), 6)
        m.rows.append(line)
        m.val_pred.append(val_pred)
        if m.stopped_because is not None and m.stopping.selected_epoch is None:
            place = self._place[id(m)]
            for name, value in self._network.weights.items():
                self._kept[name][place] = value.detach()[row]

    def _compact(self) -> None:
        """Drops members that have stopped once they are most of the stack."""
        left = [row for row, m in enumerate(self._stack) if m.stopped_because is None]
        if not left or len(left) > COMPACT_BELOW * len(self._stack):
            return
        rows = torch.tensor(left, device=self._device)
        self._network.take(rows)
        self._optimizer.take(rows, self._network.weights)
        self._stack = [self._stack[row] for row in left]
        self._prepare()

    def trained(self) -> list[Trained]:
        """What every member left, after the last has stopped."""
        whole = StackedNetwork([m.network() for m in self._members], self._device)
        test = Samples.of([m.member.dataset.test for m in self._members], self._device)
        with torch.no_grad():
            outputs = whole.outputs(self._kept, test.frames, test.angles, training=False).float().cpu()
        return [_trained(m, own) for m, own in zip(self._members, outputs, strict=True)]


def _trained(m: Running, outputs: Tensor) -> Trained:
    config, dataset, selected = m.member.config, m.member.dataset, m.stopping.selected_epoch
    recalibration = chosen_recalibration(config, dataset, m.val_pred, selected)
    losses = evaluate_losses(m.objective, m.kept_weight, outputs, dataset.test.target.cpu())
    return Trained(
        member=m.member,
        rows=m.rows,
        selected_epoch=selected,
        stopped_because=m.stopped_because or "max_epochs",
        val_pred=torch.stack(m.val_pred),
        test_pred=recalibrated(m.objective.point(outputs), recalibration),
        test_loss=losses.total,
        recalibration=recalibration,
    )
