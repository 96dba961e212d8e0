"""A verdict as lines of plain text: what a person and a build log see."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from runreport.findings import Severity
from runreport.gate.record import READ, SELF, Check, Code, Status, Verdict, overall
from runreport.marks import clean
from runreport.wording import listing, plural

WORDS = {Code.PASSED: "pass", Code.FAILED: "FAIL", Code.UNKNOWN: "CANNOT JUDGE"}


def told(verdict: Verdict) -> tuple[Check, ...]:
    """The checks that a reader must see: what failed, what could not be judged."""
    return verdict.having(Status.FAILED, Status.UNKNOWN)


def others(verdict: Verdict) -> tuple[Check, ...]:
    """Findings that stop nothing, without the plain information."""
    return tuple(c for c in verdict.having(Status.PASSED) if c.severity is not None and c.severity is not Severity.INFO)


def run_lines(verdict: Verdict) -> Iterator[str]:
    """One run: the verdict, what failed or could not be judged, and what else there is."""
    word = WORDS[verdict.code]
    # A verdict's word stands first, so that no run's name begins a line and is read as a command by a build system.
    yield f"{word} {clean(verdict.name)}: {clean(verdict.title)}"
    for check in told(verdict):
        if check.id == READ:  # the title says it already
            continue
        yield f"     {clean(mark(check))}: {clean(check.message)}"
    rest = others(verdict)
    if rest:
        names = listing(
            [f"{c.id} ({c.severity}{', as in the baseline' if c.state == 'unchanged' else ''})" for c in rest]
        )
        yield f"     stops nothing: {names}"
    yield from (f"     {check.message}" for check in verdict.having(Status.PASSED) if check.id == SELF)
    if verdict.beside is not None:
        for check in verdict.having(Status.PASSED):
            if check.kind == "baseline":
                yield f"     {check.message}"
        if verdict.beside.gone:
            yield f"     gone since {verdict.beside.name}: {listing(list(verdict.beside.gone))}"


def mark(check: Check) -> str:
    """What kind of check it is, in a word or two.

    >>> mark(Check(kind="rule", id="bias.dominates", status=Status.FAILED, message="", severity=Severity.CRITICAL))
    'critical bias.dominates'
    """
    if check.severity is None:
        return check.id
    return f"{check.severity.value} {check.id}" + (f" ({check.state})" if check.state in ("new", "worse") else "")


def judged(verdict: Verdict) -> str:
    """How many rules could be judged.

    >>> judged(Verdict(name="a", title="", checks=()))
    '0 rules judged, 0 not (no data for them)'
    """
    rules = {c.id for c in verdict.checks if c.kind == "rule" and c.status in (Status.PASSED, Status.FAILED)}
    skipped = len(verdict.having(Status.SKIPPED))
    return f"{plural(len(rules), 'rule')} judged, {skipped} not (no data for them)"


def last_line(verdicts: Sequence[Verdict]) -> str:
    """How many runs passed, and the exit code."""
    counts = [
        f"{count} {word}"
        for code, word in (
            (Code.PASSED, "passed"),
            (Code.FAILED, "failed"),
            (Code.UNKNOWN, "could not be judged"),
        )
        if (count := sum(v.code is code for v in verdicts))
    ]
    runs = plural(len(verdicts), "run")
    return f"{runs}: {', '.join(counts) or 'nothing to judge'} (exit code {overall(verdicts).value})"
