"""The simulated source: its truth is the truth, and its runs read back as what was written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.truth.dynamics import healthy_plan, predict, rate_curve, run_states, spread_under_penalty
from benchmarks.truth.plants.log import EDITS, apply_edits, harm_of_edits
from benchmarks.truth.plants.registry import PLANTS, can_be_together
from benchmarks.truth.record import figures, reference, train
from benchmarks.truth.simulated import SINGLE_EACH, STAGE_FIELDS, build, orders
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.world import World, draw_world
from runreport.ingest.load import load_runs
from runreport.run import Run


def world(seed: int = 1, rho: float = 0.8) -> World:
    return draw_world(np.random.default_rng(seed), rho)


def test_the_ceiling_is_what_a_regression_on_the_signal_reaches() -> None:
    from sklearn.linear_model import LinearRegression

    task = world()
    sample = reference()
    x, y = sample.latents[:2].T, task.truth(sample)
    assert LinearRegression().fit(x, y).score(x, y) == pytest.approx(0.64, abs=0.01)


def test_a_healthy_run_comes_near_its_ceiling() -> None:
    task = world()
    record = train(task, healthy_plan(np.random.default_rng(2), task), seed=3)
    assert 0.55 < record.population["r2"] < 0.65
    assert record.population["pearson_r"] == pytest.approx(0.8, abs=0.03)


def test_figures_match_scikit_learn() -> None:
    from sklearn.metrics import r2_score

    rng = np.random.default_rng(0)
    truth = rng.normal(size=50)
    predicted = 0.5 * truth + rng.normal(size=50) + 0.3
    got = figures(truth, predicted)
    assert got["r2"] == pytest.approx(r2_score(truth, predicted))
    assert got["bias"] == pytest.approx((predicted.mean() - truth.mean()) / np.std(truth))
    assert got["variance_ratio"] == pytest.approx(np.std(predicted) / np.std(truth))


def test_the_penalty_pulls_to_the_equilibrium_that_its_gradient_has() -> None:
    """At the minimum of ½σ²(1 - 2rα + α²) + λ(1 - α²)²: σ²(α - r) = 4λα(1 - α²)."""
    task = world(rho=0.5)
    plan = replace(healthy_plan(np.random.default_rng(2), task), penalty=task.std**2)
    fast, slow = 0.5 * np.sqrt(task.fast_share), 0.5 * np.sqrt(1 - task.fast_share)
    alpha = spread_under_penalty(task, plan, fast, slow, 0.5)
    left, right = task.std**2 * (alpha - 0.5), 4 * plan.penalty * alpha * (1 - alpha**2)
    assert left == pytest.approx(right, rel=1e-2)
    assert alpha > 0.5


def test_a_warm_up_rises_in_a_line_and_cosine_falls() -> None:
    rate = rate_curve("cosine", 40, 4.0)
    assert rate[:4] == pytest.approx([0.25, 0.5, 0.75, 1.0])
    assert np.all(np.diff(rate[4:]) < 0)


def test_a_leak_is_in_the_test_figures_and_not_in_the_population() -> None:
    task = world(rho=0.5)
    plan = healthy_plan(np.random.default_rng(2), task)
    record = train(task, replace(plan, leak_target=0.9), seed=3)
    assert figures(record.test_truth, record.test_predictions)["r2"] > 0.9
    assert record.population == train(task, plan, seed=3).population


def test_a_shift_of_the_evaluation_rows_costs_its_square() -> None:
    task = world()
    plan = replace(healthy_plan(np.random.default_rng(2), task), forced_pick=1.0)
    lost = (
        train(task, plan, seed=3).population["r2"] - train(task, replace(plan, eval_shift=0.5), seed=3).population["r2"]
    )
    offset = run_states(task, plan, 3).offset[-1]
    assert lost == pytest.approx(0.25 - offset, abs=0.02)


def test_training_rows_know_the_memorised_noise() -> None:
    task = world()
    plan = replace(healthy_plan(np.random.default_rng(2), task), memory=2.0, echo=1.0)
    states = run_states(task, plan, 3)
    fit = predict(task, plan, states, task.train, training=True)[-1]
    truth = task.mean + task.std * task.truth(task.train)
    held = predict(task, plan, states, task.val)[-1]
    val_truth = task.mean + task.std * task.truth(task.val)
    assert figures(truth, fit)["r2"] > 0.9 > 0.6 > figures(val_truth, held)["r2"]


@pytest.mark.parametrize("name", EDITS)
def test_every_edit_of_the_log_misleads(name: str) -> None:
    task = world()
    record = train(task, healthy_plan(np.random.default_rng(2), task), seed=3)
    written = apply_edits(record.rows, ((name, 0.4, 0.5),))
    assert harm_of_edits(record.rows, written, record.saved) > 0
    assert harm_of_edits(record.rows, record.rows, record.saved) == 0


def test_every_fault_has_a_plant_and_every_plant_changes_its_own_stage_only() -> None:
    # What only a network that is really trained can have is planted there.
    assert {p.fault for p in PLANTS} == set(Fault) - {Fault.DEAD_UNITS, Fault.LABEL_NOISE}
    task = draw_world(np.random.default_rng(1), 0.8, grouped=True)
    plan = healthy_plan(np.random.default_rng(2), task)
    for plant in PLANTS:
        changed = plant.change(np.random.default_rng(3), task, plan)
        touched = {
            name
            for name in plan.__dataclass_fields__
            if not np.array_equal(getattr(plan, name), getattr(changed, name))
        }
        # forced_pick, patience and onset go with plants whose harm shows in the last state only.
        bookkeeping = {"forced_pick", "patience", "onset", "leak_counted", "monitor"}
        assert touched, plant.name
        assert touched - bookkeeping <= set(STAGE_FIELDS[plant.stage]), plant.name


def test_dev_and_test_differ_and_hold_the_shares_that_were_promised() -> None:
    dev, test = orders("dev"), orders("test")
    assert len(dev) == len(test) >= 300
    kinds = [order.kind for order in dev]
    assert kinds.count("double") >= 0.25 * len(dev)
    assert len(dev) - kinds.count("double") - kinds.count("single") >= 0.25 * len(dev)
    assert kinds.count("single") == len(PLANTS) * SINGLE_EACH
    assert all(can_be_together(*order.plants) for order in dev if order.kind == "double")
    assert [o.plants for o in dev] != [o.plants for o in test]


def test_a_case_is_made_the_same_twice_and_reads_back(tmp_path: Path) -> None:
    order = orders("dev")[7]
    one, two = (build(order, "dev", tmp_path / name) for name in ("one", "two"))
    assert one.truth == two.truth
    for path in sorted((tmp_path / "one").iterdir()):
        assert path.read_bytes() == (tmp_path / "two" / path.name).read_bytes()
    (run,) = [run for run in load_runs([str(one.folder)]) if isinstance(run, Run)]
    assert run.predictions is not None
    assert len(run.predictions) == one.traits["n"]
