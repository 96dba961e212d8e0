"""Faster or leaner ways to run the same encoder: channels last, compilation, recomputed activations."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from training.config import Config
from training.errors import ConfigError
from training.resume import generators, restore_generators


def say(message: str) -> None:
    """One line on stderr."""
    print(message, file=sys.stderr, flush=True)


def accelerate(
    model: nn.Module, config: Config, trial: Callable[[], Tensor], *, tell: Callable[[str], None] = say
) -> bool:
    """Prepares ``model`` in place as the configuration asks; returns whether its encoder is compiled.

    Only the encoder (``model.encoder``) is compiled or recomputed: nearly all the time is spent there, and what follows
    stays open to the gradient measurements, which go no deeper than the output layer. Parameters and their names do not
    change, so checkpoints fit every setting. ``trial`` makes predictions of a batch of the run's size: called once,
    forward and backward, because compilation fails at the first call, not before. Where it fails, ``tell`` gets one line
    and the encoder runs uncompiled. ConfigError where the model has no encoder.
    """
    if config.channels_last:
        # Convolutions follow their weights; converting each batch too would copy it for nothing.
        model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if not (config.compile or config.gradient_checkpointing):
        return False
    encoder = getattr(model, "encoder", None)
    if not isinstance(encoder, nn.Module):
        asked = "compile" if config.compile else "gradient_checkpointing"
        raise ConfigError(f"{asked}: this network has no encoder; set {asked}: false")
    if config.gradient_checkpointing:
        _recompute(encoder)
    return config.compile and _compile(model, encoder, config, trial, tell)


def _recompute(encoder: nn.Module) -> None:
    """Keeps only the encoder's input for the backward pass and runs the encoder again there (arXiv:1604.06174)."""
    plain = encoder.forward

    def forward(*inputs: Any) -> Any:
        if not torch.is_grad_enabled():
            return plain(*inputs)
        return checkpoint(plain, *inputs, use_reentrant=False)

    encoder.forward = forward


def _compile(
    model: nn.Module,
    encoder: nn.Module,
    config: Config,
    trial: Callable[[], Tensor],
    tell: Callable[[str], None],
) -> bool:
    device = next(model.parameters()).device
    graphs = config.cuda_graphs and device.type == "cuda"
    if config.cuda_graphs and not graphs:
        tell("cuda_graphs: the run is not on CUDA; compiling without them")
    state = generators(device)
    try:
        with warnings.catch_warnings():
            # The compiler's own imports warn of torch's own deprecations; nobody who trains can mend those.
            warnings.simplefilter("ignore")
            encoder.compile(mode="reduce-overhead" if graphs else None)
            torch.autograd.backward(trial().sum())
    except Exception as error:  # whatever a compiler raises: there is always the uncompiled way
        encoder._compiled_call_impl = None
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        tell(f"compile: not possible here ({type(error).__name__}: {reason[:120]}); training uncompiled")
        return False
    finally:
        model.zero_grad(set_to_none=True)
        restore_generators(state, device)
    return True
