"""The fit: better on the training set than it can keep, or not even good there."""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from runreport.context import Context, History, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.base import Rule, Threshold
from runreport.rules.data_basis import split_name
from runreport.rules.fit_loss_rise import rise_of_validation
from runreport.rules.loss_series import Pairs, all_positive, losses, trailing_medians
from runreport.statistics.analytic import se_r2
from runreport.statistics.student import normal_two_sided_p
from runreport.statistics.trend import MAD_TO_STD
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
        outcome = _from_losses(context, history, limits)
        risen = rise_of_validation(history) if isinstance(outcome, NotChecked) else None
        return outcome if risen is None else Checked(findings=(risen,))
    train, val = losses(history, "train_r2"), losses(history, "r2")
    if not train or not val or train[0][0] > val[-1][0]:
        return NotChecked(rule=OVERFIT, reason="no epoch with both train and validation R²")
    if len(val) < LEAST_EPOCHS:
        return NotChecked(
            rule=OVERFIT, reason=f"{plural(len(val), 'epoch')} with validation R²; needs at least {LEAST_EPOCHS}"
        )
    saved = context.saved_epoch if context.saved_epoch in dict(val) else None
    falls = [_fall_to_the_end(val)] if saved is None else [_fall_at(val, saved), _fall_to_the_end(val)]
    # The best of many epochs is high by chance, too; its error is that of any one of them.
    spread = _spread(context, history, falls[0].best_epoch, falls[0].best)
    p_value = normal_two_sided_p(falls[0].size / math.hypot(spread.se, falls[0].jitter))
    for fall in falls:
        fitted = _last_evaluated(train, fall.epoch)
        if fitted is None or fall.epoch <= fall.best_epoch:
            continue
        if fitted[0] != fall.epoch and not _gap_was_there(fitted, val, limits):
            continue
        gap = fitted[1] - fall.value
        if gap > limits["gap"] and fall.size > limits["errors"] * math.hypot(spread.se, fall.jitter):
            kept = saved is not None and fall.epoch != saved
            found = _overfit_finding(fall, fitted, spread, saved if kept else None, limits, p_value)
            return Checked(findings=(found,), p_values=(p_value,))
    return Checked(p_values=(p_value,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Fall:
    """How far validation R² lies below its best at an epoch; both as medians of five epochs where ``smoothed``.

    ``jitter`` is the standard deviation of R² from epoch to epoch (MAD of its steps / √2): no sampling error, but a fall
    within it may be over at the next epoch. 0 for a saved epoch, whose weights are the ones that are used.
    """

    epoch: int | float
    value: float
    best_epoch: int | float
    best: float
    smoothed: bool
    jitter: float = 0.0

    @property
    def size(self) -> float:
        """Best minus value, ≥ 0."""
        return self.best - self.value


def _fall_at(val: Pairs, saved: int | float) -> Fall:
    best_epoch, best = max(val, key=lambda pair: pair[1])
    return Fall(epoch=saved, value=dict(val)[saved], best_epoch=best_epoch, best=best, smoothed=False)


def _fall_to_the_end(val: Pairs) -> Fall:
    """The last epochs against the best: as medians, because a single epoch may be low, or best, by jitter."""
    smooth = trailing_medians(val)
    best_epoch, best = max(smooth, key=lambda pair: pair[1])
    jitter = MAD_TO_STD * median(abs(b[1] - a[1]) for a, b in pairwise(val)) / math.sqrt(2)
    return Fall(
        epoch=smooth[-1][0], value=smooth[-1][1], best_epoch=best_epoch, best=best, smoothed=True, jitter=jitter
    )


def _last_evaluated(train: Pairs, epoch: int | float) -> tuple[int | float, float] | None:
    """Train R² at the epoch, or at the last one before it that has one: a trainer may evaluate its training set seldom.

    It rises while a run overfits, so an earlier one makes the gap too small rather than too large. It does not while a run
    diverges: see :func:`_gap_was_there`.
    """
    return next((pair for pair in reversed(train) if pair[0] <= epoch), None)


def _gap_was_there(fitted: tuple[int | float, float], val: Pairs, limits: Limits) -> bool:
    """Whether train and validation R² already differed at the epoch of the train R² itself.

    A run that diverges after its training set was last evaluated loses both; an earlier train R² against the validation
    R² of the end would call that overfitting.
    """
    epoch, train_r2 = fitted
    then = dict(val).get(epoch)
    return then is not None and train_r2 - then > limits["gap"]


def _overfit_finding(
    fall: Fall,
    fitted: tuple[int | float, float],
    spread: Spread,
    saved_before: int | float | None,
    limits: Limits,
    p_value: float,
) -> Finding:
    error = math.hypot(spread.se, fall.jitter)
    how = " (medians of 5 epochs)" if fall.smoothed else ""
    of_what = "sampling and epoch jitter, " if fall.smoothed else ""
    train_epoch, train_r2 = fitted
    when = "" if train_epoch == fall.epoch else f" (epoch {epoch_text(train_epoch)}, its last logged)"
    message = (
        f"At epoch {epoch_text(fall.epoch)} R² is {fixed(train_r2)} on the training set{when} and {fixed(fall.value)} on "
        f"validation (threshold for the gap {number(limits['gap'])}), where it has fallen by {fixed(fall.size)} from "
        f"{fixed(fall.best)} at epoch {epoch_text(fall.best_epoch)}{how}: {number(fall.size / error, 2)} standard errors of "
        f"{fixed(error)} ({of_what}{'assuming' if spread.assumed else 'for'} {number(spread.n, 3)} independent samples)."
    )
    if saved_before is not None:
        message += f" The saved epoch {epoch_text(saved_before)} came before that."
    evidence: dict[str, Value] = {
        "train_r2": train_r2,
        "train_epoch": train_epoch,
        "r2": fall.value,
        "gap": train_r2 - fall.value,
        "best_epoch": fall.best_epoch,
        "best_r2": fall.best,
        "fallen": fall.size,
        "smoothed": fall.smoothed,
        "se": spread.se,
        "jitter": fall.jitter,
        "n": spread.n,
        "n_assumed": spread.assumed,
        "saved": saved_before,
    }
    return Finding(
        rule=OVERFIT,
        severity=Severity.WARNING if saved_before is None else Severity.INFO,
        message=message,
        evidence=evidence,
        epoch=fall.epoch,
        split="validation",
        acts_on="r",
        recoverable=fall.size if saved_before is None else None,
        p_value=p_value if saved_before is None else None,
    )


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
    logged = dict(joint)
    saved = context.saved_epoch if context.saved_epoch in logged else None
    stated = context.split_statistic("val", "n")
    n = stated if stated is not None and stated > 3 else float(ASSUMED_N)
    # A mean of squared normal errors is known to √(2/n) of itself; robust losses to less.
    needed = limits["errors"] * math.sqrt(2 / n)
    upside_down = [(e, -v) for e, v in joint]
    falls = (
        [_fall_to_the_end(upside_down)]
        if saved is None
        else [_fall_at(upside_down, saved), _fall_to_the_end(upside_down)]
    )
    for fall in falls:
        epoch, best_epoch, value, best = fall.epoch, fall.best_epoch, -fall.value, -fall.best
        rise, excess = value / best - 1, value / train[epoch]
        if (
            epoch > best_epoch
            and rise > needed
            and excess > 1 / (1 - limits["gap"])
            and train[epoch] < train[best_epoch]
        ):
            kept = saved is not None and epoch != saved
            message = (
                f"From epoch {epoch_text(best_epoch)} to {epoch_text(epoch)} the validation loss rose by {percent(rise, 0)} "
                f"({number(best)} to {number(value)}; chance alone: {percent(needed, 0)} at n = {number(n)}"
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
                    "val_loss": [best, value],
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
    trained = sum(e <= train[-1][0] for e in history.epochs)
    if trained < LEAST_EPOCHS:
        return NotChecked(
            rule=UNDERFIT,
            reason=f"the last train R² comes after {plural(trained, 'epoch')}; needs one after {LEAST_EPOCHS} or more",
        )
    epoch, best = max(train, key=lambda pair: pair[1])
    stated = context.split_statistic("train", "n")
    root = math.sqrt(max(best, 0.0))
    error = se_r2(root, root, 0.0, stated) if stated is not None and stated > 3 else None
    most = best + 2 * (error or 0.0)
    if most >= limits["train_r2"]:
        return CLEAR
    known = f" [at most {fixed(most, 2)} within two standard errors]" if error else ""
    proof = _better_fit(context, most)
    where = "the one epoch that logs it" if len(train) == 1 else f"the {len(train)} epochs that log it"
    seldom = f" at {where}" if len(train) < len(history) else ""
    message = (
        f"R² on the training set never exceeds {fixed(best)}{known}{seldom} "
        f"(epoch {epoch_text(epoch)} of {epoch_text(train[-1][0])}; threshold {number(limits['train_r2'])}): "
    )
    if proof is not None:
        message += f"the model does not fit the data it is trained on; {proof}."
    else:
        message += (
            "that a better fit exists is not shown, for targets that the inputs hardly determine are fitted no better by any "
            "model. A simple model with a higher R² on the same rows would show it; so would a train R² that rises with capacity "
            "or epochs while validation R² does not fall."
        )
    finding = Finding(
        rule=UNDERFIT,
        severity=Severity.INFO if proof is None else Severity.WARNING,
        message=message,
        evidence={
            "best_train_r2": best,
            "epoch": epoch,
            "se": error,
            "n": stated,
            "epochs": len(train),
            "better_fit": proof,
        },
        epoch=epoch,
        split="train",
        acts_on="r",
    )
    return Checked(findings=(finding,))


def _better_fit(context: Context, most: float) -> str | None:
    """What shows that the training set could be fitted better than to R² = ``most``, as half a sentence; None if nothing does."""
    if most < 0:
        return "predicting its mean, which has R² = 0, fits it better"
    for final in (context.validation, context.final):
        bounds = final.interval("pearson_r") if final is not None else None
        if final is not None and bounds is not None and bounds[0] > 0 and bounds[0] * bounds[0] > most:
            return (
                f"its predictions reach r² = {fixed(bounds[0] * bounds[0], 2)} at least on the {split_name(final.split)} set, "
                "after a straight rescaling"
            )
    return None


RULES: tuple[Rule, ...] = (
    Rule(
        id=OVERFIT,
        title="Overfitting",
        meaning=(
            "The training set is fitted far better than validation, and validation got worse while that happened. "
            "Information where the saved epoch came before, or where only the validation loss against its own minimum tells."
        ),
        statistic=(
            "Train R² - validation R², and the fall of validation R² from its best in standard errors (from predictions, or "
            "normal theory). Without train R², the same of two losses that the config says are one loss; else the rise of the "
            "validation loss from its own minimum beyond its jitter, while the train loss falls."
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
            "The model does not fit its training set, and a better fit is shown to exist: capacity, optimisation or "
            "regularisation hold it back. Information where none is shown: the inputs may say no more of the target."
        ),
        statistic=(
            "Highest train R² of the run, plus two standard errors where the number of samples is known. A better fit is shown "
            "where that is below 0 (the mean does better), or below the lower end of r² on held-out samples."
        ),
        remedy="Check the learning rate first, then capacity and regularisation, then the inputs for signal. Acts on r.",
        severities="warning where a better fit is shown to exist, else info",
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
