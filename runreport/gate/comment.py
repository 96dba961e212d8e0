"""A verdict as Markdown: the body of a pull-request comment, and the summary of a build's step."""

from __future__ import annotations

import re
from collections.abc import Sequence

from runreport.findings import Severity
from runreport.gate.baseline import is_worse, signed
from runreport.gate.judge import Gate
from runreport.gate.lines import judged, others, told
from runreport.gate.record import READ, Beside, Check, Code, Verdict
from runreport.marks import CODE, CODE_END, clean, code, strong
from runreport.report.markdown import cell, escape
from runreport.report.terminal import first_sentence
from runreport.wording import fixed, interval, listing, percent, plural

MARKER = "<!-- runreport -->"
"""First line of a comment: by it the next build finds the comment that it should replace."""
MOST_RUNS = 50
"""Rows of the table."""
MOST_DETAILED = 10
"""Runs whose findings are written out; with their sentences cut to :data:`MOST_CHARACTERS` a comment stays far below the
65,536 characters that GitHub takes."""
MOST_CHECKS = 8
MOST_CHARACTERS = 400
WORDS = {Code.PASSED: "passed", Code.FAILED: strong("failed"), Code.UNKNOWN: strong("could not be judged")}
_ACTIVE = re.compile(r"[^\s`]*(?:@|#\d|://|www\.)[^\s`]*")
"""Words that a page would turn into a mention, a reference or a link."""


def comment(verdicts: Sequence[Verdict], gate: Gate) -> str:
    """The comment's body: marker first, then :func:`summary`."""
    return f"{MARKER}\n{summary(verdicts, gate)}"


def summary(verdicts: Sequence[Verdict], gate: Gate) -> str:
    """A row a run, then for each run that did not pass what it was, and what it changed against the baseline."""
    with_baseline = any(v.beside is not None for v in verdicts)
    blocks = [f"### {_text(_title(verdicts))}", _table(verdicts[:MOST_RUNS], with_baseline)]
    if len(verdicts) > MOST_RUNS:
        blocks.append(f"{plural(len(verdicts) - MOST_RUNS, 'more run')} not shown.")
    telling = [v for v in verdicts if v.code is not Code.PASSED or (v.beside is not None and len(verdicts) == 1)]
    blocks += [_details(v) for v in telling[:MOST_DETAILED]]
    if len(telling) > MOST_DETAILED:
        blocks.append(f"{plural(len(telling) - MOST_DETAILED, 'more run')} did not pass: see the log.")
    blocks.append(_folded(verdicts))
    blocks.append(f"<sub>{_rule_of_game(gate)}</sub>")
    return "\n\n".join(block for block in blocks if block) + "\n"


def _title(verdicts: Sequence[Verdict]) -> str:
    failed = sum(v.code is Code.FAILED for v in verdicts)
    unknown = sum(v.code is Code.UNKNOWN for v in verdicts)
    if not failed and not unknown:
        return f"runreport: {plural(len(verdicts), 'run')} passed" if verdicts else "runreport: nothing to judge"
    parts = [f"{failed} failed"] if failed else []
    parts += [f"{unknown} could not be judged"] if unknown else []
    return f"runreport: of {plural(len(verdicts), 'run')} {listing(parts)}"


def _table(verdicts: Sequence[Verdict], with_baseline: bool) -> str:
    header = ["run", "verdict", "R²", "std ratio", "set"]
    align = ["---", "---", "--:", "--:", "---"]
    if with_baseline:
        header, align = [*header, "R² against the baseline", "new findings"], [*align, "---", "---"]
    rows = [_row(v, with_baseline) for v in verdicts]
    lines = [header, align, *([_cell(text) for text in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _row(verdict: Verdict, with_baseline: bool) -> list[str]:
    where = f"{verdict.split}, n = {verdict.n}" if verdict.split and verdict.n else verdict.split or ""
    row = [
        code(_short(verdict.name, 80)),
        WORDS[verdict.code],
        fixed(verdict.r2) if verdict.r2 is not None else "",
        percent(verdict.variance_ratio) if verdict.variance_ratio is not None else "",
        where,
    ]
    if with_baseline:
        read = all(c.id != READ for c in verdict.checks)
        new = listing([code(c) for c in _new(verdict)], most=3) or "none"
        row += [_change(verdict.beside), new] if read else ["", ""]
    return row


def _new(verdict: Verdict) -> list[str]:
    """Rules with a finding above plain information that the baseline does not have, or not as severely."""
    return list(
        dict.fromkeys(
            c.id
            for c in verdict.checks
            if c.state in ("new", "worse") and c.severity is not None and c.severity is not Severity.INFO
        )
    )


def _change(beside: Beside | None) -> str:
    if beside is None:
        return "is the baseline"
    change = next((c for c in beside.changes if c.metric == "r2"), None)
    if beside.refused is not None or change is None or change.p_value is None:
        return "cannot be told"
    bounds = f" {interval(change.interval, 3)}" if change.interval is not None else ""
    word = "within noise" if not change.told else strong("worse") if is_worse(change) else "better"
    return f"{signed(change)}{bounds}, {word}"


def _details(verdict: Verdict) -> str:
    lines = [f"{_text(strong(code(_short(verdict.name, 80))))}: {_text(_short(verdict.title, 300))}", ""]
    checks = tuple(c for c in told(verdict) if c.id != READ)  # the title says it already
    lines += [f"- {_check(c)}" for c in checks[:MOST_CHECKS]]
    if len(checks) > MOST_CHECKS:
        lines.append(f"- {plural(len(checks) - MOST_CHECKS, 'more')}: see the log")
    found = verdict.beside
    if found is not None:
        lines += [f"- {_text(c.message)}" for c in verdict.checks if c.kind == "baseline" and c not in checks]
        if found.gone:
            lines.append(f"- Gone since {_text(code(found.name))}: {_text(listing([code(r) for r in found.gone]))}")
        if found.settings:
            changed = [f"{code(key)} {clean(before)} → {clean(after)}" for key, before, after in found.settings]
            lines.append(f"- Settings: {_text(listing(changed, most=6))}")
    if verdict.next_step is not None and verdict.code is not Code.PASSED:
        lines.append(f"- {_text(strong('Next step:'))} {_text(verdict.next_step)}")
    return "\n".join(lines)


def _check(check: Check) -> str:
    state = f" ({check.state})" if check.state in ("new", "worse") else ""
    severity = f"{check.severity.value} " if check.severity is not None else ""
    return f"{severity}{_text(code(check.id))}{state}: {_text(_short(first_sentence(check.message), MOST_CHARACTERS))}"


def _folded(verdicts: Sequence[Verdict]) -> str:
    """What stops nothing, a line a run, folded away."""
    lines = []
    for verdict in verdicts[:MOST_RUNS]:
        rest = others(verdict)
        if not rest:
            continue
        rules = listing([f"{code(c.id)} ({c.severity})" for c in rest], most=MOST_CHECKS)
        lines.append(f"- {_text(code(_short(verdict.name, 80)))}: {_text(rules)}; {judged(verdict)}")
    if not lines:
        return ""
    body = "\n".join(lines)
    return f"<details><summary>Findings that stop nothing</summary>\n\n{body}\n\n</details>"


def _rule_of_game(gate: Gate) -> str:
    """What makes a run fail here."""
    which = {
        Severity.CRITICAL: "a critical finding",
        Severity.WARNING: "a finding of warning or above",
        Severity.INFO: "any finding",
    }[gate.fail_on]
    reasons = [which if gate.baseline is None else f"{which} that the baseline has not"]
    if gate.baseline is not None:
        reasons.append("a figure worse than the baseline's beyond its noise")
    if gate.tiers:
        reasons.append(f"a criterion of {listing([code(name) for name in gate.tiers])} that is not met")
    return f"Fails on {_text(listing(reasons, 'or'))}."


def _short(text: str, most: int) -> str:
    text = clean(text)
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _text(text: str) -> str:
    """Marked text as Markdown that mentions nobody and links nowhere, whatever a log held."""
    return escape(_inert(text))


def _cell(text: str) -> str:
    return cell(_inert(text))


def _inert(text: str) -> str:
    """Words that a page would act on, as code; what already is code stays.

    >>> escape(_inert("ask @team about #12"))
    'ask `@team` about `#12`'
    """
    parts = re.split(f"({CODE}[^{CODE_END}]*{CODE_END})", text)
    return "".join(part if i % 2 else _ACTIVE.sub(lambda m: code(m[0]), part) for i, part in enumerate(parts))
