"""A finding as a report shows it: its sentence, its rule, and the numbers behind it as tables."""

from __future__ import annotations

from collections.abc import Mapping

from runreport.findings import Finding, Value
from runreport.marks import clean, code
from runreport.report.model import Evidence, FindingItem, Table, table
from runreport.wording import number, percent

MOST_ROWS = 60
"""Rows of a table of evidence; the JSON holds all."""
MOST_ITEMS = 12
"""Items of a list written out in a cell."""


def finding_item(finding: Finding) -> FindingItem:
    """The finding with its rule's meaning and its evidence."""
    tested = finding.q_value is not None and finding.severity.rank >= 1
    note = f"false discovery rate {_rate(finding.q_value)}" if tested and finding.q_value is not None else ""
    return FindingItem(
        message=finding.message,
        severity=finding.severity.value,
        rule=finding.rule,
        note=note,
        meaning=_meaning(finding.rule),
        evidence=evidence(finding.evidence),
    )


def evidence(found: Mapping[str, Value]) -> Evidence:
    """Single values as one table; lists of records as tables of their own."""
    values: list[list[str]] = []
    tables: list[tuple[str, Table]] = []
    for name, value in found.items():
        records = [row for row in value if isinstance(row, dict)] if isinstance(value, list) else []
        if records and isinstance(value, list) and len(records) == len(value):
            columns = list(dict.fromkeys(key for row in records for key in row))
            body = [[_text(row.get(c)) for c in columns] for row in records[:MOST_ROWS]]
            tables.append((code(name), table([clean(c).replace("_", " ") for c in columns], body)))
        elif isinstance(value, dict):
            values += [[code(f"{name}.{key}"), _text(inner)] for key, inner in value.items()]
        else:
            values.append([code(name), _text(value)])
    return Evidence(values=table(["name", "value"], values) if values else None, tables=tuple(tables))


def _text(value: Value) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return number(value, 5)
    if isinstance(value, list):
        shown = ", ".join(_text(v) for v in value[:MOST_ITEMS])
        more = f", and {len(value) - MOST_ITEMS} more" if len(value) > MOST_ITEMS else ""
        return f"{shown}{more}" if value else "none"
    if isinstance(value, dict):
        return ", ".join(f"{clean(k)}: {_text(v)}" for k, v in value.items())
    return clean(value)


def _meaning(rule: str) -> str:
    """What the rule says when it fires, from the catalogue; empty for one that is not in it."""
    from runreport.rules.registry import all_rules

    return next((r.meaning for r in all_rules() if r.id == rule), "")


def _rate(q: float) -> str:
    return "< 0.1 %" if q < 0.001 else percent(q, 1)
