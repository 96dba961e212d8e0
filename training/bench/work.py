"""How much work a step is, counted operation by operation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """``flops``: multiplications and additions of matrix products and convolutions, forward and backward. ``traffic``:
    bytes that the operations read and write, each on its own, as they do uncompiled."""

    flops: int
    traffic: int


class TrafficCounter(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Adds up the bytes of every operation's inputs and outputs while it is active; views and fresh memory move none.

    What operations on lists of tensors write in place is not counted: here that is the optimizer's, small beside maps.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.bytes = 0

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), settings: Any = None) -> Any:
        settings = settings or {}
        result = function(*arguments, **settings)
        if not (function.is_view or function.overloadpacket.__name__.startswith("empty")):
            self.bytes += sum(_bytes_of(leaf) for leaf in tree_leaves((arguments, settings, result)))
        return result


def _bytes_of(value: Any) -> int:
    """Bytes of a tensor; of an expanded one, those that exist. 0 for anything else."""
    if not isinstance(value, Tensor):
        return 0
    return min(value.numel() * value.element_size(), value.untyped_storage().nbytes())


def work_of(step: Callable[[], object]) -> Work:
    """The work of one call; it is called twice."""
    with FlopCounterMode(display=False) as flops:
        step()
    with TrafficCounter() as traffic:
        step()
    return Work(flops=flops.get_total_flops(), traffic=traffic.bytes)
