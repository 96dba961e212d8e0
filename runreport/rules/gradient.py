"""Gradient norms: base against penalty as measured, and norms that vanish or explode."""

from __future__ import annotations

import math
from statistics import median

from runreport.context import Context, History, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.base import Rule, Threshold
from runreport.rules.bias_epochs import epoch_ranges
from runreport.rules.loss_series import Pairs, best_r2, losses, tail
from runreport.wording import epoch as epoch_text
from runreport.wording import number, percent, plural

RATIO = "gradient.ratio"
VANISHING = "gradient.vanishing"
EXPLODING = "gradient.exploding"

NORMS = ("grad_norm_total", "grad_norm_base")
SETTLING = 3
"""Epochs at the start that set the scale of an explosion: first gradients are large in many healthy runs."""
CLIP_KEYS = ("gradient_clip", "gradient_clip_val", "max_grad_norm", "grad_clip", "clip_grad_norm", "clip_norm")


def check_ratio(context: Context, limits: Limits) -> Outcome:
    """gradient.ratio: penalty over base gradient norm, for display only.

    At a stationary point of base + penalty the two gradients are opposite and equally long whatever λ is, so the ratio
    does not say whether a penalty is strong enough.
    """
    history = context.history
    if history is None:
        return NotChecked(rule=RATIO, reason="no history")
    base, penalty = dict(losses(history, "grad_norm_base")), dict(losses(history, "grad_norm_penalty"))
    if not base or not penalty:
        missing = "grad_norm_base" if not base else "grad_norm_penalty"
        return NotChecked(rule=RATIO, reason=f"no {missing} column with finite values")
    ratios: Pairs = [(e, penalty[e] / v) for e, v in base.items() if v > 0 and e in penalty]
    if not ratios:
        return NotChecked(rule=RATIO, reason="no epoch with both norms and a base norm above 0")
    end = tail(ratios)
    level, values = median(v for _, v in end), [v for _, v in ratios]
    message = (
        f"The gradient of the penalty is {number(level)} times that of the base loss (median of epochs "
        f"{epoch_text(end[0][0])} to {epoch_text(end[-1][0])}; {number(min(values))} to {number(max(values))} over the run). "
        "The ratio tends to 1 wherever training settles, at any weight of the penalty, so it is no target."
    )
    evidence: dict[str, Value] = {
        "median_at_end": level,
        "least": min(values),
        "most": max(values),
        "epochs": len(ratios),
    }
    finding = Finding(rule=RATIO, severity=Severity.INFO, message=message, evidence=evidence, split="train")
    return Checked(findings=(finding,))


def _norms(history: History) -> tuple[str, Pairs] | None:
    for name in NORMS:
        pairs = losses(history, name)
        if pairs:
            return name, pairs
    return None


def check_vanishing(context: Context, limits: Limits) -> Outcome:
    """gradient.vanishing: a gradient norm of (almost) nothing while the training set is not fitted."""
    history = context.history
    if history is None:
        return NotChecked(rule=VANISHING, reason="no history")
    norms = _norms(history)
    if norms is None:
        return NotChecked(rule=VANISHING, reason="no grad_norm column with finite values")
    name, pairs = norms
    if len(pairs) < 3:
        return NotChecked(
            rule=VANISHING, reason=f"{plural(len(pairs), 'epoch')} with a gradient norm; needs at least 3"
        )
    top = max(v for _, v in pairs)
    run: list[int | float] = []
    for epoch, value in reversed(pairs):
        if value > limits["share"] * top:
            break
        run.insert(0, epoch)
    if len(run) < 3:
        return CLEAR
    known, train = best_r2(history), losses(history, "train_loss")
    if known is not None and known[0] == "train_r2":
        fitted, shown = known[1] >= limits["fitted_r2"], f"train R² is at most {number(known[1], 2)}"
    elif train and train[0][1] > 0:
        left = train[-1][1] / train[0][1]
        fitted, shown = left < 0.5, f"the train loss is at {percent(left, 0)} of its first value"
    elif top > 0:
        return NotChecked(
            rule=VANISHING,
            reason="the norm is small, and neither train R² nor train loss tells whether the fit is done",
        )
    else:
        fitted, shown = False, "it is 0 throughout"
    if fitted:
        return CLEAR
    limit = f"below {number(limits['share'])} of its maximum {number(top)}" if top > 0 else "0"
    finding = Finding(
        rule=VANISHING,
        severity=Severity.WARNING,
        message=(
            f"The gradient norm ({name}) is {limit} from epoch {epoch_text(run[0])} to the end, while {shown}: "
            "nothing more was learned."
        ),
        evidence={"column": name, "from": run[0], "epochs": len(run), "highest": top, "last": pairs[-1][1]},
        epoch=run[0],
        split="train",
        acts_on="r",
    )
    return Checked(findings=(finding,))


def check_exploding(context: Context, limits: Limits) -> Outcome:
    """gradient.exploding: a norm far above the median of the epochs before it, or not finite."""
    history = context.history
    if history is None:
        return NotChecked(rule=EXPLODING, reason="no history")
    name = next((n for n in NORMS if any(v is not None for v in history.get(n))), None)
    if name is None:
        return NotChecked(rule=EXPLODING, reason="no grad_norm column")
    values = [(e, v) for e, v in zip(history.epochs, history.get(name), strict=True) if v is not None]
    if len(values) <= SETTLING:
        return NotChecked(
            rule=EXPLODING, reason=f"{plural(len(values), 'epoch')} with a gradient norm; needs at least {SETTLING + 1}"
        )
    high: list[int | float] = []
    worst, at, usual = 0.0, values[0][0], 0.0
    for i, (epoch, value) in enumerate(values):
        before = [v for _, v in values[:i] if math.isfinite(v)]
        if i < SETTLING or not before:
            continue
        centre = median(before)
        if not math.isfinite(value) or (centre > 0 and value > limits["factor"] * centre):
            high.append(epoch)
            size = value / centre if math.isfinite(value) and centre > 0 else math.inf
            if size > worst:
                worst, at, usual = size, epoch, centre
    if not high:
        return CLEAR
    clip = context.config_number(*CLIP_KEYS)
    size_text = f"{number(worst)} times" if math.isfinite(worst) else "not finite, against"
    message = (
        f"The gradient norm ({name}) explodes at {'epoch' if len(high) == 1 else 'epochs'} "
        f"{epoch_ranges(high, history.epochs)}: at epoch {epoch_text(at)} it is {size_text} the median of the epochs before, "
        f"{number(usual)} (threshold {number(limits['factor'])} times)."
    )
    bounded = clip is not None and clip > 0 and math.isfinite(worst)
    if bounded:
        message += f" The config clips gradients at {number(clip)}, which bounds the step that was taken."
    finding = Finding(
        rule=EXPLODING,
        severity=Severity.INFO if bounded else Severity.WARNING,
        message=message,
        evidence={
            "column": name,
            "epochs": list(high),
            "largest_factor": worst if math.isfinite(worst) else None,
            "usual": usual,
            "clip": clip,
        },
        epoch=high[0],
        split="train",
        acts_on="r",
    )
    return Checked(findings=(finding,))


RULES: tuple[Rule, ...] = (
    Rule(
        id=RATIO,
        title="Penalty and base gradients",
        meaning="How the two gradients compare, as measured. For display: at any stationary point they are equally long.",
        statistic="grad_norm_penalty / grad_norm_base, median over the last fifth of the epochs.",
        remedy="None: judge a penalty by the calibration slope of the predictions, not by this ratio.",
        severities="info",
        check=check_ratio,
    ),
    Rule(
        id=VANISHING,
        title="The gradient vanished",
        meaning="The gradient is next to nothing while the training set is not fitted: dead units or a saturated output.",
        statistic="Gradient norm over its maximum, at the last three epochs or more; train R² or train loss for the fit.",
        remedy="Look at the activations of the last layers and at the initialisation; normalise the inputs. Acts on r.",
        severities="warning",
        check=check_vanishing,
        thresholds=(
            Threshold(
                name="share",
                default=1e-5,
                reason="the batches' noise alone keeps the norm of an unfinished fit orders of magnitude above it",
                unit="of the maximum",
            ),
            Threshold(name="fitted_r2", default=0.9, reason="a fit that is done may have no gradient left", unit="R²"),
        ),
    ),
    Rule(
        id=EXPLODING,
        title="The gradient exploded",
        meaning="The gradient norm jumped far beyond its usual size. Information where the config clips gradients.",
        statistic="Norm over the median of all epochs before it; NaN and infinity. The first three epochs only set the scale.",
        remedy="Clip gradients; lower the rate; look at the inputs of that epoch. Acts on r.",
        severities="warning, info",
        check=check_exploding,
        thresholds=(
            Threshold(
                name="factor",
                default=100.0,
                reason="epoch means of the norm vary by a few times; heavy tails of single batches are averaged out",
                unit="× median before",
            ),
        ),
    ),
)
