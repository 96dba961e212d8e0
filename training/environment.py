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
    """The device that ``auto``, ``cpu`` or ``cuda`` means here; ConfigError where CUDA is asked for and absent."""
    available = torch.cuda.is_available()
    if name == "cuda" and not available:
        raise ConfigError("device: found cuda, but torch sees no CUDA device; use --device cpu")
    return torch.device("cuda" if name == "cuda" or (name == "auto" and available) else "cpu")


def make_reproducible(*, seed: int, threads: int, device: torch.device) -> None:
    """Seeds torch and asks it for deterministic algorithms, so that one machine gives one run for one seed.

    The thread count is set because the order of sums depends on it. cuBLAS needs a fixed workspace to be deterministic.
    """
    if device.type == "cuda":
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(threads)
    torch.use_deterministic_algorithms(True)
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
