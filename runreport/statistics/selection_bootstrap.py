"""Was the saved epoch the wrong one? The selection re-run inside the bootstrap, and the epochs that cannot be ranked.

Scoring a checkpoint on the samples that chose it flatters it. Here each resample of whole units (groups, or blocks of
one series) chooses an epoch on the units it drew, and is scored on the units it did not draw.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from runreport.statistics.bootstrap import Units, resampling_units, weight_chunks
from runreport.statistics.effective_size import MIN_ROWS
from runreport.statistics.intervals import MIN_GROUPS
from runreport.statistics.moments import SQ_ERROR, WIDTH, Floats, Ints, Moments, row_moments, second_moments, sum_units
from runreport.statistics.standard_error import StandardError, series_error
from runreport.statistics.student import t_quantile, two_sided_p

Pick = Callable[[Mapping[str, Floats]], Ints]
"""A policy: metric arrays [B, E] by name (those of `metrics_from_moments`) to the chosen epoch's index [B], 0..E-1."""

# Out-of-bag averages settle as 1/√B; 2,000 leave them known to a fiftieth of one resample's spread.
DEFAULT_RESAMPLES = 2_000
# Blocks or bins of rows at most: every epoch is compared with every other in every resample, and with this many the
# standard errors are off by √(1/1024) = 3 %.
MAX_AUDIT_UNITS = 512
# Fewer units tell too little of what a choice reaches on others. Measured against fresh samples of the same process,
# 300 runs of 30 epochs: with 18, 24 and 48 units the mean optimism is met within 0.01; with 7 to 9 (AR(0.9), n = 144) it is
# a sixth to two fifths too small. For one run it tells the mean, not its own luck, with which it correlates at -0.1 to -0.7.
MIN_OPTIMISM_UNITS = 12
# Resamples after which it is looked whether an epoch is settled. That none of the first 128 is as large as what was seen happens
# once in 700 where 5 % of all are.
LOOKS = (128, 512)
# Smallest variance of a resample relative to the sample's.
MIN_RESAMPLE_VARIANCE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class SelectionAudit:
    """What re-running a policy says about the saved epoch. Epochs are indices 0..E-1 into y_pred.

    policy_pick: the policy's choice on all samples. delta_r2: expected out-of-bag R² of what the policy picks minus
    that of the saved epoch, with [lo, hi], se, df and the p-value of no difference. pick_share [E]: how often each
    epoch was picked. ties_for_best: epochs of which it cannot be excluded that they are the best. ties_with_saved:
    epochs whose simultaneous ΔR² interval against the saved one contains 0 (it is one of them). optimism: how far, on
    average, the policy's pick scores above its worth on the samples that picked it, in R²; None under 12 units. Where
    `refused` is set, what needs resampling is None.
    """

    n: int
    n_dropped: int
    unit_count: int
    unit_kind: str
    saved: int
    policy_pick: int | None
    delta_r2: float | None
    lo: float | None
    hi: float | None
    se: float | None
    df: float | None
    p_value: float | None
    pick_share: tuple[float, ...] | None
    ties_for_best: tuple[int, ...] | None
    ties_with_saved: tuple[int, ...] | None
    optimism: float | None
    level: float
    refused: str | None


def audit_selection(
    y_true: ArrayLike,
    y_pred: ArrayLike,
    *,
    saved: int,
    pick: Pick,
    saved_pick: Pick | None = None,
    groups: ArrayLike | None = None,
    ordered: bool = True,
    level: float = 0.95,
    resamples: int = DEFAULT_RESAMPLES,
    seed: int = 0,
    rank: bool = True,
) -> SelectionAudit:
    """Audit of the saved epoch against the policy `pick`, from per-epoch predictions y_pred [E, n] of y_true [n].

    `rank`: also which epochs may be the best and which equal the saved one, by far the larger part of the time; both None
    without.

    Rows not finite in any epoch are left out. Units: groups where at least 6 are given, consecutive blocks of an
    ordered series (`bootstrap.block_length`), single rows otherwise; 2 to 5 groups, under 6 blocks or a constant
    y_true: refused.

    ΔR² is the leave-one-out bootstrap (Efron & Tibshirani 1997, doi:10.1080/01621459.1997.10474007): each unit is
    scored only by the picks of resamples without it, D_g = SSE_saved,g - Σ_e share_g(e) SSE_e,g, and ΔR² = Σ D_g / SST,
    with a t interval from the units' influences. The saved epoch is scored on all samples as it stands, so where it was
    itself chosen on them it is flattered and the verdict "wrong pick" errs on the careful side. `saved_pick`, the
    policy that chose it, removes that: both policies are then re-run and scored out of bag, and compared as policies.
    """
    true, pred, codes, dropped = _clean(y_true, y_pred, groups)
    epochs, n = pred.shape
    if not 0 <= saved < epochs:
        raise ValueError(f"saved must be an epoch index in 0..{epochs - 1}, got {saved}")
    if codes is not None and n and int(codes.max()) + 1 in (1, n):
        codes = None
    units, refused = _units(true, pred, codes, ordered, seed)
    if units is None or refused is not None:
        return _refused(n, dropped, units, saved, level, refused or "nothing to resample")
    moments = _epoch_sums(true, pred, units)
    total = moments.total()
    policy_pick = int(pick({k: v[None, :] for k, v in moments.metrics(total).items()})[0])
    shares, pick_share = _resample_picks(moments, pick, resamples, seed)
    theirs = np.zeros_like(shares)
    theirs[:, saved] = 1.0
    if saved_pick is not None:
        theirs, _ = _resample_picks(moments, saved_pick, resamples, seed)
    r2 = moments.metrics(total)["r2"]
    delta, error = _delta_r2(true, pred, units, ordered and codes is None, shares, theirs)
    half = t_quantile(0.5 + level / 2.0, float(error.df)) * float(error.se)
    positive = float(error.se) > 0
    return SelectionAudit(
        n=n,
        n_dropped=dropped,
        unit_count=units.count,
        unit_kind=units.kind,
        saved=saved,
        policy_pick=policy_pick,
        delta_r2=delta,
        lo=delta - half,
        hi=delta + half,
        se=float(error.se),
        df=float(error.df),
        p_value=two_sided_p(delta / float(error.se), float(error.df)) if positive else None,
        pick_share=tuple(float(share) for share in pick_share),
        ties_for_best=ties_for_best(moments, level=level, resamples=resamples, seed=seed) if rank else None,
        ties_with_saved=ties_with(moments, saved, level=level, resamples=resamples, seed=seed) if rank else None,
        optimism=float(r2[policy_pick]) - _held_out_r2(moments, shares) if units.count >= MIN_OPTIMISM_UNITS else None,
        level=level,
        refused=None,
    )


def ties_for_best(
    moments: Moments, *, level: float = 0.95, resamples: int = DEFAULT_RESAMPLES, seed: int = 0
) -> tuple[int, ...]:
    """Epochs [of E] that may be the best: a set that holds the truly best epoch with probability `level`.

    moments: unit sums [E, G, 8]. Epoch e stays unless some epoch j beats it beyond the `level` quantile of the
    *largest* studentised difference over all j, so the search for a rival is paid for (White 2000's reality check with
    e as the benchmark, doi:10.1111/1468-0262.00152, inverted over e; compare Hsu 1981's multiple comparison with the
    best). No further correction over e is needed: only the one truly best epoch must stay.

    Most epochs are settled by the first :data:`LOOKS` (a sequential Monte Carlo test: Besag & Clifford 1991,
    doi:10.1093/biomet/78.2.301): those that so many resamples exceed that the rest cannot undo it, and those that none does.
    """
    errors = moments.sums[..., SQ_ERROR]
    weights = np.concatenate(list(weight_chunks(moments.unit_count, resamples, seed)))
    parts = np.split(weights, [look for look in LOOKS if look < resamples])
    return tuple(epoch for epoch in range(len(errors)) if _may_be_best(_Gains(errors, epoch), parts, level))


def _may_be_best(gains: "_Gains", parts: list[Floats], level: float) -> bool:
    """Whether the largest gain over this epoch is within the `level` quantile of chance's, in parts of the resamples [B, G]."""
    seen, noise = gains.statistics.max(), []
    enough = (1.0 - level) * sum(map(len, parts)) + 1.0
    for part in parts[:-1]:
        noise.append(gains.noise(part).max(axis=1))
        exceeding = sum(int((chance >= seen).sum()) for chance in noise)
        if exceeding == 0 or exceeding > enough:
            return exceeding > 0
    noise.append(gains.noise(parts[-1]).max(axis=1))
    return bool(seen <= np.quantile(np.concatenate(noise), level))


def ties_with(
    moments: Moments, reference: int, *, level: float = 0.95, resamples: int = DEFAULT_RESAMPLES, seed: int = 0
) -> tuple[int, ...]:
    """Epochs whose ΔR² against `reference` has a simultaneous interval that contains 0 (the reference among them).

    Two-sided max-t over all epochs (single-step, Westfall & Young 1993): all epochs *outside* the set differ from the
    reference, together at `level`.
    """
    gains = _Gains(moments.sums[..., SQ_ERROR], reference)
    chunks = weight_chunks(moments.unit_count, resamples, seed)
    noise = np.concatenate([np.abs(gains.noise(weights)).max(axis=1) for weights in chunks])
    bound = np.quantile(noise, level)
    return tuple(int(epoch) for epoch in np.flatnonzero(np.abs(gains.statistics) <= bound))


class _Gains:
    """Studentised drop in squared error from `reference` to each epoch, and its bootstrap noise.

    errors: squared error by epoch and unit [E, G]. Each resample is centred on the sample and divided by its own
    standard error, which keeps the tails right where units are few (Hall 1988, doi:10.1214/aos/1176350933; Cameron,
    Gelbach & Miller 2008, doi:10.1162/rest.90.3.414). Epochs with the reference's own errors have statistic 0 and no
    noise.
    """

    def __init__(self, errors: Floats, reference: int) -> None:
        drop = (errors[reference] - errors).T
        units = len(drop)
        # Means are removed first: the variance is then a sum of squares without cancellation.
        mean = drop.mean(axis=0)
        centred = drop - mean
        scale = np.sqrt((centred**2).sum(axis=0))
        differs = scale > np.finfo(np.float64).eps * units * np.abs(errors).max()
        scale = np.where(differs, scale, 1.0)
        self._correction = np.sqrt((units - 1) / units)
        # Without noise where nothing differs: such a column is 0, and so is its every resample.
        self._centred = np.where(differs, centred / scale, 0.0)
        self._squared = self._centred**2
        self.statistics: Floats = np.where(differs, mean * units / scale * self._correction, 0.0)
        """[E]."""

    def noise(self, weights: Floats) -> Floats:
        """Of resamples that draw each unit as often as `weights` [B, G] says: [B, E]."""
        shift = weights @ self._centred
        variance = weights @ self._squared
        variance -= shift**2 / len(self._centred)
        # A resample of one unit alone has no variance of its own; the floor keeps its ratio finite, and large.
        np.maximum(variance, MIN_RESAMPLE_VARIANCE, out=variance)
        np.sqrt(variance, out=variance)
        shift *= self._correction
        shift /= variance
        return shift


def _resample_picks(moments: Moments, pick: Pick, resamples: int, seed: int) -> tuple[Floats, Floats]:
    """Pick shares [G, E] of the resamples without each unit (rows sum to 1), and over all resamples [E].

    A unit that every resample drew takes the overall shares.
    """
    epochs, units = moments.sums.shape[0], moments.unit_count
    columns = np.moveaxis(moments.sums, -2, 0).reshape(units, epochs * WIDTH)
    aligned = Moments(
        sums=moments.sums,
        offset=moments.offset[None, :],
        true_floor=moments.true_floor[None, :],
        pred_floor=moments.pred_floor[None, :],
    )
    out_of_bag, picked = np.zeros((units, epochs)), np.zeros(epochs)
    for weights in weight_chunks(units, resamples, seed, cells=max(units, epochs * WIDTH)):
        metrics = aligned.metrics((weights @ columns).reshape(-1, epochs, WIDTH))
        chosen = np.asarray(pick(metrics), dtype=np.int64)
        one_hot = np.zeros((len(chosen), epochs))
        one_hot[np.arange(len(chosen)), chosen] = 1.0
        out_of_bag += (weights == 0).T.astype(np.float64) @ one_hot
        picked += one_hot.sum(axis=0)
    share = picked / picked.sum()
    seen = out_of_bag.sum(axis=1, keepdims=True)
    shares = np.where(seen > 0, out_of_bag / np.maximum(seen, 1.0), share)
    return shares, share


def _held_out_r2(moments: Moments, shares: Floats) -> float:
    """R² of what the policy picks, each unit scored by the resamples without it: 1 - ΣΣ share_g(e) SSE_e,g / SST."""
    second = second_moments(moments.total(), true_floor=moments.true_floor, pred_floor=moments.pred_floor)
    total = float(second.true_var[0] * second.n[0])
    return 1.0 - float((shares.T * moments.sums[..., SQ_ERROR]).sum()) / total


def _delta_r2(
    true: Floats, pred: Floats, units: Units, series: bool, shares: Floats, theirs: Floats
) -> tuple[float, StandardError]:
    """ΔR² of the held-out picks (shares [G, E]) over theirs, with its standard error by unit or along the series."""
    advantage = np.zeros_like(true)
    for epoch in range(len(pred)):
        weight = (theirs - shares)[:, epoch]
        if weight.any():
            advantage += weight[units.codes] * (pred[epoch] - true) ** 2
    spread = (true - true.mean()) ** 2
    delta = float(advantage.sum() / spread.sum())
    influence = (advantage - delta * spread) / spread.mean()
    sizes = np.bincount(units.codes, minlength=units.count).astype(np.float64)
    by_unit = np.bincount(units.codes, weights=influence, minlength=units.count) / sizes.sum()
    count = units.count
    df = np.asarray(sizes.sum() ** 2 / (sizes**2).sum() - 1.0)
    clustered = StandardError(se=np.asarray(np.sqrt(count / (count - 1) * (by_unit**2).sum())), df=df)
    if not series:
        return delta, clustered
    along = series_error(influence)
    return delta, along if np.isfinite(along.se) else clustered


def _epoch_sums(true: Floats, pred: Floats, units: Units) -> Moments:
    """Unit sums [E, G, 8], one epoch at a time: the rows of all epochs never stand in memory together."""
    parts = [sum_units(row_moments(true, epoch), units.codes, units.count) for epoch in pred]
    return Moments(
        sums=np.stack([part.sums for part in parts]),
        offset=np.stack([part.offset for part in parts]),
        true_floor=np.stack([part.true_floor for part in parts]),
        pred_floor=np.stack([part.pred_floor for part in parts]),
    )


def _units(true: Floats, pred: Floats, codes: Ints | None, ordered: bool, seed: int) -> tuple[Units | None, str | None]:
    """The units to resample, or the reason why there are none."""
    if true.size < MIN_ROWS:
        return None, f"{true.size} rows finite in every epoch: at least {MIN_ROWS} are needed"
    truth = row_moments(true, true)
    if not np.isfinite(truth.metrics(truth.total())["r2"]):
        return None, "y_true is constant: R² is undefined"
    units = resampling_units(true, pred, groups=codes, ordered=ordered, seed=seed, most=MAX_AUDIT_UNITS)
    if units.count < MIN_GROUPS:
        return (
            units,
            f"{units.count} {units.kind}: fewer than {MIN_GROUPS}, so selection cannot be re-run on held-out units",
        )
    return units, None


def _clean(y_true: ArrayLike, y_pred: ArrayLike, groups: ArrayLike | None) -> tuple[Floats, Floats, Ints | None, int]:
    """Rows finite in the truth and every epoch: y_true [n], y_pred [E, n], codes [n], rows left out."""
    true, pred = np.asarray(y_true, dtype=np.float64).ravel(), np.asarray(y_pred, dtype=np.float64)
    if pred.ndim != 2 or pred.shape[1] != true.size or pred.shape[0] == 0:
        raise ValueError(f"y_pred must have shape [epochs, {true.size}], got {list(pred.shape)}")
    keep = np.isfinite(true) & np.isfinite(pred).all(axis=0)
    codes: Ints | None = None
    if groups is not None:
        labels = np.asarray(groups).ravel()
        if labels.shape != true.shape:
            raise ValueError(f"y_true has {true.size} rows, groups {labels.size}")
        codes = np.asarray(np.unique(labels[keep], return_inverse=True)[1], dtype=np.int64)
    return true[keep], pred[:, keep], codes, int(keep.size - keep.sum())


def _refused(n: int, dropped: int, units: Units | None, saved: int, level: float, reason: str) -> SelectionAudit:
    return SelectionAudit(
        n=n,
        n_dropped=dropped,
        unit_count=0 if units is None else units.count,
        unit_kind="none" if units is None else units.kind,
        saved=saved,
        policy_pick=None,
        delta_r2=None,
        lo=None,
        hi=None,
        se=None,
        df=None,
        p_value=None,
        pick_share=None,
        ties_for_best=None,
        ties_with_saved=None,
        optimism=None,
        level=level,
        refused=reason,
    )
