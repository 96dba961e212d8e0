"""Penalty: what a term that rewards spread does to the predictions."""

from __future__ import annotations

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.rules.penalty_optimum import batch_optimum, equilibrium_ratio, penalty_weight
from runreport.wording import fixed, number, percent, with_interval

DOMINATES = "penalty.dominates"
BATCH_BIAS = "penalty.batch-bias"


def check_dominates(context: Context, limits: Limits) -> Outcome:
    """penalty.dominates: a spread penalty is on, and the predictions are wider than they warrant."""
    weight = penalty_weight(context)
    if weight is None:
        return NotChecked(rule=DOMINATES, reason="neither config nor log says whether a spread penalty is on")
    if weight <= 0:
        return CLEAR
    final = context.final
    reason = basis.why_not(final, "calibration_slope", "variance_ratio", "pearson_r", interval=False)
    reason = reason or basis.why_not(final, "calibration_slope")
    slope, ratio = basis.estimate(final, "calibration_slope"), basis.estimate(final, "variance_ratio")
    r, bounds = basis.estimate(final, "pearson_r"), basis.finite_interval(final, "calibration_slope")
    if final is None or reason is not None or slope is None or ratio is None or r is None or bounds is None:
        return NotChecked(rule=DOMINATES, reason=reason or "no calibration slope")
    if bounds[1] >= 1:
        return CLEAR
    recoverable = (ratio - r) * (ratio - r) - min(r, 0.0) * min(r, 0.0)
    std = basis.estimate(final, "true_std")
    pull = None if std is None else equilibrium_ratio(r=r, weight=weight, true_std=std)
    # A penalty too weak to account for half of the excess is not what dominates: spread.over reports the excess.
    if pull is not None and pull - max(r, 0.0) < limits["least_share"] * (ratio - max(r, 0.0)):
        return CLEAR
    message = (
        f"A spread penalty is on (λ = {number(weight)}) and {basis.place(final).lower()} the calibration slope is "
        f"{with_interval(slope, bounds, 2)} (1 = calibrated): the predictions are wider ({percent(ratio)}) than their "
        f"correlation of {fixed(r, 2)} warrants, which costs {fixed(recoverable)} R²."
    )
    if pull is not None:
        message += (
            f" With ½MSE as base loss and a population variance such a penalty has its equilibrium at a ratio of "
            f"{percent(pull)}."
        )
    finding = Finding(
        rule=DOMINATES,
        severity=Severity.CRITICAL if recoverable >= limits["least_cost"] else Severity.INFO,
        message=message,
        evidence=basis.evidence_of(final, "calibration_slope", "variance_ratio", "pearson_r")
        | {"penalty_weight": weight, "equilibrium_ratio": pull, "wrong_spread": recoverable},
        epoch=final.epoch,
        split=final.split,
        acts_on="alpha",
        recoverable=recoverable,
        p_value=basis.p_value(final, "calibration_slope", 1.0),
    )
    return Checked(findings=(finding,))


def check_batch_bias(context: Context, limits: Limits) -> Outcome:
    """penalty.batch-bias: a spread penalty is computed on batches too small for a variance."""
    weight = penalty_weight(context)
    if weight is None:
        return NotChecked(rule=BATCH_BIAS, reason="neither config nor log says whether a spread penalty is on")
    if weight <= 0:
        return CLEAR
    batch = context.config_number("batch_size", "train_batch_size", "per_device_train_batch_size")
    if batch is None or batch < 1:
        return NotChecked(rule=BATCH_BIAS, reason="no batch_size in the config")
    size = int(batch)
    rows = context.split_statistic("train", "n") or context.config_number("n_train", "train_samples")
    last = None
    if rows is not None and context.config.get("drop_last") is not True:
        last = int(rows) % size or size
    small = size < limits["least_batch"]
    short = last is not None and last != size and last <= limits["least_last_batch"]
    if not small and not short:
        return CLEAR
    r = basis.estimate(context.validation, "pearson_r")
    r = r if r is not None else basis.estimate(context.final, "pearson_r")
    optimum = batch_optimum(size)
    parts = [f"A spread penalty (λ = {number(weight)}) is on"]
    if small:
        parts.append(
            f" and its variances are taken over batches of {size} (threshold {limits['least_batch']:.0f}): for "
            f"predictions that are unrelated to the truth its own minimum lies at a ratio of {percent(optimum)}"
        )
        if r is not None and 0 < r < 1:
            parts.append(f" (at the measured correlation of {fixed(r, 2)}: {percent(batch_optimum(size, r))})")
    if short:
        join = "; the last batch of an epoch" if small else " and the last batch of an epoch"
        parts.append(
            f"{join} has {last} of {size} samples (threshold {limits['least_last_batch']:.0f}), over which "
            "the squared variance ratio has no finite mean"
        )
    evidence: dict[str, Value] = {
        "penalty_weight": weight,
        "batch_size": size,
        "train_rows": None if rows is None else int(rows),
        "last_batch": last,
        "optimum_ratio_unrelated": optimum,
        "optimum_ratio_at_r": None if r is None else batch_optimum(size, r),
        "pearson_r": r,
    }
    finding = Finding(
        rule=BATCH_BIAS,
        severity=Severity.WARNING,
        message="".join(parts) + ".",
        evidence=evidence,
        acts_on="alpha",
    )
    return Checked(findings=(finding,))


RULES: tuple[Rule, ...] = (
    Rule(
        id=DOMINATES,
        title="The spread penalty dominates",
        meaning="A penalty pushes the range of the predictions beyond what they know; the extra range is noise.",
        statistic=(
            "Penalty weight λ > 0 and the 95 % interval of the slope b = r/α below 1. With ½MSE as base the penalty "
            "λ(1 - α²)² is in equilibrium where σt²(α - r) = 4λα(1 - α²), solved for α in (r, 1)."
        ),
        remedy="Lower or remove the penalty; rescaling the predictions mends the range for free. Acts on alpha.",
        severities="critical; info where it costs less than 0.02 R²",
        check=check_dominates,
        thresholds=(
            Threshold(name="least_cost", default=0.02, reason="the smallest ΔR² that counts as noticeable", unit="R²"),
            Threshold(
                name="least_share",
                default=0.5,
                reason="below half of the excess the penalty is not its main cause, under ½MSE as base",
                unit="of α - r",
            ),
        ),
    ),
    Rule(
        id=BATCH_BIAS,
        title="The spread penalty sees batches that are too small",
        meaning="A ratio of two small-batch variances is biased and heavy-tailed: the penalty pulls elsewhere.",
        statistic=(
            "Minimum over α of E[(1 - s_p²/s_t²)²] for normal samples: α² = (d - 4)/(d + 2), d = batch - 1, at r = 0, "
            "and E[W]/E[W²] of the unit-variance ratio W at r ≠ 0; no finite mean for d ≤ 4."
        ),
        remedy="Use larger batches, drop the short last batch, or take the variances over more batches. Acts on alpha.",
        severities="warning",
        check=check_batch_bias,
        thresholds=(
            Threshold(
                name="least_batch",
                default=32,
                reason="from there on the penalty's own optimum is a ratio above 90 %",
                unit="samples",
            ),
            Threshold(
                name="least_last_batch", default=5, reason="d ≤ 4: the expected penalty is infinite", unit="samples"
            ),
        ),
    ),
)
