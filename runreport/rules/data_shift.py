"""Whether the training mean explains the bias."""

from __future__ import annotations

import math

from runreport.context import Context, Final, Limits
from runreport.findings import CLEAR, NOTICEABLE_R2, Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules import data_basis as basis
from runreport.rules.value_range_sample import groups_of, sample_of
from runreport.wording import fixed, percent, with_interval

SHIFT = "data.shift"


def _mean_error(context: Context, final: Final) -> float:
    """Standard error of the difference between the two splits' means in σt; training rows are worth the share of these."""
    sample = sample_of(context)
    if sample is None or final.n is None:
        return 0.0
    import numpy as np

    from runreport.statistics.effective_size import effective_size_of_mean

    groups = groups_of(context, sample.n)
    std = float(sample.true.std(ddof=0))
    if groups is None or len(groups[0]) < 2:
        worth = float(effective_size_of_mean(sample.true))
    else:
        centred = np.bincount(groups[1], weights=sample.true - sample.true.mean())
        worth = (std * sample.n) ** 2 / max(float((centred * centred).sum()), 1e-300)
    worth = min(max(worth, 1.0), float(sample.n))
    rows = context.split_statistic("train", "n")
    train = 0.0 if rows is None or rows <= 0 else sample.n / (rows * worth)
    return math.sqrt(1.0 / worth + train)


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
    if abs(shift) <= limits["t_of_means"] * _mean_error(context, final):
        # Two samples of one population differ by as much: no other season, only another draw.
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
