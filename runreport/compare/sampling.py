"""The noise of the test samples, beside the noise over training runs: would the change hold on other samples?

The trained models are held fixed and a sample (or a group of them) is left out at a time, of all runs together, so that what
the runs share cancels. An estimate's variance over samples adds to its variance over seeds. The sum counts the part that
depends on both twice and so is, if anything, too wide.

Not a bootstrap: 144 samples of a slow series are six blocks, some draws of which hardly vary, and R² = 1 - error/variance
explodes there (a bootstrap's standard deviation of a change of R² came out five times that of its middle two thirds).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from runreport.compare.design import Contrast, Effect, Estimate
from runreport.compare.over_seeds import around
from runreport.compare.samples import Matched
from runreport.statistics.multiple import holm
from runreport.statistics.student import two_sided_p

if TYPE_CHECKING:
    import numpy as np

    from runreport.statistics.moments import Moments
    from runreport.statistics.standard_error import StandardError

    Column = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    Codes = np.ndarray[tuple[int, ...], np.dtype[np.int64]]

LEVEL = 0.95
MOST_CELLS = 5_000_000
"""Runs × samples up to which predictions are put side by side: their sums and metrics take about 200 bytes a cell (1 GB)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _LeftOut:
    """Metric -> run -> change of the metric with one row left out (n,), and with one group left out (None without groups)."""

    rows: Mapping[str, Mapping[str, Column]]
    groups: Mapping[str, Mapping[str, Column]] | None
    group_df: float
    codes: Codes | None


def add_sampling_noise(effects: Sequence[Effect], matched: Matched | str) -> tuple[Effect, ...]:
    """The effects with ``sampling_se`` and the wide intervals where the predictions allow them, else the reason."""
    runs = {n for e in effects for c in e.contrasts for s in c.estimates.values() for n in s.weights}
    if isinstance(matched, str):
        return tuple(replace(e, sampling=matched) for e in effects)
    beside = sorted(runs & set(matched.y_pred))
    if not beside:
        return tuple(replace(e, sampling="no run's predictions could be put beside another's") for e in effects)
    left_out = _left_out(matched, beside)
    if isinstance(left_out, str):
        return tuple(replace(e, sampling=left_out) for e in effects)
    return tuple(_with_noise(e, left_out, matched.y_true.size) for e in effects)


def _with_noise(effect: Effect, left_out: _LeftOut, n: int) -> Effect:
    noisy = [{m: _widened(e, left_out) for m, e in c.estimates.items()} for c in effect.contrasts]
    for metric in left_out.rows:
        adjusted = holm([estimates[metric].wide_p_holm for estimates in noisy])
        for estimates, p in zip(noisy, adjusted, strict=True):
            estimates[metric] = replace(estimates[metric], wide_p_holm=p)
    return replace(
        effect,
        contrasts=tuple(
            Contrast(low=c.low, high=c.high, estimates=e) for c, e in zip(effect.contrasts, noisy, strict=True)
        ),
        trends={m: _widened(e, left_out) for m, e in effect.trends.items()},
        sampling=n,
    )


def _widened(estimate: Estimate, left_out: _LeftOut) -> Estimate:
    """The estimate with its sampling error, and interval and p (before Holm) of both noises."""
    if estimate.estimate is None or not estimate.weights or not set(estimate.weights) <= set(left_out.rows["r2"]):
        return estimate
    found = _sampling_error(estimate, left_out)
    sampling, sampling_df = float(found.se), float(found.df)
    if not (math.isfinite(sampling) and sampling_df > 0):
        return estimate
    if estimate.se is None or estimate.df is None:
        return replace(estimate, sampling_se=sampling)
    a, b = estimate.se**2, sampling**2
    df = (a + b) ** 2 / (a**2 / estimate.df + b**2 / sampling_df)
    se = math.sqrt(a + b)
    low, high = around(estimate.estimate, se, df)
    # The sum can have many more degrees of freedom than the seeds alone, and so the narrower interval: a wider question must
    # not be answered more surely, so the wider of the two stands.
    inner = estimate.interval or (low, high)
    return replace(
        estimate,
        sampling_se=sampling,
        wide_interval=(min(low, inner[0]), max(high, inner[1])),
        wide_p_holm=max(two_sided_p(estimate.estimate / se, df), estimate.p_value or 0.0),
    )


def _sampling_error(estimate: Estimate, left_out: _LeftOut) -> StandardError:
    """By the choice of `statistics.paired`: groups by their jackknife, or by the effective sample size where that is wider;
    an ordered series by its long-run variance."""
    import numpy as np

    from runreport.statistics.standard_error import StandardError, corrected_series_error, effective_error, widest

    changes = _weighted_sum(estimate, left_out.rows)
    n = changes.size
    influence = -(n - 1.0) * (changes - changes.mean())
    if left_out.groups is None:
        error = StandardError(se=np.sqrt((n - 1) / n * (changes**2).sum()), df=np.asarray(n - 1.0))
        return corrected_series_error(influence, error)
    by_group = _weighted_sum(estimate, left_out.groups)
    count = by_group.size
    jackknife = StandardError(se=np.sqrt((count - 1) / count * (by_group**2).sum()), df=np.asarray(left_out.group_df))
    return widest([jackknife, effective_error(influence, left_out.codes)], LEVEL)


def _weighted_sum(estimate: Estimate, changes: Mapping[str, Mapping[str, Column]]) -> Column:
    import numpy as np

    by_run = changes[estimate.metric]
    return np.asarray(sum(w * by_run[name] for name, w in estimate.weights.items()), dtype=np.float64)


def _left_out(matched: Matched, runs: Sequence[str]) -> _LeftOut | str:
    """The metrics of each run with a row, and with a group, left out; or why that says nothing of other samples."""
    import numpy as np

    from runreport.statistics.effective_size import MIN_ROWS
    from runreport.statistics.intervals import MIN_GROUPS
    from runreport.statistics.moments import row_moments, sum_units

    true = matched.y_true
    if true.size < MIN_ROWS:
        return f"{true.size} samples: at least {MIN_ROWS} are needed"
    if len(runs) * true.size > MOST_CELLS:
        return f"{len(runs)} runs of {true.size} samples are too many to put side by side"
    codes: Codes | None = None
    if matched.groups is not None:
        codes = np.unique(matched.groups, return_inverse=True)[1].astype(np.int64)
        count = int(codes.max()) + 1
        if count in (1, true.size):
            codes = None  # one group, or a group a row, groups nothing
        elif count < MIN_GROUPS:
            return f"{count} groups: fewer than {MIN_GROUPS}, so nothing can be inferred about other groups"
    rows = row_moments(true, np.stack([matched.y_pred[name] for name in runs]))
    groups = None if codes is None else sum_units(rows, codes, int(codes.max()) + 1)
    sizes = np.ones(1) if groups is None else groups.sums[0, :, 0]
    return _LeftOut(
        rows=_changes(rows, runs),
        groups=None if groups is None else _changes(groups, runs),
        group_df=float(sizes.sum() ** 2 / (sizes**2).sum() - 1.0),  # Kish's number of groups, less one
        codes=codes,
    )


def _changes(units: Moments, runs: Sequence[str]) -> dict[str, dict[str, Column]]:
    """Metric -> run -> its change with each unit left out."""
    full = _with_budget(units.metrics(units.total()))
    without = _with_budget(units.metrics_without_each())
    return {m: {name: without[m][i] - full[m][i] for i, name in enumerate(runs)} for m in without}


def _with_budget(found: Mapping[str, Column]) -> dict[str, Column]:
    """The compared metrics, with the terms of 1 - R²; constant predictions count as r = 0 there."""
    import numpy as np

    alpha, bias = found["variance_ratio"], found["bias"]
    r = np.where(alpha == 0.0, 0.0, found["pearson_r"])
    return {
        "r2": found["r2"],
        "pearson_r": found["pearson_r"],
        "variance_ratio": alpha,
        "bias": bias,
        "missing_information": 1.0 - r**2,
        "wrong_spread": (alpha - r) ** 2,
        "wrong_mean": bias**2,
    }
