"""A verification as JSON, as Markdown, and as lines for a terminal or another program."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from runreport.report.json import jsonable
from runreport.report.markdown import cell
from runreport.verify.record import Claim, Kind, Verdict, Verification
from runreport.wording import listing, plural

MOST_UNCHECKED = 8
"""Figures that could not be checked, shown without ``--all``: they tell what a page should say more plainly, no more."""
FIGURES = (Kind.VALUE, Kind.INTERVAL, Kind.ARITHMETIC)


def document(found: Verification, page: str) -> dict[str, Any]:
    """The verification in plain JSON types."""
    whole: dict[str, Any] = jsonable(
        {
            "page": page,
            "about": found.subject,
            "runs": list(found.runs),
            "supported": found.count(Verdict.SUPPORTED),
            "contradicted": found.count(Verdict.CONTRADICTED),
            "not_checkable": found.count(Verdict.NOT_CHECKABLE),
            "code_lines_passed_over": found.code_lines,
            "claims": [
                {
                    "line": c.line,
                    "kind": c.kind.value,
                    "verdict": c.verdict.value,
                    "text": c.text,
                    "written": c.written or None,
                    "right": c.right,
                    "reason": c.reason,
                    "about": dict(c.about),
                }
                for c in found.claims
            ],
        }
    )
    return whole


def markdown(found: Verification, page: str) -> str:
    """What is contradicted and what could not be checked, as tables; what is supported is counted."""
    lines = [f"## {heading(found, page)}", "", summary(found) + "."]
    for verdict, title in (
        (Verdict.CONTRADICTED, "Contradicted by the logs"),
        (Verdict.NOT_CHECKABLE, "Not checkable"),
    ):
        claims = _of(found.claims, verdict)
        if claims:
            lines += ["", f"### {title}", "", "| line | claim | written | what the logs say |", "|---:|---|---|---|"]
            lines += [f"| {c.line} | {cell(c.text)} | {cell(c.written)} | {cell(c.reason)} |" for c in claims]
    return "\n".join(lines) + "\n"


def plain_lines(found: Verification, page: str, *, everything: bool) -> Iterator[str]:
    """A line a claim, ``page:line: verdict: ...``, as compilers write them, and a last line that counts."""
    for claim in found.claims:
        if everything or claim.verdict is not Verdict.SUPPORTED:
            written = f"{claim.written}: " if claim.written else ""
            yield f"{page}:{claim.line}: {claim.verdict.value}: {written}{claim.reason} [{claim.text}]"
    yield f"{page}: {summary(found)}"


def heading(found: Verification, page: str) -> str:
    """The page, and what it was checked against."""
    about = f"about {found.subject}, " if found.subject is not None else ""
    return f"{page}: {about}checked against {listing(found.runs, most=6)}"


def summary(found: Verification) -> str:
    """The three counts."""
    counts = [f"{found.count(verdict)} {verdict.value}" for verdict in Verdict]
    passed = f"; {plural(found.code_lines, 'line')} of code passed over" if found.code_lines else ""
    return ", ".join(counts) + passed


def judgements(found: Verification) -> list[Claim]:
    """Courses, superlatives, comparisons and formulas that the logs do not bear out: what a reader should know first."""
    return [c for c in _of(found.claims, Verdict.NOT_CHECKABLE) if c.kind not in FIGURES]


def figures(found: Verification, *, everything: bool) -> tuple[Sequence[Claim], int]:
    """(figures that could not be checked and are shown, how many more there are)."""
    claims = [c for c in _of(found.claims, Verdict.NOT_CHECKABLE) if c.kind in FIGURES]
    shown = claims if everything else claims[:MOST_UNCHECKED]
    return shown, len(claims) - len(shown)


def _of(claims: Sequence[Claim], verdict: Verdict) -> list[Claim]:
    return [c for c in claims if c.verdict is verdict]
