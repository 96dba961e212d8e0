"""What a page calls highest, lowest, best or worst: among the epochs of a run, or among runs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

from runreport.verify.context import About, hypothetical_heading
from runreport.verify.facts import Epoch, Facts
from runreport.verify.numbers import agrees
from runreport.verify.page import Sentence
from runreport.verify.reading import EpochSpan
from runreport.verify.record import Claim, Kind, Verdict
from runreport.verify.scope import (
    HIGHEST,
    JUDGED,
    LOOSE_NAMES,
    LOWEST,
    OF_EPOCHS,
    OF_RUNS,
    not_of_all_epochs,
    not_of_all_runs,
    strange_word,
    whole_count_blanked,
)
from runreport.verify.tokens import Lexicon, Token
from runreport.verify.values import shorten
from runreport.verify.vocabulary import DELTA, HYPOTHETICAL, better, is_share, label
from runreport.wording import epoch as epoch_words
from runreport.wording import listing, percent

Direction = Literal["high", "low"]
QUALIFIED = re.compile(
    r"\b(?:so far|until|local|second|third|next|one of|nearly|almost|not|never|since|tied|joint|among the first|"
    r"of the (?:first|last)|between|per|each|any|if|than the|(?:by|after|before|from|past|within|since) epoch)\b",
    re.IGNORECASE,
)
"""Words that make "best" something else than the best of all."""
COLUMN = {"pred_spread": "pred_range", "loss": "val_loss"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Extreme:
    """A page's own claim that an epoch has the lowest or highest figure of its run."""

    run: str
    metric: str
    direction: Direction
    epoch: Epoch
    line: int


@dataclass(slots=True)
class Extremes:
    """What the page itself calls an extreme, and the runs that it names: a run that it leaves out refutes no "best"."""

    claims: list[Extreme] = field(default_factory=list)
    runs_named: set[str] = field(default_factory=set)

    def of(self, run: str, metric: str, direction: Direction) -> Extreme | None:
        """The first such claim of the page."""
        return next((e for e in self.claims if (e.run, e.metric, e.direction) == (run, metric, direction)), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """An extreme word with its metric; metric is None where none is named, direction where it has none.

    beside
        Whether the metric stands beside the word; else it is the only one of the sentence, as in "R² = 0.1 (best of all)".
    """

    word: str
    metric: str | None
    direction: Direction | None
    start: int
    beside: bool = True


def said(tokens: Sequence[Token], runs_log_ratio: bool) -> Iterator[Said]:
    """The extreme words of a text, each with the metric that follows ("lowest val loss") or comes before it."""
    metrics = {t.key for t in tokens if t.kind == "metric"}
    for position, token in enumerate(tokens):
        if token.kind not in ("word", "statistic"):
            continue
        word = {"max": "maximum", "min": "minimum"}.get(token.key, token.key)
        if word not in HIGHEST | LOWEST | JUDGED:
            continue
        metric = _following(tokens, position, runs_log_ratio) or _preceding(tokens, position, runs_log_ratio)
        beside = metric is not None
        if metric is None and len(metrics) == 1 and word in JUDGED:
            metric = next(iter(metrics))
        yield Said(word=word, metric=metric, direction=_direction(word, metric), start=token.start, beside=beside)


def _following(tokens: Sequence[Token], position: int, loose: bool) -> str | None:
    for token in tokens[position + 1 : position + 4]:
        if token.kind == "metric":
            return token.key
        if loose and token.key in LOOSE_NAMES:
            return LOOSE_NAMES[token.key]
        if token.kind != "split" and token.key not in ("published", "logged", "single"):
            return None
    return None


def _preceding(tokens: Sequence[Token], position: int, loose: bool) -> str | None:
    for at in range(position - 1, max(position - 6, -1), -1):
        token = tokens[at]
        if token.kind == "metric":
            return token.key
        if loose and token.key in LOOSE_NAMES:
            return LOOSE_NAMES[token.key]
        if token.key not in ("was", "is", "at", "its", "the", "a"):
            return None
    return None


def _direction(word: str, metric: str | None) -> Direction | None:
    if word in HIGHEST:
        return "high"
    if word in LOWEST:
        return "low"
    good = better(metric) if metric is not None else None
    if good is None:
        return None
    return good if word == "best" else ("low" if good == "high" else "high")


def judge_extreme_words(
    text: str, line: int, whose: About, epochs: Sequence[EpochSpan], facts: Facts, lexicon: Lexicon, extremes: Extremes
) -> Iterator[Claim]:
    """Words of a table's cell about the epoch of its row: "lowest val loss", "saved", "best epoch"."""
    if len(epochs) != 1 or not whose.certain or len(whose.runs) != 1:
        return
    epoch, run = epochs[0][0], whose.runs[0]
    tokens = lexicon.tokens(text)
    for found in said(tokens, _logs_ratio(facts, whose.runs)):
        if found.metric == "saved_epoch":
            continue
        if found.metric is not None and found.beside and not QUALIFIED.search(text):
            yield _epoch_claim(run, found, epoch, text, line, facts, extremes, tokens)
    saved = facts.analyses[run].context.saved_epoch
    if re.search(r"\b(?:saved|selected|best epoch)\b", text, re.IGNORECASE) and saved is not None:
        same = epoch == saved
        named = {t.key for t in tokens if t.kind == "metric"}
        by_metric = re.search(r"best epoch", text, re.IGNORECASE) and named - {"saved_epoch"}
        if not same and (strange_word(tokens) or by_metric or QUALIFIED.search(text) or DELTA.search(text)):
            return
        yield Claim(
            line=line, kind=Kind.SUPERLATIVE, verdict=Verdict.SUPPORTED if same else Verdict.CONTRADICTED,
            text=shorten(f"epoch {epoch_words(epoch)}: {text}"), reason=f"{run} saved epoch {epoch_words(saved)}",
            right=None if same else float(saved), about={"run": run, "metric": "saved epoch"},
        )  # fmt: skip


def judge_superlatives(
    sentence: Sentence,
    tokens: Sequence[Token],
    whose: About,
    lead: Sequence[EpochSpan],
    facts: Facts,
    extremes: Extremes,
) -> Iterator[Claim]:
    """Every superlative of a sentence."""
    text, tokens = whole_count_blanked(sentence.text, tokens, len(facts.runs))
    spans = [span for t in tokens if t.kind == "epoch" for span in t.epochs] or list(lead)
    one_epoch = len(spans) == 1 and spans[0][0] == spans[0][1]
    for found in said(tokens, _logs_ratio(facts, whose.runs)):
        if found.metric == "saved_epoch" or HYPOTHETICAL.search(text) or hypothetical_heading(sentence.headings):
            continue
        before = text[max(0, found.start - 12) : found.start]
        if QUALIFIED.search(text) or (
            re.search(r"\b(?:at|not)\s+(?:the\s+)?$", before) and found.word in ("best", "least")
        ):
            continue
        of_runs = bool(OF_RUNS.search(text)) and not OF_EPOCHS.search(text)
        if of_runs or (not one_epoch and _names_a_winner(tokens, found)):
            yield _unless_open(_runs_claim(found, sentence, whose, facts, extremes, tokens), found, text, tokens, facts)
        elif one_epoch and found.metric is not None and found.beside and whose.certain and len(whose.runs) == 1:
            yield _epoch_claim(whose.runs[0], found, spans[0][0], text, sentence.line, facts, extremes, tokens)
    if re.search(r"\bstill best\b|\bgold standard\b", text, re.IGNORECASE) and not any(
        f.metric for f in said(tokens, runs_log_ratio=False)
    ):
        reason = "best by which metric is not said; " + _bests(facts, extremes)
        yield Claim(
            line=sentence.line, kind=Kind.SUPERLATIVE, verdict=Verdict.NOT_CHECKABLE, text=shorten(text), reason=reason
        )


def _names_a_winner(tokens: Sequence[Token], found: Said) -> bool:
    """ "Highest R²: run2", "run2 has the highest R²": one run, and no other text between."""
    runs = {t.key for t in tokens if t.kind == "run"}
    return len(runs) == 1 and found.metric is not None and found.beside


def _unless_open(claim: Claim, found: Said, text: str, tokens: Sequence[Token], facts: Facts) -> Claim:
    """A contradicted claim, not checkable where it may be the best of something else than all runs' final figures."""
    if claim.verdict is not Verdict.CONTRADICTED:
        return claim
    why = not_of_all_runs(found.start, text, tokens) or _another_figure(tokens, found, facts, claim.about.get("run"))
    why = why or _of_another_split(tokens, facts, claim.about.get("run"))
    if not why:
        return claim
    return replace(claim, verdict=Verdict.NOT_CHECKABLE, right=None, reason=f"{why}; of all runs, {claim.reason}")


def _follows(tokens: Sequence[Token], found: Said) -> bool:
    """Whether the metric follows its word: "the highest R² of all runs is ..." is of no run in particular."""
    return any(t.kind == "metric" and t.start > found.start for t in tokens)


def _another_figure(tokens: Sequence[Token], found: Said, facts: Facts, run: str | None) -> str:
    """Why a number beside the claim shows that it is of another figure than the run's final one; empty where it does not."""
    final = _final(facts, run, found.metric) if run is not None and found.metric is not None else None
    numbers = [t.number for t in tokens if t.number is not None]
    if final is None or not numbers or any(agrees(n, final, share=is_share(found.metric or "")) for n in numbers):
        return ""
    return f"{numbers[0].text} is not its final figure, so it may be the best of its epochs"


def _of_another_split(tokens: Sequence[Token], facts: Facts, run: str | None) -> str:
    """Why final figures do not answer a sentence about another split; empty where it names none."""
    final = facts.analyses[run].final if run is not None else None
    other = next((t.key for t in tokens if t.kind == "split" and (final is None or t.key != final.split)), None)
    return f"the figures of all runs are not of the {other} set" if other else ""


def _logs_ratio(facts: Facts, runs: Sequence[str]) -> bool:
    return any(facts.of(run, "variance_ratio") for run in runs)


def words_of(value: float, metric: str) -> str:
    """A figure in words."""
    return percent(value) if metric == "variance_ratio" else f"{value:.4g}"


def _epoch_claim(
    run: str,
    found: Said,
    epoch: Epoch,
    text: str,
    line: int,
    facts: Facts,
    extremes: Extremes,
    tokens: Sequence[Token],
) -> Claim:
    """Whether an epoch has the extreme of its run's log."""
    metric = found.metric or ""
    direction = found.direction
    about = {"run": run, "metric": metric, "epoch": epoch_words(epoch)}
    worst_ratio = direction is None and metric == "variance_ratio" and found.word == "worst"
    if worst_ratio:
        direction = "low"  # what people mean; whether a narrow spread is a fault is another question
    history = facts.analyses[run].history
    series = history.finite(COLUMN.get(metric, metric)) if history is not None else []
    shown = shorten(text)

    def claim(verdict: Verdict, reason: str, right: float | None = None) -> Claim:
        return Claim(
            line=line, kind=Kind.SUPERLATIVE, verdict=verdict, text=shown, reason=reason, right=right, about=about
        )

    if direction is None:
        return claim(
            Verdict.NOT_CHECKABLE,
            _no_best(metric),
        )
    if not any(e == epoch for e, _ in series):
        return claim(Verdict.NOT_CHECKABLE, f"no {label(metric)} of epoch {epoch_words(epoch)} in the log of {run}")
    extremes.claims.append(Extreme(run=run, metric=metric, direction=direction, epoch=epoch, line=line))
    own = next(v for e, v in series if e == epoch)
    best_epoch, best = (max if direction == "high" else min)(series, key=lambda pair: pair[1])
    word = "highest" if direction == "high" else "lowest"
    if best != own:
        why = not_of_all_epochs(text, tokens)
        if why:
            return claim(Verdict.NOT_CHECKABLE, f"{why}; the {word} of all is of epoch {epoch_words(best_epoch)}")
        reason = f"the {word} {label(metric)} is {words_of(best, metric)} (epoch {epoch_words(best_epoch)}); epoch "
        return claim(
            Verdict.CONTRADICTED, f"{reason}{epoch_words(epoch)} has {words_of(own, metric)}", float(best_epoch)
        )
    gaps = facts.gaps(run)
    if gaps is not None:
        reason = (
            f"{word} of the {gaps[0]} epochs in the log ({words_of(own, metric)}); {gaps[1] - gaps[0]} are not in it"
        )
        return claim(Verdict.NOT_CHECKABLE, reason)
    return claim(Verdict.SUPPORTED, f"{word} {label(metric)} of {len(series)} epochs: {words_of(own, metric)}")


def _runs_claim(
    found: Said, sentence: Sentence, whose: About, facts: Facts, extremes: Extremes, tokens: Sequence[Token]
) -> Claim:
    """Whether a run has the extreme of all runs."""
    text, metric = shorten(sentence.text), found.metric

    def claim(verdict: Verdict, reason: str, right: float | None = None) -> Claim:
        about = {"metric": metric} if metric else {}
        if len(named) == 1:
            about["run"] = named[0]
        return Claim(
            line=sentence.line, kind=Kind.SUPERLATIVE, verdict=verdict, text=text, reason=reason, right=right,
            about=about,
        )  # fmt: skip

    own = list(dict.fromkeys(t.key for t in tokens if t.kind == "run"))
    named = own if len(own) == 1 else list(whose.runs if whose.certain else ())
    if metric is None:
        return claim(Verdict.NOT_CHECKABLE, "best by which metric is not said; " + _bests(facts, extremes))
    if len(named) != 1 or (not own and _follows(tokens, found)):
        return claim(Verdict.NOT_CHECKABLE, "which run it is said of is not plain")
    if found.direction is None:
        return claim(
            Verdict.NOT_CHECKABLE,
            _no_best(metric),
        )
    sign = 1.0 if found.direction == "high" else -1.0
    values = {r: v for r in facts.runs if (v := _final(facts, r, metric)) is not None}
    if named[0] not in values or len(values) < 2:
        return claim(Verdict.NOT_CHECKABLE, f"no {label(metric)} of {named[0]} and of another run in the logs")
    word = "highest" if found.direction == "high" else "lowest"
    best = max(values, key=lambda r: sign * values[r])
    own_value = values[named[0]]
    ahead = [r for r in values if sign * values[r] > sign * own_value]
    if not ahead:
        return claim(Verdict.SUPPORTED, f"{word} {label(metric)} of {len(values)} runs: {words_of(own_value, metric)}")
    also = f"{named[0]} has {words_of(own_value, metric)}"
    seen = [r for r in ahead if r in extremes.runs_named]
    if not seen:
        reason = f"{listing(ahead, most=3)}, which the page does not name, has {words_of(values[best], metric)}; {also}"
        return claim(Verdict.NOT_CHECKABLE, reason)
    top = max(seen, key=lambda r: sign * values[r])
    reason = f"the {word} {label(metric)} is {words_of(values[top], metric)} ({top}); {also}"
    return claim(Verdict.CONTRADICTED, reason, values[top])


def _no_best(metric: str) -> str:
    return f"{label(metric)} has no best" + (": it is best at the correlation r" if metric == "variance_ratio" else "")


def _final(facts: Facts, run: str, metric: str) -> float | None:
    final = facts.analyses[run].final
    if final is None:
        return None
    if metric == "absolute_bias":
        return None if final["bias"] is None else abs(final["bias"])
    return final[metric]


def _bests(facts: Facts, extremes: Extremes) -> str:
    """Which run is first in each metric that has a direction: "R²: run2, MAE: run3"."""
    parts = []
    for metric, sign in (("r2", 1.0), ("mae", -1.0), ("rmse", -1.0)):
        values = {r: v for r in facts.runs if r in extremes.runs_named and (v := _final(facts, r, metric)) is not None}
        if len(values) > 1:
            parts.append(f"{label(metric)}: {max(values, key=lambda r: sign * values[r])}")
    return "first are " + ", ".join(parts) if parts else "no figures of several runs"
