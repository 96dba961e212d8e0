"""JUnit XML in the form that Jenkins, GitLab, Azure and others read (the xunit plugin's junit-10.xsd)."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from runreport.gate.lines import judged, mark
from runreport.gate.record import Check, Status, Verdict
from runreport.marks import clean

SUITE = "runreport"


def junit(verdicts: Sequence[Verdict]) -> str:
    """A suite a run, a case for each rule, criterion tier and figure compared.

    Failed: ``failure``. Could not be judged: ``error``. No data for the rule: ``skipped``. Findings that stop nothing
    are in the passing case's output. Same verdicts, same bytes: no clock and no host is in it.
    """
    root = ET.Element("testsuites", {"name": SUITE})
    totals = {"tests": 0, "failures": 0, "errors": 0}
    for verdict in verdicts:
        suite = ET.SubElement(root, "testsuite")
        cases = _grouped(verdict.checks)
        worst = [_worst(checks) for checks in cases.values()]
        counts = {
            "tests": len(worst),
            "failures": worst.count(Status.FAILED),
            "errors": worst.count(Status.UNKNOWN),
        }
        for key, value in counts.items():
            totals[key] += value
        suite.attrib |= {"name": _text(verdict.name) or "run"} | {k: str(v) for k, v in counts.items()}
        suite.set("skipped", str(worst.count(Status.SKIPPED)))
        for name, checks in cases.items():
            _case(suite, verdict, name, checks)
        ET.SubElement(suite, "system-out").text = _text(f"{verdict.title}. {judged(verdict)}.")
    root.attrib |= {key: str(value) for key, value in totals.items()}
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, encoding="unicode") + "\n"


def _grouped(checks: Sequence[Check]) -> dict[str, list[Check]]:
    """The checks by their id: a rule may have several findings, and a case's name should be the only one of its name."""
    grouped: dict[str, list[Check]] = {}
    for check in checks:
        grouped.setdefault(check.id, []).append(check)
    return grouped


def _worst(checks: Sequence[Check]) -> Status:
    order = (Status.FAILED, Status.UNKNOWN, Status.PASSED, Status.SKIPPED)
    return min((c.status for c in checks), key=order.index)


def _case(suite: ET.Element, verdict: Verdict, name: str, checks: Sequence[Check]) -> None:
    case = ET.SubElement(suite, "testcase", {"classname": f"{SUITE}.{_text(verdict.name)}", "name": _text(name)})
    status = _worst(checks)
    counted = [c for c in checks if c.status is status]
    if status is Status.PASSED:
        found = [c for c in counted if c.severity is not None or c.kind != "rule"]
        if found:
            ET.SubElement(case, "system-out").text = _lines(found)
        return
    element = {Status.FAILED: "failure", Status.UNKNOWN: "error", Status.SKIPPED: "skipped"}[status]
    severity = counted[0].severity
    kind = severity.value if severity is not None else counted[0].kind
    inner = ET.SubElement(case, element, {"type": kind, "message": _text(counted[0].message)})
    if status is not Status.SKIPPED:
        inner.text = _lines(counted)


def _lines(checks: Sequence[Check]) -> str:
    lines = []
    for check in checks:
        where = "" if check.path is None else f" [{check.path.as_posix()}{f':{check.line}' if check.line else ''}]"
        lines.append(_text(f"{mark(check)}: {check.message}{where}"))
    return "\n".join(lines)


def _text(text: str) -> str:
    """Text that XML 1.0 can hold: a control character has no escape there, and one would make the file unreadable."""
    return clean(text)
