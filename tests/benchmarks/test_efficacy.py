"""Whether advice helps: the arithmetic of recovery, the arms, and one pass over runs that are really trained."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path

import numpy as np
import pytest

from benchmarks.truth.efficacy import trial
from benchmarks.truth.efficacy.advised import Advised, advised
from benchmarks.truth.efficacy.arithmetic import (
    as_good_as_healthy,
    made_worse,
    paired_difference,
    recovered_share,
    succeeded,
)
from benchmarks.truth.efficacy.arms import ADVICE, CONTROLS, DEFAULT, RANDOM, RESEED, SOURCE, arms_of, default_recipe
from benchmarks.truth.efficacy.page import page, readme_rows
from benchmarks.truth.efficacy.summary import summary, what_failed, without
from benchmarks.truth.efficacy.trial import HARMFUL, SOUND, Excluded, Tried
from benchmarks.truth.trained.draft import Draft, healthy_config
from benchmarks.truth.trained.orders import Cell, Order
from benchmarks.truth.trained.plants import LATER, PLANTS
from benchmarks.truth.trained.source import Made, case_of, train_all
from benchmarks.truth.trained.store import Store
from benchmarks.truth.trained.tables import dataset_of
from benchmarks.truth.trained.written import r2_of_test
from training.config import Config

NAN = float("nan")
BY_NAME = {plant.name: plant for plant in (*PLANTS, *LATER)}


def healthy(epochs: int = 12) -> Draft:
    dataset = dataset_of("diabetes", 1)
    config = healthy_config(np.random.default_rng(0), "diabetes", 1, train_rows=len(dataset.train))
    return Draft(config=dataclasses.replace(config, max_epochs=epochs), dataset=dataset)


@pytest.mark.parametrize(
    ("before", "after", "twin", "share"),
    [
        (0.1, 0.5, 0.5, 1.0),
        (0.1, 0.3, 0.5, 0.5),
        (0.1, 0.1, 0.5, 0.0),
        (0.1, 0.0, 0.5, -0.25),
        (0.1, 0.9, 0.5, 1.0),  # better than the twin is no more than mended
        (0.1, -99.0, 0.5, -1.0),
        (NAN, 0.25, 0.5, 0.5),  # no predictions at all are worth what the mean is
        (0.1, NAN, 0.5, -1.0),
        (-1e6, -1e5, 0.5, 0.9),
    ],
)
def test_recovered_share(before: float, after: float, twin: float, share: float) -> None:
    assert recovered_share(before, after, twin) == pytest.approx(share, abs=1e-5)
    assert succeeded(before, after, twin) == (share >= 0.5)


def test_worse_and_as_good_are_two_seed_standard_deviations() -> None:
    assert made_worse(0.5, 0.45, 0.02)
    assert not made_worse(0.5, 0.47, 0.02)
    assert made_worse(0.5, NAN, 0.02)
    assert not made_worse(NAN, NAN, 0.02)
    assert as_good_as_healthy(0.46, 0.49, 0.02)
    assert not as_good_as_healthy(0.44, 0.49, 0.02)
    assert not as_good_as_healthy(NAN, 0.49, 0.02)


def test_the_paired_interval_is_that_of_the_differences() -> None:
    ours, theirs = [1.0] * 30 + [0.0] * 10, [1.0] * 10 + [0.0] * 30
    found = paired_difference(ours, theirs)
    assert found is not None
    mean, low, high = found
    assert mean == pytest.approx(0.5)
    error = float(np.std(np.subtract(ours, theirs)) / math.sqrt(40))
    assert (low, high) == pytest.approx((0.5 - 1.96 * error, 0.5 + 1.96 * error), abs=0.03)
    # Runs that both mend and both miss say nothing: what they have in common cancels.
    assert paired_difference([1, 0, 1, 0], [1, 0, 1, 0]) == (0.0, 0.0, 0.0)
    assert paired_difference([], []) is None


def test_the_arms_are_what_they_are_called() -> None:
    config = dataclasses.replace(healthy().config, learning_rate=0.5, variance_lambda=3.0, max_epochs=5, patience=1)
    asked = dataclasses.replace(config, learning_rate=0.01, max_epochs=20, run_name="x_next")
    arms = arms_of(config, asked, [{"patience": 7}], np.random.default_rng(0), train_rows=100)
    assert set(arms) == {ADVICE, *CONTROLS}
    assert arms[ADVICE] == dataclasses.replace(asked, run_name=config.run_name)
    recipe = arms[DEFAULT]
    assert recipe == default_recipe(config, epochs=20, train_rows=100), "as many epochs as the advised run"
    assert (recipe.learning_rate, recipe.loss, recipe.penalty_weight, recipe.warmup_steps) == (1e-3, "mse", 0.0, 4)
    assert recipe.data == config.data
    assert arms[RANDOM] == dataclasses.replace(config, patience=7)
    assert arms[RESEED] == dataclasses.replace(config, seed=config.seed + 1000)
    assert {arms[name].variance_lambda for name in SOURCE} == {2.0, 5.0, 3.0}
    assert arms["source: ratio floor"].ratio_floor == 0.4
    nothing = arms_of(config, None, [], np.random.default_rng(0), train_rows=100)
    assert nothing[ADVICE] == nothing[RANDOM] == config


def tried(name: str, after: dict[str, float], **more: object) -> Tried:
    given: dict[str, object] = {
        "name": name, "group": HARMFUL, "plant": "rate too low", "fault": "rate_low", "table": "diabetes", "before": 0.0,
        "healthy": 0.4, "seed_sd": 0.02, "advice": "lr.raise", "said_no_change": False, "patch": {"learning_rate": 0.1},
        "after": dict.fromkeys((ADVICE, *CONTROLS), 0.0) | after,
    }  # fmt: skip
    return Tried(**(given | more))  # type: ignore[arg-type]


def test_no_patch_is_a_failure_and_is_told() -> None:
    runs = [
        tried("a", {ADVICE: 0.4}),
        tried("b", {ADVICE: 0.1}),
        tried("c", {ADVICE: 0.0, DEFAULT: 0.4}, patch={}, advice="none", said_no_change=True),
        tried("d", {ADVICE: 0.0}, patch={}, advice="data.find-leak"),
        tried("e", {ADVICE: 0.0}, refused=True),
        tried("s", {ADVICE: -0.1}, group=SOUND, plant="healthy", fault="none", patch={}),
    ]
    assert [what_failed(run) for run in runs[:5]] == [
        None, "lr.raise", "said that no change is warranted", "no patch (data.find-leak)", "lr.raise (settings refused)",
    ]  # fmt: skip
    found = summary(runs, [Excluded(plant="offset", fault="bias", why="code")], quick=True)
    assert found["harmful"] == 5
    assert found["arms"][ADVICE]["success"]["share"] == 0.2
    assert found["arms"][DEFAULT]["success"]["share"] == 0.2
    low, high = found["arms"][DEFAULT]["advice_minus_this"]["success"][1:]
    assert low < 0 < high
    assert found["by_plant"]["rate too low"]["failed"]["said that no change is warranted"] == 1
    assert found["excluded"] == [{"plant": "offset", "fault": "bias", "n": 1, "why": "code"}]
    assert found["sound"]["made_worse"][ADVICE] == 1
    assert without(found, "split shift") == {"n": 5, "advice": 0.2, "default": 0.2, "difference": [0.0, low, high]}
    assert without(found, "rate too low")["n"] == 0
    text = page({"dev": found})
    assert "| offset | bias | 1 | code |" in text
    assert "lr.raise 1" in text
    assert "| advice | 0.20 |  |" in readme_rows({"dev": found})


def made(name: str, draft: Draft, twin: float) -> Made:
    order = Order(index=0, kind="single", cell=Cell(index=0, table="diabetes", seed=1), seed=0, plants=(BY_NAME[name],))
    planted = BY_NAME[name].change(np.random.default_rng(1), draft)
    run = train_all({"a": planted})["a"]
    return Made(order=order, draft=planted, trained=run, twin_r2=twin, without={name: twin}, seed_sd=0.02)


def test_the_advice_is_read_from_files_and_is_what_next_gives(tmp_path: Path) -> None:
    from runreport.advice.next_config import patched
    from runreport.analysis.engine import analyze_run
    from runreport.ingest.load import load_runs
    from runreport.run import Run

    case = case_of(made("warmup in epochs", healthy(30), 0.4), "dev", tmp_path)
    said = advised(case.folder)
    (run,) = load_runs([str(case.folder)])
    assert isinstance(run, Run)
    advice, config = patched(analyze_run(run))
    assert (said.advice, dict(said.patch)) == (advice.id, dict(advice.config_patch))
    assert isinstance(said.config, Config)
    assert {k: v for k, v in said.config.to_dict().items() if v != run.config[k] and not isinstance(v, tuple)} == {
        "run_name": "dev0000_next",
        **advice.config_patch,
    }
    assert said.patch in said.possible
    assert len(said.possible) >= 5, "random advice needs something to draw from"
    assert config["run_name"] == "dev0000_next"


def test_runs_are_tried_end_to_end(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A penalty, a fault in the data and a healthy run: the first is trained again in every arm, the second is excluded."""
    draft = healthy(15)
    twin = r2_of_test(train_all({"a": draft})["a"])
    penalty = made("penalty heavy", dataclasses.replace(draft), twin)
    penalty = dataclasses.replace(penalty, without={"penalty heavy": r2_of_test(penalty.trained) + 0.1})
    moved = made("group shift", dataclasses.replace(draft, dataset=trained_groups(draft)), 9.0)
    sound = dataclasses.replace(
        penalty, order=dataclasses.replace(penalty.order, kind="healthy", index=3, plants=()), without={}
    )
    monkeypatch.setattr(trial, "made_runs", lambda *_, **__: [penalty, moved, sound])
    monkeypatch.setattr(trial, "read", lambda m, _: Advised(
        advice="penalty.remove", patch={"variance_lambda": 0.0}, possible=({"patience": 3},),
        config=dataclasses.replace(m.draft.config, variance_lambda=0.0),
    ))  # fmt: skip
    task = ("dev", True, (0, 1), tmp_path)
    runs, excluded = trial.tried_part(task)  # type: ignore[arg-type]
    assert [(e.plant, e.why) for e in excluded] == [("group shift", "the fault is in the samples")]
    first, second = runs
    assert (first.group, second.group) == (HARMFUL, SOUND)
    assert set(first.after) == {ADVICE, *CONTROLS}
    unpenalised = train_all({"x": dataclasses.replace(penalty.draft, config=dataclasses.replace(
        penalty.draft.config, variance_lambda=0.0))})["x"]  # fmt: skip
    assert first.after[ADVICE] == pytest.approx(r2_of_test(unpenalised), abs=1e-5)
    assert first.after["source: composite monitor"] != first.before
    # What was trained is in the store, and a second call gives the same.
    kept = len(list(tmp_path.glob("*.pt")))
    assert kept >= len(CONTROLS)
    assert trial.tried_part(task)[0] == runs  # type: ignore[arg-type]
    assert len(list(tmp_path.glob("*.pt"))) == kept


def trained_groups(draft: Draft) -> object:
    from benchmarks.truth.trained.tables import grouped

    return grouped(draft.dataset)


def test_the_store_knows_a_run_by_all_that_decides_it(tmp_path: Path) -> None:
    store, draft = Store(tmp_path), healthy(2)
    run = train_all({"a": draft}, store)["a"]
    assert store.get(draft) is not None
    again = train_all({"a": draft}, store)["a"]
    assert again.rows == run.rows
    assert store.get(dataclasses.replace(draft, config=dataclasses.replace(draft.config, seed=5))) is None
    dead = BY_NAME["dead units"].change(np.random.default_rng(0), draft)
    assert store.get(dead) is None, "what is done to the network decides too"
    assert store.get(dataclasses.replace(draft, dataset=dataset_of("diabetes", 2))) is None
