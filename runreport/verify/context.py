"""What a sentence stands under: whose page it is, which run a heading or a lead-in names, whether it speaks of plans."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from runreport.verify.page import Heading, Page
from runreport.verify.tokens import Lexicon, Token
from runreport.verify.vocabulary import HYPOTHETICAL_HEADING

COMPARED_WITH = re.compile(
    r"\b(?:than|vs\.?|versus|to|from|against|match(?:es|ed|ing)?|beats?|beating|like|as|over|unlike|outperform\w*|and|or|see|"
    r"compared with|comparison with|alongside|beside|behind|ahead of|after|before|without|excluding|except(?: for)?|"
    r"apart from|other than|but)\s+(?:the\s+)?$",
    re.IGNORECASE,
)
"""Words before a run that make it what the subject is compared with, not the subject."""


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """Which runs a number can be of.

    certain
        Whether it is exactly this one; else it may be any of them, and nothing is held against it.
    why
        Why no run is known, where ``runs`` is empty.
    """

    runs: tuple[str, ...]
    certain: bool
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """The run that a page is about, or why that is not known."""

    run: str | None
    why: str = ""


def subject_of(page: Page, lexicon: Lexicon, runs: Sequence[str], file_stem: str, given: str | None) -> Subject:
    """The run named on the command line, else in the page's title, else by its file's name, else the only one there is."""
    if given is not None:
        return Subject(run=given)
    title = lexicon.tokens(page.title)
    named = mentions(page.title, title)
    if len(named.subjects) == 1:
        return Subject(run=named.subjects[0])
    others = [t.key for t in title if t.kind == "other-run" and t.key.startswith(("run", "experiment", "exp", "trial"))]
    if others and not named.subjects:
        return Subject(run=None, why=f"the page's title names {others[0]!r}, which is no run of these logs")
    if len(named.subjects) > 1:
        return Subject(run=None, why="the page's title names several runs")
    if file_stem in runs:
        return Subject(run=file_stem)
    if len(runs) == 1:
        return Subject(run=runs[0])
    return Subject(run=None, why="the page does not say which run it is about (name it with --run)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mentions:
    """Runs that a text names: its subjects, and those it compares them with."""

    subjects: tuple[str, ...]
    compared: tuple[str, ...]

    @property
    def all(self) -> tuple[str, ...]:
        """Both, each once."""
        return tuple(dict.fromkeys((*self.subjects, *self.compared)))


def mentions(text: str, tokens: Iterable[Token]) -> Mentions:
    """The runs named in a text."""
    subjects: list[str] = []
    compared: list[str] = []
    for token in tokens:
        if token.kind == "run":
            after = COMPARED_WITH.search(text[: token.start])
            (compared if after else subjects).append(token.key)
    return Mentions(
        subjects=tuple(dict.fromkeys(subjects)), compared=tuple(r for r in dict.fromkeys(compared) if r not in subjects)
    )


def hypothetical_heading(headings: Sequence[Heading]) -> Heading | None:
    """The heading that says that what follows is wished or planned; the page's title does not count."""
    return next((h for h in headings if h.level > 1 and HYPOTHETICAL_HEADING.search(h.text)), None)


def about(
    text: str,
    tokens: Sequence[Token],
    lead: str,
    headings: Sequence[Heading],
    subject: Subject,
    lexicon: Lexicon,
    before: str = "",
) -> About:
    """Which runs a sentence is about: those it names, else those of its lead-in, of its headings, of the page.

    before
        What precedes it in its paragraph: where that has another run for its subject, "its R²" may be that run's.
    """
    own = mentions(text, tokens)
    if len(own.subjects) == 1 and not own.compared:
        return About(runs=own.subjects, certain=True)
    if own.subjects:
        return About(runs=own.all, certain=False)
    unknown = next((t for t in tokens if t.kind == "other-run"), None)
    around = _around(lead, headings, subject, lexicon)
    if own.compared:
        return About(runs=tuple(dict.fromkeys((*around.runs, *own.compared))), certain=False)
    if unknown is not None:
        return About(runs=around.runs, certain=False, why=around.why)
    earlier = list(mentions(before, lexicon.tokens(before)).subjects) if before else []
    # A name that is a word as well is none of the tokens where it is spelt with a capital.
    earlier += [
        n for n, _ in lexicon.runs if n.isalpha() and n.islower() and n.capitalize() in f"{before} {text}".split()
    ]
    named = tuple(r for r in dict.fromkeys(earlier) if r not in around.runs)
    return About(runs=(*around.runs, *named), certain=False) if named else around


def _around(lead: str, headings: Sequence[Heading], subject: Subject, lexicon: Lexicon) -> About:
    default = () if subject.run is None else (subject.run,)
    for place in (lead, *(h.text for h in reversed(headings))):
        if not place:
            continue
        tokens = lexicon.tokens(place)
        found = mentions(place, tokens)
        if len(found.subjects) == 1:
            return About(runs=found.subjects, certain=not found.compared)
        if found.all:
            return About(runs=tuple(dict.fromkeys((*default, *found.all))), certain=False)
        if any(t.kind == "other-run" for t in tokens):
            return About(runs=default, certain=False, why=f"{place!r} is about something else than a run of these logs")
    return About(runs=default, certain=bool(default), why=subject.why)
