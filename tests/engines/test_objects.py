from __future__ import annotations

from pathlib import Path

import pytest

from runreport.engines.objects import find_objects, run_name
from runreport.errors import InputError


def touch(path: Path, size: int = 3) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)
    return path


def test_parts_in_a_folder_are_one_run(tmp_path: Path) -> None:
    touch(tmp_path / "epoch_predictions_a" / "part-1.parquet")
    touch(tmp_path / "epoch_predictions_a" / "deep" / "part-2.parquet", size=7)
    touch(tmp_path / "epoch_predictions_b.parquet")
    touch(tmp_path / "notes.txt")
    found = find_objects([str(tmp_path)])
    assert [(o.run, Path(o.address).name, o.size) for o in found] == [
        ("a", "part-2.parquet", 7),
        ("a", "part-1.parquet", 3),
        ("b", "epoch_predictions_b.parquet", 3),
    ]


def test_a_file_named_twice_counts_once(tmp_path: Path) -> None:
    path = touch(tmp_path / "epoch_predictions_a.parquet")
    assert len(find_objects([str(path), str(tmp_path), str(tmp_path / "*.parquet")])) == 1


@pytest.mark.parametrize("argument", ["", "/run.csv", "/nothing/*.parquet", "/empty"])
def test_what_names_no_parquet_file_is_an_error(tmp_path: Path, argument: str) -> None:
    touch(tmp_path / "run.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="no Parquet file"):
        find_objects([f"{tmp_path}{argument}" if argument else str(tmp_path / "empty")])


def test_an_address_that_is_no_store_is_named() -> None:
    with pytest.raises(InputError, match="ftp:// is no object store"):
        find_objects(["ftp://host/epoch_predictions_a.parquet"])


@pytest.mark.parametrize(
    ("address", "run"),
    [
        ("s3://b/epoch_predictions/epoch_predictions_x.parquet", "x"),
        ("s3://b/epoch_predictions_x/2026/part.parquet", "x"),
        ("s3://b/epoch_predictions_/part.parquet", "part"),
        ("/data/x.parquet", "x"),
    ],
)
def test_the_name_nearest_the_file_counts(address: str, run: str) -> None:
    assert run_name(address) == run


def test_objects_of_a_store_are_listed(tmp_path: Path) -> None:
    fsspec = pytest.importorskip("fsspec")
    store = fsspec.filesystem("memory")
    store.pipe("/listed/epoch_predictions_a/part-0.parquet", b"1234")
    store.pipe("/listed/readme.txt", b"1")
    try:
        whole = find_objects(["memory://listed"])
        matched = find_objects(["memory://listed/*/*.parquet"])
    finally:
        store.rm("/listed", recursive=True)
    assert [(o.run, o.size) for o in whole] == [("a", 4)]
    assert [o.run for o in matched] == ["a"]
