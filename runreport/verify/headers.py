"""What the columns and row labels of a table stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from runreport.verify.context import mentions
from runreport.verify.tokens import Lexicon, Token
from runreport.verify.vocabulary import DELTA, HARMLESS, HYPOTHETICAL

ColumnKind = Literal[
    "run-key", "epoch-key", "split-key", "metric-key", "criterion", "metric", "run", "value", "interval", "subject",
    "delta", "pick", "text", "label",
]  # fmt: skip
RUN_KEY = re.compile(r"(?:run|model|experiment|exp|name|run name|trial|id|#)s?\.?", re.IGNORECASE)
EPOCH_KEY = re.compile(r"(?:epoch|ep|epochs?|epoch #)\.?", re.IGNORECASE)
PICK = re.compile(r"(?:picks?|picked|chosen|selects?|selected)(?: epoch)?", re.IGNORECASE)
VALUE = re.compile(r"(?:values?|results?|scores?|has|measured|actual|final|current|achieved|figure)", re.IGNORECASE)
INTERVAL = re.compile(r"(?:9\d ?% )?(?:confidence )?(?:intervals?|cis?)", re.IGNORECASE)
CRITERION = re.compile(r"(?:asks?|criteri(?:on|a)|threshold|target|goal|requirement)s?", re.IGNORECASE)
METRIC_KEY = re.compile(
    r"(?:metric|measure|quantity|statistic|setting|parameter|hyperparameter|hparam|)s?", re.IGNORECASE
)
END_OF_INTERVAL = re.compile(
    r"\b(?:lower|upper|low|high|higher|lo|hi|lb|ub|lcl|ucl)\b|\w\S*\s*[(\[_ ](?:min|max)(?:imum)?[)\]]?$|\b\d+(?:\.\d+)?\s?%",
    re.IGNORECASE,
)
"""What makes a column or a row an end of an interval, whose method and level are not known."""
THERE = re.compile(r"\b(?:there|at that epoch|at (?:best|saved) epoch)$", re.IGNORECASE)
ROLES = {
    "best": frozenset({"best", "saved", "highest", "lowest"}),
    "final": frozenset({"final", "last"}),
    "last": frozenset({"last"}),
    "first": frozenset({"first"}),
    "initial": frozenset({"first"}),
    "saved": frozenset({"saved"}),
    "selected": frozenset({"saved"}),
    "min": frozenset({"lowest"}),
    "minimum": frozenset({"lowest"}),
    "lowest": frozenset({"lowest"}),
    "max": frozenset({"highest"}),
    "maximum": frozenset({"highest"}),
    "highest": frozenset({"highest"}),
    "peak": frozenset({"highest"}),
}
"""What a word before a metric narrows it to."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """What a header or a row label says its numbers are of.

    plain
        Whether it says nothing that was not understood: else its numbers are not held against the logs.
    """

    kind: ColumnKind
    metric: str | None = None
    split: str | None = None
    roles: frozenset[str] = frozenset()
    run: str | None = None
    subject: str | None = None
    statistic: str | None = None
    there: bool = False
    plain: bool = True
    why: str = ""


def read_header(text: str, lexicon: Lexicon, *, first: bool) -> Label:
    """What a column holds, by its header."""
    bare = text.strip().strip("`*_").strip()
    for pattern, kind in ((RUN_KEY, "run-key"), (EPOCH_KEY, "epoch-key"), (INTERVAL, "interval"), (PICK, "pick")):
        if pattern.fullmatch(bare):
            return Label(kind=kind)  # type: ignore[arg-type]
    if re.fullmatch(r"picks epoch", bare, re.IGNORECASE):
        return Label(kind="pick")
    if CRITERION.fullmatch(bare):
        return Label(kind="criterion")
    if bare.lower() in ("split", "set", "dataset split"):
        return Label(kind="split-key")
    if METRIC_KEY.fullmatch(bare) and (first or bare):
        return Label(kind="metric-key" if first or bare else "text")
    if VALUE.fullmatch(bare):
        return Label(kind="value")
    tokens = lexicon.tokens(bare)
    if first and bare.lower() in ("difference", "pair", "runs compared"):
        return Label(kind="label")
    if bare.startswith("Δ") or bare.lower().startswith(("delta", "difference", "change")):
        # "ΔR²" is one word: the metric is found without its Δ.
        metric = next((t.key for t in lexicon.tokens(bare.lstrip("Δ ")) if t.kind == "metric"), None)
        return Label(kind="delta", metric=metric)
    named = mentions(bare, tokens)
    if len(named.all) == 1 and all(t.kind in ("run", "mark") or t.key in HARMLESS for t in tokens):
        return Label(kind="run", run=named.all[0])
    return _measured(bare, tokens, first=first)


def _measured(bare: str, tokens: Sequence[Token], *, first: bool) -> Label:
    """A header that names a metric, a subject or a split."""
    metrics = [t for t in tokens if t.kind == "metric"]
    splits = [t.key for t in tokens if t.kind == "split"]
    split = splits[0] if len(splits) == 1 else None
    if first and split is not None:
        return Label(kind="metric-key", split=split)
    strange = [t.key for t in tokens if t.kind in ("word", "other-run", "run") and t.key not in HARMLESS]
    strange = [w for w in strange if w not in ("there", *ROLES)]
    if len(metrics) == 1:
        roles: frozenset[str] = frozenset()
        for token in tokens:
            if token.kind in ("word", "statistic") and token.key in ROLES:
                roles = roles | ROLES[token.key]
        strange += [t.key for t in tokens if t.kind in ("statistic", "subject") and t.key not in ROLES]
        why = _why(bare, strange)
        return Label(
            kind="metric", metric=metrics[0].key, split=split or metrics[0].split, roles=roles,
            there=bool(THERE.search(bare)), plain=not why, why=why,
        )  # fmt: skip
    subjects = [t.key for t in tokens if t.kind == "subject"]
    statistics = [t.key for t in tokens if t.kind == "statistic"]
    if len(subjects) == 1 and not metrics and not statistics and not strange:
        return Label(kind="subject", subject=subjects[0])
    if len(statistics) == 1 and not metrics and not subjects and not strange:
        return Label(kind="subject", statistic=statistics[0])
    if len(splits) == 1 and not metrics and not strange:
        return Label(kind="value", split=split)
    return Label(kind="label" if first else "text", plain=False, why=f"the column {bare!r} was not understood")


def _why(bare: str, strange: Sequence[str]) -> str:
    if END_OF_INTERVAL.search(bare):
        return f"{bare!r} is an end of an interval, whose method is not known"
    if strange:
        return f"{bare!r} says more than could be read ({strange[0]!r})"
    found = HYPOTHETICAL.search(bare) or DELTA.search(bare)
    return f"{found[0]!r} in {bare!r} makes it another figure" if found else ""


def read_row_label(text: str, lexicon: Lexicon) -> Label:
    """What a row is of, where its label names a metric, a statistic or a setting."""
    bare = text.strip().strip("`*_").strip()
    tokens = lexicon.tokens(bare)
    metrics = [t for t in tokens if t.kind == "metric"]
    strange = [t.key for t in tokens if t.kind in ("word", "other-run") and t.key not in (*HARMLESS, *ROLES)]
    splits = [t.key for t in tokens if t.kind == "split"]
    split = splits[0] if len(splits) == 1 else None
    named = mentions(bare, tokens)
    if len(named.subjects) == 1 and not metrics:
        return Label(kind="run", run=named.subjects[0], plain=not strange)
    if len(metrics) == 1:
        roles: frozenset[str] = frozenset()
        for token in tokens:
            if token.kind in ("word", "statistic") and token.key in ROLES:
                roles = roles | ROLES[token.key]
        why = _why(bare, strange)
        return Label(
            kind="metric", metric=metrics[0].key, split=split or metrics[0].split, roles=roles, plain=not why, why=why
        )
    statistics = [t.key for t in tokens if t.kind == "statistic"]
    subjects = [t.key for t in tokens if t.kind == "subject"]
    if not metrics and statistics and not strange:
        statistic = "spread" if "spread" in statistics else statistics[0]
        return Label(kind="subject", statistic=statistic, subject=subjects[0] if len(set(subjects)) == 1 else None)
    if not metrics and len(set(subjects)) == 1 and not strange:
        return Label(kind="subject", subject=subjects[0])
    return Label(kind="text", plain=False, why=f"the row {bare!r} names neither a run of these logs nor a metric")
