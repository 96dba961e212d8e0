"""The range of the predicted values: crowded at its edges, or ending before the tails of the truth."""

from __future__ import annotations

from runreport.context import Context, Final, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.rules.segment_table import true_range_table
from runreport.rules.value_range_sample import (
    Bound,
    Edge,
    Sample,
    bounds_of,
    crowding,
    crowding_of,
    edges_of,
    excess_error,
    sample_of,
)
from runreport.wording import fixed, number, percent

SATURATED = "range.saturated"
UNREACHED = "range.unreached"


def check_saturated(context: Context, limits: Limits) -> Outcome:
    """range.saturated: predictions pile up at an end of their range, or crowd towards both, and the truth does not.

    A warning needs the pile to be wrong: the error of the predictions at the edge differs from that of the others by
    more than chance. A skewed, clipped or two-valued target, or one strong yes/no feature, gives the same shape to
    predictions that are right; then it is information.
    """
    final = context.final
    sample = sample_of(context)
    if final is None or sample is None:
        return _saturated_summary(final, limits)
    if sample.n < limits["least_rows"]:
        return NotChecked(rule=SATURATED, reason=f"{sample.n} predictions; needs at least {limits['least_rows']:.0f}")
    if sample.n * sample.share < limits["least_effective"]:
        reason = f"{sample.n} rows are worth {sample.n * sample.share:.1f} independent ones: too few to tell a shape"
        return NotChecked(rule=SATURATED, reason=reason)
    edges = edges_of(sample, limits["edge_width"])
    pred_crowding, true_crowding = crowding_of(sample.pred), crowding_of(sample.true)
    if edges is None or pred_crowding is None or true_crowding is None:
        return NotChecked(rule=SATURATED, reason="predictions or truth do not vary")
    piled = [edge for edge in edges if _piled(edge, sample, limits)]
    crowded = _crowded(pred_crowding, true_crowding, limits)
    cut = [b for b in bounds_of(sample, limits["most_tied"]) if _cut(b, sample, limits)]
    if cut:
        shape = _shape_evidence(pred_crowding, true_crowding) | {"edges": _edge_rows(edges)}
        return Checked(findings=(_cut_off(final, cut, shape, limits),))
    if not piled and not crowded:
        return CLEAR
    parts = []
    worst_t: float | None = None
    if piled:
        ends = " and ".join(f"{percent(e.share)} at the {e.side} end" for e in piled)
        truth = " and ".join(percent(e.true_share) for e in piled)
        parts.append(
            f"{ends} lie within {percent(limits['edge_width'], 0)} of the range of the predictions "
            f"(threshold {percent(limits['edge_share'], 0)}; of the truth {truth} lie at its own)"
        )
        worst_t = max((e.t for e in piled if e.t is not None), key=abs, default=None)
    if crowded:
        parts.append(
            f"the predictions crowd towards both ends of their range (Bhatia-Davis index {fixed(pred_crowding, 2)}, "
            f"threshold {fixed(limits['crowding'], 2)}, truth {fixed(true_crowding, 2)})"
        )
        if worst_t is None:
            worst_t = _outer_error(sample)
    harmful = worst_t is not None and abs(worst_t) > limits["harm_t"]
    text = "; ".join(parts)
    message = f"{basis.place(final)} {text if crowded and not piled else 'of the predictions ' + text}."
    if harmful:
        message += f" Their error there differs from that of the other predictions ({number(abs(worst_t or 0), 2)} SE)."
    else:
        message += " Their error there is not shown to differ from that of the other predictions."
    evidence = _shape_evidence(pred_crowding, true_crowding)
    evidence["edges"] = _edge_rows(edges)
    finding = Finding(
        rule=SATURATED,
        severity=Severity.WARNING if harmful else Severity.INFO,
        message=message,
        evidence=evidence,
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
    )
    return Checked(findings=(finding,))


def _edge_rows(edges: tuple[Edge, Edge]) -> list[Value]:
    return [
        {
            "side": e.side,
            "share": e.share,
            "next_share": e.next_share,
            "true_share": e.true_share,
            "excess_error": e.excess_error,
            "t": e.t,
        }
        for e in edges
    ]


def _cut(bound: Bound, sample: Sample, limits: Limits) -> bool:
    """Equal to the last digit, often enough, with truth beyond: a bound that the target has itself leaves none there."""
    few = bound.share * sample.n < limits["least_tied"] or bound.share < limits["tied_share"]
    return not few and bound.beyond >= limits["beyond_share"]


def _cut_off(final: Final, cut: list[Bound], shape: dict[str, Value], limits: Limits) -> Finding:
    ends = " and ".join(f"{percent(b.share)} at the {b.side} end are exactly {number(b.value)}" for b in cut)
    beyond = " and ".join(percent(b.beyond) for b in cut)
    message = (
        f"{basis.place(final)} of the predictions {ends} (threshold {percent(limits['tied_share'], 0)}), and hardly any other "
        f"value repeats: they are cut off. {beyond} of the truth lies beyond."
    )
    return Finding(
        rule=SATURATED,
        severity=Severity.WARNING,
        message=message,
        evidence=shape
        | {"cut_off": [{"side": b.side, "value": b.value, "share": b.share, "true_beyond": b.beyond} for b in cut]},
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
    )


def _piled(edge: Edge, sample: Sample, limits: Limits) -> bool:
    """More at the edge than allowed, than just inside it, and than the truth has at its own edge beyond chance."""
    if edge.share <= limits["edge_share"] or edge.share < limits["pile"] * (edge.next_share + 1 / sample.n):
        return False
    pooled = (edge.share + edge.true_share) / 2
    error = (2 * pooled * (1 - pooled) / (sample.n * sample.share)) ** 0.5
    return bool(edge.share - edge.true_share > limits["harm_t"] * error)


def _crowded(pred: float, true: float, limits: Limits) -> bool:
    return pred > limits["crowding"] and pred - true > limits["crowding_margin"]


def _outer_error(sample: Sample) -> float | None:
    """t statistic of the more deviating of the two outer thirds of the predicted range against the other rows."""
    low, high = float(sample.pred.min()), float(sample.pred.max())
    unit = (sample.pred - low) / (high - low)
    error = sample.pred - sample.true
    statistics = [excess_error(error, at, sample.share)[1] for at in (unit < 1 / 3, unit > 2 / 3)]
    return max((t for t in statistics if t is not None), key=abs, default=None)


def _shape_evidence(pred: float | None, true: float | None) -> dict[str, Value]:
    return {"crowding": pred, "true_crowding": true, "crowding_normal_144": 0.15, "crowding_uniform": 1 / 3}


def _saturated_summary(final: Final | None, limits: Limits) -> Outcome:
    """From published means, stds and extremes: the crowding only, as information."""
    names = ("mean", "std", "min", "max")
    figures = [basis.estimate(final, f"{side}_{name}") for side in ("pred", "true") for name in names]
    known = [value for value in figures if value is not None]
    if final is None or final.basis != "summary" or len(known) < len(figures):
        return NotChecked(rule=SATURATED, reason="no predictions")
    if final.n is not None and final.n < limits["least_rows"]:
        return NotChecked(rule=SATURATED, reason=f"{final.n} samples; needs at least {limits['least_rows']:.0f}")
    pred = crowding(mean=known[0], std=known[1], low=known[2], high=known[3])
    true = crowding(mean=known[4], std=known[5], low=known[6], high=known[7])
    if pred is None or true is None:
        return NotChecked(rule=SATURATED, reason="no predictions, and predictions or truth do not vary")
    if not _crowded(pred, true, limits):
        return CLEAR
    message = (
        f"{basis.place(final)} the predictions crowd towards both ends of their range: Bhatia-Davis index "
        f"{fixed(pred, 2)} (threshold {fixed(limits['crowding'], 2)}, truth {fixed(true, 2)}). "
        "Whether they are wrong there cannot be told without the predictions."
    )
    finding = Finding(
        rule=SATURATED,
        severity=Severity.INFO,
        message=message,
        evidence=_shape_evidence(pred, true),
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
    )
    return Checked(findings=(finding,))


def check_unreached(context: Context, limits: Limits) -> Outcome:
    """range.unreached: no prediction in the lowest or the highest tenth of the truth.

    Any model with r < 1 predicts a narrower range than the truth's: that alone is information. It is a warning where
    the part that is shown to be wrong (the near end of the interval of b above 1, and of β) would have to be mended
    for the predictions to reach the tail.
    """
    final = context.final
    sample = sample_of(context)
    if final is None or sample is None:
        return NotChecked(rule=UNREACHED, reason="no predictions, so the tails of the truth are not known")
    if sample.n < limits["least_rows"]:
        return NotChecked(rule=UNREACHED, reason=f"{sample.n} predictions; needs at least {limits['least_rows']:.0f}")
    import numpy as np  # here, so that a report on a log without predictions does not pay for it

    tail = limits["tail"]
    low, high = (float(q) for q in np.quantile(sample.true, [tail, 1 - tail]))
    if not high > low:
        return NotChecked(rule=UNREACHED, reason="the truth has no lower and upper tail: most of it is one value")
    least, most = float(sample.pred.min()), float(sample.pred.max())
    if least <= low and most >= high:
        return CLEAR
    mended_least, mended_most = _mended_range(final, sample, limits["warning_p"])
    missed = [side for side, miss in (("lowest", least > low), ("highest", most < high)) if miss]
    mendable = [
        side
        for side, reaches in (("lowest", mended_least <= low), ("highest", mended_most >= high))
        if side in missed and reaches
    ]
    scale = float(sample.true.std(ddof=0))
    outside = float(((sample.true < least) | (sample.true > most)).mean())
    message = (
        f"{basis.place(final)} no prediction lies in the {' or the '.join(missed)} tenth of the truth: predictions run "
        f"from {basis.resolved(least, scale)} to {basis.resolved(most, scale)}, the truth's tenths end at "
        f"{basis.resolved(low, scale)} and begin at {basis.resolved(high, scale)}; "
        f"{percent(outside)} of the truth lies outside the predicted range."
    )
    r = basis.estimate(final, "pearson_r")
    if mendable:
        message += (
            f" Mending the shown error of range and mean alone would reach the {' and the '.join(mendable)} tenth."
        )
    elif r is not None:
        message += f" At a correlation of {fixed(r, 2)} a narrow range is to be expected."
    evidence: dict[str, Value] = {
        "pred_min": least,
        "pred_max": most,
        "true_lower_tenth": low,
        "true_upper_tenth": high,
        "share_of_truth_outside": outside,
        "reachable_min": mended_least,
        "reachable_max": mended_most,
        "pearson_r": r,
        "by_true_range": list(true_range_table(sample, r)),
    }
    finding = Finding(
        rule=UNREACHED,
        severity=Severity.WARNING if mendable else Severity.INFO,
        message=message,
        evidence=evidence,
        epoch=final.epoch,
        split=final.split,
        acts_on="alpha",
    )
    return Checked(findings=(finding,))


def _mended_range(final: Final, sample: Sample, level: float) -> tuple[float, float]:
    """Ends of the predicted range with b and β mended as far as the near ends of their intervals show them wrong."""
    slope, shift = 1.0, 0.0
    bounds = basis.finite_interval(final, "calibration_slope")
    if bounds is not None and bounds[0] > 1 and _shown(final, "calibration_slope", 1.0, level):
        slope = bounds[0]
    bounds, std = basis.finite_interval(final, "bias"), basis.estimate(final, "true_std")
    off = bounds is not None and (bounds[0] > 0 or bounds[1] < 0) and _shown(final, "bias", 0.0, level)
    if off and bounds is not None and std is not None:
        shift = -std * min(bounds, key=abs)
    mean = float(sample.pred.mean())
    least, most = float(sample.pred.min()), float(sample.pred.max())
    return mean + shift + slope * (least - mean), mean + shift + slope * (most - mean)


def _shown(final: Final, name: str, null: float, level: float) -> bool:
    p = basis.p_value(final, name, null)
    return p is None or p < level


_LEAST_ROWS = Threshold(
    name="least_rows", default=30, reason="fewer have too few values near an end to tell its shape", unit="rows"
)

RULES: tuple[Rule, ...] = (
    Rule(
        id=SATURATED,
        title="Predictions saturate at the ends of their range",
        meaning="Many predictions sit at one end of their range, or crowd towards both: an output at its limits.",
        statistic=(
            "Share of predictions within 2 % of an end of their range, against the share just inside and the "
            "truth's own; share equal to an end to the last digit, and truth beyond it; Bhatia-Davis index "
            "s²/((max - mean)(mean - min)), against the truth's. Welch t of the error there."
        ),
        remedy="Look at the output activation, clipping, and the scale of the last layer's weights. Acts on r.",
        severities="warning where the error at the ends differs from that elsewhere, or they are cut off; else info",
        check=check_saturated,
        thresholds=(
            Threshold(name="edge_width", default=0.02, reason="the part of the range that counts as its end"),
            Threshold(name="edge_share", default=0.12, reason="six times what a uniform spread puts there"),
            Threshold(
                name="pile",
                default=3.0,
                reason="times the share just inside: a skewed distribution falls off evenly, a saturated one is a step",
            ),
            Threshold(
                name="crowding", default=0.42, reason="144 normal values have 0.15, a uniform spread 0.33, two points 1"
            ),
            Threshold(
                name="crowding_margin", default=0.1, reason="above the truth's own: a two-humped target is no fault"
            ),
            Threshold(name="harm_t", default=3.0, reason="three standard errors; two ends are looked at"),
            Threshold(
                name="tied_share",
                default=0.1,
                reason="a tenth of the predictions told apart from nothing",
                unit="of rows",
            ),
            Threshold(
                name="least_tied", default=5, reason="float32 repeats a value by chance now and then", unit="rows"
            ),
            Threshold(
                name="beyond_share",
                default=0.05,
                reason="a cut at the target's own bound, such as 0, has no truth beyond it",
                unit="of rows",
            ),
            Threshold(
                name="most_tied",
                default=0.2,
                reason="of a tree, of neighbours and of rounded figures every value repeats",
                unit="of the other rows",
            ),
            _LEAST_ROWS,
            Threshold(
                name="least_effective",
                default=5,
                reason="a slow series of a few independent values crowds its extremes by chance",
                unit="independent samples",
            ),
        ),
    ),
    Rule(
        id=UNREACHED,
        title="The tails of the truth are never predicted",
        meaning="No prediction lies where the lowest or the highest tenth of the truth lies.",
        statistic="Extremes of y_pred against the 10 % and 90 % quantiles of y_true; table of the error by true range.",
        remedy=(
            "Where range or mean are shown to be wrong, rescaling mends it. Otherwise the range is what the "
            "correlation warrants: more information, or a model of the conditional distribution, if the tails matter."
        ),
        severities="warning where mending the shown error of b and β would reach the tail; else info",
        check=check_unreached,
        thresholds=(
            Threshold(name="tail", default=0.1, reason="a tenth of the truth at each end", unit="of the samples"),
            Threshold(name="warning_p", default=basis.WARNING_P, reason="of b against 1 and of β against 0", unit="p"),
            _LEAST_ROWS,
        ),
    ),
)
