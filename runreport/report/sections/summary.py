"""The executive summary: at most five sentences that a busy reader can act on."""

from __future__ import annotations

from runreport.analysis.record import Analysis
from runreport.context import Final
from runreport.findings import Finding
from runreport.marks import strong
from runreport.report.model import Block, Omitted, Paragraph, Section
from runreport.report.sections.page import Page
from runreport.report.sections.root_cause import budget_bar
from runreport.wording import epoch, fixed, percent, with_interval

MOST_SENTENCES = 5


def build(page: Page) -> Section | Omitted:
    """What happened, how sure that is, what it cost, and the first step; under it the error budget as a bar."""
    analysis = page.analysis
    sentences = [s for s in (*_results(analysis), _finding(analysis)) if s][: MOST_SENTENCES - 1]
    if not sentences:
        return Omitted(title="Executive summary", reason="neither final figures nor findings")
    first = analysis.advice[0]
    sentences.append(f"{strong('First step:')} {first.title[0].lower()}{first.title[1:]}.")
    blocks: list[Block] = [Paragraph(text=" ".join(sentences))]
    if analysis.budget is not None:
        blocks.append(budget_bar(analysis.budget))
    return Section(id="summary", title="Executive summary", blocks=tuple(blocks))


def _results(analysis: Analysis) -> list[str]:
    final = analysis.final
    if final is None or final["r2"] is None:
        return []
    n = f" (n = {final.n})" if final.n is not None else ""
    where = (
        f"On the {final.split} set{n}" if final.basis != "history" else f"On validation at epoch {epoch(final.epoch)}"
    )
    sentences = [f"{where} R² is {with_interval(final['r2'], final.interval('r2'))}."]
    sentences += [s for s in (_correlation(final), _budget(analysis)) if s]
    return sentences


def _correlation(final: Final) -> str | None:
    r, bounds = final["pearson_r"], final.interval("pearson_r")
    if r is None:
        return None
    text = f"The correlation with the truth is {with_interval(r, bounds, 2)}"
    if bounds is None:
        return f"{text}."
    if bounds[0] <= 0 <= bounds[1]:
        return f"{text}: at this sample size it cannot be told from none."
    return f"{text}, so no shift or rescaling of these predictions passes R² = {fixed(r * r, 3)}."


def _budget(analysis: Analysis) -> str | None:
    budget = analysis.budget
    if budget is None or budget.error_shares is None:
        return None
    missing, spread, mean = budget.error_shares
    return (
        f"Of the error (1 - R² = {fixed(budget.total, 3)}) {percent(missing, 0)} is missing information, "
        f"{percent(mean, _decimals(mean))} a wrong mean and {percent(spread, _decimals(spread))} a wrong spread."
    )


def _decimals(share: float) -> int:
    """Whole percents, but one decimal below 1 % so that a small part does not read as none."""
    return 0 if share >= 0.0995 or share == 0 else 1


def _first_sentence(finding: Finding) -> str:
    return finding.message.split(". ")[0].rstrip(".") + "."


def _finding(analysis: Analysis) -> str | None:
    """The leading finding where it is not already what the figures said."""
    told = ("signal.limited", "data.few")
    lead = next((f for f in analysis.findings if f.severity.rank >= 1 and f.rule not in told), None)
    if lead is not None:
        return _first_sentence(lead)
    if analysis.findings:
        # Without final figures the section would be empty though something was found.
        rest = [f for f in analysis.findings if f.rule not in told]
        nothing_else = analysis.final is None or analysis.final["r2"] is None
        return _first_sentence(rest[0]) if rest and nothing_else else None
    checked = len(analysis.clear)
    return f"None of the {checked} rules that could be judged found a fault." if checked else None
