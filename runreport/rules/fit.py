"""The fit: better on the training set than it can keep, or not even good there."""

from __future__ import annotations

import math
from dataclasses import dataclass

from runreport.context import Context, History, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.base import Rule, Threshold
from runreport.rules.loss_series import all_positive, losses
from runreport.statistics.analytic import se_r2
from runreport.statistics.student import normal_two_sided_p
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, percent, plural

OVERFIT = "fit.overfit"
UNDERFIT = "fit.underfit"

ASSUMED_N = 30
"""Validation samples where nobody says how many: as few as anybody would validate on, so that the error is not too small."""
LEAST_EPOCHS = 5
LEAST_SE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """Standard error of the best validation R², and what it rests on."""

    se: float
    n: float
    assumed: bool


def check_overfit(context: Context, limits: Limits) -> Outcome:
    """fit.overfit: at the judged epoch train R² is far above validation R², which has fallen from its best.

    Judged at the saved epoch; where that is unknown, at the last. A run that overfits after the epoch it saved has lost
    nothing: information.
    """
    history = context.history
    if history is None:
        return NotChecked(rule=OVERFIT, reason="no history")
    if not history.has("train_r2"):
        return _from_losses(context, history, limits)
    train, val = dict(losses(history, "train_r2")), losses(history, "r2")
    joint = [(e, v) for e, v in val if e in train]
    if not joint:
        return NotChecked(rule=OVERFIT, reason="no epoch with both train and validation R²")
    if len(joint) < LEAST_EPOCHS:
        return NotChecked(
            rule=OVERFIT,
            reason=f"{plural(len(joint), 'epoch')} with train and validation R²; needs at least {LEAST_EPOCHS}",
        )
    best_epoch, best = max(val, key=lambda pair: pair[1])
    spread = _spread(context, history, best_epoch, best)
    logged = dict(joint)
    saved = context.saved_epoch if context.saved_epoch in logged else None
    judged = saved if saved is not None else joint[-1][0]
    p_values: list[float] = []
    found: Finding | None = None
    for epoch in dict.fromkeys((judged, joint[-1][0])):
        gap, fallen = train[epoch] - logged[epoch], best - logged[epoch]
        p_value = normal_two_sided_p(fallen / spread.se)
        if epoch == judged:
            p_values.append(p_value)
        if not (gap > limits["gap"] and fallen > limits["errors"] * spread.se and epoch > best_epoch) or found:
            continue
        kept = saved is not None and epoch != saved
        message = (
            f"At epoch {epoch_text(epoch)} R² is {fixed(train[epoch])} on the training set and {fixed(logged[epoch])} on "
            f"validation (threshold for the gap {number(limits['gap'])}), where it has fallen by {fixed(fallen)} from "
            f"{fixed(best)} at epoch {epoch_text(best_epoch)}: {number(fallen / spread.se, 2)} standard errors of "
            f"{fixed(spread.se)} "
            f"({'assuming' if spread.assumed else 'for'} {number(spread.n, 3)} independent samples)."
        )
        if kept:
            message += f" The saved epoch {epoch_text(saved)} came before that."
        evidence: dict[str, Value] = {
            "train_r2": train[epoch],
            "r2": logged[epoch],
            "gap": gap,
            "best_epoch": best_epoch,
            "best_r2": best,
            "fallen": fallen,
            "se": spread.se,
            "n": spread.n,
            "n_assumed": spread.assumed,
            "saved": saved,
        }
        found = Finding(
            rule=OVERFIT,
            severity=Severity.INFO if kept else Severity.WARNING,
            message=message,
            evidence=evidence,
            epoch=epoch,
            split="validation",
            acts_on="r",
            recoverable=None if kept else fallen,
            p_value=None if kept else p_value,
        )
    return Checked(findings=(found,) if found else (), p_values=tuple(p_values))


def _spread(context: Context, history: History, epoch: int | float, r2: float) -> Spread:
    """Standard error of the validation R² at an epoch.

    From the per-epoch predictions where they were judged (dependence included), else by normal theory from n; r, α and
    β where they are logged, else calibrated predictions (α = r = √R², or β² = -R²). It overstates the error of a
    difference between two epochs, which share their samples.
    """
    validation = context.validation
    known = validation.standard_errors.get("r2") if validation is not None else None
    if validation is not None and known is not None and math.isfinite(known) and known > 0:
        n_e = validation.effective_n or validation.n or ASSUMED_N
        return Spread(se=known, n=float(n_e), assumed=False)
    stated = context.split_statistic("val", "n")
    n = stated if stated is not None and stated > 3 else float(ASSUMED_N)
    r, ratio = history.at(epoch, "pearson_r"), history.at(epoch, "variance_ratio")
    if r is None or ratio is None or abs(r) > 1 or not 0 <= ratio < 100:
        r = ratio = math.sqrt(max(r2, 0.0))
    beta = math.sqrt(max(0.0, 2 * r * ratio - ratio * ratio - r2))
    # A perfect best R² has no error by these formulas; what is lost from it is still divided by one.
    return Spread(se=max(se_r2(r, ratio, beta, n) or 0.0, LEAST_SE), n=n, assumed=stated is None)


def _from_losses(context: Context, history: History, limits: Limits) -> Outcome:
    """The same from train and validation loss, where the config says that both are the same loss."""
    loss = context.config.get("loss")
    weights = [context.config_number("overweight_factor") or 1.0, context.config_number("hard_sample_factor") or 1.0]
    if not isinstance(loss, str):
        return NotChecked(
            rule=OVERFIT, reason="no train_r2 column, and no config that says train_loss and val_loss are the same loss"
        )
    if any(w != 1.0 for w in weights):
        return NotChecked(rule=OVERFIT, reason="no train_r2 column, and the train loss is weighted")
    train, val = dict(losses(history, "train_loss")), losses(history, "val_loss")
    joint = [(e, v) for e, v in val if e in train]
    if not joint:
        return NotChecked(rule=OVERFIT, reason="no train_r2 column, and no epoch with both losses")
    if len(joint) < LEAST_EPOCHS:
        return NotChecked(
            rule=OVERFIT,
            reason=f"no train_r2 column, and {plural(len(joint), 'epoch')} with both losses; needs at least {LEAST_EPOCHS}",
        )
    if not all_positive(joint) or not all(train[e] > 0 for e, _ in joint):
        return NotChecked(rule=OVERFIT, reason="no train_r2 column, and the losses are not positive throughout")
    best_epoch, best = min(joint, key=lambda pair: pair[1])
    logged = dict(joint)
    saved = context.saved_epoch if context.saved_epoch in logged else None
    judged = saved if saved is not None else joint[-1][0]
    stated = context.split_statistic("val", "n")
    n = stated if stated is not None and stated > 3 else float(ASSUMED_N)
    # A mean of squared normal errors is known to √(2/n) of itself; robust losses to less.
    needed = limits["errors"] * math.sqrt(2 / n)
    last = joint[-1][0]
    for epoch in dict.fromkeys((judged, last)):
        rise, excess = logged[epoch] / best - 1, logged[epoch] / train[epoch]
        if (
            epoch > best_epoch
            and rise > needed
            and excess > 1 / (1 - limits["gap"])
            and train[epoch] < train[best_epoch]
        ):
            kept = saved is not None and epoch != saved
            message = (
                f"From epoch {epoch_text(best_epoch)} to {epoch_text(epoch)} the validation loss rose by {percent(rise, 0)} "
                f"({number(best)} to {number(logged[epoch])}; chance alone: {percent(needed, 0)} at n = {number(n)}"
                f"{', assumed' if stated is None else ''}) while the train loss fell from {number(train[best_epoch])} to "
                f"{number(train[epoch])}."
            )
            if kept:
                message += f" The saved epoch {epoch_text(saved)} came before that."
            finding = Finding(
                rule=OVERFIT,
                severity=Severity.INFO if kept else Severity.WARNING,
                message=message,
                evidence={
                    "basis": "losses",
                    "best_epoch": best_epoch,
                    "val_loss": [best, logged[epoch]],
                    "train_loss": [train[best_epoch], train[epoch]],
                    "rise": rise,
                    "rise_by_chance": needed,
                    "n": n,
                    "n_assumed": stated is None,
                },
                epoch=epoch,
                split="validation",
                acts_on="r",
            )
            return Checked(findings=(finding,))
    return CLEAR


def check_underfit(context: Context, limits: Limits) -> Outcome:
    """fit.underfit: train R² stays low over the whole run, so nothing on the validation side is to blame."""
    history = context.history
    if history is None:
        return NotChecked(rule=UNDERFIT, reason="no history")
    train = losses(history, "train_r2")
    if not train:
        return NotChecked(rule=UNDERFIT, reason="no train_r2 column with finite values")
    if len(train) < LEAST_EPOCHS:
        return NotChecked(
            rule=UNDERFIT, reason=f"{plural(len(train), 'epoch')} with a train R²; needs at least {LEAST_EPOCHS}"
        )
    epoch, best = max(train, key=lambda pair: pair[1])
    stated = context.split_statistic("train", "n")
    root = math.sqrt(max(best, 0.0))
    error = se_r2(root, root, 0.0, stated) if stated is not None and stated > 3 else None
    if best + 2 * (error or 0.0) >= limits["train_r2"]:
        return CLEAR
    known = f" [at most {fixed(best + 2 * error, 2)} within two standard errors]" if error else ""
    finding = Finding(
        rule=UNDERFIT,
        severity=Severity.WARNING,
        message=(
            f"R² on the training set never exceeds {fixed(best)}{known} "
            f"(epoch {epoch_text(epoch)} of {epoch_text(train[-1][0])}; "
            f"threshold {number(limits['train_r2'])}): the model does not fit the data it is trained on."
        ),
        evidence={"best_train_r2": best, "epoch": epoch, "se": error, "n": stated, "epochs": len(train)},
        epoch=epoch,
        split="train",
        acts_on="r",
    )
    return Checked(findings=(finding,))


RULES: tuple[Rule, ...] = (
    Rule(
        id=OVERFIT,
        title="Overfitting",
        meaning=(
            "The training set is fitted far better than validation, and validation got worse while that happened. "
            "Information where the saved epoch came before."
        ),
        statistic=(
            "Train R² - validation R², and the fall of validation R² from its best in standard errors (from predictions, or "
            "normal theory). Without train R², the same of two losses that the config says are one loss."
        ),
        remedy="Keep the best checkpoint; more data, augmentation, weight decay, a smaller model. Acts on r.",
        severities="warning, info",
        check=check_overfit,
        thresholds=(
            Threshold(name="gap", default=0.3, reason="smaller gaps are usual in good fits of small data", unit="R²"),
            Threshold(name="errors", default=2.0, reason="a fall within two standard errors is chance", unit="SE"),
        ),
    ),
    Rule(
        id=UNDERFIT,
        title="Underfitting",
        meaning=(
            "The model does not even fit its training set. Capacity, optimisation or regularisation hold it back, or the "
            "inputs say nothing of the target; train R² alone does not tell these apart."
        ),
        statistic="Highest train R² of the run, plus two standard errors where the number of samples is known.",
        remedy="Check the learning rate first, then capacity and regularisation, then the inputs for signal. Acts on r.",
        severities="warning",
        check=check_underfit,
        thresholds=(
            Threshold(
                name="train_r2",
                default=0.1,
                reason="nine tenths of the training targets' variance left unexplained is no fit by any standard",
                unit="R²",
            ),
        ),
    ),
)
