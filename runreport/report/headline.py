"""The title: the strongest finding in one line."""

from __future__ import annotations

from runreport.analysis.record import Analysis
from runreport.findings import Finding
from runreport.marks import clean
from runreport.report.precedence import CONDITIONS, SHORT, WIDER, hardly_begun, independent, leads, serious
from runreport.rules.selection_begun import CORRELATION, WIDENING
from runreport.wording import epoch, fixed, number, percent

Lead = tuple[str, str | None]
"""A rule and the words for it; None: its own title."""

PERFECT = 1e-9
"""1 - R² below which no part of the error is worth a clause."""


def headline(analysis: Analysis) -> str:
    """``run: what was found, and a second cause where there is one; what that did to R²``."""
    causes = " and ".join(_clause(analysis, lead) for lead in _leads(analysis))
    clauses = [clause for clause in (causes, r2_clause(analysis) or loss_clause(analysis)) if clause]
    return f"{clean(analysis.run.name)}: {'; '.join(clauses) or 'nothing could be judged'}"


def lead_rules(analysis: Analysis) -> tuple[str, ...]:
    """The rules that the title speaks of: the leading one, and one that it does not explain; empty where it names none."""
    return tuple(rule for rule, _ in _leads(analysis))


def lead_rule(analysis: Analysis) -> str | None:
    """The rule that the title speaks of first; None where it speaks of none."""
    return next(iter(lead_rules(analysis)), None)


def lead_clause(analysis: Analysis) -> str | None:
    """What the leading finding says, in a few words; None where no finding leads."""
    lead = next(iter(_leads(analysis)), None)
    return None if lead is None else _clause(analysis, lead)


def _clause(analysis: Analysis, lead: Lead) -> str:
    rule, words = lead
    if words is None:
        return _title(rule) or rule
    finding = analysis.finding(rule)
    at = "" if finding is None else _at(finding)
    spread_fell = finding is None or finding.evidence.get("spread_fell") is not False
    no_number = "was not a number" if finding and finding.evidence.get("recovered") else "stopped being a number"
    return words.format(
        at=at,
        no_number=no_number,
        bias=_bias(analysis),
        ratio=_ratio(analysis),
        r=_r(analysis),
        leak=_leak(finding),
        penalty=_penalty(analysis, finding),
        short=_short(analysis, finding),
        onset="the predictions' spread " + (f"collapsed{at}" if spread_fell else "did not grow with what was learned"),
    )


def _leads(analysis: Analysis) -> tuple[Lead, ...]:
    """The leading rule and its words (None: its own title), and the first further one that is no consequence of it."""
    found = _candidates(analysis)
    if not found:
        return ()
    first = found[0]
    if first[0] == SHORT[0] and hardly_begun(analysis):
        return (first,)
    second = next((lead for lead in found[1:] if independent(first[0], lead[0])), None)
    return (first,) if second is None else (first, second)


def _candidates(analysis: Analysis) -> list[Lead]:
    """Every rule that could lead, in the order of precedence."""
    found: list[Lead] = []
    for rules, words in leads(analysis):
        if rules in CONDITIONS:
            if CONDITIONS[rules](analysis):
                found.append((rules[0], words))
            continue
        finding = analysis.finding(*rules)
        if finding is not None and finding.severity.rank >= 1:
            found.append((finding.rule, words))
    named = {rule for rule, _ in found}
    # Too small a part of the error to lead at its place is none to lead at the end of the list.
    rest = [rule for rule in serious(analysis.findings) if rule not in named and (rule,) != WIDER]
    return [*found, *((rule, None) for rule in rest)]


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


def _short(analysis: Analysis, finding: Finding | None) -> str:
    at = "" if finding is None else _at(finding)
    if hardly_begun(analysis):
        return f"training ended{at} after hardly any steps"
    kind = "" if finding is None else str(finding.evidence.get("kind"))
    going_on = {WIDENING: "its predictions were widening", CORRELATION: "its correlation was rising"}
    return f"training stopped{at} while {going_on.get(kind, 'it was improving')}"


def _penalty(analysis: Analysis, finding: Finding | None) -> str:
    if finding is not None and finding.split == "train":
        held = finding.recoverable is not None
        return f"a spread penalty {'widens the predictions of the training rows' if held else 'kept the model from learning'}"
    return f"predictions are too wide, with a spread penalty on{_ratio(analysis)}"


def _leak(finding: Finding | None) -> str:
    column = None if finding is None else finding.evidence.get("column")
    return f"the input {clean(column)} is nearly the target" if column else "the score is too good to be held out"


def _bias(analysis: Analysis) -> str:
    beta = analysis.final["bias"] if analysis.final is not None else None
    if beta is None:
        return "the mean of the predictions is off"
    return f"predictions are {fixed(abs(beta), 2)} σ too {'high' if beta > 0 else 'low'}"


def _ratio(analysis: Analysis) -> str:
    ratio = analysis.final["variance_ratio"] if analysis.final is not None else None
    return f" (std ratio {percent(ratio)})" if ratio is not None else ""


def _r(analysis: Analysis) -> str:
    r = analysis.final["pearson_r"] if analysis.final is not None else None
    return f" (r = {fixed(r, 2)})" if r is not None else ""
