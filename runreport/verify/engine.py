"""A page and the runs it is about in, every claim with its verdict out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from runreport.analysis.record import Analysis
from runreport.compare.engine import compare_runs
from runreport.compare.record import Comparison
from runreport.verify.arithmetic import find_sums, judge_sum
from runreport.verify.collect import collect
from runreport.verify.comparisons import judge_comparisons
from runreport.verify.context import Subject, about, mentions, subject_of
from runreport.verify.evidence import Evidence
from runreport.verify.facts import Facts
from runreport.verify.formulas import judge_formulas
from runreport.verify.page import Page, Sentence, read_page
from runreport.verify.reading import EpochSpan, Use, read_sentence
from runreport.verify.record import Claim, Verdict, Verification
from runreport.verify.scope import OF_RUNS
from runreport.verify.superlatives import Extremes, judge_superlatives
from runreport.verify.tables import judge_table
from runreport.verify.tokens import Lexicon, Token
from runreport.verify.trends import Chain, find_chains, judge_chain
from runreport.verify.values import judge_use

MOST_COMPARED = 40
"""Runs up to which they are tested against each other pair by pair: more take longer than reading the page would."""


def verify(
    text: str,
    analyses: Sequence[Analysis],
    *,
    file_stem: str = "",
    run: str | None = None,
    comparison: Comparison | None = None,
) -> Verification:
    """Every claim of a Markdown text that can be read, judged against the analysed runs.

    file_stem
        Name of the page's file without its ending: names the run where the page's title does not.
    run
        The run that the page is about; None: by the page itself.
    comparison
        Of these runs, where it was made already.
    """
    facts = collect(analyses)
    facts.comparison = comparison
    if comparison is None and 1 < len(analyses) <= MOST_COMPARED:
        facts.comparison = compare_runs(list(analyses))
    keys = dict.fromkeys(key for a in analyses for key, value in a.run.config.items() if _is_number(value))
    lexicon = Lexicon(facts.runs, tuple(keys))
    page = read_page(text, facts.runs)
    subject = subject_of(page, lexicon, facts.runs, file_stem, run)
    reader = _Verifier(page, facts, lexicon, subject)
    claims = tuple(sorted(_once(reader.claims()), key=lambda claim: claim.line))
    code_lines = sum(len(code.lines) for code in page.code)
    return Verification(claims=claims, subject=subject.run, runs=facts.runs, code_lines=code_lines)


def runs_needed(text: str, names: Sequence[str], *, file_stem: str = "", run: str | None = None) -> tuple[str, ...]:
    """The runs that a page names, of all that there are: others need not be analysed.

    All of them where it names none or speaks of all runs.
    """
    lexicon = Lexicon(names)
    page = read_page(text, names)
    subject = subject_of(page, lexicon, names, file_stem, run).run
    named = {subject} if subject is not None else set()
    rows = [cell for grid in page.grids for row in (grid.header, *grid.rows) for cell in row.cells]
    rows += [f"{grid.header.cells[0]} {row.cells[0]}" for grid in page.grids for row in grid.rows]
    for part in [*(s.text for s in page.sentences), *rows]:
        named.update(mentions(part, lexicon.tokens(part)).all)
    if not named or any(OF_RUNS.search(s.text) for s in page.sentences):
        return tuple(names)
    return tuple(name for name in names if name in named)


def _once(claims: Iterator[Claim]) -> Iterator[Claim]:
    """The claims without those that say the same of the same line ("best val loss ... (best val_loss)")."""
    seen = set()
    for claim in claims:
        key = (claim.line, claim.kind, claim.written, claim.reason)
        if claim.written or key not in seen:
            yield claim
        seen.add(key)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


class _Verifier:
    """One page's claims: first what it calls extremes, which later claims can be held against, then all of it."""

    def __init__(self, page: Page, facts: Facts, lexicon: Lexicon, subject: Subject) -> None:
        self.page, self.facts, self.lexicon, self.subject = page, facts, lexicon, subject
        self.extremes = Extremes()
        self.evidence = Evidence(facts)
        for place in [*page.sentences]:
            self._name(place.text)
        for grid in page.grids:
            for row in (grid.header, *grid.rows):
                for cell in row.cells:
                    self._name(cell)
        if subject.run is not None:
            self.extremes.runs_named.add(subject.run)

    def _name(self, text: str) -> None:
        self.extremes.runs_named.update(mentions(text, self.lexicon.tokens(text)).all)

    def claims(self) -> Iterator[Claim]:
        superlatives = [c for s in self.page.sentences for c in self._superlatives(s)]
        tables = [
            claim
            for grid in self.page.grids
            for claim in judge_table(grid, self.facts, self.lexicon, self.subject, self.extremes)
        ]
        yield from superlatives
        yield from tables
        for sentence in self.page.sentences:
            yield from self._sentence(sentence)
        runs = [self.subject.run] if self.subject.run is not None else list(self.facts.runs)
        yield from judge_formulas(self.page, self.facts, runs)

    def _superlatives(self, sentence: Sentence) -> Iterator[Claim]:
        tokens = self.lexicon.tokens(sentence.text)
        whose = about(
            sentence.text, tokens, sentence.lead, sentence.headings, self.subject, self.lexicon, sentence.before
        )
        yield from judge_superlatives(sentence, tokens, whose, self._lead_epochs(sentence), self.facts, self.extremes)

    def _lead_epochs(self, sentence: Sentence) -> tuple[EpochSpan, ...]:
        found = [t for t in self.lexicon.tokens(sentence.lead) if t.kind == "epoch"] if sentence.lead else []
        return found[0].epochs if len(found) == 1 else ()

    def _sentence(self, sentence: Sentence) -> Iterator[Claim]:
        tokens, uses = read_sentence(sentence, self.lexicon, self.subject)
        whose = about(
            sentence.text, tokens, sentence.lead, sentence.headings, self.subject, self.lexicon, sentence.before
        )
        chains = list(find_chains(tokens, sentence.text, whose, self.facts))
        sums = list(find_sums(sentence.text))
        used = [span for chain in chains for span in chain.spans] + [(s.start, s.end) for s in sums]
        for chain in chains:
            yield judge_chain(chain, sentence, tokens, whose, self.facts, self.extremes)
        for found in sums:
            yield judge_sum(found, sentence.line, sentence.text)
        factors = _factors(tokens, chains)
        for use in uses:
            if any(start <= use.number.start < end for start, end in used):
                continue
            claim = judge_use(use, self.facts, sentence.text, sentence.line)
            if claim.verdict is Verdict.NOT_CHECKABLE:
                claim = self._otherwise(claim, use, sentence, factors)
            yield claim
        default = self.subject.run if not whose.runs else whose.runs[0]
        yield from judge_comparisons(sentence, tokens, whose, self.facts, default)

    def _otherwise(self, claim: Claim, use: Use, sentence: Sentence, factors: dict[int, tuple[float, float]]) -> Claim:
        """What else can support a number that its sentence does not tie to a figure: its chain, or the finding it cites."""
        allowed = factors.get(use.number.start)
        if allowed is not None:
            low, high = use.number.bounds
            if allowed[0] <= high and allowed[1] >= low:
                reason = f"the figures beside it allow a factor of {allowed[0]:.3g} to {allowed[1]:.3g}"
                return replace(claim, verdict=Verdict.SUPPORTED, reason=reason)
        found = self.evidence.of(use, sentence)
        if found is not None:
            return replace(claim, verdict=Verdict.SUPPORTED, reason=found)
        return claim


def _factors(tokens: Sequence[Token], chains: Sequence[Chain]) -> dict[int, tuple[float, float]]:
    """Start of a factor ("5-7x") -> what the two ends of the one chain of its sentence allow, at their rounding."""
    if len(chains) != 1 or len(chains[0].numbers) != 2:
        return {}
    first, last = (n.bounds for n in chains[0].numbers)
    if first[0] <= 0 or last[0] <= 0:
        return {}
    allowed = (last[0] / first[1], last[1] / first[0])
    return {t.start: allowed for t in tokens if t.kind == "number" and t.number is not None and t.number.times}
