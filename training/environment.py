"""The machine a run runs on."""

from __future__ import annotations

import os
import platform
from importlib import metadata

import numpy as np
import torch

from training.errors import ConfigError

DISTRIBUTION = "regression-runreport"


def choose_device(name: str) -> torch.device:
    """The device that ``auto``, ``cpu`` or ``cuda`` means here; ConfigError where CUDA is asked for and absent.

    Of several processes on one machine each gets the GPU that torchrun numbers it with.
    """
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigError("device: found cuda, but torch sees no CUDA device; use --device cpu")
    if name == "cpu" or not available:
        return torch.device("cpu")
    if "LOCAL_RANK" not in os.environ:
        return torch.device("cuda")
    number, there = int(os.environ["LOCAL_RANK"]), torch.cuda.device_count()
    if number >= there:
        raise ConfigError(
            f"device: process {number} of this machine has no GPU; found {there}; start as many processes"
        )
    torch.cuda.set_device(number)
    return torch.device("cuda", number)


def make_reproducible(*, seed: int, threads: int, device: torch.device, deterministic: bool = True) -> None:
    """Seeds torch and, unless told otherwise, asks it for deterministic algorithms: one machine, one seed, one run.

    The thread count is set because the order of sums depends on it. cuBLAS needs a fixed workspace to be deterministic.
    Without ``deterministic`` cuDNN tries its convolutions and keeps the fastest, which may differ from run to run.
    """
    if device.type == "cuda" and deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(deterministic)
    # Torch would then write NaN into all fresh memory, to show up whoever reads it unwritten: a tenth of a step on a CPU,
    # and nothing here does, so the numbers are the same without.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    torch.backends.cudnn.benchmark = not deterministic
    torch.manual_seed(seed)


def versions() -> dict[str, str | None]:
    """Versions of Python, torch, numpy and this package (None where it runs uninstalled)."""
    try:
        own = metadata.version(DISTRIBUTION)
    except metadata.PackageNotFoundError:
        own = None
    return {
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": np.__version__,
        "runreport": own,
    }
