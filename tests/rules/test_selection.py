"""The selection family: each rule fires, just misses, and says why where it cannot judge; healthy runs are left alone."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from runreport.context import Context, Final, History, history_of
from runreport.findings import Checked, Finding, NotChecked, Severity
from runreport.rules.base import Rule
from runreport.rules.selection import RULES
from runreport.rules.selection_proof import MIN_OPTIMISM_UNITS, compact
from runreport.run import Note, Run
from runreport.selection.audit import Comparison, audit
from runreport.statistics import selection_bootstrap

BY_ID = {rule.id: rule for rule in RULES}
R2_POLICY = {"monitor": "r2", "mode": "max", "patience": 10, "min_delta": 0.0005}
RUN_4 = history_of(
    [1, 10, 20, 30, 37, 47],
    variance_ratio=[0.462, 0.204, 0.296, 0.257, 0.081, 0.141],
    r2=[-4.38, -0.86, -1.83, -0.10, -0.0513, -0.0748],
    val_loss=[2.39, 1.15, 1.66, 0.98, 0.95, 1.14],
)


def context(
    history: History | None,
    saved: int | float | None = None,
    n: int | None = None,
    policy: dict[str, object] | None = None,
    notes: tuple[Note, ...] = (),
    **config: object,
) -> Context:
    summary: dict[str, object] = {}
    if saved is not None:
        summary["selected_epoch"] = saved
    if n is not None:
        summary["splits"] = {"val": {"n": n}}
    if policy is not None:
        summary["policy"] = policy
    run = Run(name="a", format="native", files={}, summary=summary, config=config, notes=notes)
    return Context(run=run, history=history, selection=audit(run, history), saved_epoch=saved)


def findings(rule: str, facts: Context, **limits: float) -> tuple[Finding, ...]:
    outcome = BY_ID[rule].check(facts, BY_ID[rule].limits(limits))
    assert isinstance(outcome, Checked), outcome
    for finding in outcome.findings:
        assert finding.rule == rule
        assert finding.message.rstrip().endswith(".")
        assert "None" not in finding.message
        assert "nan" not in finding.message
    return outcome.findings


def only(rule: str, facts: Context, **limits: float) -> Finding:
    found = findings(rule, facts, **limits)
    assert len(found) == 1
    return found[0]


def reason(rule: str, facts: Context) -> str:
    outcome = BY_ID[rule].check(facts, BY_ID[rule].limits())
    assert isinstance(outcome, NotChecked), outcome
    assert outcome.rule == rule
    return outcome.reason


def with_audit(facts: Context, **changes: object) -> Context:
    assert facts.selection is not None
    return replace(facts, selection=replace(facts.selection, **changes))  # type: ignore[arg-type]


def test_every_rule_of_the_family_is_here_and_documented() -> None:
    assert set(BY_ID) == {
        f"selection.{name}"
        for name in (
            "collapsed-pick", "wrong-pick", "indistinguishable", "not-the-policy", "monitors-disagree", "too-early",
            "too-late", "stopped-short", "optimism",
        )
    }  # fmt: skip
    for rule in RULES:
        assert rule.meaning
        assert rule.statistic
        assert rule.remedy
        assert all(t.reason for t in rule.thresholds)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_without_an_audit_no_rule_judges(rule: Rule) -> None:
    facts = Context(run=Run(name="a", format="native", files={}))
    assert isinstance(rule.check(facts, rule.limits()), NotChecked)


WEIRD = [
    history_of([]),
    history_of([1], r2=[math.nan], val_loss=[math.inf], variance_ratio=[math.nan]),
    history_of([1], r2=[0.5], val_loss=[0.5], variance_ratio=[0.5]),
    history_of(
        [0.5, 1.0, 1.5], r2=[None, 0.1, -math.inf], variance_ratio=[0.0, 0.0, 0.0], val_loss=[-1e300, -1.0, None]
    ),
    history_of(range(1, 31), r2=[0.0] * 30, variance_ratio=[0.0] * 30, val_loss=[1.0] * 30, pearson_r=[None] * 30),
    history_of(range(30), r2=[-(10.0 ** (15 - i)) for i in range(30)], variance_ratio=[1e8] * 30, val_loss=[1e15] * 30),
    history_of(range(12), r2=[9.0] * 12, variance_ratio=[-1.0] * 12, val_loss=[math.nan] * 12),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
@pytest.mark.parametrize("history", WEIRD)
@pytest.mark.parametrize("saved", [None, 1, 99])
def test_no_rule_raises_on_a_weird_log(rule: Rule, history: History, saved: int | None) -> None:
    facts = context(history, saved, n=144, policy=R2_POLICY)
    assert isinstance(rule.check(facts, rule.limits()), Checked | NotChecked)


# collapsed-pick


def test_collapsed_pick_flags_run_4_without_claiming_that_47_is_better() -> None:
    finding = only("selection.collapsed-pick", context(RUN_4, 37, n=144, policy=R2_POLICY))
    assert finding.severity is Severity.WARNING
    assert finding.epoch == 37
    assert "8.1 %" in finding.message
    assert "That another epoch is better is not shown." in finding.message
    assert finding.evidence["armed_epoch"] == 1
    assert finding.recoverable is None


def test_collapsed_pick_is_critical_only_with_proof() -> None:
    facts = with_audit(context(RUN_4, 37, n=144), verdict="wrong-pick")
    assert only("selection.collapsed-pick", facts).severity is Severity.CRITICAL


@pytest.mark.parametrize(("alpha", "fires"), [(0.31, False), (0.30, False), (0.29, True), (0.021, True), (0.019, True)])
def test_collapsed_pick_threshold(alpha: float, fires: bool) -> None:
    history = history_of([1, 2, 3], variance_ratio=[0.5, 0.45, alpha], r2=[-1.0, -0.5, 0.0])
    assert bool(findings("selection.collapsed-pick", context(history, 3))) is fires


def test_low_from_the_start_is_not_a_collapsed_pick_unless_constant() -> None:
    history = history_of([1, 2, 3], variance_ratio=[0.1, 0.15, 0.2], r2=[-1.0, -0.5, 0.0])
    assert not findings("selection.collapsed-pick", context(history, 3))
    constant = history_of([1, 2, 3], variance_ratio=[0.1, 0.15, 0.01], r2=[-1.0, -0.5, 0.0])
    assert findings("selection.collapsed-pick", context(constant, 3))


def test_a_ratio_that_is_right_for_its_correlation_is_information() -> None:
    history = history_of([1, 2], variance_ratio=[0.8, 0.25], r2=[-1.0, 0.07], pearson_r=[0.1, 0.27])
    finding = only("selection.collapsed-pick", context(history, 2))
    assert finding.severity is Severity.INFO
    assert finding.recoverable == pytest.approx(0.0004)
    costly = history_of([1, 2], variance_ratio=[0.8, 0.25], r2=[-1.0, 0.07], pearson_r=[0.1, 0.6])
    assert only("selection.collapsed-pick", context(costly, 2)).severity is Severity.WARNING


def test_the_runs_own_floor_counts() -> None:
    history = history_of([1, 2], variance_ratio=[0.5, 0.45], r2=[-1.0, 0.0])
    own = {**R2_POLICY, "floor": 0.5}
    assert "own floor of 50 %" in only("selection.collapsed-pick", context(history, 2, policy=own)).message
    assert not findings("selection.collapsed-pick", context(history, 2, policy={**R2_POLICY, "floor": 0.45}))


@pytest.mark.parametrize(("low", "fires"), [(1.3, True), (1.2, False), (0.95, False)])
def test_spread_under_at_the_saved_epoch_counts(low: float, fires: bool) -> None:
    history = history_of([1, 2], variance_ratio=[0.5, 0.45], r2=[-1.0, 0.0], pearson_r=[0.5, 0.75])
    validation = Final(
        split="validation", basis="predictions", epoch=2, estimates={}, intervals={"calibration_slope": (low, 2.2)}
    )
    facts = replace(context(history, 2), validation=validation)
    found = findings("selection.collapsed-pick", facts)
    assert bool(found) is fires
    if found:
        assert found[0].severity is Severity.WARNING
        assert found[0].recoverable == pytest.approx(0.09)


def test_collapsed_pick_undefined() -> None:
    rule = "selection.collapsed-pick"
    assert reason(rule, context(RUN_4)) == "the epoch that was saved is not known"
    assert reason(rule, context(history_of([1, 2], r2=[0.1, 0.2]), 2)) == "no variance_ratio at the saved epoch 2"
    assert reason(rule, context(RUN_4, 38)) == "no variance_ratio at the saved epoch 38"


# wrong-pick


def proof(lower: float, held_out: bool = True) -> Comparison:
    return Comparison(
        policies=("max_r2",),
        epoch=3,
        delta_r2=lower + 0.1,
        interval=(lower, lower + 0.2),
        held_out=held_out,
        p_value=0.001,
    )


THREE = history_of([1, 2, 3], r2=[0.1, 0.2, 0.5], variance_ratio=[0.5, 0.5, 0.5])


def test_wrong_pick_fires_on_held_out_proof() -> None:
    facts = with_audit(context(THREE, 2), comparisons=(proof(0.05),), verdict="wrong-pick", basis="predictions")
    finding = only("selection.wrong-pick", facts)
    assert finding.severity is Severity.CRITICAL
    assert finding.epoch == 3
    assert finding.recoverable == pytest.approx(0.15)
    assert "0.150 [0.050, 0.250]" in finding.message
    outcome = BY_ID["selection.wrong-pick"].check(facts, BY_ID["selection.wrong-pick"].limits())
    assert isinstance(outcome, Checked)
    assert outcome.p_values == (0.001,)


def test_wrong_pick_needs_the_whole_interval_above_the_threshold() -> None:
    facts = with_audit(context(THREE, 2), comparisons=(proof(0.019),), basis="predictions")
    assert only("selection.wrong-pick", facts).severity is Severity.WARNING, "the highest R² alone wins, by p = 0.001"
    assert only("selection.wrong-pick", facts, proven_r2=0.01).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("changes", "fires"),
    [({}, True), ({"p_value": 0.06}, False), ({"delta_r2": 0.015}, False), ({"policies": ("ccc",)}, False)],
    ids=["fires", "by chance", "small", "another policy"],
)
def test_a_likely_wrong_pick_is_a_warning(changes: dict[str, object], fires: bool) -> None:
    c = replace(proof(-0.01), **({"p_value": 0.03} | changes))  # type: ignore[arg-type]
    facts = with_audit(context(THREE, 2), comparisons=(c,), basis="predictions")
    found = findings("selection.wrong-pick", facts)
    assert [f.severity for f in found] == [Severity.WARNING] * fires
    assert all("with certainty is not shown" in f.message for f in found)


def test_a_wrong_pick_is_not_proven_by_the_log_alone() -> None:
    assert reason("selection.wrong-pick", context(THREE, 1, n=10**6)).startswith("no per-epoch predictions")
    in_sample = with_audit(context(THREE, 2), comparisons=(proof(0.5, held_out=False),))
    assert reason("selection.wrong-pick", in_sample).startswith("no per-epoch predictions")
    assert reason("selection.wrong-pick", context(THREE)) == "the epoch that was saved is not known"
    refused = with_audit(context(THREE, 2), comparisons=(), verdict="unknown", refused="3 groups: fewer than 6")
    assert reason("selection.wrong-pick", refused) == "3 groups: fewer than 6"


@pytest.mark.parametrize(("worth", "fires"), [(500, True), (50, False), (None, False)])
def test_the_log_alone_warns_by_the_widest_error_and_the_dependence(worth: float | None, fires: bool) -> None:
    by_log = replace(proof(0.05, held_out=False), p_value=None)
    final = Final(split="test", basis="predictions", estimates={}, n=500, effective_n=worth)
    facts = with_audit(context(THREE, 2, n=500), comparisons=(by_log,), basis="log", verdict="indistinguishable")
    facts = replace(facts, final=final)
    if not fires:
        assert reason("selection.wrong-pick", facts).startswith("no per-epoch predictions")
        return
    finding = only("selection.wrong-pick", facts)
    assert finding.severity is Severity.WARNING
    assert "by the log epoch 3" in finding.message


def test_a_pick_that_every_policy_makes_is_not_wrong() -> None:
    assert not findings("selection.wrong-pick", context(THREE, 3))


# not-the-policy, where the log says two things of an epoch


def test_a_policy_is_not_replayed_on_doubled_epochs() -> None:
    facts = context(THREE, 1, policy=R2_POLICY)
    assert findings("selection.not-the-policy", facts)
    note = Note(code="log.duplicate-epochs", message="epoch 2 twice")
    doubled = replace(facts, run=replace(facts.run, notes=(note,)))
    assert "more than once" in reason("selection.not-the-policy", doubled)


# indistinguishable


def test_indistinguishable_names_the_epochs_of_run_4() -> None:
    finding = only("selection.indistinguishable", context(RUN_4, 37, n=144))
    assert finding.severity is Severity.INFO
    assert finding.evidence["epochs"] == [30, 37, 47]
    assert "ΔR² = -0.024" in finding.message
    assert "independent samples" in finding.message


def test_a_stand_in_for_the_sample_count_is_said() -> None:
    run = Run(name="a", format="native", files={}, summary={"selected_epoch": 37, "num_samples": 144})
    facts = Context(run=run, history=RUN_4, selection=audit(run, RUN_4), saved_epoch=37)
    message = only("selection.indistinguishable", facts).message
    assert "n = 144 (the number of test samples; that of validation samples is not logged)" in message


def test_indistinguishable_is_clear_when_the_best_stands_alone() -> None:
    history = history_of([1, 2], r2=[-4.0, 0.6], variance_ratio=[1.0, 0.78], bias=[1.9, 0.0])
    assert not findings("selection.indistinguishable", context(history, 2, n=5000))


@pytest.mark.parametrize(
    ("history", "n", "expected"),
    [
        (RUN_4, None, "no per-epoch predictions, and the number of validation samples is not known"),
        (history_of([1, 2], val_loss=[2.0, 1.0]), 144, "no r2 column"),
        (history_of([1, 2], r2=[0.1, 0.2]), 144, "no per-epoch predictions, and no std ratio in the log to bound the error of "
         "a difference with"),
    ],
)  # fmt: skip
def test_indistinguishable_undefined(history: History, n: int | None, expected: str) -> None:
    assert reason("selection.indistinguishable", context(history, 1, n=n)) == expected


@pytest.mark.parametrize(
    ("epochs", "text"), [([1], "1"), ([1, 2, 3, 7, 9, 10], "1-3, 7, 9 and 10"), ([0.5, 1.5], "0.5 and 1.5")]
)
def test_epochs_are_listed_as_ranges(epochs: list[float], text: str) -> None:
    assert compact(epochs) == text


# not-the-policy


LONG = history_of(range(1, 21), r2=[round(0.5 - abs(i - 8) * 0.03, 4) for i in range(1, 21)])


def test_not_the_policy_fires_where_another_epoch_was_saved() -> None:
    finding = only("selection.not-the-policy", context(LONG, 12, policy=R2_POLICY))
    assert finding.severity is Severity.CRITICAL
    assert finding.evidence["replayed"] == 8
    assert "picks epoch 8, but epoch 12 was saved" in finding.message


def test_not_the_policy_says_where_it_would_have_stopped() -> None:
    rising = history_of(range(1, 21), r2=[0.3, *[0.1] * 12, *[0.2 + 0.05 * i for i in range(7)]])
    finding = only("selection.not-the-policy", context(rising, 20, policy=R2_POLICY))
    assert finding.evidence["stop_epoch"] == 11
    assert "would have stopped at epoch 11" in finding.message


@pytest.mark.parametrize("saved", [7, 9])
def test_one_epoch_off_is_a_warning_about_numbering(saved: int) -> None:
    finding = only("selection.not-the-policy", context(LONG, saved, policy=R2_POLICY))
    assert finding.severity is Severity.WARNING
    assert "from 0 and from 1" in finding.message


def test_differences_within_rounding_or_least_improvement_are_information() -> None:
    tie = history_of(range(1, 6), r2=[0.1, 0.52, 0.3, 0.52, 0.2])
    assert only("selection.not-the-policy", context(tie, 4, policy=R2_POLICY)).severity is Severity.INFO
    sliver = history_of(range(1, 6), r2=[0.1, 0.52, 0.3, 0.52031, 0.2])
    finding = only("selection.not-the-policy", context(sliver, 4, policy=R2_POLICY))
    assert finding.severity is Severity.INFO
    assert "least improvement" in finding.message


def test_the_policys_own_pick_is_clear() -> None:
    assert not findings("selection.not-the-policy", context(LONG, 8, policy=R2_POLICY))
    assert not findings("selection.not-the-policy", context(RUN_4, 37, policy=R2_POLICY))


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (context(LONG, 8), "the run declares no early-stopping policy"),
        (context(LONG, policy=R2_POLICY), "the epoch that was saved is not known"),
        (context(LONG, 8, policy={"monitor": "val_loss"}), "its monitor val_loss was not logged"),
        (context(RUN_4, 47, policy=R2_POLICY), "epochs are missing from the log, so its patience cannot be counted"),
        (
            context(LONG, 12, policy=R2_POLICY, notes=(Note(code="log.restarts", message="resumed", epoch=9),)),
            "the run was resumed, and its early stopping may have begun anew",
        ),
    ],
)
def test_not_the_policy_undefined(facts: Context, expected: str) -> None:
    assert reason("selection.not-the-policy", facts) == expected


# monitors-disagree


def test_monitors_that_disagree_are_listed() -> None:
    history = history_of([1, 2, 3], r2=[0.1, 0.3, 0.2], val_loss=[0.9, 0.8, 0.7], variance_ratio=[0.5, 0.6, 0.6])
    finding = only("selection.monitors-disagree", context(history, 2, n=144))
    assert finding.severity is Severity.INFO
    assert "validation loss 3 and R² 2" in finding.message
    assert "cannot be told apart" in finding.message
    assert "cannot be told from this log" in only("selection.monitors-disagree", context(history, 2)).message


def test_a_choice_that_is_shown_to_be_worse_is_named() -> None:
    history = history_of(
        [1, 2, 3], r2=[0.1, 0.6, -2.0], val_loss=[0.9, 0.8, 0.7], variance_ratio=[0.5, 0.78, 1.0], bias=[0.0, 0.0, 1.5]
    )
    finding = only("selection.monitors-disagree", context(history, 2, n=5000))
    assert "epoch 3 has a lower score than the best by more than its noise" in finding.message


def test_monitors_that_agree_are_clear() -> None:
    assert not findings("selection.monitors-disagree", context(RUN_4, 37))


def test_one_monitor_cannot_disagree() -> None:
    expected = "needs two monitors in the log, has R²"
    assert reason("selection.monitors-disagree", context(history_of([1, 2], r2=[0.1, 0.2]), 1)) == expected


# optimism


@pytest.mark.parametrize(("value", "fires"), [(0.03, True), (0.004, False)])
def test_optimism(value: float, fires: bool) -> None:
    found = findings("selection.optimism", with_audit(context(THREE, 3), optimism=value))
    assert bool(found) is fires
    if found:
        assert found[0].severity is Severity.INFO
        assert "such a choice scores 0.030 too high on average" in found[0].message
        assert "cannot be told from the same samples" in found[0].message


def test_optimism_undefined() -> None:
    assert reason("selection.optimism", context(THREE, 3)).startswith("no per-epoch predictions")
    few = with_audit(context(THREE, 3), basis="predictions", optimism=None)
    assert reason("selection.optimism", few).startswith(f"under {MIN_OPTIMISM_UNITS} groups, or blocks")
    assert MIN_OPTIMISM_UNITS == selection_bootstrap.MIN_OPTIMISM_UNITS
