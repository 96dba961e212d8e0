"""What the machine reaches at its best: a roofline's two lines (Williams et al. 2009, doi:10.1145/1498765.1498785)."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import torch

Clock = Callable[[], float]
MATMUL_SIDE = {"cpu": 1024, "cuda": 8192}  # large enough that starting the product costs nothing beside it
COPY_BYTES = {"cpu": 2**28, "cuda": 2**30}  # far beyond any cache
REPEATS = 10  # the least of these counts: a probe asks what is possible, and disturbances only ever slow it


def synchronise(device: torch.device) -> None:
    """Waits for a GPU; a CPU has nothing pending."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def choose_clock(device: torch.device, threads: int) -> Clock:
    """The clock for what is set against something else that was timed at another moment.

    On one CPU thread the processor's own time: near what the wall clock would show on an idle machine, for other programs
    then count only by their use of caches and memory. With more threads, which may wait for each other, or on a GPU, the
    wall clock.
    """
    return time.process_time if device.type == "cpu" and threads == 1 else time.perf_counter


def seconds_of(call: Callable[[], object], device: torch.device, repeats: int, clock: Clock) -> list[float]:
    """Seconds by ``clock`` of each of ``repeats`` calls after one that does not count."""
    call()
    synchronise(device)
    found = []
    for _ in range(repeats):
        start = clock()
        call()
        synchronise(device)
        found.append(clock() - start)
    return found


def median_seconds(call: Callable[[], object], device: torch.device, repeats: int, clock: Clock) -> float:
    """The median of :func:`seconds_of`."""
    return statistics.median(seconds_of(call, device, repeats, clock))


def matmul_flops_per_second(device: torch.device, dtype: torch.dtype, clock: Clock, side: int | None = None) -> float:
    """Operations a second of a square matrix product, ``2·side³`` each."""
    side = side or MATMUL_SIDE[device.type]
    left, right = (torch.randn(side, side, device=device).to(dtype) for _ in range(2))
    return 2.0 * side**3 / min(seconds_of(lambda: left @ right, device, REPEATS, clock))


def copy_bytes_per_second(device: torch.device, clock: Clock, size: int | None = None) -> float:
    """Bytes a second that a copy within the device's memory reads and writes, both counted."""
    size = size or COPY_BYTES[device.type]
    source = torch.zeros(size, dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return 2.0 * size / min(seconds_of(lambda: target.copy_(source), device, REPEATS, clock))
