"""What each policy picks: on the published run 4, on hand-made histories, and on scores computed from samples."""

from __future__ import annotations

import math

import numpy as np
import pytest

from runreport.context import History, history_of
from runreport.selection.policies import Policy, catalogue, standard_error_r2

NAMES = (
    "min_val_loss", "max_r2", "r2_patience", "r2_floor_0.4", "composite", "smoothed_r2", "one_standard_error",
    "max_r_recalibrated", "ccc", "kge", "last",
)  # fmt: skip


def policy(name: str, **options: int | float) -> Policy:
    return next(p for p in catalogue(**options) if p.name == name)  # type: ignore[arg-type]


def test_the_catalogue_has_these_names_in_this_order() -> None:
    assert tuple(p.name for p in catalogue()) == NAMES
    assert all(p.title and p.formula and p.source for p in catalogue())


@pytest.mark.parametrize(
    ("name", "epoch"),
    [("min_val_loss", 37), ("max_r2", 37), ("r2_patience", 37), ("composite", 30), ("r2_floor_0.4", 1), ("last", 47)],
)
def test_picks_on_the_published_run_4(run4: History, name: str, epoch: int) -> None:
    assert policy(name).pick(run4).epoch == epoch


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("max_r_recalibrated", "no pearson_r column"),
        ("ccc", "no pearson_r and no bias column"),
        ("one_standard_error", "the number of validation samples is not known"),
        ("smoothed_r2", "epochs are missing, so no 5 in a row to average"),
    ],
)
def test_what_run_4_does_not_allow_is_said(run4: History, name: str, reason: str) -> None:
    pick = policy(name).pick(run4)
    assert pick.epoch is None
    assert pick.reason == reason


@pytest.mark.parametrize("name", [n for n in NAMES if n != "last"])
def test_nothing_logged_gives_a_reason(name: str) -> None:
    pick = policy(name).pick(history_of([1, 2], train_loss=[1.0, 0.9]))
    assert pick.epoch is None
    assert pick.reason


def test_undefined_values_never_win_and_ties_go_to_the_first() -> None:
    history = history_of([1, 2, 3, 4], r2=[math.nan, 0.5, 0.5, math.inf], val_loss=[math.nan, -3.0, -3.0, None])
    assert policy("max_r2").pick(history).epoch == 2
    assert policy("min_val_loss").pick(history).epoch == 2


def test_patience_stops_before_a_late_best_and_says_where() -> None:
    history = history_of(range(1, 8), r2=[0.1, 0.4, 0.3, 0.2, 0.3, 0.2, 0.9])
    pick = policy("r2_patience", patience=3).pick(history)
    assert (pick.epoch, pick.stop_epoch, pick.censored) == (2, 5, False)
    assert policy("max_r2").pick(history).epoch == 7
    assert policy("r2_patience", patience=9).pick(history).censored


def test_floor_without_an_eligible_epoch_picks_none() -> None:
    pick = policy("r2_floor_0.4").pick(history_of([1, 2], r2=[0.1, 0.2], variance_ratio=[0.39, 0.2]))
    assert pick.epoch is None
    assert pick.reason == "no epoch with a std ratio of at least 0.4"


def test_floor_is_met_at_exactly_its_value() -> None:
    assert policy("r2_floor_0.4").pick(history_of([1, 2], r2=[0.1, 0.2], variance_ratio=[0.4, 0.39])).epoch == 1


def test_smoothing_ignores_one_lucky_epoch() -> None:
    r2 = [0.0, 0.1, 0.2, 0.9, 0.2, 0.1, 0.4, 0.5, 0.5, 0.5, 0.5]
    history = history_of(range(1, 12), r2=r2)
    means = [np.mean(r2[i - 4 : i + 1]) for i in range(4, 11)]
    assert policy("smoothed_r2").pick(history).epoch == 5 + int(np.argmax(means)) == 11
    assert policy("max_r2").pick(history).epoch == 4


def test_one_standard_error_takes_the_earliest_within_the_error() -> None:
    history = history_of([1, 2, 3, 4], r2=[0.1, 0.45, 0.5, 0.5], variance_ratio=[0.6, 0.7, 0.7, 0.7], bias=[0.0] * 4)
    assert policy("one_standard_error", validation_n=144).pick(history).epoch == 2
    assert policy("one_standard_error", validation_n=100_000).pick(history).epoch == 3


def test_standard_error_of_r2_matches_simulation() -> None:
    rng = np.random.default_rng(5)
    r, alpha, beta, n = 0.6, 0.8, 0.3, 144
    t = rng.normal(size=(6000, n))
    p = alpha * (r * t + math.sqrt(1 - r * r) * rng.normal(size=t.shape)) + beta
    r2 = 1 - ((t - p) ** 2).sum(axis=1) / ((t - t.mean(axis=1, keepdims=True)) ** 2).sum(axis=1)
    expected = standard_error_r2(2 * r * alpha - alpha**2 - beta**2, alpha, beta, n)
    assert r2.std(ddof=0) == pytest.approx(expected, rel=0.04)


def test_concordance_and_kling_gupta_follow_from_logged_parts() -> None:
    rng = np.random.default_rng(1)
    truth = rng.normal(2.0, 3.0, size=400)
    predictions = [truth * 0.4 + 1.2 + rng.normal(size=400), truth * 0.9 + 3.0 + rng.normal(size=400)]
    direct = []
    for p in predictions:
        covariance = np.cov(truth, p, ddof=0)
        direct.append(2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + (p.mean() - truth.mean()) ** 2))
    history = history_of(
        [1, 2],
        pearson_r=[float(np.corrcoef(truth, p)[0, 1]) for p in predictions],
        variance_ratio=[float(p.std(ddof=0) / truth.std(ddof=0)) for p in predictions],
        pred_mean=[float(p.mean()) for p in predictions],
        true_mean=[float(truth.mean())] * 2,
        true_std=[float(truth.std(ddof=0))] * 2,
    )
    pick = policy("ccc").pick(history)
    assert pick.epoch == 1 + int(np.argmax(direct))
    assert pick.score == pytest.approx(max(direct), abs=1e-12)
    assert policy("kge").pick(history).epoch == 1  # its bias is far smaller; spread and correlation are close


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e15])
def test_loss_picks_do_not_depend_on_scale(scale: float) -> None:
    history = history_of([0.5, 1.0, 1.5], val_loss=[-1.0 * scale, -3.0 * scale, -2.0 * scale])
    assert policy("min_val_loss").pick(history).epoch == 1.0
