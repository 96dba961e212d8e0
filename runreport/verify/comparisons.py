"""What a page says is better or higher than something else: another run, or the epochs after the saved one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runreport.analysis.record import Analysis
from runreport.selection.declared import final_count, validation_count
from runreport.selection.r2_difference import figures_at, standard_error_range
from runreport.verify.context import About, hypothetical_heading, mentions
from runreport.verify.facts import Epoch, Facts
from runreport.verify.page import Sentence
from runreport.verify.record import Claim, Kind, Verdict
from runreport.verify.superlatives import words_of
from runreport.verify.tokens import Token
from runreport.verify.values import inside, shorten
from runreport.verify.vocabulary import DELTA, HARMLESS, HYPOTHETICAL, better, is_share, label, words
from runreport.wording import epoch as epoch_words
from runreport.wording import fixed, listing

LATER = re.compile(
    r"\b(?:later epochs?|epochs? \d+(?:\+|\s?[-–]\s?\d+)?|(?:the )?(?:last|final) epochs?)\b[^.;:]{0,25}?\b(?:were|was|is|are)\b"
    r"[^.;:]{0,12}?\b(?P<word>better|worse)\b",
    re.IGNORECASE,
)
THAN = re.compile(
    r"\b(?P<word>better|worse|higher|lower|larger|smaller|greater)\b(?P<between>[^.;:()]{0,30}?)\bthan\s+(?:the\s+)?$|"
    r"\b(?P<beats>beats|outperforms|outperformed|surpass(?:es|ed))\s+$",
    re.IGNORECASE,
)
COMPARING = words("than larger smaller greater beats outperforms outperformed surpasses surpassed")
OTHER_FIGURES = words(
    "best worst highest lowest first initial last start started starts beginning saved selected epoch epochs"
)
"""Words that make a figure another than the final one."""
DEFAULTS = ("r2", "mae", "rmse")
"""What "better" is read by where no metric is named: all of these must agree."""
SAME = 0.05
"""Level of the paired tests, after Holm: that of `runreport.compare.engine`."""


def judge_comparisons(
    sentence: Sentence,
    tokens: Sequence[Token],
    whose: About,
    facts: Facts,
    default: str | None,
) -> Iterator[Claim]:
    """Every comparison of a sentence."""
    if HYPOTHETICAL.search(sentence.text) or hypothetical_heading(sentence.headings) is not None:
        return
    later = LATER.search(sentence.text)
    if later is not None and len(whose.runs) == 1:
        yield _later(sentence, tokens, whose.runs[0], facts, later["word"].lower())
    named = mentions(sentence.text, tokens)
    for token in tokens:
        if token.kind != "run":
            continue
        found = THAN.search(sentence.text[: token.start])
        if found is None:
            continue
        first = named.subjects[0] if len(named.subjects) == 1 else default
        if len(named.subjects) > 1 or first is None or first == token.key:
            continue
        yield _runs(sentence, tokens, first, token.key, (found["word"] or "better").lower(), facts)


def _later(sentence: Sentence, tokens: Sequence[Token], run: str, facts: Facts, word: str) -> Claim:
    """ "Later epochs were better": by R², against the saved epoch, and whether that can be told from chance."""
    analysis = facts.analyses[run]
    history, saved = analysis.history, analysis.context.saved_epoch
    about = {"run": run, "metric": "r2"}
    text = shorten(sentence.text)

    def claim(verdict: Verdict, reason: str) -> Claim:
        return Claim(line=sentence.line, kind=Kind.COMPARISON, verdict=verdict, text=text, reason=reason, about=about)

    if history is None or saved is None or history.at(saved, "r2") is None:
        return claim(Verdict.NOT_CHECKABLE, f"no R² of the saved epoch in the log of {run}")
    spans = [span for t in tokens if t.kind == "epoch" for span in t.epochs]
    compared = [
        e for e, _ in history.finite("r2") if e != saved and (any(inside(e, s) for s in spans) if spans else e > saved)
    ]
    if not compared:
        return claim(Verdict.NOT_CHECKABLE, "none of these epochs is in the log")
    facts_of = [_epoch_difference(analysis, saved, e) for e in compared]
    proven = [f for f in facts_of if f[1] == ("worse" if word == "better" else "better")]
    agreed = [f for f in facts_of if f[1] == word]
    shown = "; ".join(f[0] for f in facts_of[:3])
    gaps = facts.gaps(run)
    if len(agreed) == len(facts_of) and gaps is None:
        return claim(Verdict.SUPPORTED, shown)
    if len(proven) == len(facts_of) and gaps is None:
        return claim(Verdict.CONTRADICTED, shown)
    missing = f"; {gaps[1] - gaps[0]} of {gaps[1]} epochs are not in the log" if gaps else ""
    return claim(Verdict.NOT_CHECKABLE, f"not distinguishable: {shown}{missing}")


def _epoch_difference(analysis: Analysis, saved: Epoch, epoch: Epoch) -> tuple[str, str]:
    """(the difference in words, "better", "worse" or "" where chance can make it)."""
    history = analysis.history
    if history is None:
        return "", ""
    one, two = history.at(saved, "r2") or 0.0, history.at(epoch, "r2") or 0.0
    delta = two - one
    words = f"R² {fixed(two, 4)} at epoch {epoch_words(epoch)} against {fixed(one, 4)} at the saved epoch {epoch_words(saved)}"
    loss = history.at(epoch, "val_loss"), history.at(saved, "val_loss")
    if loss[0] is not None and loss[1] is not None and loss[0] != loss[1]:
        words += f" (val loss {'higher' if loss[0] > loss[1] else 'lower'})"
    count = validation_count(analysis.run) or final_count(analysis.run)
    first, second = figures_at(history, saved), figures_at(history, epoch)
    if count is None or first is None or second is None:
        return f"{words}, and no basis for its noise", ""
    errors = standard_error_range(first, second, count)
    if errors is None:
        return f"{words}, and no basis for its noise", ""
    words += f": ΔR² {fixed(delta, 3)}, standard error {fixed(errors[0], 3)} to {fixed(errors[1], 3)} at n = {count}"
    if abs(delta) <= 2 * errors[1]:
        return words, ""
    return words, "better" if delta > 0 else "worse"


def _runs(sentence: Sentence, tokens: Sequence[Token], first: str, second: str, word: str, facts: Facts) -> Claim:
    """ "A is better than B": by the metric that is named, else by all of :data:`DEFAULTS`."""
    metrics = list(dict.fromkeys(t.key for t in tokens if t.kind == "metric" and (better(t.key) or is_share(t.key))))
    text = shorten(sentence.text)
    about = {"run": first, "against": second} | ({"metric": metrics[0]} if len(metrics) == 1 else {})

    def claim(verdict: Verdict, reason: str) -> Claim:
        return Claim(line=sentence.line, kind=Kind.COMPARISON, verdict=verdict, text=text, reason=reason, about=about)

    if len(metrics) > 1:
        return claim(Verdict.NOT_CHECKABLE, "by which of the metrics it names is not plain")
    asked = metrics or list(DEFAULTS)
    compared = [_figures(facts, first, second, metric, word) for metric in asked]
    known = [c for c in compared if c is not None]
    if not known:
        if metrics and word in ("better", "worse") and better(metrics[0]) is None:
            return claim(Verdict.NOT_CHECKABLE, f"{label(metrics[0])} has no better and no worse; name one that has")
        return claim(Verdict.NOT_CHECKABLE, f"no {listing(asked, 'or')} of both {first} and {second} in the logs")
    shown = "; ".join(words for words, _ in known)
    if all(holds for _, holds in known):
        noise = _noise(facts, first, second, asked[0])
        told_apart = noise is None or noise[1]
        reason = shown + ("" if noise is None else f"; {noise[0]}")
        return claim(Verdict.SUPPORTED if told_apart else Verdict.NOT_CHECKABLE, reason)
    wishful = DELTA.search(sentence.text) or not metrics or _of_other_figures(tokens, facts, first)
    if not any(holds for _, holds in known) and not wishful:
        return claim(Verdict.CONTRADICTED, shown)
    return claim(Verdict.NOT_CHECKABLE, f"by which metric is not said: {shown}" if not metrics else shown)


def _of_other_figures(tokens: Sequence[Token], facts: Facts, run: str) -> bool:
    """Whether a comparison may be of other figures than the final ones: another split, an epoch, a word not understood."""
    final = facts.analyses[run].final
    for token in tokens:
        if token.kind in ("epoch", "other-run", "statistic") or token.key in (*OTHER_FIGURES, "saved_epoch"):
            return True
        if token.kind == "word" and token.key not in HARMLESS and token.key not in COMPARING:
            return True
        if token.kind == "split" and (final is None or token.key != final.split):
            return True
    return False


def _figures(facts: Facts, first: str, second: str, metric: str, word: str) -> tuple[str, bool] | None:
    """(the two figures in words, whether they stand in the order that is told); None where one is not known."""
    finals = facts.analyses[first].final, facts.analyses[second].final
    a, b = (f[metric] if f is not None else None for f in finals)
    good = better(metric)
    if a is None or b is None or (word in ("better", "worse") and good is None):
        return None
    words = f"{label(metric)} {words_of(a, metric)} ({first}) against {words_of(b, metric)} ({second})"
    upward = word in ("higher", "larger", "greater") or (
        (word == "better") == (good == "high") and word in ("better", "worse")
    )
    return words, a > b if upward else a < b


def _noise(facts: Facts, first: str, second: str, metric: str) -> tuple[str, bool] | None:
    """(what the paired test says, whether it tells the two apart); None where there was none."""
    comparison = facts.comparison
    paired = comparison.paired if comparison is not None else None
    if comparison is None or paired is None or comparison.refused or metric not in ("r2", "pearson_r", "mae"):
        return ("whether that is more than noise was not tested", True) if comparison is not None else None
    if first not in paired.names or second not in paired.names:
        return "whether that is more than noise was not tested", True
    one, two = sorted((first, second), key=paired.names.index)
    p = paired.difference(one, two, metric).p_holm
    if p is None:
        return "whether that is more than noise was not tested", True
    if p < SAME:
        return f"told apart by the paired test (p = {p:.2g}, Holm)", True
    return f"the paired test does not tell them apart (p = {p:.2g}, Holm)", False
