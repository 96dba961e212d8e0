"""Whether a run meets its criteria, and whether it could by changing its spread alone."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from runreport.context import Final, History
from runreport.criteria.spec import Criterion, Tier
from runreport.metrics.bounds import MOST_R2, required_r
from runreport.wording import plural

Verdict = Literal["met", "not met", "cannot tell"]
HISTORY_NAMES = {"pred_spread": "pred_range"}
"""Metrics whose column in the log bears another name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """One condition judged.

    value
        The figure that was compared; None where there is none, and then the verdict is "cannot tell" with a reason.
    within_noise
        Whether the bound lies inside the figure's 95 % interval: another sample could have given the other verdict.
    needs_r
        The smallest correlation at which the tier's conditions on R² and on the std ratio can hold together, unbiased:
        min over α ≥ its bound of (R² + α²) / (2α). None where the tier asks nothing of R².
    needs_r_biased
        The same with the bias of this run left as it is.
    feasible
        Whether the measured correlation is that large, so that spread and mean alone would do; None where r or the need
        is unknown.
    epoch
        Of a condition over training: the first epoch at which ``value``, the worst, was logged.
    """

    tier: str
    criterion: Criterion
    value: float | None
    verdict: Verdict
    reason: str | None = None
    within_noise: bool = False
    needs_r: float | None = None
    needs_r_biased: float | None = None
    feasible: bool | None = None
    epoch: int | float | None = None


def judge(tiers: tuple[Tier, ...], final: Final | None, history: History | None) -> tuple[Judgement, ...]:
    """Every condition of every tier, in the order written."""
    return tuple(_judge(tier, criterion, final, history) for tier in tiers for criterion in tier.criteria)


def tier_verdict(judgements: tuple[Judgement, ...], tier: str) -> Verdict:
    """A tier is met where all its conditions are, not met where one is not, else it cannot be told."""
    verdicts = {j.verdict for j in judgements if j.tier == tier}
    if "not met" in verdicts:
        return "not met"
    return "cannot tell" if "cannot tell" in verdicts else "met"


def tier_names(judgements: tuple[Judgement, ...]) -> tuple[str, ...]:
    """The tiers' names, in order, each once."""
    return tuple(dict.fromkeys(j.tier for j in judgements))


def needed_correlation(tier: Tier, bias: float = 0.0) -> float | None:
    """The smallest r at which a tier's conditions on R² and std ratio can hold together; None if it asks no R².

    (R² + α² + β²) / (2α) falls until α = √(R² + β²) and rises after it, so the best α is that or the asked ratio.
    Above 1 it cannot be had at all.

    >>> from runreport.criteria.spec import parse_criterion
    >>> tier = Tier(name="good", criteria=(parse_criterion("variance_ratio > 0.6"), parse_criterion("r2 > 0")))
    >>> needed_correlation(tier)
    0.3
    """
    r2 = max((c.bound for c in tier.criteria if c.metric == "r2" and c.asks_for_more), default=None)
    if r2 is None:
        return None
    ratio = max(
        (c.bound for c in tier.criteria if c.metric == "variance_ratio" and c.asks_for_more and not c.over_training),
        default=0.0,
    )
    best = max(ratio, math.sqrt(max(r2 + bias**2, 0.0)))
    return max(required_r(r2, best, bias), -1.0) if best > 0 else 0.0


def _judge(tier: Tier, criterion: Criterion, final: Final | None, history: History | None) -> Judgement:
    value, reason = _value(criterion, final, history)
    r = final["pearson_r"] if final is not None else None
    bias = final["bias"] if final is not None else None
    shapes_r2 = criterion.metric in ("r2", "variance_ratio") and not criterion.over_training
    needs = needed_correlation(tier) if shapes_r2 else None
    bounds = final.interval(criterion.metric) if final is not None and not criterion.over_training else None
    verdict: Verdict = "cannot tell" if value is None else "met" if criterion.holds(value) else "not met"
    return Judgement(
        tier=tier.name,
        criterion=criterion,
        value=value,
        verdict=verdict,
        reason=reason,
        within_noise=bounds is not None and value is not None and bounds[0] <= criterion.bound <= bounds[1],
        needs_r=needs,
        needs_r_biased=needed_correlation(tier, bias) if needs is not None and bias is not None else None,
        feasible=None if needs is None or r is None else r >= needs,
        epoch=_epoch(criterion, history, value),
    )


def _epoch(criterion: Criterion, history: History | None, value: float | None) -> int | float | None:
    if not criterion.over_training or history is None or value is None:
        return None
    return next(
        (e for e, v in history.finite(HISTORY_NAMES.get(criterion.metric, criterion.metric)) if v == value), None
    )


def _value(criterion: Criterion, final: Final | None, history: History | None) -> tuple[float | None, str | None]:
    """The figure a condition is about, or why there is none."""
    name = criterion.metric
    if not criterion.over_training:
        value = final[name] if final is not None else None
        return (value, None) if value is not None else (None, f"no final {name}")
    column = HISTORY_NAMES.get(name, name)
    logged = history.finite(column) if history is not None else []
    if history is None or not logged:
        return None, f"no {column} column in the log"
    if name == "r2" and max(v for _, v in logged) > MOST_R2:
        return None, "the log's R² exceeds 1, which no R² does"
    worst = (min if criterion.asks_for_more else max)(v for _, v in logged)
    if not criterion.holds(worst):
        return worst, None
    missing = len(history) - len(logged)
    gaps = math.ceil(max(history.epochs) - min(history.epochs)) + 1 - len(history)
    if missing or gaps > 0:
        # The worst logged epoch passes, but an epoch nobody logged could have failed.
        return None, f"{plural(missing + max(gaps, 0), 'epoch')} without {column}; the logged ones all meet it"
    return worst, None
