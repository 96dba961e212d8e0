"""Rules over gradient norms."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import pytest

from runreport.context import Context, Number, history_of
from runreport.findings import Checked, Finding, NotChecked, Severity
from runreport.rules import gradient
from runreport.run import Run

RULES = {rule.id: rule for rule in gradient.RULES}


def context(config: Mapping[str, object] | None = None, **columns: Sequence[Number]) -> Context:
    epochs = range(1, 1 + max(map(len, columns.values()), default=0))
    return Context(
        run=Run(name="a", format="native", files={}, config=config or {}), history=history_of(epochs, **columns)
    )


def check(rule: str, given: Context) -> tuple[Finding, ...]:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, Checked), outcome
    return outcome.findings


def reason(rule: str, given: Context) -> str:
    outcome = RULES[rule].check(given, RULES[rule].limits())
    assert isinstance(outcome, NotChecked), outcome
    return outcome.reason


class TestRatio:
    def test_is_shown_as_information(self) -> None:
        given = context(grad_norm_base=[1.0] * 8 + [2.0] * 5, grad_norm_penalty=[0.5] * 8 + [1.5] * 5)
        (finding,) = check("gradient.ratio", given)
        assert finding.severity is Severity.INFO
        assert (finding.evidence["median_at_end"], finding.evidence["least"]) == (0.75, 0.5)
        assert "it is no target" in finding.message

    def test_at_a_stationary_point_the_ratio_is_one(self) -> None:
        """What the message says, on y = x fitted by w with a penalty: the gradients of the parts cancel at the minimum."""
        for weight in (0.1, 1.0, 10.0):
            # base ½(w-1)², penalty weight·½w²: minimum at w = 1/(1+weight).
            w = 1 / (1 + weight)
            assert abs(w - 1) == pytest.approx(weight * w)

    def test_undefined(self) -> None:
        assert "no grad_norm_penalty" in reason("gradient.ratio", context(grad_norm_base=[1.0, 2.0]))
        assert "no grad_norm_base" in reason("gradient.ratio", context(r2=[0.1]))
        assert "above 0" in reason("gradient.ratio", context(grad_norm_base=[0.0], grad_norm_penalty=[1.0]))


class TestVanishing:
    def test_fires_where_nothing_was_fitted(self) -> None:
        given = context(grad_norm_total=[1.0, 0.1] + [1e-7] * 8, train_r2=[0.0] * 10)
        (finding,) = check("gradient.vanishing", given)
        assert (finding.severity, finding.epoch) == (Severity.WARNING, 3)

    @pytest.mark.parametrize(
        "columns",
        [
            {"grad_norm_total": [1.0, 0.1] + [1e-7] * 8, "train_r2": [0.99] * 10},
            {"grad_norm_total": [1.0, 0.1] + [1e-7] * 8, "train_loss": [1.0] + [0.1] * 9},
            {"grad_norm_total": [1.0, 0.1] + [2e-5] * 8, "train_r2": [0.0] * 10},
            {"grad_norm_total": [1.0] * 8 + [1e-7] * 2, "train_r2": [0.0] * 10},
        ],
    )
    def test_innocent(self, columns: dict[str, list[Number]]) -> None:
        assert check("gradient.vanishing", context(None, **columns)) == ()

    def test_zero_throughout(self) -> None:
        (finding,) = check("gradient.vanishing", context(grad_norm_base=[0.0] * 5))
        assert "it is 0 throughout" in finding.message

    def test_undefined(self) -> None:
        assert "no grad_norm" in reason("gradient.vanishing", context(r2=[0.1]))
        assert "neither" in reason("gradient.vanishing", context(grad_norm_total=[1.0] + [1e-9] * 5))


class TestExploding:
    def test_fires(self) -> None:
        (finding,) = check("gradient.exploding", context(grad_norm_total=[1.0] * 10 + [150.0, 1.0]))
        assert (finding.severity, finding.epoch) == (Severity.WARNING, 11)
        assert finding.evidence["largest_factor"] == 150.0

    def test_clipping_bounds_the_step(self) -> None:
        given = context({"gradient_clip": 1.0}, grad_norm_total=[1.0] * 10 + [150.0, 1.0])
        (finding,) = check("gradient.exploding", given)
        assert finding.severity is Severity.INFO
        assert "clips gradients at 1.00" in finding.message

    @pytest.mark.parametrize("bad", [math.nan, math.inf])
    def test_not_finite_fires_even_when_clipped(self, bad: float) -> None:
        given = context({"gradient_clip": 1.0}, grad_norm_total=[1.0] * 10 + [bad, 1.0])
        (finding,) = check("gradient.exploding", given)
        assert finding.severity is Severity.WARNING
        assert finding.evidence["largest_factor"] is None

    @pytest.mark.parametrize(
        "norms", [[1.0] * 10 + [99.0], [1000.0, 1.0, 1.0, 1.0, 1.0], [0.0] * 6, [1.0, 500.0, 1.0, 1.0]]
    )
    def test_innocent(self, norms: list[float]) -> None:
        assert check("gradient.exploding", context(grad_norm_total=norms)) == ()

    def test_undefined(self) -> None:
        assert reason("gradient.exploding", context(r2=[0.1])) == "no grad_norm column"
        assert "needs at least 4" in reason("gradient.exploding", context(grad_norm_total=[1.0, 2.0]))
