"""The cells of a table against the logs: which run, epoch and metric a cell is of follows from its row and column."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from runreport.verify.context import About, Subject, about, mentions
from runreport.verify.facts import Facts
from runreport.verify.headers import END_OF_INTERVAL, Label, read_header, read_row_label
from runreport.verify.numbers import Written, agrees, find_numbers
from runreport.verify.page import Grid, Row, Sentence
from runreport.verify.pairs import judge_pair
from runreport.verify.reading import EpochSpan, read_sentence
from runreport.verify.record import Claim, Kind, Verdict
from runreport.verify.superlatives import Extremes, judge_extreme_words
from runreport.verify.tokens import Lexicon
from runreport.verify.values import Asked, judge, judge_use, shorten
from runreport.verify.vocabulary import HARMLESS
from runreport.wording import epoch as epoch_words

CRITERION = re.compile(r"^(?P<metric>.+?)\s*(?:[<>≤≥]=?|==?)\s*[-−\d.]")
IN_PERCENT = re.compile(r"[(\[]\s*(?:%|percent)\s*[)\]]|\bin (?:%|percent)|,\s*%$")
NOT_THE_RUN = frozenset({"word", "number", "other-run", "metric", "statistic", "subject"})
"""What makes a run's name in a key that of something else: "run 4 + averaging", "run 4 (seed 2)"."""
BOUND = re.compile(r"[<>≤≥]|\bto\b")


def judge_table(grid: Grid, facts: Facts, lexicon: Lexicon, subject: Subject, extremes: Extremes) -> Iterator[Claim]:
    """Every number of a table, and what its words say is highest, lowest or best."""
    yield from _Table(grid, facts, lexicon, subject, extremes).claims()


class _Table:
    """One table: its columns' labels, and which of them are keys."""

    def __init__(self, grid: Grid, facts: Facts, lexicon: Lexicon, subject: Subject, extremes: Extremes) -> None:
        self.grid, self.facts, self.lexicon, self.subject, self.extremes = grid, facts, lexicon, subject, extremes
        self.columns = [read_header(cell, lexicon, first=index == 0) for index, cell in enumerate(grid.header.cells)]
        self.around = about("", (), grid.lead, grid.headings, subject, lexicon)
        self.run_key = self._first("run-key")
        self.epoch_key = self._first("epoch-key")
        self.criterion = self._first("criterion")
        self.split = next((c.split for c in self.columns if c.kind == "metric-key" and c.split), None)
        keys = Counter(self._key_of(row) for row in grid.rows)
        self.repeated = {key for key, count in keys.items() if count > 1}

    def _first(self, kind: str) -> int | None:
        return next((i for i, column in enumerate(self.columns) if column.kind == kind), None)

    def _key_of(self, row: Row) -> tuple[str, ...]:
        kinds = ("run-key", "epoch-key", "split-key", "metric-key", "criterion", "label")
        return tuple(cell for cell, column in zip(row.cells, self.columns, strict=True) if column.kind in kinds)

    def claims(self) -> Iterator[Claim]:
        for cell in self.grid.header.cells:
            if END_OF_INTERVAL.search(cell):
                continue
            sentence = Sentence(text=cell, line=self.grid.header.line, headings=self.grid.headings)
            _, uses = read_sentence(sentence, self.lexicon, self.subject)
            yield from (judge_use(u, self.facts, cell, sentence.line) for u in uses if u.metric is not None)
        for row in self.grid.rows:
            yield from self._row(row)

    def _row(self, row: Row) -> Iterator[Claim]:
        whose, epochs, label, why = self._row_of(row)
        for index, (cell, column) in enumerate(zip(row.cells, self.columns, strict=True)):
            if not cell or column.kind in ("run-key", "split-key", "metric-key", "criterion"):
                continue
            if (index == 0 and column.kind in ("label", "epoch-key")) or column.kind == "epoch-key":
                continue
            if column.kind == "text":
                spoken = judge_extreme_words(cell, row.line, whose, epochs, self.facts, self.lexicon, self.extremes)
                found = list(spoken)
                yield from found
                if found:
                    continue
            yield from self._cell(row, index, cell, whose, epochs, label, why)

    def _row_of(self, row: Row) -> tuple[About, tuple[EpochSpan, ...], Label, str]:
        """(run, epochs, what the row's label says, why its numbers are not held against the logs)."""
        whose, why = self.around, ""
        epochs: tuple[EpochSpan, ...] = ()
        label = Label(kind="text")
        if self.run_key is not None:
            cell = row.cells[self.run_key]
            named = mentions(cell, self.lexicon.tokens(cell))
            numbered = self._numbered(self.grid.header.cells[self.run_key], cell)
            if numbered or len(named.subjects) == 1:
                whose = About(runs=(numbered or named.subjects[0],), certain=True)
                more = [t.key for t in self.lexicon.tokens(cell) if t.kind in NOT_THE_RUN and t.key not in HARMLESS]
                if more and not numbered:
                    why = f"{cell!r} is more than the run ({more[0]!r})"
            else:
                whose = About(runs=(), certain=False, why=f"{cell!r} is no run of these logs")
        if self.epoch_key is not None:
            number = next(iter(find_numbers(row.cells[self.epoch_key])), None)
            if number is not None:
                epochs = ((number.value, number.upper if number.upper is not None else number.value),)
            else:
                why = f"the epoch {row.cells[self.epoch_key]!r} is no number"
        first = self.columns[0].kind
        if self.criterion is not None:
            match = CRITERION.match(row.cells[self.criterion])
            label = read_row_label(match["metric"], self.lexicon) if match else Label(kind="text", plain=False)
            if match and "over training" in match["metric"]:
                label = replace(label, roles=frozenset({"lowest"}), plain=False, split="validation")
        elif first == "metric-key" or (first == "text" and not self.columns[0].plain):
            label = read_row_label(row.cells[0], self.lexicon)
        elif first == "label" and (numbered := self._numbered(self.grid.header.cells[0], row.cells[0])):
            whose = About(runs=(numbered,), certain=True)
        elif first == "label":
            label = read_row_label(row.cells[0], self.lexicon)
            label = replace(label, plain=False, why=self.columns[0].why)
        if label.kind == "run" and label.run is not None:
            whose = About(runs=(label.run,), certain=label.plain)
        keyed = self.run_key is not None or self.epoch_key is not None or self._first("split-key") is not None
        keyed = keyed or self._first("pick") is not None
        if not keyed and label.kind not in ("metric", "subject", "run") and len(self.grid.rows) > 1:
            why = why or "what its rows are of is not said"
        if self._key_of(row) in self.repeated:
            why = why or "its key stands in several rows"
        return whose, epochs, label, why

    def _numbered(self, title: str, cell: str) -> str | None:
        """The run that a column's title and a number name together: "Run" and "1"."""
        if not re.fullmatch(r"[*`# ]*\d+\w?[*` ]*", cell):
            return None
        name = f"{title.strip('*` #')} {cell.strip('*` #')}"
        named = mentions(name, self.lexicon.tokens(name)).subjects
        return named[0] if len(named) == 1 else None

    def _cell(
        self, row: Row, index: int, cell: str, whose: About, epochs: tuple[EpochSpan, ...], label: Label, why: str
    ) -> Iterator[Claim]:
        column = self.columns[index]
        text = shorten(f"{row.cells[0]} | {self.grid.header.cells[index]} | {cell}")
        numbers = [t for t in self.lexicon.tokens(cell) if t.kind == "number"]
        if not numbers:
            return
        pair = self._pair(row)
        if column.kind == "delta" or (pair is not None and index):
            if pair is not None:
                yield from judge_pair(row, index, self.columns, self.grid.header.cells, pair, self.facts, text)
            else:
                yield from self._policy_difference(row, cell, column, whose, text)
            return
        if column.kind == "pick":
            yield from self._pick(row, whose, text, numbers[0].number)
            return
        metric, reason = self._metric(column, label)
        if column.kind == "run" and column.run is not None:
            whose = About(runs=(column.run,), certain=True)
        asked_epochs = self._cell_epochs(row, cell, column, epochs)
        of_pick = self._first("pick") is None or column.there
        plain = (
            of_pick
            and column.plain
            and label.plain
            and not why
            and bool(metric)
            and whose.certain
            and self._clean(cell)
        )
        reason = reason or why or whose.why or column.why or label.why
        for position, token in enumerate(numbers):
            if token.number is None:
                continue
            end = self._end(cell, position, column)
            if end is None:
                yield _unclear(row.line, text, token.number, "what it adds to the number before it is not said")
                continue
            if metric is None or why:
                yield _unclear(row.line, text, token.number, why or reason or "it does not say what the number is of")
                continue
            bound = self._bound(row, cell, metric, whose, token.number, position, text)
            if bound is not None:
                yield bound
                continue
            yield judge(
                Asked(
                    written=self._in_percent(token.number, index),
                    metric=metric,
                    runs=whose.runs,
                    split=self._split(row, column, label),
                    epochs=asked_epochs,
                    roles=column.roles | label.roles,
                    plain=plain,
                    why_not=reason or "the cell says more than could be read",
                    end=end,
                ),
                self.facts,
                text,
                row.line,
            )

    def _metric(self, column: Label, label: Label) -> tuple[str | None, str]:
        """(metric, why none) from column and row together."""
        if column.kind == "metric":
            if label.kind == "metric" and label.metric != column.metric and self.columns[0].kind == "metric-key":
                return None, "row and column name different metrics"
            return column.metric, ""
        if column.kind in ("value", "interval", "run"):
            if label.kind == "subject" and label.subject and label.statistic:
                return f"{label.subject}_{label.statistic}", ""
            return label.metric, label.why
        if column.kind == "subject":
            what = column.statistic or label.statistic
            who = column.subject or label.subject
            if who is None and what == "spread" and (self.run_key is not None or self.epoch_key is not None):
                who = "pred"  # beside the runs' scores it is the predictions' own
            return (f"{who}_{what}", "") if who and what else (None, "truth or prediction is not said")
        return None, column.why or "what the column holds was not understood"

    def _split(self, row: Row, column: Label, label: Label) -> str | None:
        if column.split or label.split:
            return column.split or label.split
        key = self._first("split-key")
        if key is not None:
            cell = row.cells[key].lower()
            return next((s for s in ("test", "validation", "train") if cell.startswith(s[:3])), None)
        return self.split

    def _cell_epochs(self, row: Row, cell: str, column: Label, epochs: tuple[EpochSpan, ...]) -> tuple[EpochSpan, ...]:
        own = [t for t in self.lexicon.tokens(cell) if t.kind == "epoch"]
        if own:
            return own[0].epochs
        pick = self._first("pick")
        if column.there and pick is not None:
            number = next(iter(find_numbers(row.cells[pick])), None)
            return () if number is None else ((number.value, number.value),)
        return epochs

    def _end(self, cell: str, position: int, column: Label) -> str | None:
        """ "" for a value, "low" or "high" for an end of an interval, None for a number that was not understood."""
        inside = "[" in cell or column.kind == "interval"
        if not inside:
            return "" if position == 0 else None
        before = len(list(find_numbers(cell.partition("[")[0])))
        if position < before:
            return "" if position == 0 else None
        return ("low", "high")[position - before] if position - before < 2 else None

    def _clean(self, cell: str) -> bool:
        tokens = self.lexicon.tokens(cell)
        return all(t.kind not in ("word", "metric", "run") or t.key in HARMLESS or len(t.key) <= 3 for t in tokens)

    def _in_percent(self, number: Written, index: int) -> Written:
        return replace(number, percent=True) if IN_PERCENT.search(self.grid.header.cells[index]) else number

    def _bound(
        self, row: Row, cell: str, metric: str, whose: About, number: Written, position: int, text: str
    ) -> Claim | None:
        """A cell that gives bounds instead of a value: "≥ 0.14", "|β| 0.00 to 0.83"."""
        if not BOUND.search(cell) or "[" in cell:
            return None
        name = "absolute_bias" if metric in ("bias", "absolute_bias") else metric
        for run in whose.runs:
            final = self.facts.analyses[run].final
            bounds = final.bounds.get(name) if final is not None else None
            if bounds is not None and agrees(number, bounds[min(position, 1)]):
                reason = "the bound that R² and the std ratio force"
                return Claim(
                    line=row.line, kind=Kind.VALUE, verdict=Verdict.SUPPORTED, text=text, reason=reason,
                    written=number.text, about={"metric": metric, "run": run},
                )  # fmt: skip
        return _unclear(row.line, text, number, "a bound, not a measured value")

    def _pick(self, row: Row, whose: About, text: str, number: Written | None) -> Iterator[Claim]:
        """The epoch that a policy picks."""
        if number is None:
            return
        name = row.cells[0].strip("`* ")
        for run in whose.runs:
            audit = self.facts.analyses[run].selection
            pick = audit.pick(name) if audit is not None else None
            if pick is None or pick.epoch is None:
                continue
            right = float(pick.epoch)
            verdict = Verdict.SUPPORTED if number.value == right else Verdict.CONTRADICTED
            reason = f"{name} replayed on the log picks epoch {epoch_words(pick.epoch)}"
            yield Claim(
                line=row.line, kind=Kind.VALUE, verdict=verdict, text=text, reason=reason, written=number.text,
                right=None if verdict is Verdict.SUPPORTED else right, about={"run": run, "metric": "picked epoch"},
            )  # fmt: skip
            return
        yield _unclear(row.line, text, number, f"{name!r} is no policy that can be replayed on these logs")

    def _pair(self, row: Row) -> tuple[str, str] | None:
        """The two runs that a row names as "a - b"."""
        first, minus, second = row.cells[0].partition(" - ")
        runs = [mentions(part, self.lexicon.tokens(part)).subjects for part in (first, second)] if minus else []
        return (runs[0][0], runs[1][0]) if [len(r) for r in runs] == [1, 1] else None

    def _policy_difference(self, row: Row, cell: str, column: Label, whose: About, text: str) -> Iterator[Claim]:
        """ΔR² of what a policy picks to the saved epoch, with its interval."""
        name = row.cells[0].strip("`* ")
        figures: tuple[float | None, ...] = ()
        for run in whose.runs if column.metric == "r2" else ():
            audit = self.facts.analyses[run].selection
            found = next((c for c in audit.comparisons if name in c.policies), None) if audit is not None else None
            if found is not None:
                figures = (found.delta_r2, *(found.interval or ()))
        for position, written in enumerate(find_numbers(cell)):
            value = figures[position] if position < len(figures) else None
            if value is not None and agrees(written, value):
                reason = f"R² of what {name} picks, less that of the saved epoch, computed here"
                yield _supported(row.line, text, written, reason)
            else:
                yield _unclear(row.line, text, written, "a difference, and the row does not name its two runs")


def _supported(line: int, text: str, number: Written, reason: str) -> Claim:
    return Claim(line=line, kind=Kind.VALUE, verdict=Verdict.SUPPORTED, text=text, reason=reason, written=number.text)


def _unclear(line: int, text: str, number: Written, reason: str) -> Claim:
    return Claim(
        line=line, kind=Kind.VALUE, verdict=Verdict.NOT_CHECKABLE, text=text, reason=reason, written=number.text
    )
