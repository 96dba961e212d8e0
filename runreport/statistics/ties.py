"""Which of many epochs cannot be ranked: those that may be the best, and those that equal a given one.

Every pair is compared on the log of the ratio of the two errors (`error_ratio`), and the largest of many comparisons is
judged against what the largest of so many, as alike as these are, reaches by chance.
"""

import numpy as np

from runreport.statistics.bootstrap import MAX_SERIES_LOOKED_AT, block_length
from runreport.statistics.error_ratio import log_changes, log_error_ratio
from runreport.statistics.moments import Floats, Ints

# Draws of the largest of many correlated normals: its 95 % point is then known to ±0.05.
DEFAULT_DRAWS = 2_000
# Two epochs whose changes differ by less than this share of them are the same epoch to rounding.
SAME_EPOCH = 1e-12
# Windows that a series must hold at least: a correlation of fewer is mostly chance.
LEAST_WINDOWS = 12


def ties_for_best(
    errors: Floats,
    *,
    codes: Ints | None = None,
    ordered: bool = True,
    level: float = 0.95,
    draws: int = DEFAULT_DRAWS,
    seed: int = 0,
) -> tuple[int, ...]:
    """Epochs [of E] that may have the least mean squared error: a set that holds the truly best with chance `level`.

    errors: y_pred - y_true [E, n], rows as in `log_error_ratio` (codes [n] in 0..G-1 or None). Epoch e stays unless some
    epoch j beats it beyond the `level` quantile of the *largest* studentised log ratio over all j, so the search for a
    rival is paid for (White 2000's reality check with e as the benchmark, doi:10.1111/1468-0262.00152, inverted over e;
    compare Hsu 1981's multiple comparison with the best). No further correction over e is needed: only the one truly
    best epoch must stay. The quantile is that of normals with the long-run correlation of the epochs' rows (or that
    of groups): a multiplier bootstrap (Chernozhukov, Chetverikov & Kato 2013, doi:10.1214/13-AOS1161).
    """
    values = np.atleast_2d(np.asarray(errors, dtype=np.float64))
    mse = (values**2).mean(axis=-1)
    if not (mse > 0).all():
        # An epoch without any error: nothing is better, and everything else is worse.
        return tuple(int(epoch) for epoch in np.flatnonzero(mse == 0))
    noise = _Noise(values, codes, ordered, draws, seed)
    keep = []
    for epoch in range(len(values)):
        standardised, spread = noise.against(epoch)
        bound = float(np.quantile(standardised.max(axis=1), level))
        gain = np.log(mse[epoch] / mse)
        # Dependence only widens: what rows taken as independent cannot tell apart need not be looked at.
        with np.errstate(divide="ignore", invalid="ignore"):
            rivals = np.flatnonzero(np.where(spread > 0, gain / spread, 0.0) > bound)
        rivals = rivals[np.argsort(mse[rivals], kind="stable")]
        # The lowest error beats most; the other rivals are looked at where it does not.
        if not any(
            part.size and bool((_scores(values[epoch], values[part], codes, ordered, level) > bound).any())
            for part in (rivals[:1], rivals[1:])
        ):
            keep.append(epoch)
    return tuple(keep)


def ties_with(
    errors: Floats,
    reference: int,
    *,
    codes: Ints | None = None,
    ordered: bool = True,
    level: float = 0.95,
    draws: int = DEFAULT_DRAWS,
    seed: int = 0,
) -> tuple[int, ...]:
    """Epochs whose log error ratio against `reference` has a simultaneous interval that contains 0 (it among them).

    errors as in `ties_for_best`. Two-sided max-t over all epochs (single-step, Westfall & Young 1993): all epochs
    *outside* the set differ from the reference, together at `level`.
    """
    values = np.atleast_2d(np.asarray(errors, dtype=np.float64))
    perfect = (values == 0).all(axis=-1)
    if perfect[reference]:
        return tuple(int(epoch) for epoch in np.flatnonzero(perfect))
    others = np.flatnonzero(~perfect)
    kept = values[others]
    own = int(np.searchsorted(others, reference))
    standardised, _ = _Noise(kept, codes, ordered, draws, seed).against(own)
    bound = float(np.quantile(np.abs(standardised).max(axis=1), level))
    scores = np.abs(_scores(kept[own], kept, codes, ordered, level))
    return tuple(int(epoch) for epoch in others[scores <= bound])


def _scores(error: Floats, rivals: Floats, codes: Ints | None, ordered: bool, level: float) -> Floats:
    """Normal scores [k] of "the rival's error [k, n] is smaller than this one's [n]"; 0 where they do not differ.

    Wallace's (1959, doi:10.1214/aoms/1177706082) normal transform of Student t: each pair has its own degrees of
    freedom, so they are compared by their probabilities.
    """
    ratio = log_error_ratio(rivals, error, codes=codes, ordered=ordered, level=level)
    df = ratio.error.df
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(ratio.error.se > 0, ratio.value / ratio.error.se, 0.0)
    score = (8.0 * df + 1.0) / (8.0 * df + 3.0) * np.sqrt(df * np.log1p(t * t / df))
    return np.asarray(np.sign(t) * np.nan_to_num(score, nan=0.0))


class _Noise:
    """Correlated normal noise of the log errors of E epochs, from the changes that units make to them."""

    def __init__(self, errors: Floats, codes: Ints | None, ordered: bool, draws: int, seed: int) -> None:
        changes = log_changes(errors**2, codes)
        # One unit holds all the error of such an epoch: it has no standard error and is never told apart.
        self._changes = np.where(np.isfinite(changes).all(axis=-1, keepdims=True), changes, 0.0)
        centred = self._changes - self._changes.mean(axis=-1, keepdims=True)
        if codes is None and ordered:
            centred = _moving_sums(centred, _window(errors))
        eigenvalues, vectors = np.linalg.eigh(centred @ centred.T)
        self._root = vectors * np.sqrt(np.maximum(eigenvalues, 0.0))
        self._draws = np.random.default_rng(seed).standard_normal((draws, len(errors))) @ self._root.T

    def against(self, epoch: int) -> tuple[Floats, Floats]:
        """Standard-normal noise [draws, E] of each epoch's gain over `epoch`, and the units' own standard errors [E].

        Both are 0 for an epoch with the same errors.
        """
        units = self._changes.shape[-1]
        spread = np.sqrt((units - 1) / units * ((self._changes - self._changes[epoch]) ** 2).sum(axis=-1))
        scale = np.sqrt(((self._root - self._root[epoch]) ** 2).sum(axis=-1))
        differs = scale > SAME_EPOCH * np.sqrt((self._root**2).sum(axis=-1).max())
        noise = (self._draws - self._draws[:, [epoch]]) / np.where(differs, scale, 1.0)
        return np.where(differs, noise, 0.0), np.asarray(spread)


def _window(errors: Floats) -> int:
    """Rows over which the epochs' squared errors hang together: the longest block length of a few, at most n/12."""
    sampled = np.unique(np.linspace(0, len(errors) - 1, min(len(errors), MAX_SERIES_LOOKED_AT)).astype(int))
    longest = max(block_length(errors[index] ** 2) for index in sampled)
    return int(np.clip(longest, 1, max(1, errors.shape[-1] // LEAST_WINDOWS)))


def _moving_sums(values: Floats, length: int) -> Floats:
    """Sums of `length` neighbours of values [E, n], shorter at both ends: [E, n + length - 1].

    Their products are Bartlett's estimate of the long-run covariance (Newey & West 1987, doi:10.2307/1913610).
    """
    zeros = np.zeros((len(values), length))
    total = np.cumsum(np.concatenate([zeros, values, zeros[:, 1:]], axis=1), axis=1)
    return np.asarray(total[:, length:] - total[:, :-length])
