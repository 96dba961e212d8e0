"""Aim and SwanLab: each store refused once, whatever it holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from runreport.errors import InputError
from runreport.ingest.reader import Head
from runreport.ingest.readers.private_stores import READER
from tests.ingest.readers.stores import read_all, sources


@pytest.mark.parametrize(
    ("files", "advice"),
    [
        ((".aim/run_metadata.sqlite", ".aim/seqs/chunks/8f/000009.sst", ".aim/VERSION"), "Aim's own Python API"),
        (("swanlog/run-1-m6/run-m6.swanlab", "swanlog/run-1-m6/files/config.yaml"), "swanlab sync"),
        (("elsewhere/backup.swanlab",), "swanlab sync"),
    ],
)
def test_each_store_is_refused_once_with_the_way_out(tmp_path: Path, files: tuple[str, ...], advice: str) -> None:
    for name in files:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"\x00")
    assert len(sources(READER, tmp_path)) == 1
    with pytest.raises(InputError, match=advice):
        read_all(READER, tmp_path)


def test_other_files_are_not_claimed(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    path.write_text("epoch,val_loss\n")
    assert READER.claim(path, Head(path)) is None
