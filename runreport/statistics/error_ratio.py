"""Two models' errors on the same samples: the log of their ratio, its standard error, and the difference it implies.

A difference of mean squared errors is carried by the few rows on which the worse model is worst, so its interval is
widest exactly where the worse model is bad: R² 0.77 and -0.84 on 144 consecutive rows could not be told apart. The ratio
does not suffer from this: each model's rows are measured by that model's own mean.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from runreport.statistics.error_dependence import error_dependence
from runreport.statistics.moments import Floats, Ints
from runreport.statistics.standard_error import StandardError, widest

Loss = Literal["square", "absolute"]

# Degrees of freedom per effective row of one series: half, because n_e was itself estimated from the same rows
# (measured at n = 144, equal models: false claims at AR(0.95) 0.055-0.069 with all of them, 0.043-0.051 with half).
DF_PER_EFFECTIVE_ROW = 0.5
# Points on the edge of a joint region: the ends of its image are then exact to 1e-6 of its width.
EDGE_POINTS = 2_048


@dataclass(frozen=True, slots=True, kw_only=True)
class LogRatio:
    """log(mean loss of second / mean loss of first) [...] and its standard error; NaN where either is 0."""

    value: Floats
    error: StandardError


def log_error_ratio(
    first: Floats,
    second: Floats,
    *,
    loss: Loss = "square",
    codes: Ints | None = None,
    ordered: bool = True,
    level: float = 0.95,
) -> LogRatio:
    """Log ratio of two mean losses of errors first and second [..., n] on the same rows, with its standard error.

    For squares it is log((1 - R²_second) / (1 - R²_first)): the variance of the truth cancels. Standard error, with
    Student t:
      - independent rows (`ordered` False): delete-one-row jackknife, n - 1 degrees of freedom.
      - one series: the same, at least what normal errors would give, times √(n / n_e) (`error_dependence`), on n_e / 2
        degrees of freedom.
      - groups, codes [n] in 0..G-1: delete-one-group jackknife on (Kish's number of groups) - 1, or the above with lags
        inside groups where that is wider at `level`.
    Absolute errors take the dependence of the squares, which is a little stronger than their own.
    """
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    one, two = (a * a, b * b) if loss == "square" else (np.abs(a), np.abs(b))
    n = one.shape[-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.asarray(np.log(two.mean(axis=-1) / one.mean(axis=-1)))
        rows = _spread(log_changes(two) - log_changes(one))
    value = np.where(np.isfinite(value), value, np.nan)
    if codes is None and not ordered:
        return LogRatio(value=value, error=StandardError(se=rows, df=np.full(rows.shape, n - 1.0)))
    dependence = error_dependence(a, b, codes)
    per_row = np.fmax(rows, dependence.row_se) if loss == "square" else rows
    along = StandardError(
        se=np.asarray(per_row * np.sqrt(n / dependence.n_e)),
        df=np.asarray(np.maximum(DF_PER_EFFECTIVE_ROW * dependence.n_e, 1.0)),
    )
    if codes is None:
        return LogRatio(value=value, error=along)
    with np.errstate(divide="ignore", invalid="ignore"):
        by_group = _spread(log_changes(two, codes) - log_changes(one, codes))
    sizes = np.bincount(codes).astype(np.float64)
    df = np.full(by_group.shape, sizes.sum() ** 2 / (sizes**2).sum() - 1.0)
    whole = StandardError(se=by_group, df=df)
    along = StandardError(se=np.where(np.isnan(by_group), np.nan, along.se), df=along.df)
    return LogRatio(value=value, error=widest([whole, along], level))


def log_changes(losses: Floats, codes: Ints | None = None) -> Floats:
    """Change of the log of the mean loss [..., n] when a unit (row, or group of `codes`) is left out: [..., G].

    -inf where one unit holds all of the loss, NaN where there is no loss.
    """
    values = np.asarray(losses, dtype=np.float64)
    n = values.shape[-1]
    total = values.sum(axis=-1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        if codes is None:
            return np.asarray(np.log1p(-values / total) - np.log1p(-1.0 / n))
        order = np.argsort(codes, kind="stable")
        sizes = np.bincount(codes).astype(np.float64)
        starts = np.concatenate([[0], np.cumsum(sizes)[:-1]]).astype(np.int64)
        sums = np.add.reduceat(values[..., order], starts, axis=-1)
        return np.asarray(np.log1p(-sums / total) - np.log1p(-sizes / n))


def _spread(changes: Floats) -> Floats:
    """Jackknife standard error [...] from changes [..., G]: √((G-1)/G Σ change²); NaN where a change is not finite."""
    units = changes.shape[-1]
    se = np.sqrt((units - 1) / units * (changes**2).sum(axis=-1))
    return np.asarray(np.where(np.isfinite(se), se, np.nan))


def difference_interval(
    log_mean: float, log_mean_half: float, log_ratio: float, log_ratio_half: float, correlation: float
) -> tuple[float, float]:
    """Interval of second - first, from the joint region of the logs of their geometric mean and of their ratio.

    With m the mean of the two logs and x the log ratio, second - first = 2 e^m sinh(x/2). Every value that this takes
    over the ellipse {(m, x)} with the given half-widths and correlation is in the interval: the profile of a Wald region
    with one degree of freedom, whose axes are the two separate intervals at the asked level. The difference has the sign
    of x, so the interval leaves out 0 exactly when that of x does. It conditions on nothing: the uncertainty of the
    level of both errors (m) is in it. Ends may be infinite.

    >>> [round(end, 3) for end in difference_interval(0.0, 0.0, 0.0, 0.2, 0.0)]
    [-0.2, 0.2]
    """
    angle = np.arange(EDGE_POINTS) * (2.0 * np.pi / EDGE_POINTS)
    across, own = np.cos(angle), np.sin(angle)
    # The half-turn is exact at both ends of x: there the sign is decided.
    m = log_mean + log_mean_half * (correlation * across + np.sqrt(max(1.0 - correlation**2, 0.0)) * own)
    with np.errstate(over="ignore", invalid="ignore"):
        values = 2.0 * np.exp(m) * np.sinh((log_ratio + log_ratio_half * across) / 2.0)
    return float(values.min()), float(values.max())
