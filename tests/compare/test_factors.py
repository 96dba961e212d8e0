"""Which settings a set of runs varies, found from the configs alone."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from runreport.analysis.record import Analysis
from runreport.compare.design import Design
from runreport.compare.factors import find_design
from runreport.context import Context, Final
from runreport.run import Run


def analysis(name: str, config: Mapping[str, object], r2: float | None = 0.5, split: str = "test") -> Analysis:
    final = Final(split=split, basis="summary", estimates={"r2": r2}) if r2 is not None else None
    run = Run(name=name, format="native", files={}, split=split, config=config)
    return Analysis(
        context=Context(run=run, final=final), findings=(), not_checked=(), clear=(), disabled=(), criteria=(),
        advice=(), tests_made=0,
    )  # fmt: skip


def sweep(*configs: Mapping[str, object]) -> list[Analysis]:
    return [analysis(f"run{i}", {"run_name": f"run{i}", "lr": 0.1} | dict(c)) for i, c in enumerate(configs)]


def design(analyses: list[Analysis]) -> Design:
    found = find_design(analyses)
    assert isinstance(found, Design), found
    return found


def test_numbers_are_levels_in_ascending_order() -> None:
    found = design(sweep(*({"variance_lambda": v, "seed": s} for v in (10, 0, 0.5) for s in (1, 2))))
    (factor,) = found.factors
    assert factor.keys == ("variance_lambda",)
    assert [level.value for level in factor.levels] == [0, 0.5, 10]
    assert [level.label for level in factor.levels] == ["0", "0.5", "10"]
    assert factor.levels[2].runs == ("run0", "run1")
    assert [level.seeds for level in factor.levels] == [2, 2, 2]
    assert (factor.numeric, factor.balanced) == (True, True)
    assert found.left_out == {}
    assert found.ignored == {}


def test_unset_and_off_come_first_then_the_order_given() -> None:
    found = design(sweep(*({"loss": v, "seed": s} for v in ("huber", None, "ccc") for s in (1, 2))))
    assert [level.label for level in found.factors[0].levels] == ["not set", "huber", "ccc"]
    assert not found.factors[0].numeric
    words = design(sweep(*({"pretraining": v, "seed": s} for v in ("broken_ssl", "masked", "none") for s in (1, 2))))
    assert [level.value for level in words.factors[0].levels] == ["none", "broken_ssl", "masked"]
    off = design(sweep(*({"augment": v, "seed": s} for v in (True, False) for s in (1, 2))))
    assert [level.value for level in off.factors[0].levels] == [False, True]
    assert not off.factors[0].numeric


def test_crossed_settings_are_two_factors() -> None:
    found = design(sweep(*({"a": a, "b": b, "seed": s} for a in (1, 2) for b in ("x", "y") for s in (1, 2))))
    assert [factor.keys for factor in found.factors] == [("a",), ("b",)]
    assert all(factor.balanced for factor in found.factors)
    assert found.places["run2"].levels == (0, 1)


def test_settings_that_vary_together_are_one_factor() -> None:
    together = [(0, "constant", 5), (1, "decay", 7), (2, "decay", 9)]
    found = design(sweep(*({"schedule": n, "a": a, "p": p, "seed": s} for a, n, p in together for s in (1, 2))))
    (factor,) = found.factors
    assert set(factor.keys) == {"a", "schedule", "p"}
    assert factor.keys[0] in ("a", "p")
    assert factor.numeric
    assert len(factor.levels) == 3


def test_one_at_a_time_settings_stay_apart() -> None:
    configs = [{"a": a, "b": b, "seed": s} for a, b in ((0, 0), (1, 0), (0, 1)) for s in (1, 2)]
    assert [factor.keys for factor in design(sweep(*configs)).factors] == [("a",), ("b",)]


def test_settings_without_a_common_baseline_are_one_factor() -> None:
    configs = [{"a": a, "b": b, "c": c, "seed": s} for a, b, c in ((1, 0, 0), (0, 1, 0), (0, 0, 1)) for s in (1, 2)]
    (factor,) = design(sweep(*configs)).factors
    assert set(factor.keys) == {"a", "b", "c"}
    assert [level.label for level in factor.levels] == ["as in run0", "as in run2", "as in run4"]


def test_a_key_of_its_own_in_every_run_is_no_factor() -> None:
    configs = [
        {"a": a, "seed": s, "tag": f"{a}-{s}", "logging": {"output_dir": f"o{a}{s}"}} for a in (1, 2) for s in (1, 2)
    ]
    found = design(sweep(*configs))
    assert [factor.keys for factor in found.factors] == [("a",)]
    assert found.ignored == {"tag": "it has another value in every run"}


def test_a_setting_tied_to_the_seed_is_told() -> None:
    found = design(sweep(*({"a": a, "seed": s, "data": {"seed": s + 7}} for a in (1, 2) for s in (1, 2, 3))))
    assert [factor.keys for factor in found.factors] == [("a",)]
    assert "for each seed" in found.ignored["data.seed"]


def test_the_seed_of_the_data_is_a_setting() -> None:
    found = design(sweep(*({"data": {"seed": d}, "trainer": {"seed": s}} for d in (1, 2) for s in (1, 2))))
    assert [factor.keys for factor in found.factors] == [("data.seed",)]


def test_what_a_config_does_not_say_is_not_a_level() -> None:
    configs: list[dict[str, object]] = [{"a": a, "seed": s} for a in (1, 2) for s in (1, 2)]
    found = design([*sweep(*configs, {"seed": 3}), analysis("bare", {})])
    assert found.left_out == {"bare": "config not known", "run4": "config without a"}
    assert "run4" not in found.places


def test_missing_seeds_are_no_balance_and_runs_without_r2_are_named() -> None:
    runs = sweep(*({"a": a, "seed": s} for a, s in ((1, 1), (1, 2), (2, 1), (2, 3))))
    (factor,) = design(runs).factors
    assert not factor.balanced
    lost = analysis("lost", {"lr": 0.1, "a": 2, "seed": 2}, r2=None)
    validation = analysis("val", {"lr": 0.1, "a": 1, "seed": 3}, r2=0.9, split="validation")
    (factor,) = design([*runs, lost, validation]).factors
    assert factor.balanced
    assert [level.without_r2 for level in factor.levels] == [("val",), ("lost",)]


@pytest.mark.parametrize(
    ("configs", "why"),
    [
        ([{"a": 1, "seed": 1}, {"a": 1, "seed": 2}], "do not differ"),
        ([{"a": v, "seed": 1} for v in (1, 2, 3)], "each value of a was run once"),
        ([{"a": a, "b": b, "seed": 1} for a in (1, 2) for b in (1, 2)], "no two runs share all settings"),
        ([{"a": a, "seed": 1} for a in (1, 1, 2, 2)], "no two runs share all settings"),
    ],
)
def test_no_design_has_its_reason(configs: list[dict[str, object]], why: str) -> None:
    found = find_design(sweep(*configs))
    assert isinstance(found, str)
    assert why in found


def test_runs_without_any_seed_are_replicates_that_cannot_be_paired() -> None:
    found = design(sweep(*({"a": a} for a in (1, 1, 2, 2))))
    assert {place.replicate for place in found.places.values()} == {None}
    assert not found.factors[0].balanced
