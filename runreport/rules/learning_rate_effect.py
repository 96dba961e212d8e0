"""lr.too-high and lr.too-low: what the loss did under the rates that were used.

No log proves that another rate would have been better. These rules fire only on courses of the train loss that a
suitable rate does not leave: a loss that runs away, never falls or only shakes under a high rate, and one that still
falls at its first, slow pace when the run ends.
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import median

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.learning_rate_shape import configured_peak, rates, rise_to_the_end
from runreport.rules.learning_rate_weights import LEARNED_R2, blown_up, out_of_reach
from runreport.rules.loss_series import Pairs, all_positive, best_r2, cut_by_limit, log_losses, losses, start_level
from runreport.rules.loss_trend import trend_of
from runreport.rules.loss_values import find_divergence
from runreport.rules.penalty_facts import penalty_of
from runreport.statistics.trend import MAD_TO_STD, has_interval
from runreport.wording import epoch as epoch_text
from runreport.wording import number, percent, plural

TOO_HIGH = "lr.too-high"
TOO_LOW = "lr.too-low"

NEAR_PEAK = 0.5
"""Rates from half of the highest on count as high."""
NOT_LOWERED = 0.2
"""A loss that shakes in place at a rate this share of its highest, or above, was not quieted by lowering it."""
DROP = 0.5
"""A step of the rate to half or less is a reduction whose effect can be looked at."""
WINDOW = 5
"""Epochs before and after a reduction that are compared, and that a high rate must have lasted."""
NO_PROGRESS = 0.9
"""A loss still at this share of its start has not been lowered."""
RELIEF = 0.8
"""A fall to this share of its level within the epochs after a reduction is its effect, or comes with it."""
FLOOR = 0.05
"""Below this share of its start a loss is near its floor, where relative jitter is large in every healthy run."""
SMOOTH = 0.05
"""Share of upward steps up to which a loss descends without shaking."""
FITTED_R2 = 0.8
"""A model that explains this much of its training set was not held back by its rate."""


def _inputs(context: Context, rule: str, least: int) -> tuple[Pairs, Pairs] | NotChecked:
    """(train losses, rates); a configured rate stands in where no rate was logged and no schedule can have changed it."""
    if context.history is None:
        return NotChecked(rule=rule, reason="no history")
    pairs = losses(context.history, "train_loss")
    if not pairs:
        return NotChecked(rule=rule, reason="no train_loss column with finite values")
    if len(pairs) < least:
        return NotChecked(
            rule=rule, reason=f"{plural(len(pairs), 'epoch')} with a finite train loss; needs at least {least}"
        )
    if not all_positive(pairs):
        return NotChecked(rule=rule, reason="the train loss is not positive throughout")
    logged = rates(context)
    if not logged or max(v for _, v in logged) <= 0:
        return NotChecked(rule=rule, reason="no learning_rate column")
    return pairs, logged


def check_too_high(context: Context, limits: Limits) -> Outcome:
    """lr.too-high: divergence at a high rate; no progress before a reduction and much after it; or shaking in place."""
    given = _inputs(context, TOO_HIGH, int(limits["epochs"]))
    if isinstance(given, NotChecked):
        return given
    pairs, logged = given
    # A penalty on the spread of a batch shakes by itself, the more the smaller the batch, and starts far above where it
    # ends: such a loss tells nothing of the rate by its jitter or its first value.
    penalty = penalty_of(context)
    alone = penalty is None or penalty.weight <= 0
    for found in (
        _ran_away(pairs, logged, limits),
        _burnt_out(context, pairs, logged, limits) if alone else None,
        _freed_by_reduction(pairs, logged),
        _shaking(context, pairs, logged, limits) if alone else None,
        blown_up(context, pairs, alone=alone),
    ):
        if found is not None:
            message, evidence, epoch = found
            finding = Finding(
                rule=TOO_HIGH,
                severity=Severity.WARNING,
                message=message,
                evidence=evidence,
                epoch=epoch,
                split="train",
                acts_on="r",
            )
            return Checked(findings=(finding,))
    return CLEAR


Found = tuple[str, dict[str, Value], int | float]


def _ran_away(pairs: Pairs, logged: Pairs, limits: Limits) -> Found | None:
    found = find_divergence(pairs, limits["factor"])
    rate = None if found is None else dict(logged).get(found.epoch)
    top = max(v for _, v in logged)
    if found is None or rate is None or rate < NEAR_PEAK * top or not math.isfinite(found.rise):
        return None
    message = (
        f"The train loss ran away ({number(found.rise, 2)} times its minimum) at epoch {epoch_text(found.epoch)}, while the "
        f"learning rate was {number(rate)}, {percent(rate / top, 0)} of its highest."
    )
    return message, {"kind": "divergence", "rate": rate, "highest": top, "rise": found.rise}, found.epoch


def _burnt_out(context: Context, pairs: Pairs, logged: Pairs, limits: Limits) -> Found | None:
    """A loss that starts far above where it then stays, with no gradient left and nothing learned: units died at once.

    The start alone says nothing (a target far from zero starts high, too); the gradient that is gone tells.
    """
    known, norms = best_r2(context.history), losses(context.history, "grad_norm_total")
    if known is None or known[1] >= LEARNED_R2 or len(norms) < 2 * WINDOW:
        return None
    level = median(v for _, v in pairs[len(pairs) // 2 :])
    top, left = max(v for _, v in norms), median(v for _, v in norms[-WINDOW:])
    if pairs[0][1] < limits["blow_up"] * level or left > limits["gradient_left"] * top:
        return None
    rate = logged[0][1]
    message = (
        f"The train loss was {number(pairs[0][1])} at epoch {epoch_text(pairs[0][0])}, {number(pairs[0][1] / level, 2)} times "
        f"the {number(level)} at which it then stayed, the gradient norm ended at {number(left / top)} of its maximum and R² "
        f"never exceeded {number(known[1], 2)}, at a learning rate of {number(rate)} in the first epoch."
    )
    evidence: dict[str, Value] = {
        "kind": "burnt_out",
        "first": pairs[0][1],
        "level": level,
        "gradient_left": left / top,
        "best_r2": known[1],
        "rate": rate,
    }
    return message, evidence, pairs[0][0]


def _freed_by_reduction(pairs: Pairs, logged: Pairs) -> Found | None:
    rate_at = dict(logged)
    joint = [(e, v, rate_at[e]) for e, v in pairs if e in rate_at]
    top = max(v for _, v in logged)
    for i in range(WINDOW, len(joint) - 1):
        before_rate, rate = joint[i - 1][2], joint[i][2]
        if rate > DROP * before_rate or before_rate < NEAR_PEAK * top:
            continue
        before = median(v for _, v, _ in joint[i - WINDOW : i])
        after = median(v for _, v, _ in joint[i : i + WINDOW])
        start = joint[0][1]
        if min(v for _, v, _ in joint[:i]) >= NO_PROGRESS * start and after <= RELIEF * before:
            message = (
                f"Under a learning rate of {number(before_rate)} the train loss did not fall ({number(start)} at epoch "
                f"{epoch_text(joint[0][0])}, {number(before)} before epoch {epoch_text(joint[i][0])}); it fell to "
                f"{number(after)} once the rate was cut to {number(rate)}."
            )
            evidence: dict[str, Value] = {
                "kind": "freed",
                "rate_before": before_rate,
                "rate_after": rate,
                "loss_start": start,
                "loss_before": before,
                "loss_after": after,
            }
            return message, evidence, joint[i][0]
        break  # Only the first reduction speaks of the rate that the run started with.
    return None


def _shaking(context: Context, pairs: Pairs, logged: Pairs, limits: Limits) -> Found | None:
    known = best_r2(context.history)
    half = pairs[len(pairs) // 2 :]
    top = max(v for _, v in logged)
    if (
        len(half) < 2 * WINDOW
        or (known is not None and known[0] == "train_r2" and known[1] >= FITTED_R2)
        or any(v < NOT_LOWERED * top for e, v in logged if e >= half[0][0])
    ):
        return None
    level = median(v for _, v in half)
    logs = log_losses(half)
    steps = [b[1] - a[1] for a, b in pairwise(logs)]
    centre = median(steps)
    jitter = MAD_TO_STD * median(abs(s - centre) for s in steps)
    if jitter < limits["jitter"] or level < FLOOR * start_level(pairs):
        return None
    trend = trend_of(logs)  # last: its slopes take longer than all the rest
    if trend is None or not trend.lo <= 0 <= trend.hi:
        return None
    message = (
        f"From epoch {epoch_text(half[0][0])} on the train loss only shakes: it changes by a factor of "
        f"{number(math.exp(jitter), 3)} from epoch to epoch (threshold {number(math.exp(limits['jitter']), 3)}) without a "
        f"trend, at a rate that stays within a factor of {1 / NOT_LOWERED:.0f} of its highest, {number(top)}."
    )
    evidence: dict[str, Value] = {"kind": "jitter", "jitter_log": jitter, "level": level, "highest": top}
    return message, evidence, half[0][0]


def check_too_low(context: Context, limits: Limits) -> Outcome:
    """lr.too-low: the train loss falls at the pace of its first third to the end, and has fallen little."""
    unreached = out_of_reach(context)
    if unreached is not None and not _still_warming(context, rates(context)):
        message, evidence, epoch = unreached
        return Checked(findings=(_too_low(message, evidence, epoch),))
    given = _inputs(context, TOO_LOW, int(limits["epochs"]))
    if isinstance(given, NotChecked):
        return given
    pairs, logged = given
    top = max(v for _, v in logged)
    if _still_warming(context, logged):
        return CLEAR  # The warm-up never ended: that rule names the cause.
    known = best_r2(context.history)
    if cut_by_limit(context) is False:
        return CLEAR  # Early stopping ended it: validation had stopped improving.
    if known is not None and known[0] == "train_r2" and known[1] >= FITTED_R2:
        return CLEAR
    timed = _by_rate(pairs, logged, top)
    parts = _thirds(timed)
    no_slope = NotChecked(rule=TOO_LOW, reason="too few epochs in a third of the training for a slope")
    if not all(has_interval([x for x, _ in part]) for part in parts):
        return no_slope
    fall = 1 - median(math.exp(v) for _, v in parts[1]) / pairs[0][1]
    ups = sum(b[1] > a[1] for a, b in pairwise(pairs)) / (len(pairs) - 1)
    if not fall < limits["fall"] or ups > limits["upward"]:
        return CLEAR  # before the slopes, which take longer than all the rest
    first, last = trend_of(parts[0]), trend_of(parts[1])
    if first is None or last is None:
        return no_slope
    pace = last.slope / first.slope if first.slope < 0 else 0.0
    # A loss that hardly ever rises was not shaking under its higher rates: then a quicker end is that of a late start.
    same_pace = first.hi < 0 and last.hi < 0 and limits["pace"] <= pace and (pace <= limits["quicker"] or ups <= SMOOTH)
    if not same_pace or _validation_stands(context, pairs[-len(parts[1])][0]):
        return CLEAR
    halving = math.log(2) / -last.slope
    message = (
        f"The train loss fell by only {percent(fall)} and at the same pace to the end: per epoch at the highest rate of "
        f"{number(top)} it fell {percent(-math.expm1(first.slope), 2)} in the first third of the training and "
        f"{percent(-math.expm1(last.slope), 2)} in the last, so it takes {plural(math.ceil(halving), 'such epoch')} to halve."
    )
    evidence = {
        "fall": fall,
        "first_slope": first.slope,
        "last_slope": last.slope,
        "last_interval": [last.lo, last.hi],
        "upward_steps": ups,
        "halving_epochs": halving,
        "highest": top,
    }
    return Checked(findings=(_too_low(message, evidence, pairs[-1][0]),))


def _still_warming(context: Context, logged: Pairs) -> bool:
    """Whether the rate rose to the end without reaching the configured peak."""
    peak = configured_peak(context)
    return rise_to_the_end(logged) is not None and (peak is None or max(v for _, v in logged) < 0.99 * peak)


def _too_low(message: str, evidence: dict[str, Value], epoch: int | float) -> Finding:
    return Finding(
        rule=TOO_LOW,
        severity=Severity.WARNING,
        message=message,
        evidence=evidence,
        epoch=epoch,
        split="train",
        acts_on="r",
    )


def _by_rate(pairs: Pairs, logged: Pairs, top: float) -> list[tuple[float, float]]:
    """(training so far, log loss): training counted in epochs at the highest rate, the sum of rates over ``top``.

    Small steps follow the gradient flow, whose time is the sum of the rates: counted so, a schedule that lowers the rate
    does not look like a loss that levels off.
    """
    rate_at = dict(logged)
    points, spent = [], 0.0
    for epoch, value in pairs:
        spent += rate_at.get(epoch, 0.0) / top
        points.append((spent, math.log(value)))
    return points


def _thirds(points: list[tuple[float, float]]) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
    """The points of the first and of the last third of the training."""
    start, end = points[0][0], points[-1][0]
    third = (end - start) / 3
    return [p for p in points if p[0] <= start + third], [p for p in points if p[0] >= end - third]


def _validation_stands(context: Context, start: int | float) -> bool:
    """Whether a validation figure is logged and did not improve since epoch ``start``: then a faster fit gains nothing."""
    for name, sign in (("val_loss", -1.0), ("r2", 1.0)):
        trend = trend_of([(e, v) for e, v in losses(context.history, name) if e >= start])
        if trend is not None:
            return not (trend.lo > 0 if sign > 0 else trend.hi < 0)
    return False
