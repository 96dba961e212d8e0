"""Advice on the training itself: learning rate, scale, which epoch to keep, when to stop. Acts on r."""

from __future__ import annotations

from runreport.advice.evidence import Evidence
from runreport.advice.record import Advice, Expected
from runreport.findings import Finding, Value
from runreport.marks import code
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, interval, number, setting

WARMUP_SHARE = 0.1
"""Share of the planned epochs a warm-up should take: the usual 5-10 %, and it leaves nine tenths at full rate."""
RATE_STEP = 3.0
"""Factor by which a learning rate is changed at a time: half a decade, the usual grid of a rate search."""
PATIENT = 20
"""Epochs of patience that are advised where it was too short: twice the least that counts as patient."""
LONGER = 1.5
"""Factor on the epochs when a run was cut while still improving."""


def _more_information(evidence: Evidence) -> Expected | None:
    """r should rise above what this run's interval allows; less cannot be told from no change."""
    bounds = evidence.interval("pearson_r")
    if bounds is None:
        return None
    return Expected(
        metric="pearson_r", low=bounds[1], high=1.0, basis="above the upper end of this run's 95 % interval of r"
    )


def _r_refuted(evidence: Evidence, cause: str) -> str:
    bounds = evidence.interval("pearson_r")
    if bounds is None:
        return f"{cause}, or r does not rise"
    return f"{cause}, or r of the next run stays within {interval(bounds)}"


def end_warmup(evidence: Evidence) -> Advice | None:
    """The rate was still warming up when training ended."""
    finding = evidence.found("lr.warmup-never-ended")
    if finding is None:
        return None
    config = evidence.context.config
    planned = evidence.context.config_number("max_epochs", "epochs", "num_epochs")
    patch: dict[str, Value] = {}
    if config.get("warmup_unit") == "epoch" and "warmup_steps" in config:
        patch["warmup_unit"] = "step"
        how = "Step the warm-up once a batch instead of once an epoch (" + code("warmup_unit: step") + ")"
    elif "warmup_epochs" in config and planned:
        patch["warmup_epochs"] = max(1, round(WARMUP_SHARE * planned))
        how = f"Shorten the warm-up to {patch['warmup_epochs']} epochs"
    else:
        how = "Shorten the warm-up so that it ends within the first tenth of the epochs"
    return Advice(
        id="lr.repair-warmup",
        title="Let the learning rate leave its warm-up",
        text=f"{evidence.refer(finding)}: {how[0].lower()}{how[1:]}. This run shows what the model does at its warm-up rates "
        "only; whether model, loss or data limit it can be told once the rate has reached its peak.",
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=_more_information(evidence),
        refuted_if=_r_refuted(evidence, code("learning_rate") + " still has its maximum at the last epoch"),
        ceiling_r2=evidence.ceiling,
    )


def log_rate(evidence: Evidence) -> Advice | None:
    """No signal, and the log does not even say at what rate it was sought."""
    history = evidence.context.history
    limited = evidence.found("signal.limited", at_least="info")
    if limited is None or history is None or history.has("learning_rate"):
        return None
    return Advice(
        id="lr.log",
        title="Check the learning rate and its warm-up",
        text="The learning rate of each epoch is not in this log, so it is not known whether it ever reached its "
        f"configured value. Log {code('learning_rate')}: if its maximum is the last epoch, the warm-up never ended.",
        because=(limited.rule,),
        acts_on="r",
        refuted_if="the configured rate was reached within the first fifth of the epochs",
        ceiling_r2=evidence.ceiling,
    )


def lower_rate(evidence: Evidence) -> Advice | None:
    """Training diverged or oscillates."""
    finding = evidence.found("loss.not-finite", "loss.divergence", "lr.too-high", "gradient.exploding", "lr.unsettled")
    if finding is None:
        return None
    key = evidence.key("learning_rate", "lr")
    rate = evidence.context.config_number(key) if key else None
    patch: dict[str, Value] = {key: float(f"{rate / RATE_STEP:.2g}")} if key and rate else {}
    return Advice(
        id="lr.lower",
        title="Lower the learning rate",
        text=f"{evidence.refer(finding)}: lower the rate by a factor of {number(RATE_STEP, 1)}"
        + (f", to {number(rate / RATE_STEP, 2)}," if rate else "")
        + " and clip gradients, then look at the loss of the first epochs again.",
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=_more_information(evidence),
        refuted_if="the train loss is not finite, or rises as before, at the lower rate",
        ceiling_r2=evidence.ceiling,
    )


def raise_rate(evidence: Evidence) -> Advice | None:
    """The rate is frozen, too low, or not what the config says."""
    finding = evidence.found("lr.too-low", "lr.frozen", "lr.config-mismatch", "gradient.vanishing")
    if finding is None:
        return None
    key = evidence.key("learning_rate", "lr")
    rate = evidence.context.config_number(key) if key else None
    raising = finding.rule == "lr.too-low" and key is not None and rate is not None
    patch: dict[str, Value] = {key: float(f"{rate * RATE_STEP:.2g}")} if raising and key and rate else {}
    to = f", from {setting(rate)} to {number(rate * RATE_STEP, 2)}" if raising and rate else ""
    what = (
        f"raise the rate by a factor of {number(RATE_STEP, 1)}{to}."
        if finding.rule == "lr.too-low"
        else "make the rate that is logged the rate that is configured before changing anything else."
    )
    return Advice(
        id="lr.raise" if finding.rule == "lr.too-low" else "lr.repair",
        title="Raise the learning rate" if finding.rule == "lr.too-low" else "Repair the learning-rate schedule",
        text=f"{evidence.refer(finding)}: {what}",
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=_more_information(evidence),
        refuted_if=_r_refuted(evidence, "the train loss falls no faster over the first ten epochs"),
        ceiling_r2=evidence.ceiling,
    )


def match_scale(evidence: Evidence) -> Advice | None:
    """Predictions live on another scale than the target."""
    finding = evidence.found("scale.mismatch")
    if finding is None:
        return None
    context = evidence.context
    mean, std = context.split_statistic("train", "true_mean"), context.split_statistic("train", "true_std")
    patch: dict[str, Value] = {}
    if mean is not None and "output_init_bias" in context.config:
        patch["output_init_bias"] = float(f"{mean:.4g}")
    known = f" (mean {number(mean)}, std {number(std)})" if mean is not None and std is not None else ""
    return Advice(
        id="scale.standardise",
        title="Standardise the target",
        text=f"{evidence.refer(finding)}: train on (y - mean) / std of the training targets{known} and undo it on the way out, "
        "or start the output's bias at the training mean.",
        because=(finding.rule,),
        acts_on="beta",
        config_patch=patch,
        expected=Expected(metric="bias", low=-0.5, high=0.5, basis="at the first epoch: the output starts at the mean"),
        refuted_if="|β| of the first epoch is still above 0.5",
        ceiling_r2=evidence.ceiling,
    )


def pick_better_epoch(evidence: Evidence) -> Advice | None:
    """Another saved epoch is proven better, or the epoch saved is not the one declared."""
    finding = evidence.found("selection.wrong-pick", "selection.not-the-policy", at_least="critical")
    if finding is None:
        return None
    better = finding.evidence.get("policy")
    picked = finding.evidence.get("epoch", finding.epoch)
    patch: dict[str, Value] = {}
    if (
        finding.rule == "selection.wrong-pick"
        and better in ("max_r2", "r2_patience")
        and evidence.key("early_stopping")
    ):
        patch["early_stopping"] = "r2"
    if finding.rule == "selection.wrong-pick" and better == "min_val_loss" and evidence.key("early_stopping"):
        patch["early_stopping"] = "val_loss"
    shown = f" (epoch {epoch_text(picked)})" if isinstance(picked, int | float) else ""
    return Advice(
        id="selection.change-policy",
        title="Keep another epoch",
        text=f"{evidence.refer(finding)}: keep the checkpoint that {_policy(finding)} picks{shown}; no retraining is needed "
        "where it was saved.",
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        refuted_if="on samples that neither epoch was chosen on, its R² is no higher",
        ceiling_r2=evidence.ceiling,
    )


def _policy(finding: Finding) -> str:
    """The policy that a selection finding speaks for."""
    return "the run's own policy" if finding.rule == "selection.not-the-policy" else "the better policy"


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
    return Advice(
        id="fit.regularise",
        title="Regularise, or stop earlier",
        text=f"{evidence.refer(finding)}: raise weight decay{_raised(decay, key)}, shrink the model, or augment; keep the epoch "
        "before the fall.",
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=_more_information(evidence),
        refuted_if=_r_refuted(evidence, "the gap between train and validation R² does not shrink"),
        ceiling_r2=evidence.ceiling,
    )


def train_longer(evidence: Evidence) -> Advice | None:
    """The run was cut while it was still improving."""
    short = evidence.found("selection.stopped-short")
    if short is not None and short.evidence.get("kind") != "all_improve":
        return _wait_longer(evidence, short)
    finding = short or evidence.found(
        "selection.too-late", "loss.still-falling", "selection.too-early", at_least="warning"
    )
    if finding is None or finding.rule == "selection.too-early":
        return None
    key = evidence.key("max_epochs", "epochs", "num_epochs")
    planned = evidence.context.config_number(key) if key else None
    patch: dict[str, Value] = {key: round(planned * LONGER)} if key and planned else {}
    r2 = evidence.value("r2")
    return Advice(
        id="fit.train-longer",
        title="Train longer",
        text=f"{evidence.refer(finding)}: give it half as many epochs again"
        + (f", {round(planned * LONGER)} instead of {planned:.0f}." if planned else "."),
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=_more_information(evidence),
        refuted_if="the best validation R² of the longer run does not pass "
        + (fixed(r2, 3) if r2 is not None else "that of this run"),
        ceiling_r2=evidence.ceiling,
    )


def _wait_longer(evidence: Evidence, finding: Finding) -> Advice:
    """Early stopping ended the run on a rising curve: more patience, and no least improvement that hides the rise."""
    key = evidence.key("patience", "early_stopping_patience")
    patch: dict[str, Value] = {key: PATIENT} if key else {}
    delta = evidence.key("min_delta", "early_stopping_min_delta")
    if finding.evidence.get("kind") == "least_improvement" and delta:
        patch[delta] = 0.0
    r2 = evidence.value("r2")
    return Advice(
        id="selection.wait-longer",
        title="Stop later",
        text=f"{evidence.refer(finding)}: raise the patience to {PATIENT} epochs"
        + (" and count every improvement." if finding.evidence.get("kind") == "least_improvement" else "."),
        because=(finding.rule,),
        acts_on="r",
        config_patch=patch,
        expected=_more_information(evidence),
        refuted_if="the best validation R² of the longer run does not pass "
        + (fixed(r2, 3) if r2 is not None else "that of this run"),
        ceiling_r2=evidence.ceiling,
    )
