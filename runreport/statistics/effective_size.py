"""How many independent samples a correlated sample is worth.

Consecutive frames, flights and patients repeat themselves. The variance of a mean of n such values is that of n_e
independent ones, n_e = n / τ with the integrated autocorrelation time τ = 1 + 2 Σ_k ρ(k); for a correlation of two
series ρ(k) = ρ_true(k)·ρ_pred(k) (Bartlett 1935, doi:10.2307/2342284; Bretherton et al. 1999,
doi:10.1175/1520-0442(1999)012<1990:TENOSD>2.0.CO;2).
"""

from dataclasses import dataclass

import numpy as np

from runreport.statistics.moments import Floats, Ints

# Below this many rows a lag sum is noise: n_e = n is reported with that said.
MIN_ROWS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class EffectiveSize:
    """n rows are worth n_e independent ones, 1 ≤ n_e ≤ n; `how` says in words what was computed."""

    n: int
    n_e: float
    how: str


def effective_size(y_true: Floats, y_pred: Floats, groups: Ints | None = None) -> EffectiveSize:
    """n_e = n / (1 + 2 Σ_k ρ_true(k) ρ_pred(k)) for rows [n] in their order in time.

    With `groups` (any integer codes [n]) lags are taken inside groups only, in row order, about the common mean, and
    pooled; what a whole group shares counts as correlation. A lag counts by its share of pairs, as in the variance of a
    finite series' mean (Bayley & Hammersley 1946, doi:10.2307/2983560). The sum stops by Geyer's initial monotone
    sequence (1992, doi:10.1214/ss/1177011137) on the product: sums of neighbouring lags are added while positive, and
    never allowed to rise. A constant series has no autocorrelation: n_e = n, and `how` says so.
    """
    true, pred = np.asarray(y_true, dtype=np.float64), np.asarray(y_pred, dtype=np.float64)
    n = true.shape[-1]
    where = "in row order" if groups is None else "in row order within groups"
    if n < MIN_ROWS:
        return EffectiveSize(n=n, n_e=float(n), how=f"fewer than {MIN_ROWS} rows: taken as independent")
    layout = lag_layout(n, groups)
    # Both estimates shrink with the pairs N_k that a lag has, N_k/n each; the variance of a correlation does so once.
    product = autocorrelation(true, layout) * autocorrelation(pred, layout) * n / pair_counts(layout)
    if not np.isfinite(product).all():
        return EffectiveSize(n=n, n_e=float(n), how="a constant column has no autocorrelation: taken as independent")
    time = float(correlation_time(product))
    return EffectiveSize(
        n=n,
        n_e=max(1.0, n / time),
        how=f"n / (1 + 2 Σ ρ_true(k) ρ_pred(k)) {where}, initial monotone sequence",
    )


def effective_size_of_mean(values: Floats, groups: Ints | None = None) -> Floats:
    """n_e [...] for the mean of one series, values [..., n]: n / (1 + 2 Σ ρ(k)), same truncation, in [1, n].

    For influence values it gives the n_e of that metric. A constant series gives n.
    """
    n = values.shape[-1]
    time = correlation_time(autocorrelation(values, lag_layout(n, groups)))
    return np.asarray(np.clip(n / np.where(np.isfinite(time), time, 1.0), 1.0, n))


def lag_layout(n: int, groups: Ints | None) -> list[Ints]:
    """Row indices as matrices [number of groups, size], one a distinct group size, rows in order within each group."""
    if groups is None:
        return [np.arange(n, dtype=np.int64)[None, :]]
    order = np.argsort(groups, kind="stable")
    _, starts, sizes = np.unique(np.asarray(groups)[order], return_index=True, return_counts=True)
    return [
        np.asarray(order[starts[sizes == size][:, None] + np.arange(size)], dtype=np.int64) for size in np.unique(sizes)
    ]


def pair_counts(layout: list[Ints]) -> Floats:
    """Pairs of rows at each lag inside groups: [K], n at lag 0."""
    lags = np.arange(max(index.shape[1] for index in layout))
    return np.asarray(sum(len(index) * np.maximum(index.shape[1] - lags, 0) for index in layout), dtype=np.float64)


def autocorrelation(values: Floats, layout: list[Ints]) -> Floats:
    """Pooled autocorrelation [..., K] at lags 0..K-1 of values [..., n], K the size of the largest group.

    ρ(k) = Σ x_i x_{i+k} / Σ x_i², pairs inside groups only, x about the common mean (the biased estimator, whose
    sequence is positive definite). By FFT. NaN where the series is constant.
    """
    array = np.asarray(values, dtype=np.float64)
    centred = array - array.mean(axis=-1, keepdims=True)
    lags = max(index.shape[1] for index in layout)
    total = np.zeros((*centred.shape[:-1], lags))
    for index in layout:
        size = index.shape[1]
        if size == 1:
            total[..., 0] += (centred[..., index[:, 0]] ** 2).sum(axis=-1)
            continue
        length = 1 << (2 * size - 1).bit_length()
        spectrum = np.fft.rfft(centred[..., index], length, axis=-1)
        power = (spectrum.real**2 + spectrum.imag**2).sum(axis=-2)
        total[..., :size] += np.fft.irfft(power, length, axis=-1)[..., :size]
    floor = array.shape[-1] * (8.0 * np.finfo(np.float64).eps * np.abs(array).max(axis=-1, keepdims=True)) ** 2
    return np.asarray(np.divide(total, total[..., :1], out=np.full_like(total, np.nan), where=total[..., :1] > floor))


def correlation_time(rho: Floats) -> Floats:
    """τ [...] = 1 + 2 Σ_{k≥1} ρ(k) from autocorrelations [..., K] with ρ(0) = 1, by the initial monotone sequence.

    Pairs Γ_m = ρ(2m) + ρ(2m+1) are summed up to the first that is not positive, each capped by the one before;
    τ = 2 Σ Γ_m - 1, never below 1 (a sample is not credited with more than n). NaN stays NaN.
    """
    pairs = rho.shape[-1] // 2
    if pairs == 0:
        return np.asarray(rho[..., 0])
    gamma = rho[..., : 2 * pairs].reshape(*rho.shape[:-1], pairs, 2).sum(axis=-1)
    kept = np.where(np.logical_and.accumulate(gamma > 0, axis=-1), gamma, 0.0)
    time = 2.0 * np.minimum.accumulate(kept, axis=-1).sum(axis=-1) - 1.0
    return np.asarray(np.where(np.isnan(rho[..., 0]), np.nan, np.maximum(time, 1.0)))
