"""One run in, everything that can be said about it out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from runreport.advice.give import give_advice
from runreport.analysis.final import final_of, validation_of
from runreport.analysis.predictions import load_epoch_metrics, load_epoch_predictions, with_history
from runreport.analysis.record import Analysis
from runreport.context import Context, Final, Limits
from runreport.criteria.judge import judge
from runreport.criteria.spec import Tier, default_tiers
from runreport.findings import Finding, NotChecked, Severity
from runreport.metrics.budget import CORRELATION_ROUNDING, ErrorBudget, error_budget
from runreport.rules.base import Rule
from runreport.rules.registry import all_rules
from runreport.run import Run
from runreport.selection.audit import audit
from runreport.settings import Settings

FALSE_DISCOVERY_RATE = 0.05
"""Share of false alarms accepted among the flags that rest on a test: the field's usual level."""
CRITICAL_RATE = 0.01
"""A critical finding must survive this stricter rate: it may stop somebody's release."""


def analyze_run(run: Run, settings: Settings | None = None, tiers: Sequence[Tier] | None = None) -> Analysis:
    """Everything that can be said about one run.

    Pure but for reading the run's per-epoch predictions; the same input gives the same result.
    """
    settings = settings or Settings()
    tiers = tuple(tiers) if tiers is not None else default_tiers()
    logged, run = run.history, with_history(run)
    history = run.history
    epoch_predictions = load_epoch_predictions(run, settings.group)
    selection = audit(run, history, epoch_predictions, seed=settings.seed) if history is not None else None
    saved = selection.saved if selection is not None else None
    final = final_of(run, history, saved, settings)
    validation = validation_of(epoch_predictions, saved)
    if epoch_predictions is not None and (final is None or final.basis == "history"):
        # The predictions of that epoch say all that its logged row does, and how sure it is.
        at = saved if saved in epoch_predictions.epochs else epoch_predictions.epochs[-1]
        final, validation = validation_of(epoch_predictions, at), None
    context = Context(
        run=run,
        history=history,
        # A history that was worked out from the predictions cannot disagree with them: nothing is checked by it.
        epoch_metrics=load_epoch_metrics(run) if logged is not None else None,
        epoch_predictions=epoch_predictions,
        final=final,
        validation=validation,
        budget=_budget(final),
        selection=selection,
        saved_epoch=saved,
    )
    findings, not_checked, clear, tests_made = _run_rules(context, settings, tiers)
    return Analysis(
        context=context,
        findings=findings,
        not_checked=not_checked,
        clear=clear,
        disabled=tuple(sorted(settings.disabled)),
        criteria=judge(tuple(tiers), final, history),
        advice=give_advice(context, findings),
        tests_made=tests_made,
        thresholds_changed=tuple(
            f"{rule}.{name} = {value:g}"
            for rule, values in settings.thresholds.items()
            for name, value in values.items()
        ),
    )


def _budget(final: Final | None) -> ErrorBudget | None:
    if final is None:
        return None
    r, ratio = final["pearson_r"], final["variance_ratio"]
    if (ratio is not None and ratio < 0) or (r is not None and abs(r) > 1 + CORRELATION_ROUNDING):
        return None  # a log may hold what no data give
    return error_budget(r, ratio, final["bias"], exact=final.basis == "predictions")


def _run_rules(
    context: Context, settings: Settings, tiers: Sequence[Tier]
) -> tuple[tuple[Finding, ...], tuple[NotChecked, ...], tuple[str, ...], int]:
    """(findings by importance, rules not checked, rules found clear, number of tests made)."""
    findings: list[Finding] = []
    not_checked: list[NotChecked] = []
    clear: list[str] = []
    p_values: list[float] = []
    for rule, limits in _rules_in_force(settings, tiers):
        outcome = rule.check(context, limits)
        if isinstance(outcome, NotChecked):
            not_checked.append(outcome)
            continue
        p_values.extend(outcome.p_values)
        findings.extend(outcome.findings)
        if not outcome.findings:
            clear.append(rule.id)
    kept, dropped = control_false_discoveries(findings, p_values)
    clear += [rule for rule in dropped if rule not in {f.rule for f in kept}]
    return tuple(sorted(kept, key=importance)), tuple(not_checked), tuple(clear), len(p_values)


_in_force: list[tuple[Settings, Sequence[Tier], tuple[Rule, ...], tuple[tuple[Rule, Limits], ...]]] = []
"""What the last run was judged by, and the rules' limits that follow: thousands of runs of one call are judged alike."""


def _rules_in_force(settings: Settings, tiers: Sequence[Tier]) -> tuple[tuple[Rule, Limits], ...]:
    """Every rule that is not disabled, with its thresholds after the user's settings."""
    rules = all_rules()
    if _in_force:
        known_settings, known_tiers, known_rules, found = _in_force[0]
        if known_settings is settings and known_tiers is tiers and known_rules is rules:
            return found
    asked = {"asked_r2": asked_r2(tiers)}
    found = tuple(
        (rule, rule.limits((asked if any(t.name == "asked_r2" for t in rule.thresholds) else {}) | own))
        for rule in rules
        if rule.id not in settings.disabled
        for own in (dict(settings.thresholds.get(rule.id, {})),)
    )
    _in_force[:] = [(settings, tiers, rules, found)]
    return found


FIRST = ("log.", "data.leak", "loss.not-finite", "loss.divergence", "lr.", "signal.inverted")
"""Beginnings of rule ids that come first among equals: until the log is sound and the rate was right, nothing else can be
blamed for the error."""


def importance(finding: Finding) -> tuple[int, int, float, str, float]:
    """Sort key: severest first, then what must be mended first, then what mending it would recover; name and epoch last,
    so that the order is stable."""
    rank = next((i for i, start in enumerate(FIRST) if finding.rule.startswith(start)), len(FIRST))
    return (-finding.severity.rank, rank, -(finding.recoverable or 0.0), finding.rule, float(finding.epoch or 0))


def control_false_discoveries(
    findings: Iterable[Finding], p_values: Sequence[float]
) -> tuple[list[Finding], list[str]]:
    """(findings that survive, ids of rules whose finding did not), with q-values filled in.

    Benjamini & Hochberg (1995) over every test that was made on the run, fired or not. A critical finding whose q is
    not below :data:`CRITICAL_RATE` becomes a warning. Findings that rest on no test (a NaN in the log) stay.
    """
    from runreport.statistics.multiple import benjamini_hochberg

    q_of = dict(zip(p_values, benjamini_hochberg(p_values), strict=True)) if p_values else {}
    kept: list[Finding] = []
    dropped: list[str] = []
    for finding in findings:
        q = q_of.get(finding.p_value) if finding.p_value is not None else None
        if q is None:
            kept.append(finding)
        elif q > FALSE_DISCOVERY_RATE and finding.severity is not Severity.INFO:
            dropped.append(finding.rule)
        elif q >= CRITICAL_RATE and finding.severity is Severity.CRITICAL:
            kept.append(replace(finding, severity=Severity.WARNING, q_value=q))
        else:
            kept.append(replace(finding, q_value=q))
    return kept, dropped


def asked_r2(tiers: Sequence[Tier]) -> float:
    """The smallest R² above zero that any tier asks for, else 0: what "enough information" means to this user."""
    asked = [c.bound for tier in tiers for c in tier.criteria if c.metric == "r2" and c.asks_for_more and c.bound > 0]
    return min(asked, default=0.0)
