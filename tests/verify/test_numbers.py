"""Numbers as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runreport.verify.numbers import agrees, find_numbers


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("R² = −0.07", [-0.07]),
        ("R² = –0.07", [-0.07]),
        ("14–20 %", [14.0]),
        ("0,35", []),  # a decimal comma, or a list
        ("12,345", [12345.0]),
        ("5 × 10⁻⁴", []),
        ("5e-4", [0.0005]),
        ("run4 v1.2.3 at 12:30 on 2024-10-20", []),
        ("(-0.5), [0.1, 0.2]", [-0.5, 0.1, 0.2]),
        ("3/4", []),
        ("~0.3 and about 0.4", [0.3, 0.4]),
    ],
)
def test_what_is_a_number(text: str, values: list[float]) -> None:
    assert [w.value for w in find_numbers(text)] == values


@given(st.floats(-50, 50), st.integers(0, 5))
def test_a_number_agrees_with_every_rounding_of_itself(value: float, places: int) -> None:
    text = f"{value:.{places}f}"
    (written,) = find_numbers(text)
    assert agrees(written, value)


@given(st.floats(-50, 50), st.integers(1, 4), st.sampled_from([-3, -2, 2, 3]))
def test_a_number_two_places_off_does_not_agree(value: float, places: int, off: int) -> None:
    (written,) = find_numbers(f"{value + off * 10.0**-places:.{places}f}")
    assert not agrees(written, value)


@given(st.floats(0, 2), st.integers(0, 2))
def test_a_share_in_percent(value: float, places: int) -> None:
    (written,) = find_numbers(f"{100 * value:.{places}f} %")
    assert agrees(written, value, share=True)


def test_precision_counts() -> None:
    written = next(find_numbers("0.50"))
    assert agrees(written, 0.504)
    assert not agrees(written, 0.52)
    assert agrees(next(find_numbers("0.5")), 0.52)
    assert agrees(next(find_numbers("about 0.5")), 0.54)
    assert not agrees(next(find_numbers("about 0.5")), 0.62)
    assert agrees(next(find_numbers("0.0812")), 0.081, half=0.0005)
