"""A step's work at the machine's measured best, as a share of the time that the step takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from training.bench.probes import Clock, copy_bytes_per_second, matmul_flops_per_second
from training.bench.work import Work
from training.precision import HALF_TYPES, set_matmul_precision


def measure_probes(device: torch.device, clock: Clock, *, quick: bool) -> dict[str, float]:
    """Matrix products in float32 and, on a GPU, in bf16; and a copy. ``quick``: too small to mean anything."""
    set_matmul_precision("fp32")
    side, size = (64, 2**16) if quick else (None, None)
    found = {"matmul_fp32_flops_per_second": matmul_flops_per_second(device, torch.float32, clock, side)}
    if device.type == "cuda":
        found["matmul_bf16_flops_per_second"] = matmul_flops_per_second(device, torch.bfloat16, clock, side)
    return found | {"copy_bytes_per_second": copy_bytes_per_second(device, clock, size)}


def roofline(work: Work, step_seconds: float, probes: Mapping[str, float], precision: str) -> dict[str, Any]:
    """The time that the work needs at the probes' speeds over ``step_seconds``, the least that a step took: probes are too.

    ``bound`` is the slower of arithmetic and memory. ``traffic`` counts every operation's reads and writes on its own;
    caches and compilation save some of them, so a share above 1 is possible and means just that.
    """
    kind = "bf16" if precision in HALF_TYPES and "matmul_bf16_flops_per_second" in probes else "fp32"
    compute = work.flops / probes[f"matmul_{kind}_flops_per_second"]
    memory = work.traffic / probes["copy_bytes_per_second"]
    return {
        "flops_per_step": work.flops,
        "traffic_bytes_per_step": work.traffic,
        "compute_share": compute / step_seconds,
        "memory_share": memory / step_seconds,
        "share": max(compute, memory) / step_seconds,
        "bound": "memory" if memory > compute else "compute",
    }
