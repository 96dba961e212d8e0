"""Whether the training mean explains the bias."""

from __future__ import annotations

import math

from runreport.context import Context, Limits
from runreport.findings import CLEAR, NOTICEABLE_R2, Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules import data_basis as basis
from runreport.wording import fixed, percent, with_interval

SHIFT = "data.shift"


def check_shift(context: Context, limits: Limits) -> Outcome:
    """data.shift: a detectable bias whose sign and size are those of train mean minus the mean of this split."""
    final = context.final
    train_mean = context.split_statistic("train", "true_mean")
    if train_mean is None:
        return NotChecked(rule=SHIFT, reason="the training mean is not known (no splits in the metrics file)")
    reason = basis.why_not(final, "bias", "true_mean", "true_std", interval=False) or basis.why_not(final, "bias")
    bias = basis.estimate(final, "bias")
    mean, std = basis.estimate(final, "true_mean"), basis.estimate(final, "true_std")
    if final is None or reason is not None or bias is None or mean is None or std is None or std <= 0:
        return NotChecked(rule=SHIFT, reason=reason or "the truth does not vary")
    p = basis.p_value(final, "bias", 0.0)
    shift = (train_mean - mean) / std
    share = shift / bias if bias else 0.0
    detectable = p is not None and p < math.erfc(limits["t"] / math.sqrt(2))
    if not detectable or not limits["least_share"] <= share <= limits["most_share"]:
        return CLEAR
    name = basis.split_name(final.split)
    message = (
        f"The training mean is {basis.resolved(train_mean, std)}, the {name} mean {basis.resolved(mean, std)}: "
        f"{fixed(abs(shift), 2)} true standard deviations {'lower' if shift > 0 else 'higher'}, {percent(share, 0)} of the bias "
        f"β = {with_interval(bias, basis.finite_interval(final, 'bias'), 2)}. A model that stays near its training mean "
        "shows a bias of that sign and size."
    )
    cost = bias * bias
    finding = Finding(
        rule=SHIFT,
        severity=Severity.WARNING if cost >= NOTICEABLE_R2 else Severity.INFO,
        message=message,
        evidence=basis.evidence_of(final, "bias", "true_mean", "true_std")
        | {"train_mean": train_mean, "shift": shift, "share_of_bias": share, "p_value": p},
        epoch=final.epoch,
        split=final.split,
        acts_on="beta",
        recoverable=cost,
        p_value=p,
    )
    return Checked(findings=(finding,))
