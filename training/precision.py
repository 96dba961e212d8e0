"""The arithmetic of a step: float32, TF32, or 16 bits under autocast."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, nullcontext

import torch
from torch import Tensor, nn

from training.errors import ConfigError

FIRST_SCALE = 2.0**10
"""fp16's loss scale at the start. Gradients of a loss of order 1 are of order 1, and fp16 ends at 65504: torch's own
start of 65536 leaves out the first steps of every run, a good part of an epoch of 26."""
HALF_TYPES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Precision:
    """Autocast for the network's forward pass, and for fp16 a scale on the loss.

    Under ``bf16`` and ``fp16`` weights, optimizer, loss and metrics stay in float32; the network's convolutions and
    matrix products run in 16 bits (Micikevicius et al. 2018, arXiv:1710.03740). fp16 reaches down to 6e-8 only, so its
    loss is multiplied before the backward pass and gradients divided after; a step with gradients that are not finite
    is left out and the scale halved. ``tf32`` rounds the inputs of float32 products to 10 bits on CUDA; elsewhere
    there is none.
    """

    def __init__(self, name: str, device: torch.device) -> None:
        if name == "tf32" and device.type != "cuda":
            raise ConfigError(f"precision: found tf32, which needs CUDA; expected fp32 or bf16 on {device.type}")
        self.name = name
        self._device = device
        self.scaler = torch.amp.GradScaler(device.type, init_scale=FIRST_SCALE) if name == "fp16" else None

    def autocast(self) -> AbstractContextManager[object]:
        """What the network's forward pass runs in."""
        if self.name not in HALF_TYPES:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=HALF_TYPES[self.name])

    def scaled(self, loss: Tensor) -> Tensor:
        """The loss that ``backward`` is called on."""
        return loss if self.scaler is None else self.scaler.scale(loss)

    def step(self, optimizer: torch.optim.Optimizer, parameters: list[nn.Parameter], clip: float | None) -> Tensor:
        """Clips the gradients and moves the weights; returns the gradients' total norm before clipping, a scalar.

        Nothing is read back from the device here where the optimizer takes the scale itself, as a fused one does.
        """
        if self.scaler is None:
            norm = nn.utils.clip_grad_norm_(parameters, math.inf if clip is None else clip)
            optimizer.step()
            return norm
        self.scaler.unscale_(optimizer)
        norm = nn.utils.clip_grad_norm_(parameters, math.inf if clip is None else clip)
        self.scaler.step(optimizer)
        self.scaler.update()
        return norm


def set_matmul_precision(name: str) -> None:
    """TF32 for the float32 products of cuBLAS and cuDNN where ``name`` is tf32, full float32 otherwise.

    Set both ways: torch's own default lets cuDNN use TF32, and then ``fp32`` would not be what was asked for.
    """
    allowed = name == "tf32"
    torch.backends.cuda.matmul.allow_tf32 = allowed
    torch.backends.cudnn.allow_tf32 = allowed
