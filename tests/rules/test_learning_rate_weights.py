"""lr.too-high and lr.too-low by what the rate did to the weights."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest

from runreport.context import Context, history_of
from runreport.findings import Checked, Finding
from runreport.rules import learning_rate
from runreport.run import Run

RULES = {rule.id: rule for rule in learning_rate.RULES}
NOTHING = [-5.0, -3.0, -0.4] + [-0.01] * 9


def context(
    *,
    train_loss: Sequence[float] = (4.0, 2.5, 1.5, *(1.0, 1.02, 0.99) * 3),
    train_r2: Sequence[float] = NOTHING,
    norms: Sequence[float] | None = (8.0, 15.0, 27.0, 39.0, 49.0, 57.0, 62.0, 64.0, 65.0, 64.0, 63.0, 62.0),
    rate: float = 0.3,
    config: Mapping[str, object] | None = None,
    rows: int | None = 160,
) -> Context:
    n = len(train_loss)
    columns = {} if norms is None else {"weight_norm": list(norms)}
    history = history_of(
        range(1, n + 1), train_loss=list(train_loss), train_r2=list(train_r2), learning_rate=[rate] * n, **columns
    )
    summary: dict[str, object] = {"stopped_because": "patience"} | (
        {} if rows is None else {"splits": {"train": {"n": rows}}}
    )
    run = Run(
        name="a", format="native", files={}, summary=summary, config=config or {"batch_size": 32, "optimizer": "adamw"}
    )
    return Context(run=run, history=history)


def findings(rule: str, given: Context) -> tuple[Finding, ...]:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, Checked), outcome
    return outcome.findings


def test_weights_that_blew_up_and_learned_nothing() -> None:
    (finding,) = findings("lr.too-high", context())
    assert finding.evidence["kind"] == "weights"
    assert finding.epoch == 4  # 39 is the first norm of four times 8
    assert "grew from 8.00 at epoch 1 to 65.0" in finding.message
    assert "from epoch 4 on R² never exceeded -0.010, at a learning rate of 0.300" in finding.message


@pytest.mark.parametrize(
    "given",
    [
        context(norms=[8.0 + i for i in range(12)]),
        context(train_r2=[*NOTHING[:-1], 0.2]),  # it did learn after that
        context(norms=None),
    ],
    ids=["grown as usual", "learned", "not logged"],
)
def test_near_misses_of_weights(given: Context) -> None:
    assert not [f for f in findings("lr.too-high", given) if f.evidence["kind"] == "weights"]


SWINGS = [278.0, 1.3, 372.0, 145.0, 1750.0, 2600.0, 1.4, 57.0, 270.0, 1.5, 135.0, 1.1]


def test_a_loss_that_swings_over_orders_of_magnitude() -> None:
    (finding,) = findings("lr.too-high", context(train_loss=[SWINGS[0], *[2600.0, 1.3] * 5, 1.1], norms=None))
    assert finding.evidence["kind"] in ("swings", "divergence", "jitter")
    (swings,) = findings(
        "lr.too-high",
        context(train_loss=[278.0, 1.1, 50.0, 1.2, 130.0, 1.3, 60.0, 1.2, 90.0, 1.3, 20.0, 1.2], norms=None),
    )
    assert swings.evidence["kind"] in ("swings", "divergence")
    # A penalty's own values swing so on small batches.
    penalised = {"batch_size": 8, "optimizer": "adamw", "variance_lambda": 2.0}
    assert not [
        f
        for f in findings("lr.too-high", context(train_loss=SWINGS, norms=None, config=penalised))
        if f.evidence["kind"] == "swings"
    ]


SLOW = [1.54 - 1e-5 * i for i in range(12)]


def test_rates_that_add_up_to_less_than_a_weight() -> None:
    (finding,) = findings("lr.too-low", context(train_loss=SLOW, train_r2=[-4.11] * 12, rate=1e-6, norms=None))
    assert finding.evidence["kind"] == "reach"
    assert finding.evidence["steps"] == 60
    assert finding.evidence["reach"] == pytest.approx(6e-5)
    assert "Over 60 optimizer steps the learning rates, 1.00e-06 at most, add up to 6.0e-05" in finding.message


def test_a_warm_up_that_never_ended_is_named_by_its_own_rule() -> None:
    given = context(
        train_loss=SLOW,
        train_r2=[-4.11] * 12,
        norms=None,
        config={"optimizer": "adamw", "batch_size": 32, "learning_rate": 1e-3},
    )
    rising = replace(
        given.history, columns=given.history.columns | {"learning_rate": tuple(1e-6 * i for i in range(1, 13))}
    )  # type: ignore[type-var, union-attr]
    outcome = RULES["lr.too-low"].check(replace(given, history=rising), RULES["lr.too-low"].limits())
    assert not (isinstance(outcome, Checked) and outcome.findings)


@pytest.mark.parametrize(
    "given",
    [
        context(train_loss=SLOW, train_r2=[-4.11] * 12, rate=1e-3, norms=None),  # 60 steps of 1e-3 reach 0.06
        context(train_loss=SLOW, train_r2=[0.3] * 12, rate=1e-6, norms=None),
        context(
            train_loss=SLOW, train_r2=[-4.11] * 12, rate=1e-6, norms=None, config={"batch_size": 32, "optimizer": "sgd"}
        ),
        context(train_loss=SLOW, train_r2=[-4.11] * 12, rate=1e-6, norms=None, rows=None),
    ],
    ids=["far enough", "learned", "not Adam", "steps unknown"],
)
def test_near_misses_of_reach(given: Context) -> None:
    outcome = RULES["lr.too-low"].check(given, RULES["lr.too-low"].limits())
    found = outcome.findings if isinstance(outcome, Checked) else ()
    assert not [f for f in found if f.evidence.get("kind") == "reach"]
