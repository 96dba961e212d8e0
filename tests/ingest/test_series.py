"""Series of a store → runs: the axis, sessions, final figures."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.series import Point, SeriesRead, read_series

PATH = Path("store")


def read(**series: list[Point]) -> SeriesRead:
    return read_series(PATH, {name.replace("__", "/"): points for name, points in series.items()}, {})


def line(values: list[float], *, start: int = 0, time: float = 0.0, stride: int = 1) -> list[Point]:
    """Values at steps start, start + stride, ..., one second each from ``time``."""
    return [Point(start + i * stride, v, time + i) for i, v in enumerate(values)]


def test_unequal_lengths_leave_gaps_and_are_never_filled() -> None:
    found = read(train__loss=line([3, 2, 1, 0.5]), eval__loss=[Point(1, 2.5, 1.5), Point(3, 1.5, 3.5)])
    ((history, read_as, _),) = found.parts
    assert history.epochs == (0, 1, 2, 3)
    assert history.columns["train_loss"] == (3, 2, 1, 0.5)
    assert history.columns["val_loss"] == (None, 2.5, None, 1.5)
    assert read_as["val_loss"] == "eval/loss"


def test_a_logged_epoch_numbers_the_rows_and_joins_what_separate_steps_hold() -> None:
    epochs = [Point(s, s // 2, s) for s in range(6)]
    train = [Point(s, 10 - s, s) for s in (0, 2, 4)]
    val = [Point(s, 20 - s, s) for s in (1, 3, 5)]
    ((history, _, _),) = read(epoch=epochs, train_loss=train, val_loss=val).parts
    assert history.epochs == (0, 1, 2)
    assert history.columns["train_loss"] == (10, 8, 6)
    assert history.columns["val_loss"] == (19, 17, 15)


def test_a_row_without_an_epoch_belongs_to_the_next_that_is_logged() -> None:
    epoch = [Point(9, 0, 2), Point(19, 1, 4)]
    found = read(epoch=epoch, val_loss=[Point(9, 5, 2), Point(19, 4, 4)], lr=[Point(0, 0.1, 1), Point(10, 0.01, 3)])
    ((history, _, notes),) = found.parts
    assert history.epochs == (0, 1)
    assert history.columns["learning_rate"] == (0.1, 0.01)
    assert any("without an epoch" in n.message for n in notes)


def test_epochs_that_fall_are_no_axis() -> None:
    found = read(epoch=[Point(0, 3, 0), Point(1, 1, 1), Point(2, 2, 2)], val_loss=line([3, 2, 1]))
    ((history, _, notes),) = found.parts
    assert history.epochs == (0, 1, 2)
    assert history.columns["val_loss"] == (3, 2, 1)
    assert any("steps were used" in n.message for n in notes)


def test_a_second_training_in_one_store_is_a_second_run_for_every_series() -> None:
    train = line([3, 2, 1]) + line([6, 5, 4], time=10)
    val = [Point(2, 1.5, 2.5), Point(2, 4.5, 12.5)]  # once each: only the clock says that they are of two trainings
    first, second = read(train_loss=train, val_loss=val).parts
    assert first[0].columns["train_loss"] == (3, 2, 1)
    assert first[0].columns["val_loss"] == (None, None, 1.5)
    assert second[0].columns["train_loss"] == (6, 5, 4)
    assert second[0].columns["val_loss"] == (None, None, 4.5)


def test_a_resume_keeps_the_later_values_and_says_so() -> None:
    ((history, _, notes),) = read(val_loss=line([5, 4, 3, 2]) + line([2.5, 1.5, 1], start=2, time=10)).parts
    assert history.columns["val_loss"] == (5, 4, 2.5, 1.5, 1)
    assert any(n.code == "log.restarts" and "resumed at epoch 2" in n.message for n in notes)


def test_a_step_logged_twice_with_other_values_is_said() -> None:
    ((history, _, notes),) = read(val_loss=[Point(0, 1), Point(0, 2), Point(1, 3)]).parts
    assert history.columns["val_loss"] == (2, 3)
    assert any("logged" in n.message and "(0)" in n.message for n in notes)


def test_exact_repeats_are_dropped_silently() -> None:
    ((history, _, notes),) = read(val_loss=[Point(0, 1), Point(0, 1), Point(1, 3), Point(1, 3)]).parts
    assert history.columns["val_loss"] == (1, 3)
    assert notes == ()


def test_train_by_step_and_validation_by_epoch_are_joined_by_the_clock() -> None:
    train = [Point(i, 100 - i, i) for i in range(100)]
    val = [Point(e, 50 - e, 20 * (e + 1) - 0.5) for e in range(5)]
    ((history, _, notes),) = read(Loss__train=train, Loss__val=val).parts
    assert history.epochs == (0, 1, 2, 3, 4)
    # The last training step before each validation: 19, 39, ..., 99.
    assert history.columns["train_loss"] == (81, 61, 41, 21, 1)
    assert history.columns["val_loss"] == (50, 49, 48, 47, 46)
    assert any(n.code == "merged" and "by the clock" in n.message for n in notes)


def test_series_that_end_early_are_of_the_same_axis() -> None:
    ((history, _, _),) = read(train_loss=line(list(range(100, 0, -1))), val_loss=line([9, 8, 7, 6])).parts
    assert len(history) == 100


def test_test_figures_are_kept_apart() -> None:
    found = read(val_loss=line([3, 2, 1]), test__r2=[Point(2, 0.4, 9)], test_mse=[Point(2, 4.0, 9)])
    assert found.split == "test"
    assert found.summary == {"r2": 0.4, "mse": 4.0, "rmse": 2.0, "split": "test"}
    ((history, _, _),) = found.parts
    assert set(history.columns) == {"val_loss"}


def test_a_figure_without_a_step_after_the_training_is_final() -> None:
    found = read(val_loss=line([3, 2, 1]), r2=[Point(0, 0.4, 9)])
    assert found.split == "evaluation"
    assert found.summary["r2"] == 0.4
    assert "r2" not in found.parts[0][0].columns


def test_figures_alone_are_a_run_without_a_history() -> None:
    found = read(test_r2=[Point(0, 0.4)], test_mae=[Point(0, math.nan)])
    assert found.parts == []
    assert found.summary == {"r2": 0.4, "split": "test"}


def test_one_epoch_with_a_loss_is_a_history() -> None:
    ((history, _, _),) = read(train_loss=[Point(0, 2.0)], val_loss=[Point(0, 3.0)]).parts
    assert len(history) == 1


def test_the_last_part_of_a_name_may_be_the_split() -> None:
    ((history, read_as, _),) = read(r2__val=line([0.1, 0.2]), RMSE__train=line([3, 2])).parts
    assert history.columns["r2"] == (0.1, 0.2)
    assert read_as == {"epoch": "step", "r2": "r2/val", "train_rmse": "RMSE/train"}


def test_a_column_may_be_given_by_its_name_in_the_store() -> None:
    found = read_series(PATH, {"mine/val": line([3, 2]), "train/loss": line([2, 1])}, {"val_loss": "mine/val"})
    assert found.parts[0][0].columns["val_loss"] == (3, 2)


@pytest.mark.parametrize("series", [{}, {"a": []}, {"a": [Point(math.nan, 1)]}])
def test_nothing_logged_is_said(series: dict[str, list[Point]]) -> None:
    with pytest.raises(InputError, match="no numbers logged"):
        read_series(PATH, series, {})


NAMES = st.sampled_from(
    ["train/loss", "val_loss", "epoch", "test_r2", "r2/val", "step", "lr", "x", "", "train/epoch", "/"]
)
NUMBERS = st.one_of(st.floats(), st.integers(-3, 9).map(float))
POINTS = st.lists(st.builds(Point, NUMBERS, NUMBERS, st.one_of(st.none(), NUMBERS)), max_size=9)


@settings(deadline=None, max_examples=400, derandomize=True)
@given(st.dictionaries(NAMES, POINTS, max_size=6))
def test_any_series_are_histories_or_an_error(series: dict[str, list[Point]]) -> None:
    try:
        found = read_series(PATH, series, {})
    except InputError:
        return
    assert found.parts or found.split
    for history, _, _ in found.parts:
        assert list(history.epochs) == sorted(set(history.epochs))
        assert all(len(values) == len(history) for values in history.columns.values())
