"""Advice on mean and spread: what a shift, a rescaling or a smaller penalty gives back. Acts on β and α, never on r."""

from __future__ import annotations

from runreport.advice.evidence import Evidence
from runreport.advice.record import Advice, Expected
from runreport.findings import NOTICEABLE_R2, Finding, Value
from runreport.marks import code
from runreport.wording import fixed, number, percent, setting, with_interval

SHIFT_SHARE = 0.5
"""Share of β that the difference of the split means must explain before the split, not the model, is to blame."""
ENOUGH_SAMPLES = 32
"""Samples from which a batch penalty's own optimum is a ratio above 90 %: the threshold of penalty.batch-bias."""


def remove_bias(evidence: Evidence) -> Advice | None:
    """The mean is off, beyond noise and by enough to matter."""
    finding = evidence.found("bias.dominates", "data.shift")
    final = evidence.final
    beta, r2 = evidence.value("bias"), evidence.value("r2")
    if finding is None or final is None or beta is None or r2 is None or beta * beta < NOTICEABLE_R2:
        return None
    true_std = evidence.value("true_std")
    sigma = f"{fixed(abs(beta), 2)} σ"
    amount = f"{sigma} ({number(abs(beta) * true_std)} in target units)" if true_std else sigma
    why, patch = _cause_of_bias(evidence, beta)
    return Advice(
        id="bias.remove",
        title="Remove the bias",
        text=f"{evidence.refer(finding)}: shift the predictions {'down' if beta > 0 else 'up'} by {amount}. {why}",
        because=(finding.rule,),
        acts_on="beta",
        config_patch=patch,
        expected=Expected(
            metric="r2", value=r2 + beta * beta, high=evidence.ceiling, basis="R² + β²: the same predictions, shifted"
        ),
        refuted_if="|β| of the next run is still above 0.1",
        ceiling_r2=evidence.ceiling,
    )


def _cause_of_bias(evidence: Evidence, beta: float) -> tuple[str, dict[str, Value]]:
    """(what the means of the splits say of it, the setting that takes it out)."""
    context, split = evidence.context, evidence.final.split if evidence.final is not None else "test"
    train_mean, true_mean, true_std = (
        context.split_statistic("train", "true_mean"), evidence.value("true_mean"), evidence.value("true_std"),
    )  # fmt: skip
    fitted, line = _line_from_validation(evidence, beta)
    if train_mean is None or true_mean is None or not true_std:
        return (
            "Compare the mean of the training targets with that of this split: if they differ it is the split, else "
            f"start the output's bias at the training mean. The training mean is not in these files.{fitted}"
        ), line
    shift = (train_mean - true_mean) / true_std
    if abs(shift) >= SHIFT_SHARE * abs(beta) and shift * beta > 0:
        return (
            f"The training targets' mean ({number(train_mean)}) itself lies {fixed(shift, 2)} σ from that of the "
            f"{split} split ({number(true_mean)}): the splits differ. Split so that both cover the same "
            f"conditions; a constant learnt on one cannot hold on the other.{fitted}"
        ), line
    why = (
        f"The training targets' mean ({number(train_mean)}) does not explain it ({fixed(shift, 2)} σ from the "
        f"{split} mean): the model's own mean is off. Start the output's bias at the training mean, "
        f"or subtract the mean error measured on the validation split.{fitted}"
    )
    # A standardised target starts the output at the training mean already.
    starts = "output_init_bias" in context.config and context.config.get("standardise_target") is not True
    return why, line or ({"output_init_bias": float(f"{train_mean:.4g}")} if starts else {})


def _line_from_validation(evidence: Evidence, beta: float) -> tuple[str, dict[str, Value]]:
    """A line fitted on validation removes a bias that validation has too: (the sentence, the setting); nothing where not."""
    context = evidence.context
    found = context.validation["bias"] if context.validation is not None else None
    if found is None and context.history is not None and context.saved_epoch is not None:
        mean, true, std = (
            context.history.at(context.saved_epoch, name) for name in ("pred_mean", "true_mean", "true_std")
        )
        found = (mean - true) / std if mean is not None and true is not None and std else None
    if found is None or not _recalibrated(evidence) or found * beta < SHIFT_SHARE * beta * beta:
        return "", {}
    sentence = (
        f" The validation predictions are off by {fixed(found, 2)} σ as well, so a line fitted on them takes it out: "
        f"{code('recalibrate: apply')}."
    )
    return sentence, _recalibrated(evidence)


def _recalibrated(evidence: Evidence) -> dict[str, Value]:
    """The setting that puts test predictions through a line fitted on validation; nothing where it is not there, or on."""
    now = evidence.context.config.get("recalibrate")
    return {"recalibrate": "apply"} if now is not None and now != "apply" else {}


def widen_output(evidence: Evidence) -> Advice | None:
    """Predictions pile up at an edge of their range."""
    finding = evidence.found("range.saturated")
    if finding is None:
        return None
    return Advice(
        id="range.unsaturate",
        title="Let the output reach the target's range",
        text=f"{evidence.refer(finding)}: use a linear output (no sigmoid, tanh, clamp or ReLU after the last layer), or "
        "scale its limits beyond the target's range.",
        because=(finding.rule,),
        acts_on="alpha",
        refuted_if="as many predictions still lie at the edge with a linear output",
        ceiling_r2=evidence.ceiling,
    )


def lower_penalty(evidence: Evidence) -> Advice | None:
    """A spread penalty is on and predictions are already wider than their information warrants."""
    key = evidence.penalty_key
    finding = _too_wide_for_its_penalty(evidence)
    if finding is None:
        return None
    alpha, r = evidence.value("variance_ratio"), evidence.value("pearson_r")
    r2 = evidence.value("r2")
    # What only the training rows show is no gain that could be read off these predictions.
    trained = finding.split == "train"
    gain = (alpha - r) ** 2 if alpha is not None and r is not None and not trained else None
    return Advice(
        id="penalty.remove",
        title="Remove the spread penalty",
        text=f"{evidence.refer(finding)}: set {_weight_now(evidence)} to 0. A penalty that widens predictions cannot add "
        "information.",
        because=(finding.rule,),
        acts_on="r" if finding.acts_on == "r" else "alpha",
        config_patch={key: 0.0} if key else {},
        expected=None
        if gain is None or r2 is None
        else Expected(metric="r2", value=r2 + gain, high=None, basis="R² + (α - r)²: the same r at its best spread"),
        refuted_if="R² on the training rows does not rise without it"
        if trained
        else "the std ratio does not fall, or R² falls, without it",
        ceiling_r2=evidence.ceiling,
    )


def _too_wide_for_its_penalty(evidence: Evidence) -> Finding | None:
    """``penalty.dominates``; or predictions that are too wide while a penalty on their spread is on."""
    wide = evidence.found("spread.over") if evidence.penalty_key is not None else None
    return evidence.found("penalty.dominates") or wide


def _weight_now(evidence: Evidence) -> str:
    """The setting that weighs the penalty, with its value."""
    penalty = evidence.penalty
    if penalty is None or penalty.key is None:
        return "its weight"
    return f"{code(penalty.key)} (now {setting(evidence.context.config.get(penalty.key))})"


def drop_noisy_penalty(evidence: Evidence) -> Advice | None:
    """A spread penalty that sees too few samples at a time to know the spread."""
    finding = evidence.found("penalty.batch-bias")
    key = evidence.penalty_key
    if finding is None or key is None or _too_wide_for_its_penalty(evidence) is not None:
        return None
    bounds = evidence.interval("pearson_r")
    lower = f"or r of the next run lies below {fixed(bounds[0], 2)}" if bounds is not None else "or r falls"
    return Advice(
        id="penalty.drop",
        title="Drop the spread penalty, or compute it over more samples",
        text=f"{evidence.refer(finding)}: set {_weight_now(evidence)} to 0, or take the variances over {ENOUGH_SAMPLES} samples "
        "or more at a time. What it asks for now is set by the batch, not by the data; a recalibration sets the spread for "
        "free.",
        because=(finding.rule,),
        acts_on="alpha",
        config_patch={key: 0.0},
        refuted_if=f"the loss of single batches still scatters as before, {lower}",
        ceiling_r2=evidence.ceiling,
    )


def narrow(evidence: Evidence) -> Advice | None:
    """Wider than its information warrants, no penalty to blame."""
    finding = evidence.found("spread.over")
    if finding is None or _too_wide_for_its_penalty(evidence) is not None:
        return None
    return _rescale(evidence, finding.rule, "narrower", "spread.recalibrate-narrow")


def widen(evidence: Evidence) -> Advice | None:
    """Narrower than its information warrants: a true collapse."""
    finding = evidence.found("spread.under")
    if finding is None:
        return None
    return _rescale(evidence, finding.rule, "wider", "spread.recalibrate-wide")


def _rescale(evidence: Evidence, rule: str, direction: str, advice_id: str) -> Advice:
    bounds = evidence.interval("pearson_r")
    if bounds is None or bounds[0] <= 0:
        return _predict_the_mean(evidence, rule)
    slope, r2 = evidence.value("calibration_slope"), evidence.value("r2")
    alpha, r = evidence.value("variance_ratio"), evidence.value("pearson_r")
    gain = (alpha - r) ** 2 if alpha is not None and r is not None else None
    also = (
        "train longer or regularise less" if direction == "wider" else "keep an earlier checkpoint or regularise more"
    )
    return Advice(
        id=advice_id,
        title=f"Recalibrate: make the predictions {direction}",
        text=f"Multiply the predictions' distance from their mean by {fixed(slope, 2)} (the slope b, fitted on validation "
        f"predictions, never on test){f': it gives back {fixed(gain, 3)} of R²' if gain is not None else ''}. It is free "
        f"and needs no training; to have it from training itself, {also}.",
        because=(rule,),
        acts_on="alpha",
        config_patch=_recalibrated(evidence),
        expected=None
        if gain is None or r2 is None
        else Expected(metric="r2", value=r2 + gain, high=evidence.ceiling, basis="R² + (α - r)²: the same r at α = r"),
        refuted_if="fitted on validation, the rescaled test predictions have no higher R²",
        ceiling_r2=evidence.ceiling,
    )


def _predict_the_mean(evidence: Evidence, rule: str) -> Advice:
    """Without proven correlation there is nothing to rescale: a slope fitted to noise would be noise."""
    r, beta = evidence.value("pearson_r"), evidence.value("bias")
    shown = with_interval(r, evidence.interval("pearson_r"), 2)
    return Advice(
        id="spread.predict-mean",
        title="Until there is signal, predict the mean",
        text=f"r = {shown}: no positive correlation is shown, so no rescaling of these predictions is either. Their own mean, "
        "given for every sample, has a smaller error than they have.",
        because=(rule,),
        acts_on="alpha",
        expected=None
        if beta is None
        else Expected(metric="r2", value=-beta * beta, basis="-β²: constant at their mean"),
        refuted_if="on held-out rows the constant has no higher R² than the predictions",
        ceiling_r2=evidence.ceiling,
    )


def not_advised(evidence: Evidence) -> str | None:
    """Why a stronger spread penalty is not the remedy, where the figures show it; None where they do not."""
    alpha, r, beta = evidence.value("variance_ratio"), evidence.value("pearson_r"), evidence.value("bias")
    bounds = evidence.interval("pearson_r")
    penalty = evidence.penalty
    # Where the penalty pulls to at any strength is known only with its formula.
    if penalty is None or penalty.key is None or penalty.kind is None:
        return None
    wide = penalty.target
    if alpha is None or r is None or beta is None or bounds is None or r > 0.9 or alpha >= 0.95 * wide:
        return None
    at_wide = 2 * r * wide - wide**2 - beta**2
    r2 = evidence.value("r2")
    if r2 is None or at_wide >= r2:
        return None
    shares = evidence.context.budget.error_shares if evidence.context.budget is not None else None
    share = f"which is {percent(shares[1])} " if shares is not None else ""
    return (
        f"A larger {code(penalty.key)}. A spread penalty acts on the wrong spread alone, {share}of this run's error. It is at "
        f"its own minimum at a std ratio of {percent(wide)}; at this correlation that is an R² of {fixed(at_wide, 2)}, against "
        f"{fixed(r2, 3)} now."
    )
