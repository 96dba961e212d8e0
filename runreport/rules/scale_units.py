"""Whether predictions are in another unit: one conversion that mends mean and spread together.

A unit error multiplies about zero, or standardises. Both move the mean *and* the spread, by amounts that belong together.
An offset leaves the spread right, a stretched head the mean, and an output that has not been learnt follows nothing. So the
conversion is tested against these: all from r, α = σp/σt, β and the truth's mean, in true standard deviations.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from runreport.context import Context, Final, Limits
from runreport.rules import data_basis as basis
from runreport.rules.bias_chance import DEPENDENT_SHARE, LEAST_EFFECTIVE
from runreport.rules.bias_epochs import EpochFact, epoch_facts
from runreport.statistics.analytic import se_bias, se_slope


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """A conversion that explains the predictions.

    factor
        Truth over prediction, about zero; None where the predictions look standardised.
    mended_r2
        R² after the conversion, with nothing else changed.
    """

    factor: float | None
    mended_r2: float
    epoch: int | float | None
    split: str
    r: float
    ratio: float
    bias: float
    pred_mean: float
    pred_std: float
    true_mean: float
    true_std: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Point:
    """Figures of one set of predictions and what they are known to: r over its standard error, and whether β and b are
    shown to be wrong. ``train`` is (mean, std) of the training targets, else of these."""

    r: float
    ratio: float
    bias: float
    mean: float
    std: float
    train: tuple[float, float]
    n: float
    epoch: int | float | None
    split: str
    t: float
    off: bool
    wrong_slope: bool


def unit_of(context: Context, limits: Limits) -> Unit | None:
    """The conversion that the final predictions need, or those of the epoch of the log that follow the truth best.

    A saved epoch may know too little to show its unit: early stopping by R² picks the first epoch where every later one is
    as far off. The later ones, which know more, then tell; the final mean must be off as well.
    """
    for point in _points(context, limits):
        found = _multiplied(point, limits) or _standardised(point, limits)
        if found is not None:
            return found
    return None


def arriving(facts: list[EpochFact], limits: Limits) -> bool:
    """Whether the mean was still on its way to the target: |β| fell from the middle of the log to its end."""
    known = [fact.least_bias for fact in facts if fact.least_bias is not None]
    if len(known) < 2:
        return False
    middle, last = known[(len(known) - 1) // 2], known[-1]
    return last > limits["settled_bias"] / 2 and middle - last > limits["arrival_share"] * middle


def _points(context: Context, limits: Limits) -> Iterator[_Point]:
    final = context.final
    own = None if final is None or final.basis == "history" else _of_final(context, final)
    if own is not None:
        yield own
        if not own.off or own.bias * own.bias < limits["least_cost"]:
            return
    facts = list(epoch_facts(context))
    if arriving(facts, limits):
        return
    logged = _of_log(context, facts)
    if logged is not None:
        yield logged


def _of_final(context: Context, final: Final) -> _Point | None:
    figures = [basis.estimate(final, name) for name in ("pearson_r", "variance_ratio", "bias", "true_mean", "true_std")]
    known = [value for value in figures if value is not None]
    worth = basis.effective_count(final)
    if len(known) < len(figures) or worth is None or known[1] <= 0 or known[4] <= 0:
        return None
    slope_p, bias_p = (basis.p_value(final, *what) for what in (("calibration_slope", 1.0), ("bias", 0.0)))
    return _Point(
        r=known[0], ratio=known[1], bias=known[2], mean=known[3], std=known[4],
        train=_train(context, known[3], known[4]), n=worth, epoch=final.epoch, split=final.split,
        t=_t_of_r(known[0], worth),
        off=bias_p is not None and bias_p < basis.WARNING_P,
        wrong_slope=slope_p is not None and slope_p < basis.WARNING_P,
    )  # fmt: skip


def _of_log(context: Context, facts: list[EpochFact]) -> _Point | None:
    """The epoch of the highest correlation, with standard errors by normal theory: as many rows count as independent as of
    the final predictions, else as few as of frames that follow each other."""
    mean, std = context.split_statistic("val", "true_mean"), context.split_statistic("val", "true_std")
    best = max((f for f in facts if f.r is not None), key=lambda f: f.r or 0.0, default=None)
    if mean is None or std is None or std <= 0 or best is None:
        return None
    r, ratio, bias = best.r, best.ratio, best.bias
    if r is None or ratio is None or bias is None or ratio <= 0:
        return None
    worth = logged_worth(context)
    if worth is None:
        return None
    slope_error, bias_error = se_slope(r, ratio, worth), se_bias(r, ratio, worth)
    return _Point(
        r=r, ratio=ratio, bias=bias, mean=mean, std=std, train=_train(context, mean, std), n=worth,
        epoch=best.epoch, split="validation", t=_t_of_r(r, worth),
        off=bias_error is not None and _small(abs(bias), bias_error),
        wrong_slope=slope_error is not None and _small(abs(r / ratio - 1), slope_error),
    )  # fmt: skip


def logged_worth(context: Context) -> float | None:
    """How many independent rows the validation set of the log is worth: the share that the final predictions have, else that
    of frames that follow each other closely. None where its size is not known."""
    rows, final = context.split_statistic("val", "n"), context.final
    if rows is None:
        return None
    worth = None if final is None or final.basis == "history" else basis.effective_count(final)
    share = DEPENDENT_SHARE if worth is None or final is None or not final.n else min(1.0, worth / final.n)
    return max(rows * share, LEAST_EFFECTIVE)


def _small(distance: float, error: float) -> bool:
    return math.erfc(distance / error / math.sqrt(2)) < basis.WARNING_P if error > 0 else distance > 0


def _train(context: Context, mean: float, std: float) -> tuple[float, float]:
    own_mean, own_std = context.split_statistic("train", "true_mean"), context.split_statistic("train", "true_std")
    return (mean, std) if own_mean is None or own_std is None or own_std <= 0 else (own_mean, own_std)


def _t_of_r(r: float, n: float) -> float:
    return r * math.sqrt(max(n - 2, 0.0) / max(1 - r * r, 1e-12))


def _multiplied(point: _Point, limits: Limits) -> Unit | None:
    """Multiplication about zero, of mean and spread alike: shown where neither a shift nor a stretch does as well.

    With m the truth's mean, E[y²] = 1 + m², E[yp] = m(m + β) + rα, E[p²] = (m + β)² + α²: the best factor leaves
    E[y²] - E[yp]²/E[p²]. Beyond 1 - r² a shift leaves (α - r)², a stretch β².
    """
    if point.t < limits["least_t"] or not (point.off and point.wrong_slope):
        return None
    m, p = point.mean / point.std, point.mean / point.std + point.bias
    of_square, of_product = p * p + point.ratio * point.ratio, m * p + point.r * point.ratio
    factor = of_product / of_square
    if factor <= 0 or abs(math.log(factor)) < math.log(limits["least_factor"]):
        return None
    # Written so that two large numbers are not subtracted: the mean's part and the spread's.
    left = (m - factor * p) ** 2 + (factor * point.ratio - point.r) ** 2
    others = min((point.ratio - point.r) ** 2, point.bias**2)
    # A small offset beside a stretch is of any factor's size by chance.
    if abs(point.bias) < limits["least_bias"] or others < limits["least_other"] or left > limits["left_share"] * others:
        return None
    return _unit(point, factor, point.r * point.r - left)


def _standardised(point: _Point, limits: Limits) -> Unit | None:
    """Standard units of the training targets: the mean lies at 0 to a part of how far that is from the target's.

    Where σ is near 1 the spread does not tell a standardised output from one that is shifted by just the training mean;
    then the mean must lie closer still, so that an offset by chance of that size is not taken for it.
    """
    if point.t < limits["least_t"] or point.r < limits["least_r"] or not point.off:
        return None
    mean, std = point.train
    if abs(mean) < limits["least_bias"] * std:
        return None
    pred_mean = point.mean + point.bias * point.std
    bias = (pred_mean * std + mean - point.mean) / point.std
    ratio = point.ratio * std
    # The training rows are what the output was centred on; the mean of these rows differs from theirs by chance, or more.
    distance = abs(pred_mean) * std / point.std
    if abs(point.bias) < limits["least_bias"] or distance > limits["centred"] * abs(point.bias):
        return None
    spread, shifted = (ratio - point.r) ** 2, (point.ratio - point.r) ** 2
    told = point.wrong_slope and shifted >= limits["least_other"]
    if told and spread >= shifted:
        return None
    mended = told and spread <= limits["left_share"] * shifted
    if not mended and distance > limits["closely_centred"] * abs(point.bias):
        return None
    return _unit(point, None, point.r * point.r - spread - bias * bias)


def _unit(point: _Point, factor: float | None, r2: float) -> Unit:
    return Unit(
        factor=factor, mended_r2=r2, epoch=point.epoch, split=point.split, r=point.r, ratio=point.ratio, bias=point.bias,
        pred_mean=point.mean + point.bias * point.std, pred_std=point.ratio * point.std,
        true_mean=point.mean, true_std=point.std,
    )  # fmt: skip
