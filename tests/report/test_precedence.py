"""The title: one cause or two, and which goes first."""

from __future__ import annotations

import math

import pytest

from runreport.analysis.record import Analysis
from runreport.context import Context, Final, history_of
from runreport.findings import Finding, Severity
from runreport.report.headline import headline, lead_rules
from runreport.report.precedence import EXPLAINS, independent
from runreport.rules.registry import all_rules
from runreport.run import Run
from runreport.selection.audit import SelectionAudit, audit

POLICY = {"monitor": "r2", "mode": "max", "patience": 10, "min_delta": 0.0}


def found(rule: str, severity: Severity = Severity.WARNING, **changes: object) -> Finding:
    return Finding(rule=rule, severity=severity, message="x", **changes)  # type: ignore[arg-type]


def analysis(
    *findings: Finding,
    saved: int = 9,
    policy: bool = False,
    r: tuple[float, float] | None = None,
    val_r: float | None = None,
) -> Analysis:
    summary: dict[str, object] = {"selected_epoch": saved, "splits": {"val": {"n": 200}}}
    if policy:
        summary["policy"] = POLICY
    run = Run(name="a", format="native", files={}, summary=summary)
    columns = {} if val_r is None else {"pearson_r": [val_r] * 9}
    history = history_of(range(1, 10), r2=[0.001 * i for i in range(9)], **columns)
    final = None
    if r is not None:
        middle = sum(r) / 2
        final = Final(
            split="test",
            basis="predictions",
            estimates={"pearson_r": middle, "r2": 0.0},
            intervals={"pearson_r": r},
            n=60,
        )
    selection: SelectionAudit = audit(run, history)
    context = Context(run=run, history=history, selection=selection, saved_epoch=saved, final=final)
    return Analysis(
        context=context,
        findings=findings,
        not_checked=(),
        clear=(),
        disabled=(),
        criteria=(),
        advice=(),
        tests_made=0,
    )


def test_two_causes_where_neither_explains_the_other() -> None:
    given = analysis(found("lr.too-low"), found("log.gaps"), found("spread.under"))
    assert lead_rules(given) == ("lr.too-low", "log.gaps")
    assert headline(given).startswith("a: the learning rate is too low and epochs are missing from the log")


@pytest.mark.parametrize(
    ("first", "consequence"),
    [
        ("lr.warmup-never-ended", "spread.under"),
        ("loss.not-finite", "bias.dominates"),
        ("penalty.dominates", "spread.over"),
        ("data.shift", "bias.dominates"),
        ("range.saturated", "spread.under"),
        ("selection.wrong-pick", "fit.overfit"),
    ],
)
def test_a_consequence_is_no_second_cause(first: str, consequence: str) -> None:
    assert lead_rules(analysis(found(first), found(consequence))) == (first,)


def test_every_beginning_is_one_of_a_rule() -> None:
    ids = [rule.id for rule in all_rules()]
    for start, explained in EXPLAINS.items():
        assert any(rule.startswith(start) for rule in ids), start
        assert all(any(rule.startswith(one) for rule in ids) for one in explained), start
    assert not independent("lr.too-high", "spread.over")
    assert independent("lr.too-low", "spread.over"), "a low rate narrows"


def test_information_never_leads() -> None:
    assert lead_rules(analysis(found("spread.over", Severity.INFO))) == ()


def test_no_signal_leads_only_where_validation_shows_none_either() -> None:
    assert lead_rules(analysis(r=(-0.1, 0.4))) == ("signal.limited",)
    assert lead_rules(analysis(r=(-0.1, 0.4), val_r=0.1)) == ("signal.limited",), "two standard errors are no proof"
    assert math.atanh(0.5) * math.sqrt(197) > 3
    assert lead_rules(analysis(r=(-0.1, 0.4), val_r=0.5)) == ()


def test_an_unsettled_rate_goes_before_a_wrong_pick_where_nothing_was_chosen() -> None:
    both = (found("lr.unsettled"), found("selection.wrong-pick", epoch=5))
    assert lead_rules(analysis(*both))[0] == "lr.unsettled"
    assert lead_rules(analysis(*both, policy=True))[0] == "selection.wrong-pick"


@pytest.mark.parametrize(("better", "beta2", "first"), [(4, 0.3, "bias.dominates"), (4, 0.1, "selection.wrong-pick")])
def test_a_drift_of_the_mean_goes_before_the_epoch_that_it_left_behind(better: int, beta2: float, first: str) -> None:
    pick = found("selection.wrong-pick", Severity.CRITICAL, epoch=better, recoverable=0.4)
    bias = found("bias.dominates", recoverable=beta2)
    assert lead_rules(analysis(pick, bias))[0] == first
    # A better epoch after the saved one: training would have mended the mean, and the pick is at fault.
    assert lead_rules(analysis(pick, bias, saved=2))[0] == "selection.wrong-pick"


def test_a_scale_that_was_late_to_be_found_comes_after_the_bias() -> None:
    bias = found("bias.dominates", Severity.CRITICAL)
    assert lead_rules(analysis(bias, found("scale.mismatch")))[0] == "bias.dominates"
    assert lead_rules(analysis(bias, found("scale.mismatch", Severity.CRITICAL)))[0] == "scale.mismatch"


@pytest.mark.parametrize(("recovered", "words"), [(True, "was not a number"), (False, "stopped being a number")])
def test_a_loss_that_is_finite_again_did_not_stop_being_a_number(recovered: bool, words: str) -> None:
    given = analysis(found("loss.not-finite", epoch=3, evidence={"recovered": recovered}))
    assert f"the loss {words} at epoch 3" in headline(given)


def test_a_run_that_had_hardly_begun_has_one_cause() -> None:
    short = found("selection.stopped-short", evidence={"kind": "few_steps"}, epoch=2)
    given = analysis(short, found("collapse.constant", Severity.CRITICAL), found("bias.dominates", Severity.CRITICAL))
    assert lead_rules(given) == ("selection.stopped-short",)
    assert headline(given).startswith("a: training ended at epoch 2 after hardly any steps")
    later = found("selection.stopped-short", evidence={"kind": "patience"}, epoch=20)
    assert lead_rules(analysis(later, found("collapse.constant", Severity.CRITICAL)))[0] == "collapse.constant"


def test_weights_that_blew_up_explain_the_divergence() -> None:
    diverged = found("loss.divergence", Severity.CRITICAL)
    weights = found("lr.too-high", evidence={"kind": "weights"})
    assert lead_rules(analysis(diverged, weights)) == ("lr.too-high",)
    assert lead_rules(analysis(diverged, found("lr.too-high", evidence={"kind": "divergence"})))[0] == "loss.divergence"


def test_a_penalty_that_only_the_training_rows_show() -> None:
    spike, bias, spread = found("loss.spike"), found("bias.dominates", Severity.CRITICAL), found("spread.under")
    held = found("penalty.dominates", split="train", recoverable=0.2)
    assert lead_rules(analysis(bias, held))[0] == "bias.dominates"
    drowned = found("penalty.dominates", split="train", recoverable=None)
    assert lead_rules(analysis(bias, drowned, r=(-0.2, 0.2)))[0] == "penalty.dominates"
    assert lead_rules(analysis(spike, found("penalty.dominates", Severity.CRITICAL, split="test"), spread))[0] == (
        "penalty.dominates"
    )


def test_a_loss_still_falling_goes_before_no_signal() -> None:
    given = analysis(found("loss.still-falling"), found("signal.limited"), r=(-0.1, 0.4))
    assert lead_rules(given)[0] == "loss.still-falling"


def test_a_spread_that_stood_still_did_not_collapse() -> None:
    onset = found("collapse.onset", epoch=2, evidence={"spread_fell": False})
    assert lead_rules(analysis(onset, found("spread.under"))) == ("spread.under",)
    assert headline(analysis(onset)).startswith("a: the predictions' spread did not grow with what was learned")
    assert lead_rules(analysis(found("collapse.onset", epoch=2), found("spread.under"))) == ("collapse.onset",)


@pytest.mark.parametrize(("shown", "led"), [(0.11, ("spread.over",)), (0.09, ())])
def test_a_width_that_is_a_small_part_of_the_error_does_not_lead(shown: float, led: tuple[str, ...]) -> None:
    # R² is 0 here: a tenth of the error is 0.1.
    wide = found("spread.over", evidence={"wrong_spread_shown": shown})
    assert lead_rules(analysis(wide, r=(0.2, 0.4))) == led
    seen_in_the_log = found("spread.over")
    assert lead_rules(analysis(seen_in_the_log, r=(0.2, 0.4))) == ("spread.over",)


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("patience", "while it was improving"),
        ("widening", "while its predictions were widening"),
        ("correlation", "while its correlation was rising"),
    ],
)
def test_a_stop_says_what_had_not_come_to_its_end(kind: str, words: str) -> None:
    given = analysis(found("selection.stopped-short", evidence={"kind": kind}, epoch=20))
    assert headline(given).startswith(f"a: training stopped at epoch 20 {words}")
