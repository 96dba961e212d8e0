"""What a run says of its own early stopping, in the words of several frameworks."""

from __future__ import annotations

import pytest

from runreport.context import History, history_of
from runreport.run import Run
from runreport.selection.declared import DeclaredPolicy, declared_policy, saved_epoch, validation_count


def run(summary: dict[str, object] | None = None, config: dict[str, object] | None = None) -> Run:
    return Run(name="a", format="native", files={}, summary=summary or {}, config=config or {})


@pytest.mark.parametrize(
    ("summary", "config", "expected"),
    [
        (
            {"policy": {"monitor": "r2", "mode": "max", "patience": 10, "min_delta": 0.0005, "floor": None}},
            {"early_stopping": "val_loss"},
            DeclaredPolicy(monitor="r2", mode="max", patience=10, min_delta=0.0005),
        ),
        (
            {},
            {"early_stopping": "val_loss", "patience": 10, "min_delta": 0.001},
            DeclaredPolicy(monitor="val_loss", mode="min", patience=10, min_delta=0.001, source="config"),
        ),
        (
            {},
            {"early_stopping": {"monitor": "val_r2", "patience": 5, "mode": "max"}, "patience": 99},
            DeclaredPolicy(monitor="r2", mode="max", patience=5, source="config"),
        ),
        (
            {},
            {"metric_for_best_model": "eval_loss", "greater_is_better": False, "early_stopping_patience": 3},
            DeclaredPolicy(monitor="val_loss", mode="min", patience=3, source="config"),
        ),
        (
            {},
            {"monitor": "val_mae", "early_stopping_patience": 4, "min_delta": -0.1},
            DeclaredPolicy(monitor="mae", mode="min", patience=4, min_delta=0.1, source="config"),
        ),
        ({"selected_by": "r2"}, {}, DeclaredPolicy(monitor="r2", mode="max")),
        ({"selected_by": "somebody"}, {}, None),
        ({}, {"early_stopping": True, "patience": 3}, None),
        ({}, {"early_stopping": "none"}, None),
        ({}, {"patience": 10}, None),
    ],
)
def test_declared_policy(
    summary: dict[str, object], config: dict[str, object], expected: DeclaredPolicy | None
) -> None:
    assert declared_policy(run(summary, config)) == expected


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ({"selected_epoch": 37}, (37, "declared")),
        ({"best_epoch": 4.0}, (4, "declared")),
        ({"training": {"best_epoch": 17}}, (17, "declared")),
        ({"selected_epoch": None, "best_iteration": 120}, (120, "declared")),
        ({"selected_epoch": True}, (None, "unknown")),
        ({"selected_epoch": float("nan")}, (None, "unknown")),
        ({}, (None, "unknown")),
    ],
)
def test_saved_epoch_is_never_guessed(summary: dict[str, object], expected: tuple[int | None, str]) -> None:
    assert saved_epoch(run(summary)) == expected


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ({"splits": {"val": {"n": 144}}}, 144),
        ({"splits": {"validation": {"num_samples": 20}}}, 20),
        ({"splits": {"test": {"n": 144}}, "num_samples": 144}, None),
        ({"splits": {"val": {"n": 0}}}, None),
    ],
)
def test_validation_count_is_not_the_test_count(summary: dict[str, object], expected: int | None) -> None:
    assert validation_count(run(summary)) == expected


def test_a_declared_floor_and_warmup_are_replayed() -> None:
    history = history_of([1, 2, 3, 4], r2=[0.9, 0.5, 0.4, 0.3], variance_ratio=[0.9, 0.2, 0.6, 0.7])
    policy = DeclaredPolicy(monitor="r2", mode="max", patience=5, floor=0.4, warmup=1)
    assert policy.pick(history).epoch == 3
    assert policy.describe() == "highest r2, patience 5, std ratio at least 0.4, not before evaluation 2"


@pytest.mark.parametrize(
    ("policy", "reason"),
    [
        (DeclaredPolicy(monitor="psnr", mode="max"), "its monitor psnr was not logged"),
        (DeclaredPolicy(monitor="r2", mode="max", floor=0.4), "no variance_ratio column for its floor"),
    ],
)
def test_what_cannot_be_replayed_says_why(policy: DeclaredPolicy, reason: str) -> None:
    pick = policy.pick(history_of([1, 2], r2=[0.1, 0.2]))
    assert pick.epoch is None
    assert pick.reason == reason


def test_run_4_declared(run4: History) -> None:
    policy = DeclaredPolicy(monitor="r2", mode="max", patience=10, min_delta=0.0005)
    assert policy.pick(run4).epoch == 37
