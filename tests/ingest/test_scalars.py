"""Settings of other programs: plain values only, whatever the file holds."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.scalars import MAX_SETTINGS, MAX_YAML, flat, read_yaml, scalar


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.01", 0.01), ("1e-3", 1e-3), ("7", 7), ("-7", -7), ("1_000", "1_000"), ("None", None), ("false", False),
        ("nan", "nan"), ("9" * 400, "9" * 400), ("a\x1b[0m", "a [0m"),
    ],
)  # fmt: skip
def test_text_becomes_what_it_says(text: str, value: object) -> None:
    assert scalar(text) == value
    assert type(scalar(text)) is type(value)


def test_nested_settings_are_dotted_and_lists_left_out() -> None:
    assert flat({"a": {"b": {"c": 1}}, "d": [1], "e": "x\ny", "f": float("nan"), "g": 10**400}) == {
        "e": "x y",
        "f": None,
        "g": None,
        "a.b.c": 1,
    }


def test_a_small_file_cannot_unfold_into_a_large_one(tmp_path: Path) -> None:
    path = tmp_path / "hparams.yaml"
    path.write_text("a0: &a0 {x: 1}\n" + "".join(f"a{i + 1}: &a{i + 1} {{p: *a{i}, q: *a{i}}}\n" for i in range(60)))
    assert len(read_yaml(path)) <= MAX_SETTINGS
    merges = "".join(f"a{i + 1}: &a{i + 1} {{<<: [{', '.join([f'*a{i}'] * 9)}]}}\n" for i in range(12))
    path.write_text("a0: &a0 {x: 1}\n" + merges)
    with pytest.raises(InputError, match="no YAML of plain values"):
        read_yaml(path)


@pytest.mark.parametrize(
    "text",
    ["!!python/object/apply:os.getcwd []", "[1, 2]", "a: [", "[" * 5000, "a: " + "9" * 5000, "x" * (MAX_YAML + 1)],
)
def test_what_is_no_mapping_of_plain_values_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "meta.yaml"
    path.write_text(text)
    with pytest.raises(InputError):
        read_yaml(path)


@settings(deadline=None, max_examples=150, derandomize=True)
@given(st.one_of(st.binary(max_size=60), st.text("abc:{}[]&*<-!|>'\"# \n0123.", max_size=60).map(str.encode)))
def test_any_bytes_are_settings_or_an_error(content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "meta.yaml"
        path.write_bytes(content)
        try:
            found = read_yaml(path)
        except InputError:
            return
    assert all(value is None or isinstance(value, bool | int | float | str) for value in found.values())
