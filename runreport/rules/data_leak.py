"""Scores that are too good to be true."""

from __future__ import annotations

from runreport.context import Context, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity
from runreport.metrics.bounds import MOST_R2
from runreport.rules import data_basis as basis
from runreport.rules.data_leak_counted import counted, shared_rows
from runreport.rules.data_leak_inputs import nearly_the_target
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number, percent

LEAK = "data.leak"


def check_leak(context: Context, limits: Limits) -> Outcome:
    """data.leak: rows counted in two splits, a perfect score or equal values, an input that is nearly the target, or validation
    far above training."""
    tests = (
        shared_rows(context, limits),
        _perfect(context, limits),
        nearly_the_target(context, limits),
        _above_training(context, limits),
    )
    findings = [f for f in tests if f is not None]
    if findings:
        return Checked(findings=tuple(findings))
    final = context.final
    if basis.estimate(final, "r2") is None and _epoch_pair(context) is None and not counted(context):
        return NotChecked(rule=LEAK, reason="no R² of predictions and no train_r2 column")
    return CLEAR


def _what_is_known(context: Context) -> str:
    if not counted(context):
        return "Whether rows of one split are in another cannot be checked from these files."
    shared = {pair: rows for pair, rows in counted(context).items() if rows}
    return (
        "The run's own leak check counted no row with equal inputs in two splits."
        if not shared
        else ("The run's own leak check counted rows with equal inputs in two splits.")
    )


def _perfect(context: Context, limits: Limits) -> Finding | None:
    final = context.final
    r2 = basis.estimate(final, "r2")
    if final is None or r2 is None or r2 > MOST_R2 or (final.n is not None and final.n < limits["least_rows"]):
        return None
    equal = _equal_share(context, limits)
    perfect = 1 - r2 < limits["perfect"]
    if not perfect and (equal is None or equal <= limits["equal_share"]):
        return None
    if equal is not None and equal > limits["equal_share"]:
        allowed = percent(limits["equal_share"], 0)
        what = f"{percent(equal)} of the predictions equal the truth exactly (threshold {allowed})"
    else:
        what = f"1 - R² is {number(1 - r2, 2)} (threshold {number(limits['perfect'])})"
    message = (
        f"{basis.place(final)} {what}: either the target has no noise at all, or the answer is among the inputs. "
        f"{_what_is_known(context)}"
    )
    return Finding(
        rule=LEAK,
        severity=Severity.CRITICAL,
        message=message,
        evidence=basis.evidence_of(final, "r2") | {"equal_share": equal},
        epoch=final.epoch,
        split=final.split,
        acts_on="r",
    )


def _equal_share(context: Context, limits: Limits) -> float | None:
    """Share of rows with y_pred = y_true; None where that is nothing special (whole numbers, few distinct truths)."""
    frame, final = context.predictions, context.final
    if frame is None or final is None or final.basis != "predictions" or frame.height < limits["least_rows"]:
        return None
    true = frame["y_true"]
    if true.n_unique() * 2 < frame.height or bool((true == true.round()).all()):
        return None
    mean = (true == frame["y_pred"]).mean()
    return float(mean) if isinstance(mean, int | float) else None


def _epoch_pair(context: Context) -> tuple[int | float, float, float] | None:
    """(epoch, training R², validation R²) at the judged epoch, where both are logged."""
    history = context.history
    if history is None or not len(history):
        return None
    epoch, _ = basis.judged_epoch(context, history.epochs)
    train, validation = history.at(epoch, "train_r2"), history.at(epoch, "r2")
    if train is None or validation is None or not (basis.usable(train) and basis.usable(validation)):
        return None
    return epoch, train, validation


def _validation_error(context: Context, r2: float, epoch: int | float) -> float | None:
    """Standard error of the validation R²: of its predictions, else by normal theory from n, r, α and β logged."""
    from runreport.rules.bias_epochs import epoch_facts
    from runreport.statistics.analytic import se_r2

    if context.validation is not None:
        error = basis.standard_error(context.validation, "r2")
        if error is not None:
            return error
    count = context.split_statistic("val", "n")
    if count is None or count < 3:
        return None
    fact = next((f for f in epoch_facts(context) if f.epoch == epoch), None)
    if fact is None or fact.r is None or fact.ratio is None or fact.least_bias is None:
        # A calibrated model of this R²: r = α = √R², β = 0.
        r = max(r2, 0.0) ** 0.5
        return se_r2(r, r, 0.0, count)
    return se_r2(fact.r, fact.ratio, fact.least_bias, count)


def _above_training(context: Context, limits: Limits) -> Finding | None:
    pair = _epoch_pair(context)
    if pair is None:
        return None
    epoch, train, validation = pair
    if max(train, validation) > MOST_R2:  # log.inconsistent: no R² at all
        return None
    error = _validation_error(context, validation, epoch)
    # A leak makes the validation good, so it is compared with what needs no training at all: R² = 0, the mean.
    if error is None or validation - max(train, 0.0) <= limits["standard_errors"] * error:
        return None
    by = (
        f"{number((validation - train) / error, 2)} standard errors (threshold {number(limits['standard_errors'])})"
        if error > 0
        else f"{fixed(validation - train)}, and its standard error is 0"
    )
    halved = 1 - validation <= limits["error_share"] * (1 - max(train, 0.0))
    message = (
        f"At epoch {epoch_text(epoch)} the validation R² of {fixed(validation)} exceeds the training R² of "
        f"{fixed(train)} by {by}: the validation set is easier, the training R² is "
        "taken with noise or dropout, or the splits share rows. "
        f"{_what_is_known(context)}"
    )
    return Finding(
        rule=LEAK,
        severity=Severity.WARNING if halved else Severity.INFO,
        message=message,
        evidence={"train_r2": train, "r2": validation, "standard_error": error, "difference": validation - train},
        epoch=epoch,
        split="validation",
        acts_on="r",
    )
