"""Advice: which step leads, what it changes, what it promises and what would refute it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runreport.advice.calibration import not_advised
from runreport.advice.evidence import Evidence
from runreport.advice.give import STEPS, give_advice
from runreport.advice.record import Advice
from runreport.context import Context, Final, history_of
from runreport.findings import Finding, Severity
from runreport.metrics.bounds import r2_at
from runreport.metrics.budget import error_budget
from runreport.run import Run


def context(
    r: float = 0.5,
    alpha: float = 0.5,
    beta: float = 0.0,
    *,
    r_interval: tuple[float, float] = (0.4, 0.6),
    config: dict[str, object] | None = None,
    summary: dict[str, object] | None = None,
    **history: list[float | None],
) -> Context:
    epochs = len(next(iter(history.values()))) if history else 0
    final = Final(
        split="test",
        basis="predictions",
        n=200,
        estimates={
            "r2": r2_at(r, alpha, beta), "pearson_r": r, "variance_ratio": alpha, "bias": beta,
            "calibration_slope": r / alpha, "true_mean": 10.0, "true_std": 2.0,
        },
        intervals={"pearson_r": r_interval, "r2": (0.1, 0.4)},
    )  # fmt: skip
    return Context(
        run=Run(name="x", format="native", files={}, config=config or {}, summary=summary or {}),
        history=history_of(range(1, epochs + 1), **history) if history else None,
        final=final,
        budget=error_budget(r, alpha, beta),
    )


OWN: dict[str, object] = {"variance_lambda": 0.5, "penalty": "variance_ratio", "lambda_schedule": "constant"}


def found(rule: str, severity: Severity = Severity.WARNING, **more: object) -> Finding:
    return Finding(rule=rule, severity=severity, message=f"Found {rule}.", **more)  # type: ignore[arg-type]


def only(given: tuple[Advice, ...]) -> Advice:
    assert len(given) == 1
    return given[0]


def test_nothing_found_is_no_change() -> None:
    advice = only(give_advice(context(), []))
    assert advice.id == "none"
    assert "n = 200" in advice.title
    assert advice.config_patch == {}


def test_without_a_budget_the_advice_is_to_save_predictions() -> None:
    bare = Context(run=Run(name="x", format="native", files={}))
    assert only(give_advice(bare, [])).id == "log.save-predictions"


@pytest.mark.parametrize(
    ("config", "patch"),
    [
        ({"warmup_unit": "epoch", "warmup_steps": 500, "max_epochs": 50}, {"warmup_unit": "step"}),
        ({"warmup_epochs": 60, "max_epochs": 50}, {"warmup_epochs": 5}),
        ({}, {}),
    ],
)
def test_warmup_is_mended_where_the_config_says_how(config: dict[str, object], patch: dict[str, object]) -> None:
    advice = give_advice(context(config=config), [found("lr.warmup-never-ended", Severity.CRITICAL)])[0]
    assert advice.id == "lr.repair-warmup"
    assert advice.config_patch == patch
    assert advice.acts_on == "r"
    assert advice.expected is not None
    assert advice.expected.low == 0.6, "r must leave the present interval to count as risen"


def test_the_order_is_the_catalogues() -> None:
    findings = [found("bias.dominates"), found("lr.warmup-never-ended"), found("log.inconsistent", Severity.CRITICAL)]
    given = give_advice(context(beta=-0.5, config={"warmup_epochs": 60, "max_epochs": 50}), findings)
    assert [a.id for a in given] == ["log.mend", "lr.repair-warmup", "bias.remove"]


def test_bias_is_the_splits_where_their_means_differ() -> None:
    splits = {"splits": {"train": {"true_mean": 9.0, "true_std": 2.0}}}  # 0.5 σ below the test mean of 10
    advice = only(give_advice(context(beta=-0.5, summary=splits), [found("bias.dominates")]))
    assert "the splits differ" in advice.text
    assert advice.expected is not None
    assert advice.expected.value == pytest.approx(r2_at(0.5, 0.5, 0.0))
    assert advice.ceiling_r2 == pytest.approx(0.25)


def test_bias_is_the_models_where_they_agree() -> None:
    splits = {"splits": {"train": {"true_mean": 10.1, "true_std": 2.0}}}
    config: dict[str, object] = {"output_init_bias": 0.0}
    advice = only(give_advice(context(beta=-0.5, summary=splits, config=config), [found("bias.dominates")]))
    assert "the model's own mean is off" in advice.text
    assert advice.config_patch == {"output_init_bias": 10.1}


def test_a_penalty_on_wide_predictions_is_removed_and_not_also_recalibrated() -> None:
    wide = context(r=0.3, alpha=1.5, config={"variance_lambda": 2.0})
    given = give_advice(wide, [found("penalty.dominates", Severity.CRITICAL), found("spread.over", Severity.CRITICAL)])
    assert [a.id for a in given] == ["penalty.remove"]
    assert given[0].config_patch == {"variance_lambda": 0.0}
    assert given[0].expected is not None
    assert given[0].expected.value == pytest.approx(r2_at(0.3, 0.3, 0.0))


def test_narrow_predictions_are_recalibrated_for_free() -> None:
    advice = only(give_advice(context(r=0.8, alpha=0.2), [found("spread.under")]))
    assert advice.acts_on == "alpha"
    assert advice.expected is not None
    assert advice.expected.value == pytest.approx(0.64)


def test_information_alone_is_a_weak_ground_for_advice() -> None:
    """signal.limited is information, and leads all the same: no other finding stands before it."""
    limited = found("signal.limited", Severity.INFO)
    weak = context(r=0.1, r_interval=(-0.1, 0.3), train_r2=[0.2, 0.9], learning_rate=[1e-3, 1e-3])
    advice = only(give_advice(weak, [limited]))
    assert advice.id == "signal.test-first"
    assert "the training set is learnt" in advice.text.lower()


def test_an_unlogged_learning_rate_is_asked_for_first() -> None:
    weak = context(r=0.1, r_interval=(-0.1, 0.3), val_loss=[1.0, 0.9])
    ids = [a.id for a in give_advice(weak, [found("signal.limited", Severity.INFO)])]
    assert ids == ["lr.log", "signal.test-first"]


def test_a_larger_penalty_is_advised_against_only_where_the_figures_show_it() -> None:
    def against(c: Context) -> str | None:
        return not_advised(Evidence(context=c, findings=()))

    on = against(context(r=0.125, alpha=0.223, beta=-0.267, r_interval=(-0.04, 0.28), config=OWN))
    assert on is not None
    assert "-0.82" in on, "2 * 0.125 - 1 - 0.267²"
    assert "0.9 %" in on
    assert against(context(r=0.125, alpha=0.223, config={})) is None
    assert against(context(r=0.95, alpha=0.5, r_interval=(0.93, 0.97), config=OWN)) is None
    # A weight whose formula nobody tells may pull anywhere.
    weak = {"r": 0.125, "alpha": 0.223, "beta": -0.267, "r_interval": (-0.04, 0.28)}
    assert against(context(**weak, config={"variance_lambda": 0.5})) is None  # type: ignore[arg-type]
    # A hinge is silent from its target on: at 0.5 R² = 2·0.125·0.5 - 0.25 - 0.267² = -0.20.
    hinge = against(context(**weak, config=OWN | {"penalty": "std_hinge", "std_hinge_target": 0.5}))  # type: ignore[arg-type]
    assert hinge is not None
    assert "a std ratio of 50.0 %" in hinge
    assert "-0.20" in hinge


def test_a_small_batch_penalty_is_dropped_unless_it_is_removed_already() -> None:
    on = context(config={"variance_lambda": 0.5})
    advice = only(give_advice(on, [found("penalty.batch-bias")]))
    assert (advice.id, advice.config_patch) == ("penalty.drop", {"variance_lambda": 0.0})
    both = give_advice(on, [found("penalty.dominates"), found("penalty.batch-bias")])
    assert [a.id for a in both] == ["penalty.remove"]


def test_a_fault_without_a_step_of_its_own_gets_its_rules_remedy() -> None:
    advice = only(give_advice(context(), [found("loss.spike")]))
    assert advice.id == "remedy.loss.spike"
    assert advice.because == ("loss.spike",)
    assert "No change" not in advice.title


def test_constant_predictions_must_vary_before_their_mean_is_mended() -> None:
    constant = found("collapse.constant", Severity.CRITICAL)
    given = give_advice(context(beta=-0.5), [constant, found("bias.dominates")])
    assert [a.id for a in given] == ["remedy.collapse.constant", "bias.remove"]
    warming = give_advice(context(), [found("lr.warmup-never-ended", Severity.CRITICAL), constant])
    assert [a.id for a in warming] == ["lr.repair-warmup"]


def test_advice_refers_to_its_finding_and_does_not_say_it_again() -> None:
    rules = (
        "log.inconsistent", "data.leak", "loss.divergence", "lr.too-low", "scale.mismatch", "bias.dominates",
        "range.saturated", "penalty.dominates", "penalty.batch-bias", "selection.wrong-pick", "fit.overfit", "fit.underfit",
        "loss.still-falling", "loss.spike", "signal.inverted",
    )  # fmt: skip
    for rule in rules:
        finding = found(rule, Severity.CRITICAL)
        advice = give_advice(context(beta=0.4, config=OWN), [finding])[0]
        assert finding.message not in advice.text
        assert rule in advice.text
        assert rule in advice.because


def test_a_turned_sign_leads_and_is_not_recalibrated_away() -> None:
    inverted = context(r=-0.8, alpha=0.8, r_interval=(-0.9, -0.7))
    given = give_advice(inverted, [found("signal.inverted", Severity.CRITICAL), found("bias.dominates")])
    assert given[0].id == "signal.turn-sign"
    assert given[0].expected is not None
    assert given[0].expected.value == pytest.approx(0.64), "2·0.8·0.8 - 0.8²"


@pytest.mark.parametrize("n", [1, 3])
def test_too_few_samples_warrant_nothing_but_more_of_them(n: int) -> None:
    final = replace(context().final, n=n)  # type: ignore[type-var]
    few = replace(context(beta=0.5), final=final)
    findings = [found("data.few"), found("bias.dominates"), found("spread.over"), found("fit.underfit")]
    advice = only(give_advice(few, findings))
    assert advice.id == "data.evaluate-more"
    assert f"n = {n}." in advice.text
    # What the log shows by itself does not rest on these samples.
    given = give_advice(few, [*findings, found("loss.not-finite", Severity.CRITICAL)])
    assert [a.id for a in given] == ["data.evaluate-more", "lr.lower"]


def test_a_constant_truth_or_a_few_groups_call_for_other_samples() -> None:
    base = context().final
    assert base is not None
    constant = replace(base, estimates={"true_std": 0.0, "mae": 0.1})
    advice = only(give_advice(replace(context(), final=constant, budget=None), []))
    assert (advice.id, advice.title) == ("data.evaluate-more", "Evaluate on samples whose truth differs")
    groups = replace(base, group_column="flight_name", n_groups=3)
    advice = only(give_advice(replace(context(), final=groups), [found("spread.over")]))
    assert advice.title == "Evaluate on 6 groups or more"
    assert "3 groups do not tell" in advice.text


def test_every_step_stays_silent_without_findings() -> None:
    evidence = Evidence(context=context(), findings=())
    assert [step(evidence) for step in STEPS] == [None] * len(STEPS)


def test_every_advice_can_be_refuted() -> None:
    rules = (
        "log.inconsistent", "data.leak", "lr.warmup-never-ended", "loss.not-finite", "lr.too-low", "lr.frozen",
        "scale.mismatch", "bias.dominates", "range.saturated", "penalty.dominates", "spread.over", "spread.under",
        "selection.wrong-pick", "fit.overfit", "signal.limited", "fit.underfit", "loss.still-falling",
    )  # fmt: skip
    for rule in rules:
        given = give_advice(context(beta=0.4), [found(rule, Severity.CRITICAL)])
        assert given[0].id != "none", rule
        assert rule in given[0].because
        assert len(given[0].refuted_if) > 20


@pytest.mark.parametrize(
    ("recovered", "columns", "ids"),
    [
        (True, ["val_loss"], ["loss.look-at-evaluation"]),
        (False, ["val_loss"], ["lr.lower"]),
        (True, ["train_loss", "val_loss"], ["lr.lower"]),
    ],
)
def test_a_rate_is_lowered_only_where_the_training_itself_lost_its_numbers(
    recovered: bool, columns: list[str], ids: list[str]
) -> None:
    evidence = {"recovered": recovered, "epochs": {name: [12] for name in columns}}
    finding = Finding(
        rule="loss.not-finite",
        severity=Severity.WARNING,
        message="x",
        evidence=evidence,
        epoch=12,  # type: ignore[arg-type]
    )
    given = [a.id for a in give_advice(context(config={"learning_rate": 0.1, "optimizer": "adam"}), [finding])]
    assert given == ids


def test_mean_and_spread_wait_for_the_scale() -> None:
    off = context(beta=1.0)
    both = [found("scale.mismatch", Severity.CRITICAL), found("bias.dominates"), found("spread.over")]
    assert [a.id for a in give_advice(off, both)] == ["scale.standardise"]
    narrow = [both[0], found("collapse.constant", Severity.CRITICAL)]
    assert [a.id for a in give_advice(off, narrow)] == ["scale.standardise"]
    unproven = context(beta=1.0, r_interval=(-0.1, 0.6))
    assert [a.id for a in give_advice(unproven, narrow)] == ["scale.standardise", "remedy.collapse.constant"]
    assert {"bias.remove", "spread.recalibrate-narrow"} <= {a.id for a in give_advice(off, both[1:])}


def test_another_sample_is_what_could_refute_an_interval() -> None:
    final = context().final
    assert final is not None
    given = replace(context(), final=replace(final, intervals={"r2": (0.9172, 0.9301)}))
    (advice,) = give_advice(given, [])
    assert advice.id == "none"
    assert advice.refuted_if == "R² of the same evaluation on other samples lands outside [0.917, 0.931]"


def test_no_change_is_not_said_to_be_unwarranted_where_little_was_judged() -> None:
    (advice,) = give_advice(replace(context(), budget=None, final=None), [])
    assert advice.id == "log.save-predictions"
    assert advice.text.startswith("Too little could be judged to advise a change: the correlation")
    assert "predictions_<run>.csv" in advice.text


FLIGHTS: dict[str, object] = {"augment": False, "temporal_frames": 3, "data": {"kind": "flights"}}


class TestCarryOver:
    """The training set was fitted, and what was fitted does not hold on held-out rows."""

    @staticmethod
    def ids(train: float, r: float = 0.5, bounds: tuple[float, float] = (0.4, 0.6), **config: object) -> list[str]:
        given = context(
            r=r,
            alpha=r,
            r_interval=bounds,
            train_r2=[0.1, train, 0.2],
            pearson_r=[0.1, 0.4, 0.2],
            config=FLIGHTS | config,
        )
        return [a.id for a in give_advice(given, [])]

    def test_mirrored_samples_come_first_and_then_more_frames(self) -> None:
        expected: list[tuple[dict[str, object], dict[str, object]]] = [
            ({}, {"augment": True}),
            ({"augment": True}, {"temporal_frames": 5}),
            ({"augment": True, "temporal_frames": 8}, {}),
            ({"data": {"kind": "table"}}, {}),
        ]
        for config, patch in expected:
            given = context(
                r=0.5, alpha=0.5, train_r2=[0.1, 0.9, 0.8], pearson_r=[0.1, 0.4, 0.5], config=FLIGHTS | config
            )
            advice = only(give_advice(given, []))
            assert (advice.id, advice.acts_on) == ("signal.carry-over", "r")
            assert dict(advice.config_patch) == patch
            assert "fitted to R² 0.90 (epoch 2)" in advice.text
            assert (
                "passes R² 0.25 [at most 0.36], and at no epoch would any on validation have passed 0.25: 0.65"
                in advice.text
            )
            assert [t.record() for t in advice.refutation] == [
                {"metric": "pearson_r", "low": None, "high": 0.6, "absolute": False}
            ]

    def test_it_must_be_shown_and_large(self) -> None:
        assert self.ids(0.37) == ["signal.carry-over"]  # above 0.36, the most that r allows, and 0.12 above 0.25
        assert self.ids(0.355) == ["none"]
        assert self.ids(0.34, bounds=(0.49, 0.51)) == ["none"]  # shown, and less than a tenth

    def test_another_epoch_that_did_as_well_on_validation_carried_it_over(self) -> None:
        for best, expected in ((0.8, "signal.carry-over"), (0.92, "none")):
            given = context(r=0.5, alpha=0.5, train_r2=[0.1, 0.9], pearson_r=[0.3, best], config=FLIGHTS)
            assert only(give_advice(given, [])).id == expected

    def test_without_a_signal_the_question_is_whether_there_is_one(self) -> None:
        assert "signal.carry-over" not in self.ids(0.9, r=0.1, bounds=(-0.1, 0.3))

    def test_a_wrong_mean_that_is_most_of_the_error_is_another_matter(self) -> None:
        given = context(
            r=0.8,
            alpha=0.8,
            beta=1.0,
            r_interval=(0.7, 0.85),
            train_r2=[0.1, 0.95],
            pearson_r=[0.1, 0.2],
            config=FLIGHTS,
        )
        assert "signal.carry-over" not in [a.id for a in give_advice(given, [])]

    def test_it_takes_the_place_of_a_search_for_information(self) -> None:
        given = context(
            r=0.5, alpha=0.5, train_r2=[0.1, 0.9], r2=[0.1, 0.2], learning_rate=[1e-3, 1e-3], config=FLIGHTS
        )
        advice = only(give_advice(given, [found("signal.limited", Severity.INFO)]))
        assert (advice.id, advice.because) == ("signal.carry-over", ("signal.limited",))
