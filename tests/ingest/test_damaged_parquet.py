"""Parquet files with a damaged page: a line about it, and the process lives."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.run import Run

ROWS = 400


@pytest.mark.parametrize("name", ["epoch_predictions_run.parquet", "test_predictions.parquet"])
def test_damaged_bytes_are_a_line(tmp_path: Path, name: str) -> None:
    epochs = [1 + i // 100 for i in range(ROWS)]
    frame = pl.DataFrame(
        {"epoch": epochs, "y_true": [i * 0.1 for i in range(ROWS)], "y_pred": [i * 0.2 for i in range(ROWS)]}
    )
    path = tmp_path / name
    frame.write_parquet(path)
    whole = path.read_bytes()
    refused = 0
    # Headers of pages (thrift varints at the beginning of a chunk) are where a byte can declare 2⁶⁰ values.
    for at in (4, 6, 12, 20, 31, len(whole) // 2, len(whole) - 40):
        path.write_bytes(whole[:at] + b"\xff\xff\xff\xff" + whole[at + 4 :])
        (item,) = load_runs([str(path)])
        assert isinstance(item, Run | InputError)
        if isinstance(item, InputError):
            assert str(item).isprintable()
            refused += 1
    assert refused > 0
    path.write_bytes(whole)
    (item,) = load_runs([str(path)])
    assert isinstance(item, Run), str(item)
