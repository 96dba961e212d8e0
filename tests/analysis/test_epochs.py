"""Epoch rows and the choice of telling epochs."""

from __future__ import annotations

import polars as pl
import pytest

from runreport.analysis.epochs import epoch_rows, telling_epochs
from runreport.context import history_of
from runreport.history import history_from_frame


def test_bias_is_known_where_the_means_are_logged() -> None:
    history = history_of([1], r2=[-1.0], variance_ratio=[0.5], pred_mean=[3.0], true_mean=[5.0], true_std=[4.0])
    (row,) = epoch_rows(history)
    assert row.bias == -0.5
    assert row.pearson_r is None


def test_bounds_are_none_where_r2_contradicts_the_ratio() -> None:
    (row,) = epoch_rows(history_of([1], r2=[0.9], variance_ratio=[0.1]))
    assert row.bias_bounds is None
    assert row.r_lower_bound is None


def test_values_that_are_not_finite_are_not_values() -> None:
    (row,) = epoch_rows(history_of([1], r2=[float("nan")], variance_ratio=[0.1]))
    assert row.values["r2"] is None
    assert row.bias_bounds is None


def test_whole_epochs_are_ints_and_fractional_ones_stay() -> None:
    frame = pl.DataFrame({"epoch": [1.0, 1.5], "r2": [0.1, None]}, schema={"epoch": pl.Float64, "r2": pl.Float64})
    history = history_from_frame(frame)
    assert history.epochs == (1, 1.5)
    assert history.columns["r2"] == (0.1, None)


@pytest.mark.parametrize("saved", [None, 13])
def test_telling_epochs_hold_the_turns(saved: int | None) -> None:
    r2 = [-3.0] + [0.1] * 48 + [0.2]
    ratio = [0.5] * 20 + [0.05] + [0.5] * 29
    chosen = telling_epochs(history_of(range(1, 51), r2=r2, variance_ratio=ratio), saved)
    assert len(chosen) == 9
    assert list(chosen) == sorted(chosen)
    assert {1, 50, 21} <= set(chosen)
    assert saved is None or saved in chosen


def test_a_short_run_is_shown_whole() -> None:
    assert telling_epochs(history_of([1, 2, 3], r2=[0.0, 0.1, 0.2]), 2) == (1, 2, 3)
