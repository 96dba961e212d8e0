"""The loss: finite, bounded, falling, and in agreement with the metrics logged beside it."""

from __future__ import annotations

from runreport.context import Context, Limits
from runreport.findings import CLEAR, NOTICEABLE_R2, Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules.base import Rule, Threshold
from runreport.rules.loss_reconcile import UNRECONCILED, check_unreconciled
from runreport.rules.loss_series import losses
from runreport.rules.loss_spikes import SPIKE, check_spike
from runreport.rules.loss_target import RULE as OTHER_TARGET
from runreport.rules.loss_trend import PLATEAU, STILL_FALLING, check_plateau, check_still_falling
from runreport.rules.loss_values import DIVERGENCE, NOT_FINITE, check_divergence, check_not_finite
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, plural

DISAGREE = "loss.metric-disagree"


def check_disagree(context: Context, limits: Limits) -> Outcome:
    """loss.metric-disagree: every epoch of the lowest val_loss is shown to have a lower R² than the best."""
    history, selection = context.history, context.selection
    if history is None:
        return NotChecked(rule=DISAGREE, reason="no history")
    val = losses(history, "val_loss")
    if not val or not history.has("r2"):
        return NotChecked(rule=DISAGREE, reason="no val_loss or no r2 column with finite values")
    if selection is None or selection.indistinguishable is None or selection.best is None:
        needs = selection.needs if selection is not None else None
        reason = "which epochs can be told from the best R² is not known"
        return NotChecked(rule=DISAGREE, reason=f"{reason}: needs {needs}" if needs else reason)
    lowest = min(v for _, v in val)
    picks = [e for e, v in val if v == lowest]
    best_r2 = history.at(selection.best, "r2")
    here = [(e, r2) for e in picks if (r2 := history.at(e, "r2")) is not None]
    if best_r2 is None or not here:
        return NotChecked(rule=DISAGREE, reason="no R² at the epoch of the lowest val_loss")
    if any(e in selection.indistinguishable for e in picks):
        return CLEAR
    epoch, r2 = max(here, key=lambda pair: pair[1])
    lost = best_r2 - r2
    finding = Finding(
        rule=DISAGREE,
        severity=Severity.WARNING if lost >= NOTICEABLE_R2 else Severity.INFO,
        message=(
            f"val_loss is lowest at epoch {epoch_text(epoch)} ({number(lowest)}), where R² is {fixed(r2)}; R² is highest at "
            f"epoch {epoch_text(selection.best)} ({fixed(best_r2)}), and epoch {epoch_text(epoch)} is not among the "
            f"{plural(len(selection.indistinguishable), 'epoch')} that cannot be told from it."
        ),
        evidence={
            "val_loss_epoch": epoch,
            "val_loss": lowest,
            "r2_there": r2,
            "best_epoch": selection.best,
            "best_r2": best_r2,
            "indistinguishable": list(selection.indistinguishable),
        },
        epoch=epoch,
        split="validation",
        recoverable=max(lost, 0.0),
    )
    return Checked(findings=(finding,))


RULES: tuple[Rule, ...] = (
    Rule(
        id=NOT_FINITE,
        title="The loss is not a number",
        meaning=(
            "A loss or an error was NaN or infinite at an epoch that was evaluated: what was trained after is suspect. "
            "Warning where only figures of validation were, and finite again afterwards: the training went on."
        ),
        statistic="NaN and infinities in the loss and error columns; not those of a column evaluated every k epochs only.",
        remedy="Look at that epoch's inputs, at logarithms and divisions in the loss, then at the rate and mixed precision.",
        severities="critical; warning where only validation figures were, and are finite again",
        check=check_not_finite,
    ),
    Rule(
        id=DIVERGENCE,
        title="The train loss ran away",
        meaning="The train loss rose far above its running minimum and stayed there: the optimisation came apart.",
        statistic="Train loss over its running minimum, for three epochs or up to the end; jitter at the floor left out.",
        remedy="Lower the learning rate, lengthen the warm-up, clip gradients. Acts on r.",
        severities="critical",
        check=check_divergence,
        thresholds=(
            Threshold(
                name="factor",
                default=20.0,
                reason="no healthy train loss rises twentyfold for three epochs; jitter and restarts stay within a few",
                unit="× minimum",
            ),
        ),
    ),
    Rule(
        id=SPIKE,
        title="The train loss jumps",
        meaning="Single epochs at which the loss rose far beyond its usual step. Information where the rate was raised there.",
        statistic="Robust z (median, MAD) of the steps of log train loss; the first three steps and steps over gaps left out.",
        remedy="If it recurs: clip gradients, lower the peak rate, look at the batches of that epoch.",
        severities="warning, info",
        check=check_spike,
        thresholds=(
            Threshold(
                name="z",
                default=8.0,
                reason="normal steps reach 8 once in 10^15; steps with the tails of Student's t(5) about once in 5,800",
            ),
            Threshold(
                name="rise",
                default=0.5,
                reason="a rise of less than a half is seen on quiet losses without any consequence",
                unit="share",
            ),
        ),
    ),
    Rule(
        id=PLATEAU,
        title="The train loss does not fall",
        meaning=(
            "Warning: it never left its starting level, so nothing was learned from the first logged epoch on. "
            "Information: it has settled at the end, as the loss of every converged run does."
        ),
        statistic="Median of the last fifth over the first value; Theil-Sen slope of log train loss over the last fifth.",
        remedy="Where it never fell: learning rate, warm-up, frozen or dead layers, inputs without signal. Acts on r.",
        severities="warning, info",
        check=check_plateau,
        thresholds=(
            Threshold(
                name="least_fall",
                default=0.02,
                reason="a fall of 2 % of the starting loss is what an R² of about 0.02 on the training set amounts to",
                unit="share",
            ),
            Threshold(
                name="learned_r2",
                default=0.1,
                reason="with a logged R² above it the model had learned before the first row",
                unit="R²",
            ),
            Threshold(
                name="settled", default=0.05, reason="less than 5 % over a fifth of the run is settled", unit="share"
            ),
        ),
    ),
    Rule(
        id=STILL_FALLING,
        title="The run was cut off while it improved",
        meaning=(
            "Train and validation figures were still improving when the epochs ran out. Information where it is unknown why "
            "the run ended, where no validation figure tells, or where the rate had been annealed."
        ),
        statistic="Theil-Sen slope of log loss over the last fifth: its 95 % interval lies below 0, for train and validation.",
        remedy="Train longer, or raise the learning rate; let early stopping end the run. Acts on r.",
        severities="warning, info",
        check=check_still_falling,
        thresholds=(
            Threshold(
                name="fall",
                default=0.05,
                reason="a loss that fell by less over the last fifth of the run has little left to gain",
                unit="share",
            ),
        ),
    ),
    Rule(
        id=DISAGREE,
        title="The loss and R² pick different epochs",
        meaning="The epoch of the lowest validation loss is shown to have a lower R² than the best: picking by it costs R².",
        statistic="The lowest val_loss against the epochs that cannot be told from the best R² (selection.indistinguishable).",
        remedy="Choose the checkpoint by the figure that is wanted; look for what the loss holds beside the error.",
        severities="warning; info where less than 0.02 of R² is at stake",
        check=check_disagree,
    ),
    Rule(
        id=UNRECONCILED,
        title="The validation loss does not follow from the metrics",
        meaning=(
            "Between two epochs of like error the validation loss rose by more than its definition and the logged R² and "
            "ratio can produce. Whatever was selected by it was selected by something else. A penalty taken batch by batch, "
            "a last batch of few samples weighing as much as a full one, or figures of another split would do this."
        ),
        statistic=(
            "val_loss = base + λ(1 - α²)²; base grows as 1 - R² for squared error, by at most max(1, that)·1.25 for Huber "
            "and MAE; the rounding of every figure is allowed for."
        ),
        remedy="Compute base loss and penalty once over the whole validation set, and log both.",
        severities="warning",
        check=check_unreconciled,
        thresholds=(
            Threshold(
                name="excess", default=0.05, reason="what is left beyond bound and rounding", unit="share of the loss"
            ),
            Threshold(
                name="shape_squared",
                default=1.1,
                reason="a mean of batch means with a short last batch moves by about a tenth",
            ),
            Threshold(
                name="shape_robust",
                default=1.25,
                reason="E|e|/√E[e²] is 0.87 for uniform and 0.71 for Laplace errors: a factor of 1.22 between them",
            ),
            Threshold(
                name="alike",
                default=1.25,
                reason="beyond a quarter's difference in 1 - R² the shape of the errors may change altogether",
                unit="ratio of 1 - R²",
            ),
        ),
    ),
    OTHER_TARGET,
)
