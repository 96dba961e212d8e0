"""Key observations: what the rules found, the severest first."""

from __future__ import annotations

from runreport.report.model import Block, Findings, Fold, Omitted, Paragraph, Section
from runreport.report.sections.evidence import finding_item
from runreport.report.sections.page import Page
from runreport.wording import plural

TITLE = "Key observations"
MOST = 14
"""Findings shown: a run with more has one cause behind most of them; the JSON holds all."""
LEADING = ("signal.limited",)
"""Information that stands among the faults, because it bounds what mending any of them can give."""


def build(page: Page) -> Section | Omitted:
    """Every finding with its rule and severity, so that a reader can look up what it means."""
    analysis = page.analysis
    told = [f for f in analysis.findings if not f.rule.startswith("selection.")]
    faults = [f for f in told if f.severity.rank >= 1 or f.rule in LEADING]
    noted = [f for f in told if f not in faults]
    blocks: list[Block] = []
    if faults:
        blocks.append(Findings(items=tuple(finding_item(f) for f in faults[:MOST])))
        if len(faults) > MOST:
            blocks.append(Paragraph(text=f"{plural(len(faults) - MOST, 'further finding')}: see the JSON."))
    if noted:
        shown = Findings(items=tuple(finding_item(f) for f in noted[:MOST]))
        # What is only information would bury the faults; where there are none, it is what was found.
        if faults:
            blocks.append(Fold(summary=f"Also noted: {plural(len(noted), 'finding')} for information", blocks=(shown,)))
        else:
            blocks += [Paragraph(text="No fault was found. Noted:"), shown]
    if analysis.clear:
        more = " more" if analysis.findings else ""
        blocks.append(
            Paragraph(text=f"{plural(len(analysis.clear), f'{more} rule'.strip())} could be judged and found nothing.")
        )
    if not blocks:
        return Omitted(title=TITLE, reason="no rule could be judged")
    return Section(id="observations", title=TITLE, blocks=tuple(blocks))
