"""Where a member stands: its own schedule, λ, stopping and order of batches."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from training.ensemble.member import Member
from training.lambdas import LambdaSchedule, make_lambda_schedule
from training.model import Network, make_network
from training.objective import Objective, make_objective
from training.resume import Row
from training.run import output_bias
from training.schedules import Schedule, make_schedule
from training.stopping import EarlyStopping, make_early_stopping


class Running:
    """A member under way. Everything that is not a tensor of the stack is the member's own, as in a run alone."""

    def __init__(self, member: Member) -> None:
        config, train = member.config, member.dataset.train
        self.member = member
        self.objective: Objective = make_objective(config, train.target)
        self.schedule: Schedule = make_schedule(config, steps_per_epoch=math.ceil(len(train) / config.batch_size))
        self.lambdas: LambdaSchedule = make_lambda_schedule(config)
        self.stopping: EarlyStopping = make_early_stopping(config)
        self.rows: list[Row] = []
        self.val_pred: list[Tensor] = []
        self.stopped_because: str | None = None
        self.kept_weight = config.penalty_weight
        self._order = torch.Generator().manual_seed(config.seed)

    @property
    def has_penalty(self) -> bool:
        """Whether its loss has a penalty."""
        return self.objective.penalty is not None

    def network(self) -> Network:
        """Its network as it starts: the one that the run alone would start from, or what ``start`` makes of it."""
        config, train = self.member.config, self.member.dataset.train
        torch.manual_seed(config.seed)
        network = make_network(config, train, output_bias=self.objective.start(output_bias(config, train)))
        if self.member.start is not None:
            self.member.start(network)
        return network

    def order(self) -> Tensor:
        """The order of the training samples in the next epoch."""
        return torch.randperm(len(self.member.dataset.train), generator=self._order)

    def penalty_weight(self) -> float:
        """λ of the epoch that is under way; 0 without a penalty."""
        return self.lambdas.weight() if self.has_penalty else 0.0
