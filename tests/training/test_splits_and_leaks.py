"""How samples are split, and what the leak check counts."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from training.config import Config, DataConfig
from training.config_file import parse_config
from training.data import check_leaks, load_dataset
from training.data.dataset import Dataset
from training.data.leaks import examine_leaks
from training.data.pool import Pool, make_pool
from training.data.splitting import assign, split_pool
from training.errors import ConfigError

SIZE = {"frame_height": 8, "frame_width": 8, "train_samples": 24, "val_samples": 6, "test_samples": 6}


def _pool(groups: list[str] | None = None, time: list[float] | None = None, count: int = 20) -> Pool:
    count = len(groups) if groups is not None else len(time) if time is not None else count
    return make_pool(
        "here",
        inputs=np.arange(2.0 * count).reshape(count, 2),
        target=np.arange(float(count)),
        group=groups,
        time=time,
    )


def _named(dataset: Dataset) -> dict[str, set[str]]:
    return {name: set(split.flight_names) for name, split in dataset.splits().items()}


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(2, 9), min_size=3, max_size=8),
    seed=st.integers(0, 99),
    val=st.floats(0.05, 0.45),
    test=st.floats(0.05, 0.45),
)
def test_groups_stay_whole_and_every_sample_is_used_once(sizes: list[int], seed: int, val: float, test: float) -> None:
    groups = [f"g{index}" for index, size in enumerate(sizes) for _ in range(size)]
    dataset = split_pool(_pool(groups), DataConfig(split="group", seed=seed, val_fraction=val, test_fraction=test))
    names = _named(dataset)
    assert all(not names[a] & names[b] for a, b in combinations(names, 2))
    targets = torch.cat([split.target for split in dataset.splits().values()])
    assert sorted(targets.tolist()) == list(range(len(groups)))
    # Drawn until the share is reached: without the last group drawn, the share would not have been.
    counts = dict(zip(dict.fromkeys(groups), sizes, strict=True))
    for part, fraction in (("val", val), ("test", test)):
        total = sum(counts[name] for name in names[part])
        assert total - max(counts[name] for name in names[part]) < fraction * len(groups)


def test_named_groups() -> None:
    groups = [name for name in "abcd" for _ in range(3)]
    data = DataConfig(split="group", val_groups="b", test_groups="a, d")
    assert _named(split_pool(_pool(groups), data)) == {"train": {"c"}, "val": {"b"}, "test": {"a", "d"}}
    for bad, message in [
        (DataConfig(split="group", val_groups="x"), "data.val_groups: found 'x'; expected some of a, b, c, d"),
        (DataConfig(split="group", val_groups="a", test_groups="a"), "'a' is among the test_groups as well"),
        (DataConfig(split="group", val_groups="a,b", test_groups="c,d"), "0 train samples"),
    ]:
        with pytest.raises(ConfigError, match=message):
            split_pool(_pool(groups), bad)
    with pytest.raises(ConfigError, match=r"needs at least 3 groups in data\.group; found 1"):
        split_pool(_pool(), DataConfig(split="group"))


def test_leave_one_group_out() -> None:
    groups = [name for name in "abcd" for _ in range(3)]
    for left_out, val in [("a", "b"), ("d", "a")]:
        names = _named(split_pool(_pool(groups), DataConfig(split="loo", loo_group=left_out)))
        assert (names["test"], names["val"]) == ({left_out}, {val})
        assert names["train"] == set("abcd") - {left_out, val}
    names = _named(split_pool(_pool(groups), DataConfig(split="loo", loo_group="a", val_groups="c")))
    assert names == {"train": {"b", "d"}, "val": {"c"}, "test": {"a"}}
    with pytest.raises(ConfigError, match="loo_group: found None; expected one of a, b, c, d"):
        split_pool(_pool(groups), DataConfig(split="loo"))
    with pytest.raises(ConfigError, match="'a' is the loo_group as well"):
        split_pool(_pool(groups), DataConfig(split="loo", loo_group="a", val_groups="a"))


@settings(max_examples=60, deadline=None)
@given(times=st.lists(st.integers(0, 40), min_size=12, max_size=40))
def test_time_split_has_no_future_in_the_past(times: list[int]) -> None:
    pool = _pool(time=[float(time) for time in times])
    codes = assign(pool, DataConfig(split="time"))
    by_row = np.array(times)[pool.samples.target.numpy().astype(int)]
    parts = [by_row[codes == code] for code in range(3)]
    assert sum(map(len, parts)) == len(times)
    for earlier, later in combinations(parts, 2):
        if len(earlier) and len(later):
            assert earlier.max() < later.min()  # strictly: equal times are never torn apart


def test_time_split_shares() -> None:
    dataset = split_pool(_pool(count=50), DataConfig(split="time", val_fraction=0.1, test_fraction=0.3))
    assert [len(split) for split in dataset.splits().values()] == [30, 5, 15]
    assert dataset.val.target.tolist() == [30, 31, 32, 33, 34]


def test_random_split_refuses_to_tear_groups() -> None:
    with pytest.raises(ConfigError, match="random would put samples of one group into several splits"):
        split_pool(_pool(["a"] * 5 + ["b"] * 5), DataConfig(split="random"))
    with pytest.raises(ConfigError, match="nothing is left to train on"):
        split_pool(_pool(), DataConfig(split="random", val_fraction=0.5, test_fraction=0.5))
    with pytest.raises(ConfigError, match=r"data\.kind npz has no splits of its own"):
        split_pool(_pool(), DataConfig(kind="npz"))
    with pytest.raises(ConfigError, match=r"data\.split_column: found nothing"):
        split_pool(_pool(), DataConfig(split="column"))


def _flights(**data: Any) -> Config:
    return parse_config({"temporal_frames": 1, "data": SIZE | data})


def test_the_flights_can_be_split_anew() -> None:
    config = _flights(split="loo", loo_group="flight_c")
    dataset = load_dataset(config, torch.device("cpu"))
    names = _named(dataset)
    assert (names["test"], names["val"]) == ({"flight_c"}, {"flight_d"})
    assert names["train"] == {"flight_a", "flight_b", "flight_e", "flight_f"}
    given = load_dataset(_flights(), torch.device("cpu"))
    # The same samples as before: flight_c is the third of the four training flights.
    third = given.train.flight == given.train.flight_names.index("flight_c")
    assert torch.equal(dataset.test.frames, given.train.frames[third])
    assert dataset.test.local_indices.tolist() == list(range(6))
    leaks = check_leaks(config, dataset)
    assert leaks is not None
    assert not leaks.found


def _with_copies(copies: int, *, split: str = "column") -> tuple[Config, Dataset]:
    rng = np.random.default_rng(2)
    inputs = rng.random((30, 3))
    inputs[20 : 20 + copies] = inputs[:copies]  # test rows that are training rows
    part = ["train"] * 15 + ["val"] * 5 + ["test"] * 10
    groups = ["a"] * 14 + ["b"] * 8 + ["c"] * 8
    pool = make_pool("here", inputs=inputs, target=rng.random(30), part=part, group=groups)
    return parse_config({"data": {"kind": "table", "split": "column"}}), split_pool(pool, DataConfig(split=split))


@pytest.mark.parametrize("copies", [0, 1, 4])
def test_equal_rows_are_counted(copies: int) -> None:
    config, dataset = _with_copies(copies)
    leaks = check_leaks(config, dataset)
    assert leaks is not None
    # Independently, by comparing every pair of rows.
    for pair, count in leaks.equal_inputs.items():
        first, second = (getattr(dataset, name).frames.numpy() for name in pair.split("_"))
        assert count == int((second[:, None] == first[None]).all(axis=2).any(axis=1).sum())
    assert leaks.equal_inputs == {"train_val": 0, "train_test": copies, "val_test": 0}
    # Group b is in all three, a only in train, c only in test.
    assert leaks.shared_groups == {"train_val": 1, "train_test": 1, "val_test": 1}
    assert leaks.found


def test_leaks_are_refused_or_passed_over() -> None:
    config, dataset = _with_copies(2)
    for action in ("refuse", "off"):
        asked = parse_config({"data": {"kind": "table", "leak_check": action}})
        if action == "off":
            assert check_leaks(asked, dataset) is None
            continue
        with pytest.raises(ConfigError, match="2 inputs of test are in train as well") as caught:
            check_leaks(asked, dataset)
        assert "\n" not in str(caught.value)
    assert check_leaks(config, dataset) is not None


def test_zero_and_minus_zero_are_the_same_row_and_angles_count() -> None:
    def dataset(train: float, test: float, angle: float) -> Dataset:
        inputs = np.array([[1.0], [train], [2.0], [3.0], [test], [4.0]])
        angles = np.zeros((6, 2))
        angles[4] = angle
        part = ["train", "train", "val", "val", "test", "test"]
        pool = make_pool("here", inputs=inputs, angles=angles, target=np.arange(6.0), part=part)
        return split_pool(pool, DataConfig(split="column"))

    assert examine_leaks(dataset(0.0, -0.0, 0.0)).equal_inputs["train_test"] == 1
    assert examine_leaks(dataset(0.0, -0.0, 0.5)).equal_inputs["train_test"] == 0


def test_a_group_cut_in_time_is_no_leak() -> None:
    dataset = split_pool(_pool(["a", "b"] * 15, list(range(30))), DataConfig(split="time"))
    assert examine_leaks(dataset, groups_are_cut=True).shared_groups is None
    assert not examine_leaks(dataset, groups_are_cut=True).found
    assert examine_leaks(dataset).shared_groups == {"train_val": 2, "train_test": 2, "val_test": 2}


def test_the_input_that_is_closest_to_the_target_is_named() -> None:
    rng = np.random.default_rng(8)
    inputs, target = rng.random((40, 4)), rng.random(40)
    inputs[:, 1] = 0.5  # constant: no correlation
    inputs[:, 2] = -3 * target + 0.05 * rng.standard_normal(40)
    pool = make_pool("here", inputs=inputs, target=target, input_names=("a", "b", "c", "d"))
    dataset = split_pool(pool, DataConfig(split="random"))
    closest = examine_leaks(dataset).closest_input
    train = dataset.train
    expected = np.corrcoef(train.frames[:, 2].numpy(), train.target.numpy())[0, 1] ** 2
    assert closest is not None
    assert closest.column == "c"
    assert closest.r2 == pytest.approx(expected, rel=1e-5)
    # Whether it is a leak is for the report to ask: nothing is refused.
    assert not examine_leaks(dataset).found


def test_frames_and_constants_have_no_closest_input() -> None:
    config = _flights(split="loo", loo_group="flight_c")
    assert examine_leaks(load_dataset(config, torch.device("cpu"))).closest_input is None
    pool = make_pool("here", inputs=np.arange(20.0).reshape(20, 1), target=np.ones(20))
    assert examine_leaks(split_pool(pool, DataConfig(split="random"))).closest_input is None
