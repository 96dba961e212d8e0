"""Epochs of the log that are wider than the truth itself, and know as much as the epoch that was saved."""

from __future__ import annotations

from runreport.context import Context, Limits
from runreport.findings import Finding, Severity, Value
from runreport.rules import data_basis as basis
from runreport.rules.bias_epochs import EpochFact, epoch_facts
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, percent, plural


def hidden_by_width(context: Context, limits: Limits) -> Finding | None:
    """An epoch whose r² reaches the saved R², while its std ratio lies far above 1; None where there is none.

    A calibrated model has α = r ≤ 1, so above it at least (α - 1)² is lost, whatever r is; and R² = 2rα - α² - β² bounds r from
    below by (R² + α²)/(2α), which is close where α is large. A policy that picks by R² keeps an early epoch that is not yet
    as wide: then the final figures do not show where training led. Both figures are of one validation set and share its chance.
    """
    facts = [fact for fact in epoch_facts(context) if fact.ratio is not None and fact.r2 is not None]
    if len(facts) < limits["least_epochs"]:
        return None
    judged, saved = basis.judged_epoch(context, tuple(fact.epoch for fact in facts))
    kept = next(fact for fact in facts if fact.epoch == judged)
    wide = [fact for fact in facts if (fact.ratio or 0.0) - 1 > limits["least_excess"]]
    if not saved or kept.r2 is None or len(wide) < limits["wide_share"] * len(facts):
        return None
    best = max(wide, key=_least_r)
    r = _least_r(best)
    gain = r * r - max(kept.r2, 0.0)
    if r <= 0 or gain < -limits["less_known"] or best.ratio is None:
        return None
    known = "is" if best.r is not None else "is at least"
    message = (
        f"On the validation set {plural(len(wide), 'epoch')} of {len(facts)} are wider than the truth itself: at epoch "
        f"{epoch_text(best.epoch)} the std ratio is {percent(best.ratio)}, which costs (α - r)² = "
        f"{fixed((best.ratio - r) ** 2)} R². The correlation there {known} {fixed(r, 2)}, so rescaled its R² would be "
        f"{fixed(r * r)}; the saved epoch {epoch_text(kept.epoch)}, less wide, has {fixed(kept.r2)}."
    )
    evidence: dict[str, Value] = {
        "epoch": best.epoch,
        "variance_ratio": best.ratio,
        "pearson_r": r,
        "r_is_lower_bound": best.r is None,
        "saved_r2": kept.r2,
        "gain": gain,
        "wide_epochs": len(wide),
    }
    return Finding(
        rule="spread.over",
        severity=Severity.WARNING,
        message=message,
        evidence=evidence,
        epoch=best.epoch,
        split="validation",
        acts_on="alpha",
        recoverable=max(gain, 0.0),
    )


def _least_r(fact: EpochFact) -> float:
    """r where it is known, else its lower bound."""
    if fact.r is not None or fact.ratio is None or fact.r2 is None or fact.ratio <= 0:
        return fact.r or 0.0
    return min((fact.r2 + fact.ratio * fact.ratio) / (2 * fact.ratio), 1.0)
