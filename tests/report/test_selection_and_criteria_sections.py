"""The sections on early stopping and on criteria: what a column scores, and why tiers are met out of order."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runreport.analysis.engine import analyze_run
from runreport.analysis.record import Analysis
from runreport.context import history_of
from runreport.criteria.spec import Tier, parse_criterion
from runreport.report.build import build_report
from runreport.report.markdown import render_markdown
from runreport.run import Run
from runreport.selection.audit import Comparison


def tier(name: str, *texts: str) -> Tier:
    return Tier(name=name, criteria=tuple(c for c in map(parse_criterion, texts) if c is not None))


def analysed(*tiers: Tier, config: dict[str, object] | None = None) -> Analysis:
    history = history_of(
        range(1, 9), r2=[0.1 * e for e in range(8)], variance_ratio=[0.5, 0.1, 0.9, 0.8, 0.8, 0.8, 0.8, 0.9]
    )
    summary = {"selected_epoch": 8, "r2": 0.7, "variance_ratio": 0.9, "num_samples": 100}
    return analyze_run(
        Run(name="x", format="native", files={}, history=history, summary=summary, config=config or {}), tiers=tiers
    )


def page(analysis: Analysis) -> str:
    return render_markdown(build_report(analysis))


def test_a_tier_that_is_missed_below_one_that_is_met_is_explained() -> None:
    text = page(analysed(tier("minimum", "r2 > 0", "variance_ratio over training > 0.35"), tier("good", "r2 > 0.5")))
    assert (
        "Minimum is not met although good is, because good does not ask for variance_ratio over training > 0.35 "
        "(10.0 % at epoch 2)."
    ) in text
    ordered = page(analysed(tier("minimum", "r2 > 0"), tier("good", "r2 > 0.9")))
    assert "although" not in ordered


def test_what_is_met_is_not_called_impossible() -> None:
    """r is unknown here; where it is known and too small, only a condition that is missed says so."""
    from runreport.criteria.judge import Judgement
    from runreport.report.sections.criteria import _row

    (criterion,) = tier("a", "variance_ratio > 0.4").criteria
    met = Judgement(tier="a", criterion=criterion, value=0.6, verdict="met", needs_r=0.6, feasible=False)
    assert _row(met)[-1] == ""
    assert _row(replace(met, verdict="not met", value=0.3))[-1] == "no"


def test_the_held_out_column_scores_the_policy_and_says_so() -> None:
    analysis = analysed(tier("minimum", "r2 > 0"))
    audit = analysis.context.selection
    assert audit is not None
    held_out = replace(
        audit,
        basis="predictions",
        comparisons=(
            Comparison(policies=("kge",), epoch=3, delta_r2=-0.1, interval=(-0.2, 0.0), held_out=True, p_value=0.1),
        ),
    )
    text = page(replace(analysis, context=replace(analysis.context, selection=held_out)))
    assert "ΔR² of the policy, re-run and held out, to the saved epoch" in text
    assert "The last column scores the policy, not the epoch beside it" in text
    assert "ΔR² of that epoch to the saved one" in page(analysis)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            {"loss": "huber", "variance_lambda": 0.5, "penalty": "std_hinge", "lambda_schedule": "constant"},
            "0.5 × std-hinge penalty",
        ),
        (
            {"loss": "huber", "variance_lambda": 0.5, "penalty": "variance_ratio", "lambda_schedule": "cosine"},
            "0.5 × variance-ratio penalty, λ by `cosine`",
        ),
        ({"loss": "huber", "variance_lambda": 0.5}, "a penalty of unknown form (`variance_lambda` = 0.5)"),
    ],
)
def test_the_penalty_is_named_by_what_the_config_tells(config: dict[str, object], said: str) -> None:
    assert f"`huber` + {said}" in page(analysed(tier("minimum", "r2 > 0"), config=config))


def test_no_correlation_above_one_is_asked_for() -> None:
    judged = analysed(tier("minimum", "r2 > 0.1", "variance_ratio > 0.1"))
    (first, second) = judged.criteria
    high = replace(judged, criteria=(replace(first, needs_r=0.15, needs_r_biased=3.31), second))
    assert "0.15 (none with this bias)" in page(high)
    near = replace(judged, criteria=(replace(first, needs_r=0.15, needs_r_biased=1.0), second))
    assert "0.15 (1.00 with this bias)" in page(near)


def test_a_result_out_of_the_log_names_its_epoch() -> None:
    history = history_of(range(1, 9), r2=[0.1 * e for e in range(8)])
    text = page(analyze_run(Run(name="x", format="keras", files={}, history=history, summary={})))
    assert "The logged row of epoch 8; there are no final predictions." in text


def test_the_summary_says_what_was_found_where_it_is_information_and_nothing_else_is_known() -> None:
    columns = {
        "train_loss": [0.5 * 0.9**e for e in range(50)],
        "val_loss": [0.2 + 0.005 * abs(e - 15) for e in range(50)],
    }
    given = analyze_run(Run(name="x", format="csv", files={}, history=history_of(range(50), **columns), summary={}))
    assert "fit.overfit" in {f.rule for f in given.findings}
    summary = page(given).split("## Executive summary")[1].split("##")[0]
    assert "the validation loss rose from its own minimum by" in summary
