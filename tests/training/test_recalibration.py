"""Recalibration against scikit-learn and by hand, and what a run does with it."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import r2_score
from sklearn.model_selection import KFold, cross_val_predict

from training.config_file import parse_config
from training.recalibration import fit_line, recalibrated, recalibration_of
from training.run import Places, run_training

SIZE = {"frame_height": 16, "frame_width": 16, "train_samples": 40, "val_samples": 15, "test_samples": 12}


@pytest.mark.parametrize(("count", "blocks"), [(144, 5), (11, 5), (7, 3)])
def test_agrees_with_scikit_learn(count: int, blocks: int) -> None:
    rng = np.random.default_rng(count)
    y_true = np.cumsum(rng.normal(size=count)) * 0.1 + 1.0
    y_pred = 0.3 * y_true + 0.4 + rng.normal(0, 0.05, count)
    ours = recalibration_of(y_true, y_pred)
    x = y_pred[:, None]
    line = LinearRegression().fit(x, y_true)
    assert ours.slope == pytest.approx(line.coef_[0])
    assert ours.intercept == pytest.approx(line.intercept_)
    assert ours.blocks == blocks
    assert ours.r2_before == pytest.approx(r2_score(y_true, y_pred))
    assert ours.r2_after == pytest.approx(np.corrcoef(y_true, y_pred)[0, 1] ** 2)
    # Blocks of neighbours: folds without shuffling.
    crossed = cross_val_predict(LinearRegression(), x, y_true, cv=KFold(blocks))
    assert ours.r2_after_crossfit == pytest.approx(r2_score(y_true, crossed))
    assert ours.r2_after_crossfit < ours.r2_after


def test_a_perfect_line_by_hand() -> None:
    y_pred = np.array([0.0, 1.0, 2.0, 3.0])
    ours = recalibration_of(5.0 - 2.0 * y_pred, y_pred)
    assert (ours.slope, ours.intercept) == pytest.approx((-2.0, 5.0))
    assert (ours.r2_after, ours.r2_after_crossfit, ours.blocks) == (pytest.approx(1.0), pytest.approx(1.0), 2)


def test_undefined_is_none() -> None:
    y_true = np.arange(6.0)
    constant = recalibration_of(y_true, np.full(6, 2.0))
    assert (constant.slope, constant.intercept, constant.line, constant.r2_after_crossfit) == (None, None, None, None)
    assert constant.r2_before == pytest.approx(r2_score(y_true, np.full(6, 2.0)))
    broken = recalibration_of(y_true, np.array([0.0, 1.0, np.nan, 3.0, 4.0, 5.0]))
    assert (broken.slope, broken.r2_before, broken.r2_after) == (None, None, None)
    flat = recalibration_of(np.full(6, 1.0), y_true)
    assert (flat.slope, flat.intercept) == pytest.approx((0.0, 1.0))
    assert (flat.r2_before, flat.r2_after, flat.r2_after_crossfit) == (None, None, None)
    few = recalibration_of(y_true[:3], np.array([0.0, 1.0, 3.0]))
    assert few.r2_after is not None
    assert (few.r2_after_crossfit, few.blocks) == (None, 1)
    # One block holds all that varies: the others' predictions are constant there.
    stuck = recalibration_of(y_true, np.array([1.0, 2.0, 0.0, 0.0, 0.0, 0.0]))
    assert stuck.slope is not None
    assert stuck.r2_after_crossfit is None
    assert fit_line(np.ones(1), np.ones(1)) is None


def _run(out: Path, **settings: Any) -> tuple[dict[str, Any], Places]:
    given = {"run_name": "tiny", "threads": 1, "max_epochs": 2, "device": "cpu", "data": SIZE, "learning_rate": 0.01}
    config = parse_config({**given, "output_init_std": 0.3, **settings})
    places = Places.of("tiny", out=out)
    return run_training(config, places), places


def _predictions(places: Places) -> np.ndarray[Any, np.dtype[np.float64]]:
    with (places.folder / "predictions_tiny.csv").open(newline="") as file:
        return np.array([[float(row["y_true"]), float(row["y_pred"])] for row in csv.DictReader(file)])


def test_a_run_reports_or_applies_the_line(tmp_path: Path) -> None:
    plain, plain_places = _run(tmp_path / "a")
    report, report_places = _run(tmp_path / "b", recalibrate="report")
    applied, applied_places = _run(tmp_path / "c", recalibrate="apply")
    assert plain["recalibration"] is None
    assert report["recalibration"] == applied["recalibration"] | {"applied": False}
    assert applied["recalibration"]["applied"] is True

    # The line is that of the selected epoch's validation predictions.
    import polars as pl

    epochs = pl.read_parquet(plain_places.folder / "epoch_predictions_tiny.parquet")
    chosen = epochs.filter(pl.col("epoch") == plain["selected_epoch"])
    line = LinearRegression().fit(chosen["y_pred"].to_numpy()[:, None], chosen["y_true"].to_numpy())
    assert report["recalibration"]["slope"] == pytest.approx(line.coef_[0], rel=1e-3)
    assert report["recalibration"]["intercept"] == pytest.approx(line.intercept_, rel=1e-3)

    np.testing.assert_array_equal(_predictions(report_places), _predictions(plain_places))
    slope, intercept = applied["recalibration"]["slope"], applied["recalibration"]["intercept"]
    before, after = _predictions(plain_places), _predictions(applied_places)
    np.testing.assert_allclose(after[:, 1], intercept + slope * before[:, 1], rtol=1e-9)
    assert applied["r2"] == pytest.approx(r2_score(after[:, 0], after[:, 1]))
    assert applied["pred_mean"] == pytest.approx(after[:, 1].mean())
    # r stays what it was, or changes its sign with the slope's.
    assert applied["pearson_r"] == pytest.approx(np.sign(slope) * plain["pearson_r"])

    saved = torch.load(report_places.checkpoint, weights_only=True)
    assert saved["recalibration"] == report["recalibration"]
    assert "recalibration" not in torch.load(plain_places.checkpoint, weights_only=True)
    read = json.loads((applied_places.folder / "metrics_tiny.json").read_text())
    assert read["recalibration"] == applied["recalibration"]


def test_constant_predictions_are_left_as_they_are(tmp_path: Path) -> None:
    document, places = _run(tmp_path, recalibrate="apply", output_init_std=0.0, learning_rate=1e-9, max_epochs=1)
    if document["recalibration"]["slope"] is None:
        assert document["recalibration"]["applied"] is False
    constant = recalibration_of(np.arange(6.0), np.full(6, 2.0))
    y_pred = torch.full((6,), 2.0)
    assert torch.equal(recalibrated(y_pred, constant), y_pred)
    assert recalibrated(y_pred, None) is y_pred
    assert np.isfinite(_predictions(places)).all()
