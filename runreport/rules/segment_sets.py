"""Groups that fall into two sets by their mean error, and predictions that set groups apart where the truth does not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runreport.rules.segment_table import LEAST_IN_BIN, Bin
from runreport.statistics.student import two_sided_p

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[tuple[int, ...], np.dtype[np.float64]]
    Codes = np.ndarray[tuple[int], np.dtype[np.intp]]

DRAWS = 4000
"""Of group means without sets, so that p = 0.005 is known to a fifth."""
MOST_GROUPS = 300
"""Above it the draws would take longer than the rest of the report; one group apart is still looked for."""

LEAST_GROUPS = 3
"""Whose correlations are compared with 0; two have one degree of freedom."""
ROUNDING = 1e-20
"""Of the mean square: less scatter than this is the rounding of float64, squared."""
MOST_R = 0.999999
"""So that Fisher's z of a group that is told exactly is finite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Apart:
    """The smaller of two sets of groups, its mean less that of the others, and the chance of sets as distinct."""

    groups: tuple[Bin, ...]
    difference: float
    p: float


def two_sets(bins: Sequence[Bin]) -> Apart | None:
    """The split of the sorted group means that leaves least inside the two sets, against normal groups.

    Engelman & Hartigan (1969), Percentage points of a test for clusters, JASA 64:1647: the largest ratio of the sum of
    squares between two sets to that within them. Its distribution is drawn anew (:data:`DRAWS`, fixed seed) for normal
    groups whose scatter is that of these and whose means are known as badly, because small groups scatter more.
    Groups whose mean has no standard error are left out. None with fewer than four others, or too many.
    """
    import numpy as np

    bins = [part for part in bins if part.error is not None]
    if not 4 <= len(bins) <= MOST_GROUPS:
        return None
    means = np.array([part.mean for part in bins])
    noise = np.array([part.error or 0.0 for part in bins]) ** 2
    between = max(float(means.var(ddof=1)) - float(noise.mean()), 0.0)
    ratio, count = _best_split(means[None, :])
    drawn = np.random.default_rng(0).standard_normal((DRAWS, means.size)) * np.sqrt(between + noise)
    chance, _ = _best_split(drawn)
    p = (1 + int((chance >= ratio[0]).sum())) / (DRAWS + 1)
    order = np.argsort(means, kind="stable")
    low, high = order[: int(count[0])], order[int(count[0]) :]
    small, large = (low, high) if low.size <= high.size else (high, low)
    difference = float(means[small].mean() - means[large].mean())
    return Apart(groups=tuple(bins[int(i)] for i in small), difference=difference, p=p)


def _best_split(means: Floats) -> tuple[Floats, Codes]:
    """(largest between/within ratio, size of the lower set) of each row."""
    import numpy as np

    sorted_means = np.sort(means, axis=1)
    count = means.shape[1]
    centred = sorted_means - sorted_means.mean(axis=1, keepdims=True)
    below = np.arange(1, count)
    between = np.cumsum(centred, axis=1)[:, :-1] ** 2 * count / (below * (count - below))
    whole = (centred**2).sum(axis=1, keepdims=True)
    ratio = between / np.maximum(whole - between, 1e-12 * np.maximum(whole, 1e-300))
    best = ratio.argmax(axis=1)
    return ratio[np.arange(len(means)), best], (best + 1).astype(np.intp)


def within_correlation(true: Floats, pred: Floats, codes: Codes) -> tuple[float, float, float] | None:
    """(r, slope of truth on prediction, p of r = 0) inside the groups, each centred on its own mean.

    p is of a t test of the groups' own correlations, as Fisher's z: a group counts as one observation, however its rows
    depend on each other. None where nothing varies inside the groups, or fewer than three have five rows.
    """
    import numpy as np

    sizes = np.bincount(codes)
    y = true - (np.bincount(codes, weights=true) / np.maximum(sizes, 1))[codes]
    x = pred - (np.bincount(codes, weights=pred) / np.maximum(sizes, 1))[codes]
    shared, of_pred, of_true = (np.bincount(codes, weights=product) for product in (x * y, x * x, y * y))
    # Predictions that are equal inside a group say nothing of it; rounding leaves them a trace of variance.
    least_pred, least_true = ROUNDING * float((pred * pred).mean()), ROUNDING * float((true * true).mean())
    enough = (sizes >= LEAST_IN_BIN) & (of_pred > least_pred * sizes) & (of_true > least_true * sizes)
    if int(enough.sum()) < LEAST_GROUPS:
        return None
    z = np.arctanh(np.clip(shared[enough] / np.sqrt(of_pred[enough] * of_true[enough]), -MOST_R, MOST_R))
    error = float(z.std(ddof=1)) / math.sqrt(z.size)
    p = two_sided_p(float(z.mean()) / error, z.size - 1) if error > 0 else 0.0
    whole = float(shared[enough].sum())
    return (
        whole / math.sqrt(float(of_pred[enough].sum()) * float(of_true[enough].sum())),
        whole / float(of_pred[enough].sum()),
        p,
    )


def set_apart(true: Sequence[float], pred: Sequence[float], slope: float) -> tuple[float, float] | None:
    """(variance of the groups' mean errors over that of their true means, one-sided p of a ratio above 1).

    ``true`` and ``pred`` are the groups' means. Above 1, one mean for all groups would have done better. The slope inside
    the groups is taken out first: predictions that are too wide everywhere are no matter of groups. Variances of paired
    values are compared by the correlation of sum and difference (Pitman 1939, doi:10.1093/biomet/31.1-2.9).
    """
    import numpy as np

    y = np.asarray(true, dtype=np.float64)
    x = np.asarray(pred, dtype=np.float64) * slope
    error = x - y
    of_true = float(y.var())
    total, difference = error + y, error - y
    scale = float(total.std()) * float(difference.std())
    if y.size < 4 or not of_true > 0 or not scale > 0:
        return None
    r = float(((total - total.mean()) * (difference - difference.mean())).mean()) / scale
    t = r * math.sqrt((y.size - 2) / max(1 - r * r, 1e-12))
    both = two_sided_p(t, y.size - 2)
    return float(error.var()) / of_true, both / 2 if t > 0 else 1 - both / 2
