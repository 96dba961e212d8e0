"""Standard errors of a metric on its interval scale, each with the degrees of freedom of its t quantile.

Three estimators: delete-one-unit jackknife (rows or whole groups), long-run variance along one ordered series, and the
variance of the influences with an effective sample size. `intervals` chooses.
"""

from dataclasses import dataclass

import numpy as np

from runreport.statistics.effective_size import (
    autocorrelation,
    correlation_time,
    effective_size_of_mean,
    lag_layout,
)
from runreport.statistics.influence import to_scale
from runreport.statistics.moments import METRICS, Floats, Ints, Moments
from runreport.statistics.student import t_quantile

# First autocorrelations above this are taken as this: closer to 1 the recoloured variance has no finite estimate.
MAX_FIRST_AUTOCORRELATION = 0.99
# Cosine terms per correlation time: half of n/τ keeps the series' spectrum flat over the terms that are averaged.
TERMS_PER_EFFECTIVE_SAMPLE = 0.5
# At most one cosine term per this many rows: a flat spectrum this far is not assumed.
ROWS_PER_TERM = 8
MIN_TERMS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardError:
    """se [...] on the interval scale and df [...], broadcastable with it; NaN where there is none."""

    se: Floats
    df: Floats

    def half_width(self, level: float) -> Floats:
        """t quantile times se: half an interval of the given level, on the interval scale."""
        return np.asarray(quantiles(0.5 + level / 2.0, self.df) * self.se)


def quantiles(probability: float, df: Floats) -> Floats:
    """Student t quantiles [...] at one probability; NaN where df is not positive."""
    distinct, inverse = np.unique(np.asarray(df, dtype=np.float64), return_inverse=True)
    values = [t_quantile(probability, float(value)) if value > 0 else np.nan for value in distinct]
    return np.asarray(values, dtype=np.float64)[inverse].reshape(np.shape(df))


def jackknife_error(moments: Moments) -> dict[str, StandardError]:
    """Delete-one-unit jackknife by metric, with t on (Kish's number of units) - 1 degrees of freedom.

    se² = (G-1)/G Σ_g (θ_(g) - θ)², the CR3 of MacKinnon, Nielsen & Webb (2023, doi:10.1002/jae.2969), whose
    small-sample bias is upward where the plain sandwich's is downward. Measured: with 12 groups × 12 rows,
    ICC 0.3, it covers 0.95-0.96 where group bootstraps cover 0.91-0.93 (percentile) and 0.87-0.94 (BCa). Kish's number
    (Σ n_g)² / Σ n_g² counts units of unequal size by what they contribute: 12 flights of which one has nine tenths of
    the rows are not 12. NaN where a metric is undefined with any one unit left out, or with fewer than 2 units.
    """
    total = moments.total()
    units = moments.unit_count
    sizes = moments.sums[..., 0]
    df = np.asarray(sizes.sum(axis=-1) ** 2 / (sizes**2).sum(axis=-1) - 1.0)
    full = moments.metrics(total)
    left_out = moments.metrics_without_each()
    out = {}
    for name in METRICS:
        change = to_scale(name, left_out[name]) - to_scale(name, full[name])[..., None]
        variance = (units - 1) / units * (change**2).sum(axis=-1)
        out[name] = StandardError(se=np.where(df > 0, np.sqrt(variance), np.nan), df=df)
    return out


def series_error(influence: Floats) -> StandardError:
    """Long-run standard error of the mean of one ordered series of influence values [..., n].

    The series is prewhitened by its first autocorrelation, corrected upward for its bias (1 + 3ρ)/n (Kendall 1954,
    doi:10.2307/2332720), the long-run variance of what is left is the average of the first ν cosine coefficients
    squared (equal-weighted cosines: Müller 2004; Lazarus, Lewis, Stock & Watson 2018,
    doi:10.1080/07350015.2018.1506926) with ν degrees of freedom, and it is recoloured by 1/(1-ρ)² (Andrews & Monahan
    1992, doi:10.2307/2951574). ν is half of n/τ, between 2 and n/8. Needs n ≥ 4; NaN for a constant series.
    """
    psi = np.asarray(influence, dtype=np.float64)
    n = psi.shape[-1]
    rho = autocorrelation(psi, lag_layout(n, None))
    time = correlation_time(rho)
    first = np.clip(rho[..., 1] + (1.0 + 3.0 * rho[..., 1]) / n, 0.0, MAX_FIRST_AUTOCORRELATION)
    white = psi[..., 1:] - first[..., None] * psi[..., :-1]
    white = white - white.mean(axis=-1, keepdims=True)
    most = max(n // ROWS_PER_TERM, MIN_TERMS)
    effective = np.nan_to_num(n / time, nan=1.0)
    terms = np.clip(np.floor(TERMS_PER_EFFECTIVE_SAMPLE * effective), MIN_TERMS, most)
    power = _cosine_coefficients(white, most) ** 2
    variance = np.where(np.arange(1, most + 1) <= terms[..., None], power, 0.0).sum(axis=-1) / terms
    se = np.sqrt(variance / n) / (1.0 - first)
    return StandardError(se=np.where(np.isfinite(time), se, np.nan), df=terms)


def corrected_series_error(influence: Floats, jackknife: StandardError) -> StandardError:
    """`series_error` of influence values [..., n], widened by what first-order influences miss at this n.

    The factor is the delete-one-row jackknife's standard error over the plain sd(ψ)/√n, at least 1: for independent
    rows the two differ only by leverage and curvature, which a small or skewed sample has in an ordered series as well
    (measured, skewed truth, n = 144: coverage of b 0.921 without, 0.928 with; of α 0.916 and 0.931). NaN where the
    jackknife is: a metric that one row alone defines has no interval by any method.
    """
    psi = np.asarray(influence, dtype=np.float64)
    along = series_error(psi)
    plain = psi.std(axis=-1, ddof=0) / np.sqrt(psi.shape[-1])
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = np.maximum(jackknife.se / plain, 1.0)
    return StandardError(se=np.asarray(along.se * factor), df=along.df)


def effective_error(influence: Floats, groups: Ints | None = None) -> StandardError:
    """sd(ψ)/√n_e of influence values [..., n], n_e from their own autocorrelation (within groups, pooled); n_e - 1 df.

    With fewer than 2 effective samples there is no variance to speak of: df is held at 1.
    """
    psi = np.asarray(influence, dtype=np.float64)
    n_e = effective_size_of_mean(psi, groups)
    return StandardError(se=np.asarray(psi.std(axis=-1, ddof=0) / np.sqrt(n_e)), df=np.maximum(n_e - 1.0, 1.0))


def widest(errors: list[StandardError], level: float) -> StandardError:
    """Elementwise the standard error, with its df, whose interval at `level` is widest; NaN entries are passed over."""
    best = errors[0]
    width = best.half_width(level)
    for other in errors[1:]:
        theirs = other.half_width(level)
        take = np.isnan(width) | (theirs > width)
        best = StandardError(se=np.where(take, other.se, best.se), df=np.where(take, other.df, best.df))
        width = np.where(take, theirs, width)
    return best


def _cosine_coefficients(series: Floats, count: int) -> Floats:
    """√(2/m) Σ_i x_i cos(πj(i + ½)/m), j = 1..count, of series [..., m]: [..., count]; FFT of the mirrored series."""
    m = series.shape[-1]
    mirrored = np.concatenate([series, series[..., ::-1]], axis=-1)
    index = np.arange(1, count + 1)
    spectrum = np.fft.rfft(mirrored, axis=-1)[..., 1 : count + 1]
    return np.asarray((spectrum * np.exp(-0.5j * np.pi * index / m)).real * np.sqrt(0.5 / m))
