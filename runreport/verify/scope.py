"""What a "best" is the best of: all runs, all epochs of a run, or something that is not plain."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runreport.verify.tokens import Token
from runreport.verify.vocabulary import DELTA, HARMLESS, words

HIGHEST = words("highest largest greatest maximum max peak biggest")
LOWEST = words("lowest smallest least minimum min")
JUDGED = frozenset({"best", "worst"})
LOOSE_NAMES = {"ratio": "variance_ratio", "variance": "variance_ratio"}
"""Words that stand for the std ratio right after "lowest" or "worst", in a page whose runs log it."""
OF_RUNS = re.compile(
    r"\b(?:of|among|across|over|in|from)\s+(?:all|the|these|our|any|every)?\s*(?:\w+\s+)?runs\b|\ball runs\b|"
    r"\bof all\b|\bgold standard\b",
    re.IGNORECASE,
)
OF_EPOCHS = re.compile(r"\bof all (?:the |its |\d+ |logged )*(?:epochs?|checkpoints?)\b", re.IGNORECASE)
SUBSET = re.compile(
    r"\b(?!(?:all|the|our|any|every)\b)\w+\s+runs\b|\bof all\s+(?!(?:of\s+)?(?:(?:the|our|these)\s+)?runs\b)\w|"
    r"\b(?:these|those|both)\b|"
    r"\bruns\s+(?:with|without|that|which|whose|where|who|in|on|of|from|for|up|before|after|at|by|to|and|or)\b|"
    r"\b(?:of|among|in|from|over) the runs\b|"
    r"\bof (?:its|their|the (?!run\b|runs\b|log\b))|\bfor (?:its|their|the|a)\b|"
    r"\b(?:series|group|subset|kind|type|class)\b",
    re.IGNORECASE,
)
"""Words that may make it the best of a part of the runs."""
COUNTED_RUNS = re.compile(r"\ball\s+(?:(?:of\s+)?(?:the|our|these)\s+)?(\d+|[a-z]+)\s+runs\b", re.IGNORECASE)
COUNT_WORDS = {
    "two": 2,
    "three": 3,
    "four": 4,
    "five": 5,
    "six": 6,
    "seven": 7,
    "eight": 8,
    "nine": 9,
    "ten": 10,
    "eleven": 11,
    "twelve": 12,
}
OWN = re.compile(r"(?:\w['’]s|\bits|\btheir|\bown)\s+(?:[\w-]+\s+){0,2}$", re.IGNORECASE)
"""What stands before a "best R²" that is a run's own: the best of its epochs."""
WITHIN_A_RUN = words("epoch epochs training its checkpoint first last initial final start started starts beginning")
OF_ALL = words("all any every gold standard still")


def whole_count_blanked(text: str, tokens: Sequence[Token], runs: int) -> tuple[str, Sequence[Token]]:
    """The text and tokens with the number of "all eight runs" blanked where it counts every run; places stay as they are.

    Another number stays: "all four runs" of eight is a part of them, and which part is not plain.
    """
    counted = COUNTED_RUNS.search(text)
    if counted is None:
        return text, tokens
    said = counted[1].lower()
    count = int(said) if said.isdecimal() else COUNT_WORDS.get(said)
    if count != runs:
        return text, tokens
    start, end = counted.span(1)
    return text[:start] + " " * (end - start) + text[end:], [t for t in tokens if not start <= t.start < end]


def not_of_all_runs(start: int, text: str, tokens: Sequence[Token]) -> str:
    """Why a sentence does not plainly say which of all runs is first; empty where it does ("run2 has the highest R²")."""
    own = "whether of the run's own epochs or of all runs is not plain"
    if OWN.search(text[:start]):
        return own
    part = SUBSET.search(text)
    if part:
        return f"{part[0]!r} may make it the first of a part of the runs"
    strange = strange_word(tokens)
    if strange:
        return f"the sentence says more than could be read ({strange!r})"
    if OF_RUNS.search(text):
        return ""
    if any(t.kind == "epoch" or (t.kind == "word" and t.key in WITHIN_A_RUN) for t in tokens):
        return own
    run = next(t for t in tokens if t.kind == "run")
    after = [t for t in tokens if t.start > start]
    between = text[run.end : start] if run.start < start else ""
    if run.start < start:  # "run2 has the highest R²", and not "run2's MAE is the lowest"
        return "" if re.fullmatch(r"\s*(?:has|had|achieves|achieved|gets|got|gives|gave)\s+the\s+", between) else own
    at = after.index(run)  # "highest R²: run2", "the highest R² is run2's", and not "the highest R² of run2"
    lead = after[at - 1].key if at else ""
    return "" if lead in (":", "is", "was", "=", "has", "(") else own


def not_of_all_epochs(text: str, tokens: Sequence[Token]) -> str:
    """Why a text does not plainly say which of a run's epochs is first in a metric of the validation set."""
    strange = strange_word(tokens)
    if strange:
        return f"it says more than could be read ({strange!r})"
    delta = DELTA.search(text)
    if delta:
        return f"{delta[0]!r} makes it a difference"
    other = next((t.key for t in tokens if t.kind == "split" and t.key != "validation"), None)
    return f"the log's figures by epoch are not of the {other} set" if other else ""


def strange_word(tokens: Sequence[Token]) -> str:
    """A word that may change what is first; empty where there is none."""
    known = HARMLESS | HIGHEST | LOWEST | JUDGED | OF_ALL | LOOSE_NAMES.keys()
    return next((t.key for t in tokens if t.kind == "other-run" or (t.kind == "word" and t.key not in known)), "")
