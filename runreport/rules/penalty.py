"""Penalty: what a term that rewards spread does to the predictions."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules import data_basis as basis
from runreport.rules.base import Rule, Threshold
from runreport.rules.loss_series import BATCH_KEYS, losses, tail
from runreport.rules.penalty_facts import Penalty, base_of, penalty_of
from runreport.rules.penalty_optimum import batch_optimum, equilibrium_ratio
from runreport.rules.penalty_training import drowned_out, held_wide
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, percent, with_interval

DOMINATES = "penalty.dominates"
BATCH_BIAS = "penalty.batch-bias"
UNKNOWN = "neither config nor log says whether a spread penalty is on"


def check_dominates(context: Context, limits: Limits) -> Outcome:
    """penalty.dominates: a spread penalty is on, predictions are wider than they warrant, and it is what widens them.

    That it is: by the equilibrium of base loss and penalty where the files tell both formulas, else by the logged
    gradient norms, which need no formula. Where neither is there, not checked. What the held-out rows do not show, or only by
    a weak test, the training rows may (:mod:`runreport.rules.penalty_training`).
    """
    penalty = penalty_of(context)
    if penalty is None:
        return NotChecked(rule=DOMINATES, reason=UNKNOWN)
    if penalty.weight <= 0:
        return CLEAR
    final = context.final
    reason = basis.why_not(final, "calibration_slope", "variance_ratio", "pearson_r", interval=False)
    reason = reason or basis.why_not(final, "calibration_slope")
    slope, ratio = basis.estimate(final, "calibration_slope"), basis.estimate(final, "variance_ratio")
    r, bounds = basis.estimate(final, "pearson_r"), basis.finite_interval(final, "calibration_slope")
    if final is None or reason is not None or slope is None or ratio is None or r is None or bounds is None:
        return NotChecked(rule=DOMINATES, reason=reason or "no calibration slope")
    p = basis.p_value(final, "calibration_slope", 1.0)
    if bounds[1] >= 1 or (p is not None and p >= basis.WARNING_P):
        # What so weak a test says would not stand beside the other tests on this run; the training rows may say it.
        by_training = _by_training_rows(context, penalty, limits)
        if bounds[1] >= 1 or by_training is not CLEAR:
            return by_training
    pull = _equilibrium(context, penalty, r)
    gradient = None
    if isinstance(pull, _Pull) and pull.ratio - max(r, 0.0) < limits["least_share"] * (ratio - max(r, 0.0)):
        # A penalty too weak to account for half of the excess is not what dominates: spread.over reports the excess.
        if not pull.least:
            return _by_training_rows(context, penalty, limits)
        pull = "Huber's loss is not shown to have been quadratic over most of these errors"
    if isinstance(pull, _Pull):
        grounds = (
            f"With {pull.base} as base loss and a population variance this penalty has its equilibrium at a ratio of "
            f"{percent(pull.ratio)}{' or above' if pull.least else ''}."
        )
    else:
        gradient = _gradient_share(context)
        if gradient is None:
            return NotChecked(
                rule=DOMINATES,
                reason=f"a spread penalty is on and predictions are too wide, but {pull}; and no gradient norms of base "
                "loss and penalty are logged, which would need no formula",
            )
        if gradient < limits["least_gradient"]:
            return _by_training_rows(context, penalty, limits)
        grounds = (
            f"Where it pulls to is not known ({pull}); that it pulls is: up to the judged epoch its gradient was "
            f"{number(gradient, 2)} times the base loss's (threshold {number(limits['least_gradient'])})."
        )
    recoverable = (ratio - r) * (ratio - r) - min(r, 0.0) * min(r, 0.0)
    message = (
        f"A {penalty.label} is on ({_weight(penalty)}) and {basis.place(final).lower()} the calibration slope is "
        f"{with_interval(slope, bounds, 2)} (1 = calibrated): the predictions are wider ({percent(ratio)}) than their "
        f"correlation of {fixed(r, 2)} warrants, which costs {fixed(recoverable)} R². {grounds}"
    )
    finding = Finding(
        rule=DOMINATES,
        severity=Severity.CRITICAL if recoverable >= limits["least_cost"] else Severity.INFO,
        message=message,
        evidence=basis.evidence_of(final, "calibration_slope", "variance_ratio", "pearson_r")
        | {
            "penalty_kind": penalty.kind,
            "penalty_weight": penalty.weight,
            "equilibrium_ratio": pull.ratio if isinstance(pull, _Pull) else None,
            "gradient_ratio": gradient,
            "wrong_spread": recoverable,
        },
        epoch=final.epoch,
        split=final.split,
        acts_on="alpha",
        recoverable=recoverable,
        p_value=p,
    )
    return Checked(findings=(finding,))


def _by_training_rows(context: Context, penalty: Penalty, limits: Limits) -> Outcome:
    """What the held-out rows do not show, or not to be the penalty's doing, by the training rows and the gradients on them."""
    gradient = _gradient_share(context)
    found = held_wide(context, gradient, limits) or drowned_out(context, gradient)
    if found is None:
        return CLEAR
    finding = Finding(
        rule=DOMINATES,
        severity=Severity.WARNING,
        message=f"A {penalty.label} is on ({_weight(penalty)}), and {found.says}",
        evidence={
            "penalty_kind": penalty.kind,
            "penalty_weight": penalty.weight,
            "gradient_ratio": gradient,
            "wrong_spread": found.cost,
            **found.evidence,
        },
        epoch=found.epoch,
        split="train",
        acts_on="alpha" if found.cost is not None else "r",
        recoverable=found.cost,
    )
    return Checked(findings=(finding,))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Pull:
    """Where base loss and penalty are in balance, and how the base loss was taken; ``least``: there or above."""

    ratio: float
    base: str
    least: bool = False


def _equilibrium(context: Context, penalty: Penalty, r: float) -> _Pull | str:
    """Where the penalty pulls, else why that is not known, as half a sentence."""
    if penalty.unknown is not None or penalty.kind is None:
        return penalty.unknown or "its formula is not in these files"
    base = base_of(context)
    if isinstance(base, str):
        return base
    ratio = equilibrium_ratio(
        r=r,
        weight=penalty.weight,
        true_std=base.true_std,
        kind=penalty.kind,
        quadratic=base.quadratic,
        target=penalty.target,
    )
    return (
        "base loss and penalty have no equilibrium"
        if ratio is None
        else _Pull(ratio=ratio, base=base.label, least=base.most)
    )


def _gradient_share(context: Context) -> float | None:
    """Penalty over base gradient norm, median over the last fifth of the epochs up to the judged one; None without them.

    What came after the saved epoch did not shape its weights.
    """
    base, penalty = (dict(losses(context.history, f"grad_norm_{name}")) for name in ("base", "penalty"))
    both = [(epoch, penalty[epoch] / norm) for epoch, norm in base.items() if norm > 0 and epoch in penalty]
    if both and context.history is not None:
        judged, _ = basis.judged_epoch(context, context.history.epochs)
        both = [(epoch, share) for epoch, share in both if epoch <= judged]
    return median(value for _, value in tail(both)) if both else None


def _weight(penalty: Penalty) -> str:
    return f"λ = {number(penalty.weight)}" + (f" at epoch {epoch_text(penalty.epoch)}" if penalty.epoch else "")


def check_batch_bias(context: Context, limits: Limits) -> Outcome:
    """penalty.batch-bias: a spread penalty is computed on batches too small for a variance."""
    penalty = penalty_of(context)
    if penalty is None:
        return NotChecked(rule=BATCH_BIAS, reason=UNKNOWN)
    if penalty.weight <= 0:
        return CLEAR
    batch = context.config_number(*BATCH_KEYS)
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
    if penalty.kind is None:
        reason = f"a spread penalty is on and batches are small, but {penalty.unknown or 'its formula is not known'}"
        return NotChecked(rule=BATCH_BIAS, reason=reason)
    optimum = batch_optimum(size, kind=penalty.kind)
    if optimum is None:
        reason = f"where a {penalty.label} pulls on small batches has no formula here"
        return NotChecked(rule=BATCH_BIAS, reason=reason)
    # A mean of s_p²/s_t² over so short a batch exists for one of the two formulas and not for the other.
    short = short and batch_optimum(last or size, kind=penalty.kind) == 0
    if not small and not short:
        return CLEAR
    r = basis.estimate(context.validation, "pearson_r")
    r = r if r is not None else basis.estimate(context.final, "pearson_r")
    at_r = None if r is None else batch_optimum(size, r, penalty.kind)
    parts = [f"A {penalty.label} ({_weight(penalty)}) is on"]
    if small:
        parts.append(
            f" and its variances are taken over batches of {size} (threshold {limits['least_batch']:.0f}): for "
            f"predictions that are unrelated to the truth its own minimum lies at a ratio of {percent(optimum)}"
        )
        if r is not None and 0 < r < 1:
            parts.append(f" (at the measured correlation of {fixed(r, 2)}: {percent(at_r)})")
    if short:
        join = "; the last batch of an epoch" if small else " and the last batch of an epoch"
        parts.append(
            f"{join} has {last} of {size} samples (threshold {limits['least_last_batch']:.0f}), over which "
            "the penalty has no finite mean"
        )
    evidence: dict[str, Value] = {
        "penalty_kind": penalty.kind,
        "penalty_weight": penalty.weight,
        "batch_size": size,
        "train_rows": None if rows is None else int(rows),
        "last_batch": last,
        "optimum_ratio_unrelated": optimum,
        "optimum_ratio_at_r": at_r,
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
            "Penalty weight λ > 0 at the judged epoch, the 95 % interval of the slope b = r/α below 1, and a pull: the "
            "equilibrium of base loss and penalty, where both formulas are known (½MSE + λ(1 - α²)²: "
            "σt²(α - r) = 4λα(1 - α²); likewise std hinge, KL on moments, Wasserstein), lies above r; else, without any "
            "formula, the penalty's gradient norm over the base loss's in the epochs up to the judged one. What these rows do "
            "not show, the training rows may: a slope three standard errors below the 1 of a least squared loss, with such a "
            "gradient; or a train R² that never passes 0.1 under a gradient ten times the base loss's."
        ),
        remedy="Lower or remove the penalty; rescaling the predictions mends the range for free. Acts on alpha.",
        severities="critical; info where it costs less than 0.02 R²; warning where only the training rows show it",
        check=check_dominates,
        thresholds=(
            Threshold(name="least_cost", default=0.02, reason="the smallest ΔR² that counts as noticeable", unit="R²"),
            Threshold(
                name="least_share",
                default=0.5,
                reason="below half of the excess the penalty is not its main cause, under a squared base loss",
                unit="of α - r",
            ),
            Threshold(
                name="least_gradient",
                default=0.5,
                reason="a penalty that pulls less than half as hard as the base loss leaves that loss in charge",
                unit="of the base norm",
            ),
        ),
    ),
    Rule(
        id=BATCH_BIAS,
        title="The spread penalty sees batches that are too small",
        meaning="A ratio of two small-batch variances is biased and heavy-tailed: the penalty pulls elsewhere.",
        statistic=(
            "Minimum over α of E[(1 - s_p²/s_t²)²] for normal samples: α² = (d - 4)/(d + 2), d = batch - 1, at r = 0, "
            "and E[W]/E[W²] of the unit-variance ratio W at r ≠ 0; no finite mean for d ≤ 4. KL on moments: 1/E[W]. Other "
            "penalties, and those whose formula the files do not tell, are not checked."
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
