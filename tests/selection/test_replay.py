"""Early stopping as a state machine, against hand-worked cases and running maxima of numpy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from runreport.selection.policies import Mode, Replay, replay_patience
from runreport.selection.scores import trailing_mean

NAN = math.nan


@pytest.mark.parametrize(
    ("values", "options", "expected"),
    [
        ([], {}, Replay(best=None, stop=None)),
        ([NAN, None, math.inf], {"patience": 2}, Replay(best=None, stop=2)),
        ([0.5, 0.5, 0.5], {"patience": 2}, Replay(best=0, stop=2)),
        ([0.1, 0.2, 0.3], {"patience": 1}, Replay(best=2, stop=None)),
        ([0.3, 0.2, 0.2, 0.9], {"patience": 2}, Replay(best=0, stop=2)),
        ([0.3, None, 0.2, None, 0.9], {"patience": 2}, Replay(best=4, stop=None)),
        ([0.3, NAN, 0.2, 0.9], {"patience": 2}, Replay(best=0, stop=2)),
        ([0.5, 0.5625, 0.625, 0.75], {"min_delta": 0.125}, Replay(best=3, stop=None)),
        ([0.5, 0.625], {"min_delta": 0.125}, Replay(best=0, stop=None)),
        ([1.0, 0.5, 0.7], {"mode": "min", "patience": 5}, Replay(best=1, stop=None)),
        ([9.0, 1.0, 2.0, 1.5], {"warmup": 1}, Replay(best=2, stop=None)),
        ([0.9, 0.1, 0.2], {"eligible": [False, True, True]}, Replay(best=2, stop=None)),
        ([0.9, 0.1, 0.2], {"eligible": [False, False, True], "patience": 2}, Replay(best=None, stop=1)),
        ([0.2, 0.1], {"patience": 0}, Replay(best=0, stop=1)),
        ([-math.inf, -5.0], {}, Replay(best=1, stop=None)),
    ],
)
def test_replay_matches_hand_worked_cases(
    values: list[float | None], options: dict[str, object], expected: Replay
) -> None:
    assert replay_patience(values, **options) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize("mode", ["max", "min"])
def test_replay_matches_running_extremes_on_random_histories(mode: str) -> None:
    rng = np.random.default_rng(3)
    for _ in range(500):
        values = np.round(rng.normal(size=rng.integers(1, 40)), 1)  # rounding makes ties
        patience = int(rng.integers(1, 8))
        signed = values if mode == "max" else -values
        records = np.r_[True, signed[1:] > np.maximum.accumulate(signed)[:-1]]
        last_record = np.maximum.accumulate(np.where(records, np.arange(len(values)), 0))
        stopped = np.flatnonzero(np.arange(len(values)) - last_record >= patience)
        stop = int(stopped[0]) if len(stopped) else None
        seen = signed if stop is None else signed[: stop + 1]
        expected = Replay(best=int(np.argmax(seen)), stop=stop)
        assert replay_patience(values.tolist(), mode, patience) == expected  # type: ignore[arg-type]


def test_trailing_mean_is_a_convolution_and_keeps_undefined_values() -> None:
    values = np.random.default_rng(0).normal(size=20)
    assert trailing_mean(values.tolist(), 5)[4:] == pytest.approx(np.convolve(values, np.ones(5) / 5, "valid"))
    smooth = trailing_mean([1.0, NAN, 3.0, None, 5.0, 7.0], 2)
    assert smooth[0] is None
    assert math.isnan(smooth[1] or 0.0)
    assert smooth[3:] == (None, None, 6.0)


@given(
    st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=True) | st.sampled_from([0.0, -0.0, 0.5])),
    st.sampled_from(["min", "max"]),
    st.data(),
)
def test_without_patience_the_pick_is_that_of_one_that_never_runs_out(
    values: list[float | None], mode: Mode, data: st.DataObject
) -> None:
    size = len(values)
    eligible = data.draw(st.none() | st.lists(st.booleans(), min_size=size, max_size=size))
    never = replay_patience(values, mode, patience=size + 1, eligible=eligible)
    assert replay_patience(values, mode, eligible=eligible) == never


@given(st.lists(st.none() | st.floats(-1e6, 1e6), max_size=12), st.integers(1, 6))
def test_trailing_means_are_those_of_each_window(values: list[float | None], window: int) -> None:
    def mean(end: int) -> float | None:
        part = values[end - window + 1 : end + 1]
        known = [v for v in part if v is not None]
        return sum(known) / window if len(known) == window else None

    expected = tuple(mean(i) if i >= window - 1 else None for i in range(len(values)))
    assert trailing_mean(values, window) == expected
