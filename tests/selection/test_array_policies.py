"""The array forms of the policies against their forms for one history, epoch by epoch."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from runreport.context import history_of
from runreport.selection.array_policies import array_declared, array_policies
from runreport.selection.declared import DeclaredPolicy
from runreport.selection.policies import Policy, catalogue

ROWS, EPOCHS, N = 200, 30, 60
NAMES = ("r2", "variance_ratio", "pearson_r", "bias", "ccc")


def histories(seed: int) -> dict[str, NDArray[np.float64]]:
    """Random histories [ROWS, EPOCHS] that obey the identity, with some undefined epochs."""
    rng = np.random.default_rng(seed)
    r = np.asarray(np.round(np.clip(rng.normal(0.4, 0.3, (ROWS, EPOCHS)), -0.99, 0.99), 2), dtype=np.float64)
    alpha = np.round(rng.uniform(0.05, 1.0, r.shape), 2)
    beta = np.round(rng.normal(0, 0.3, r.shape), 2)
    metrics: dict[str, NDArray[np.float64]] = {
        "r2": 2 * r * alpha - alpha**2 - beta**2,
        "variance_ratio": alpha,
        "pearson_r": r,
        "bias": beta,
        "ccc": 2 * r * alpha / (1 + alpha**2 + beta**2),
    }
    gone = rng.random(r.shape) < 0.05
    return {name: np.asarray(np.where(gone, np.nan, values), dtype=np.float64) for name, values in metrics.items()}


HELD_OUT = [policy for policy in catalogue(validation_n=N, patience=4) if policy.held_out]


@pytest.mark.parametrize("policy", HELD_OUT, ids=[policy.name for policy in HELD_OUT])
def test_array_picks_equal_single_picks(policy: Policy) -> None:
    metrics = histories(7)
    epochs = tuple(range(1, EPOCHS + 1))
    picked = array_policies(epochs, N, patience=4)[policy.name](metrics)
    compared = 0
    for row in range(ROWS):
        history = history_of(epochs, **{name: metrics[name][row].tolist() for name in NAMES})
        single = policy.pick(history).epoch
        if single is not None:
            assert epochs[picked[row]] == single
            compared += 1
    assert compared > ROWS // 2


@pytest.mark.parametrize(
    "declared",
    [
        DeclaredPolicy(monitor="r2", mode="max", patience=3, min_delta=0.01, floor=0.5, warmup=2),
        DeclaredPolicy(monitor="composite", mode="max", patience=6),
        DeclaredPolicy(monitor="kge", mode="max"),
    ],
)
def test_declared_policy_on_arrays(declared: DeclaredPolicy) -> None:
    metrics = histories(8)
    epochs = tuple(range(EPOCHS))
    form = array_declared(declared)
    assert form is not None
    picked = form(metrics)
    for row in range(ROWS):
        single = declared.pick(history_of(epochs, **{name: metrics[name][row].tolist() for name in NAMES})).epoch
        if single is not None:
            assert epochs[picked[row]] == single


def test_a_loss_has_no_array_form() -> None:
    assert array_declared(DeclaredPolicy(monitor="val_loss", mode="min")) is None
    assert "min_val_loss" not in array_policies((1, 2), N)


def test_rows_with_nothing_to_choose_take_the_widest() -> None:
    nan = np.full((1, 3), np.nan)
    metrics = {"r2": nan, "variance_ratio": np.array([[0.1, 0.3, 0.2]]), "pearson_r": nan, "bias": nan, "ccc": nan}
    forms = array_policies((1, 2, 3), N)
    assert {int(forms[name](metrics)[0]) for name in ("max_r2", "r2_patience", "r2_floor_0.4", "kge")} == {1}
