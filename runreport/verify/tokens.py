"""A sentence as tokens: runs, epochs, metrics, splits, numbers, and the words between them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runreport.verify.numbers import Written, find_numbers
from runreport.verify.vocabulary import HARMLESS, STATISTICS, SUBJECTS, metric_pattern

TokenKind = Literal["run", "other-run", "epoch", "metric", "split", "number", "statistic", "subject", "word", "mark"]
HIDDEN = re.compile(
    r"\d{4}-\d\d-\d\d|https?://\S+|doi:\S+|`[^`]*[/\\][^`]*`|`[^`]*\.\w{2,8}`|\b[\w.-]+/[\w./-]+|\b\w+\.(?:py|csv|json|md|ya?ml|png|svg)\b|"
    r"\b(?:9\d|99\.\d)\s?% (?:confidence )?(?:intervals?|CIs?)\b|(?:January|February|March|April|May|June|July|August|"
    r"September|October|November|December) \d{1,2},? \d{4}|\(1 - r²\)|\(α - r\)²|\(β²\)|1 - R²|\(R² \+ β²\)"
)
"""What holds digits but no figure: dates, links, files, the level of an interval, and symbols of the error budget."""
EPOCH = re.compile(
    r"\bepochs?\s*[#=:]?\s*(?P<first>\d+(?:\.\d+)?)(?![\d%])(?:\s*(?:[-–…]|to)\s*(?P<last>\d+)(?![\d.%])|(?P<plus>\+))?"
    r"(?P<more>(?:,\s*\d+(?![\d.%]))*(?:,?\s+(?:and|or)\s+\d+(?![\d.%]))?)",
    re.IGNORECASE,
)
OTHER_RUN = re.compile(
    r"\b(?:runs?|experiments?|exp|trials?|models?|fold|seed|flight|phase|option|tier|alternative|round|level|batch(?:es)? of|"
    r"layer|stage)(?:[ _#-]*\d+[A-Za-z]?|[ _#-](?-i:[A-Z])| of \d+)\b",
    re.IGNORECASE,
)
"""Numbered things that are no run of these logs: what stands beside one is of it."""
SPLITS: tuple[tuple[str, re.Pattern[str]], ...] = (
    ("test", re.compile(r"\btest(?:[ -]?set| split| data)?\b|\bheld[- ]out\b|\bunseen\b", re.IGNORECASE)),
    ("validation", re.compile(r"\bval(?:id)?(?:ation)?(?:[ -]set| split| data)?\b|\bdev[ -]set\b", re.IGNORECASE)),
    (
        "train",
        re.compile(
            r"\btrain(?:ing)?[ -](?:set|split|data)\b|\btrain\b|\btraining(?=\s+(?:R²|R2|R\^2|MAE|RMSE|MSE|score|metric)|\s*:|$)",
            re.IGNORECASE,
        ),
    ),
)
STATISTIC = {key: re.compile(rf"\b(?:{words})(?![\w²])", re.IGNORECASE) for key, words in STATISTICS.items()}
SUBJECT = {key: re.compile(rf"\b{words}(?!\w)", re.IGNORECASE) for key, words in SUBJECTS.items()}
MARK = re.compile(r"→|->|⇒|=>|[()\[\]{}:=,;/|<>≤≥±+×*·&–—]|\bvs\.?(?!\w)|(?<=\s)-(?=\s)")
POSSESSIVE = re.compile(r"['’]s\b")
WORD = re.compile(r"[^\W\d_][\w'’-]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A part of a sentence.

    key
        The run's name, the metric's key, the split, the statistic, the word in lower case, the mark.
    epochs
        First and last of an epoch mention; last is None for an open one ("40+"), and equals the first for a single one.
    """

    kind: TokenKind
    key: str
    start: int
    end: int
    split: str | None = None
    number: Written | None = None
    epochs: tuple[tuple[float, float | None], ...] = ()


class Lexicon:
    """Cuts sentences into tokens, knowing the names of these runs and of their settings."""

    def __init__(self, runs: Sequence[str], config_keys: Sequence[str] = ()) -> None:
        self.metrics, self.groups = metric_pattern(tuple(dict.fromkeys(config_keys)))
        self.runs = [(name, pattern) for name in runs for pattern in _run_patterns(name, runs)]
        self.plural = _plural(runs)

    def tokens(self, text: str) -> list[Token]:
        """The tokens of a sentence, in order; none overlap."""
        taken = _Taken(text)
        for match in HIDDEN.finditer(text):
            taken.add(Token(kind="mark", key="hidden", start=match.start(), end=match.end()))
        self._add_runs(text, taken)
        for match in EPOCH.finditer(text):
            taken.add(Token(kind="epoch", key="epoch", start=match.start(), end=match.end(), epochs=_epochs(match)))
        for match in OTHER_RUN.finditer(text):
            taken.add(Token(kind="other-run", key=match[0].lower(), start=match.start(), end=match.end()))
        for match in self.metrics.finditer(text):
            key, split = self.groups[match.lastgroup or ""]
            taken.add(Token(kind="metric", key=key, start=match.start(), end=match.end(), split=split))
        for split_name, pattern in SPLITS:
            for match in pattern.finditer(text):
                taken.add(Token(kind="split", key=split_name, start=match.start(), end=match.end()))
        for number in find_numbers(text):
            taken.add(Token(kind="number", key=number.text, start=number.start, end=number.end, number=number))
        for kind, patterns in (("statistic", STATISTIC), ("subject", SUBJECT)):
            for key, pattern in patterns.items():
                for match in pattern.finditer(text):
                    taken.add(Token(kind=kind, key=key, start=match.start(), end=match.end()))  # type: ignore[arg-type]
        for match in MARK.finditer(text):
            taken.add(Token(kind="mark", key=match[0], start=match.start(), end=match.end()))
        for match in WORD.finditer(text):
            taken.add(Token(kind="word", key=match[0].lower().replace("’", "'"), start=match.start(), end=match.end()))
        return taken.sorted()

    def _add_runs(self, text: str, taken: _Taken) -> None:
        if self.plural is not None:
            prefix, pattern = self.plural
            for match in pattern.finditer(text):
                for name in _plural_names(prefix, match, [n for n, _ in self.runs]):
                    # Several runs at one place: tokens that share it, which no other may then take.
                    taken.force(Token(kind="run", key=name, start=match.start(), end=match.end()))
        for name, pattern in self.runs:
            for match in pattern.finditer(text):
                possessive = POSSESSIVE.match(text, match.end())
                end = possessive.end() if possessive else match.end()
                taken.add(Token(kind="run", key=name, start=match.start(), end=end))


class _Taken:
    """Tokens found so far: what comes first keeps its place."""

    def __init__(self, text: str) -> None:
        self.free = [True] * len(text)
        self.found: list[Token] = []

    def add(self, token: Token) -> None:
        if all(self.free[token.start : token.end]):
            self.force(token)

    def force(self, token: Token) -> None:
        for position in range(token.start, token.end):
            self.free[position] = False
        self.found.append(token)

    def sorted(self) -> list[Token]:
        return sorted(self.found, key=lambda t: (t.start, t.end))


def _epochs(match: re.Match[str]) -> tuple[tuple[float, float | None], ...]:
    first = float(match["first"])
    last = float(match["last"]) if match["last"] else (None if match["plus"] else first)
    more = [float(n) for n in re.findall(r"\d+", match["more"] or "")]
    return ((first, last), *((n, n) for n in more))


def _run_patterns(name: str, runs: Sequence[str]) -> list[re.Pattern[str]]:
    """How a run is written: its name with any separators between its words and numbers, or the last part of a path."""
    forms = [name]
    last = name.rsplit("/", 1)[-1]
    if last != name and sum(other.rsplit("/", 1)[-1] == last for other in runs) == 1:
        forms.append(last)
    tail = re.search(r"[^\W\d_]{3,}[_ -]?\d+$", name)
    if tail is not None and tail[0] != name and sum(other.endswith(tail[0]) for other in runs) == 1:
        forms.append(tail[0])  # "round 2" of run4_round2
    patterns = []
    for form in forms:
        pieces = re.findall(r"[^\W\d_]+|\d+", form)
        if not pieces or form.lower() in HARMLESS or len(form) < 2:
            continue
        joined = r"[\s_./-]*".join(re.escape(piece) for piece in pieces)
        # A name without digits is a word as well: only as it is spelt.
        flags = re.IGNORECASE if any(c.isdigit() for c in form) else re.NOFLAG
        patterns.append(re.compile(rf"(?<![\w/]){joined}(?![\w/]|\.\d|-\w)", flags))
    return patterns


def _plural(runs: Sequence[str]) -> tuple[str, re.Pattern[str]] | None:
    """ "Runs 2-3" where names are a word and a number."""
    prefixes = {m[1].rstrip("_- ") for name in runs if (m := re.fullmatch(r"([^\W\d]+[_ -]?)(\d+)\w?", name))}
    if len(prefixes) != 1:
        return None
    prefix = prefixes.pop()
    numbers = r"\d+(?:\s*[-–]\s*\d+)?(?:,\s*\d+)*(?:\s*(?:,|and|&|or)\s*\d+)?"
    return prefix, re.compile(rf"\b{re.escape(prefix)}s\s+({numbers})(?![\w%]|\.\d)", re.IGNORECASE)


def _plural_names(prefix: str, match: re.Match[str], runs: Sequence[str]) -> list[str]:
    wanted: set[int] = set()
    for first, last in re.findall(r"(\d+)(?:\s*[-–]\s*(\d+))?", match[1]):
        wanted |= set(range(int(first), int(last or first) + 1))
    numbered = re.compile(rf"{re.escape(prefix)}[_ -]?(\d+)", re.IGNORECASE)
    names = [n for n in dict.fromkeys(runs) if (m := numbered.fullmatch(n)) and int(m[1]) in wanted]
    return names if len(names) == len(wanted) else []
