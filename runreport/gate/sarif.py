"""SARIF 2.1.0 (OASIS), the part of it that code-scanning pages show: a result a finding, in the file that shows it."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from runreport.findings import Severity
from runreport.gate.record import Check, Status, Verdict, overall
from runreport.marks import clean
from runreport.rules.base import Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
LEVELS = {Severity.CRITICAL: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
STATES = {"new": "new", "unchanged": "unchanged", "worse": "updated"}
OWN = {
    "criteria": "A success criterion is not met",
    "baseline": "A figure is worse than the baseline's, beyond noise",
}
"""What a result is called that comes from no rule of the catalogue, by the start of its id."""


def sarif(verdicts: Sequence[Verdict], rules: Sequence[Rule], version: str) -> str:
    """One SARIF run over all training runs.

    Results are findings of every severity, criteria that are not met and figures that became worse; what could not be
    judged is a notification of the invocation. With a baseline each result says whether it is new.
    """
    found = [(verdict, check) for verdict in verdicts for check in verdict.checks if _is_result(check)]
    ids = list(dict.fromkeys(check.id for _, check in found))
    places = {name: i for i, name in enumerate(ids)}
    known = {rule.id: rule for rule in rules}
    notes = [
        {"level": "error", "message": {"text": _message(v, c)}, "descriptor": {"id": clean(c.id)}}
        for v in verdicts
        for c in v.having(Status.UNKNOWN)
    ]
    with_baseline = any(v.beside is not None for v in verdicts)
    document = {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "runreport",
                        "version": version,
                        "rules": [_descriptor(name, known.get(name)) for name in ids],
                    }
                },
                "invocations": [
                    {
                        # False only where the tool itself could not do its work; findings are its work.
                        "executionSuccessful": not notes,
                        "exitCode": overall(verdicts).value,
                        **({"toolExecutionNotifications": notes} if notes else {}),
                    }
                ],
                "columnKind": "unicodeCodePoints",
                "results": [
                    _result(v, c, places[c.id], mark, with_baseline)
                    for (v, c), mark in zip(found, _fingerprints(found), strict=True)
                ],
            }
        ],
    }
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    # A file name of other bytes than UTF-8 holds lone surrogates, which JSON can only hold escaped.
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _is_result(check: Check) -> bool:
    return check.severity is not None or check.status is Status.FAILED


def _descriptor(name: str, rule: Rule | None) -> dict[str, Any]:
    if rule is None:
        words = OWN.get(name.partition(".")[0], "A check of runreport")
        return {"id": clean(name), "shortDescription": {"text": words}}
    help_text = f"{rule.meaning} What is computed: {rule.statistic} What to do: {rule.remedy}"
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.meaning},
        "help": {"text": help_text},
        "properties": {"tags": ["regression", "training"]},
    }


def _result(verdict: Verdict, check: Check, index: int, fingerprint: str, with_baseline: bool) -> dict[str, Any]:
    level = LEVELS[check.severity] if check.severity is not None else "error"
    path = check.path or verdict.path
    result: dict[str, Any] = {
        "ruleId": clean(check.id),
        "ruleIndex": index,
        "level": level,
        "message": {"text": _message(verdict, check)},
        "partialFingerprints": {"runreport/v1": fingerprint},
        "properties": {"run": clean(verdict.name), "stops": check.status is Status.FAILED},
    }
    if path is not None:
        result["locations"] = [_location(path, check.line)]
    if with_baseline:
        result["baselineState"] = STATES[check.state] if check.state is not None else "new"
    return result


def _message(verdict: Verdict, check: Check) -> str:
    return f"{clean(verdict.name)}: {check.message}"


def _location(path: Path, line: int | None) -> Mapping[str, Any]:
    """The file, from the checkout's root where it lies below; line 1 where no line is known, as code scanning needs one."""
    text = path.as_posix()
    uri = quote(text, safe="/", errors="surrogateescape")
    if path.is_absolute():
        uri = f"file://{uri if uri.startswith('/') else '/' + uri}"
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line or 1}}}


def _fingerprints(found: Sequence[tuple[Verdict, Check]]) -> list[str]:
    """The same from one training to the next, so that a finding that stays is one alert and not many: of the run's name,
    the rule, and which of its findings it is. Its words and its epoch change with every training."""
    count: Counter[tuple[str, str]] = Counter()
    marks = []
    for verdict, check in found:
        key = (verdict.name, check.id)
        count[key] += 1
        text = f"{verdict.name}\0{check.id}\0{count[key]}"
        marks.append(hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()[:32])
    return marks
