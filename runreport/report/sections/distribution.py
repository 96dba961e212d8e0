"""How the predictions are distributed beside the truth."""

from __future__ import annotations

from runreport.report.model import Block, Omitted, Paragraph, Section, table
from runreport.report.sections.page import Page
from runreport.wording import number, percent

TITLE = "Prediction distribution"


def build(page: Page) -> Section | Omitted:
    """Mean, std and range, true and predicted; how much of the true range is reached."""
    final = page.analysis.final
    if final is None:
        return Omitted(title=TITLE, reason="no final figures")
    rows = []
    for label, name in (("mean", "mean"), ("std", "std"), ("smallest", "min"), ("largest", "max")):
        true, pred = final[f"true_{name}"], final[f"pred_{name}"]
        if true is not None or pred is not None:
            rows.append(
                [label, number(true, 4) if true is not None else "", number(pred, 4) if pred is not None else ""]
            )
    spread = final["pred_spread"]
    true_min, true_max = final["true_min"], final["true_max"]
    true_spread = true_max - true_min if true_min is not None and true_max is not None else None
    if spread is not None:
        rows.append(
            [
                "spread (largest - smallest)",
                number(true_spread, 4) if true_spread is not None else "",
                number(spread, 3),
            ]
        )
    if not rows:
        return Omitted(title=TITLE, reason="neither means, nor stds, nor ranges are known")
    blocks: list[Block] = [table(["", "true", "predicted"], rows)]
    reach = _reach(page)
    if reach:
        blocks.append(Paragraph(text=reach))
    blocks += page.drawn(
        "predictions", f"Predicted against true values of the {final.split} set, with the line on which both are equal"
    )
    return Section(id="distribution", title=TITLE, blocks=tuple(blocks))


def _reach(page: Page) -> str | None:
    final = page.analysis.final
    if final is None:
        return None
    low, high, true_low, true_high = (final[n] for n in ("pred_min", "pred_max", "true_min", "true_max"))
    if low is None or high is None or true_low is None or true_high is None or true_high <= true_low:
        return None
    share = max(0.0, min(high, true_high) - max(low, true_low)) / (true_high - true_low)
    text = f"The predictions cover {percent(share, 0)} of the true range."
    middle = (true_low + true_high) / 2
    if high < middle:
        text += f" They never reach its upper half (above {number(middle)})."
    elif low > middle:
        text += f" They never reach its lower half (below {number(middle)})."
    return text
