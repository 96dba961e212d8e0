"""Key observations: what the rules found, the severest first."""

from __future__ import annotations

from runreport.findings import Finding
from runreport.marks import strong
from runreport.report.model import Block, Bullets, Omitted, Paragraph, Section
from runreport.report.sections.page import Page
from runreport.wording import percent, plural

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
        blocks.append(Bullets(items=tuple(_item(f) for f in faults[:MOST])))
        if len(faults) > MOST:
            blocks.append(Paragraph(text=f"{plural(len(faults) - MOST, 'further finding')}: see the JSON."))
    if noted:
        blocks.append(Paragraph(text="Also noted:" if faults else "Noted:"))
        blocks.append(Bullets(items=tuple(_item(f) for f in noted[:MOST])))
    if analysis.clear:
        more = " more" if analysis.findings else ""
        blocks.append(
            Paragraph(text=f"{plural(len(analysis.clear), f'{more} rule'.strip())} could be judged and found nothing.")
        )
    if not blocks:
        return Omitted(title=TITLE, reason="no rule could be judged")
    return Section(id="observations", title=TITLE, blocks=tuple(blocks))


def _item(finding: Finding) -> str:
    tested = finding.q_value is not None and finding.severity.rank >= 1
    q = f", false discovery rate {_rate(finding.q_value)}" if tested and finding.q_value is not None else ""
    return f"{finding.message} ({strong(finding.severity.value)}, {finding.rule}{q})"


def _rate(q: float) -> str:
    return "< 0.1 %" if q < 0.001 else percent(q, 1)
