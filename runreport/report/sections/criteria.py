"""Success criteria: met or not, and whether spread alone could meet them."""

from __future__ import annotations

from runreport.criteria.judge import Judgement, tier_names, tier_verdict
from runreport.report.model import Block, Omitted, Paragraph, Section, table
from runreport.report.sections.page import Page
from runreport.wording import epoch, fixed, listing, number, percent

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
        needs = _need(j.needs_r)
        if j.needs_r_biased is not None and j.needs_r_biased - j.needs_r >= 0.005:
            needs += f" ({_need(j.needs_r_biased)} with this bias)"
    # A condition that is met needs no saying whether it could be.
    feasible = "" if j.verdict == "met" else {True: "yes", False: "no", None: ""}[j.feasible]
    verdict = j.verdict + (" (within noise)" if j.within_noise else "") + (f": {j.reason}" if j.reason else "")
    shown = "" if j.value is None else f"{_has(j)}{_at(j)}"
    return [j.tier, j.criterion.text, shown, verdict, needs, feasible]


def _need(r: float) -> str:
    """A needed correlation; none is above 1."""
    return fixed(r, 2) if r <= 1 else "none"


def _out_of_order(judgements: tuple[Judgement, ...]) -> list[str]:
    """Why an earlier tier is missed though a later one is met: what it asks and the later one does not."""
    names = tier_names(judgements)
    said = []
    for place, name in enumerate(names):
        later = [n for n in names[place + 1 :] if tier_verdict(judgements, n) == "met"]
        if not later or tier_verdict(judgements, name) == "met":
            continue
        missed = [j for j in judgements if j.tier == name and j.verdict != "met"]
        reasons = [f"{j.criterion.text} ({_has(j)}{_at(j)})" for j in missed]
        verb = {"not met": "is not met", "cannot tell": "cannot be told"}[tier_verdict(judgements, name)]
        also = listing(later)
        said.append(
            f"{name[:1].upper()}{name[1:]} {verb} although {also} {'is' if len(later) == 1 else 'are'}, because {also} "
            f"{'does' if len(later) == 1 else 'do'} not ask for {listing(reasons)}."
        )
    return said


def _has(j: Judgement) -> str:
    if j.value is None:
        return j.reason or "no figure"
    return percent(j.value) if "ratio" in j.criterion.metric else number(j.value, 3)


def _at(j: Judgement) -> str:
    return f" at epoch {epoch(j.epoch)}" if j.epoch is not None else ""


def _verdicts(judgements: tuple[Judgement, ...], r: float | None) -> list[str]:
    said = [f"Tier {name}: {tier_verdict(judgements, name)}." for name in tier_names(judgements)]
    said += _out_of_order(judgements)
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
