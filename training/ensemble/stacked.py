"""Networks of one shape as one: every weight has the members along its first axis."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor
from torch.func import functional_call, stack_module_state, vmap

from training.model import Network


class StackedNetwork:
    """(members, n, ...) samples → (members, n) outputs, each member's by its own weights.

    ``weights`` are leaves that take gradients. Dropout draws a mask of its own for each member.
    """

    def __init__(self, networks: Sequence[Network], device: torch.device) -> None:
        weights, self._buffers = stack_module_state(list(networks))
        self._buffers = {name: value.to(device) for name, value in self._buffers.items()}
        self.weights: dict[str, Tensor] = {
            name: value.detach().to(device).requires_grad_() for name, value in weights.items()
        }
        self._shape = copy.deepcopy(networks[0]).to("meta")  # holds no numbers: functional_call brings them

    def __call__(self, frames: Tensor, angles: Tensor, *, training: bool) -> Tensor:
        """Outputs with the members' present weights."""
        return self.outputs(self.weights, frames, angles, training=training)

    def outputs(self, weights: Mapping[str, Tensor], frames: Tensor, angles: Tensor, *, training: bool) -> Tensor:
        """Outputs with other weights of the same shapes."""
        self._shape.train(training)

        def one(own: dict[str, Tensor], buffers: dict[str, Tensor], x: Tensor, a: Tensor) -> Tensor:
            found: Tensor = functional_call(self._shape, (own, buffers), (x, a))
            return found

        stacked: Tensor = vmap(one, randomness="different")(dict(weights), self._buffers, frames, angles)
        return stacked

    def take(self, rows: Tensor) -> None:
        """Goes on with the members at ``rows``."""
        self._buffers = {name: value[rows] for name, value in self._buffers.items()}
        self.weights = {name: value.detach()[rows].requires_grad_() for name, value in self.weights.items()}
