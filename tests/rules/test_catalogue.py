"""The catalogue: every id that the design names exists, is documented, and docs/rules.md is what the code says."""

from __future__ import annotations

from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from runreport.context import Context, Limits
from runreport.errors import InputError
from runreport.findings import CLEAR, Outcome
from runreport.rules import registry
from runreport.rules.base import Rule
from runreport.rules.catalogue import catalogue_markdown, rule_text
from runreport.rules.registry import BUILT_IN, all_rules

# Written out, so that an id which disappears or changes its spelling fails here: other programs rely on them.
IDS = (
    "log.inconsistent", "log.gaps", "log.duplicate-epochs", "log.truncated", "log.restarts", "loss.unreconciled",
    "loss.not-finite", "loss.divergence", "loss.spike", "loss.plateau", "loss.still-falling", "loss.metric-disagree",
    "collapse.constant", "collapse.onset", "spread.under", "spread.over", "signal.limited", "signal.inverted",
    "bias.dominates",
    "scale.mismatch", "range.saturated", "range.unreached", "segment.bias", "penalty.dominates", "penalty.batch-bias",
    "gradient.ratio", "gradient.vanishing", "gradient.exploding", "lr.warmup-never-ended", "lr.frozen", "lr.jump",
    "lr.too-high", "lr.too-low", "lr.config-mismatch", "fit.overfit", "fit.underfit", "selection.collapsed-pick",
    "selection.wrong-pick", "selection.indistinguishable", "selection.not-the-policy", "selection.monitors-disagree",
    "selection.too-early", "selection.too-late", "selection.optimism", "data.few", "data.dependent", "data.leak",
    "data.shift", "loss.other-target", "lr.unsettled", "selection.stopped-short",
)  # fmt: skip


def test_every_id_exists_once() -> None:
    assert sorted(rule.id for rule in BUILT_IN) == sorted(IDS)


@pytest.mark.parametrize("rule", BUILT_IN, ids=lambda rule: rule.id)
def test_every_rule_is_documented(rule: Rule) -> None:
    for text in (rule.title, rule.meaning, rule.statistic, rule.remedy, rule.severities):
        assert len(text.strip()) >= 4
    for threshold in rule.thresholds:
        assert len(threshold.reason) > 15, threshold.name
    text = rule_text(rule)
    assert text.startswith(f"{rule.id}: ")
    assert all(threshold.name in text for threshold in rule.thresholds)


def test_the_page_is_what_the_code_says(repository: Path) -> None:
    written = (repository / "docs" / "rules.md").read_text(encoding="utf-8")
    assert written == catalogue_markdown(BUILT_IN), "run `make reports`"


def _clear(context: Context, limits: Limits) -> Outcome:
    return CLEAR


OTHERS = Rule(id="other.rule", title="t", meaning="m", statistic="s", remedy="r", severities="info", check=_clear)
TAKEN = Rule(id="collapse.onset", title="t", meaning="m", statistic="s", remedy="r", severities="info", check=_clear)


def _points(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    point = EntryPoint(name="x", value=value, group=registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "entry_points", lambda group: [point] if group == registry.ENTRY_POINT_GROUP else [])
    monkeypatch.setattr(EntryPoint, "load", lambda self: globals().get(self.value) or __import__(self.value))
    all_rules.cache_clear()


def test_other_peoples_rules_join(monkeypatch: pytest.MonkeyPatch) -> None:
    _points(monkeypatch, "OTHERS")
    assert all_rules()[-1].id == "other.rule"
    all_rules.cache_clear()


@pytest.mark.parametrize(
    ("value", "says"), [("TAKEN", "a second rule"), ("IDS", "expected a runreport"), ("no_such", "does not load")]
)
def test_other_peoples_mistakes_are_said(monkeypatch: pytest.MonkeyPatch, value: str, says: str) -> None:
    _points(monkeypatch, value)
    with pytest.raises(InputError, match=says):
        all_rules()
    all_rules.cache_clear()
