"""What was not checked, and why: silence must not read as "fine"."""

from __future__ import annotations

from collections.abc import Sequence

from runreport.report.model import Block, Bullets, Omitted, Paragraph, Section
from runreport.report.sections.page import Page
from runreport.wording import listing

TITLE = "Not checked"


def build(page: Page, omitted: Sequence[Omitted]) -> Section:
    """Rules by the reason they could not be judged, sections without data, and what the user changed."""
    analysis = page.analysis
    by_reason: dict[str, list[str]] = {}
    for entry in analysis.not_checked:
        by_reason.setdefault(entry.reason.rstrip("."), []).append(entry.rule)
    items = [f"{listing(rules)}: {reason}." for reason, rules in by_reason.items()]
    items += [f"Section “{o.title}” is left out: {o.reason}." for o in omitted]
    if analysis.disabled:
        items.append(f"Disabled by the settings: {listing(list(analysis.disabled))}.")
    if analysis.thresholds_changed:
        items.append(f"Thresholds set by the settings: {listing(list(analysis.thresholds_changed))}.")
    if not items:
        return Section(id="not-checked", title=TITLE, blocks=(Paragraph(text="Every rule could be judged."),))
    blocks: tuple[Block, ...] = (Bullets(items=tuple(items)),)
    return Section(id="not-checked", title=TITLE, blocks=blocks)
