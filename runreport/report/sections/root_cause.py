"""Root cause: where the error is, and what of it could be had back."""

from __future__ import annotations

from collections.abc import Sequence

from runreport.findings import Finding
from runreport.metrics.budget import ErrorBudget
from runreport.report.model import Bar, BarPart, Block, Bullets, Omitted, Paragraph, Section
from runreport.report.sections.page import Page
from runreport.wording import fixed, listing, percent

TITLE = "Root cause: where the error is"
BAR = 40
"""Characters of the bar for the whole error."""


def build(page: Page) -> Section | Omitted:
    """The error budget's two readings (its bar stands in the summary), and the findings ranked by what mending them
    gives back."""
    analysis = page.analysis
    budget = analysis.budget
    if budget is None:
        return Omitted(title=TITLE, reason=_why_not(page))
    blocks: list[Block] = [Paragraph(text=reading(budget))]
    ranked = _ranked(analysis.findings)
    if ranked:
        blocks.append(Paragraph(text="Faults that were tested and found, by what mending that part alone gives back:"))
        blocks.append(Bullets(items=ranked))
    return Section(id="root-cause", title=TITLE, blocks=tuple(blocks))


PARTS = {"alpha": "the spread", "beta": "the mean", "r": "the information"}


def _ranked(findings: Sequence[Finding]) -> tuple[str, ...]:
    """A line a part of the budget, largest first: several rules may speak of one part, which is mended only once."""
    parts: dict[str, list[Finding]] = {}
    for finding in findings:
        if finding.recoverable and finding.acts_on is not None and finding.severity.rank >= 1:
            parts.setdefault(finding.acts_on, []).append(finding)
    worth = {part: max(f.recoverable or 0.0 for f in found) for part, found in parts.items()}
    return tuple(
        f"{fixed(worth[part], 3)} of R² in {PARTS[part]}: {listing(list(dict.fromkeys(f.rule for f in parts[part])))}."
        for part in sorted(worth, key=lambda p: -worth[p])
    )


def budget_bar(budget: ErrorBudget) -> Bar:
    """The parts of 1 - R² for renderers that draw them."""
    shares = budget.error_shares or (0.0, 0.0, 0.0)
    parts = (
        ("r", "missing information", budget.missing_information, shares[0]),
        ("alpha", "wrong spread", budget.wrong_spread, shares[1]),
        ("beta", "wrong mean", budget.wrong_mean, shares[2]),
    )
    return Bar(
        total=f"1 - R² = {fixed(budget.total, 3)}",
        parts=tuple(
            BarPart(id=id_, label=label, value=fixed(value, 3), share=percent(share), width=round(100 * share, 2))
            for id_, label, value, share in sorted(parts, key=lambda part: -part[2])
        ),
        text=bar(budget),
    )


def bar(budget: ErrorBudget, cells: int = BAR) -> str:
    """The three parts of 1 - R² as text, largest first; ``cells`` characters are the whole.

    >>> from runreport.metrics.budget import error_budget
    >>> print(bar(error_budget(0.0, 0.5, 0.5)).splitlines()[0].rstrip())
    1 - R² = 1.500 = 1.000 missing information  ███████████████████████████
    """
    parts = sorted(
        (
            (budget.missing_information, "missing information"),
            (budget.wrong_mean, "wrong mean"),
            (budget.wrong_spread, "wrong spread"),
        ),
        key=lambda part: -part[0],
    )
    first = f"1 - R² = {fixed(budget.total, 3)} = "
    width = max(len(name) for _, name in parts)
    lines = []
    for i, (value, name) in enumerate(parts):
        share = value / budget.total if budget.total > 0 else 0.0
        blocks = "█" * round(cells * share) or ("▌" if value > 0 else "")
        lead = first if i == 0 else " " * (len(first) - 2) + "+ "
        lines.append(f"{lead}{fixed(value, 3)} {name:<{width}}  {blocks}".rstrip())
    return "\n".join(lines)


def reading(budget: ErrorBudget) -> str:
    """Both readings of a budget: of the whole error, and of the shortfall below the ceiling r²."""
    shares, shortfall = budget.error_shares, budget.shortfall_shares
    if shares is None:
        return "There is no error to explain."
    source = "" if budget.exact else " The parts carry the rounding of the published figures."
    text = (
        f"Of the whole error {percent(shares[0])} is missing information (1 - r²), {percent(shares[2])} a wrong mean (β²) "
        f"and {percent(shares[1])} a wrong spread ((α - r)²). "
        f"Shifting and rescaling these predictions, for free, reaches R² = {fixed(budget.ceiling_r2, 3)} at most, the square "
        "of the correlation; what lies beyond needs information: data, features, optimisation."
    )
    if shortfall is not None:
        text += (
            f" R² is {fixed(budget.recoverable, 3)} below that ceiling; {percent(shortfall[1], 0)} of this shortfall is the "
            f"mean, {percent(shortfall[0], 0)} the spread."
        )
    return text + source


def _why_not(page: Page) -> str:
    final = page.analysis.final
    if final is None:
        return "no final figures"
    missing = [
        label
        for name, label in (("pearson_r", "correlation"), ("variance_ratio", "std ratio"), ("bias", "bias"))
        if final[name] is None
    ]
    return f"the error budget needs the {', the '.join(missing)}: save `predictions_<run>.csv`"
