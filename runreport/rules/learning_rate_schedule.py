"""lr.warmup-never-ended, lr.frozen, lr.jump, lr.config-mismatch: what the schedule did, against what was configured."""

from __future__ import annotations

import math

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.learning_rate_shape import (
    AT_PEAK,
    CONSTANT_WORDS,
    PERIODIC_WORDS,
    SAME,
    are_restarts,
    configured_peak,
    dead_stretch,
    epochs_missing,
    is_constant,
    jumps,
    peak_reached,
    rates,
    rise_to_the_end,
    schedule_word,
    zero_stretch,
)
from runreport.rules.loss_series import ANNEALED, Pairs, losses
from runreport.rules.loss_trend import trend_of
from runreport.wording import epoch as epoch_text
from runreport.wording import listing, number, percent, plural

NEVER_ENDED = "lr.warmup-never-ended"
FROZEN = "lr.frozen"
JUMP = "lr.jump"
MISMATCH = "lr.config-mismatch"

JUMP_FACTORS = (2.0, 20.0)
"""Up and down, as lr.jump's own thresholds."""
SETTLING_EPOCHS = 10
"""Epochs that a slope is taken over to say that a loss had settled; as many must have gone before them."""
SETTLES = (
    ("val_loss", -1.0, "The validation loss"),
    ("r2", 1.0, "Validation R²"),
    ("train_loss", -1.0, "The train loss"),
)
"""Columns, the sign of their improvement, and what they are called: validation first, for it is what a run is for."""


def _column(context: Context, rule: str, least: int) -> Pairs | NotChecked:
    if context.history is None:
        return NotChecked(rule=rule, reason="no history")
    pairs = rates(context)
    if not pairs:
        return NotChecked(rule=rule, reason="no learning_rate column")
    if len(pairs) < least:
        return NotChecked(
            rule=rule, reason=f"{plural(len(pairs), 'epoch')} with a learning rate; needs at least {least}"
        )
    if max(v for _, v in pairs) <= 0 and rule != FROZEN:
        return NotChecked(rule=rule, reason="the logged learning rate is 0 throughout")
    return pairs


def check_never_ended(context: Context, limits: Limits) -> Outcome:
    """lr.warmup-never-ended: the rate was rising from the first to the last epoch and is highest at the last."""
    pairs = _column(context, NEVER_ENDED, int(limits["epochs"]))
    if isinstance(pairs, NotChecked):
        return pairs
    rise, peak = rise_to_the_end(pairs), configured_peak(context)
    if rise is None:
        return CLEAR
    if peak is not None and rise.last >= AT_PEAK * peak:
        return CLEAR  # It ended on its peak: the warm-up was as long as the run, and complete.
    if not rise.strict and (peak is None or max(v for _, v in pairs) >= AT_PEAK * peak):
        return CLEAR  # With reductions in between, only a configured peak tells that this was still the warm-up.
    share = None if peak is None else rise.last / peak
    missing = None if peak is None else epochs_missing(rise, peak)
    how = "rose at every epoch" if rise.strict else "rose at all but a few epochs"
    message = (
        f"The learning rate {how} and is highest at the last ({epoch_text(pairs[-1][0])}): "
        f"{number(rise.first)} to {number(rise.last)}"
    )
    if peak is None:
        message += ", so the warm-up never ended; its peak is not known (no learning_rate in the config)."
    else:
        message += f", {percent(share)} of the configured {number(peak)}: the warm-up never ended."
        if missing is not None:
            message += f" At {number(rise.slope)} an epoch it needed {plural(math.ceil(missing - 1e-6), 'more epoch')}."
    evidence: dict[str, Value] = {
        "first": rise.first,
        "last": rise.last,
        "slope": rise.slope,
        "straight": rise.straight,
        "uninterrupted": rise.strict,
        "configured": peak,
        "share_of_configured": share,
        "epochs_missing": missing,
        "warmup_steps": context.config_number("warmup_steps", "num_warmup_steps"),
    }
    unit = context.config.get("warmup_unit")
    if isinstance(unit, str):
        evidence["warmup_unit"] = unit
    finding = Finding(
        rule=NEVER_ENDED,
        severity=Severity.CRITICAL,
        message=message,
        evidence=evidence,
        epoch=pairs[-1][0],
        acts_on="r",
    )
    return Checked(findings=(finding,))


def check_frozen(context: Context, limits: Limits) -> Outcome:
    """lr.frozen: the rate stood at 0, or never changed though a schedule that must change it is configured."""
    least = int(limits["epochs"])
    pairs = _column(context, FROZEN, least)
    if isinstance(pairs, NotChecked):
        return pairs
    zero = zero_stretch(pairs)
    dead = None if zero is not None and zero[1] >= max(3, limits["zero_share"] * len(pairs)) else dead_stretch(pairs)
    if dead is not None and dead[1] >= limits["dead_share"] * len(pairs):
        message = (
            f"The learning rate is at a hundredth of its highest or below for the {plural(dead[1], 'epoch')} from epoch "
            f"{epoch_text(dead[0])} to the end: next to nothing was trained in them."
        )
        return _stood_still(context, pairs, message, dead)
    if zero is not None and dead is None:
        message = (
            f"The learning rate is 0 for {plural(zero[1], 'epoch')} from epoch {epoch_text(zero[0])} on: "
            "nothing was trained in them."
        )
        return _stood_still(context, pairs, message, zero)
    if not is_constant(pairs):
        return CLEAR
    rate = pairs[0][1]
    word = schedule_word(context)
    if word is not None and not any(w in word for w in CONSTANT_WORDS) and not _steps_later(context, pairs):
        message = (
            f"The learning rate is {number(rate)} at all {len(pairs)} epochs, though the configured schedule is "
            f"{word!r:.40}: the scheduler was never stepped."
        )
        return _frozen(message, {"rate": rate, "schedule": word}, pairs[0][0])
    stall = _stall(context)
    patience = context.config_number("plateau_patience", "lr_patience", "scheduler_patience")
    if patience is not None and stall is not None and stall > 2 * (patience + 1):
        message = (
            f"The learning rate is {number(rate)} at all {len(pairs)} epochs, though val_loss did not improve for {stall} "
            f"epochs in a row and the configured plateau patience is {number(patience)}."
        )
        return _frozen(message, {"rate": rate, "patience": patience, "longest_stall": stall}, pairs[0][0])
    if not context.config:
        return NotChecked(
            rule=FROZEN, reason="the rate is constant, and without a config it is unknown whether it should be"
        )
    return CLEAR


def _frozen(
    message: str, evidence: dict[str, Value], epoch: int | float, severity: Severity = Severity.WARNING
) -> Outcome:
    finding = Finding(rule=FROZEN, severity=severity, message=message, evidence=evidence, epoch=epoch, acts_on="r")
    return Checked(findings=(finding,))


def _stood_still(context: Context, pairs: Pairs, message: str, stretch: tuple[int | float, int]) -> Outcome:
    """The finding of a rate that came to nothing: information where the run had settled by then."""
    settled = _settled_before(context, pairs)
    if settled is not None:
        message += f" {settled} had stopped improving before the rate had fallen to a tenth: that costs time only."
    evidence: dict[str, Value] = {"zero_from": stretch[0], "zero_epochs": stretch[1], "settled_before": settled}
    return _frozen(message, evidence, stretch[0], Severity.WARNING if settled is None else Severity.INFO)


def _settled_before(context: Context, pairs: Pairs) -> str | None:
    """The figure that had stopped improving by the time that the rate fell to a tenth of its peak; None where none had.

    Seen over the last fifth of the epochs until then, at least ten: a rate that dies within the first epochs stops a run
    of which nothing is known to have settled.
    """
    top = max(v for _, v in pairs)
    peak = max(i for i, (_, v) in enumerate(pairs) if v == top)
    fell = next((e for e, v in pairs[peak:] if v <= ANNEALED * top), None)
    for name, sign, label in SETTLES:
        until = [(e, v) for e, v in losses(context.history, name) if fell is None or e < fell]
        end = until[-max(SETTLING_EPOCHS, len(until) // 5) :]
        trend = trend_of(end) if len(until) >= 2 * SETTLING_EPOCHS else None
        if trend is not None and not (trend.lo > 0 if sign > 0 else trend.hi < 0):
            return label
    return None


def _steps_later(context: Context, pairs: Pairs) -> bool:
    """Whether a step schedule is configured to act for the first time after the last epoch, or when is not known."""
    word = schedule_word(context) or ""
    if "step" not in word:
        return False
    first = context.config_number("step_size", "lr_step_size", "decay_steps")
    milestones = context.config.get("milestones")
    if isinstance(milestones, list | tuple) and milestones and isinstance(milestones[0], int | float):
        first = float(milestones[0])
    return first is None or first > pairs[-1][0]


def _stall(context: Context) -> int | None:
    """Longest run of epochs without a val_loss below the lowest so far (by 1e-4 of it, as plateau schedulers ask)."""
    values = [v for _, v in losses(context.history, "val_loss")]
    if not values:
        return None
    best, stall, longest = math.inf, 0, 0
    for value in values:
        if value < best - 1e-4 * abs(best if math.isfinite(best) else 0.0):
            best, stall = value, 0
        else:
            stall += 1
            longest = max(longest, stall)
    return longest


def check_jump(context: Context, limits: Limits) -> Outcome:
    """lr.jump: the rate was raised at one step after it had stopped rising, or cut by more than schedules cut."""
    pairs = _column(context, JUMP, 3)
    if isinstance(pairs, NotChecked):
        return pairs
    found = jumps(pairs, limits["up"], limits["down"])
    if not found:
        return CLEAR
    word = schedule_word(context) or ""
    periodic = are_restarts(found, pairs) or any(w in word for w in PERIODIC_WORDS)
    parts = [f"from {number(j.before)} to {number(j.after)} at epoch {epoch_text(j.epoch)}" for j in found]
    message = f"The learning rate jumps {listing(parts, most=4)}."
    if periodic:
        message += " The jumps are those of a schedule with restarts."
    else:
        message += (
            f" No smooth schedule raises it {number(limits['up'], 2)}-fold or cuts it {number(limits['down'], 2)}-fold "
            "within one epoch."
        )
    finding = Finding(
        rule=JUMP,
        severity=Severity.INFO if periodic else Severity.WARNING,
        message=message,
        evidence={
            "jumps": [{"epoch": j.epoch, "before": j.before, "after": j.after} for j in found],
            "periodic": periodic,
        },
        epoch=found[0].epoch,
    )
    return Checked(findings=(finding,))


def check_mismatch(context: Context, limits: Limits) -> Outcome:
    """lr.config-mismatch: the highest logged rate is not the configured one."""
    pairs = _column(context, MISMATCH, 1)
    if isinstance(pairs, NotChecked):
        return pairs
    peak = configured_peak(context)
    if peak is None:
        return NotChecked(rule=MISMATCH, reason="no learning rate in the config")
    top = max(v for _, v in pairs)
    highest = peak_reached(pairs)
    if highest >= (1 - limits["share"]) * peak and top <= (1 + limits["share"]) * peak:
        return CLEAR
    rise = rise_to_the_end(pairs)
    raised = any(j.after == top for j in jumps(pairs, *JUMP_FACTORS))
    died = zero_stretch(pairs) is not None and top < peak
    explained = (rise is not None and top < peak) or (raised and top > peak) or died
    which = "never reached it" if top < peak else "went above it"
    message = (
        f"The config asks for a learning rate of {number(peak)}; the log {which}: its highest is {number(top)} "
        f"({percent(top / peak)} of the configured)."
    )
    if rise is not None and top < peak:
        message += " It was still rising when the run ended."
    elif explained:
        message += " It was raised within the run." if top > peak else " It had fallen to 0 by then."
    finding = Finding(
        rule=MISMATCH,
        # Where the warm-up never ended, the rate jumped or died, that rule says so: one fact is not warned of twice.
        severity=Severity.INFO if explained else Severity.WARNING,
        message=message,
        evidence={"configured": peak, "highest_logged": top, "share": top / peak, "same_within": SAME},
        epoch=next(e for e, v in pairs if v == top),
        acts_on="r",
    )
    return Checked(findings=(finding,))
