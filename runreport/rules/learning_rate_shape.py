"""What a learning-rate column looks like: rising to the end, constant, zero, or jumping."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

from runreport.context import Context, once_a_run
from runreport.rules.loss_series import Pairs, losses

SAME = 1e-4
"""Two rates this close, relatively, are one: float32 resolves 6e-8, and logs print 4 digits or more."""
STRAIGHT = 0.05
"""A rise is straight where no step differs from the mean step by more than this share of it (printed rates are rounded)."""
AT_PEAK = 0.99
"""A rate at this share of the configured one has reached it: printed rates and the last partial step."""
RISING_SHARE = 0.8
"""With this share of its steps rising, the rest being reductions, a rate was on its way up throughout."""
LEAST_RISES_AT_END = 3
DEAD = 0.01
"""At this share of its highest a rate moves in a hundred epochs what it moved in one."""

PEAK_KEYS = ("max_lr", "peak_lr", "peak_learning_rate", "max_learning_rate")
RATE_KEYS = ("learning_rate", "lr", "base_lr", "initial_lr", "init_lr", "eta")
SCHEDULE_KEYS = ("lr_scheduler_type", "lr_scheduler", "scheduler", "lr_schedule", "schedule")
CONSTANT_WORDS = ("none", "constant", "fixed", "off", "false", "plateau", "reduce", "warmup")
"""Schedules that may leave the rate unchanged for a whole run."""
PERIODIC_WORDS = ("restart", "cycl", "triang", "sgdr")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rise:
    """A rate that was still rising at the last epoch.

    strict
        Every step rises; False where reductions interrupt the rise.
    straight
        Second difference ≈ 0: all steps are alike.
    slope
        Mean rise an epoch over the last rising stretch.
    """

    first: float
    last: float
    slope: float
    strict: bool
    straight: bool


@once_a_run
def rates(context: Context) -> Pairs:
    """(epoch, rate) of the finite, non-negative rates; one list for all rules, to be read only."""
    return [(e, v) for e, v in losses(context.history, "learning_rate") if v >= 0]


def configured_peak(context: Context) -> float | None:
    """The highest rate that the configuration asks for; None where it names none."""
    peak = context.config_number(*PEAK_KEYS)
    if peak is None:
        peak = context.config_number(*RATE_KEYS)
    return peak if peak is not None and peak > 0 else None


def schedule_word(context: Context) -> str | None:
    """The configured schedule in lower case; None where none is named."""
    for key in SCHEDULE_KEYS:
        word = context.config.get(key)
        if isinstance(word, str) and word.strip():
            return word.strip().lower()
        if isinstance(word, dict):
            name = word.get("name", word.get("type"))
            if isinstance(name, str):
                return name.strip().lower()
    return None


def is_constant(pairs: Pairs) -> bool:
    """Whether all rates are one, to float32.

    >>> is_constant([(1, 0.001), (2, 0.0010000000474974513)]), is_constant([(1, 0.001), (2, 0.0005)])
    (True, False)
    """
    values = [v for _, v in pairs]
    return max(values) - min(values) <= SAME * max(values)


def rise_to_the_end(pairs: Pairs) -> Rise | None:
    """The rise of a rate whose maximum is its last value, or which was rising when the run ended; None otherwise.

    Steps are per epoch, so that missing rows do not bend a straight rise.
    """
    if len(pairs) < LEAST_RISES_AT_END + 1:
        return None
    top = max(v for _, v in pairs)
    slopes = [(b[1] - a[1]) / (b[0] - a[0]) for a, b in itertools.pairwise(pairs)]
    widths = [b[0] - a[0] for a, b in itertools.pairwise(pairs)]
    # A step within the resolution of the logged numbers is no step.
    rising = [s * w > 1e-6 * top for s, w in zip(slopes, widths, strict=True)]
    if not all(rising[-LEAST_RISES_AT_END:]):
        return None
    strict = all(rising)
    if not strict and (sum(rising) < RISING_SHARE * len(rising) or _has_peaked(pairs, rising)):
        return None
    start = max((i + 1 for i, up in enumerate(rising) if not up), default=0)
    ending = slopes[start:]
    mean = sum(ending) / len(ending)
    straight = all(abs(s - mean) <= STRAIGHT * mean for s in ending)
    return Rise(first=pairs[0][1], last=pairs[-1][1], slope=mean, strict=strict, straight=straight)


def _has_peaked(pairs: Pairs, rising: list[bool]) -> bool:
    """Whether a stretch that does not rise is longer than one step: a plateau or decay, so the warm-up had ended."""
    return any(not a and not b for a, b in itertools.pairwise(rising))


def epochs_missing(rise: Rise, peak: float) -> float | None:
    """Epochs that a straight rise still needed to reach ``peak``; None where it is not straight or already there.

    >>> round(epochs_missing(Rise(first=1e-6, last=4.7e-5, slope=1e-6, strict=True, straight=True), 5e-4))
    453
    """
    if not rise.straight or rise.slope <= 0 or rise.last >= AT_PEAK * peak:
        return None
    return (peak - rise.last) / rise.slope


def peak_reached(pairs: Pairs) -> float:
    """The highest rate of the run as far as the log tells: what a decay from the first step leaves is extended back.

    Rates are logged after an epoch, so a schedule that decays from the first step never logs its peak. The value one
    row before the first is estimated from the first steps, as a line and as a geometric sequence; the higher counts.
    """
    values = [v for _, v in pairs]
    top = max(values)
    if len(values) >= 2 and values[0] == top and 0 < values[1] < values[0] * (1 - SAME):
        return max(top, 2 * values[0] - values[1], values[0] * values[0] / values[1])
    if len(values) >= 2 and values[0] == top and values[1] == 0:
        return 2 * top
    return top


@dataclass(frozen=True, slots=True, kw_only=True)
class Jump:
    """One step of the rate by a factor that no smooth schedule makes."""

    epoch: int | float
    before: float
    after: float

    @property
    def factor(self) -> float:
        """after/before; infinite from 0."""
        return self.after / self.before if self.before > 0 else math.inf


def jumps(pairs: Pairs, up: float, down: float) -> list[Jump]:
    """Upward steps by ``up`` or more once the rate had stopped rising, and lone downward steps by ``down`` or more.

    A downward step is lone where the rate is level (within a tenth) on both sides: the end of an annealing is not.
    """
    found = []
    values = [v for _, v in pairs]
    peaked = False
    for i in range(1, len(values)):
        before, after = values[i - 1], values[i]
        rose = after > before * (1 + SAME)
        if peaked and rose and after >= up * before:
            found.append(Jump(epoch=pairs[i][0], before=before, after=after))
        elif after * down <= before and before > 0 and 2 <= i < len(values) - 1:
            level_before = abs(values[i - 2] - before) <= 0.1 * before
            level_after = abs(values[i + 1] - after) <= 0.1 * max(after, values[i + 1])
            if level_before and level_after:
                found.append(Jump(epoch=pairs[i][0], before=before, after=after))
        if not rose:
            peaked = True
    return found


def are_restarts(found: list[Jump], pairs: Pairs) -> bool:
    """Whether upward jumps are periodic restarts: two or more, each at least half way back to the run's highest rate."""
    ups = [j for j in found if j.after > j.before]
    top = max(v for _, v in pairs)
    return len(ups) >= 2 and len(ups) == len(found) and all(j.after >= 0.4 * top for j in ups)


def zero_stretch(pairs: Pairs) -> tuple[int | float, int] | None:
    """(first epoch, rows) of the longest run of rates at (nearly) 0; None where there is none."""
    top = max(v for _, v in pairs)
    if min(v for _, v in pairs) > 1e-6 * top:
        return None
    best: tuple[int | float, int] | None = None
    start, count = pairs[0][0], 0
    for epoch, rate in pairs:
        if rate <= 1e-6 * top:
            start = epoch if count == 0 else start
            count += 1
            if best is None or count > best[1]:
                best = (start, count)
        else:
            count = 0
    return best


def dead_stretch(pairs: Pairs) -> tuple[int | float, int] | None:
    """(first epoch, rows) of the end of the run at a hundredth of the highest rate or less; None where it does not end so.

    >>> dead_stretch([(1, 1.0), (2, 0.1), (3, 0.01), (4, 0.001)]), dead_stretch([(1, 1.0), (2, 0.5)])
    ((3, 2), None)
    """
    top = max(v for _, v in pairs)
    count = 0
    for _, rate in reversed(pairs):
        if rate > DEAD * top:
            break
        count += 1
    return (pairs[-count][0], count) if count else None
