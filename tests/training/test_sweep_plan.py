"""A sweep file becomes the runs that it means, or is refused in one line before anything is trained."""

from pathlib import Path
from typing import Any

import pytest

from runreport.artifacts import is_run_name
from training.config_file import load_config, parse_config
from training.errors import ConfigError
from training.sweep.keys import flat, nested, run_name, text_of
from training.sweep.plan import LONGEST_NAME, load_plan, make_plan, sweep_names
from training.sweep.summary import summary_table


def _plan(**values: Any) -> Any:
    return make_plan({"name": "s", "base": "healthy", "seeds": [1], **values}, where="s.yaml")


def test_a_grid_over_seeds_is_every_combination_once_seeds_outermost() -> None:
    plan = _plan(grid={"variance_lambda": [0, 2.0], "data.noise": [1, 0.5]}, seeds=[3, 1])
    points = [(run.config.seed, run.config.variance_lambda, run.config.data.noise) for run in plan.runs]
    expected = [(0.0, 1.0), (0.0, 0.5), (2.0, 1.0), (2.0, 0.5)]
    assert points == [(seed, *point) for seed in (3, 1) for point in expected]
    assert plan.runs[1].name == "s-variance_lambda_0-data.noise_0.5-seed_3"
    assert plan.runs[1].label == "variance_lambda 0, data.noise 0.5"
    assert all(is_run_name(run.name) for run in plan.runs)


def test_nothing_but_what_was_asked_for_differs_from_the_base() -> None:
    (run,) = _plan(set={"max_epochs": 7}, grid={"variance_lambda": [2]}).runs
    expected = load_config(
        "healthy", ["max_epochs=7", "variance_lambda=2", "threads=1", "seed=1", f"run_name={run.name}"]
    )
    assert run.config == expected


def test_seeds_share_the_data() -> None:
    runs = _plan(seeds=[1, 2, 3]).runs
    assert [run.config.seed for run in runs] == [1, 2, 3]
    assert {run.config.data for run in runs} == {load_config("healthy").data}
    assert [run.label for run in runs] == ["", "", ""]


def test_cases_are_crossed_with_the_grid() -> None:
    runs = _plan(
        cases={"plain": None, "wide": {"output_init_std": 0.5, "data": {"noise": 1}}}, grid={"augment": [False, True]}
    ).runs
    found = [(run.case, run.config.output_init_std, run.config.data.noise, run.config.augment) for run in runs]
    assert found == [
        ("plain", 0.1, 2.0, False),
        ("plain", 0.1, 2.0, True),
        ("wide", 0.5, 1.0, False),
        ("wide", 0.5, 1.0, True),
    ]
    assert runs[3].name == "s-wide-augment_true-seed_1"
    assert runs[3].label == "wide, augment True"


def test_threads_are_one_unless_set() -> None:
    assert _plan().runs[0].config.threads == 1
    assert _plan(set={"threads": 3}).runs[0].config.threads == 3


def test_a_file_of_its_own_with_a_base_beside_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("max_epochs: 9\ndata: {noise: 1.5}\n")
    (tmp_path / "study.yaml").write_text(
        "base: mine.yaml\nset: {data: {noise: 0.5}}\ngrid: {dropout: [0, 1e-1]}\nseeds: [4]\n"
    )
    plan = load_plan(str(tmp_path / "study.yaml"), ["max_epochs=3"], device="cpu")
    assert plan.name == "study"
    assert [run.name for run in plan.runs] == ["study-dropout_0-seed_4", "study-dropout_1e-1-seed_4"]
    assert [run.config.dropout for run in plan.runs] == [0.0, 0.1]
    assert {(run.config.max_epochs, run.config.data.noise, run.config.device) for run in plan.runs} == {(3, 0.5, "cpu")}


def test_the_sweeps_that_come_with_the_package() -> None:
    assert set(sweep_names()) >= {"lambda_sweep", "lambda_sweep_run4", "frames_sweep", "pretraining_ablation"}
    for name in sweep_names():
        plan = load_plan(name)
        assert plan.name == name
        assert {run.config.data.seed for run in plan.runs} == {7}
    runs = load_plan("lambda_sweep").runs
    assert len(runs) == 30
    assert {run.config.variance_lambda for run in runs} == {0, 0.5, 1, 2, 5, 10}
    assert {run.config.warmup_unit for run in runs} == {"step"}
    assert {run.config.warmup_unit for run in load_plan("lambda_sweep_run4").runs} == {"epoch"}
    assert [run.config.temporal_frames for run in load_plan("frames_sweep").runs[:4]] == [1, 3, 5, 7]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"seeds": None}, "seeds: found None; expected a list of whole numbers"),
        ({"seeds": 5}, "seeds: found 5; expected a list"),
        ({"seeds": []}, "seeds: found []"),
        ({"seeds": [True]}, "seeds: found [True]"),
        ({"seeds": [1, 1]}, "seeds: found one twice"),
        ({"seeds": [-1]}, "seed: found -1; expected at least 0"),
        ({"base": None}, "base: found None; expected a preset"),
        ({"base": "helthy"}, "did you mean 'healthy'?"),
        ({"name": "a b"}, "name: found 'a b'"),
        ({"gird": {}}, "unknown key 'gird'; did you mean 'grid'?"),
        ({"grid": [1]}, "grid: found [1]; expected settings and values"),
        ({"grid": {"variance_lambda": 2}}, "grid: variance_lambda: found 2; expected a list"),
        ({"grid": {"variance_lambda": []}}, "grid: variance_lambda: found []"),
        ({"grid": {"lambda": [1]}}, "grid: unknown key 'lambda'; did you mean 'variance_lambda', 'lambda_sched"),
        ({"grid": {"seed": [1]}}, "grid: seed is the sweep's own to set"),
        ({"set": {"run_name": "x"}}, "set: run_name is the sweep's own"),
        ({"set": {"data": 3}}, "set: unknown key 'data'"),
        ({"set": {"data.noise.x": 3}}, "set: unknown key 'data.noise.x'; did you mean 'data.noise'?"),
        ({"grid": {"max_epochs": [5, 0]}}, "max_epochs: found 0; expected at least 1"),
        ({"grid": {"max_epochs": [5, 5.0]}}, "expected a whole number"),
        ({"grid": {"dropout": [0, 0.0]}}, "two runs would be named s-dropout_0-seed_1"),
        ({"cases": {"A": {}, "a": {}}}, "two runs would be named s-a-seed_1"),
        ({"cases": {"a": {"dropout": 0.1}}, "grid": {"dropout": [0.2]}}, "dropout is in the grid and in case a"),
        ({"cases": {"a/b": {}}}, "cases: found the name 'a/b'"),
        ({"cases": ["a"]}, "cases: found ['a']"),
        ({"epoch_predictions": 1}, "epoch_predictions: found 1; expected true or false"),
        ({"cases": {"x" * LONGEST_NAME: {}}}, f"expected at most {LONGEST_NAME}"),
        ({"seeds": list(range(10_001))}, "found 10001 runs; expected at most 10000"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _plan(**values)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere.yaml",), "nowhere.yaml: no such file"),
        (("lamda",), "neither a .yaml file nor one of the sweeps"),
        (("run4",), "it is a configuration: python -m training run run4"),
        (("lambda_sweep", ["variance_lambda=1"]), "--set variance_lambda: the sweep varies it"),
        (("lambda_sweep", ["max_epochs"]), "--set max_epochs: expected key=value"),
        (("lambda_sweep", ["seed=3"]), "--set: seed is the sweep's own"),
        (("lambda_sweep", ["max_epochs=many"]), "--set: max_epochs: found str 'many'; expected a whole number"),
    ],
)
def test_what_is_wrong_with_a_command_is_one_line(arguments: tuple[Any, ...], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load_plan(*arguments)
    assert message in str(caught.value)


def test_names_are_safe_and_keys_come_back() -> None:
    values = parse_config({}).to_dict()
    assert nested(flat(values)) == values
    name = run_name("s", None, {"data.path": "../x y.csv", "loss": "mae", "mixed_weights": [1.0, 0.5]}, 2)
    assert name == "s-data.path_.._x_y.csv-loss_mae-mixed_weights_1+0.5-seed_2"
    assert is_run_name(name)
    assert [text_of(value) for value in (1e-7, 1e300, -0.5, False)] == ["1e-07", "1e+300", "-0.5", "false"]


def test_the_table_by_hand() -> None:
    plan = _plan(grid={"variance_lambda": [0, 2]}, seeds=[1, 2, 3])
    metrics = {
        run.name: {"r2": r2, "pearson_r": 0.5, "variance_ratio": 1.0, "mae": 0.25}
        for run, r2 in zip(plan.runs, (0.1, -0.2, 0.2, None, 0.3), strict=False)
    }
    lines = summary_table(plan.runs, metrics).splitlines()
    assert [line.split("  ")[0] for line in lines] == ["setting", "variance_lambda 0", "variance_lambda 2"]
    # λ = 0: seeds 1 to 3 have R² 0.1, 0.2, 0.3. λ = 2: -0.2, undefined, and the third run is missing.
    assert "0.200 ± 0.100" in lines[1]
    assert "3/3" in lines[1]
    assert "2/3" in lines[2]
    assert "-0.200 (1)" in lines[2]
