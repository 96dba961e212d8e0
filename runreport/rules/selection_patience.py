"""selection.stopped-short: training ended while the curve that it was judged by was still rising.

A best epoch is followed by worse ones also where the curve only jitters about its rise, and a least improvement above the
rise an epoch sees none at all. What the curve had still to gain is bounded by the exponential approaches that agree with it.
"""

from __future__ import annotations

from itertools import pairwise

from runreport.context import Context, History, Limits
from runreport.findings import CLEAR, NOTICEABLE_R2, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.base import Rule, Threshold
from runreport.rules.loss_series import Pairs, annealed, cut_by_limit, losses
from runreport.rules.loss_trend import AHEAD, trend_of
from runreport.rules.selection_begun import CORRELATION, WIDENING, Stop, barely_begun, still_widening
from runreport.selection.declared import DeclaredPolicy, monitor_values
from runreport.statistics.saturation import least_gain
from runreport.wording import epoch as epoch_words
from runreport.wording import fixed, number

RULE_ID = "selection.stopped-short"

WINDOW = 8
"""Fewest epochs that a curve is fitted to, where the log has as many."""
LEAST_MONOTONE = 4
"""Fewest epochs where every step improves: 1/4! = 0.04 by chance."""
TURNED = 3
"""Falls in a row from the best on that jitter makes once in 4! orders."""
LEAST_PATIENCE = 5
"""Epochs: with less, one bad draw of a noisy validation figure or two can end a run that still improves."""
STILL = {WIDENING: "The predictions were still widening", CORRELATION: "The correlation was still rising"}
"""Kind -> what had not come to its end, where it is not R²."""
LONG_ENOUGH = 10
"""Epochs from which loss.still-falling judges a run that its limit ended."""


def check_stopped_short(context: Context, limits: Limits) -> Outcome:
    """A least improvement that hid improvements, a patience shorter than the jitter, or a few epochs that all improve."""
    history = context.history
    if history is None:
        return NotChecked(rule=RULE_ID, reason="no history")
    r2, train = losses(history, "r2"), losses(history, "train_loss")
    begun = barely_begun(context)
    if begun is not None and begun.gain >= limits["gain"]:
        return Checked(
            findings=(
                _finding(
                    context, history.epochs[-1], begun, f"Training ended {_of_planned(context, history)}: {begun.says}"
                ),
            )
        )
    if len(r2) < LEAST_MONOTONE or len(train) < LEAST_MONOTONE:
        return NotChecked(rule=RULE_ID, reason=f"needs {LEAST_MONOTONE} epochs with validation R² and a train loss")
    cut = cut_by_limit(context)
    if cut is None:
        return NotChecked(rule=RULE_ID, reason="why the run ended is not known")
    if annealed(context) or (cut and len(r2) >= LONG_ENOUGH):
        # An annealed rate ends a run by plan; long runs that their limit ended are judged by loss.still-falling.
        return CLEAR
    declared = context.selection.declared if context.selection is not None else None
    ahead = AHEAD * len(r2)
    if cut:
        stops = [_all_improve(context, r2, train, ahead)]
    else:
        stops = [
            _hidden(context, declared, r2, train, ahead),
            _rising(r2, train, ahead, declared),
            _rising(_squared_r(history), train, ahead, declared, of="squared correlation")
            if _impatient(declared)
            else None,
            still_widening(context, train),
        ]
    found = next((stop for stop in stops if stop is not None and stop.gain >= limits["gain"]), None)
    if found is None:
        return CLEAR
    ended = "its epochs ran out" if cut else "early stopping ended it"
    still = STILL.get(found.kind, "R² was still rising")
    message = f"{still} when {ended} {_of_planned(context, history)}: {found.says}"
    return Checked(findings=(_finding(context, history.epochs[-1], found, message),))


def _of_planned(context: Context, history: History) -> str:
    """``at epoch 8 of 60``; without a plan that was cut short ``at epoch 8``."""
    planned, last = context.config_number("max_epochs", "epochs", "num_epochs"), history.epochs[-1]
    of = "" if planned is None or cut_by_limit(context) else f" of {planned:.0f}"
    return f"at epoch {epoch_words(last)}{of}"


def _finding(context: Context, last: int | float, found: Stop, message: str) -> Finding:
    declared = context.selection.declared if context.selection is not None else None
    evidence: dict[str, Value] = {
        "kind": found.kind,
        "last_epoch": last,
        "patience": None if declared is None else declared.patience,
        "min_delta": None if declared is None else declared.min_delta,
        "r2_ahead": found.gain,
    }
    return Finding(
        rule=RULE_ID,
        severity=Severity.WARNING,
        message=message,
        evidence=evidence,
        epoch=last,
        split="validation",
        acts_on="r",
    )


def _all_improve(context: Context, r2: Pairs, train: Pairs, ahead: float) -> Stop | None:
    """A few epochs at each of which validation R² and the losses improved, the last step by enough to go on."""
    val = losses(context.history, "val_loss")
    rising = all(b[1] > a[1] for a, b in pairwise(r2)) and all(b[1] < a[1] for a, b in pairwise(train))
    if not rising or any(b[1] >= a[1] for a, b in pairwise(val)):
        return None
    last = r2[-1][1] - r2[-2][1]
    gain = min(last * ahead, 1 - r2[-1][1]) / 2
    says = (
        f"R² and the losses improved at every one of its {len(r2)} epochs, R² by {fixed(last, 2)} at the last, and the "
        f"learning rate had not been annealed. At half that pace half as many epochs again would bring {fixed(gain, 2)} of R²."
    )
    return Stop(kind="all_improve", says=says, gain=gain)


def _hidden(context: Context, declared: DeclaredPolicy | None, r2: Pairs, train: Pairs, ahead: float) -> Stop | None:
    """The monitor did improve within the patience that ended the run, by less than the least improvement that counts."""
    history, saved = context.history, context.saved_epoch
    if declared is None or declared.min_delta <= 0 or declared.patience is None or history is None or saved is None:
        return None
    values = dict(zip(history.epochs, monitor_values(history, declared.monitor), strict=True))
    sign = 1.0 if declared.mode == "max" else -1.0
    at, end = values.get(saved), values.get(history.epochs[-1])
    figures, losses_at = dict(r2), dict(train)
    if at is None or end is None or saved not in figures or saved not in losses_at or saved >= r2[-1][0]:
        return None
    improved, gained = sign * (end - at), r2[-1][1] - figures[saved]
    if not 0 < improved < declared.min_delta or gained <= 0 or losses_at[saved] <= train[-1][1]:
        return None
    pace = gained / (r2[-1][0] - saved)
    gain = min(pace * ahead, 1 - r2[-1][1]) / 2
    says = (
        f"its {declared.monitor} had improved from {number(at)} at the saved epoch {epoch_words(saved)} to {number(end)} at the "
        f"last, which a least improvement of {number(declared.min_delta)} does not count, and R² by {fixed(gained)}. At half "
        f"that pace half as many epochs again would bring {fixed(gain, 2)} more."
    )
    return Stop(kind="least_improvement", says=says, gain=gain)


def _impatient(declared: DeclaredPolicy | None) -> bool:
    """Whether a bad draw or two of the monitor end a run: only then may another figure's rise speak against its verdict."""
    return declared is not None and declared.patience is not None and declared.patience < LEAST_PATIENCE


def _squared_r(history: History) -> Pairs:
    """(epoch, r|r|): what R² would be with mean and spread mended, and free of how those two jitter from epoch to epoch."""
    return [(e, v * abs(v)) for e, v in losses(history, "pearson_r")]


def _rising(r2: Pairs, train: Pairs, ahead: float, declared: DeclaredPolicy | None, of: str = "R²") -> Stop | None:
    """R² and the train loss of the last epochs: what every curve that agrees with them has still to gain."""
    if len(r2) < LEAST_MONOTONE:
        return None
    # What R² did below 0 (a mean that was off, a warm-up) is another course than its last approach.
    above = next((i for i, (_, v) in enumerate(r2) if v > 0), len(r2))
    window = r2[-max(WINDOW, len(r2) - above) :]
    own = trend_of([(e, v) for e, v in train if e >= window[0][0]])
    least = least_gain([v for _, v in window], ahead)
    if least is None or own is None or own.hi >= 0 or _turned(r2):
        return None
    gain = min(least, 1 - r2[-1][1])
    patience = "" if declared is None or declared.patience is None else f" The patience is {declared.patience}."
    says = (
        f"of all exponential approaches that agree with its {of} from epoch {epoch_words(window[0][0])} on (95 %), the one with "
        f"the least to gain has {fixed(gain, 2)} ahead over half as many epochs again.{patience}"
    )
    return Stop(kind="patience" if of == "R²" else CORRELATION, says=says, gain=gain)


def _turned(r2: Pairs) -> bool:
    """Whether R² fell at each of the three epochs or more since its best: a curve that has turned, as of a run that overfits."""
    best = max(range(len(r2)), key=lambda i: r2[i][1])
    after = [v for _, v in r2[best:]]
    return len(after) > TURNED and all(b < a for a, b in pairwise(after))


STOPPED_SHORT = Rule(
    id=RULE_ID,
    title="Training stopped while it was improving",
    meaning="Early stopping, or a limit of a few epochs, ended the run on a curve that was still rising: the patience is "
    "shorter than the curve's jitter, or the least improvement that counts is larger than the improvements.",
    statistic="The curves a - b·exp(-t/τ) that agree with validation R² from its first value above 0 on (profile interval, "
    "95 %), under a train loss that falls: the least rise among them over half as many epochs again. Or: a monitor better at "
    "the last epoch than at the saved one by less than the least improvement. Or, in runs of 4 to 9 epochs that their limit "
    "ended: R² and losses that improve at every epoch; both at half their last pace. With a patience below 5 the same curves for "
    "the squared correlation; after early stopping also a std ratio that rose to the last epoch (Theil-Sen, 95 %) under a "
    "calibration slope shown to be above 1. Only under a rate that is not annealed. Or, whatever ended it: under 100 optimizer "
    "steps (3 epochs where they are not known), R² of the training rows still below 0, and the train loss at its lowest.",
    remedy="Raise the patience, lower the least improvement, or raise the number of epochs. Refuted if the longer run's best R² "
    "is no higher. Acts on r.",
    severities="warning",
    check=check_stopped_short,
    thresholds=(
        Threshold(
            name="gain", default=NOTICEABLE_R2, unit="R²",
            reason="what is sure to come must be noticeable; of converged curves with jitter 1 in 100 pass",
        ),
    ),
)  # fmt: skip
