"""loss.spike: single epochs at which the loss jumps up."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runreport.context import Context, History, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.loss_series import Pairs, all_positive, losses, start_level, usual_step
from runreport.rules.loss_values import FLOOR_SHARE
from runreport.statistics.trend import robust_z
from runreport.wording import epoch as epoch_text
from runreport.wording import listing, number, percent, plural

SPIKE = "loss.spike"
LEAST_EPOCHS = 10
SETTLING = 3
"""Steps at the start that are not judged: a warm-up or a first large step may raise the loss before it falls."""
SPAN_SHARE = 0.1
"""Losses that are not positive have no relative rise: there it must be this share of the loss's whole range."""
RETURN_WITHIN = 3
"""Epochs within which a loss that comes back has spiked; later, it has moved."""
RESTART_FACTOR = 1.5
"""A rate that rises by this factor at the epoch of the jump has been restarted: the jump is the schedule's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Spike:
    """One jump: ``z`` of the step, the value before and at it, when it was back (None: not within three epochs)."""

    epoch: int | float
    z: float
    before: float
    at: float
    back: int | float | None
    restarted: bool


def find_spikes(history: History, pairs: Pairs, *, z: float, rise: float) -> list[Spike]:
    """Upward steps of a loss beyond ``z`` robust standard deviations of its steps and by the share ``rise`` or more.

    Steps of log loss where the loss is positive throughout, else of the loss. Steps over missing rows are left out, and
    so are the first three.
    """
    logs = all_positive(pairs)
    values = [math.log(v) if logs else v for _, v in pairs]
    span = max(values) - min(values)
    least = math.log1p(rise) if logs else SPAN_SHARE * span
    widest, start = 1.5 * usual_step(history), start_level(pairs)
    usable = [i for i in range(1, len(pairs)) if pairs[i][0] - pairs[i - 1][0] <= widest]
    scores = robust_z([values[i] - values[i - 1] for i in usable])
    found = []
    for i, score in zip(usable, scores, strict=True):
        step = values[i] - values[i - 1]
        if i <= SETTLING or score is None or score < z or step < least:
            continue
        if logs and pairs[i][1] < FLOOR_SHARE * start:
            continue
        half = values[i - 1] + step / 2
        back = next(
            (pairs[j][0] for j in range(i + 1, min(i + 1 + RETURN_WITHIN, len(pairs))) if values[j] < half), None
        )
        rate, rate_before = history.at(pairs[i][0], "learning_rate"), history.at(pairs[i - 1][0], "learning_rate")
        restarted = rate is not None and rate_before is not None and rate > RESTART_FACTOR * rate_before
        found.append(
            Spike(epoch=pairs[i][0], z=score, before=pairs[i - 1][1], at=pairs[i][1], back=back, restarted=restarted)
        )
    return found


def check_spike(context: Context, limits: Limits) -> Outcome:
    """loss.spike on the train loss; on the validation loss, as information, where no train loss was logged."""
    history = context.history
    if history is None:
        return NotChecked(rule=SPIKE, reason="no history")
    name = "train_loss" if history.has("train_loss") else "val_loss"
    pairs = losses(history, name)
    if not pairs:
        return NotChecked(rule=SPIKE, reason="no train_loss and no val_loss column with finite values")
    if len(pairs) < LEAST_EPOCHS:
        return NotChecked(
            rule=SPIKE, reason=f"{plural(len(pairs), 'epoch')} with a finite loss; needs at least {LEAST_EPOCHS}"
        )
    spikes = find_spikes(history, pairs, z=limits["z"], rise=limits["rise"])
    if not spikes:
        return CLEAR
    what = "train loss" if name == "train_loss" else "validation loss"
    worst = max(spikes, key=lambda s: s.z)
    unexplained = [s for s in spikes if not s.restarted]
    message = (
        f"The {what} jumps up at {'epoch' if len(spikes) == 1 else 'epochs'} "
        f"{listing([epoch_text(s.epoch) for s in spikes], most=6)}: at epoch {epoch_text(worst.epoch)} from "
        f"{number(worst.before)} to {number(worst.at)}, {number(worst.z, 2)} robust standard deviations of its steps "
        f"(threshold {number(limits['z'], 2)})."
    )
    if not unexplained:
        message += " The learning rate was raised at the same epoch each time."
    elif all(s.back is None for s in unexplained):
        message += f" It was not half way back within {RETURN_WITHIN} epochs."
    evidence: dict[str, Value] = {
        "column": name,
        "spikes": [
            {"epoch": s.epoch, "z": s.z, "before": s.before, "at": s.at, "back": s.back, "rate_raised": s.restarted}
            for s in spikes
        ],
        "share_of_epochs": len(spikes) / len(pairs),
    }
    if all_positive(pairs):
        evidence["largest_rise"] = percent(worst.at / worst.before - 1)
    finding = Finding(
        rule=SPIKE,
        severity=Severity.WARNING if unexplained and name == "train_loss" else Severity.INFO,
        message=message,
        evidence=evidence,
        epoch=worst.epoch,
        split="train" if name == "train_loss" else "validation",
    )
    return Checked(findings=(finding,))
