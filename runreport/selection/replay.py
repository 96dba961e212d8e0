"""Early stopping as a state machine over a list of monitor values. Nothing here knows what a run is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

Mode = Literal["min", "max"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """Where early stopping ends up on a list of monitor values.

    best
        Position of the checkpoint that would have been kept; None where no value was finite (after the warm-up).
    stop
        Position at which training would have ended; None where the values ran out before the patience did: such a
        replay is censored, and what it would have picked later is not identifiable.
    """

    best: int | None
    stop: int | None


def replay_patience(
    values: Sequence[float | None],
    mode: Mode = "max",
    patience: int | None = None,
    min_delta: float = 0.0,
    warmup: int = 0,
    eligible: Sequence[bool] | None = None,
) -> Replay:
    """The checkpoint that early stopping keeps and the position where it stops, exactly.

    The semantics, value by value in order:

    1. None means that the monitor was not evaluated: skipped, it neither improves nor waits.
    2. The first ``warmup`` evaluated values are skipped likewise (Keras' ``start_from_epoch``).
    3. A value improves when it is finite, ``eligible`` there, and either the first such value or better than the kept
       one by more than ``min_delta``: ``value > best + min_delta`` (max), ``-value > -best + min_delta`` (min, in this
       order of operations). Then it becomes the kept one and the wait goes back to 0. Ties keep the first.
    4. Anything else (NaN, an infinity, not eligible, no improvement) adds one to the wait; when ``wait >= patience``
       the run stops there. The wait counts before the first improvement as well.
    5. ``patience`` None never stops. A patience of 0 is read as 1, because no wait can be shorter than one evaluation.

    >>> replay_patience([0.1, 0.3, 0.2, 0.25, 0.9], patience=2)
    Replay(best=1, stop=3)
    >>> replay_patience([1.0, float("nan"), 0.9995, 0.9], mode="min", patience=10, min_delta=0.001)
    Replay(best=3, stop=None)
    """
    if patience is None and min_delta == 0.0 and not warmup:
        return Replay(best=_first_best(values, mode, eligible), stop=None)
    sign = 1.0 if mode == "max" else -1.0
    best: int | None = None
    best_score = -math.inf
    evaluated = wait = 0
    for position, value in enumerate(values):
        if value is None:
            continue
        evaluated += 1
        if evaluated <= warmup:
            continue
        score = sign * value
        allowed = math.isfinite(score) and (eligible is None or eligible[position])
        if allowed and (best is None or score > best_score + min_delta):
            best, best_score, wait = position, score, 0
            continue
        wait += 1
        if patience is not None and wait >= max(patience, 1):
            return Replay(best=best, stop=position)
    return Replay(best=best, stop=None)


def _first_best(values: Sequence[float | None], mode: Mode, eligible: Sequence[bool] | None) -> int | None:
    """Where nothing ends the run early, the kept checkpoint is the first of the best: no value by value in order."""
    allowed = [v for v in values if v is not None and math.isfinite(v)]
    if eligible is not None:
        pairs = zip(values, eligible, strict=True)
        allowed = [v for v, may in pairs if may and v is not None and math.isfinite(v)]
    if not allowed:
        return None
    best = max(allowed) if mode == "max" else min(allowed)
    if eligible is None:
        return values.index(best)
    return next(i for i, (v, may) in enumerate(zip(values, eligible, strict=True)) if may and v == best)
