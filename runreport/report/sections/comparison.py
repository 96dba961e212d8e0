"""A run beside the others of the same call."""

from __future__ import annotations

from collections.abc import Mapping

from runreport.compare.record import Best, Comparison
from runreport.context import Final
from runreport.marks import clean, code, strong
from runreport.report.model import Block, Bullets, Omitted, Paragraph, Section, Table, table
from runreport.report.sections.page import Page
from runreport.report.sections.results import BOUNDED, bound_text
from runreport.wording import fixed, interval, listing, number, percent, setting

TITLE = "Comparison with the other runs"
NAMES = {"r2": "R²", "pearson_r": "correlation r", "mae": "MAE", "rmse": "RMSE", "bias": "|bias β|"}
MOST_PAIRS = 15
"""Pairs written out: six runs' worth; the JSON holds all."""
MOST_KEYS = 12
"""Settings written out of those that differ."""


def build(page: Page) -> Section | Omitted:
    """The runs' table, which is best in what, and what changed between them."""
    comparison = page.comparison
    if comparison is None or len(comparison.finals) < 2:
        return Omitted(title=TITLE, reason="no other run was given")
    return Section(
        id="comparison", title=TITLE, blocks=tuple(comparison_blocks(comparison, here=page.analysis.run.name))
    )


def comparison_blocks(comparison: Comparison, here: str | None = None) -> list[Block]:
    """Table, best of each metric, paired differences, and config differences; for one run's report (only the pairs
    with ``here``) or for a comparison of its own (all)."""
    blocks: list[Block] = [runs_table(comparison, here), Paragraph(text=standing(comparison))]
    best = [best_sentence(b, comparison) for b in comparison.best]
    if best:
        blocks.append(Bullets(items=tuple(best)))
    blocks += _pairs(comparison, here)
    blocks += _configs(comparison)
    return blocks


def runs_table(comparison: Comparison, here: str | None) -> Table:
    """A row a run: R², std ratio, spread, r, β, MAE; the best value of a metric stands out."""
    best = {b.metric: b.run for b in comparison.best}

    def shown(name: str, final: Final | None, metric: str, text: str) -> str:
        value = final[metric] if final is not None else None
        if value is None:
            known = final.bounds.get(BOUNDED[metric]) if final is not None and metric in BOUNDED else None
            return bound_text(metric, known) if known is not None else ""
        return strong(text) if best.get(metric) == name else text

    rows = []
    for name, final in comparison.finals.items():
        get: Mapping[str, float | None] = final.estimates if final is not None else {}
        label = clean(name) + (" (this run)" if name == here else "")
        rows.append(
            [
                label,
                final.split if final is not None else "",
                str(final.n) if final is not None and final.n is not None else "",
                shown(name, final, "r2", fixed(get.get("r2"), 4)),
                shown(name, final, "variance_ratio", percent(get.get("variance_ratio"))),
                shown(name, final, "pred_spread", number(get.get("pred_spread"), 3)),
                shown(name, final, "pearson_r", fixed(get.get("pearson_r"), 2)),
                shown(name, final, "bias", fixed(get.get("bias"), 2)),
                shown(name, final, "mae", number(get.get("mae"), 4)),
            ]
        )
    return table(["run", "split", "n", "R²", "std ratio", "spread", "r", "β", "MAE"], rows, left=2)


def standing(comparison: Comparison) -> str:
    """On what samples the runs stand, and whether a ranking is supported."""
    if comparison.paired is not None and comparison.refused is None:
        return (
            f"All were evaluated on the same {comparison.paired.n} samples, so differences are paired "
            f"({comparison.paired.method}; Holm over all pairs)."
        )
    where = {
        True: "All were evaluated on the same samples, but ",
        None: "Only summaries are known: ",
        False: "",
    }[comparison.same_samples]
    return (
        f"{where}{clean(comparison.refused or 'no paired test was possible')}; no ranking of these runs is supported."
    )


def best_sentence(best: Best, comparison: Comparison) -> str:
    """Which run has the best value of a metric, and which cannot be told from it."""
    name = NAMES[best.metric]
    word = "highest" if best.metric in ("r2", "pearson_r") else "lowest"
    shown = fixed(best.value, 4) if best.metric == "r2" else number(abs(best.value), 4)
    text = f"{word.capitalize()} {name}: {strong(clean(best.run))} ({shown})"
    if best.tied is None:
        return f"{text}."
    others = [clean(n) for n in comparison.names if n != best.run]
    tied = [clean(n) for n in best.tied]
    if not tied:
        return f"{text}, better than {'the other' if len(others) == 1 else 'every other run'} beyond noise."
    if len(tied) == len(others):
        return f"{text}, but {'no other run is' if len(others) > 1 else 'the other is not'} shown to be worse."
    return f"{text}; {listing(tied)} cannot be told from it."


def _pairs(comparison: Comparison, here: str | None) -> list[Block]:
    paired = comparison.paired
    if paired is None or comparison.refused is not None:
        return []
    rows, detectable = [], []
    for d in paired.differences:
        if d.metric != "r2" or (here is not None and here not in (d.first, d.second)):
            continue
        told = "" if d.p_holm is None else ("yes" if d.p_holm < 0.05 else "no")
        bounds = interval((d.lo, d.hi), 3) if d.lo is not None and d.hi is not None else (d.reason or "")
        p = "" if d.p_holm is None else ("< 0.001" if d.p_holm < 0.001 else number(d.p_holm, 2))
        rows.append([f"{clean(d.second)} - {clean(d.first)}", fixed(d.estimate, 3), bounds, p, told])
        if d.minimum_detectable is not None:
            detectable.append(d.minimum_detectable)
    if not rows:
        return []
    header = ["difference", "ΔR²", "95 % interval", "p (Holm)", "told apart?"]
    blocks: list[Block] = [table(header, rows[:MOST_PAIRS])]
    if detectable:
        low, high = fixed(min(detectable), 3), fixed(max(detectable), 3)
        size = low if low == high else f"{low} to {high}"
        blocks.append(Paragraph(text=f"Smallest ΔR² that these samples would detect (80 % power): {size}."))
    return blocks


def _configs(comparison: Comparison) -> list[Block]:
    differing = comparison.config_differences
    blocks: list[Block] = []
    runs = [n for n in comparison.names if n not in comparison.without_config]
    if differing and len(runs) > 1:
        keys = list(differing)
        rows = [[code(k), *(_setting(differing[k].get(n)) for n in runs)] for k in keys[:MOST_KEYS]]
        blocks.append(table(["setting", *(clean(n) for n in runs)], rows, left=1 + len(runs)))
        more = f" ({len(keys) - MOST_KEYS} more in the JSON)" if len(keys) > MOST_KEYS else ""
        if len(keys) == 1:
            said = (
                f"{code(keys[0])} is the only setting that differs; with one seed each, its effect is not separated "
                "from the seed's."
            )
        else:
            said = (
                f"{len(keys)} settings differ{more}: a difference between these runs is association, and no cause can "
                "be named."
            )
        blocks.append(Paragraph(text=said))
    elif len(runs) > 1:
        blocks.append(Paragraph(text="Their configs do not differ."))
    if comparison.without_config:
        verb = "is" if len(comparison.without_config) == 1 else "are"
        blocks.append(
            Paragraph(text=f"The config of {listing([clean(n) for n in comparison.without_config])} {verb} not known.")
        )
    for group in comparison.seed_groups:
        names = listing([clean(n) for n in group.runs], most=6)
        if group.interquartile_mean is not None:
            blocks.append(
                Paragraph(
                    text=f"{names} differ in their seed only: R² {fixed(group.interquartile_mean, 3)} "
                    f"{interval(group.interval, 3)} (interquartile mean of {len(group.r2)} seeds)."
                )
            )
        else:
            blocks.append(
                Paragraph(
                    text=f"{names} differ in their seed only; {len(group.runs)} seeds are too few for a spread over seeds."
                )
            )
    return blocks


def _setting(value: object) -> str:
    return clean(setting(value))
