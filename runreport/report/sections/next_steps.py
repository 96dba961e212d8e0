"""What to do next, in order, each with what would show that it did not work."""

from __future__ import annotations

from runreport.advice.calibration import not_advised
from runreport.advice.evidence import Evidence
from runreport.advice.record import Advice, Expected
from runreport.marks import clean, strong
from runreport.report.model import Block, Bullets, Listing, Omitted, Paragraph, Section
from runreport.report.sections.page import Page
from runreport.wording import fixed

TITLE = "Recommended next steps"
PARTS = {"r": "Acts on r (information).", "alpha": "Acts on α (spread).", "beta": "Acts on β (mean)."}
METRICS = {"r2": "R²", "pearson_r": "r", "bias": "β", "variance_ratio": "the std ratio"}


def build(page: Page) -> Section | Omitted:
    """Numbered steps; the first one's config patch as YAML; what is not advised."""
    analysis = page.analysis
    if not analysis.advice:
        return Omitted(title=TITLE, reason="nothing was given to advise on")
    blocks: list[Block] = [Bullets(items=tuple(step(a) for a in analysis.advice), numbered=True)]
    first = next((a for a in analysis.advice if a.config_patch), None)
    if first is not None:
        blocks.append(Paragraph(text=f"As a change to the config ({first.title[0].lower()}{first.title[1:]}):"))
        patch = "\n".join(f"{clean(k)}: {clean(v)}" for k, v in first.config_patch.items())
        blocks.append(Listing(text=patch, language="yaml"))
    against = not_advised(Evidence(context=analysis.context, findings=analysis.findings))
    if against is not None:
        blocks.append(Paragraph(text=f"{strong('Not advised:')} {against[0].lower()}{against[1:]}"))
    return Section(id="next-steps", title=TITLE, blocks=tuple(blocks))


def step(advice: Advice) -> str:
    """One step as a paragraph."""
    parts = [f"{strong(advice.title + '.')} {advice.text}"]
    if advice.acts_on is not None:
        parts.append(PARTS[advice.acts_on])
    if advice.expected is not None:
        parts.append(expected(advice.expected))
    parts.append(f"Refuted if {advice.refuted_if}.")
    return " ".join(parts)


def expected(e: Expected) -> str:
    """What should come of it."""
    name = METRICS.get(e.metric, e.metric)
    if e.value is not None and e.high is not None:
        size = f"{name} = {fixed(e.value, 3)}, at most {fixed(e.high, 3)}"
    elif e.value is not None:
        size = f"{name} = {fixed(e.value, 3)}"
    elif e.low is not None and e.high is not None:
        size = (
            f"{name} above {fixed(e.low, 2)}"
            if e.high >= 1 and e.metric == "pearson_r"
            else (f"{name} between {fixed(e.low, 2)} and {fixed(e.high, 2)}")
        )
    else:
        size = name
    return f"Expected: {size} ({e.basis})."
