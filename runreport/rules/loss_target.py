"""loss.other-target: the loss is named as one whose optimum is not the mean, and the mean of the predictions is off.

R² is the squared error's score, and the squared error asks for the conditional mean. A quantile (pinball) or expectile loss
asks for another point of the distribution wherever its level is not one half, and β² of R² is what that costs.
"""

from __future__ import annotations

from runreport.context import Context, Limits
from runreport.findings import CLEAR, NOTICEABLE_R2, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.wording import fixed, setting, with_interval

OTHER_TARGET = "loss.other-target"

LOSS_KEYS = ("loss", "loss_function", "loss_fn", "criterion", "objective", "base_loss")
ASYMMETRIC = ("quantile", "pinball", "expectile", "asymmetric", "linex", "tilted")
"""Parts of the names of losses that weigh errors of the two signs differently."""
LEVEL_KEYS = ("quantile", "quantile_level", "tau", "quantile_alpha", "expectile")
HALF = 0.5
"""The level at which a quantile or expectile loss weighs both signs alike."""
TRAIN_SHARE = 0.25
"""Share of β that the training predictions must show where their mean was logged: a bias that the loss asks for is there, too."""


def check_other_target(context: Context, limits: Limits) -> Outcome:
    """An asymmetric loss by name, a level that is not one half, and a bias of noticeable cost beyond noise."""
    word = next((w for key in LOSS_KEYS if isinstance(w := context.config.get(key), str) and w.strip()), None)
    if word is None:
        return NotChecked(rule=OTHER_TARGET, reason="the config names no loss")
    level = context.config_number(*LEVEL_KEYS)
    if not any(part in word.lower() for part in ASYMMETRIC) or level == HALF:
        return CLEAR
    final = context.final
    reason = basis.why_not(final, "bias")
    beta, bounds = basis.estimate(final, "bias"), basis.finite_interval(final, "bias")
    if final is None or reason is not None or beta is None or bounds is None:
        return NotChecked(rule=OTHER_TARGET, reason=reason or "no bias")
    p = basis.p_value(final, "bias", 0.0)
    shown = not bounds[0] <= 0 <= bounds[1] and (p is None or p < limits["p"])
    trained = _on_training(context)
    if not shown or beta * beta < NOTICEABLE_R2 or (trained is not None and trained * beta < TRAIN_SHARE * beta * beta):
        return CLEAR
    also = "" if trained is None else f" On the training set it is {fixed(trained, 2)}, so it is not the split's."
    at = "" if level is None else f" at a level of {setting(level)}"
    message = (
        f"The run was trained on {setting(word)}{at}, which weighs errors of the two signs differently and asks for another "
        f"point of the target's distribution than its mean. {basis.place(final)} β is {with_interval(beta, bounds, 2)}, which "
        f"costs β² = {fixed(beta * beta)} of R².{also}"
    )
    evidence: dict[str, Value] = basis.evidence_of(final, "bias", "r2") | {
        "loss": word,
        "level": level,
        "training_bias": trained,
        "p_value": p,
    }
    finding = Finding(
        rule=OTHER_TARGET,
        severity=Severity.WARNING,
        message=message,
        evidence=evidence,
        epoch=final.epoch,
        split=final.split,
        acts_on="beta",
        recoverable=beta * beta,
    )
    return Checked(findings=(finding,))


def _on_training(context: Context) -> float | None:
    """β of the training predictions at the judged epoch, in standard deviations of the training targets; None if not logged."""
    history = context.history
    mean, std = context.split_statistic("train", "true_mean"), context.split_statistic("train", "true_std")
    if history is None or not len(history) or mean is None or std is None or not std > 0:
        return None
    epoch, _ = basis.judged_epoch(context, history.epochs)
    predicted = history.at(epoch, "train_pred_mean")
    return None if predicted is None or not basis.usable(predicted) else (predicted - mean) / std


RULE = Rule(
    id=OTHER_TARGET,
    title="The loss asks for another quantity than the mean",
    meaning=(
        "The loss that was trained on is least away from the conditional mean, and the predictions are off by that much: R² "
        "judges them by what they were not asked for."
    ),
    statistic=(
        "The configured loss is an asymmetric one by its name, its level is not one half, the 95 % interval of β excludes 0, "
        "p < 0.0027 and β² ≥ 0.02; where the training predictions' mean is logged, it is off in the same direction."
    ),
    remedy=(
        "Train on the squared error (or level 0.5) where R² is what counts, or judge by the loss that is wanted. Refuted if β "
        "stays. Acts on beta."
    ),
    severities="warning",
    check=check_other_target,
    thresholds=(
        Threshold(name="p", default=basis.WARNING_P, reason="three standard errors, as for every warning", unit="p"),
    ),
)
