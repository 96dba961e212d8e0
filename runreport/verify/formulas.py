"""A penalty on variances beside a "variance ratio" that is a ratio of standard deviations: the two differ by a square."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from runreport.verify.facts import Facts
from runreport.verify.numbers import agrees, find_numbers
from runreport.verify.page import Page
from runreport.verify.record import Claim, Kind, Verdict
from runreport.verify.values import shorten
from runreport.wording import percent

OF_VARIANCES = re.compile(
    r"\(\s*1(?:\.0)?\s*-\s*(?P<inner>[^()]*(?:\([^()]*\)[^()]*)*?(?:var|σ_?p?²|sigma\w*\s*\*\*\s*2)[^()]*(?:\([^()]*\)[^()]*)*?)\)"
    r"\s*(?:²|\*\*\s*2|\^\s*2)",
    re.IGNORECASE,
)
"""(1 - pred_var/target_var)²: one minus a quotient of variances, squared."""
INSERTED = re.compile(
    r"\(\s*1(?:\.0)?\s*[-−]\s*(?P<ratio>0?\.\d+)\s*\)\s*(?:²|\^2|\*\*2)\s*(?:=|≈)\s*(?P<result>\d*\.\d+)"
)


def judge_formulas(page: Page, facts: Facts, runs: Sequence[str]) -> Iterator[Claim]:
    """What is said of such a penalty: its name, and what a std ratio put into it gives."""
    formula = _formula(page)
    if formula is None or not _is_of_deviations(facts, runs):
        return
    line, text = formula
    says_ratio = any("variance ratio" in s.text.lower() for s in page.sentences)
    if not says_ratio:
        return
    example = _example(facts, runs)
    yield Claim(
        line=line,
        kind=Kind.FORMULA,
        verdict=Verdict.NOT_CHECKABLE,
        text=shorten(text),
        reason=(
            "two quantities under one name: the formula takes a ratio of variances, the page's variance ratio is a ratio of "
            f"standard deviations (σp/σt, {example}); what goes in is its square"
        ),
    )
    for sentence in page.sentences:
        found = INSERTED.search(sentence.text)
        if found is None:
            continue
        ratio = float(found["ratio"])
        written = next(iter(find_numbers(found["result"])), None)
        if written is None or not _is_a_logged_ratio(found["ratio"], facts, runs):
            continue
        right = (1 - ratio**2) ** 2
        same = agrees(written, right)
        reason = (
            f"{percent(ratio, 0)} is a ratio of standard deviations and the formula on line {line} takes variances: "
            f"(1 - {ratio:g}²)² = {right:.3f}"
        )
        yield Claim(
            line=sentence.line, kind=Kind.FORMULA, verdict=Verdict.SUPPORTED if same else Verdict.CONTRADICTED,
            text=shorten(sentence.text), reason=reason, written=written.text, right=None if same else right,
        )  # fmt: skip


def _formula(page: Page) -> tuple[int, str] | None:
    """(line, text) of the first penalty on variances, in code or prose."""
    lines = [(code.line + i, line) for code in page.code for i, line in enumerate(code.lines)]
    lines += [(s.line, s.text) for s in page.sentences]
    for line, text in lines:
        found = OF_VARIANCES.search(text)
        if found is not None and not re.search(r"std|sqrt|ratio", found["inner"], re.IGNORECASE):
            return line, text.strip()
    return None


def _is_of_deviations(facts: Facts, runs: Sequence[str]) -> bool:
    """Whether the logged ratio is σp/σt and not σp²/σt², by the logged deviations; True where only the ratio is logged."""
    for run in runs:
        final = facts.analyses[run].final
        ratio, pred, true = (
            final[n] if final is not None else None for n in ("variance_ratio", "pred_std", "true_std")
        )
        if ratio is not None and pred is not None and true:
            return abs(ratio - pred / true) < abs(ratio - (pred / true) ** 2)
    return bool(runs)


def _is_a_logged_ratio(text: str, facts: Facts, runs: Sequence[str]) -> bool:
    """Whether the number put in is a std ratio of these logs: not one of their squares."""
    written = next(iter(find_numbers(text)), None)
    if written is None:
        return False
    ratios = [f for run in runs for f in facts.of(run, "variance_ratio") if f.metric == "variance_ratio"]
    return any(f.is_written(written) for f in ratios)


def _example(facts: Facts, runs: Sequence[str]) -> str:
    for run in runs:
        final = facts.analyses[run].final
        if final is None:
            continue
        ratio, pred, true = (final[n] for n in ("variance_ratio", "pred_std", "true_std"))
        if ratio is not None and pred is not None and true:
            return f"{pred:.4g}/{true:.4g} = {percent(ratio)}, of variances {percent(ratio**2)}"
        if ratio is not None:
            return f"{percent(ratio)}, of variances {percent(ratio**2)}"
    return "as runreport's logs define it"
