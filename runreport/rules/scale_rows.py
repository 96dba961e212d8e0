"""Whether the same weights predicted other rows on another scale: what happened between the network and the file.

Predictions of one epoch's weights on the training, the validation and the test rows have about one mean and one spread where
these rows' truths have. Scaled back in one place and not in another, or written in another unit, they do not; no figure of the
model itself (how much it learned, which way its mean is off) can do that.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from runreport.context import Context, Limits
from runreport.findings import Finding, Severity
from runreport.rules import data_basis as basis
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number

RULE_ID = "scale.mismatch"

ALIKE = 1.6
"""Factor between the spreads of one model's predictions on two samples up to which they count as alike: a network that knows its
training rows by heart predicts them up to so much more widely than others."""
AGREE = 1.3
"""Between the factor of the means and that of the spreads, which is known no better on few rows."""
NEAR = 0.5
"""Of the truth's std: how close the mean must come after the conversion; samples of one population differ by less."""
FIT_FACTOR = 3.0
"""Factor between the other rows' spread and their truth's within which, with a mean that is near, they are on its scale."""

Verdict = Literal["standard units", "factor", "same"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Mean and std of predictions and truth on one sample, in target units, and their R² where known."""

    where: str
    mean: float
    std: float
    true_mean: float
    true_std: float
    r2: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """What the judged rows' predictions are beside the others': ``factor`` is theirs over the others', about zero."""

    verdict: Verdict
    factor: float
    judged: Rows
    others: Rows


def compared(context: Context, limits: Limits) -> Compared | None:
    """The final predictions beside the first other sample of the same epoch that is on the target's scale; None where none is,
    or where neither a conversion nor an equal scale shows."""
    judged = _final(context)
    if judged is None:
        return None
    for others in (_validation(context), _training(context)):
        if others is None or not _on_scale(others):
            continue
        verdict = _verdict(judged, others, _train_scale(context), limits)
        if verdict is not None:
            return Compared(verdict=verdict, factor=judged.std / others.std, judged=judged, others=others)
    return None


def finding_of(context: Context, found: Compared) -> Finding | None:
    """scale.mismatch from the comparison; None where the scale is the same, or scaling back would not raise R²."""
    if found.verdict == "same":
        return None
    final = context.final
    r, r2 = basis.estimate(final, "pearson_r"), basis.estimate(final, "r2")
    mended = _mended_r2(found, r, _train_scale(context))
    if final is None or r is None or r2 is None or mended is None or mended <= r2:
        return None
    one, two = found.judged, found.others
    how = (
        "That is where predictions lie that were left in standard deviations of the training targets"
        if found.verdict == "standard units"
        else f"Mean and spread are both {number(found.factor, 3)} times those"
    )
    message = (
        f"{basis.place(final)} the predictions have mean {number(one.mean, 3)} and std {number(one.std, 3)}; the same weights "
        f"predicted {two.where} with mean {number(two.mean, 3)} and std {number(two.std, 3)}, while the truths' means are "
        f"{number(one.true_mean, 3)} and {number(two.true_mean, 3)}, their stds {number(one.true_std, 3)} and "
        f"{number(two.true_std, 3)}. {how}: scaled back R² would be {fixed(mended)} instead of {fixed(r2)}. The fault lies "
        "between the network and this file."
    )
    return Finding(
        rule=RULE_ID,
        severity=Severity.CRITICAL,
        message=message,
        evidence={
            "conversion": found.verdict,
            "factor": None if found.verdict == "standard units" else 1 / found.factor,
            "mended_r2": mended,
            "other_rows": two.where,
            "other_mean": two.mean,
            "other_std": two.std,
            "bias": basis.estimate(final, "bias"),
            "bias_is_lower_bound": False,
            "variance_ratio": basis.estimate(final, "variance_ratio"),
            "pearson_r": r,
        },
        epoch=final.epoch,
        split=final.split,
        acts_on="beta",
        recoverable=mended - r2,
    )


def _on_scale(rows: Rows) -> bool:
    """Predicted better than by the mean, or with a mean and a spread that are the truth's but for a little."""
    near = abs(rows.mean - rows.true_mean) <= NEAR * rows.true_std
    return (rows.r2 is not None and rows.r2 > 0) or (near and 1 / FIT_FACTOR < rows.std / rows.true_std < FIT_FACTOR)


def _verdict(judged: Rows, others: Rows, train: tuple[float, float] | None, limits: Limits) -> Verdict | None:
    """How the judged predictions follow from the others': scaled down, multiplied, or as they are."""
    width = judged.std / others.std
    own = judged.true_std / others.true_std
    if not _alike(own, 1.0):
        # Rows of another unit, truth and all, or of another population: their predictions need not be alike either.
        return None
    centre = others.mean + (judged.true_mean - others.true_mean)
    if train is not None:
        mean, std = train
        expected, near = ((v - mean) / std for v in (others.mean, centre)), NEAR * judged.true_std / std
        moved = abs(judged.mean - others.mean) > 2 * NEAR * judged.true_std or not _alike(width, own)
        if moved and _alike(width * std, own) and any(abs(judged.mean - e) <= near for e in expected):
            return "standard units"
    unlike = abs(math.log(width / own)) >= math.log(limits["least_factor"])
    lies = abs(others.mean) >= limits["least_bias"] * others.true_std
    # A stretch about the mean moves the spread alone: the mean must have moved with it, and be far from where it was.
    if unlike and lies and any(_multiplied(judged, e, width) for e in (others.mean, centre)):
        return "factor"
    return "same" if _alike(width, own) else None


def _multiplied(judged: Rows, mean: float, width: float) -> bool:
    near = NEAR * min(width, 1.0) * judged.true_std
    if abs(judged.mean - mean) <= near:
        return False
    factor = judged.mean / mean if mean else 0.0
    return abs(judged.mean - width * mean) <= near or (factor > 0 and abs(math.log(factor / width)) <= math.log(AGREE))


def _alike(one: float, two: float) -> bool:
    return abs(math.log(one / two)) <= math.log(ALIKE)


def _mended_r2(found: Compared, r: float | None, train: tuple[float, float] | None) -> float | None:
    """R² of the judged predictions after the conversion: 2rα - α² - β²."""
    one = found.judged
    if r is None:
        return None
    if found.verdict == "standard units":
        if train is None:
            return None
        mean, std = one.mean * train[1] + train[0], one.std * train[1]
    else:
        mean, std = one.mean / found.factor, one.std / found.factor
    ratio, bias = std / one.true_std, (mean - one.true_mean) / one.true_std
    return 2 * r * ratio - ratio * ratio - bias * bias


def _final(context: Context) -> Rows | None:
    final = context.final
    if final is None or final.basis == "history":
        return None
    names = ("variance_ratio", "bias", "true_mean", "true_std", "r2")
    ratio, bias, mean, std, r2 = (basis.estimate(final, name) for name in names)
    if ratio is None or bias is None or mean is None or std is None:
        return None
    return _rows(basis.split_name(final.split), mean + bias * std, ratio * std, mean, std, r2)


def _validation(context: Context) -> Rows | None:
    history, epoch = context.history, context.saved_epoch
    if (
        history is None
        or epoch is None
        or (context.final is not None and basis.split_name(context.final.split) == "validation")
    ):
        return None
    values = [history.at(epoch, name) for name in ("pred_mean", "pred_std", "true_mean", "true_std", "r2")]
    values[2] = values[2] if values[2] is not None else context.split_statistic("val", "true_mean")
    values[3] = values[3] if values[3] is not None else context.split_statistic("val", "true_std")
    return _rows(f"the validation rows at epoch {epoch_text(epoch)}", *values)


def _training(context: Context) -> Rows | None:
    history, epoch = context.history, context.saved_epoch
    if history is None or epoch is None:
        return None
    scale, ratio = _train_scale(context), history.at(epoch, "train_variance_ratio")
    if scale is None or ratio is None:
        return None
    mean, std = scale
    where = f"the training rows at epoch {epoch_text(epoch)}"
    return _rows(where, history.at(epoch, "train_pred_mean"), ratio * std, mean, std, history.at(epoch, "train_r2"))


def _rows(
    where: str, mean: float | None, std: float | None, true_mean: float | None, true_std: float | None, r2: float | None
) -> Rows | None:
    if mean is None or std is None or true_mean is None or true_std is None:
        return None
    if not all(map(math.isfinite, (mean, std, true_mean, true_std))) or std <= 0 or true_std <= 0:
        return None
    return Rows(where=where, mean=mean, std=std, true_mean=true_mean, true_std=true_std, r2=r2)


def _train_scale(context: Context) -> tuple[float, float] | None:
    mean, std = context.split_statistic("train", "true_mean"), context.split_statistic("train", "true_std")
    return None if mean is None or std is None or std <= 0 else (mean, std)
