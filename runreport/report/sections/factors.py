"""What a setting changes, over seeds: the answer in a sentence, then the levels, the differences and what they rest on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from runreport.marks import clean, code, strong
from runreport.report.model import Block, Bullets, ChartGroup, Figure, Paragraph, Section, Table, table
from runreport.report.sections.factor_sentences import NAMES, WORDS, answers, budget_answer, figure, trend_sentences
from runreport.wording import fixed, interval, listing, number, plural

if TYPE_CHECKING:
    from runreport.compare.design import Contrast, Design, Effect, Estimate, Factor, Summary
    from runreport.compare.record import Comparison

MOST_LEVELS = 20
"""Levels written out a factor; the JSON holds all."""
MOST_NAMED = 6
"""Runs or settings named in a sentence; the JSON holds all."""
SCORES = ("r2", "variance_ratio", "pearson_r", "bias")
BUDGET = ("missing_information", "wrong_spread", "wrong_mean")


def factor_sections(comparison: Comparison, figures: Mapping[int, Figure | ChartGroup] | None = None) -> list[Section]:
    """A section a factor (``figures``: the factor's position -> its chart); none without a design."""
    return [
        Section(
            id=f"factor-{i + 1}",
            title=f"What {factor_name(effect.factor)} changed",
            blocks=tuple(effect_blocks(effect, comparison, (figures or {}).get(i))),
        )
        for i, effect in enumerate(comparison.effects)
    ]


def effect_blocks(effect: Effect, comparison: Comparison, figure: Figure | ChartGroup | None = None) -> list[Block]:
    """The answer, the chart, the levels, the differences with their noise, and what was left out."""
    blocks: list[Block] = [Paragraph(text=text) for text in answers(effect)]
    if figure is not None:
        blocks.append(figure)
    blocks.append(levels_table((effect,)))
    design = comparison.design
    missing = _without_r2(effect.factor, None if isinstance(design, str) else design.split)
    if missing:
        blocks.append(Paragraph(text=missing))
    blocks += [differences_table(effect, SCORES), Paragraph(text=noise_sentence(effect))]
    blocks += [Paragraph(text=budget_answer(effect)), differences_table(effect, BUDGET)]
    trends = trend_sentences(effect)
    if trends:
        blocks.append(Bullets(items=tuple(trends)))
    blocks += [Paragraph(text=text) for text in (sampling_sentence(effect), *_alone(effect.factor)) if text]
    if not isinstance(design, str) and comparison.effects[0] is effect:
        blocks += [Paragraph(text=text) for text in design_notes(design)]
    return blocks


def factor_name(factor: Factor) -> str:
    """The setting, or the settings that were varied together.

    >>> from runreport.compare.design import Factor
    >>> from runreport.marks import plain
    >>> plain(factor_name(Factor(keys=("a", "b", "c"), levels=(), numeric=False, balanced=True)))
    'a with b and c'
    """
    first, *rest = (code(key) for key in factor.keys)
    return f"{first} with {listing(rest, most=MOST_NAMED)}" if rest else first


def levels_table(effects: tuple[Effect, ...]) -> Table:
    """A row a level: its runs, and mean ± standard deviation over seeds, with the range of R²."""
    rows = []
    alone = len(effects) == 1
    for effect in effects:
        shown = list(zip(effect.factor.levels, effect.summaries, strict=True))[:MOST_LEVELS]
        for level, summaries in shown:
            known = len(level.runs) - len(level.without_r2)
            counted = str(len(level.runs)) if known == len(level.runs) else f"{len(level.runs)} ({known} with R²)"
            r2 = summaries.get("r2")
            rows.append(
                [
                    clean(level.label) if alone else f"{clean(effect.factor.keys[0])}: {clean(level.label)}",
                    counted,
                    _mean(r2, 3),
                    f"{fixed(r2.lowest, 3)} to {fixed(r2.highest, 3)}" if r2 is not None else "n/a",
                    *(_mean(summaries.get(metric), 2) for metric in ("variance_ratio", "pearson_r", "bias")),
                ]
            )
    return table(["level" if alone else "setting: level", "runs", "R²", "range of R²", "std ratio α", "r", "β"], rows)


def differences_table(effect: Effect, metrics: tuple[str, ...]) -> Table:
    """A row a later level against the first: each metric's change and interval, those told from noise set off."""
    rows = []
    for contrast in effect.contrasts[:MOST_LEVELS]:
        rows.append([_against(effect, contrast), *(_change(contrast.estimates[m]) for m in metrics)])
    return table(["change", *(NAMES[m] for m in metrics)], rows)


def noise_sentence(effect: Effect) -> str:
    """What the intervals rest on, what bold says, and what it was adjusted for."""
    known = [e for c in effect.contrasts for e in c.estimates.values() if e.interval is not None]
    reasons = dict.fromkeys(
        clean(e.reason) for c in effect.contrasts for m in ("r2", "variance_ratio") if (e := c.estimates[m]).reason
    )
    said = []
    if known:
        paired = {e.paired for e in known}
        how = {
            frozenset({True}): "paired by seed",
            frozenset({False}): "Welch, because the levels were not run with the same seeds",
        }.get(frozenset(paired), "paired by seed where the levels share seeds, else Welch")
        blocked = ", within equal values of the other settings" if _blocked(effect) else ""
        least, most = min(e.n for e in known), max(e.n for e in known)
        seeds = plural(most, "seed") if least == most else f"{least} to {most} seeds"
        said.append(f"Noise is the spread over training runs ({seeds}; Student t, {how}{blocked}).")
        count = max(sum(c.estimates[m].p_value is not None for c in effect.contrasts) for m in (*SCORES, *BUDGET))
        if count > 1:
            said.append(
                f"Bold changes are larger than it after Holm over the {count} tested changes of a metric; each interval is its "
                "own, unadjusted, and can leave 0 out where the adjusted test does not call a change."
            )
        else:
            said.append("Bold changes are larger than it.")
    if reasons:
        said.append(f"Not judged where there is no interval ({listing(list(reasons), most=3)}).")
    if not known:
        said.append("Nothing here can be called a change.")
    return " ".join(said)


def sampling_sentence(effect: Effect) -> str:
    """Whether the changes would hold on other samples of the same kind, or that this is not known."""
    here = "These conclusions are about this test set"
    if not isinstance(effect.sampling, int):
        return f"{here}: the noise of its samples was not computed ({clean(effect.sampling)})."
    every = [
        (c, m, e)
        for c in effect.contrasts
        for m in ("variance_ratio", "r2")
        if (e := c.estimates[m]).estimate is not None
    ]
    if not any(e.wide_interval for _, _, e in every):
        return (
            f"{here}: the noise of its samples says little without that over seeds, or not all runs have predictions."
        )
    start = f"Would it hold on other samples? With the noise of these {effect.sampling} added, models held fixed:"
    told = [(c, m, e) for c, m, e in every if e.told]
    if not told:
        return f"{start} the intervals are wider still, and no change was called without it."
    parts = []
    for holds, words in (
        (True, "still told from noise"),
        (False, "no longer told from noise, so true of this test set only"),
    ):
        found = [
            f"{WORDS[m]} at {_against(effect, c)} {interval(e.wide_interval, 3)}"
            for c, m, e in told
            if e.wide_interval is not None and _holds(e) is holds
        ]
        if found:
            parts.append(f"{words}: {listing(found, most=MOST_NAMED)}")
    unknown = sum(e.wide_interval is None for _, _, e in told)
    if unknown:
        parts.append(
            f"not known for {plural(unknown, 'change')}, whose runs do not all have predictions of the same samples"
        )
    return f"{start} {'; '.join(parts)}."


def design_notes(design: Design) -> list[str]:
    """Runs and settings that are no part of the design, and why."""
    said = []
    by_reason: dict[str, list[str]] = {}
    for name, why in design.left_out.items():
        by_reason.setdefault(why, []).append(clean(name))
    for why, names in by_reason.items():
        said.append(f"Left out: {listing(names, most=MOST_NAMED)} ({clean(why)}).")
    for key, why in list(design.ignored.items())[:MOST_NAMED]:
        said.append(f"{code(key)} differs too and was not looked at: {clean(why)}.")
    if len(design.ignored) > MOST_NAMED:
        said.append(f"{len(design.ignored) - MOST_NAMED} more settings differ and were not looked at (see the JSON).")
    return said


def _alone(factor: Factor) -> list[str]:
    said = []
    if len(factor.keys) > 1:
        names = listing([code(k) for k in factor.keys], most=MOST_NAMED)
        said.append(f"{names} were varied together: their effects cannot be told apart.")
    if not factor.balanced:
        said.append(
            "Not every seed was run once at every level with the other settings equal: a level's mean is of all its runs, a "
            "change is of those that can be compared, and the two can differ."
        )
    return said


def _without_r2(factor: Factor, split: str | None) -> str:
    lost = [(level, name) for level in factor.levels for name in level.without_r2]
    if not lost:
        return ""
    names = listing([f"{clean(name)} (level {clean(level.label)})" for level, name in lost], most=MOST_NAMED)
    total = sum(len(level.runs) for level in factor.levels)
    return (
        f"Of {total} runs {len(lost)} {'has' if len(lost) == 1 else 'have'} no R² on the {clean(split or 'same')} split and "
        f"{'is' if len(lost) == 1 else 'are'} in no mean and no change: {names}. What is said of their levels is said of the "
        "runs that did not fail."
    )


def _blocked(effect: Effect) -> bool:
    # A level's runs outnumber its seeds where other settings were varied as well.
    return any(level.seeds and len(level.runs) > level.seeds for level in effect.factor.levels)


def _holds(estimate: Estimate) -> bool:
    return estimate.wide_p_holm is not None and estimate.wide_p_holm < 0.05


def _against(effect: Effect, contrast: Contrast) -> str:
    levels = effect.factor.levels
    return f"{clean(levels[contrast.high].label)} against {clean(levels[contrast.low].label)}"


def _mean(summary: Summary | None, decimals: int) -> str:
    if summary is None:
        return "n/a"
    spread = f" ± {number(summary.std, 2)}" if summary.std is not None else ""
    return f"{fixed(summary.mean, decimals)}{spread}"


def _change(estimate: Estimate) -> str:
    if estimate.estimate is None:
        return "n/a"
    return strong(figure(estimate)) if estimate.told else figure(estimate)
