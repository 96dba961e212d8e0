"""Tables of the worst rows alone: refused where it can be shown, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from runreport.errors import InputError
from runreport.ingest.prediction_subsets import refuse_worst_rows

Floats = np.ndarray[tuple[int], np.dtype[np.float64]]
Model = Callable[[np.random.Generator, int], tuple[Floats, Floats]]


def is_refused(true: Floats, pred: Floats) -> bool:
    try:
        refuse_worst_rows(Path("out.csv"), pl.DataFrame({"y_true": true, "y_pred": pred}))
    except InputError:
        return True
    return False


def good(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    true = rng.normal(size=n)
    return true, true + 0.3 * rng.normal(size=n)


def weak(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    true = rng.normal(size=n)
    return true, 0.1 * true + 0.3 * rng.normal(size=n)


def biased(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    true = rng.normal(size=n)
    return true, true + 5 + 0.3 * rng.normal(size=n)


def biased_in_two_groups(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    true = rng.normal(size=n)
    return true, true + np.where(rng.random(n) < 0.5, 1.0, -1.0) + 0.1 * rng.normal(size=n)


def of_two_values(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    true = np.sign(rng.normal(size=n)) + 0.1 * rng.normal(size=n)
    return true, 0.05 * rng.normal(size=n)


def against_the_truth(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    true = np.sign(rng.normal(size=n)) + 0.1 * rng.normal(size=n)
    return true, -true + 0.3 * rng.normal(size=n)


def constant(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    return rng.normal(size=n), np.zeros(n)


def binary(rng: np.random.Generator, n: int) -> tuple[Floats, Floats]:
    true = (rng.random(n) < 0.5).astype(float)
    return true, 0.8 * true + 0.1 + 0.05 * rng.normal(size=n)


@pytest.mark.parametrize(
    "model", [good, weak, biased, biased_in_two_groups, of_two_values, against_the_truth, constant, binary]
)
@pytest.mark.parametrize("n", [60, 400])
def test_no_whole_table_is_refused_sorted_or_not(model: Model, n: int) -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        true, pred = model(rng, n)
        worst_first = np.argsort(-np.abs(pred - true))
        assert not is_refused(true, pred)
        assert not is_refused(true[worst_first], pred[worst_first])


@pytest.mark.parametrize("model", [good, weak])
@pytest.mark.parametrize("shuffled", [False, True])
def test_the_worst_tenth_alone_is_refused(model: Model, shuffled: bool) -> None:
    rng = np.random.default_rng(0)
    true, pred = model(rng, 10_000)
    kept = np.argsort(-np.abs(pred - true))[:1000]
    if shuffled:
        kept = rng.permutation(kept)
    assert is_refused(true[kept], pred[kept])


def test_the_line_says_where_the_gap_is() -> None:
    true, pred = good(np.random.default_rng(0), 10_000)
    kept = np.argsort(-np.abs(pred - true))[:1000]
    floor = np.abs(pred - true)[kept].min()
    rows = pl.DataFrame({"y_true": true[kept], "y_pred": pred[kept]})
    with pytest.raises(InputError, match=f"none of 1000 below {floor:.3g}"):
        refuse_worst_rows(Path("out.csv"), rows)


def test_few_rows_are_never_refused() -> None:
    true, pred = good(np.random.default_rng(0), 10_000)
    kept = np.argsort(-np.abs(pred - true))[:49]
    assert not is_refused(true[kept], pred[kept])
