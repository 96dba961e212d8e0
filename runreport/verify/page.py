"""A Markdown page as prose, tables and code, each with its line, its headings and what leads in to it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markdown_it.token import Token

DATA_FENCES = ("", "text", "txt", "console", "output", "log", "results")
"""Fences whose lines are read as ``name: value`` lines; any other language is code, whose numbers claim nothing."""
LONGEST_SENTENCE = 2000
"""Characters of a sentence that is read: a longer one was not written for a reader, and searching it takes its square."""
PRONOUN = re.compile(r"\b(?:it|its|this|that)\b", re.IGNORECASE)
HARD_BREAK = "\x0b"
NAME_VALUE = re.compile(r"^\s*[^\s:=][^:=]{0,40}[:=]\s*\S")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heading:
    """A heading and its line, from 1."""

    text: str
    level: int
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence (or item, or ``name: value`` line).

    headings
        The headings that it stands under, outermost first.
    lead
        The sentence that leads in to the list it is an item of ("Run 1 achieved:"); empty where there is none.
    whole
        The whole paragraph or item that it is of.
    previous
        The paragraph or item before that, under the same heading.
    """

    text: str
    line: int
    headings: tuple[Heading, ...] = ()
    lead: str = ""
    whole: str = ""
    previous: str = ""
    is_heading: bool = False

    @property
    def before(self) -> str:
        """What a pronoun of this sentence can stand for: what precedes it in its paragraph, else the paragraph before.

        Without a pronoun, only the former.
        """
        own = self.whole.partition(self.text)[0].strip() if self.text else ""
        return own or (self.previous if PRONOUN.search(self.text) else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """A row of a table and its line."""

    cells: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Grid:
    """A table; every row has as many cells as the header. ``lead``: the line before it that ends in a colon, if one does."""

    header: Row
    rows: tuple[Row, ...]
    headings: tuple[Heading, ...] = ()
    lead: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Code:
    """A fence of code or configuration."""

    language: str
    lines: tuple[str, ...]
    line: int
    headings: tuple[Heading, ...] = ()


@dataclass(slots=True)
class Page:
    """A page's parts in their order."""

    sentences: list[Sentence] = field(default_factory=list)
    grids: list[Grid] = field(default_factory=list)
    code: list[Code] = field(default_factory=list)

    @property
    def title(self) -> str:
        """The first heading of the highest level; empty where there is none."""
        tops = [s for s in self.sentences if s.is_heading]
        return tops[0].text if tops else ""


def read_page(text: str, names: Sequence[str] = ()) -> Page:
    """The parts of a Markdown text (CommonMark and GitHub's tables).

    names
        Names of runs: a sentence may start with one, in lower case too.
    """
    from markdown_it import MarkdownIt

    tokens = MarkdownIt("commonmark").enable("table").parse(text)
    return _Builder(tokens, names).build()


class _Builder:
    """Walks the tokens once, keeping the headings and the lead-in that hold where it stands."""

    def __init__(self, tokens: Sequence[Token], names: Sequence[str]) -> None:
        self.tokens, self.names = tokens, names
        self.page = Page()
        self.headings: list[Heading] = []
        self.lead = self.previous = ""
        self.depth = 0

    def build(self) -> Page:
        position = 0
        while position < len(self.tokens):
            token = self.tokens[position]
            if token.type == "table_open":
                position = self._table(position)
                continue
            if token.type in ("bullet_list_open", "ordered_list_open"):
                self.depth += 1
            elif token.type in ("bullet_list_close", "ordered_list_close"):
                self.depth -= 1
                if self.depth == 0:
                    self.lead = ""
            elif token.type == "heading_open":
                self._heading(token, self.tokens[position + 1])
            elif token.type == "inline" and self.tokens[position - 1].type == "paragraph_open":
                self._paragraph(token)
            elif token.type in ("fence", "code_block"):
                self._fence(token)
            position += 1
        return self.page

    def _heading(self, opening: Token, inline: Token) -> None:
        level, line = int(opening.tag[1]), _line(inline)
        text = plain_text(inline).replace("\n", " ").replace(HARD_BREAK, " ").strip()[:LONGEST_SENTENCE]
        self.headings = [h for h in self.headings if h.level < level]
        sentence = Sentence(text=text, line=line, headings=tuple(self.headings), is_heading=True)
        self.headings.append(Heading(text=text, level=level, line=line))
        self.page.sentences.append(sentence)
        self.lead = self.previous = ""

    def _paragraph(self, inline: Token) -> None:
        text = plain_text(inline)
        whole = text.replace("\n", " ").replace(HARD_BREAK, " ").strip()
        for part, line in split_sentences(text, _line(inline), self.names):
            self.page.sentences.append(
                Sentence(
                    text=part,
                    line=line,
                    headings=tuple(self.headings),
                    lead=self.lead if self.depth else "",
                    whole=whole,
                    previous=self.previous,
                )
            )
        self.previous = whole if len(whole) <= LONGEST_SENTENCE else ""
        if self.depth == 0:
            self.lead = whole if len(whole) <= LONGEST_SENTENCE else ""

    def _fence(self, token: Token) -> None:
        language = token.info.strip().split(" ")[0].lower() if token.info else ""
        first = (token.map[0] if token.map else 0) + (2 if token.type == "fence" else 1)
        lines = token.content.splitlines()
        headings = tuple(self.headings)
        if language in DATA_FENCES:
            for offset, line in enumerate(lines):
                if line.strip() and len(line) <= LONGEST_SENTENCE:
                    self.page.sentences.append(Sentence(text=line.strip(), line=first + offset, headings=headings))
        else:
            self.page.code.append(Code(language=language, lines=tuple(lines), line=first, headings=headings))

    def _table(self, position: int) -> int:
        rows: list[Row] = []
        cells: list[str] = []
        line = 0
        while self.tokens[position].type != "table_close":
            token = self.tokens[position]
            if token.type == "tr_open":
                cells, line = [], (token.map[0] if token.map else 0) + 1
            elif token.type == "inline":
                text = plain_text(token).replace("\n", " ").replace(HARD_BREAK, " ").strip()
                cells.append(text if len(text) <= LONGEST_SENTENCE else "")
            elif token.type == "tr_close":
                rows.append(Row(cells=tuple(cells), line=line))
            position += 1
        if rows:
            lead = self.lead if self.lead.endswith(":") else ""
            grid = Grid(header=rows[0], rows=tuple(rows[1:]), headings=tuple(self.headings), lead=lead)
            self.page.grids.append(grid)
        return position + 1


def _line(inline: Token) -> int:
    return (inline.map[0] if inline.map else 0) + 1


def plain_text(inline: Token) -> str:
    """What a reader sees of an inline token: no marks, no link targets, no images; code keeps its backticks.

    Breaks stay: a newline for one of the source's, and :data:`HARD_BREAK` before it for one that is drawn.
    """
    parts = []
    for child in inline.children or ():
        if child.type == "text":
            parts.append(child.content)
        elif child.type == "code_inline":
            parts.append(f"`{child.content}`")
        elif child.type == "softbreak":
            parts.append("\n")
        elif child.type == "hardbreak":
            parts.append(f"{HARD_BREAK}\n")
    return "".join(parts)


BREAKS = rf";\s+|{HARD_BREAK}\s*|\s+·\s+"
STARTS = "[A-Z0-9ΔΣ|(`\"']"
ABBREVIATIONS = re.compile(r"(?:\b(?:e\.g|i\.e|vs|cf|approx|al|Fig|No|etc|ca)\.)$")


def _ends(names: Sequence[str]) -> re.Pattern[str]:
    """Where a sentence ends: at a mark before a capital, a digit or a run's name."""
    starts = "|".join([STARTS, *(rf"{re.escape(name)}\b" for name in names)])
    return re.compile(rf"(?<=[.!?])[)*\"']*\s+(?={starts})|{BREAKS}")


def split_sentences(text: str, line: int, names: Sequence[str] = ()) -> Iterator[tuple[str, int]]:
    """(sentence, its line) of a paragraph.

    Lines that each look like ``name: value`` are sentences of their own, as are parts between drawn breaks and
    middle dots.

    >>> [s for s, _ in split_sentences("R² is 0.1. It rose; then it fell.", 1)]
    ['R² is 0.1.', 'It rose', 'then it fell.']
    >>> [s for s, _ in split_sentences("R² is 0.1. run4 fell.", 1, ["run4"])]
    ['R² is 0.1.', 'run4 fell.']
    """
    lines = text.split("\n")
    by_line = len(lines) > 1 and all(NAME_VALUE.match(part) for part in lines)
    ends = re.compile(r"\n") if by_line else _ends(names)
    start = 0
    for match in [*ends.finditer(text), None]:
        end = match.start() if match else len(text)
        if match and not by_line and ABBREVIATIONS.search(text[start:end].rstrip()):
            continue
        raw = text[start:end]
        part = raw.replace("\n", " ").replace(HARD_BREAK, " ")
        if part.strip() and len(part) <= LONGEST_SENTENCE:
            skipped = len(raw) - len(raw.lstrip())
            at = line + text.count("\n", 0, start + skipped)
            yield part.strip(), at
        start = match.end() if match else end
