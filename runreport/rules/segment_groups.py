"""Mean error by group: one group apart from the others, or groups that differ."""

from __future__ import annotations

import math
from statistics import NormalDist

from runreport.context import Context, Limits
from runreport.findings import NOTICEABLE_R2, Finding, Severity
from runreport.rules import data_basis as basis
from runreport.rules.segment_table import LEAST_IN_BIN, Bin, bin_rows, binned, share_within
from runreport.rules.value_range_sample import Sample, groups_of
from runreport.statistics.student import two_sided_p
from runreport.wording import fixed, number, plural

RULE_ID = "segment.bias"

EVIDENCE_GROUPS = 50
"""Groups listed in the evidence, the most deviating first: a data set may have thousands."""

HOMOGENEITY_P = 0.001
"""Below this the means of the groups differ by more than the scatter inside them explains."""


def judge_groups(context: Context, sample: Sample, limits: Limits) -> tuple[Finding | None, list[float]]:
    """A finding where one group is apart from the others, or all differ at a noticeable cost; and the p-values tested.

    Groups always differ somewhat (flights, patients), so one is judged by how much the *other groups* differ from each
    other, not by the scatter inside it.
    """
    bins = _groups(context, sample)
    if len(bins) < 2 or context.final is None:
        return None, []
    variance = float(sample.true.var(ddof=0))
    if len(bins) >= limits["least_groups"]:
        part, difference, p = _apart(bins)
        if part is not None and p < limits["p"]:
            cost = part.n / sample.n * difference * difference / variance
            return _one_apart(context, bins, part, difference, p, cost, severity_of(cost, p, limits)), [p]
        tested = [p]
    else:
        tested = []
    return _all_differ(context, bins, variance, limits), tested


def severity_of(cost: float, p: float, limits: Limits) -> Severity:
    """Warning where mending the segments gives a noticeable R² and chance is ruled out (``warning_p``), else info."""
    return Severity.WARNING if cost >= NOTICEABLE_R2 and p < limits["warning_p"] else Severity.INFO


def _groups(context: Context, sample: Sample) -> list[Bin]:
    """Mean error of each group of at least five rows; standard errors from the scatter inside the groups."""
    import numpy as np

    found = groups_of(context, sample.n)
    if found is None or not 2 <= len(found[0]) <= sample.n // LEAST_IN_BIN:
        return []
    names, codes = found
    order = np.argsort(codes, kind="stable")
    ends = np.cumsum(np.bincount(codes))
    masks = []
    for name, rows in zip(names, np.split(order, ends[:-1]), strict=True):
        if rows.size >= LEAST_IN_BIN:
            masks.append((name, rows))
    error = sample.pred - sample.true
    return binned(error, masks, share_within(error, codes))


def _apart(bins: list[Bin]) -> tuple[Bin | None, float, float]:
    """The group that deviates most from the others: its mean less theirs, and p (t with G - 2 df, Bonferroni).

    t = (e_g - mean of the others) / (s of the others · √(1 + 1/(G - 1))): a new draw from normal group means.
    """
    count = len(bins)
    best: tuple[Bin | None, float, float] = (None, 0.0, 1.0)
    total = math.fsum(part.mean for part in bins)
    squares = math.fsum((part.mean - total / count) ** 2 for part in bins)
    for part in bins:
        others = (total - part.mean) / (count - 1)
        difference = part.mean - others
        # Sum of squares without this group, from the whole one: Σ(x - m)² less its own share.
        left = squares - difference * difference * (count - 1) / count
        if not left > 0:
            continue
        spread = math.sqrt(left / (count - 2) * (1 + 1 / (count - 1)))
        p = min(1.0, two_sided_p(difference / spread, count - 2) * count)
        if p < best[2]:
            best = (part, difference, p)
    return best


def _one_apart(
    context: Context, bins: list[Bin], part: Bin, difference: float, p: float, cost: float, severity: Severity
) -> Finding:
    final = context.final
    assert final is not None  # noqa: S101  (the caller has just read it)
    direction = "higher" if difference > 0 else "lower"
    message = (
        f"{basis.place(final)} the mean error of {final.group_column} {part.label} ({plural(part.n, 'sample')}) is "
        f"{number(part.mean)}, {number(abs(difference))} {direction} than that of the other {len(bins) - 1} groups, "
        f"more than those differ from each other (p = {number(p, 2)} over all groups). It costs {fixed(cost)} R²."
    )
    return Finding(
        rule=RULE_ID,
        severity=severity,
        message=message,
        evidence={
            "segments": final.group_column,
            "group": part.label,
            "difference": difference,
            "p_value": p,
            "recoverable_r2": cost,
            "by_group": bin_rows(_most_deviating_first(bins), "group"),
        },
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
        recoverable=cost,
        p_value=p,
    )


def _all_differ(context: Context, bins: list[Bin], variance: float, limits: Limits) -> Finding | None:
    """Groups that differ by more than the scatter inside them explains, at a cost: information, not a fault as such."""
    final = context.final
    known = [part for part in bins if part.error is not None]
    if final is None or len(known) < 2:
        return None
    total = sum(part.n for part in known)
    centre = sum(part.n * part.mean for part in known) / total
    cost = sum(part.n * ((part.mean - centre) ** 2 - (part.error or 0.0) ** 2) for part in known) / total / variance
    statistic = sum(((part.mean - centre) / (part.error or 1.0)) ** 2 for part in known)
    if cost < limits["between_cost"] or statistic < _chi_square(len(known) - 1):
        return None
    lowest, highest = min(known, key=lambda part: part.mean), max(known, key=lambda part: part.mean)
    message = (
        f"{basis.place(final)} the mean error differs between the {len(known)} groups of {final.group_column}, "
        f"from {number(lowest.mean)} ({lowest.label}) to {number(highest.mean)} ({highest.label}): these differences make up "
        f"{fixed(cost)} of 1 - R²."
    )
    if len(known) < limits["least_groups"]:
        message += f" With {len(known)} groups it cannot be told whether any of them is out of the ordinary."
    return Finding(
        rule=RULE_ID,
        severity=Severity.INFO,
        message=message,
        evidence={
            "segments": final.group_column,
            "between_groups_r2": cost,
            "by_group": bin_rows(_most_deviating_first(bins), "group"),
        },
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
    )


def _most_deviating_first(bins: list[Bin]) -> list[Bin]:
    centre = math.fsum(part.mean for part in bins) / len(bins)
    return sorted(bins, key=lambda part: (-abs(part.mean - centre), part.label))[:EVIDENCE_GROUPS]


def _chi_square(degrees: int) -> float:
    """Upper :data:`HOMOGENEITY_P` quantile of χ² (Wilson & Hilferty 1931, within 4 % at this level, 1 % from 5 degrees on)."""
    z = NormalDist().inv_cdf(1 - HOMOGENEITY_P)
    shrink = 2 / (9 * degrees)
    return float(degrees * (1 - shrink + z * math.sqrt(shrink)) ** 3)
