"""The tests that refute a piece of advice: what its words say, as figures."""

from __future__ import annotations

import pytest

from runreport.advice.evidence import Evidence
from runreport.advice.record import Advice
from runreport.advice.refutation import BIAS_GONE, Condition, refutation
from runreport.context import Context, Final
from runreport.run import Run


def evidence() -> Evidence:
    final = Final(
        split="test", basis="predictions", estimates={"r2": 0.1, "variance_ratio": 0.9, "pearson_r": 0.4},
        intervals={"pearson_r": (0.2, 0.55)},
    )  # fmt: skip
    return Evidence(context=Context(run=Run(name="x", format="native", files={}), final=final), findings=())


def advice(name: str, *because: str) -> Advice:
    return Advice(id=name, title="", text="", because=because, acts_on=None, refuted_if="")


@pytest.mark.parametrize(
    ("given", "tests"),
    [
        (advice("lr.repair-warmup", "lr.warmup-never-ended"),
         (Condition(rule="lr.warmup-never-ended"), Condition(metric="pearson_r", high=0.55))),
        (advice("penalty.remove", "penalty.dominates"),
         (Condition(rule="penalty.dominates"), Condition(metric="variance_ratio", low=0.9), Condition(metric="r2", high=0.1))),
        (advice("penalty.drop", "penalty.batch-bias"),
         (Condition(rule="penalty.batch-bias"), Condition(metric="pearson_r", high=0.2))),
        (advice("bias.remove", "bias.dominates"), (Condition(metric="bias", low=BIAS_GONE, absolute=True),)),
        (advice("spread.recalibrate-wide", "spread.under"), (Condition(metric="r2", high=0.1),)),
        (advice("none"), ()),
        (advice("data.find-leak", "data.leak"), ()),
    ],
)  # fmt: skip
def test_each_piece_of_advice(given: Advice, tests: tuple[Condition, ...]) -> None:
    assert refutation(given, evidence()) == tests


def test_the_record_names_what_a_program_needs() -> None:
    assert Condition(rule="lr.too-low").record() == {"rule": "lr.too-low"}
    assert Condition(metric="bias", low=0.1, absolute=True).record() == {
        "metric": "bias", "low": 0.1, "high": None, "absolute": True,
    }  # fmt: skip
