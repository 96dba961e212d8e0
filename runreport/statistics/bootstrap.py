"""Resampling by weights on unit sums: independent rows, whole groups, or blocks of one ordered series."""

from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from runreport.statistics.effective_size import autocorrelation, lag_layout
from runreport.statistics.moments import Floats, Ints, Moments, row_moments, sum_units

# More independent rows than this are dealt at random into this many bins and the bins resampled: the bootstrap variance
# is then off by √(2/4096) = 2.2 % (the standard error by 1.1 %), as much as 10,000 resamples leave undecided anyway.
# For the same reason no series is cut into more blocks than this.
MAX_UNITS = 4_096
# A block bootstrap needs blocks to choose from; as many as `intervals.MIN_GROUPS`.
MIN_BLOCKS = 6
# Epochs of one run have much the same autocorrelation: a few tell the block length of all.
MAX_SERIES_LOOKED_AT = 8
# Weights are made in pieces of at most this many numbers (64 MB), so memory does not grow with the resamples.
CHUNK_CELLS = 8_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Units:
    """What is resampled: codes [n] in 0..count-1 assign each row to a unit; `kind` names them in words."""

    codes: Ints
    count: int
    kind: str


def resampling_units(
    y_true: Floats,
    y_pred: Floats,
    *,
    groups: Ints | None = None,
    ordered: bool = True,
    seed: int = 0,
    most: int = MAX_UNITS,
) -> Units:
    """Whole groups where given; else consecutive blocks of an ordered series; else rows.

    groups: codes [n] in 0..G-1. Block length: `block_length` of the error y_pred - y_true (y_pred [E, n]: the longest
    of up to 8 epochs, evenly spread), at most n/6. More than 4,096 independent rows are dealt into 4,096 random bins
    (`MAX_UNITS`); `most` sets another limit for bins and blocks.
    """
    n = int(np.shape(y_true)[-1])
    if groups is not None:
        return Units(codes=np.asarray(groups, dtype=np.int64), count=int(np.max(groups)) + 1, kind="groups")
    if ordered:
        error = np.atleast_2d(np.asarray(y_pred, dtype=np.float64) - np.asarray(y_true, dtype=np.float64))
        sampled = np.unique(np.linspace(0, len(error) - 1, min(len(error), MAX_SERIES_LOOKED_AT)).astype(int))
        length = max(block_length(error[index]) for index in sampled)
        count = int(np.clip(n // length, 1, most))
        codes = np.minimum(np.arange(n) * count // n, count - 1)
        return Units(codes=codes.astype(np.int64), count=count, kind=f"blocks of {n // count} consecutive rows")
    if n <= most:
        return Units(codes=np.arange(n, dtype=np.int64), count=n, kind="rows")
    codes = np.random.default_rng(seed).permutation(n) % most
    return Units(codes=codes.astype(np.int64), count=most, kind=f"{most} random bins of rows")


def block_length(series: Floats) -> int:
    """Rows a block for a circular block bootstrap of a mean: 1 ≤ length ≤ n/6.

    b = (2 g² / D)^(1/3) n^(1/3) with g = Σ|k|λ(k/M)R(k) and D = 4/3 (Σλ(k/M)R(k))², λ the flat-top window and M twice
    the lag after which the autocorrelation stays inside ±2√(log10 n / n) for K_n lags (Politis & White 2004,
    doi:10.1081/ETR-120028836; correction: Patton, Politis & White 2009, doi:10.1080/07474930802459016). 1 for a
    constant series.
    """
    values = np.asarray(series, dtype=np.float64)
    n = values.size
    longest = max(1, n // MIN_BLOCKS)
    if n < 2 * MIN_BLOCKS:
        return 1
    rho = autocorrelation(values, lag_layout(n, None))
    if not np.isfinite(rho).all():
        return 1
    run = max(5, int(np.ceil(np.sqrt(np.log10(n)))))
    most = min(int(np.ceil(np.sqrt(n))) + run, n - 1)
    small = np.abs(rho[1 : most + 1]) < 2.0 * np.sqrt(np.log10(n) / n)
    quiet = [k for k in range(most - run + 1) if small[k : k + run].all()]
    cut = quiet[0] if quiet else int(np.max(np.nonzero(~small)[0])) + 1
    lags = np.arange(1, min(2 * max(cut, 1), most) + 1)
    window = np.clip(2.0 * (1.0 - lags / (2.0 * max(cut, 1))), 0.0, 1.0)
    weighted = window * rho[lags]
    total = 1.0 + 2.0 * weighted.sum()
    curvature = 2.0 * (lags * weighted).sum()
    if total <= 0.0:
        return longest
    length = (2.0 * curvature**2 / (4.0 / 3.0 * total**2)) ** (1 / 3) * n ** (1 / 3)
    return int(np.clip(np.ceil(length), 1, longest))


def resample_weights(units: int, resamples: int, rng: np.random.Generator) -> Floats:
    """How often each of `units` is drawn in each resample: [B, G], rows sum to G (Efron 1979)."""
    draws = rng.integers(0, units, size=(resamples, units))
    cells = draws + units * np.arange(resamples)[:, None]
    counts = np.bincount(cells.ravel(), minlength=resamples * units)
    return np.asarray(counts.reshape(resamples, units), dtype=np.float64)


def weight_chunks(units: int, resamples: int, seed: int, cells: int = 0) -> Iterator[Floats]:
    """`resample_weights` in pieces [b, G] whose b add up to `resamples`; the same pieces for the same arguments.

    cells: numbers that the caller makes of one resample, where that is more than G.
    """
    rng = np.random.default_rng(seed)
    size = max(1, min(resamples, CHUNK_CELLS // max(units, cells, 1)))
    for start in range(0, resamples, size):
        yield resample_weights(units, min(size, resamples - start), rng)


def bootstrap_sums(sums: Floats, *, resamples: int, seed: int) -> Floats:
    """Sums of every resample: [B, ..., 8] from unit sums [..., G, 8]; all leading axes are drawn together (paired)."""
    units = sums.shape[-2]
    columns = np.moveaxis(sums, -2, 0).reshape(units, -1)
    parts = [weights @ columns for weights in weight_chunks(units, resamples, seed, columns.shape[1])]
    stacked = np.concatenate(parts)
    return np.asarray(stacked.reshape(resamples, *sums.shape[:-2], sums.shape[-1]))


def moving_block_sums(row_sums: Floats, length: int, *, resamples: int, seed: int) -> Floats:
    """Sums of circular moving-block resamples of one series: [B, 8] from row sums [n, 8].

    ⌈n/length⌉ blocks of consecutive rows start anywhere, wrapping round the end (Politis & Romano 1992); block sums are
    differences of cumulated sums, so nothing is copied. The sums are scaled to n rows.
    """
    n = row_sums.shape[0]
    wrapped = np.concatenate([np.zeros((1, row_sums.shape[1])), np.cumsum(np.r_[row_sums, row_sums[:length]], axis=0)])
    blocks = wrapped[length : length + n] - wrapped[:n]
    count = -(-n // length)
    rng = np.random.default_rng(seed)
    out = np.empty((resamples, row_sums.shape[1]))
    size = max(1, CHUNK_CELLS // (count * row_sums.shape[1]))
    for start in range(0, resamples, size):
        stop = min(resamples, start + size)
        out[start:stop] = blocks[rng.integers(0, n, size=(stop - start, count))].sum(axis=1)
    scale = n / (count * length)
    return np.asarray(out * scale)


def bootstrap_metrics(
    y_true: Floats,
    y_pred: Floats,
    *,
    groups: Ints | None = None,
    ordered: bool = True,
    resamples: int = 10_000,
    seed: int = 0,
) -> dict[str, Floats]:
    """Every metric in every resample: arrays [B] (NaN where a resample leaves it undefined).

    Groups or rows are drawn whole; an ordered series without groups by circular moving blocks of `block_length` rows.
    """
    rows = row_moments(y_true, y_pred)
    if groups is None and ordered:
        error = np.asarray(y_pred, dtype=np.float64) - np.asarray(y_true, dtype=np.float64)
        length = max(block_length(error), -(-error.size // MAX_UNITS))
        return rows.metrics(moving_block_sums(rows.sums, length, resamples=resamples, seed=seed))
    units = resampling_units(y_true, y_pred, groups=groups, ordered=ordered, seed=seed)
    grouped: Moments = sum_units(rows, units.codes, units.count)
    return rows.metrics(bootstrap_sums(grouped.sums, resamples=resamples, seed=seed))


def percentile_interval(samples: Floats, level: float = 0.95) -> tuple[float, float] | None:
    """Quantiles of the resampled values [B], NaN left out; None where fewer than half are defined."""
    values = samples[np.isfinite(samples)]
    if 2 * values.size < max(samples.size, 1):
        return None
    lo, hi = np.quantile(values, [0.5 - level / 2.0, 0.5 + level / 2.0])
    return float(lo), float(hi)


def bca_interval(samples: Floats, estimate: float, left_out: Floats, level: float = 0.95) -> tuple[float, float] | None:
    """Bias-corrected and accelerated percentile interval (Efron 1987, doi:10.1080/01621459.1987.10478410).

    samples: resampled values [B]; left_out: the metric with each unit left out [G], for the acceleration. None where
    fewer than half of the samples are defined or all lie on one side of the estimate.
    """
    values = samples[np.isfinite(samples)]
    if 2 * values.size < max(samples.size, 1):
        return None
    below = float((values < estimate).mean() + 0.5 * (values == estimate).mean())
    if not 0.0 < below < 1.0:
        return None
    normal = NormalDist()
    bias = normal.inv_cdf(below)
    pull = left_out.mean() - left_out
    spread = float((pull**2).sum())
    acceleration = float((pull**3).sum()) / (6.0 * spread**1.5) if spread > 0 else 0.0
    ends = []
    for probability in (0.5 - level / 2.0, 0.5 + level / 2.0):
        z = bias + normal.inv_cdf(probability)
        ends.append(normal.cdf(bias + z / (1.0 - acceleration * z)))
    lo, hi = np.quantile(values, ends)
    return float(lo), float(hi)
