"""What each number of a sentence is of: the metric it stands beside, the run, the split, the epoch; and how sure that is."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from runreport.verify.context import About, Subject, about, hypothetical_heading
from runreport.verify.numbers import Written
from runreport.verify.page import Sentence
from runreport.verify.tokens import Lexicon, Token
from runreport.verify.vocabulary import DELTA, HARMLESS, HYPOTHETICAL, words

CONNECTORS = words(
    """is was are were of at to has had have only just still = : ( reached reaches reach stays stayed remains remained
    stands stood ended ends came comes achieved got gave gives the a an about around roughly negative positive very low
    high lowest highest best final now again measured reported fell falls dropped drops rose rises improved collapsed
    equals hit hits scored scores | → and value run model"""
)
"""Words and marks that may stand between a metric and its number."""
MOVES = words("fell falls dropped drops rose rises improved collapsed increased decreased grew shrank")
"""Verbs after which a number without "to" is a change, not a value."""
BOUND_MARKS = frozenset("<>≤≥")
COUNTS = frozenset({"samples", "epochs_run", "saved_epoch"})
OF_THE_EPOCH = words("at of in from for by on its the a their model's run's")
"""Words that lead to "the saved epoch" where it says when another figure was measured."""
NUMBERS_EPOCH = words("is was = : ( at of remained remains stays stayed epoch comes came a the model run")
"""What may stand between "the saved epoch" and its own number."""
ENDS_OF_INTERVALS = words("low lower high higher upper min minimum max maximum")
COMPARATIVES = words("lower higher better worse larger smaller greater more less up down than out")
"""Words after a number that make it a difference."""
AROUND_EPOCH = re.compile(r"\b(?:after|before|since|until|from|past|by|within|beyond)\s+(?:the\s+)?$", re.IGNORECASE)
"""Words before an epoch that leave open which one a figure is of."""
SCALES = re.compile(r"^\s*[‰°€$£′″]")
BEFORE_SCALES = re.compile(r"[€$£]\s*$")
"""Signs of a unit: a number that has one is in that unit, which the log's may not be."""
EpochSpan = tuple[float, float | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One number of a sentence, with what it was read to be of.

    metric
        Key of the metric beside it, None where none stands close enough.
    plain
        Whether the sentence says nothing but this: only then can the number be contradicted.
    why_not
        Why it is not to be held against the logs (a target, a difference, a word that may change its meaning).
    end
        For an interval's bound: "low" or "high".
    """

    number: Written
    metric: str | None
    about: About
    split: str | None
    epochs: tuple[EpochSpan, ...]
    plain: bool
    why_not: str = ""
    end: str = ""
    tokens: Sequence[Token] = field(default=())


def read_sentence(sentence: Sentence, lexicon: Lexicon, subject: Subject) -> tuple[list[Token], list[Use]]:
    """The tokens of a sentence, and every number of it with what it is of."""
    text = sentence.text
    tokens = lexicon.tokens(text)
    whose = about(text, tokens, sentence.lead, sentence.headings, subject, lexicon, sentence.before)
    why = _why_not(sentence, tokens)
    reader = _Reader(sentence, tokens, lexicon, whose, why)
    return tokens, list(reader.uses())


def _why_not(sentence: Sentence, tokens: Sequence[Token]) -> str:
    """Why no number of this sentence is held against the logs; empty where they are."""
    wished = HYPOTHETICAL.search(sentence.text) or HYPOTHETICAL.search(sentence.lead)
    if wished:
        return f"said of what is wished or supposed ({wished[0]!r}), not of what was measured"
    heading = hypothetical_heading(sentence.headings)
    if heading is not None:
        return f"under the heading {heading.text!r}, which is not about what was measured"
    delta = DELTA.search(sentence.text)
    if delta:
        return f"{delta[0]!r} makes it a difference or a part of a figure"
    if re.search(r"\d\s*\[\d{1,3}\](?!\()", sentence.text):
        return "it cites a reference"
    for token, following in zip(tokens, [*tokens[1:], None], strict=False):
        if token.kind == "statistic" and following is not None and following.kind in ("metric", "split"):
            return f"{token.key!r} makes it a figure of several"
        if token.kind == "word" and token.key not in HARMLESS:
            return f"the sentence says more than could be read ({token.key!r})"
        if token.kind == "other-run":
            return f"the sentence is about {token.key!r}"
    return ""


class _Reader:
    """One sentence's numbers, from left to right."""

    def __init__(
        self, sentence: Sentence, tokens: Sequence[Token], lexicon: Lexicon, whose: About, why_not: str
    ) -> None:
        self.sentence, self.tokens, self.whose, self.why_not = sentence, tokens, whose, why_not
        self.splits = list(dict.fromkeys(t.key for t in tokens if t.kind == "split"))
        own = [t for t in tokens if t.kind == "epoch"]
        self.epoch_tokens = own
        self.lead_epochs: tuple[EpochSpan, ...] = ()
        if not own and sentence.lead:
            found = [t for t in lexicon.tokens(sentence.lead) if t.kind == "epoch"]
            self.lead_epochs = found[0].epochs if len(found) == 1 else ()
        self.several = self._several_metrics()

    def _several_metrics(self) -> bool:
        """Whether metrics are listed before their numbers ("R², MAE and RMSE are ..."): which is whose is then not read."""
        listed = 0
        for token in self.tokens:
            if token.kind == "metric":
                listed += 1
            elif (
                token.kind == "number"
                or (token.kind == "mark" and token.key in ":=()")
                or (token.kind == "word" and token.key != "and")
            ):
                listed = 0
            if listed > 1:
                return True
        return False

    def uses(self) -> Iterator[Use]:
        """Each number with what it is of."""
        last: Use | None = None
        bracket = ""
        for position, token in enumerate(self.tokens):
            if token.kind == "mark" and token.key in "[]":
                bracket = "[" if token.key == "[" else ""
                inside = 0
            if token.kind != "number" or token.number is None:
                continue
            if bracket:
                inside += 1
                use = self._bound(position, token.number, last, "low" if inside == 1 else "high")
                if use is not None:
                    yield use
                    continue
            last = self._use(position, token.number)
            yield last

    def _bound(self, position: int, number: Written, last: Use | None, end: str) -> Use | None:
        """A number in brackets: an end of the interval of the number before them, or of a range of values."""
        before = self._before_bracket(position)
        if before is not None and before.kind == "statistic" and before.key == "spread":
            who = self._subject(position)
            metric = f"{who}_{'min' if end == 'low' else 'max'}" if who else None
            return self._made(number, metric, plain=metric is not None)
        if before is not None and before.kind == "metric" and before.key in ("pred_spread", "true_spread"):
            who = "pred" if before.key == "pred_spread" else "true"
            return self._made(number, f"{who}_{'min' if end == 'low' else 'max'}", plain=True)
        alone = self.tokens[position - 1].key == "[" and self.tokens[position + 1 : position + 2]
        if alone and alone[0].key == "]":
            return self._made(
                number, None, plain=False, why="one number in brackets: a reference, or what it is of is not said"
            )
        if before is not None and before.kind == "number" and last is not None and before.number == last.number:
            return Use(
                number=number, metric=last.metric, about=last.about, split=last.split, epochs=last.epochs,
                plain=last.plain, why_not=last.why_not, end=end, tokens=self.tokens,
            )  # fmt: skip
        return None

    def _before_bracket(self, position: int) -> Token | None:
        opened = next(i for i in range(position, -1, -1) if self.tokens[i].key == "[" and self.tokens[i].kind == "mark")
        at = opened - 1
        while at >= 0 and self.tokens[at].kind == "mark" and self.tokens[at].key in ":=":
            at -= 1
        return self.tokens[at] if at >= 0 else None

    def _subject(self, position: int) -> str | None:
        """Truth or prediction, whichever was named last before a bare "mean" or "std"."""
        named = [t.key for t in self.tokens[:position] if t.kind == "subject"]
        return named[-1] if named else None

    def _use(self, position: int, number: Written) -> Use:
        before, after = self._metric_before(position), self._metric_after(position)
        comma = self.tokens[position - 1].key in (",", "and") if position else False
        if before is not None and before[0].key == "saved_epoch" and after is not None:
            before = None  # "the best epoch had 501 samples", "the best epoch reached -0.43 in R²"
        found = after if after is not None and (before is None or comma) else before
        metric, bound = (None, False)
        split = None
        if found is not None:
            token, bound = found
            metric, split = self._key(token, position), token.split
        why = ""
        previous = self.tokens[position - 1] if position else None
        if previous is not None and previous.kind == "mark" and previous.key in BOUND_MARKS:
            why, bound = "a bound, not a measured value", False
        elif number.times:
            why, bound = "a factor", False
        elif metric != "saved_epoch" and self._in_units_of_another(position):
            why, bound = "in units of something, or a part of it", False
        elif previous is not None and previous.key in ("negative", "minus", "below", "under") and number.value >= 0:
            why, bound = f"{previous.key!r} before it may be its sign", False
        elif self._of_a_run_named_later(position):
            why, bound = "which of the runs it is of is not plain", False
        elif self._end_of_interval(position):
            why, bound = "an end of an interval or of a range", False
        elif metric in COUNTS and found is after:
            bound = False
        elif metric is not None and metric.startswith("config."):
            why, bound = "a setting may be one that was only considered", False
        elif self._more_numbers(position):
            bound = False
        return self._made(number, metric, plain=bound and not self.several, split=split, why=why, position=position)

    def _made(
        self, number: Written, metric: str | None, *, plain: bool, split: str | None = None, why: str = "",
        position: int | None = None,
    ) -> Use:  # fmt: skip
        splits = [split] if split is not None else self.splits
        epochs, sure = self._epochs(position)
        whose = self._run_beside(position) or self.whose
        return Use(
            number=number,
            metric=metric,
            about=whose,
            split=splits[0] if len(splits) == 1 else None,
            epochs=epochs,
            plain=plain and sure and not self.why_not and len(splits) < 2,
            why_not=why or self.why_not,
            tokens=self.tokens,
        )

    def _key(self, token: Token, position: int) -> str | None:
        if token.kind == "metric":
            return token.key
        who = self._subject(position)
        return f"{who}_{token.key}" if who else None

    def _metric_before(self, position: int) -> tuple[Token, bool] | None:
        """The metric before a number with nothing but connectors between, and whether it is surely this number's."""
        moved = at_epoch = False
        for at in range(position - 1, -1, -1):
            token = self.tokens[at]
            if token.kind == "metric" and token.key == "saved_epoch" and not self._is_its_number(at, position):
                at_epoch = True
                continue
            if at_epoch and token.kind == "word" and token.key in OF_THE_EPOCH:
                continue
            if token.kind == "metric" or (token.kind == "statistic" and self._subject(position)):
                to = self.sentence.text[: self.tokens[position].start].rstrip().endswith((" to", "at", ":", "="))
                return token, not moved or to
            if token.kind in ("split", "run", "epoch", "subject"):
                continue
            if token.kind in ("word", "mark") and token.key in CONNECTORS:
                moved = moved or token.key in MOVES
                continue
            if token.kind == "number" or token.key in ("vs", "vs.", "versus", "and", "or", "/", "±"):
                moved = True  # a second number of the same metric: never held against the logs
                continue
            return None
        return None

    def _metric_after(self, position: int) -> tuple[Token, bool] | None:
        """The metric right after a number ("46 % variance ratio"), or after "of", a split or nothing else."""
        of = False
        for at in range(position + 1, min(position + 4, len(self.tokens))):
            token = self.tokens[at]
            if token.kind == "metric":
                return token, not of  # "0.4 of R²" is a part of it
            of = of or token.key == "of"
            passed = token.kind == "split" or token.key in ("of", "in", "the")
            if not passed and not (token.key in ("is", "a") and self._part_of_error(at)):
                return None
        return None

    def _is_its_number(self, epoch: int, position: int) -> bool:
        """Whether a number is the epoch that was saved ("the best epoch is 6"), not a figure of that epoch."""
        number = self.tokens[position].number
        if number is None or number.percent or number.times or number.value < 0 or not number.value.is_integer():
            return False
        if number.place < 1 or any(t.key in ("of", "out", "in") for t in self.tokens[position + 1 : position + 2]):
            return False
        for token in self.tokens[epoch + 1 : position]:
            if token.kind not in ("run", "split") and token.key not in NUMBERS_EPOCH:
                return False
        leads = [t for t in self.tokens[:epoch] if t.kind not in ("run", "split")]
        while leads and leads[-1].kind == "word" and leads[-1].key in OF_THE_EPOCH:
            leads.pop()
        beside = self.tokens[epoch + 1 : epoch + 2] == self.tokens[position : position + 1]
        bracket = self.tokens[position - 1].key == "("
        return beside or bracket or not leads or leads[-1].kind not in ("metric", "statistic")

    def _in_units_of_another(self, position: int) -> bool:
        """Whether what follows a number makes it one of other units: "1.36 σ", "120 % of the true std", "75 % of run 1's"."""
        number = self.tokens[position].number
        text = self.sentence.text
        if number is None:
            return False
        if SCALES.search(text[number.end :]) or BEFORE_SCALES.search(text[: number.start]):
            return True
        following = self.tokens[position + 1 : position + 6]
        if following and following[0].key in COMPARATIVES:
            return True
        if following and (
            following[0].kind in ("statistic", "subject") or following[0].key in ("true_std", "true_mean")
        ):
            return True
        of = False
        for token in following:
            if token.key in ("of", "×", "·", "*"):
                of = True
            elif of and token.kind in ("metric", "statistic", "subject"):
                return True
            elif of and token.kind == "run":
                return number.percent or token.key not in self.whose.runs
            elif not (token.kind == "word" and token.key in ("the", "a", "its", "that", "this")):
                return False
        return False

    def _of_a_run_named_later(self, position: int) -> bool:
        """Whether the run stands behind another number ("0.57 (vs. 0.18 for run1)"), or is one of runs that are not named."""
        named = [at for at, t in enumerate(self.tokens) if t.kind == "run"]
        if not named:
            return bool(re.search(r"\bruns\b", self.sentence.text[: self.tokens[position].start], re.IGNORECASE))
        return position < named[0] and any(t.kind == "number" for t in self.tokens[position + 1 : named[0]])

    def _end_of_interval(self, position: int) -> bool:
        """Whether "low", "upper" or the like stands right before a number: "R² low: -4.40"."""
        at = position - 1
        while at >= 0 and self.tokens[at].kind == "mark" and self.tokens[at].key in ":=(":
            at -= 1
        return at > 0 and self.tokens[at].key in ENDS_OF_INTERVALS and self.tokens[at - 1].kind == "metric"

    def _part_of_error(self, at: int) -> bool:
        """Whether "is" or "a" leads to a part of the error budget ("54 % is missing information, 23 % a wrong mean")."""
        ahead = [t.key for t in self.tokens[at + 1 : at + 3]]
        return any(key in ("missing_information", "wrong_spread", "wrong_mean") for key in ahead)

    def _more_numbers(self, position: int) -> bool:
        """Whether further numbers of the same metric follow ("0.3, 0.4 and 0.5", "22 % vs 40 %", "a → b")."""
        for step in (1, -1):
            at = position + step
            while 0 <= at < len(self.tokens):
                token = self.tokens[at]
                if token.kind == "number":
                    return True
                if token.kind == "mark" and token.key in (",", "→", "->", "vs", "vs.", "/", "±", "–", "-", "|", ";"):
                    at += step
                    continue
                if token.kind == "word" and token.key in ("and", "to", "or", "versus", "then", "against"):
                    at += step
                    continue
                break
        return False

    def _epochs(self, position: int | None) -> tuple[tuple[EpochSpan, ...], bool]:
        """The epochs that a number is of, and whether that is sure."""
        own = self.epoch_tokens
        if not own:
            return self.lead_epochs, True
        if AROUND_EPOCH.search(self.sentence.text[: own[0].start]):
            return (), False
        if len(own) == 1:
            return own[0].epochs, len(own[0].epochs) == 1 and own[0].epochs[0][0] == own[0].epochs[0][1]
        if position is not None:
            after = self.tokens[position + 1 : position + 4]
            near = next((t for t in after if t.kind == "epoch"), None)
            words = [t for t in after[: after.index(near)] if t.kind != "epoch"] if near is not None else []
            if near is not None and all(t.key in ("at", "in", "by", "(", "@", "of") for t in words):
                return near.epochs, False
            earlier = [t for t in own if t.start < self.tokens[position].start]
            if earlier:
                return earlier[-1].epochs, False
        return tuple(span for token in own for span in token.epochs), False

    def _run_beside(self, position: int | None) -> About | None:
        """The run right before a number: "run2 (-0.02)", "run2: -0.02"."""
        if position is None:
            return None
        at = position - 1
        while at >= 0 and self.tokens[at].kind == "mark" and self.tokens[at].key in "(:=":
            at -= 1
        token = self.tokens[at] if 0 <= at < position - 1 else None
        if token is None or token.kind != "run":
            return None
        text = self.sentence.text[: token.start]
        alone = not re.search(r"\b(?:than|vs\.?)\s+$", text)
        return About(runs=(token.key,), certain=alone)
