"""Whether the run did what it declared, and whether its monitors agree on the epoch."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from runreport.context import Context, History, Limits
from runreport.findings import CLEAR, Checked, Finding, NotChecked, Outcome, Severity, Value
from runreport.rules.base import Rule
from runreport.selection.declared import DeclaredPolicy, monitor_values
from runreport.selection.policies import PolicyPick
from runreport.wording import epoch as epoch_words
from runreport.wording import listing, number

NOT_POLICY_ID = "selection.not-the-policy"
DISAGREE_ID = "selection.monitors-disagree"
MONITORS = {
    "min_val_loss": "validation loss",
    "max_r2": "R²",
    "max_r_recalibrated": "correlation",
    "ccc": "concordance",
}
"""Policies that are plain monitors; the others add conditions of their own."""


def check_not_the_policy(context: Context, _limits: Limits) -> Outcome:
    """Critical where the declared policy, replayed, picks another epoch than the saved one by more than rounding."""
    audit, history = context.selection, context.history
    if audit is None or history is None:
        return NotChecked(rule=NOT_POLICY_ID, reason="no history to replay the policy on")
    if audit.declared is None:
        return NotChecked(rule=NOT_POLICY_ID, reason="the run declares no early-stopping policy")
    if audit.saved is None:
        return NotChecked(rule=NOT_POLICY_ID, reason="the epoch that was saved is not known")
    pick = audit.pick("declared")
    if pick is None or pick.epoch is None:
        return NotChecked(rule=NOT_POLICY_ID, reason=(pick.reason if pick else None) or "it cannot be replayed")
    if pick.epoch == audit.saved:
        return CLEAR
    if audit.policy_gaps:
        return NotChecked(
            rule=NOT_POLICY_ID, reason="epochs are missing from the log, so its patience cannot be counted"
        )
    if any(note.code == "log.duplicate-epochs" for note in context.run.notes):
        reason = "epochs were logged more than once, and which of their values the policy saw is not known"
        return NotChecked(rule=NOT_POLICY_ID, reason=reason)
    if any(note.code == "log.restarts" and note.epoch is not None for note in context.run.notes):
        return NotChecked(rule=NOT_POLICY_ID, reason="the run was resumed, and its early stopping may have begun anew")
    severity, remark = _difference(audit.saved, audit.declared, pick, history)
    values = dict(zip(history.epochs, monitor_values(history, audit.declared.monitor), strict=True))
    evidence: dict[str, Value] = {
        "saved": audit.saved,
        "replayed": pick.epoch,
        "stop_epoch": pick.stop_epoch,
        "monitor": audit.declared.monitor,
        "value_saved": _finite(values.get(audit.saved)),
        "value_replayed": _finite(pick.score),
        "patience": audit.declared.patience,
        "min_delta": audit.declared.min_delta,
        "floor": audit.declared.floor,
    }
    finding = Finding(
        rule=NOT_POLICY_ID,
        severity=severity,
        message=f"The run declares {audit.declared.describe()}; replayed on its own log that picks epoch "
        f"{epoch_words(pick.epoch)}, but epoch {epoch_words(audit.saved)} was saved. {remark}",
        evidence=evidence,
        epoch=audit.saved,
        split="validation",
    )
    return Checked(findings=(finding,))


def _difference(
    saved: int | float, declared: DeclaredPolicy, pick: PolicyPick, history: History
) -> tuple[Severity, str]:
    """How serious it is that the two epochs differ, and the sentence on what explains it."""
    values = dict(zip(history.epochs, monitor_values(history, declared.monitor), strict=True))
    at_saved = _finite(values.get(saved))
    at_pick = _finite(pick.score)
    if at_saved is None or at_pick is None:
        return Severity.CRITICAL, f"At the saved epoch the log has no {declared.monitor}."
    gap = (at_pick - at_saved) * (1 if declared.mode == "max" else -1)
    shown = f"Its {declared.monitor} is {number(at_saved)} at the saved epoch and {number(at_pick)} at the other"
    if abs(gap) <= _resolution(values.values()):
        return Severity.INFO, f"{shown}: equal to the digits that were logged."
    if 0 > gap >= -declared.min_delta or 0 < gap <= declared.min_delta:
        return Severity.INFO, f"{shown}, closer than the least improvement that counts ({number(declared.min_delta)})."
    if pick.epoch in (saved - 1, saved + 1):
        return Severity.WARNING, f"{shown}. They are one apart, as when the two count epochs from 0 and from 1."
    if pick.stop_epoch is not None and saved > pick.stop_epoch:
        return Severity.CRITICAL, f"{shown}; the policy would have stopped at epoch {epoch_words(pick.stop_epoch)}."
    return Severity.CRITICAL, f"{shown}."


def _finite(value: float | None) -> float | None:
    return value if value is not None and abs(value) < float("inf") else None


def _resolution(values: Iterable[float | None]) -> float:
    """One unit in the last decimal that a column was logged to: values that differ by no more may have been equal."""
    decimals = 0
    for value in values:
        if value is not None and _finite(value) is not None:
            exponent = Decimal(repr(float(value))).as_tuple().exponent
            decimals = max(decimals, -exponent if isinstance(exponent, int) else 0)
    return 10.0**-decimals * (1 + 1e-6)


def check_monitors_disagree(context: Context, _limits: Limits) -> Outcome:
    """Information: the epochs that the plain monitors pick, where they are not the same."""
    audit = context.selection
    if audit is None:
        return NotChecked(rule=DISAGREE_ID, reason="no history to replay policies on")
    picks = {name: p.epoch for name in MONITORS if (p := audit.pick(name)) is not None and p.epoch is not None}
    if len(picks) < 2:
        have = listing([MONITORS[name] for name in picks]) or "none"
        return NotChecked(rule=DISAGREE_ID, reason=f"needs two monitors in the log, has {have}")
    if len(set(picks.values())) == 1:
        return CLEAR
    by_epoch: dict[int | float, list[str]] = {}
    for name, picked in picks.items():
        by_epoch.setdefault(picked, []).append(MONITORS[name])
    choices = listing([f"{listing(names)} {epoch_words(e)}" for e, names in by_epoch.items()])
    inside = audit.indistinguishable
    if inside is None:
        tail = "Whether that matters cannot be told from this log."
    elif all(e in inside for e in by_epoch):
        tail = "By R² these epochs cannot be told apart."
    else:
        worse = [epoch_words(e) for e in by_epoch if e not in inside]
        are = "epochs {} have" if len(worse) > 1 else "epoch {} has"
        tail = f"By R² {are.format(listing(worse))} a lower score than the best by more than its noise."
    finding = Finding(
        rule=DISAGREE_ID,
        severity=Severity.INFO,
        message=f"The monitors pick different epochs: {choices}. {tail}",
        evidence={"picks": dict(picks.items()), "saved": audit.saved},
        split="validation",
    )
    return Checked(findings=(finding,))


NOT_THE_POLICY = Rule(
    id=NOT_POLICY_ID,
    title="The saved epoch is not the one that the policy picks",
    meaning="The run says how it selects its checkpoint, and its own log says that it saved another.",
    statistic="The declared policy (monitor, direction, patience, least improvement, floor, warm-up) replayed value by "
    "value. Differences within the last logged digit or the least improvement are information; a difference of one "
    "epoch, as between counting from 0 and from 1, is a warning.",
    remedy="Check what writes the checkpoint: the monitor's direction, a resumed counter, an epoch numbered from 0, or "
    "a second callback that saves by another rule.",
    severities="critical; warning at a distance of one epoch; info within rounding or least improvement",
    check=check_not_the_policy,
)
MONITORS_DISAGREE = Rule(
    id=DISAGREE_ID,
    title="The monitors pick different epochs",
    meaning="Validation loss, R², correlation and concordance do not agree on which epoch is best, so always say which "
    "one chose it.",
    statistic="argmin of the validation loss, argmax of R², of r and of concordance over the logged epochs. Whether "
    "the loss's choice loses R² is judged by loss.metric-disagree.",
    remedy="Choose the monitor that the model will be judged by, before the run.",
    severities="info",
    check=check_monitors_disagree,
)
