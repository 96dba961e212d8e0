"""Early stopping: which epoch each policy picks, and whether the difference can be told."""

from __future__ import annotations

from runreport.marks import code
from runreport.report.model import Block, Findings, Omitted, Paragraph, Section, table
from runreport.report.sections.evidence import finding_item
from runreport.report.sections.page import Page
from runreport.selection.audit import Comparison, SelectionAudit
from runreport.selection.policies import PolicyPick
from runreport.wording import epoch, fixed, interval, listing, percent

TITLE = "Early stopping: was the right epoch saved?"
VERDICTS = {
    "wrong-pick": "Another epoch is proven better on samples it was not chosen on.",
    "indistinguishable": "No other epoch is shown to be better, and some cannot be told from it.",
    "supported": "No policy picks an epoch that is shown to be better.",
    "unknown": "Whether another epoch is better cannot be told from this log.",
}


def build(page: Page) -> Section | Omitted:
    """Every policy replayed, the comparison with the saved epoch, and the verdict."""
    analysis = page.analysis
    audit, history = analysis.selection, analysis.history
    if audit is None or history is None:
        return Omitted(title=TITLE, reason="no history file")
    replayed = [p for p in audit.picks if p.epoch is not None]
    if not replayed:
        return Omitted(title=TITLE, reason="no policy could be replayed: no val_loss and no r2 column")
    rows = []
    for pick in replayed:
        rows.append(
            [
                code(pick.policy),
                epoch(pick.epoch),
                fixed(history.at(pick.epoch, "r2"), 3) if history.at(pick.epoch, "r2") is not None else "",
                percent(history.at(pick.epoch, "variance_ratio"))
                if history.at(pick.epoch, "variance_ratio") is not None
                else "",
                _difference(pick, audit),
            ]
        )
    saved = f"Epoch {epoch(audit.saved)} was saved" if audit.saved is not None else "Which epoch was saved is not known"
    declared = ""
    if audit.declared is not None:
        declared = f"; the run's own policy monitors {code(audit.declared.monitor)}"
    held_out = any(c.held_out for c in audit.comparisons)
    blocks: list[Block] = [
        Paragraph(text=f"{saved}{declared}. {VERDICTS[audit.verdict]}{_basis(audit)}"),
        table(
            [
                "policy",
                "picks epoch",
                "R² there",
                "std ratio there",
                "ΔR² of the policy, re-run and held out, to the saved epoch"
                if held_out
                else "ΔR² of that epoch to the saved one",
            ],
            rows,
        ),
    ]
    if audit.indistinguishable is not None and len(audit.indistinguishable) > 1:
        shown = listing([epoch(e) for e in audit.indistinguishable], most=12)
        blocks.append(Paragraph(text=f"Not shown to be worse than the best epoch ({epoch(audit.best)}): {shown}."))
    findings = [f for f in analysis.findings if f.rule.startswith("selection.")]
    if findings:
        blocks.append(Findings(items=tuple(finding_item(f) for f in findings)))
    if audit.needs:
        blocks.append(Paragraph(text=f"To decide it: {audit.needs.rstrip('.')}."))
    left_out = [f"{code(p.policy)} ({p.reason})" for p in audit.picks if p.epoch is None and p.reason]
    if left_out:
        blocks.append(Paragraph(text=f"Not replayed: {listing(left_out)}."))
    return Section(id="early-stopping", title=TITLE, blocks=tuple(blocks))


def _compared(pick: PolicyPick, audit: SelectionAudit) -> Comparison | None:
    """The comparison made for this policy, else one of the same epoch."""
    own = next((c for c in audit.comparisons if pick.policy in c.policies), None)
    return own or next((c for c in audit.comparisons if c.epoch == pick.epoch), None)


def _difference(pick: PolicyPick, audit: SelectionAudit) -> str:
    if pick.epoch == audit.saved:
        return "picks the saved one"
    found = _compared(pick, audit)
    if found is None or found.delta_r2 is None:
        return ""
    sign = "+" if found.delta_r2 > 0 else ""
    if found.interval is not None:
        return f"{sign}{fixed(found.delta_r2, 3)} {interval(found.interval, 3)}"
    if found.se_range is not None:
        return f"{sign}{fixed(found.delta_r2, 3)}, SE {fixed(found.se_range[0], 3)} to {fixed(found.se_range[1], 3)}"
    return f"{sign}{fixed(found.delta_r2, 3)}"


def _basis(audit: SelectionAudit) -> str:
    if audit.basis == "predictions":
        if any(c.held_out for c in audit.comparisons):
            return (
                " The last column scores the policy, not the epoch beside it: on every resample of the validation rows the "
                "policy chooses again, and what it chose is compared with the saved epoch on the rows left out."
            )
        return " Differences are from per-epoch validation predictions, on the same rows."
    if audit.basis == "log":
        whose = " (the number of test samples, the validation set's is not known)" if audit.n_assumed else ""
        return f" Differences are of the logged figures, with n = {audit.validation_n}{whose} taken as independent."
    return ""
