"""Success criteria: met or not, and whether spread alone could meet them."""

from __future__ import annotations

from runreport.criteria.judge import Judgement, tier_names, tier_verdict
from runreport.report.model import Block, Omitted, Paragraph, Section, table
from runreport.report.sections.page import Page
from runreport.wording import fixed, number, percent

TITLE = "Success criteria"


def build(page: Page) -> Section | Omitted:
    """A row a condition: what it asks, what the run has, what it would need."""
    analysis = page.analysis
    if not analysis.criteria:
        return Omitted(title=TITLE, reason="no criteria were given")
    rows = [_row(j) for j in analysis.criteria]
    r = analysis.final["pearson_r"] if analysis.final is not None else None
    blocks: list[Block] = [
        table(["tier", "asks", "has", "verdict", "needs r", "possible by spread and mean alone?"], rows, left=2),
        Paragraph(text=" ".join(_verdicts(analysis.criteria, r))),
    ]
    return Section(id="criteria", title=TITLE, blocks=tuple(blocks))


def _row(j: Judgement) -> list[str]:
    needs = ""
    if j.needs_r is not None:
        needs = fixed(j.needs_r, 2)
        if j.needs_r_biased is not None and j.needs_r_biased - j.needs_r >= 0.005:
            needs += f" ({fixed(j.needs_r_biased, 2)} with this bias)"
    feasible = {True: "yes", False: "no", None: ""}[j.feasible]
    verdict = j.verdict + (" (within noise)" if j.within_noise else "") + (f": {j.reason}" if j.reason else "")
    shown = ""
    if j.value is not None:
        shown = percent(j.value) if "ratio" in j.criterion.metric else number(j.value, 3)
    return [j.tier, j.criterion.text, shown, verdict, needs, feasible]


def _verdicts(judgements: tuple[Judgement, ...], r: float | None) -> list[str]:
    said = [f"Tier {name}: {tier_verdict(judgements, name)}." for name in tier_names(judgements)]
    if any(j.within_noise for j in judgements):
        said.append(
            "Within noise: the bound lies inside the figure's 95 % interval, so another sample could turn the verdict."
        )
    if r is not None and any(j.needs_r is not None for j in judgements):
        said.append(
            "Needs r: the smallest correlation at which the tier's R² and std ratio can hold together; "
            f"measured is {fixed(r, 2)}."
        )
    return said
