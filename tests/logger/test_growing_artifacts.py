"""What the logger needs of the artifact writers beyond a fixed set of columns."""

from pathlib import Path

import polars as pl
import pytest

from runreport.artifacts import EpochPredictions, HistoryWriter, InputError


def test_a_growing_history_is_whole_after_every_row(tmp_path: Path) -> None:
    path = tmp_path / "run.csv"
    with HistoryWriter(path, grow=True) as history:
        history.write({"epoch": 1, "r2": 0.5})
        history.write({"epoch": 2})
        assert path.read_text() == "epoch,r2\n1,0.5\n2,\n"
        history.write({"epoch": 3, "mae": 0.25, "note": "a,b"})
        assert path.read_text() == 'epoch,r2,mae,note\n1,0.5,,\n2,,,\n3,,0.25,"a,b"\n'
        history.write({"mae": 0.125, "epoch": 4})
    assert path.read_text().splitlines()[-1] == "4,,0.125,"
    assert list(tmp_path.iterdir()) == [path]
    with pytest.raises(InputError, match="already there"):
        HistoryWriter(path, grow=True)


def test_epoch_predictions_hold_what_is_known_and_no_more(tmp_path: Path) -> None:
    kept = EpochPredictions(y_true=[0.5, 1.5], keys={"patient": [7, 8]})
    kept.add(1, [0.25, 0.75])
    kept.write(tmp_path / "e.parquet")
    frame = pl.read_parquet(tmp_path / "e.parquet")
    assert frame.rows() == [(1, 7, 0.5, 0.25), (1, 8, 1.5, 0.75)]
    assert frame.columns == ["epoch", "patient", "y_true", "y_pred"]
    assert frame.schema["y_pred"] == pl.Float32
    with pytest.raises(ValueError, match="1 values of site for 2 samples"):
        EpochPredictions(y_true=[0.5, 1.5], keys={"site": ["a"]})
