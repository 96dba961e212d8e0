"""The numbers behind a finding as tables: single values, records, and what is unknown."""

from __future__ import annotations

from runreport.findings import Finding, Severity
from runreport.marks import code, plain
from runreport.report.sections.evidence import MOST_ITEMS, MOST_ROWS, evidence, finding_item


def test_single_values_and_records_stand_apart() -> None:
    found = evidence(
        {
            "slope": 1e-06,
            "epochs": 450.0,
            "held": True,
            "unknown": None,
            "undefined": float("nan"),
            "list": list(range(20)),
            "nested": {"low": 0.25, "high": None},
            "by_range": [{"range": "< 1", "n": 3, "interval": [0.5, 1.5]}, {"range": "≥ 1", "n": 4, "mean": -0.125}],
            "empty": [],
        }
    )
    assert found.values is not None
    values = {plain(name): value for name, value in found.values.rows}
    assert values == {
        "slope": "1e-06", "epochs": "450", "held": "yes", "unknown": "unknown", "undefined": "n/a", "empty": "none",
        "list": f"{', '.join(str(i) for i in range(MOST_ITEMS))}, and {20 - MOST_ITEMS} more",
        "nested.low": "0.25", "nested.high": "unknown",
    }  # fmt: skip
    ((name, table),) = found.tables
    assert name == code("by_range")
    assert table.header == ("range", "n", "interval", "mean")
    assert table.rows == (("< 1", "3", "0.5, 1.5", "unknown"), ("≥ 1", "4", "unknown", "-0.125"))


def test_long_tables_are_cut_and_nothing_gives_no_table() -> None:
    ((_, table),) = evidence({"rows": [{"n": i} for i in range(500)]}).tables
    assert len(table.rows) == MOST_ROWS
    assert evidence({}).values is None


def test_an_item_carries_its_rules_meaning_and_its_test() -> None:
    finding = Finding(rule="spread.over", severity=Severity.CRITICAL, message="Too wide.", p_value=1e-5, q_value=1e-4)
    item = finding_item(finding)
    assert (item.severity, item.rule, item.note) == ("critical", "spread.over", "false discovery rate < 0.1 %")
    assert len(item.meaning) > 40
    other = finding_item(Finding(rule="no.such-rule", severity=Severity.INFO, message="x", q_value=0.2))
    assert (other.meaning, other.note) == ("", "")
