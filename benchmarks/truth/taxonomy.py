"""The faults, named by what was done to the run: no word of any tool's rules."""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """A fault of a run. The value is its name in results; the class it is scored as is the same thing."""

    LOG_ROWS = "log_rows"
    LOG_VALUES = "log_values"
    NOT_FINITE = "not_finite"
    DIVERGENCE = "divergence"
    LOSS_SPIKES = "loss_spikes"
    LOSS_MISMATCH = "loss_mismatch"
    WARMUP_UNFINISHED = "warmup_unfinished"
    RATE_HIGH = "rate_high"
    RATE_LOW = "rate_low"
    SCALE = "scale"
    BIAS = "bias"
    SIGN = "sign"
    SPLIT_SHIFT = "split_shift"
    GROUP_SHIFT = "group_shift"
    CLIPPED = "clipped"
    SQUASHED = "squashed"
    PENALTY = "penalty"
    TOO_WIDE = "too_wide"
    TOO_NARROW = "too_narrow"
    COLLAPSE = "collapse"
    OVERFIT = "overfit"
    STOPPED_EARLY = "stopped_early"
    WRONG_PICK = "wrong_pick"
    NO_SIGNAL = "no_signal"
    LEAK = "leak"
    LABEL_NOISE = "label_noise"
    DEAD_UNITS = "dead_units"


NONE = "none"
"""The class of a run in which nothing is wrong: healthy, or at the ceiling that its data sets."""

WHAT_WAS_DONE: dict[Fault, str] = {
    Fault.LOG_ROWS: "rows of the log lost, written twice, or written again by a restart",
    Fault.LOG_VALUES: "a logged figure is not what its column says: another formula, another split, two columns swapped",
    Fault.NOT_FINITE: "the weights became NaN at some epoch",
    Fault.DIVERGENCE: "the weights grew without bound from some epoch on",
    Fault.LOSS_SPIKES: "broken batches threw the weights off, again and again",
    Fault.LOSS_MISMATCH: "trained on an asymmetric loss, judged by R²",
    Fault.WARMUP_UNFINISHED: "the warm-up is longer than the run",
    Fault.RATE_HIGH: "learning rate far above what the run bears, or raised in mid-run and left there",
    Fault.RATE_LOW: "learning rate far too low, or decayed to nothing while the run was still learning",
    Fault.SCALE: "predictions in other units than the truth",
    Fault.BIAS: "a constant or drifting offset of all predictions",
    Fault.SIGN: "predictions with the wrong sign about their mean",
    Fault.SPLIT_SHIFT: "the mean of the target differs between training and evaluation data",
    Fault.GROUP_SHIFT: "an offset in some of the groups only",
    Fault.CLIPPED: "outputs cut off at a bound inside the range of the truth",
    Fault.SQUASHED: "a saturating output: the tails of the truth cannot be reached",
    Fault.PENALTY: "a spread penalty so heavy that it sets the spread",
    Fault.TOO_WIDE: "predictions stretched about their mean",
    Fault.TOO_NARROW: "predictions shrunk towards their mean, all through the run",
    Fault.COLLAPSE: "the spread, and part of the signal, is lost from some epoch on",
    Fault.OVERFIT: "trained far past the best epoch; the last one was saved",
    Fault.STOPPED_EARLY: "stopped while the validation curve was still rising",
    Fault.WRONG_PICK: "another epoch saved than the declared monitor's best, or a monitor that prefers worse epochs",
    Fault.NO_SIGNAL: "inputs cut off from the target",
    Fault.LEAK: "evaluation rows, or the target itself, were among the training inputs",
    Fault.LABEL_NOISE: "training rows with the labels of others",
    Fault.DEAD_UNITS: "most or all units of a layer never active, so that none of them learns",
}
