"""Advice on the scale that the loss sees and on regularisation: too little of it, or too much. Acts on r, scale on β."""

from __future__ import annotations

import math

from runreport.advice.evidence import Evidence
from runreport.advice.expectation import more_information, r_refuted
from runreport.advice.rate import RATE_STEP, rate_of
from runreport.advice.record import Advice, Expected
from runreport.findings import Finding, Value
from runreport.marks import code
from runreport.wording import number, percent, setting

UNSETTLED_SHARE, UNSETTLED_EPOCHS = 0.2, 5
"""Share of the epochs, and epochs, that went into finding the target's scale: a fifth of the training for what a setting gives
for free; in a very short log that share is an epoch or two."""
LARGE_DECAY = 1.0
"""Weight decay (decoupled) from which it is no choice within the usual 0.01-0.1: ten times the upper end."""
USUAL_DECAY = 0.01
"""AdamW's own default in PyTorch (Loshchilov & Hutter 2019, arXiv:1711.05101)."""


def match_scale(evidence: Evidence) -> Advice | None:
    """Predictions live on another scale than the target, or took much of the training to get to it."""
    finding = evidence.found("scale.mismatch") or _slow_start(evidence)
    if finding is None:
        return None
    context = evidence.context
    mean, std = context.split_statistic("train", "true_mean"), context.split_statistic("train", "true_std")
    known = f" (mean {number(mean)}, std {number(std)})" if mean is not None and std is not None else ""
    patch: dict[str, Value] = {}
    if context.config.get("standardise_target") is True:
        how = (
            f"The loss already sees a standardised target ({code('standardise_target: true')}): look at how predictions are "
            "brought back to the target's units, and whether the rate let the output move at all."
        )
    else:
        how = (
            f"Train on (y - mean) / std of the training targets{known} and undo it on the way out, or start the output's bias "
            "at the training mean."
        )
        if "standardise_target" in context.config:
            patch["standardise_target"] = True
        elif mean is not None and "output_init_bias" in context.config:
            patch["output_init_bias"] = float(f"{mean:.4g}")
    return Advice(
        id="scale.standardise",
        title="Standardise the target" if patch or not how.startswith("The loss") else "Find where the scale is lost",
        text=f"{evidence.refer(finding)}: {how[0].lower()}{how[1:]}",
        because=(finding.rule,),
        acts_on="beta",
        config_patch=patch,
        expected=Expected(metric="bias", low=-0.5, high=0.5, basis="at the first epoch: the output starts at the mean"),
        refuted_if="|β| of the first epoch is still above 0.5",
        ceiling_r2=evidence.ceiling,
    )


def _slow_start(evidence: Evidence) -> Finding | None:
    """A start off the target's scale that cost a share of the epochs, where a setting would have spared it."""
    finding = evidence.found("scale.mismatch", at_least="info")
    if finding is None or evidence.context.config.get("standardise_target") is not False:
        return None
    share, epochs = finding.evidence.get("share_of_epochs"), finding.evidence.get("epochs_unsettled")
    if not isinstance(share, int | float) or not isinstance(epochs, int | float):
        return None
    return finding if share >= UNSETTLED_SHARE and epochs >= UNSETTLED_EPOCHS else None


def _raised(decay: float | None, key: str | None) -> str:
    return f" (from {setting(decay)} to {number(decay * RATE_STEP, 2)})" if decay and key else ""


def regularise(evidence: Evidence) -> Advice | None:
    """The model fits the training set and loses the validation set."""
    finding = evidence.found("fit.overfit")
    if finding is None:
        return None
    key = evidence.key("weight_decay")
    decay = evidence.context.config_number("weight_decay")
    patch: dict[str, Value] = {key: float(f"{decay * RATE_STEP:.2g}")} if key and decay else {}
    if key and decay == 0:
        patch[key] = USUAL_DECAY
    return Advice(
        id="fit.regularise",
        title="Regularise, or stop earlier",
        text=f"{evidence.refer(finding)}: raise weight decay{_raised(decay, key)}, shrink the model, or augment; keep the epoch "
        "before the fall.",
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=more_information(evidence),
        refuted_if=r_refuted(evidence, "the gap between train and validation R² does not shrink"),
        ceiling_r2=evidence.ceiling,
    )


def lower_decay(evidence: Evidence) -> Advice | None:
    """A weight decay that takes every weight to nothing within the run, in a run that shows it."""
    context, rate = evidence.context, rate_of(evidence)
    decay, batch = context.config_number("weight_decay"), context.config_number("batch_size")
    n = context.split_statistic("train", "n")
    finding = evidence.found(
        "spread.under", "fit.underfit", "collapse.constant", "range.unreached", "loss.still-falling"
    )
    if finding is None or decay is None or decay < LARGE_DECAY or rate is None:
        return None
    if context.history is None or not batch or not n:
        return None
    rates = [value for _, value in context.history.finite("learning_rate")] or [rate.value] * len(context.history)
    steps = math.ceil(n / batch)
    pull = decay * steps * sum(rates)
    if pull < 1:
        return None
    text = (
        f"{evidence.refer(finding)}: {code('weight_decay')} is {setting(decay)}: over the logged rates it alone would leave "
        f"{percent(math.exp(-pull), 2)} of a weight that no gradient holds up. Set it to {USUAL_DECAY}, the optimizer's own "
        "default."
    )
    return Advice(
        id="fit.lower-decay",
        title="Lower the weight decay",
        text=text,
        because=(finding.rule,),
        acts_on="r",
        config_patch={"weight_decay": USUAL_DECAY},
        expected=more_information(evidence),
        refuted_if=r_refuted(evidence, "the std ratio does not rise"),
        ceiling_r2=evidence.ceiling,
    )
