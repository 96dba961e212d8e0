"""The sentences that answer what a factor changed: each follows from estimates and their noise, for any outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runreport.marks import clean, code, plain, strong
from runreport.wording import fixed, interval, listing, number, plural

if TYPE_CHECKING:
    from runreport.compare.design import Contrast, Effect, Estimate

NAMES = {
    "r2": "R²",
    "pearson_r": "r",
    "variance_ratio": "std ratio α",
    "bias": "β",
    "missing_information": "missing information 1 - r²",
    "wrong_spread": "wrong spread (α - r)²",
    "wrong_mean": "wrong mean β²",
}
WORDS = {
    "r2": "R²",
    "variance_ratio": "the std ratio",
    "missing_information": "missing information",
    "wrong_spread": "wrong spread",
    "wrong_mean": "wrong mean",
}
MOST_SENTENCES = 4
"""Levels answered in a sentence each where they have no order; the table holds all."""


def answers(effect: Effect) -> list[str]:
    """What the setting changed in std ratio and R²: highest against lowest level, or each level against the first."""
    if effect.factor.numeric:
        known = [c for c in effect.contrasts if c.estimates["r2"].estimate is not None]
        chosen = known[-1:]
    else:
        chosen = list(effect.contrasts[:MOST_SENTENCES])
    said = [answer(effect, contrast) for contrast in chosen]
    if not chosen:
        said = [f"No two levels of {code(effect.factor.keys[0])} have runs with R² that can be compared."]
    if effect.factor.numeric:
        top = effect.factor.levels[-1]
        if chosen and chosen[0].high != len(effect.factor.levels) - 1:
            said.append(f"No run at the highest level, {clean(top.label)}, has an R² to compare.")
        said += _between(effect, chosen)
    elif len(effect.contrasts) > MOST_SENTENCES:
        said.append(f"{plural(len(effect.contrasts) - MOST_SENTENCES, 'more level')}: see the table.")
    return said


def headline(effect: Effect) -> str:
    """The answer in a few words, for a title: of the highest level against the lowest, or of the only two."""
    known = [c for c in effect.contrasts if c.estimates["r2"].estimate is not None]
    setting = code(effect.factor.keys[0])
    if not known or not (effect.factor.numeric or len(effect.contrasts) == 1):
        return f"What {setting} changed"
    low, high = (clean(effect.factor.levels[i].label) for i in (known[-1].low, known[-1].high))
    both = {m: e for m in ("variance_ratio", "r2") if (e := known[-1].estimates[m]).estimate is not None}
    return f"{setting} from {low} to {high}: {plain(verdict(both, brief=True))}"


def answer(effect: Effect, contrast: Contrast) -> str:
    """One change: both figures with their intervals, and in words which rose, fell or was not told from noise."""
    low, high = (effect.factor.levels[i] for i in (contrast.low, contrast.high))
    setting, rest = code(effect.factor.keys[0]), effect.factor.keys[1:]
    # A joint factor's own labels name its settings already.
    named = setting if effect.factor.numeric or not rest else "the settings"
    verb = "raised" if effect.factor.numeric else "changed"
    ratio, r2 = contrast.estimates["variance_ratio"], contrast.estimates["r2"]
    both = [(m, e) for m, e in (("variance_ratio", ratio), ("r2", r2)) if e.estimate is not None]
    start = f"With {named} {verb} from {clean(low.label)} to {clean(high.label)}"
    if not both:
        return f"{start}: not compared ({clean(r2.reason or 'no figures')})."
    # "Differed" is what the means did; whether the setting changed anything is what the verdict says.
    changes = [f"{WORDS[m]}{'' if place else ' differed'} by {figure(e)}" for place, (m, e) in enumerate(both)]
    return f"{start}, {listing(changes)} over {_over(r2 if r2.estimate is not None else ratio)}: {verdict(dict(both))}."


def verdict(estimates: dict[str, Estimate], *, brief: bool = False) -> str:
    """What may be called a change, in words; ``brief`` leaves out what an undetected change can still be.

    A figure without an interval is judged neither way; one whose interval holds 0 is "not told from seed noise", and the
    interval says what is left possible.
    """
    parts = []
    for metric, e in estimates.items():
        if e.p_holm is None or e.estimate is None:
            parts.append(f"whether {WORDS[metric]} changed cannot be judged ({clean(e.reason or 'no noise known')})")
        elif e.told:
            parts.append(strong(f"{WORDS[metric]} {'rose' if e.estimate > 0 else 'fell'}"))
        else:
            parts.append(strong(f"no change of {WORDS[metric]} was detected") + ("" if brief else _possible(e)))
    if len(parts) == 2 and all(e.p_holm is None for e in estimates.values()):
        reasons = dict.fromkeys(clean(e.reason or "no noise known") for e in estimates.values())
        return f"whether either changed cannot be judged ({listing(list(reasons))})"
    told = {m: e for m, e in estimates.items() if e.told}
    joint = " and " if len(told) in (0, 2) else ", "
    return joint.join(parts)


def budget_answer(effect: Effect) -> str:
    """Through which terms of 1 - R² the last of the changes came."""
    known = [c for c in effect.contrasts if c.estimates["missing_information"].estimate is not None]
    if not known:
        return "The error budget of these runs is not known, so the change has no parts."
    contrast = known[-1]
    low, high = (clean(effect.factor.levels[i].label) for i in (contrast.low, contrast.high))
    terms = [(m, contrast.estimates[m]) for m in ("missing_information", "wrong_spread", "wrong_mean")]
    told = [
        f"{WORDS[m]} {'rose' if (e.estimate or 0) > 0 else 'fell'} by {figure(e, absolute=True)}"
        for m, e in terms
        if e.told
    ]
    rest = [WORDS[m] for m, e in terms if not e.told and e.p_holm is not None]
    unjudged = [WORDS[m] for m, e in terms if e.p_holm is None]
    said = []
    if told:
        said.append(listing(told))
    if rest:
        said.append(f"no change of {listing(rest, 'or')} was detected")
    if unjudged:
        said.append(f"a change of {listing(unjudged, 'or')} cannot be judged")
    return f"In the parts of 1 - R² = (1 - r²) + (α - r)² + β², {high} against {low}: {'; '.join(said)}."


def trend_sentences(effect: Effect) -> list[str]:
    """Over ordered levels: the mean change from one level to the next."""
    said = []
    for metric in ("variance_ratio", "r2"):
        e = effect.trends.get(metric)
        if e is None:
            continue
        if e.estimate is None or e.p_value is None:
            said.append(
                f"Trend of {WORDS[metric]} over the levels: not tested ({clean(e.reason or 'no noise known')})."
            )
            continue
        p = "< 0.001" if e.p_value < 0.001 else f"= {number(e.p_value, 2)}"
        found = ("a rising trend" if e.estimate > 0 else "a falling trend") if e.told else "no trend detected"
        said.append(
            f"Over the {len(effect.factor.levels)} levels in order, {WORDS[metric]} changed by {figure(e)} from one level to the "
            f"next on average (slope over ranks, p {p}): {found}."
        )
    return said


def figure(e: Estimate, *, absolute: bool = False) -> str:
    """An estimate with sign and interval; ``absolute``: the size of a change whose direction the sentence says."""
    if e.estimate is None:
        return "n/a"
    flip = -1.0 if absolute and e.estimate < 0 else 1.0
    value = fixed(flip * e.estimate, 3)
    bounds = e.interval if e.interval is None or flip > 0 else (-e.interval[1], -e.interval[0])
    shown = value if absolute or float(value) <= 0 else f"+{value}"
    return f"{shown} {interval(bounds, 3)}".rstrip()


def _possible(e: Estimate) -> str:
    """What an undetected change can still be."""
    if e.interval is None:
        return ""
    if e.interval[0] > 0 or e.interval[1] < 0:
        return " after adjustment for the number of levels"
    return f" (it may lie anywhere from {fixed(e.interval[0], 3)} to {fixed(e.interval[1], 3)})"


def _over(e: Estimate) -> str:
    if e.paired:
        return plural(e.n, "seed")
    return f"{plural(e.n, 'run')} or more a level"


def _between(effect: Effect, chosen: list[Contrast]) -> list[str]:
    """The levels between that are told from the first, where the highest alone would hide them."""
    inner = [c for c in effect.contrasts if c not in chosen]
    said = []
    for metric in ("variance_ratio", "r2"):
        up = [
            clean(effect.factor.levels[c.high].label)
            for c in inner
            if (e := c.estimates[metric]).told and (e.estimate or 0) > 0
        ]
        down = [
            clean(effect.factor.levels[c.high].label)
            for c in inner
            if (e := c.estimates[metric]).told and (e.estimate or 0) < 0
        ]
        parts = [f"higher at {listing(up)}"] if up else []
        parts += [f"lower at {listing(down)}"] if down else []
        if parts:
            first = clean(effect.factor.levels[0].label)
            said.append(f"{WORDS[metric]} was {' and '.join(parts)} than at {first}")
    if not inner:
        return []
    if not said:
        return ["No level between differs from the lowest by more than its noise, in std ratio or R²."]
    text = "; ".join(said)
    return [f"Between them, {text}."]
