"""The learning rate: whether it reached and followed what was configured, and what the loss did under it."""

from __future__ import annotations

from runreport.rules.base import Rule, Threshold
from runreport.rules.learning_rate_effect import TOO_HIGH, TOO_LOW, check_too_high, check_too_low
from runreport.rules.learning_rate_schedule import (
    FROZEN,
    JUMP,
    MISMATCH,
    NEVER_ENDED,
    check_frozen,
    check_jump,
    check_mismatch,
    check_never_ended,
)
from runreport.rules.learning_rate_unsettled import RULE as UNSETTLED

RULES: tuple[Rule, ...] = (
    Rule(
        id=NEVER_ENDED,
        title="The warm-up never ended",
        meaning=(
            "The rate was still rising when the run ended, so the model was never trained at the rate that was configured. "
            "A warm-up length meant in steps and counted in epochs does this."
        ),
        statistic=(
            "Every step of the rate rises and its maximum is the last epoch; where the second difference is about 0, the "
            "line is extended to the configured peak. With reductions in between only where the peak was never reached."
        ),
        remedy="Advance the warm-up by optimizer steps, or shorten it to a few per cent of the run. Acts on r.",
        severities="critical",
        check=check_never_ended,
        thresholds=(
            Threshold(
                name="epochs",
                default=5,
                reason="a run of four epochs that is still warming up is a trial, not a training",
                unit="epochs",
            ),
        ),
    ),
    Rule(
        id=FROZEN,
        title="The learning rate stands still",
        meaning="The rate was 0 for part of the run, or a schedule that must change it was configured and never did.",
        statistic=(
            "Epochs at a rate of 0, or at a hundredth of the highest to the end; all rates equal to 1e-4 under a schedule, or "
            "through a stall of val_loss. Information where validation or the train loss had stopped improving before "
            "the rate fell to a tenth."
        ),
        remedy="Step the scheduler, with the unit it expects; log the rate the optimizer used. Acts on r.",
        severities="warning; info where it costs time only",
        check=check_frozen,
        thresholds=(
            Threshold(name="epochs", default=5, reason="a schedule may not have acted in fewer epochs", unit="epochs"),
            Threshold(
                name="zero_share",
                default=0.1,
                reason="an annealing that ends at 0 spends an epoch or two there; a tenth of the run is wasted",
                unit="share of epochs",
            ),
            Threshold(
                name="dead_share",
                default=0.5,
                reason="cosine and step schedules spend a fifth of a run at most at a hundredth of the peak",
                unit="share of epochs",
            ),
        ),
    ),
    Rule(
        id=JUMP,
        title="The learning rate jumps",
        meaning=(
            "Between two epochs the rate was raised, or cut far more than schedules cut: a resume that lost the scheduler's "
            "state does this. Information where the jumps are those of a schedule with restarts."
        ),
        statistic="Ratio of neighbouring rates after the first that does not rise; cuts only where it is level around them.",
        remedy="Save and restore the scheduler with the checkpoint; check what changed the rate at that epoch.",
        severities="warning, info",
        check=check_jump,
        thresholds=(
            Threshold(name="up", default=2.0, reason="schedules rise in warm-up only, or in restarts", unit="×"),
            Threshold(name="down", default=20.0, reason="step decays divide by 2 to 10", unit="×"),
        ),
    ),
    Rule(
        id=TOO_HIGH,
        title="The loss could not settle under this learning rate",
        meaning=(
            "Under its highest rates the train loss ran away, did not fall until the rate was cut, or shook in place. "
            "A lower rate was not tried there; that it would do better is likely, not shown."
        ),
        statistic=(
            "Divergence at half of the highest rate or more; a first loss far above the later ones with no gradient left and "
            "R² near 0; no fall before the first cut by half and a fall by a fifth after it; or, at a rate that stays high, "
            "steps of log loss with a robust std above the threshold, no trend, "
            "and a level that is not the floor. Or, with R² below 0.1 ever after: a weight norm four times its first, or "
            "(without a penalty) train losses a hundredfold apart after the first epoch."
        ),
        remedy="Try a third of the rate; lengthen the warm-up; clip gradients. Refuted if the loss shakes as before. Acts on r.",
        severities="warning",
        check=check_too_high,
        thresholds=(
            Threshold(name="epochs", default=8, reason="five epochs before a cut and some after", unit="epochs"),
            Threshold(name="factor", default=20.0, reason="as for loss.divergence", unit="× minimum"),
            Threshold(
                name="blow_up",
                default=3.0,
                reason="the mean over a first epoch that falls as it should is within a few times of the second's",
                unit="× later level",
            ),
            Threshold(
                name="gradient_left",
                default=1e-3,
                reason="of living units the batches' noise alone keeps more of the gradient than that",
                unit="of the maximum",
            ),
            Threshold(
                name="jitter",
                default=0.2,
                reason="an epoch's mean train loss that changes by a fifth without a trend averages nothing out",
                unit="std of log steps",
            ),
        ),
    ),
    Rule(
        id=TOO_LOW,
        title="The loss fell slowly, and at the same pace to the end",
        meaning=(
            "A suitable rate lowers the loss fast and then less and less. Here the last third of the run fell as fast as the "
            "first and the whole run fell little: the run ended at the beginning of its descent."
        ),
        statistic=(
            "Theil-Sen slopes of log train loss against the sum of the rates, over the first and last third of that sum; "
            "share of upward steps, total fall. Validation must improve, too, where it is logged. Or, under Adam and with R² "
            "below 0.1 throughout: rates that add up to less than 0.05 over all steps, which is about how far a weight can move."
        ),
        remedy="Try three to ten times the rate, or as many times the epochs. Refuted if the loss then shakes. Acts on r.",
        severities="warning",
        check=check_too_low,
        thresholds=(
            Threshold(
                name="epochs", default=18, reason="thirds of six epochs have a slope with an interval", unit="epochs"
            ),
            Threshold(
                name="pace",
                default=0.7,
                reason="a decay towards a floor loses more than a third of its pace in two thirds of a run",
                unit="last / first slope",
            ),
            Threshold(
                name="quicker",
                default=1.5,
                reason="a loss that falls faster after the rate was cut was not held back by a low rate",
                unit="last / first slope",
            ),
            Threshold(name="fall", default=0.5, reason="a loss that more than halved is on its way", unit="share"),
            Threshold(
                name="upward",
                default=0.25,
                reason="small steps descend steadily; a loss that rises at more epochs is held by noise, not by its pace",
                unit="share of steps",
            ),
        ),
    ),
    Rule(
        id=MISMATCH,
        title="The logged rate is not the configured one",
        meaning="The highest logged rate lies below or above the configured one: what ran is not what was written down.",
        statistic="Highest logged rate (extended back where it decays from the first step) over the configured peak.",
        remedy="Find what scales the rate: warm-up, batch size rule, parameter groups, a stale config.",
        severities="warning; info where the warm-up never ended, the rate jumped or died",
        check=check_mismatch,
        thresholds=(
            Threshold(
                name="share",
                default=0.1,
                reason="a cosine schedule has lost a tenth of its peak after a fifth of the run; the first epoch loses less",
                unit="share of the peak",
            ),
        ),
    ),
    UNSETTLED,
)
