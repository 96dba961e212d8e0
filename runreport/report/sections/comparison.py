"""A run beside the others of the same call."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from runreport.context import Final
from runreport.marks import clean, code, plain, strong
from runreport.report.model import Block, Bullets, ChartGroup, Fold, Omitted, Paragraph, Section, Table, table
from runreport.report.sections.factor_sentences import answers
from runreport.report.sections.factors import factor_name, levels_table
from runreport.report.sections.page import Page
from runreport.report.sections.results import BOUNDED, bound_text
from runreport.wording import fixed, interval, listing, number, percent, plural, setting

if TYPE_CHECKING:
    from runreport.compare.record import Best, Comparison

TITLE = "Comparison with the other runs"
NAMES = {"r2": "R²", "pearson_r": "correlation r", "mae": "MAE", "rmse": "RMSE", "bias": "|bias β|"}
MOST_PAIRS = 15
"""Pairs written out: six runs' worth; the JSON holds all."""
MOST_KEYS = 12
"""Settings written out of those that differ."""
MOST_COLUMNS = 8
"""Runs whose settings stand side by side: more columns do not fit a page."""
EXTREMES = 3
"""Runs of a large design shown at either end of R²: its runs are read by setting, and the JSON holds each."""


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
    with ``here``) or for a comparison of its own, whose pairs and settings are sections of their own. Runs of a large
    design stand by setting, not one by one."""
    blocks: list[Block] = []
    if comparison.large:
        if here is not None:
            blocks += [Paragraph(text=text) for text in design_sentences(comparison)]
            blocks += [Paragraph(text=text) for effect in comparison.effects for text in answers(effect)]
            blocks.append(levels_table(comparison.effects))
        blocks.append(Paragraph(text=standing(comparison)))
        blocks += _extremes(comparison, here)
        return blocks
    blocks += [runs_table(comparison, here), Paragraph(text=standing(comparison))]
    best = [best_sentence(b, comparison) for b in comparison.best]
    if best:
        blocks.append(Bullets(items=tuple(best)))
    pairs, configs = pair_blocks(comparison, here), config_blocks(comparison)
    if here is None:
        return blocks
    # Beside other runs, a run's own page says who is best; who was told from whom, and what differed, is on request.
    blocks += [Fold(summary="Differences to the other runs, pair by pair", blocks=tuple(pairs))] if pairs else []
    blocks += [Fold(summary="Settings that differ", blocks=tuple(configs))] if configs else []
    return blocks


def comparison_sections(comparison: Comparison, charts: ChartGroup | None = None) -> list[Section]:
    """The sections of a comparison of its own: the runs, their charts, their differences, their settings."""
    sections = [Section(id="comparison", title="The runs", blocks=tuple(comparison_blocks(comparison)))]
    if charts is not None:
        sections.append(Section(id="courses", title="Courses and final predictions", blocks=(charts,)))
    if comparison.large:
        return sections
    pairs, configs = pair_blocks(comparison, None), config_blocks(comparison)
    if pairs:
        sections.append(Section(id="pairs", title="Differences, pair by pair", blocks=tuple(pairs)))
    if configs:
        sections.append(Section(id="settings", title="Settings", blocks=tuple(configs)))
    return sections


def comparison_title(comparison: Comparison) -> str:
    """What can be said of the runs' R² in a line: who is best beyond noise, who cannot be told apart, or that no ranking is
    supported."""
    count = plural(len(comparison.names), "run")
    best = next((b for b in comparison.best if b.metric == "r2"), None)
    if best is None or best.tied is None or comparison.large:
        names = listing([clean(n) for n in comparison.names], most=6)
        return f"Comparison of {names}" + ("" if comparison.large else ": no ranking by R² is supported")
    score = f"Highest R² of {count}: {clean(best.run)} ({fixed(best.value, 2)})"
    if best.alone:
        return f"{score}, beyond noise"
    tied = listing([clean(n) for n in (*best.tied, *best.untested)], most=4)
    return f"{score}, but not shown to be better than {tied}"


def design_sentences(comparison: Comparison) -> list[str]:
    """Which settings the runs vary, with how many levels and seeds; nothing where they form no design."""
    design = comparison.design
    if isinstance(design, str):
        return []
    parts = [f"{factor_name(f)} ({plural(len(f.levels), 'level')})" for f in design.factors]
    seeds = {place.replicate for place in design.places.values()} - {None}
    with_seeds = f", with {plural(len(seeds), 'seed')}" if seeds else "; their seeds are not known"
    return [f"{plural(len(design.places), 'run')} vary {listing(parts)}{with_seeds}."]


def _extremes(comparison: Comparison, here: str | None) -> list[Block]:
    """The runs with the highest and lowest R² and those without one; the rest is counted."""
    scored = [(name, f["r2"]) for name, f in comparison.finals.items() if f is not None and f["r2"] is not None]
    order = [name for name, _ in sorted(scored, key=lambda pair: -(pair[1] or 0.0))]
    lost = [name for name in comparison.names if name not in order]
    ends = [*order[:EXTREMES], *order[EXTREMES:][-EXTREMES:]]
    if here is not None and here not in ends and here not in lost:
        ends.append(here)
    chosen = {*ends, *lost[:EXTREMES]}
    rest = len(comparison.finals) - len(chosen)
    said = f"Single runs: the {EXTREMES} with the highest and the {EXTREMES} with the lowest R²"
    if lost:
        said += f", and {min(len(lost), EXTREMES)} of {len(lost)} without one"
    said += f"; {plural(rest, 'other is', 'others are')} in the JSON." if rest else "."
    return [Paragraph(text=said), runs_table(comparison, here, only=[n for n in (*order, *lost) if n in chosen])]


def runs_table(comparison: Comparison, here: str | None, only: Sequence[str] | None = None) -> Table:
    """A row a run: R², std ratio, spread, r, β, MAE; a best value that was told from all others stands out. A large
    design has a row a level instead, unless runs are asked for by name (``only``)."""
    if comparison.large and only is None:
        return levels_table(comparison.effects)
    best = {b.metric: b.run for b in comparison.best if b.alone}

    def shown(name: str, final: Final | None, metric: str, text: str) -> str:
        value = final[metric] if final is not None else None
        if value is None:
            known = final.bounds.get(BOUNDED[metric]) if final is not None and metric in BOUNDED else None
            return bound_text(metric, known) if known is not None else ""
        return strong(text) if best.get(metric) == name else text

    rows = []
    for name in comparison.names if only is None else only:
        final = comparison.finals[name]
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
    header = ["run", "split", "n", "R²", "std ratio", "spread", "r", "β", "MAE"]
    return table(header, rows, left=2, sortable=True)


def standing(comparison: Comparison) -> str:
    """On what samples the runs stand, and whether a ranking is supported."""
    by_reason: dict[str, list[str]] = {}
    for name, why in comparison.unpaired.items():
        by_reason.setdefault(why, []).append(clean(name))
    left = "".join(f" Not paired: {listing(names, most=6)} ({clean(why)})." for why, names in by_reason.items())
    count = len(comparison.names) - len(comparison.unpaired)
    who = "All" if not comparison.unpaired else f"{count} of {len(comparison.names)} runs"
    if comparison.large:
        same = "All were evaluated on the same samples. " if comparison.same_samples else ""
        return (
            f"{same}So many runs are compared by setting, over seeds; single runs are not ranked, because the best of many "
            f"is best by luck as well.{left}"
        )
    if comparison.paired is not None and comparison.refused is None:
        return (
            f"{who} were evaluated on the same {comparison.paired.n} samples, so differences are paired "
            f"({comparison.paired.method}; Holm over all pairs).{left}"
        )
    where = {
        True: f"{who} were evaluated on the same samples, but ",
        None: "Only summaries are known: ",
        False: "",
    }[comparison.same_samples]
    return f"{where}{clean(comparison.refused or 'no paired test was possible')}; no ranking of these runs is supported.{left}"


def best_sentence(best: Best, comparison: Comparison) -> str:
    """Which run has the best value of a metric, and which cannot be told from it."""
    name = NAMES[best.metric]
    word = "highest" if best.metric in ("r2", "pearson_r") else "lowest"
    shown = fixed(best.value, 4) if best.metric == "r2" else number(abs(best.value), 4)
    text = f"{word.capitalize()} {name}: {strong(clean(best.run))} ({shown})"
    if best.tied is None:
        return f"{text}; not tested against the others."
    beside = f" Not tested against it: {listing([clean(n) for n in best.untested], most=6)}." if best.untested else ""
    others = [
        n for n in comparison.names if n != best.run and n not in best.untested and _has(comparison, n, best.metric)
    ]
    tied = [clean(n) for n in best.tied]
    if not tied:
        whom = "the other" if len(others) == 1 else "every other run"
        if best.untested:
            whom = listing([clean(n) for n in others], most=6)
        return f"{text}, better than {whom} beyond noise.{beside}"
    if len(tied) == len(others):
        if best.untested:
            return (
                f"{text}, but {listing(tied, 'or')} {'is' if len(tied) == 1 else 'are'} not shown to be worse.{beside}"
            )
        return f"{text}, but {'no other run is' if len(others) > 1 else 'the other is not'} shown to be worse."
    return f"{text}; {listing(tied)} cannot be told from it.{beside}"


def _has(comparison: Comparison, name: str, metric: str) -> bool:
    final = comparison.finals[name]
    return final is not None and final[metric] is not None


def pair_blocks(comparison: Comparison, here: str | None) -> list[Block]:
    """R² of each pair, with its interval and whether the two were told apart; nothing without a paired test."""
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
    blocks: list[Block] = [table(header, rows[:MOST_PAIRS], sortable=True)]
    if len(rows) > MOST_PAIRS:
        blocks.append(Paragraph(text=f"{plural(len(rows) - MOST_PAIRS, 'more pair')}: see the JSON."))
    if len(paired.names) > 2:
        blocks.append(
            Paragraph(
                text="Each interval is its pair's own, unadjusted; p and the verdict are adjusted for all pairs (Holm), so an "
                "interval may leave 0 out where the two are not told apart."
            )
        )
    if detectable:
        low, high = fixed(min(detectable), 3), fixed(max(detectable), 3)
        size = low if low == high else f"{low} to {high}"
        blocks.append(Paragraph(text=f"Smallest ΔR² that these samples would detect (80 % power): {size}."))
    return blocks


def config_blocks(comparison: Comparison) -> list[Block]:
    """The settings that differ side by side, and what that allows to be said."""
    differing = comparison.config_differences
    blocks: list[Block] = []
    runs = [n for n in comparison.names if n not in comparison.without_config]
    if differing and len(runs) > 1:
        keys = list(differing)
        columns = runs[:MOST_COLUMNS]
        rows = [[code(k), *_marked([_setting(differing[k], n) for n in columns])] for k in keys[:MOST_KEYS]]
        blocks.append(table(["setting", *(clean(n) for n in columns)], rows, left=1 + len(columns)))
        if len(columns) < len(runs):
            blocks.append(
                Paragraph(text=f"The settings of {plural(len(runs) - len(columns), 'more run')} are in the JSON.")
            )
        more = f" ({len(keys) - MOST_KEYS} more in the JSON)" if len(keys) > MOST_KEYS else ""
        odd = any(cell != plain(cell) for row in rows for cell in row[1:])
        if comparison.effects:
            said = (
                f"{len(keys)} settings differ{more}."
                if len(keys) > 1
                else f"{code(keys[0])} is the only setting that differs."
            )
            said += " What each changed over seeds is said apart."
        elif len(keys) == 1:
            said = (
                f"{code(keys[0])} is the only setting that differs; with one seed each, its effect is not separated "
                "from the seed's."
            )
        else:
            said = (
                f"{len(keys)} settings differ{more}: a difference between these runs is association, and no cause can "
                "be named."
            )
        blocks.append(Paragraph(text=said + (" Bold: other than most of these runs." if odd else "")))
    elif len(runs) > 1:
        blocks.append(Paragraph(text="The settings that more than one of their configs give do not differ."))
    if comparison.without_config:
        what, verb = ("config", "is") if len(comparison.without_config) == 1 else ("configs", "are")
        blocks.append(
            Paragraph(
                text=f"The {what} of {listing([clean(n) for n in comparison.without_config], most=6)} {verb} not known."
            )
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


def _marked(cells: list[str]) -> list[str]:
    """The cells of a setting; where most runs agree, those that do not stand out."""
    most = max(cells, key=cells.count)
    if cells.count(most) <= len(cells) / 2:
        return cells
    return [cell if cell == most else strong(cell) for cell in cells]


def _setting(values: Mapping[str, object], run: str) -> str:
    return clean(setting(values[run])) if run in values else "not known"
