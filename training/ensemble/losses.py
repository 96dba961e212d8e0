"""The losses of all members of a batch: those that mean the same thing computed in one go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.func import vmap

from training.config import Config
from training.objective import Objective

TARGET_FREE = {
    "huber": ("huber_delta",),
    "mse": (),
    "mae": (),
    "ccc": (),
    "balanced_mse": ("balanced_mse_noise",),
}
"""Losses that are the same function for members with other targets, and the settings that they depend on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LossGroup:
    """Members (rows of the stack) that minimise the same function."""

    rows: Tensor
    objective: Objective


def loss_groups(configs: Sequence[Config], objectives: Sequence[Objective], device: torch.device) -> list[LossGroup]:
    """Members by what they minimise; a loss that is built from a member's own targets stands alone."""
    found: dict[object, list[int]] = {}
    for row, config in enumerate(configs):
        found.setdefault(_kind(config, row), []).append(row)
    return [LossGroup(rows=torch.tensor(rows, device=device), objective=objectives[rows[0]]) for rows in found.values()]


def _kind(config: Config, row: int) -> object:
    if config.loss not in TARGET_FREE:
        return row
    settings = tuple(getattr(config, name) for name in TARGET_FREE[config.loss])
    penalty = (config.penalty, config.std_hinge_target) if config.penalty_weight > 0 else None
    return (config.loss, settings, penalty)


def stacked_losses(groups: Sequence[LossGroup], outputs: Tensor, y_true: Tensor) -> tuple[Tensor, Tensor]:
    """Base loss and penalty before its weight of each member, two (members,); 0 where a member has no penalty.

    outputs: (members, n) or (members, n, K); y_true: (members, n), in the units of each member's loss.
    """
    base, penalty = outputs.new_zeros(len(outputs)), outputs.new_zeros(len(outputs))
    for group in groups:
        objective, rows = group.objective, group.rows
        if len(rows) == 1:
            row = int(rows[0])
            base = base.index_put((rows,), objective.loss(outputs[row], y_true[row])[None])
            if objective.penalty is not None:
                value = objective.penalty(objective.loss.point(outputs[row]), y_true[row])[None]
                penalty = penalty.index_put((rows,), value)
            continue
        base = base.index_put((rows,), vmap(objective.loss)(outputs[rows], y_true[rows]))
        if objective.penalty is not None:
            points = vmap(objective.loss.point)(outputs[rows])
            penalty = penalty.index_put((rows,), vmap(objective.penalty)(points, y_true[rows]))
    return base, penalty
