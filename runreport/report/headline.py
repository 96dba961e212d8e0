"""The title: the strongest finding in one line."""

from __future__ import annotations

from collections.abc import Callable

from runreport.analysis.record import Analysis
from runreport.findings import Finding
from runreport.marks import clean
from runreport.wording import epoch, fixed, number, percent

PERFECT = 1e-9
"""1 - R² below which no part of the error is worth a clause."""


def headline(analysis: Analysis) -> str:
    """``run: what was found; what that did to R²``, from the findings and the budget only."""
    clauses = [clause for clause in (lead_clause(analysis), r2_clause(analysis) or loss_clause(analysis)) if clause]
    return f"{clean(analysis.run.name)}: {'; '.join(clauses) or 'nothing could be judged'}"


def lead_rule(analysis: Analysis) -> str | None:
    """The rule that the title speaks of; None where it speaks of none."""
    lead = _lead(analysis)
    return lead[0] if lead is not None else None


def lead_clause(analysis: Analysis) -> str | None:
    """What the leading finding says, in a few words; None where no finding leads."""
    lead = _lead(analysis)
    if lead is None:
        return None
    rule, words = lead
    if words is None:
        return _title(rule)
    finding = analysis.finding(rule)
    at = "" if finding is None else _at(finding)
    return words.format(at=at, bias=_bias(analysis), ratio=_ratio(analysis), r=_r(analysis))


def _lead(analysis: Analysis) -> tuple[str, str | None] | None:
    """The rule that leads and its words, None for its own title."""
    for rules, words in _LEADS:
        if rules in CONDITIONS:
            if CONDITIONS[rules](analysis):
                return rules[0], words
            continue
        finding = analysis.finding(*rules)
        if finding is not None and finding.severity.rank >= 1:
            return finding.rule, words
    first = next((f for f in analysis.findings if f.severity.rank >= 1), None)
    return (first.rule, None) if first is not None else None


def r2_clause(analysis: Analysis) -> str | None:
    """What R² is and, where it is below zero, which part of the error put it there."""
    final, budget = analysis.final, analysis.budget
    if final is None or final["r2"] is None:
        return None
    r2 = final["r2"]
    where = "" if final.split == "test" else f" on {final.split}"
    if r2 >= 0:
        return f"R² is {fixed(r2, 2)}{where}"
    if budget is None:
        return f"R² is negative ({fixed(r2, 2)}{where}); what was logged does not tell why"
    mean, spread = analysis.finding("bias.dominates"), analysis.finding("spread.over")
    found = [f is not None and f.severity.rank >= 1 and f.split in (None, final.split) for f in (mean, spread)]
    # A cause is named only where its own test found it, as a fault: a part of the budget may be large and still be noise,
    # or real and too small to be the reason for anything.
    if analysis.finding("signal.inverted") is not None:
        return f"R² is negative ({fixed(r2, 2)}{where})"
    if r2 + budget.wrong_mean >= 0 and found[0]:
        cause = "because the predictions' mean is off"
    elif r2 + budget.wrong_spread >= 0 and found[1]:
        cause = "because the predictions are wider than their information warrants"
    elif all(found):
        cause = "because the predictions' mean and spread are both off"
    else:
        return f"R² is negative ({fixed(r2, 2)}{where})"
    return f"R² is negative ({fixed(r2, 2)}{where}) {cause}"


def loss_clause(analysis: Analysis) -> str | None:
    """Where there is no R²: the lowest logged loss and its epoch."""
    history = analysis.history
    for name, label in (("val_loss", "validation loss"), ("train_loss", "train loss")):
        finite = history.finite(name) if history is not None else []
        if finite:
            value = min(v for _, v in finite)
            return f"lowest {label} {number(value)} at epoch {epoch(next(e for e, v in finite if v == value))}"
    return None


def _title(rule: str) -> str | None:
    """A rule's own title, as a clause."""
    from runreport.rules.registry import all_rules

    title = next((r.title for r in all_rules() if r.id == rule), None)
    return f"{title[0].lower()}{title[1:]}" if title else None


def _at(finding: Finding) -> str:
    return f" at epoch {epoch(finding.epoch)}" if finding.epoch is not None else ""


def _bias(analysis: Analysis) -> str:
    beta = analysis.final["bias"] if analysis.final is not None else None
    if beta is None:
        return "the mean of the predictions is off"
    return f"predictions are {fixed(abs(beta), 2)} σ too {'high' if beta > 0 else 'low'}"


def _no_signal(analysis: Analysis) -> bool:
    """Whether the correlation cannot be told from none, inside the groups neither; a proven one that is only lower than asked
    for is no such case."""
    from runreport.rules.signal import LIMITED, RULES, inside_groups

    bounds = analysis.final.interval("pearson_r") if analysis.final is not None else None
    if bounds is None or not bounds[0] <= 0 <= bounds[1]:
        return False
    limits = next(rule.limits() for rule in RULES if rule.id == LIMITED)
    return not inside_groups(analysis.context, limits)


def _groups_off(analysis: Analysis) -> bool:
    """Whether groups, not a range of the predictions, are what is off."""
    column = analysis.final.group_column if analysis.final is not None else None
    return column is not None and any(
        f.rule == GROUPS[0] and f.severity.rank >= 1 and f.evidence.get("segments") == column for f in analysis.findings
    )


def _ratio(analysis: Analysis) -> str:
    ratio = analysis.final["variance_ratio"] if analysis.final is not None else None
    return f" (std ratio {percent(ratio)})" if ratio is not None else ""


def _r(analysis: Analysis) -> str:
    r = analysis.final["pearson_r"] if analysis.final is not None else None
    return f" (r = {fixed(r, 2)})" if r is not None else ""


NO_SIGNAL = ("signal.limited",)
GROUPS = ("segment.bias",)
CONDITIONS: dict[tuple[str, ...], Callable[[Analysis], bool]] = {NO_SIGNAL: _no_signal, GROUPS: _groups_off}
"""Rules that lead only where more than their severity says so."""

_LEADS: tuple[tuple[tuple[str, ...], str], ...] = (
    (("log.inconsistent",), "the log contradicts itself"),
    (("data.leak",), "the score is too good to be held out"),
    (("loss.not-finite",), "the loss stopped being a number{at}"),
    (("loss.divergence",), "training diverged{at}"),
    (("lr.warmup-never-ended",), "the learning rate never left its warm-up"),
    (("lr.frozen",), "the learning rate never changed"),
    (("lr.too-high",), "the learning rate is too high"),
    (("lr.too-low",), "the learning rate is too low"),
    (("loss.spike",), "the loss spikes{at}"),
    (("scale.mismatch",), "predictions are on another scale than the target"),
    (("collapse.constant",), "predictions are constant{ratio}"),
    (("signal.inverted",), "predictions run against the truth{r}"),
    (NO_SIGNAL, "predictions carry no detectable signal"),
    (("penalty.dominates",), "predictions are too wide, with a spread penalty on{ratio}"),
    (("collapse.onset",), "the predictions' spread collapsed{at}"),
    (("selection.wrong-pick",), "a better epoch was left behind"),
    (GROUPS, "some groups are off"),
    (("range.saturated",), "predictions pile up at an edge of their range"),
    (("data.shift",), "the splits' targets differ"),
    (("loss.metric-disagree",), "the loss and R² rank the epochs differently"),
    (("bias.dominates",), "{bias}"),
    (("spread.over",), "predictions are wider than their information warrants{ratio}"),
    (("spread.under",), "predictions are narrower than their information warrants{ratio}"),
    (("fit.overfit",), "the model overfits"),
    (("fit.underfit",), "even the training set is not learnt"),
    (("selection.not-the-policy",), "the saved epoch is not the one its own policy picks"),
    (("selection.collapsed-pick",), "the saved epoch is a collapsed one"),
)
"""Rule ids and their words, in the order of precedence: what must be mended first leads. Bias and spread are parts of the error,
not its causes, so a finding that can explain them goes before them."""
