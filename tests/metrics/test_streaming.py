"""The streamed table against the in-memory expressions, exact rationals and scikit-learn; and what it refuses."""

from __future__ import annotations

import itertools
import math
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from runreport.errors import InputError
from runreport.metrics import streaming
from runreport.metrics.blocks import BLOCK_ROWS, BlockMoments
from runreport.metrics.expressions import METRICS, MOMENTS, metrics_by, metrics_of, moments_by
from runreport.metrics.merging import merge_moments
from runreport.metrics.streaming import epoch_metrics


def predictions(rows: int, epochs: int, *, offset: float = 0.0, seed: int = 0) -> pl.DataFrame:
    rng = np.random.default_rng(seed)
    true = rng.normal(0.9, 0.5, rows * epochs)
    pred = 0.8 + 0.3 * (true - 0.9) + rng.normal(0, 0.2, rows * epochs)
    return pl.DataFrame(
        {
            "epoch": np.repeat(np.arange(1, epochs + 1, dtype=np.int32), rows),
            "y_true": offset + true,
            "y_pred": offset + pred,
        }
    )


def assert_same(found: pl.DataFrame, expected: pl.DataFrame, *, tolerance: float = 1e-11) -> None:
    assert found.columns == expected.columns
    assert found.schema == expected.schema
    for name in found.columns:
        left, right = found[name].to_list(), expected[name].to_list()
        if found[name].dtype.is_float():
            assert left == pytest.approx(right, rel=tolerance, abs=tolerance), name
        else:
            assert left == right, name


def write(table: pl.DataFrame, path: Path) -> Path:
    if path.suffix == ".parquet":
        table.write_parquet(path, row_group_size=50_000)
    else:
        table.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    return path


@pytest.mark.parametrize("suffix", [".parquet", ".csv", ".tsv"])
@pytest.mark.parametrize("offset", [0.0, 1e9])
def test_equals_the_expressions(tmp_path: Path, suffix: str, offset: float) -> None:
    # 90,000 rows an epoch: runs, blocks, batches and row groups all end at different rows.
    data = predictions(90_000, 5, offset=offset)
    found = epoch_metrics(write(data, tmp_path / f"p{suffix}"))
    assert_same(found, metrics_by(data, ["epoch"]).collect().with_columns(pl.col("epoch").cast(found["epoch"].dtype)))
    assert found.columns == ["epoch", *METRICS]


def test_against_scikit_learn(tmp_path: Path) -> None:
    data = predictions(70_000, 3)
    found = epoch_metrics(write(data, tmp_path / "p.parquet"))
    for row in found.iter_rows(named=True):
        part = data.filter(epoch=row["epoch"])
        true, pred = part["y_true"].to_numpy(), part["y_pred"].to_numpy()
        assert row["r2"] == pytest.approx(sklearn_metrics.r2_score(true, pred), abs=1e-10)
        assert row["mae"] == pytest.approx(sklearn_metrics.mean_absolute_error(true, pred), rel=1e-10)
        assert row["mse"] == pytest.approx(sklearn_metrics.mean_squared_error(true, pred), rel=1e-10)
        assert row["pearson_r"] == pytest.approx(np.corrcoef(true, pred)[0, 1], abs=1e-10)


def test_float32_is_accumulated_in_float64(tmp_path: Path) -> None:
    data = predictions(50_000, 2, offset=100.0).with_columns(pl.col("y_true", "y_pred").cast(pl.Float32))
    found = epoch_metrics(write(data, tmp_path / "p.parquet"))
    for row in found.iter_rows(named=True):
        part = data.filter(epoch=row["epoch"]).select(pl.col("y_true", "y_pred").cast(pl.Float64))
        expected = sklearn_metrics.r2_score(part["y_true"].to_numpy(), part["y_pred"].to_numpy())
        assert row["r2"] == pytest.approx(expected, abs=1e-10)


def test_interleaved_epochs_and_several_keys(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    data = predictions(20_000, 4).with_columns(
        run=pl.Series([("a", "b", None)[i] for i in rng.integers(0, 3, 80_000)]),
        split=pl.Series(rng.choice(["val", "test"], 80_000)),
    )
    keys = ["run", "split", "epoch"]
    path = write(data.sample(fraction=1.0, shuffle=True, seed=1), tmp_path / "p.parquet")
    assert_same(epoch_metrics(path, keys), metrics_by(data, keys).collect())


def test_runs_of_string_and_null_keys(tmp_path: Path) -> None:
    names = [None] * 3000 + ["a"] * 2000 + [None] * 2500 + ["b"] * 2500
    data = predictions(10_000, 1).with_columns(run=pl.Series(names, dtype=pl.String))
    path = write(data, tmp_path / "p.parquet")
    found = epoch_metrics(path, ["run"])
    assert found["run"].to_list() == [None, "a", "b"]
    assert found["n"].to_list() == [5500, 2000, 2500]
    assert_same(found, metrics_by(data, ["run"]).collect())


def test_rows_that_are_not_finite(tmp_path: Path) -> None:
    data = predictions(60_000, 3).with_row_index("i")
    holes = data.with_columns(
        y_true=pl.when(pl.col("i") % 7 == 0).then(math.nan).otherwise("y_true"),
        y_pred=pl.when(pl.col("i") % 11 == 0)
        .then(None)
        .when(pl.col("i") % 13 == 0)
        .then(math.inf)
        # The whole second epoch is lost.
        .when(pl.col("epoch") == 2)
        .then(math.nan)
        .otherwise("y_pred"),
    ).drop("i")
    found = epoch_metrics(write(holes, tmp_path / "p.parquet"))
    kept = data.filter((pl.col("i") % 7 != 0) & (pl.col("i") % 11 != 0) & (pl.col("i") % 13 != 0)).drop("i")
    expected = metrics_by(kept, ["epoch"]).collect()
    assert found["n"].to_list() == [expected["n"][0], 0, expected["n"][2]]
    assert (found["n"] + found["n_dropped"]).to_list() == [60_000] * 3
    for row in (0, 2):
        for name in METRICS[2:]:
            assert found[name][row] == pytest.approx(expected[name][row], rel=1e-11, abs=1e-11), name
    assert found.row(1)[3:] == (None,) * (len(METRICS) - 2)


def test_what_a_csv_says_for_a_missing_number(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("epoch,y_true,y_pred\n1,1,1.5\n1,nan,2\n1,NA,2\n1,3,None\n1,,2\n1,inf,2\n1,2,2.5\n")
    found = epoch_metrics(path)
    assert found.select("n", "n_dropped", "mae", "mean_error").row(0) == (2, 5, 0.5, 0.5)


def test_a_fraction_after_many_integers_in_a_csv(tmp_path: Path) -> None:
    path = tmp_path / "p.csv"
    path.write_text("epoch,y_true,y_pred\n" + "1,1,1\n" * 20_000 + "1,1.5,1\n")
    assert epoch_metrics(path)["mae"][0] == pytest.approx(0.5 / 20_001, rel=1e-12)


def test_other_column_names(tmp_path: Path) -> None:
    data = predictions(100, 2).rename({"y_true": "target", "y_pred": "output"})
    path = write(data, tmp_path / "p.parquet")
    found = epoch_metrics(path, true="target", pred="output")
    assert_same(found, metrics_by(data.rename({"target": "y_true", "output": "y_pred"}), ["epoch"]).collect())


def test_integer_predictions(tmp_path: Path) -> None:
    data = pl.DataFrame({"epoch": [1] * 600, "y_true": [1, 2, 3] * 200, "y_pred": [1, 2, 4] * 200})
    assert epoch_metrics(write(data, tmp_path / "p.parquet"))["r2"][0] == pytest.approx(0.5, abs=1e-15)


def test_zero_targets_null_only_mape(tmp_path: Path) -> None:
    data = predictions(100_000, 2).with_row_index("i")
    data = data.with_columns(y_true=pl.when(pl.col("i") == 99_000).then(0.0).otherwise("y_true")).drop("i")
    found = epoch_metrics(write(data, tmp_path / "p.parquet"))
    assert found["mape"][0] is None
    assert found["mape"][1] is not None
    assert found["mae"].null_count() == 0


def test_no_rows_gives_no_groups(tmp_path: Path) -> None:
    found = epoch_metrics(write(predictions(0, 1), tmp_path / "p.parquet"))
    assert found.shape == (0, 1 + len(METRICS))


def test_parts_are_merged_before_they_pile_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = predictions(150_000, 4)
    path = write(data, tmp_path / "p.parquet")
    expected = epoch_metrics(path)
    monkeypatch.setattr(streaming, "MAX_PARTS", 3)
    assert_same(epoch_metrics(path), expected, tolerance=1e-13)


def test_same_bytes_on_any_number_of_threads(tmp_path: Path) -> None:
    path = write(predictions(90_000, 4), tmp_path / "p.parquet")
    code = (
        "import sys, pathlib; from runreport.metrics.streaming import epoch_metrics;"
        "print([float(x).hex() for x in epoch_metrics(pathlib.Path(sys.argv[1])).drop('epoch').to_numpy().ravel()])"
    )
    printed = {
        subprocess.run(
            [sys.executable, "-c", code, str(path)],
            env={**os.environ, "POLARS_MAX_THREADS": threads, "OPENBLAS_NUM_THREADS": threads},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for threads in ("1", "3")
    }
    assert len(printed) == 1
    assert len(printed.pop()) > 1000


@pytest.mark.parametrize("anchor", [0.0, 1e6, -1e6])
@pytest.mark.parametrize("offset", [0.0, 1e9])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_block_against_exact_rationals(anchor: float, offset: float, dtype: type[np.floating]) -> None:
    rng = np.random.default_rng(0)
    true = (offset + rng.normal(1, 1, 900)).astype(dtype)
    pred = (offset + rng.normal(1, 1, 900)).astype(dtype)
    # The block is summed about its first value: here a stray, a million deviations away.
    true[0] += dtype(anchor)
    moments = dict(zip(MOMENTS, BlockMoments().of_block(true.copy(), pred.copy()), strict=True))
    t, p = [Fraction(float(x)) for x in true], [Fraction(float(x)) for x in pred]
    t_mean, p_mean = sum(t) / 900, sum(p) / 900
    e = [b - a for a, b in zip(t, p, strict=True)]
    expected = {
        "__true_above_min": t_mean - min(t),
        "__pred_above_min": p_mean - min(p),
        "__error_mean": sum(e) / 900,
        "__true_variance": sum((x - t_mean) ** 2 for x in t) / 900,
        "__pred_variance": sum((x - p_mean) ** 2 for x in p) / 900,
        "__error_variance": sum((x - sum(e) / 900) ** 2 for x in e) / 900,
        "__absolute_error": sum(map(abs, e)) / 900,
        "__relative_error": sum(abs(x / y) for x, y in zip(e, t, strict=True)) / 900,
    }
    for name, value in expected.items():
        assert moments[name] == pytest.approx(float(value), rel=1e-11, abs=1e-11), name
    covariance = float(sum((a - t_mean) * (b - p_mean) for a, b in zip(t, p, strict=True)) / 900)
    scale = math.sqrt(expected["__true_variance"] * expected["__pred_variance"])
    assert moments["__covariance"] == pytest.approx(covariance, abs=1e-12 * scale)


def test_a_shift_far_beyond_the_spread_of_the_errors() -> None:
    rng = np.random.default_rng(1)
    true = rng.normal(0, 1, BLOCK_ROWS)
    pred = true + 1e6 + 1e-3 * rng.normal(0, 1, BLOCK_ROWS)
    moments = dict(zip(MOMENTS, BlockMoments().of_block(true, pred), strict=True))
    error = pred - true
    assert moments["__error_variance"] == pytest.approx(float(np.var(error - 1e6, ddof=0)), rel=1e-9)


@settings(deadline=None, max_examples=60)
@given(
    values=st.lists(
        st.tuples(st.integers(0, 1), st.floats(-1e3, 1e3), st.floats(-1e3, 1e3)),
        min_size=1,
        max_size=60,
    ),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    offset=st.sampled_from([0.0, 1e6]),
)
def test_moments_of_parts_merge_to_those_of_the_whole(
    values: list[tuple[int, float, float]], cuts: list[int], offset: float
) -> None:
    data = pl.DataFrame(values, schema=["g", "y_true", "y_pred"], orient="row").with_columns(
        pl.col("y_true", "y_pred") + offset
    )
    edges = sorted({0, data.height, *(cut for cut in cuts if cut < data.height)})
    parts = [moments_by(data[start:stop].lazy(), ["g"]).collect() for start, stop in itertools.pairwise(edges)]
    merged = merge_moments(pl.concat(parts).lazy(), ["g"]).collect().sort("g")
    whole = moments_by(data.lazy(), ["g"]).collect().sort("g")
    assert merged.columns == whole.columns
    scale = offset + 1e3
    for name in MOMENTS:
        if name == "__relative_error":
            continue
        if "variance" in name:
            # Every variance is at most (2 scale)²; digits are lost to the range of the values, not to their offset.
            assert merged[name].to_list() == pytest.approx(whole[name].to_list(), rel=1e-9, abs=1e-14 * scale * 2e3)
        else:
            assert merged[name].to_list() == pytest.approx(whole[name].to_list(), rel=1e-12, abs=1e-12 * scale), name


def test_one_group_streamed_equals_all_rows_together(tmp_path: Path) -> None:
    data = predictions(1000, 1)
    row = epoch_metrics(write(data, tmp_path / "p.parquet")).drop("epoch").row(0, named=True)
    assert row == pytest.approx(metrics_of(data), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("p.csv", b"epoch,y_true\n1,2\n", "no column 'y_pred'; expected it among epoch, y_true"),
        ("p.csv", b"", "empty CSV"),
        ("p.csv", b"epoch,y_true,y_pred\n1,high,2\n", "high"),
        ("p.parquet", b"not a parquet file at all", "parquet"),
        ("p.npz", b"", "file type '.npz'"),
    ],
)
def test_unusable_files_are_input_errors(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        epoch_metrics(path)
    assert message.lower() in str(caught.value).lower()
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_words_for_numbers(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        epoch_metrics(tmp_path / "absent.parquet")
    words = pl.DataFrame({"epoch": [1], "y_true": ["a"], "y_pred": [1.0]})
    with pytest.raises(InputError, match="must be numeric"):
        epoch_metrics(write(words, tmp_path / "p.parquet"))
    with pytest.raises(ValueError, match="at least one column"):
        epoch_metrics(tmp_path / "absent.parquet", [])
