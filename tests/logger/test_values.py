"""Whatever a training loop hands over arrives as the same float64 numbers."""

import numpy as np
import polars as pl
import pytest
import torch

from runreport.logger.values import FLOAT32_EPSILON, FLOAT64_EPSILON, as_floats, as_number

NUMBERS = [0.5, -1.25, 3.0]  # exact in every floating type


@pytest.mark.parametrize(
    ("values", "epsilon"),
    [
        (NUMBERS, FLOAT64_EPSILON),
        (tuple(NUMBERS), FLOAT64_EPSILON),
        ((x for x in NUMBERS), FLOAT64_EPSILON),
        ([[x] for x in NUMBERS], FLOAT64_EPSILON),
        ([np.float32(x) for x in NUMBERS], FLOAT64_EPSILON),
        ([torch.tensor(x) for x in NUMBERS], FLOAT64_EPSILON),
        ([torch.tensor([x]) for x in NUMBERS], FLOAT64_EPSILON),
        (np.array(NUMBERS), FLOAT64_EPSILON),
        (np.array(NUMBERS, dtype=np.float32), FLOAT32_EPSILON),
        (np.array(NUMBERS, dtype=np.float16)[:, None], FLOAT32_EPSILON),
        (torch.tensor(NUMBERS, dtype=torch.float64), FLOAT64_EPSILON),
        (torch.tensor(NUMBERS, requires_grad=True), FLOAT32_EPSILON),
        (torch.tensor(NUMBERS, dtype=torch.bfloat16).unsqueeze(1), FLOAT32_EPSILON),
        (torch.tensor(NUMBERS, dtype=torch.float16), FLOAT32_EPSILON),
        (pl.Series(NUMBERS), FLOAT64_EPSILON),
        (pl.Series(NUMBERS, dtype=pl.Float32), FLOAT32_EPSILON),
    ],
)
def test_every_kind_of_array_gives_the_same_floats(values: object, epsilon: float) -> None:
    found, precision = as_floats("y_pred", values)
    assert found.tolist() == NUMBERS
    assert precision == epsilon


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.bfloat16, torch.float16])
def test_tensors_on_a_device(dtype: torch.dtype) -> None:
    assert as_floats("y_pred", torch.tensor(NUMBERS, dtype=dtype, device="cuda"))[0].tolist() == NUMBERS
    assert as_number("lr", torch.tensor(0.5, dtype=dtype, device="cuda")) == 0.5


def test_whole_numbers_and_nulls() -> None:
    assert as_floats("y_true", np.array([1, 2]))[0].tolist() == [1.0, 2.0]
    found = as_floats("y_true", pl.Series([1.0, None]))[0]
    assert found[0] == 1.0
    assert found[1] != found[1]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3)), r"y_pred: expected shape \(n,\) or \(n, 1\), found \(2, 3\)"),
        (torch.zeros(1, 3), r"found \(1, 3\)"),
        (torch.zeros(2, 1, 1), r"found \(2, 1, 1\)"),
        (np.float64(1.0), "expected numbers, one a sample"),
        (torch.tensor(1.0), r"found \(\)"),
        ([[1.0, 2.0]], "2 values in sample 0"),
        ([np.zeros(2), np.zeros(2)], r"shape \(2,\) in sample 0; hand batches to log.batch one by one"),
        (["0.5"], "expected one number, found '0.5' in sample 0"),
        ("0.5", "found str"),
        ({"a": 1.0}, "found dict"),
        (3.0, "found float"),
        (None, "found NoneType"),
        ([1j], "expected one number"),
        ([10**400], "beyond the range"),
    ],
)
def test_anything_else_is_refused_by_name(values: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_floats("y_pred", values)


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (0.5, 0.5),
        (3, 3),
        (None, None),
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (torch.tensor(0.5, requires_grad=True), 0.5),
        (torch.tensor([0.5], dtype=torch.bfloat16), 0.5),
    ],
)
def test_one_number(value: object, number: float | None) -> None:
    found = as_number("lr", value)
    assert found == number
    assert type(found) is type(number)


@pytest.mark.parametrize(
    ("value", "message"),
    [("0.5", "found '0.5'"), (torch.zeros(2), r"shape \(2,\)"), (np.zeros(3), r"shape \(3,\)"), ([0.5], "found")],
)
def test_what_is_not_one_number(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=f"^lr: .*{message}"):
        as_number("lr", value)
