"""lr.unsettled: validation R² that goes on jumping from epoch to epoch under a rate that was never lowered.

Under a constant rate the weights wander about the optimum, the farther the higher the rate (Robbins & Monro 1951 ask for
rates that decay). The validation rows are the same at every epoch, so what R² differs by between neighbouring epochs of a
curve without a trend is that wandering. Whichever epoch is kept is one draw of it.
"""

from __future__ import annotations

import math
from itertools import pairwise
from statistics import fmean, median

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.base import Rule, Threshold
from runreport.rules.learning_rate_shape import rates
from runreport.rules.loss_series import Pairs, all_positive, log_losses, losses
from runreport.rules.loss_trend import trend_of
from runreport.statistics.trend import MEAN_AD_TO_STD
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, percent

UNSETTLED = "lr.unsettled"

LOWERED = 0.2
"""A rate at or below this share of its highest has been lowered: step decays divide by 2 to 10, once or more."""
FEWEST_ROWS = 50
"""Validation samples below which R² of the rows at hand jumps though the model hardly moves."""


def check_unsettled(context: Context, limits: Limits) -> Outcome:
    """The standard deviation of the steps of R² over the second half, where neither the rate was lowered nor R² moves on."""
    history = context.history
    if history is None:
        return NotChecked(rule=UNSETTLED, reason="no history")
    logged = rates(context)
    # r² is what R² would be at the best scale and shift: neither a wrong width nor an offset multiplies its steps.
    r = losses(history, "pearson_r")
    r2 = [(e, v * abs(v)) for e, v in r if abs(v) <= 1] if r else losses(history, "r2")
    half = r2[len(r2) // 2 :]
    if len(half) < limits["epochs"]:
        return NotChecked(rule=UNSETTLED, reason=f"needs {2 * limits['epochs']:.0f} epochs with validation R²")
    train = losses(history, "train_loss")
    if not train or not all_positive(train):
        return NotChecked(rule=UNSETTLED, reason="no train_loss column that is positive throughout")
    if not logged or max(v for _, v in logged) <= 0:
        return NotChecked(rule=UNSETTLED, reason="no learning_rate column")
    rows = context.split_statistic("val", "n")
    if rows is not None and rows < FEWEST_ROWS:
        return NotChecked(rule=UNSETTLED, reason=f"{rows:.0f} validation samples; needs {FEWEST_ROWS}")
    top = max(v for _, v in logged)
    lowest = min((v for e, v in logged if e >= half[0][0]), default=0.0)
    if lowest <= LOWERED * top:
        return CLEAR
    steps = [b[1] - a[1] for a, b in pairwise(half)]
    centre, level = median(steps), median(v for _, v in half)
    # An offset multiplies what R² itself differs by: below 0 its steps count as shares of 1 - R².
    size = MEAN_AD_TO_STD * fmean(abs(step - centre) for step in steps) / max(1.0, 1 - level)
    kept_last = _nothing_selected(context) and rows is not None
    least = limits["step_last"] if kept_last else limits["step"]
    if size < least:
        return CLEAR  # before the slopes, which take longer than all the rest
    trend = trend_of(half)
    if trend is None:
        return CLEAR
    # No trend, or one that moves less over the whole half than two neighbouring epochs differ by.
    moved = abs(trend.slope) * (half[-1][0] - half[0][0]) / max(1.0, 1 - level)
    if not (trend.lo <= 0 <= trend.hi or moved < size):
        return CLEAR
    what = "the squared correlation on validation" if r else "validation R²"
    together = _together(half, log_losses(train))
    if together < limits["together"]:
        return CLEAR
    unit = "" if r else " R²" if level >= 0 else " of 1 - R²"
    kept = " The last epoch was kept, whichever it was." if kept_last else ""
    message = (
        f"From epoch {epoch_text(half[0][0])} on {what} has no trend beyond that and differs from epoch to epoch by "
        f"{fixed(size)}{unit} (standard deviation; threshold {fixed(least, 2)}) under a learning rate that never fell below "
        f"{percent(lowest / top, 0)} of its highest, {number(top)}.{kept} The train loss moves with it (correlation of the "
        f"steps {fixed(together, 2)}), so it is the weights that wander."
    )
    evidence: dict[str, Value] = {
        "from": half[0][0],
        "step_std": size,
        "level": level,
        "lowest_rate": lowest,
        "highest_rate": top,
        "kept_last": kept_last,
        "together": together,
    }
    finding = Finding(
        rule=UNSETTLED,
        severity=Severity.WARNING,
        message=message,
        evidence=evidence,
        epoch=half[0][0],
        split="validation",
        acts_on="r",
    )
    return Checked(findings=(finding,))


def _together(r2: Pairs, train: Pairs) -> float:
    """Correlation of the steps of R² with the falls of the log train loss; 0 where it is not defined.

    Weights that wander move both; a validation figure that jumps because its rows are few moves alone.
    """
    own = dict(train)
    steps = [(b[1] - a[1], own[a[0]] - own[b[0]]) for a, b in pairwise(r2) if a[0] in own and b[0] in own]
    if len(steps) < 3:
        return 0.0
    means = [fmean(step[i] for step in steps) for i in (0, 1)]
    products = [(x - means[0], y - means[1]) for x, y in steps]
    scale = math.sqrt(math.fsum(x * x for x, _ in products) * math.fsum(y * y for _, y in products))
    return math.fsum(x * y for x, y in products) / scale if scale > 0 else 0.0


def _nothing_selected(context: Context) -> bool:
    """Whether the last epoch was kept and no policy declared."""
    audit, history = context.selection, context.history
    if audit is None or history is None or audit.declared is not None:
        return False
    return audit.saved is not None and audit.saved == history.epochs[-1]


RULE = Rule(
    id=UNSETTLED,
    title="R² does not settle under this learning rate",
    meaning=(
        "The rate was never lowered, and validation R² goes on jumping: the model that was kept is one draw of many. A rate "
        "that decays, or an average of the weights, keeps what all of them agree on."
    ),
    statistic=(
        "Over the second half of the epochs, of r² where r is logged, else of R²: the standard deviation of the steps (from "
        "their mean deviation) above the threshold, no trend (Theil-Sen interval holds 0) or one that moves less in all than "
        "that, a train loss whose steps go with it, and no rate at or below a fifth of the highest."
    ),
    remedy="Decay the rate to a tenth or less, or average the weights of the last epochs. Refuted if R² jumps as before. "
    "Acts on r.",
    severities="warning",
    check=check_unsettled,
    thresholds=(
        Threshold(
            name="epochs",
            default=10,
            unit="epochs",
            reason="a half of fewer epochs has no trend with a usable interval",
        ),
        Threshold(
            name="together",
            default=0.5,
            unit="correlation",
            reason="a quarter of the variance of the steps is common to both; of ten unrelated steps 7 % are so by chance",
        ),
        Threshold(
            name="step_last",
            default=0.02,
            unit="R²",
            reason="where the last epoch is kept unchosen, a noticeable ΔR² rests on when the run ended",
        ),
        Threshold(
            name="step",
            default=0.07,
            unit="R²",
            reason="sound runs whose best epoch is chosen step by up to 0.03; the best of 20 steps of 0.07 looks 0.1 too good",
        ),
    ),
)
