"""log.inconsistent: figures of the log that cannot all be true."""

from __future__ import annotations

import math
from collections.abc import Sequence

from runreport.context import Context, Limits
from runreport.findings import Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.metrics.bounds import MOST_R2
from runreport.rules.bias_epochs import epoch_ranges
from runreport.rules.log_integrity_axis import from_notes
from runreport.rules.log_integrity_identity import (
    Contradiction,
    Figure,
    RatioColumn,
    contradiction,
    epoch_figures,
    judgeable,
    ratio_column,
)
from runreport.rules.log_integrity_recomputed import Difference, epoch_differences, summary_differences
from runreport.rules.log_integrity_rounding import half_unit
from runreport.rules.log_integrity_screen import settled
from runreport.rules.loss_series import losses
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, listing, number, plural

INCONSISTENT = "log.inconsistent"
ABOVE_ONE = "R² cannot exceed 1. Is it a percentage (then call the column r2_percent), or another figure?"
NAMES = {
    "r2": "R²",
    "variance_ratio": "std ratio",
    "pearson_r": "correlation",
    "mae": "MAE",
    "rmse": "RMSE",
    "pred_mean": "predicted mean",
    "pred_std": "predicted std",
    "true_mean": "true mean",
    "true_std": "true std",
    "num_samples": "number of samples",
}


def check_inconsistent(context: Context, limits: Limits) -> Outcome:
    """The identity at every epoch and on the summary, the ratio column, and every figure that can be computed again."""
    base = limits["tolerance"]
    # What the reader could mend (a quotient of variances of which the root was taken) misleads whoever reads the file.
    findings = list(from_notes(context, INCONSISTENT))
    made = len(findings)
    for prefix in ("", "train_"):
        found, count = _history_findings(context, prefix, base)
        findings += found
        made += count
        if not found:  # a contradiction says as much
            findings += _above_one_finding(context, prefix)
    if context.history is not None and context.epoch_metrics is not None:
        differences, count = epoch_differences(context.history, context.epoch_metrics, base=base)
        made += count
        if differences:
            findings.append(_recomputed_epochs(differences, context.history.epochs))
    if context.final is not None:
        differences, count = summary_differences(context, context.final, base=base)
        made += count
        if differences:
            findings.append(_recomputed_summary(differences, context.final.split))
        if context.final.basis == "summary":
            findings += _final_above_one(context)
            found, count = _summary_identity(context, base)
            findings += found
            made += count
    made += any(f.evidence.get("kind") == "above_one" for f in findings)
    if not made:
        return NotChecked(
            rule=INCONSISTENT,
            reason="no epoch with both R² and a std ratio, and no predictions to compute logged figures from",
        )
    return Checked(findings=tuple(findings))


def _history_findings(context: Context, prefix: str, base: float) -> tuple[list[Finding], int]:
    history = context.history
    if history is None or not history.has_any(f"{prefix}r2", f"{prefix}variance_ratio"):
        return [], 0  # neither the identity nor the ratio column can be judged
    passed = settled(context, history, prefix, base=base)
    if passed is not None:
        return [], passed
    n = context.split_statistic("train" if prefix else "val", "n")
    table = epoch_figures(context, history, prefix)
    column = ratio_column(table, base=base, n=n)
    squared = column.kind == "squared"
    findings = []
    if squared or column.kind == "other":
        findings.append(_ratio_finding(column, prefix, history.epochs))
    judged = {epoch: figures for epoch, figures in table.items() if judgeable(figures)}
    broken = [
        found
        for epoch, figures in judged.items()
        if (found := contradiction(figures, base=base, n=n, squared=squared, epoch=epoch)) is not None
    ]
    if broken:
        worst = max(broken, key=lambda c: c.excess)
        findings.append(_identity_finding(broken, judged[worst.epoch or 0], history.epochs, len(judged), prefix))
    return findings, len(judged) + column.compared + squared


def _above_one_finding(context: Context, prefix: str) -> list[Finding]:
    """An R² of the log that exceeds 1: whatever it is, it is no R²."""
    above = [(e, v) for e, v in losses(context.history, f"{prefix}r2") if v > MOST_R2]
    if not above or context.history is None:
        return []
    epoch, worst = max(above, key=lambda pair: pair[1])
    marks = [e for e, _ in above]
    message = (
        f"The logged {_which(prefix)}R² is above 1 at {plural(len(above), 'epoch')} "
        f"({epoch_ranges(marks, context.history.epochs)}), {number(worst, 4)} at epoch {epoch_text(epoch)}: {ABOVE_ONE}"
    )
    return [_no_r2(message, worst, "train" if prefix else "validation", epoch, marks)]


def _final_above_one(context: Context) -> list[Finding]:
    value = context.run.summary.get("r2")
    if not isinstance(value, int | float) or isinstance(value, bool) or not MOST_R2 < value < math.inf:
        return []
    split = context.final.split if context.final is not None else "test"
    return [_no_r2(f"The run's own final R² is {number(float(value), 4)}: {ABOVE_ONE}", float(value), split, None, [])]


def _no_r2(message: str, worst: float, split: str, epoch: int | float | None, marks: list[int | float]) -> Finding:
    return Finding(
        rule=INCONSISTENT,
        severity=Severity.CRITICAL,
        message=message,
        evidence={"kind": "above_one", "r2": worst, "epochs": list(marks)},
        epoch=epoch,
        split=split,
    )


def _which(prefix: str) -> str:
    return "train " if prefix else ""


def _ratio_finding(column: RatioColumn, prefix: str, epochs: tuple[int | float, ...]) -> Finding:
    name = f"{prefix}variance_ratio"
    where = f" (epochs {epoch_ranges(list(column.differing), epochs)})" if column.differing else ""
    if column.kind == "squared":
        how = (
            "it equals the square of predicted std / true std"
            if column.differing
            else "it is proportional to the square of the predicted std, not to the predicted std"
        )
        message = (
            f"The column {name} is a quotient of variances, σp²/σt², not the ratio of standard deviations: {how}{where}. "
            "Read as a ratio it understates the spread of predictions that are narrower than the truth."
        )
    else:
        logged, expected = column.worst or (None, None)
        message = (
            f"The column {name} is not the quotient of the logged stds{where}: "
            f"at the largest difference it says {number(logged)} where the stds give {number(expected)}."
        )
    evidence: dict[str, Value] = {
        "kind": f"ratio_column_{column.kind}",
        "column": name,
        "epochs": list(column.differing),
        "compared": column.compared,
        "logged": column.worst[0] if column.worst else None,
        "expected": column.worst[1] if column.worst else None,
    }
    return Finding(
        rule=INCONSISTENT,
        severity=Severity.CRITICAL,
        message=message,
        evidence=evidence,
        split="train" if prefix else "validation",
    )


def _identity_finding(
    broken: Sequence[Contradiction],
    figures: dict[str, Figure],
    epochs: tuple[int | float, ...],
    judged: int,
    prefix: str,
) -> Finding:
    worst = max(broken, key=lambda c: c.excess)
    marks = [c.epoch for c in broken if c.epoch is not None]
    message = (
        f"At {plural(len(broken), 'epoch')} of {judged} ({epoch_ranges(marks, epochs)}) the logged {_which(prefix)}R² "
        f"contradicts {_others(figures)} of the same epoch: R² = 2rα - α² - β² cannot hold. "
        f"Epoch {epoch_text(worst.epoch)} logs {fixed(worst.r2)}; {_allowed(worst)} (tolerance {number(worst.tolerance, 2)})."
    )
    return Finding(
        rule=INCONSISTENT,
        severity=Severity.CRITICAL,
        message=message,
        evidence=_identity_evidence(worst, figures) | {"epochs": list(marks), "judged": judged},
        epoch=worst.epoch,
        split="train" if prefix else "validation",
    )


def _allowed(found: Contradiction) -> str:
    if found.r2 > found.highest:
        return f"the others allow at most {fixed(found.highest)}"
    return f"the others ask for at least {fixed(found.lowest)}"


def _others(figures: dict[str, Figure]) -> str:
    names = ["std ratio"]
    if "pearson_r" in figures:
        names.append("correlation")
    if {"pred_mean", "true_mean", "true_std"} <= figures.keys():
        names.append("means")
    return listing(names)


def _identity_evidence(worst: Contradiction, figures: dict[str, Figure]) -> dict[str, Value]:
    evidence: dict[str, Value] = {
        "kind": "identity",
        "r2": worst.r2,
        "r2_at_most": worst.highest,
        "r2_at_least": worst.lowest if worst.lowest > float("-inf") else None,
        "tolerance": worst.tolerance,
    }
    evidence["figures"] = {name: figure.value for name, figure in sorted(figures.items())}
    return evidence


def _summary_identity(context: Context, base: float) -> tuple[list[Finding], int]:
    final = context.final
    if final is None:
        return [], 0
    figures = {
        name: Figure(value=value, error=half_unit(value))
        for name in ("r2", "variance_ratio", "pearson_r", "pred_mean", "pred_std", "true_mean", "true_std")
        if name not in final.derived and (value := final[name]) is not None and abs(value) < 1e100
    }
    if not judgeable(figures):
        return [], 0
    column = ratio_column({0: figures}, base=base, n=final.n)
    findings = []
    if column.kind in ("squared", "other"):
        logged, expected = column.worst or (None, None)
        squared = " It is the square of that: a quotient of variances." if column.kind == "squared" else ""
        findings.append(
            Finding(
                rule=INCONSISTENT,
                severity=Severity.CRITICAL,
                message=(
                    f"The run's own final figures give a std ratio of {number(logged)}; "
                    f"its stds give {number(expected)}.{squared}"
                ),
                evidence={"kind": f"ratio_summary_{column.kind}", "logged": logged, "expected": expected},
                split=final.split,
            )
        )
    found = contradiction(figures, base=base, n=final.n, squared=column.kind == "squared")
    if found is not None:
        findings.append(
            Finding(
                rule=INCONSISTENT,
                severity=Severity.CRITICAL,
                message=(
                    f"The run's own final R² of {fixed(found.r2)} contradicts its {_others(figures)}: "
                    f"{_allowed(found)} (tolerance {number(found.tolerance, 2)})."
                ),
                evidence=_identity_evidence(found, figures),
                split=final.split,
            )
        )
    return findings, 1


def _recomputed_epochs(differences: Sequence[Difference], epochs: tuple[int | float, ...]) -> Finding:
    worst = max(differences, key=lambda d: abs(d.logged - d.computed) / d.tolerance)
    marks = sorted({d.epoch for d in differences if d.epoch is not None})
    names = listing([NAMES[n] for n in dict.fromkeys(d.name for d in differences)])
    message = (
        f"The logged {names} differ from those of the epoch's own predictions at {plural(len(marks), 'epoch')} "
        f"({epoch_ranges(marks, epochs)}): at epoch {epoch_text(worst.epoch)} the {NAMES[worst.name]} is logged as "
        f"{fixed(worst.logged)} and comes out as {fixed(worst.computed)} (tolerance {number(worst.tolerance, 2)})."
    )
    return Finding(
        rule=INCONSISTENT,
        severity=Severity.CRITICAL,
        message=message,
        evidence={
            "kind": "epoch_predictions",
            "epochs": list(marks),
            "worst": {"name": worst.name, "epoch": worst.epoch, "logged": worst.logged, "computed": worst.computed},
        },
        epoch=worst.epoch,
        split="validation",
    )


def _recomputed_summary(differences: Sequence[Difference], split: str) -> Finding:
    parts = [f"{NAMES[d.name]} {number(d.logged, 4)} against {number(d.computed, 4)}" for d in differences]
    message = (
        f"The run's own final figures on the {split} set are not those of its predictions: "
        f"{listing(parts, most=4)} (logged against computed)."
    )
    return Finding(
        rule=INCONSISTENT,
        severity=Severity.CRITICAL,
        message=message,
        evidence={
            "kind": "final_predictions",
            "differences": {d.name: [d.logged, d.computed, d.tolerance] for d in differences},
        },
        split=split,
    )
