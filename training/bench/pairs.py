"""Times of several calls taken in turn, and the ratio of two of them with its uncertainty."""

from __future__ import annotations

import math
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch

from training.bench.probes import Clock, synchronise

LEVEL = 0.95


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """Of one call in each round: wall-clock seconds, and the processor's seconds over all threads of this process.

    Other programs on the same cores lengthen the first by the time they take, the second only by their use of caches.
    """

    wall: tuple[float, ...]
    processor: tuple[float, ...]

    def by(self, clock: Clock) -> tuple[float, ...]:
        """What a clock of ``choose_clock`` showed."""
        return self.processor if clock is time.process_time else self.wall


def in_turn(calls: Sequence[Callable[[], object]], device: torch.device, rounds: int) -> list[Times]:
    """The times of each call, every second round in reverse order.

    A slow minute of the machine then hits all alike, and what one call leaves in the caches serves none in particular.
    The calls have been made once before: nothing is warmed up here.
    """
    wall: list[list[float]] = [[0.0] * rounds for _ in calls]
    processor: list[list[float]] = [[0.0] * rounds for _ in calls]
    for number in range(rounds):
        order = range(len(calls)) if number % 2 == 0 else reversed(range(len(calls)))
        for index in order:
            synchronise(device)
            start, start_processor = time.perf_counter(), time.process_time()
            calls[index]()
            synchronise(device)
            wall[index][number] = time.perf_counter() - start
            processor[index][number] = time.process_time() - start_processor
    return [Times(wall=tuple(w), processor=tuple(p)) for w, p in zip(wall, processor, strict=True)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedRatio:
    """The median over rounds of ``reference/own`` seconds: how many times faster; its interval and the extremes.

    ``low`` and ``high``: at least 95 % confidence for the median, None below 6 rounds, where there is no such interval.
    """

    median: float
    low: float | None
    high: float | None
    least: float
    largest: float

    def verdict(self) -> str:
        """What the interval says of the two.

        >>> PairedRatio(median=1.2, low=1.1, high=1.3, least=1.0, largest=1.4).verdict()
        'faster'
        """
        if self.low is None or self.high is None:
            return "too few rounds to tell"
        if self.low > 1:
            return "faster"
        return "slower" if self.high < 1 else "no difference beyond noise"


def paired_ratio(reference: Sequence[float], own: Sequence[float]) -> PairedRatio:
    """Of seconds (rounds,) each, taken in the same rounds; at least one."""
    ratios = [r / o for r, o in zip(reference, own, strict=True)]
    interval = median_interval(ratios)
    return PairedRatio(
        median=statistics.median(ratios),
        low=None if interval is None else interval[0],
        high=None if interval is None else interval[1],
        least=min(ratios),
        largest=max(ratios),
    )


def median_interval(values: Sequence[float], level: float = LEVEL) -> tuple[float, float] | None:
    """Order statistics that enclose the median with at least ``level`` confidence; None where there are too few values.

    Of n independent values the number below the median is binomial(n, 1/2), whatever their distribution (David &
    Nagaraja 2003, Order Statistics, 7.1). Rounds on one machine are independent only nearly: alternating helps.

    >>> median_interval([5, 1, 4, 2, 3, 6])
    (1, 6)
    """
    ordered, n = sorted(values), len(values)
    tail, cut = 0.0, 0
    while cut < n:
        tail += math.comb(n, cut) / 2**n
        if tail > (1 - level) / 2:
            break
        cut += 1
    return None if cut == 0 else (ordered[cut - 1], ordered[n - cut])
