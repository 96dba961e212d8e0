"""Records of a designed comparison: which settings were varied, and what each was found to change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Level:
    """One value of a factor and the runs that had it.

    value
        The setting's value; for settings that were varied together a tuple in the order of the factor's keys.
    without_r2
        Its runs that have no R² on the split that is compared (diverged, or not evaluated): in no mean, and so to be told.
    """

    label: str
    value: object
    runs: tuple[str, ...]
    seeds: int
    without_r2: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """A setting that was varied, or settings that were varied together and cannot be told apart (``keys``, main first).

    numeric
        The levels are numbers in ascending order, so that "raised" and a trend have a meaning.
    balanced
        Every combination with the other factors has the same seeds at every level.
    """

    keys: tuple[str, ...]
    levels: tuple[Level, ...]
    numeric: bool
    balanced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run stands in the design: its level of each factor, and which training run (seed) of these settings it is.

    replicate
        The seed as text; None where the config gives none, and then no two runs are paired by it.
    """

    levels: tuple[int, ...]
    replicate: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Design:
    """Runs whose configs differ in one or more factors and in the seed.

    places
        Run -> its place, in the order given, for the runs that take part.
    left_out
        Run -> why it does not take part.
    ignored
        Setting that differs but is no factor -> why.
    split
        The split whose figures are compared, the one that most runs have; None where no run has an R².
    """

    factors: tuple[Factor, ...]
    places: Mapping[str, Place]
    left_out: Mapping[str, str]
    ignored: Mapping[str, str]
    split: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One metric at one level. ``n`` seeds (each its mean over the other settings), their mean, standard deviation
    (ddof = 1, None below 2) and 95 % t interval (None below 3); lowest and highest are of single runs."""

    metric: str
    n: int
    mean: float
    std: float | None
    interval: tuple[float, float] | None
    lowest: float
    highest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A weighted sum of levels' means in one metric (a difference of two, or a slope), judged over seeds.

    n
        Seeds that ran at every level concerned (paired), or the smallest number of runs at a level (Welch).
    weights
        Run -> its weight in the estimate, which is Σ weight · metric.
    interval, p_value
        95 % Student t interval over training runs, unadjusted, and its two-sided p; None with ``reason``.
    p_holm
        p_value after Holm over the contrasts of this metric and factor; for a trend, the only one of its kind, p_value.
    sampling_se
        Standard error of the estimate over test samples, the trained models held fixed; None where the
        predictions could not be put side by side.
    wide_interval, wide_p_holm
        The same with both noises, of training and of test samples; None where either is unknown.
    """

    metric: str
    estimate: float | None
    se: float | None
    df: float | None
    interval: tuple[float, float] | None
    p_value: float | None
    p_holm: float | None
    n: int
    paired: bool
    weights: Mapping[str, float]
    reason: str | None
    sampling_se: float | None = None
    wide_interval: tuple[float, float] | None = None
    wide_p_holm: float | None = None

    @property
    def told(self) -> bool:
        """Whether the change is larger than the noise over seeds (Holm, 5 %)."""
        return self.p_holm is not None and self.p_holm < FALSE_ALARM_RATE


@dataclass(frozen=True, slots=True, kw_only=True)
class Contrast:
    """Level ``high`` minus level ``low`` (positions among the factor's levels), metric by metric."""

    low: int
    high: int
    estimates: Mapping[str, Estimate]


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    """What one factor changed.

    summaries
        For each level, metric -> its summary.
    contrasts
        Every later level against the first.
    trends
        Metric -> mean change from one level to the next (slope over the levels' ranks); empty for levels without order.
    sampling
        Samples that the wide intervals rest on, or why there are none.
    """

    factor: Factor
    summaries: tuple[Mapping[str, Summary], ...]
    contrasts: tuple[Contrast, ...]
    trends: Mapping[str, Estimate] = field(default_factory=dict)
    sampling: int | str = "not asked for"


FALSE_ALARM_RATE = 0.05
"""Chance of any false "changed" among the contrasts of one metric and factor, where nothing changed."""
METRICS = ("r2", "pearson_r", "variance_ratio", "bias", "missing_information", "wrong_spread", "wrong_mean")
"""Compared: R², r, α, β, and the three terms of 1 - R² = (1 - r²) + (α - r)² + β²."""
