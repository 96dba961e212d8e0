"""Which planted fault a rule of runreport names, and why; the one place where the two vocabularies meet.

A rule may name more than one fault: then naming it counts as right for each of them, and as the first of them where it is
wrong. Rules that state a caveat about the sample, not a fault, name none.
"""

from __future__ import annotations

from benchmarks.truth.taxonomy import NONE, Fault

CAVEAT: tuple[str, ...] = ()

RULES: dict[str, tuple[str, ...]] = {
    # The log: rows, or what stands in them.
    "log.inconsistent": (Fault.LOG_VALUES,),
    "log.gaps": (Fault.LOG_ROWS,),
    "log.duplicate-epochs": (Fault.LOG_ROWS,),
    "log.truncated": (Fault.LOG_ROWS,),
    "log.restarts": (Fault.LOG_ROWS,),
    "loss.not-finite": (Fault.NOT_FINITE,),
    "loss.divergence": (Fault.DIVERGENCE,),
    "loss.spike": (Fault.LOSS_SPIKES,),
    # A loss that stands still says that too little was learned, for want of rate or of signal.
    "loss.plateau": (Fault.RATE_LOW, Fault.NO_SIGNAL),
    # Cut off while improving: stopped, or so slow that the end came first.
    "loss.still-falling": (Fault.STOPPED_EARLY, Fault.RATE_LOW, Fault.WARMUP_UNFINISHED),
    "loss.metric-disagree": (Fault.LOSS_MISMATCH,),
    "loss.other-target": (Fault.LOSS_MISMATCH,),
    # Either the loss is another one than stated, or a column is.
    "loss.unreconciled": (Fault.LOSS_MISMATCH, Fault.LOG_VALUES),
    "lr.warmup-never-ended": (Fault.WARMUP_UNFINISHED,),
    # A rate that stands still is a schedule that was lost: at the peak (never decayed) or at nothing.
    "lr.frozen": (Fault.RATE_LOW, Fault.RATE_HIGH),
    # Up or down; the message says which.
    "lr.jump": (Fault.RATE_HIGH, Fault.RATE_LOW),
    "lr.too-high": (Fault.RATE_HIGH,),
    "lr.unsettled": (Fault.RATE_HIGH,),
    "lr.too-low": (Fault.RATE_LOW,),
    "lr.config-mismatch": (Fault.WARMUP_UNFINISHED, Fault.RATE_LOW, Fault.RATE_HIGH),
    "gradient.ratio": CAVEAT,
    "gradient.vanishing": (Fault.RATE_LOW,),
    "gradient.exploding": (Fault.DIVERGENCE, Fault.RATE_HIGH, Fault.LOSS_SPIKES),
    "scale.mismatch": (Fault.SCALE,),
    "bias.dominates": (Fault.BIAS,),
    # Constant at the end: fallen there, or never wider.
    "collapse.constant": (Fault.COLLAPSE, Fault.TOO_NARROW),
    "collapse.onset": (Fault.COLLAPSE,),
    "spread.under": (Fault.TOO_NARROW, Fault.COLLAPSE),
    "spread.over": (Fault.TOO_WIDE,),
    # Says both "nothing there" and "no more there than this": the second is no fault.
    "signal.limited": (Fault.NO_SIGNAL, NONE),
    "signal.inverted": (Fault.SIGN,),
    "range.saturated": (Fault.CLIPPED, Fault.SQUASHED),
    "range.unreached": (Fault.SQUASHED, Fault.CLIPPED),
    # Its message is by group or by bin of the truth, whichever is off; bins are off where outputs are bounded.
    "segment.bias": (Fault.GROUP_SHIFT, Fault.CLIPPED, Fault.SQUASHED),
    "penalty.dominates": (Fault.PENALTY,),
    "penalty.batch-bias": (Fault.PENALTY,),
    "fit.overfit": (Fault.OVERFIT,),
    # Even the training rows were not learned: too few or too small steps, or nothing to learn.
    "fit.underfit": (Fault.RATE_LOW, Fault.WARMUP_UNFINISHED, Fault.STOPPED_EARLY, Fault.NO_SIGNAL),
    # Keeping the last epoch of an overfitted run is a wrong pick as well.
    "selection.wrong-pick": (Fault.WRONG_PICK, Fault.OVERFIT),
    "selection.collapsed-pick": (Fault.WRONG_PICK, Fault.COLLAPSE),
    "selection.indistinguishable": CAVEAT,
    "selection.not-the-policy": (Fault.WRONG_PICK,),
    "selection.monitors-disagree": (Fault.WRONG_PICK, Fault.LOSS_MISMATCH),
    "selection.too-early": (Fault.STOPPED_EARLY, Fault.WRONG_PICK),
    # Best at the very end: more was to come; far from it: trained on for nothing.
    "selection.too-late": (Fault.STOPPED_EARLY, Fault.OVERFIT),
    "selection.stopped-short": (Fault.STOPPED_EARLY,),
    "selection.optimism": CAVEAT,
    "data.few": CAVEAT,
    "data.dependent": CAVEAT,
    "data.leak": (Fault.LEAK,),
    "data.shift": (Fault.SPLIT_SHIFT,),
}

ONSETS = ("loss.not-finite", "loss.divergence", "loss.spike", "lr.jump", "lr.frozen", "collapse.onset")
"""Rules whose epoch is where something began; the epoch of most others is the one that was saved."""

PEERS: dict[str, dict[str, tuple[str, ...]]] = {
    "losslint": {
        "nan_inf": (Fault.NOT_FINITE,),
        "step_backtrack": (Fault.LOG_ROWS,),
        "parse": (Fault.LOG_ROWS, Fault.NOT_FINITE),
        "loss_spike": (Fault.LOSS_SPIKES, Fault.RATE_HIGH),
        "divergence": (Fault.DIVERGENCE, Fault.RATE_HIGH),
        "overfit_onset": (Fault.OVERFIT, Fault.WRONG_PICK),
        "stagnation": (Fault.RATE_LOW, Fault.WARMUP_UNFINISHED, Fault.NO_SIGNAL, Fault.COLLAPSE),
    },
    "runmedic": {
        "non_finite": (Fault.NOT_FINITE,),
        "divergence": (Fault.DIVERGENCE, Fault.RATE_HIGH),
        "loss_spikes": (Fault.LOSS_SPIKES, Fault.RATE_HIGH),
        "no_learning": (Fault.RATE_LOW, Fault.WARMUP_UNFINISHED, Fault.NO_SIGNAL, Fault.COLLAPSE),
        "overfitting": (Fault.OVERFIT, Fault.WRONG_PICK),
        "val_below_train": (Fault.LEAK,),
        "grad_spikes": (Fault.LOSS_SPIKES, Fault.DIVERGENCE, Fault.RATE_HIGH),
        "constant_lr_plateau": (Fault.RATE_HIGH, Fault.RATE_LOW),
    },
    "trainspotter": {
        "spikes": (Fault.LOSS_SPIKES, Fault.RATE_HIGH),
        "divergence": (Fault.DIVERGENCE, Fault.NOT_FINITE, Fault.RATE_HIGH),
        "plateau": (Fault.RATE_LOW, Fault.WARMUP_UNFINISHED, Fault.NO_SIGNAL, Fault.COLLAPSE),
        "overfitting": (Fault.OVERFIT, Fault.WRONG_PICK),
        "lr_schedule": (Fault.WARMUP_UNFINISHED, Fault.RATE_HIGH, Fault.RATE_LOW),
        "grad_norm": (Fault.DIVERGENCE, Fault.LOSS_SPIKES, Fault.RATE_HIGH),
        "loss_floor": (Fault.LEAK, Fault.COLLAPSE),
        "eval_noise": (Fault.RATE_HIGH,),
    },
    "trainproof": {
        "TP-NAN": (Fault.NOT_FINITE,),
        "TP-NAN-GRAD": (Fault.NOT_FINITE,),
        "TP-FLAT": (Fault.RATE_LOW, Fault.WARMUP_UNFINISHED, Fault.NO_SIGNAL, Fault.COLLAPSE),
        "TP-DIVERGE": (Fault.DIVERGENCE, Fault.RATE_HIGH),
        "TP-DEAD-RUN": (Fault.RATE_LOW, Fault.WARMUP_UNFINISHED, Fault.NO_SIGNAL, Fault.COLLAPSE),
        "TP-GRAD-SPIKE": (Fault.LOSS_SPIKES, Fault.DIVERGENCE, Fault.RATE_HIGH),
        "TP-ZERO-LR": (Fault.RATE_LOW,),
        "TP-ZERO-LR-PARTIAL": (Fault.RATE_LOW,),
        "TP-OVERFIT": (Fault.OVERFIT, Fault.WRONG_PICK),
    },
}
"""Tool -> name of a check -> faults that it names, generously: whatever its message could be meant to say."""
