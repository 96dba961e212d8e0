"""The trained part of the truth suite: its plan, what plants do to data and figures, and that cases can be read."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.truth.case import Split
from benchmarks.truth.taxonomy import Fault
from benchmarks.truth.trained import source
from benchmarks.truth.trained.draft import Draft, healthy_config
from benchmarks.truth.trained.orders import SEEDS, Cell, Order, cells, orders
from benchmarks.truth.trained.plants import LATER, PLANTS, can_be_together
from benchmarks.truth.trained.source import Made, case_of, train_all, truth_of
from benchmarks.truth.trained.tables import dataset_of, grouped
from benchmarks.truth.trained.written import r2_of_test
from runreport.ingest.load import load_runs
from training.ensemble import Trained

BY_NAME = {plant.name: plant for plant in (*PLANTS, *LATER)}


def draft(*, groups: bool = False, epochs: int = 3) -> Draft:
    dataset = dataset_of("diabetes", 1)
    config = healthy_config(np.random.default_rng(0), "diabetes", 1, train_rows=len(dataset.train))
    config = dataclasses.replace(config, max_epochs=epochs)
    return Draft(config=config, dataset=grouped(dataset) if groups else dataset)


def planted(name: str, *, groups: bool = False) -> Draft:
    return BY_NAME[name].change(np.random.default_rng(1), draft(groups=groups))


@pytest.fixture(scope="module")
def trained() -> Trained:
    return train_all({"a": draft()})["a"]


def test_dev_and_test_have_nothing_in_common() -> None:
    dev, test = cells("dev"), cells("test")
    assert not {c.table for c in dev} & {c.table for c in test}
    assert not {c.seed for c in dev} & {c.seed for c in test}


def test_the_plan_is_as_stated() -> None:
    both = orders("dev"), orders("test")
    assert sum(map(len, both)) >= 300
    for plan in both:
        kinds = [order.kind for order in plan]
        assert kinds.count("double") / len(plan) == pytest.approx(0.25, abs=0.03)
        assert (kinds.count("healthy") + kinds.count("limited")) / len(plan) == pytest.approx(0.25, abs=0.03)
        assert {p.name for o in plan for p in o.plants if o.kind == "single"} == set(BY_NAME)
        assert all(can_be_together(*o.plants) for o in plan if o.kind == "double")
        assert {o.seed for o in plan} == set(range(SEEDS))
    assert len({p.fault for p in PLANTS}) >= 14


def test_there_are_four_tables_or_more_and_flights_on_both_sides() -> None:
    tables = {split: {c.table for c in cells(split)} for split in ("dev", "test")}
    assert tables == {"dev": {"diabetes", "digits", "flights"}, "test": {"wine", "breast_cancer", "low_flights"}}


@pytest.mark.parametrize("split", ["dev2", "dev3"])
def test_the_further_dev_splits_have_small_tables_and_seeds_of_their_own(split: Split) -> None:
    mine = cells(split)
    others = [c for name in ("dev", "dev2", "dev3", "test") if name != split for c in cells(name)]
    assert not {c.seed for c in mine} & {c.seed for c in others}
    assert not {c.table for c in mine} & {c.table for c in cells("test")}
    few = [c for c in mine if c.table.startswith("few_")]
    assert {c.table for c in few} == {"few_diabetes", "few_digits"}
    sizes = [dataset_of(c.table, c.seed).train.frames.shape for c in few]
    assert all(80 <= shape[0] <= 201 and shape[-1] >= 64 for shape in sizes), sizes


def test_the_columns_of_the_flights_tell_the_height_on_a_flight_that_was_not_trained_on() -> None:
    from sklearn.linear_model import RidgeCV

    data = dataset_of("flights", 3)
    assert len({name for s in data.splits().values() for name in s.flight_names}) == 6, "no flight in two splits"
    train, test = (np.asarray(s.frames, float) for s in (data.train, data.test))
    mean, std = train.mean(axis=0), train.std(axis=0)
    line = RidgeCV(np.logspace(-2, 3, 12)).fit((train - mean) / std, data.train.target)
    assert line.score((test - mean) / std, data.test.target) > 0.7


def test_dead_units_stay_dead_and_the_others_learn() -> None:
    import torch.nn

    planted = BY_NAME["dead units"].change(np.random.default_rng(3), draft())
    assert planted.start is not None
    starts = dataclasses.replace(planted.start, alive=2)  # type: ignore[type-var]
    from training.ensemble.running import Running

    network = Running(dataclasses.replace(planted, start=starts).member).network()
    layers = [m for m in network.modules() if isinstance(m, torch.nn.Linear)]
    frames, angles = planted.dataset.train.frames[:64], planted.dataset.train.angles[:64]
    for _ in range(3):
        loss = (network(frames, angles) - 1).square().mean()
        gradients = torch.autograd.grad(loss, list(network.parameters()))
        with torch.no_grad():
            for weight, gradient in zip(network.parameters(), gradients, strict=True):
                weight.sub_(0.1 * gradient)
    alive = layers[0].weight.abs().sum(dim=1) > 0
    assert int(alive.sum()) == 2
    assert not layers[1].weight[:, ~alive].any()


def test_some_training_labels_are_others_and_no_label_is_new() -> None:
    noisy, start = planted("label noise").dataset, draft().dataset
    changed = noisy.train.target != start.train.target
    assert 0.1 < float(changed.float().mean()) <= 0.8
    assert torch.equal(noisy.train.target.sort().values, start.train.target.sort().values)
    assert torch.equal(noisy.test.target, start.test.target)


def test_splits_of_one_table_share_no_row() -> None:
    data = dataset_of("digits", 5)
    rows = [{tuple(row) for row in s.frames.tolist()} for s in data.splits().values()]
    assert not rows[0] & rows[1]
    assert not (rows[0] | rows[1]) & rows[2]


def test_groups_are_contiguous_and_their_rows_counted_from_0() -> None:
    test = grouped(dataset_of("wine", 2)).test
    assert torch.equal(test.flight, test.flight.sort().values)
    for group in test.flight.unique():
        own = test.local_indices[test.flight == group]
        assert own.tolist() == list(range(len(own)))


def test_what_plants_do_to_data() -> None:
    start = draft()
    shifted = planted("split shift").dataset
    moved = shifted.test.target - start.dataset.test.target
    assert float(moved.abs().min()) > 0
    assert float(moved.std()) == pytest.approx(0, abs=1e-4)
    assert torch.equal(shifted.train.target, start.dataset.train.target)

    permuted = planted("targets permuted").dataset
    assert torch.equal(permuted.train.target.sort().values, start.dataset.train.target.sort().values)
    assert abs(float(np.corrcoef(permuted.train.target, start.dataset.train.target)[0, 1])) < 0.3

    leak = planted("target among inputs").dataset.test
    correlations = [abs(float(np.corrcoef(column, leak.target)[0, 1])) for column in leak.frames.T]
    assert max(correlations) > 0.85

    rows = planted("test rows in training").dataset
    known = {tuple(row) for row in rows.train.frames.tolist()}
    assert sum(tuple(row) in known for row in rows.test.frames.tolist()) >= 0.3 * len(rows.test)

    groups = planted("group shift", groups=True).dataset
    by_group = groups.test.target - draft(groups=True).dataset.test.target
    off = {int(g) for g in groups.test.flight[by_group.abs() > 0]}
    assert 1 <= len(off) <= 2


def test_what_is_written_follows_from_the_changed_predictions(trained: Trained) -> None:
    mean = trained.member.dataset.train.target.double().mean()
    mirrored = planted("wrong sign").finished(trained)
    assert torch.allclose(mirrored.test_pred.double() - mean, mean - trained.test_pred.double(), atol=1e-3)
    truth = trained.member.dataset.val.target.double().numpy()
    for row, predicted in zip(mirrored.rows, mirrored.val_pred.double().numpy(), strict=True):
        assert row["r2"] == pytest.approx(1 - ((predicted - truth) ** 2).mean() / truth.var(), abs=1e-6)
        assert row["pearson_r"] == pytest.approx(np.corrcoef(predicted, truth)[0, 1], abs=1e-6)
    # The losses are the network's own.
    assert [r["val_loss"] for r in mirrored.rows] == [r["val_loss"] for r in trained.rows]
    scaled = planted("not scaled back").finished(trained)
    std = trained.member.dataset.train.target.double().std(correction=0)
    assert torch.allclose(scaled.test_pred.double() * std + mean, trained.test_pred.double(), atol=1e-3)


def made(name: str, run: Trained, *, twin: float, sd: float = 0.02) -> Made:
    cell = Cell(index=0, table="diabetes", seed=1)
    order = Order(index=0, kind="single", cell=cell, seed=0, plants=(BY_NAME[name],))
    return Made(order=order, draft=draft(), trained=run, twin_r2=twin, without={name: twin}, seed_sd=sd)


def test_harm_is_more_than_two_seed_standard_deviations(trained: Trained) -> None:
    told = r2_of_test(trained)
    assert truth_of(made("offset", trained, twin=told + 0.041)).faults == (Fault.BIAS,)
    mild = truth_of(made("offset", trained, twin=told + 0.039))
    assert (mild.faults, mild.harmless, mild.kind) == ((), (Fault.BIAS,), "harmless")
    # A leak does harm by what it promises.
    assert truth_of(made("target among inputs", trained, twin=told - 0.041)).faults == (Fault.LEAK,)
    assert truth_of(made("target among inputs", trained, twin=told + 0.041)).faults == ()


def test_one_harmful_plant_of_two_is_a_single_fault(trained: Trained) -> None:
    told = r2_of_test(trained)
    one = made("offset", trained, twin=told + 1)
    order = dataclasses.replace(one.order, kind="double", plants=(BY_NAME["clipped"], BY_NAME["offset"]))
    truth = truth_of(dataclasses.replace(one, order=order, without={"offset": told + 1, "clipped": told}))
    assert (truth.kind, truth.faults, truth.harmless) == ("single", (Fault.BIAS,), (Fault.CLIPPED,))
    assert truth.plants == ("offset",)


def test_a_case_is_a_folder_that_can_be_read(trained: Trained, tmp_path: Path) -> None:
    case = case_of(made("offset", trained, twin=r2_of_test(trained)), "dev", tmp_path)
    (run,) = list(load_runs([str(case.folder)]))
    assert not isinstance(run, Exception)
    assert case.history.is_file()
    assert run.name == case.name == "dev0000"


def test_the_last_epoch_is_kept_where_the_plant_says_so() -> None:
    longest = planted("overfit, last epoch kept")
    config = dataclasses.replace(longest.config, max_epochs=4, stopping_warmup=3, patience=4)
    run = train_all({"a": dataclasses.replace(longest, config=config)})["a"]
    assert run.selected_epoch == len(run.rows) == 4


def test_source_is_registered() -> None:
    from benchmarks.truth.sources import SOURCES

    assert [name for name, _ in SOURCES] == ["simulated", "trained"]
    assert source.cases is not None
