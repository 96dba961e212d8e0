"""What the gate writes: valid by the published schemas, and inert whatever a name holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import pytest
import xmlschema
from markdown_it import MarkdownIt

from runreport.analysis.record import Analysis
from runreport.criteria.spec import Tier
from runreport.findings import Severity
from runreport.gate.comment import MARKER, comment, summary
from runreport.gate.github import annotation_lines, pause
from runreport.gate.judge import Gate, judge_run, unreadable
from runreport.gate.junit import junit
from runreport.gate.lines import run_lines
from runreport.gate.record import Check, Status, Verdict
from runreport.gate.sarif import sarif
from runreport.ingest.load import load_runs
from runreport.rules.registry import all_rules

Made = Callable[..., Path]
Analysed = Callable[..., Analysis]
MakeTier = Callable[..., Tier]
SCHEMAS = Path(__file__).parent / "schemas"
HOSTILE = (
    "::error::x\n::set-env name=A::b ##[add-mask]c @team #12 <b onclick=1>|`*_ ]]> & \x00\x1b[31m\ufffe\udcff "
    "https://a.example %0A"
)


def hostile_verdicts() -> list[Verdict]:
    checks = (
        Check(
            kind="rule",
            id="bias.dominates",
            status=Status.FAILED,
            message=HOSTILE,
            severity=Severity.CRITICAL,
            path=Path(HOSTILE.replace("/", "-").replace("\x00", "")),
            line=3,
        ),
        Check(kind="criterion", id=f"criteria.{HOSTILE}", status=Status.FAILED, message=HOSTILE),
        Check(kind="baseline", id="baseline.figures", status=Status.UNKNOWN, message=HOSTILE),
        Check(kind="rule", id="data.few", status=Status.SKIPPED, message=HOSTILE),
        Check(kind="rule", id="loss.spike", status=Status.PASSED, message=HOSTILE, severity=Severity.WARNING),
    )
    return [Verdict(name=HOSTILE, title=HOSTILE, checks=checks, next_step=HOSTILE)]


@pytest.fixture
def verdicts(made: Made, analysed: Analysed, tier: MakeTier) -> list[Verdict]:
    """One of each kind: passed, failed by findings, criteria and figures, unreadable."""
    tiers = (tier("high", "r2 > 0.99", "mape over training < 3"),)
    gate = Gate(tiers=("high",), baseline=analysed(made("before")), fail_on=Severity.CRITICAL)
    good = judge_run(analysed(made("same", seed=2)), Gate(baseline=gate.baseline))
    bad = judge_run(analysed(made("bad", noise=1.2, shift=3.0, seed=3), tiers), gate)
    (error,) = load_runs(["nothere.csv"])
    assert isinstance(error, Exception)
    return [good, bad, unreadable(error)]


def parsed_junit(verdicts: Sequence[Verdict]) -> ET.Element:
    text = junit(verdicts)
    xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd")).validate(text)
    return ET.fromstring(text)


def parsed_sarif(verdicts: Sequence[Verdict]) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(sarif(verdicts, all_rules(), "1.0"), parse_constant=pytest.fail)
    schema = json.loads((SCHEMAS / "sarif-schema-2.1.0.json").read_text(encoding="utf-8"))
    jsonschema.Draft4Validator(schema, format_checker=jsonschema.FormatChecker()).validate(document)
    return document


def test_junit_is_valid_and_counts_what_it_holds(verdicts: list[Verdict]) -> None:
    root = parsed_junit(verdicts)
    suites = root.findall("testsuite")
    assert [s.get("name") for s in suites] == ["same", "bad", "nothere.csv"]
    for suite in suites:
        cases = suite.findall("testcase")
        names = [c.get("name") for c in cases]
        assert len(set(names)) == len(names) == int(suite.get("tests", ""))
        for attribute, element in (("failures", "failure"), ("errors", "error"), ("skipped", "skipped")):
            assert len(suite.findall(f"testcase/{element}")) == int(suite.get(attribute, ""))
    assert root.get("failures") == str(sum(len(s.findall("testcase/failure")) for s in suites))
    assert suites[0].get("failures") == suites[0].get("errors") == "0"
    failed = {c.get("name") for c in suites[1].findall("testcase") if c.find("failure") is not None}
    assert {"bias.dominates", "criteria.high", "baseline.r2"} <= failed
    assert suites[2].find("testcase/error") is not None


def test_junit_fails_the_schema_where_it_is_wrong() -> None:
    schema = xmlschema.XMLSchema(str(SCHEMAS / "junit-10.xsd"))
    assert not schema.is_valid('<testsuites><testsuite name="a"><testcase/></testsuite></testsuites>')


def test_sarif_is_valid_and_says_what_is_new(verdicts: list[Verdict]) -> None:
    document = parsed_sarif(verdicts)
    (run,) = document["runs"]
    rules = run["tool"]["driver"]["rules"]
    assert len({r["id"] for r in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    bias = next(r for r in run["results"] if r["ruleId"] == "bias.dominates" and r["properties"]["run"] == "bad")
    assert (bias["level"], bias["baselineState"], bias["properties"]["stops"]) == ("error", "new", True)
    assert bias["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "bad.csv"
    prints = [json.dumps(r["partialFingerprints"]) for r in run["results"]]
    assert len(set(prints)) == len(prints)
    (invocation,) = run["invocations"]
    assert invocation["executionSuccessful"] is False
    assert invocation["exitCode"] == 2
    assert "no such file" in invocation["toolExecutionNotifications"][-1]["message"]["text"]
    alone = parsed_sarif(verdicts[:1])["runs"][0]
    assert alone["invocations"][0]["executionSuccessful"] is True
    assert alone["invocations"][0]["exitCode"] == 0


def test_nothing_to_say_is_valid_too() -> None:
    parsed_junit([])
    parsed_sarif([])
    assert "nothing to judge" in comment([], Gate())


def test_annotations_stand_on_one_line_each(verdicts: list[Verdict]) -> None:
    lines = annotation_lines(verdicts)
    assert any(line.startswith("::error file=bad.csv,title=bad%3A bias.dominates::") for line in lines)
    assert all(re.fullmatch(r"::(error|warning) (\w+=[^:,\n]*,?)+::[^\n\r]*", line) for line in lines)
    assert not [line for line in lines if "same" in line.partition("::")[0]]


def test_the_comment_shows_every_run_and_its_change(verdicts: list[Verdict]) -> None:
    tokens = MarkdownIt("commonmark").enable("table").parse(text := comment(verdicts, Gate()))
    assert text.startswith(f"{MARKER}\n### runreport: of 3 runs 1 failed and 1 could not be judged\n")
    assert sum(t.type == "tr_open" for t in tokens) == 4
    assert "`bad`" in text
    assert "within noise" in text
    assert "**worse**" in text
    assert "`bias.dominates` (new)" in text


def test_a_comment_stays_below_what_a_page_takes(verdicts: list[Verdict]) -> None:
    many = [verdicts[1]] * 200
    text = comment(many, Gate())
    assert len(text) < 60_000
    assert "150 more runs not shown" in text
    assert "190 more runs did not pass" in text


def test_hostile_names_in_xml_and_json() -> None:
    root = parsed_junit(hostile_verdicts())
    assert "::error::x ::set-env" in (root.find("testsuite") or root).get("name", "")
    result = parsed_sarif(hostile_verdicts())["runs"][0]["results"][0]
    uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    assert re.fullmatch(r"[A-Za-z0-9%._~/-]+", uri)


def test_hostile_names_start_no_command() -> None:
    for line in annotation_lines(hostile_verdicts()):
        assert re.fullmatch(r"::(error|warning) (\w+=[^:,\n\r]*,?)+::[^\n\r]*", line)
    printed = [line for verdict in hostile_verdicts() for line in run_lines(verdict)]
    assert len(printed) > 3
    for line in printed:
        assert not line.lstrip().startswith("::")
        assert line.isprintable()


def test_commands_are_paused_with_a_word_that_no_log_can_hold() -> None:
    (stop, resume), other = pause(), pause()
    word = stop.removeprefix("::stop-commands::")
    assert resume == f"::{word}::"
    assert len(word) == 32
    assert (stop, resume) != other


def test_hostile_names_make_no_markup() -> None:
    for text in (comment(hostile_verdicts(), Gate(tiers=(HOSTILE,))), summary(hostile_verdicts(), Gate())):
        body = text.removeprefix(f"{MARKER}\n")
        tokens = MarkdownIt("commonmark").enable("table").parse(body)
        kinds = {child.type for token in tokens for child in token.children or ()}
        assert "link_open" not in kinds
        assert "image" not in kinds
        blocks = [t.content.strip() for t in tokens if t.type == "html_block"]
        inline = {c.content for t in tokens for c in t.children or () if c.type == "html_inline"}
        assert set(blocks) <= {"<details><summary>Findings that stop nothing</summary>", "</details>"}
        assert inline <= {"<sub>", "</sub>"}
        words = " ".join(c.content for t in tokens for c in t.children or () if c.type == "text")
        assert not re.search(r"@\w|#\d|://", words)


def test_hostile_names_can_be_written_and_printed() -> None:
    """A file name of other bytes than UTF-8 holds lone surrogates, which no file or terminal of UTF-8 takes."""
    verdicts = hostile_verdicts()
    lines = [line for v in verdicts for line in run_lines(v)]
    for text in (
        junit(verdicts),
        sarif(verdicts, (), "1"),
        comment(verdicts, Gate()),
        *annotation_lines(verdicts),
        *lines,
    ):
        assert text.encode("utf-8")
