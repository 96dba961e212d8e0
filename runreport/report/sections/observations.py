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


def build(page: Page) -> Section | Omitted:
    """Every finding with its rule and severity, so that a reader can look up what it means."""
    analysis = page.analysis
    shown = [f for f in analysis.findings if not f.rule.startswith("selection.")]
    blocks: list[Block] = []
    if shown:
        blocks.append(Bullets(items=tuple(_item(f) for f in shown[:MOST])))
        if len(shown) > MOST:
            blocks.append(
                Paragraph(text=f"{plural(len(shown) - MOST, 'further finding')} of lesser weight: see the JSON.")
            )
    if analysis.clear:
        found = "Nothing else was found" if shown else "Nothing was found"
        blocks.append(
            Paragraph(text=f"{found} by the other {plural(len(analysis.clear), 'rule')} that could be judged.")
        )
    if not blocks:
        return Omitted(title=TITLE, reason="no rule could be judged")
    return Section(id="observations", title=TITLE, blocks=tuple(blocks))


def _item(finding: Finding) -> str:
    q = f", false discovery rate {_rate(finding.q_value)}" if finding.q_value is not None else ""
    return f"{finding.message} ({strong(finding.severity.value)}, {finding.rule}{q})"


def _rate(q: float) -> str:
    return "< 0.1 %" if q < 0.001 else percent(q, 1)
