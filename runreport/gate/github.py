"""Workflow commands of GitHub Actions: annotations, and the pause that keeps text from logs from being one."""

from __future__ import annotations

import secrets
from collections.abc import Sequence

from runreport.findings import Severity
from runreport.gate.record import Check, Status, Verdict
from runreport.marks import clean

MOST_ANNOTATIONS = 10
"""Annotations of a level that GitHub keeps of a step; the summary holds all."""


def annotation_lines(verdicts: Sequence[Verdict]) -> list[str]:
    """A command an annotation: errors for what failed or could not be judged, warnings for other findings."""
    errors = [
        _command("error", verdict, check)
        for verdict in verdicts
        for check in (*verdict.having(Status.FAILED), *verdict.having(Status.UNKNOWN))
    ]
    warnings = [
        _command("warning", verdict, check)
        for verdict in verdicts
        for check in verdict.having(Status.PASSED)
        if check.severity is not None and check.severity is not Severity.INFO
    ]
    return [*errors[:MOST_ANNOTATIONS], *warnings[:MOST_ANNOTATIONS]]


def _command(level: str, verdict: Verdict, check: Check) -> str:
    path = check.path or verdict.path
    properties = {"file": clean(path.as_posix()) if path is not None else None, "line": check.line}
    properties["title"] = f"{clean(verdict.name)}: {clean(check.id)}"
    text = ",".join(f"{key}={escape_property(value)}" for key, value in properties.items() if value is not None)
    return f"::{level} {text}::{escape_data(clean(check.message))}"


def escape_data(text: object) -> str:
    """The message of a workflow command on one line, its percent signs kept.

    >>> escape_data("5 %\\nof it")
    '5 %25%0Aof it'
    """
    return str(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escape_property(text: object) -> str:
    """A property of a workflow command: commas and colons would end it.

    >>> escape_property("a,b:c")
    'a%2Cb%3Ac'
    """
    return escape_data(text).replace(":", "%3A").replace(",", "%2C")


def pause() -> tuple[str, str]:
    """The commands that stop and resume the reading of commands; between them a name in a log cannot be one.

    The word that resumes is drawn anew each time, so no log can hold it.
    """
    word = secrets.token_hex(16)
    return f"::stop-commands::{word}", f"::{word}::"
