"""Whether there are enough samples to decide, and what dependence leaves of them."""

from __future__ import annotations

from runreport.context import Context, Limits
from runreport.findings import CLEAR, NOTICEABLE_R2, Checked, Finding, NotChecked, Outcome, Severity
from runreport.rules import data_basis as basis
from runreport.rules.value_range_sample import groups_of, sample_of
from runreport.wording import fixed, number, percent, plural, with_interval

FEW = "data.few"
DEPENDENT = "data.dependent"


def check_few(context: Context, limits: Limits) -> Outcome:
    """data.few: R²'s interval holds 0 and is wider than ± ``half_width``, or there are next to no samples."""
    from runreport.statistics.analytic import samples_to_resolve

    final = context.final
    if final is not None and final.n is not None and final.n < limits["least_samples"]:
        message = (
            f"{basis.place(final)} there are {plural(final.n, 'sample')} (threshold {limits['least_samples']:.0f}): "
            "no figure of this set says anything about others."
        )
        evidence = basis.evidence_of(final, "r2")
        finding = Finding(
            rule=FEW,
            severity=Severity.WARNING,
            message=message,
            evidence=evidence,
            epoch=final.epoch,
            split=final.split,
        )
        return Checked(findings=(finding,))
    reason = basis.why_not(final, "r2")
    r2, bounds = basis.estimate(final, "r2"), basis.finite_interval(final, "r2")
    if final is None or reason is not None or r2 is None or bounds is None or final.n is None:
        return NotChecked(rule=FEW, reason=reason or "no sample count")
    half = (bounds[1] - bounds[0]) / 2
    if not bounds[0] <= 0 <= bounds[1] or half <= limits["half_width"]:
        return CLEAR
    error = basis.standard_error(final, "r2")
    distance = max(abs(r2), NOTICEABLE_R2)
    needed = None if error is None else samples_to_resolve(distance, error, final.n)
    message = (
        f"{basis.place(final)} R² is {with_interval(r2, bounds, 2)}: at {basis.sample_count(final)} it cannot be told "
        "whether the model beats the mean."
    )
    if needed is not None and needed > final.n:
        message += (
            f" An R² of {fixed(distance, 2)} in size would be told from 0, in four cases of five, with about "
            f"{number(needed, 2)} samples of this kind."
        )
    finding = Finding(
        rule=FEW,
        severity=Severity.INFO,
        message=message,
        evidence=basis.evidence_of(final, "r2")
        | {"half_width": half, "samples_needed": needed, "resolved_r2": distance},
        epoch=final.epoch,
        split=final.split,
    )
    return Checked(findings=(finding,))


def mean_count(context: Context) -> float | None:
    """How many independent rows the mean error is worth, rows in time order (within groups); None without predictions."""
    sample = sample_of(context)
    if sample is None:
        return None
    groups = groups_of(context, sample.n)
    codes = groups[1] if groups is not None and len(groups[0]) > 1 else None
    from runreport.statistics.effective_size import effective_size_of_mean

    return float(effective_size_of_mean(sample.pred - sample.true, codes))


def _of_the_mean(context: Context) -> str:
    worth = mean_count(context)
    return "" if worth is None else f"For the mean error they are worth {number(worth, 2)}. "


def check_dependent(context: Context, limits: Limits) -> Outcome:
    """data.dependent: the effective sample size is below a quarter of n."""
    final = context.final
    if final is None or final.basis != "predictions":
        return NotChecked(rule=DEPENDENT, reason="no predictions, so the dependence of the samples is not known")
    worth = basis.finite_or_none(final.effective_n)
    if worth is None or not final.n:
        return NotChecked(rule=DEPENDENT, reason="no effective sample size")
    share = worth / final.n
    if share >= limits["share"]:
        return CLEAR
    message = (
        f"{basis.place(final)} the {final.n} samples are worth about {number(worth, 2)} independent ones for the correlation "
        f"({percent(share)}, threshold {percent(limits['share'], 0)}): neighbouring rows repeat each other. "
        f"{_of_the_mean(context)}Every interval is widened by the dependence of its own figure."
    )
    finding = Finding(
        rule=DEPENDENT,
        severity=Severity.INFO,
        message=message,
        evidence={
            "n": final.n,
            "effective_n": worth,
            "effective_n_of_mean": mean_count(context),
            "share": share,
            "n_groups": final.n_groups,
        },
        epoch=final.epoch,
        split=final.split,
    )
    return Checked(findings=(finding,))
