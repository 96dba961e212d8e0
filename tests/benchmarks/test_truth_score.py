"""Scores against scikit-learn and by hand; the mapping covers every rule; the leading rule is the title's."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from benchmarks.truth.diagnose import Diagnosis, diagnosis_of, predicted_one, predicted_two
from benchmarks.truth.mapping import PEERS, RULES
from benchmarks.truth.outcome import Outcome, onset_error
from benchmarks.truth.page import page, readme_table
from benchmarks.truth.peers import READERS
from benchmarks.truth.report import summary
from benchmarks.truth.score import coverage, f1_of_classes, scores, set_f1, single_pairs, wilson, wrong_pick
from benchmarks.truth.taxonomy import NONE, Fault
from runreport.analysis.engine import analyze_run
from runreport.ingest.load import load_runs
from runreport.report.headline import headline, lead_clause, lead_rule, lead_rules
from runreport.report.precedence import LEADS
from runreport.rules.registry import all_rules
from runreport.run import Run


def item(labels: tuple[str, ...], said: Diagnosis, **changes: object) -> Outcome:
    kinds = {(NONE,): "healthy"}
    values: dict[str, object] = {
        "name": "a",
        "source": "simulated",
        "kind": kinds.get(labels, "single" if len(labels) == 1 else "double"),
        "plants": ("p",),
        "labels": labels,
        "harmless": (),
        "incidental": (),
        "onset": None,
        "saved_regret": 0.0,
        "seed_sd": 0.01,
        "population": {},
        "traits": {"epochs_kept": True},
        "said": {"runreport": said},
    }
    return Outcome(**(values | changes))  # type: ignore[arg-type]


def says(*rules: str, critical: tuple[str, ...] = ()) -> Diagnosis:
    named = tuple(RULES[rule] for rule in rules)
    return Diagnosis(lead=rules[0] if rules else None, rules=rules, named=named, critical=critical)


def test_every_rule_is_mapped_and_every_fault_can_be_named() -> None:
    assert set(RULES) == {rule.id for rule in all_rules()}
    named = {fault for faults in RULES.values() for fault in faults}
    assert named == {*Fault, NONE}
    assert set(PEERS) == set(READERS)


def test_f1_of_classes_matches_scikit_learn() -> None:
    from sklearn.metrics import f1_score

    pairs = [("a", "a"), ("a", "b"), ("b", "b"), ("c", "a"), ("c", "c"), ("c", "d")]
    truth, predicted = zip(*pairs, strict=True)
    expected = f1_score(truth, predicted, labels=["a", "b", "c"], average=None, zero_division=0)
    assert list(f1_of_classes(pairs).values()) == pytest.approx(list(expected))


@pytest.mark.parametrize(("hits", "n"), [(0, 20), (3, 20), (20, 20)])
def test_wilson_matches_scipy(hits: int, n: int) -> None:
    from scipy.stats import binomtest

    expected = binomtest(hits, n).proportion_ci(method="wilson")
    assert wilson(hits, n) == pytest.approx((expected.low, expected.high))
    assert wilson(0, 0) is None


def test_set_f1_by_hand() -> None:
    assert set_f1({"a", "b"}, {"b", "a"}) == 1
    assert set_f1({"a", "b"}, {"c"}) == 0
    assert set_f1({"a", "b"}, {"a", "c"}) == 0.5


def test_only_the_title_counts_for_the_report_and_any_message_for_other_tools() -> None:
    said = says("bias.dominates", "scale.mismatch")
    assert predicted_one(said, ("scale",)) == "bias"
    assert predicted_one(said, ("scale",), any_message=True) == "scale"
    assert predicted_one(Diagnosis(), ("scale",)) == NONE
    untitled = dataclasses.replace(said, lead=None)
    assert predicted_one(untitled, ("scale",)) == NONE, "findings below a title that names none"


def test_a_message_with_two_meanings_counts_as_the_right_one() -> None:
    assert predicted_one(says("selection.wrong-pick"), ("overfit",)) == "overfit"
    assert predicted_one(says("selection.wrong-pick"), ("bias",)) == "wrong_pick"
    assert predicted_one(says("signal.limited"), (NONE,)) == NONE


def test_two_faults_are_taken_in_the_order_of_the_report() -> None:
    said = says("bias.dominates", "scale.mismatch", "fit.overfit")
    assert predicted_two(said, ("overfit", "bias")) == {"bias", "scale"}
    assert predicted_two(said, ("overfit", "bias"), any_message=True) == {"bias", "overfit"}


def test_naming_a_harmless_plant_is_no_error() -> None:
    run = item((NONE,), says("lr.too-low"), harmless=("rate_low",))
    assert single_pairs([run], "runreport") == [(NONE, NONE)]
    assert single_pairs([item((NONE,), says("lr.too-low"))], "runreport") == [(NONE, "rate_low")]


def test_a_fault_that_nobody_planted_is_passed_over_only_in_the_lenient_figure() -> None:
    run = item((NONE,), says("spread.over"), incidental=("too_wide",))
    assert single_pairs([run], "runreport") == [(NONE, "too_wide")]
    assert single_pairs([run], "runreport", lenient=True) == [(NONE, NONE)]
    planted = item(("bias",), says("spread.over"), incidental=("too_wide",))
    assert single_pairs([planted], "runreport", lenient=True) == [("bias", NONE)], "it does not stand for the plant"


def test_false_criticals_are_counted_on_sound_runs_only() -> None:
    runs = [
        item((NONE,), says("lr.too-low", critical=("lr.too-low",))),
        item((NONE,), says()),
        item(("bias",), says("bias.dominates", critical=("bias.dominates",))),
    ]
    got = scores(runs, "runreport")["false_critical"]
    assert (got["share"], got["n"], got["rules"]) == (0.5, 2, {"lr.too-low": 1})
    wide = item((NONE,), says("spread.over", critical=("spread.over",)), incidental=("too_wide",))
    strict, verified = (
        scores([*runs, wide], "runreport")[k] for k in ("false_critical", "false_critical_where_verified")
    )
    assert (strict["share"], strict["n"]) == (pytest.approx(2 / 3, abs=1e-4), 3)
    assert (verified["share"], verified["n"]) == (0.5, 2)


def test_coverage_counts_intervals_that_hold_the_population() -> None:
    inside = Diagnosis(intervals={"r2": (0.1, 0.3)})
    runs = [item((NONE,), inside, population={"r2": value}) for value in (0.1, 0.2, 0.31)]
    assert coverage(runs, "r2")["share"] == pytest.approx(2 / 3, abs=1e-4)
    assert coverage(runs, "pearson_r")["n"] == 0


def test_the_onset_is_taken_from_the_first_rule_that_names_the_fault() -> None:
    said = Diagnosis(rules=("lr.jump", "collapse.onset"), epochs={"lr.jump": 3.0, "collapse.onset": 12.0})
    assert onset_error(item(("collapse",), said, onset=10), said) == 2
    assert onset_error(item(("bias",), said, onset=10), said) is None


def test_wrong_picks_are_judged_by_the_population() -> None:
    fired = says("selection.wrong-pick")
    runs = [
        item(("overfit",), fired, saved_regret=0.3),
        item((NONE,), fired, saved_regret=0.001),
        item(("overfit",), says(), saved_regret=0.3),
    ]
    got = wrong_pick(runs)
    assert got["precision"]["share"] == 0.5
    assert got["recall"]["share"] == 0.5


def test_the_leading_rule_is_the_one_that_the_title_speaks_of() -> None:
    words = {rule: text for rules, text in LEADS for rule in rules}
    for run in load_runs(["example_logs/csv"]):
        assert isinstance(run, Run)
        analysis = analyze_run(run)
        rule, clause = lead_rule(analysis), lead_clause(analysis)
        if rule is None:
            assert clause is None
        elif rule in words:
            assert clause is not None
            assert clause.startswith(words[rule].partition("{")[0])
        else:
            title = next(r.title for r in all_rules() if r.id == rule)
            assert clause is not None
            assert clause.lower() == title.lower()


def test_the_rules_of_the_title_come_first_in_what_was_said() -> None:
    for run in load_runs(["example_logs/csv"]):
        assert isinstance(run, Run)
        analysis = analyze_run(run)
        told, said = lead_rules(analysis), diagnosis_of(analysis)
        assert said.rules[: len(told)] == told
        assert said.lead == next(iter(told), None)
        assert len(told) < 2 or " and " in headline(analysis)


def test_the_page_shows_the_figures_that_were_measured() -> None:
    runs = [item((NONE,), says()), item(("bias",), says("bias.dominates")), item(("scale",), says("bias.dominates"))]
    result = summary(runs, {"losslint": None}, quick=False)
    text = page({"dev": result})
    assert "| runreport | 0.56 |" in text  # none 1, bias 2/3, scale 0
    assert "not scored: losslint" in text
    assert "| scale | 0.00 | bias 1 |" in text
    assert str(Path.cwd()) not in text


def test_the_readme_has_the_scores_that_were_measured() -> None:
    results = json.loads(Path("benchmarks/results/truth.json").read_text(encoding="utf-8"))
    assert readme_table(results) in Path("README.md").read_text(encoding="utf-8")
    assert page(results) == Path("docs/truth.md").read_text(encoding="utf-8")
