"""Mean error by group: one group apart from the others, or groups that differ."""

from __future__ import annotations

import math
from statistics import NormalDist

from runreport.context import Context, Limits
from runreport.findings import NOTICEABLE_R2, Finding, Severity
from runreport.rules import data_basis as basis
from runreport.rules.segment_sets import Apart, set_apart, two_sets, within_correlation
from runreport.rules.segment_table import LEAST_IN_BIN, Bin, bin_rows, binned, share_within
from runreport.rules.value_range_sample import Sample, groups_of
from runreport.statistics.student import two_sided_p
from runreport.wording import fixed, listing, number, plural

RULE_ID = "segment.bias"

EVIDENCE_GROUPS = 50
"""Groups listed in the evidence, the most deviating first: a data set may have thousands."""

HOMOGENEITY_P = 0.001
"""Below this the means of the groups differ by more than the scatter inside them explains."""


def judge_groups(context: Context, sample: Sample, limits: Limits) -> tuple[Finding | None, list[float]]:
    """A finding where groups are apart from the others, or all differ at a noticeable cost; and the p-values tested.

    Groups always differ somewhat (flights, patients), so one is judged by how much the *other groups* differ from each
    other, not by the scatter inside it; several, by whether the groups fall into two sets; all, by whether their mean
    errors differ by more than their true means do.
    """
    bins = _groups(context, sample)
    if len(bins) < 2 or context.final is None:
        return None, []
    variance = float(sample.true.var(ddof=0))
    tested: list[float] = []
    if len(bins) >= limits["least_groups"]:
        part, difference, p = _apart(bins)
        tested.append(p)
        if part is not None and p < limits["p"]:
            found = Apart(groups=(part,), difference=difference, p=p)
            return _some_apart(context, bins, found, _cost_of(found, sample, variance), limits), tested
        sets = two_sets(bins)
        if sets is not None:
            tested.append(sets.p)
            cost = _cost_of(sets, sample, variance)
            if sets.p < limits["p"] and cost >= NOTICEABLE_R2:
                return _some_apart(context, bins, sets, cost, limits), tested
        finding, p_set = _set_apart(context, sample, bins, variance, limits)
        tested += [] if p_set is None else [p_set]
        if finding is not None:
            return finding, tested
    return _all_differ(context, bins, variance, limits), tested


def _cost_of(found: Apart, sample: Sample, variance: float) -> float:
    """R² that taking the difference away from those groups gives, up to its sampling error."""
    share = sum(part.n for part in found.groups) / sample.n
    # One group is compared with all others, whose mean hardly moves; of two sets each is half of the difference.
    weight = share if len(found.groups) == 1 else share * (1 - share)
    return weight * found.difference * found.difference / variance


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


def _some_apart(context: Context, bins: list[Bin], found: Apart, cost: float, limits: Limits) -> Finding:
    final = context.final
    assert final is not None  # noqa: S101  (the caller has just read it)
    direction = "higher" if found.difference > 0 else "lower"
    labels, rows = [part.label for part in found.groups], sum(part.n for part in found.groups)
    mean = sum(part.n * part.mean for part in found.groups) / rows
    others = len(bins) - len(labels)
    than = (
        "more than those differ from each other"
        if len(labels) == 1
        else "and groups that scatter evenly do not fall into two sets as distinct"
    )
    message = (
        f"{basis.place(final)} the mean error of {final.group_column} {listing(labels, most=6)} ({plural(rows, 'sample')}) "
        f"is {number(mean)}, {number(abs(found.difference))} {direction} than that of the other {plural(others, 'group')}, "
        f"{than} (p = {number(found.p, 2)} over all groups). It costs {fixed(cost)} R²."
    )
    return Finding(
        rule=RULE_ID,
        severity=severity_of(cost, found.p, limits),
        message=message,
        evidence={
            "segments": final.group_column,
            "group": labels[0] if len(labels) == 1 else None,
            "groups": list(labels),
            "difference": found.difference,
            "p_value": found.p,
            "recoverable_r2": cost,
            "by_group": bin_rows(_most_deviating_first(bins), "group"),
        },
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
        recoverable=cost,
        p_value=found.p,
    )


def _set_apart(
    context: Context, sample: Sample, bins: list[Bin], variance: float, limits: Limits
) -> tuple[Finding | None, float | None]:
    """Groups told apart where the truth does not tell them apart, by predictions that follow the truth inside them."""
    final, found = context.final, groups_of(context, sample.n)
    if final is None or found is None:
        return None, None
    inside = within_correlation(sample.true, sample.pred, found[1])
    if inside is None or inside[0] <= 0 or inside[2] >= limits["p"]:
        return None, None
    r, slope, _ = inside
    ratio_p = set_apart(
        [float(sample.true[part.at].mean()) for part in bins],
        [float(sample.pred[part.at].mean()) for part in bins],
        slope,
    )
    if ratio_p is None:
        return None, None
    ratio, p = ratio_p
    # What one mean for all groups would give back: small groups have noise in their true means as in their errors.
    cost = (
        _between([part.mean for part in bins], bins)
        - _between([float(sample.true[part.at].mean()) for part in bins], bins)
    ) / variance
    if p >= limits["p"] or cost < limits["between_cost"]:
        return None, p
    lowest, highest = min(bins, key=lambda part: part.mean), max(bins, key=lambda part: part.mean)
    message = (
        f"{basis.place(final)} the mean errors of the {len(bins)} groups of {final.group_column} differ more than their true "
        f"means do ({number(ratio, 2)} times the variance, p = {number(p, 2)}), from {number(lowest.mean)} ({lowest.label}) to "
        f"{number(highest.mean)} ({highest.label}): one mean for all groups would give back {fixed(cost)} R². Inside the groups "
        f"the predictions follow the truth (r = {fixed(r, 2)})."
    )
    finding = Finding(
        rule=RULE_ID,
        severity=severity_of(cost, p, limits),
        message=message,
        evidence={
            "segments": final.group_column,
            "variance_of_group_errors": ratio,
            "within_groups_r": r,
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
    return finding, p


def _between(means: list[float], bins: list[Bin]) -> float:
    """Variance of ``means`` over the groups, weighted by their rows."""
    total = sum(part.n for part in bins)
    centre = sum(part.n * mean for part, mean in zip(bins, means, strict=True)) / total
    return sum(part.n * (mean - centre) ** 2 for part, mean in zip(bins, means, strict=True)) / total


def between_cost(bins: list[Bin], variance: float) -> float:
    """Σ share · ((group mean - mean)² - its sampling variance) / σt²: of 1 - R², what lies between the groups."""
    known = [part for part in bins if part.error is not None]
    total = sum(part.n for part in known)
    if not total:
        return 0.0
    centre = sum(part.n * part.mean for part in known) / total
    return sum(part.n * ((part.mean - centre) ** 2 - (part.error or 0.0) ** 2) for part in known) / total / variance


def _all_differ(context: Context, bins: list[Bin], variance: float, limits: Limits) -> Finding | None:
    """Groups that differ by more than the scatter inside them explains, at a cost: information, not a fault as such."""
    final = context.final
    known = [part for part in bins if part.error is not None]
    if final is None or len(known) < 2:
        return None
    total = sum(part.n for part in known)
    centre = sum(part.n * part.mean for part in known) / total
    cost = between_cost(known, variance)
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
