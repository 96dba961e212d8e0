"""Final results: every figure once, with its interval."""

from __future__ import annotations

from runreport.marks import code
from runreport.report.model import Block, Omitted, Paragraph, Section, table
from runreport.report.sections.page import Page
from runreport.wording import epoch, fixed, interval, listing, number, percent, plural, sentence

TITLE = "Final results"
BASIS = {
    "predictions": "Computed from the predictions.",
    "summary": "As the run published them; there are no predictions to recompute them from.",
    "history": "The logged row of epoch {epoch}; there are no final predictions.",
}


BOUNDED = {"pearson_r": "pearson_r", "bias": "absolute_bias"}
"""Figures of which R² and std ratio alone leave bounds, and the bounds' name."""


def bound_text(name: str, bounds: tuple[float, float]) -> str:
    """A bound as a bound: ``≥ 0.14`` for r, ``|β| 0.2 to 0.8`` for the bias.

    >>> bound_text("pearson_r", (0.143, 1.0)), bound_text("bias", (0.0, 0.828))
    ('≥ 0.14', '|β| 0.00 to 0.83')
    """
    low, high = bounds
    return f"≥ {fixed(low, 2)}" if name == "pearson_r" else f"|β| {fixed(low, 2)} to {fixed(high, 2)}"


HIGHLIGHTS = ("R²", "correlation r", "std ratio α", "bias β")
"""The figures that a reader looks for first."""


def highlights(page: Page) -> tuple[tuple[str, str, str], ...]:
    """(name, value, interval) of the figures to see first, as in the table."""
    found = []
    for label, value, bounds in _rows(page):
        short = label.partition(" (")[0]
        if short in HIGHLIGHTS:
            found.append((short, value, bounds))
    return tuple(found)


def _rows(page: Page) -> list[list[str]]:
    final = page.analysis.final
    if final is None:
        return []
    loss = page.analysis.run.summary.get("loss")
    rows: list[list[str]] = []
    for name, label, show in (
        ("r2", "R²", lambda v: fixed(v, 4)),
        ("pearson_r", "correlation r", lambda v: fixed(v, 3)),
        ("variance_ratio", "std ratio α (std of predictions / std of truth)", percent),
        ("bias", "bias β (mean error / std of truth)", lambda v: fixed(v, 3)),
        ("calibration_slope", "calibration slope b (1 is calibrated)", lambda v: fixed(v, 2)),
        ("mae", "MAE", lambda v: number(v, 4)),
        ("rmse", "RMSE", lambda v: number(v, 4)),
    ):
        value = final[name]
        if value is None:
            if name in BOUNDED and (known := final.bounds.get(BOUNDED[name])) is not None:
                rows.append([label, bound_text(name, known), ""])
            continue
        bounds = final.interval(name)
        if name == "variance_ratio" and bounds is not None:
            shown = f"[{percent(bounds[0])}, {percent(bounds[1])}]"
        elif name in ("mae", "rmse") and bounds is not None:
            shown = f"[{number(bounds[0])}, {number(bounds[1])}]"
        else:
            shown = interval(bounds, 3 if name == "r2" else 2)
        rows.append([label, show(value), shown])
    if isinstance(loss, int | float) and not isinstance(loss, bool):
        rows.append(["loss", number(float(loss), 5), ""])
    return rows


def build(page: Page) -> Section | Omitted:
    """A table of the final figures and what their intervals rest on."""
    final = page.analysis.final
    if final is None:
        return Omitted(title=TITLE, reason="no predictions, no metrics file and no epoch with metrics")
    rows = _rows(page)
    if not rows:
        return Omitted(title=TITLE, reason="none of R², r, std ratio, bias, MAE or RMSE is known")
    n = f", n = {final.n}" if final.n is not None else ""
    blocks: list[Block] = [table([f"{final.split} set{n}", "value", "95 % interval"], rows)]
    blocks.append(Paragraph(text=" ".join(_basis(page))))
    return Section(id="results", title=TITLE, blocks=tuple(blocks))


def _basis(page: Page) -> list[str]:
    final = page.analysis.final
    if final is None:
        return []
    said = [BASIS[final.basis].format(epoch=epoch(final.epoch))]
    derived = [
        label
        for name, label in (("pearson_r", "r"), ("bias", "β"), ("calibration_slope", "b"), ("variance_ratio", "α"))
        if name in final.derived
    ]
    if derived:
        verb = "follows" if len(derived) == 1 else "follow"
        said.append(f"{listing(derived)} {verb} from the published R², ratio and means, and carry their rounding.")
    told = any("worth" in caveat for caveat in final.caveats)  # said there already, and of what
    if not told and final.effective_n is not None and final.n is not None and final.effective_n < 0.95 * final.n:
        said.append(
            f"Neighbouring rows repeat each other: these {final.n} are worth {final.effective_n:.0f} independent ones "
            "for the correlation."
        )
    if final.group_column is not None and final.n_groups is not None:
        groups = f"The rows are grouped by {code(final.group_column)} ({plural(final.n_groups, 'group')})"
        said.append(f"{groups}: the intervals take them whole." if final.n_groups > 1 else f"{groups}.")
    if any(key in final.bounds for key in BOUNDED.values()):
        said.append("r and β are not known; the bounds follow from R² and the std ratio (β² = 2rα - α² - R², |r| ≤ 1).")
    said += [sentence(c) for c in final.caveats]
    return said
