"""Predictions of all shapes."""

from __future__ import annotations

import io
import math
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.ingest.predictions import read_predictions
from runreport.ingest.reader import Head, ReadOptions
from runreport.ingest.readers.predictions import READER
from runreport.run import Run
from tests.ingest.readers.texts import EXAMPLES, FUZZ, claimed, forced, one, read_text_file, refused, sound

TRUE, PRED = [1.0, 2.0, 3.0], [1.5, 1.75, 2.5]


def csv(*header: str, separator: str = ",") -> str:
    """A table with TRUE and PRED under the last two of these names, and a number a row before them."""
    rows = [[str(i)] * (len(header) - 2) + [str(t), str(p)] for i, (t, p) in enumerate(zip(TRUE, PRED, strict=True))]
    return "\n".join(separator.join(row) for row in [list(header), *rows]) + "\n"


def pairs(run: Run) -> list[tuple[float, float]]:
    assert run.predictions is not None
    return list(run.predictions.select("y_true", "y_pred").iter_rows())


@pytest.mark.parametrize(
    ("true", "pred"),
    [
        ("y_true", "y_pred"), ("true", "pred"), ("target", "prediction"), ("y", "yhat"), ("y", "y_hat"), ("actual", "predicted"),
        ("label", "output"), ("ground_truth", "estimate"), ("True", "Pred"), ("price_true", "price_pred"),
        ("actual_rate", "predicted_rate"), ("target", "model_prediction"), ("true_rate", "prediction"),
    ],
)  # fmt: skip
def test_pairs_of_names(tmp_path: Path, true: str, pred: str) -> None:
    run = one(READER, tmp_path, "results.csv", csv("id", true, pred))
    assert pairs(run) == list(zip(TRUE, PRED, strict=True))
    assert run.name == "results"
    assert {"y_true": "y_true", "y_pred": "y_pred", **run.columns_read} == {"y_true": true, "y_pred": pred}


@pytest.mark.parametrize("separator", ["\t", ";", ","])
def test_separators(tmp_path: Path, separator: str) -> None:
    run = one(READER, tmp_path, "results.tsv", csv("id", "target", "prediction", separator=separator))
    assert pairs(run) == list(zip(TRUE, PRED, strict=True))


def test_parquet(tmp_path: Path) -> None:
    frame = pl.DataFrame(
        {"flight": ["a", "a", "b"], "target": [1, 2, 3], "prediction": pl.Series(PRED, dtype=pl.Float32)}
    )
    frame.write_parquet(tmp_path / "test_predictions.parquet")
    path = tmp_path / "test_predictions.parquet"
    assert READER.claim(path, Head(path)) is not None
    (run,) = forced(READER, path, kind="predictions")
    assert pairs(run) == list(zip(TRUE, PRED, strict=True))
    assert run.predictions is not None
    assert run.predictions["flight"].to_list() == ["a", "a", "b"]


def test_cut_parquet_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    pl.DataFrame({"y_true": TRUE, "y_pred": PRED}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match="damaged Parquet"):
        forced(READER, path)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r\r\n"])
def test_cgcnns_triples_without_a_header(tmp_path: Path, end: str) -> None:
    text = end.join(["mp-1,-1.5,-1.6", "mp-2,-1.25,-1.25", "mp-3,2,2.5", ""])
    (tmp_path / "test_results.csv").write_bytes(text.encode())
    path = tmp_path / "test_results.csv"
    assert READER.claim(path, Head(path)) is not None
    (run,) = forced(READER, path)
    assert pairs(run) == [(-1.5, -1.6), (-1.25, -1.25), (2.0, 2.5)]
    assert any("has no header" in n.message for n in run.notes)


def test_a_first_row_that_was_predicted_exactly_is_no_header(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "test_results.csv", "a,0.5,0.5\nb,1,2\n")
    assert pairs(run) == [(0.5, 0.5), (1.0, 2.0)]


def test_three_numbers_a_row_are_predictions_only_by_the_files_name(tmp_path: Path) -> None:
    for name in ("log.csv", "latest.csv", "interval.csv"):
        assert not claimed(READER, tmp_path, name, "1,0.5,0.6\n2,0.4,0.5\n")
    assert claimed(READER, tmp_path, "test_set.csv", "1,0.5,0.6\n2,0.4,0.5\n")


def test_rows_without_a_finite_pair_are_counted(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "results.csv", "target,prediction\n1,2\n,3\n4,nan\n5,inf\n6,7\n")
    assert pairs(run) == [(1, 2), (6, 7)]
    assert [(n.code, n.message) for n in run.notes] == [
        ("predictions.not-finite", "3 of 5 prediction rows lack a finite truth or prediction and were left out")
    ]


def test_predictions_without_a_finite_one_are_refused(tmp_path: Path) -> None:
    said = refused(READER, tmp_path, "predictions.csv", "id,target,prediction\na,1,NaN\nb,2,NaN\n")
    assert "none of the 2 rows has both a finite truth and a finite prediction" in said


@pytest.mark.parametrize("header", ["load_id,predicted_rate", "id,prediction", "pickup,weight,y_pred"])
def test_predictions_without_truth_are_refused_and_told_what_to_do(tmp_path: Path, header: str) -> None:
    text = header + "\n" + ",".join("1" for _ in header.split(",")) + "\n"
    assert claimed(READER, tmp_path, "predictions.csv", text)
    said = refused(READER, tmp_path, "predictions.csv", text)
    assert said.startswith("no truth column (y_true)")
    assert "--truth FILE --key COLUMN" in said


def test_two_that_could_be_the_truth_are_asked_about(tmp_path: Path) -> None:
    text = "target,label,prediction\n1,2,3\n"
    assert "2 columns that could be y_true" in refused(READER, tmp_path, "predictions.csv", text)
    (run,) = forced(READER, tmp_path / "predictions.csv", ReadOptions(columns={"y_true": "label"}))
    assert pairs(run) == [(2, 3)]


@pytest.mark.parametrize(
    "header", ["y_true_0,y_true_1,y_pred_0,y_pred_1", "true_a,true_b,pred_a,pred_b", "a_true,b_true,a_pred,b_pred"]
)
def test_a_run_for_each_of_several_targets(tmp_path: Path, header: str) -> None:
    first, second = read_text_file(
        READER, tmp_path, "out.csv", f"id,{header}\nx,1,10,1.5,15\ny,2,20,2.5,\nz,3,30,3.5,35\n"
    )
    zero, other = ("0", "1") if "0" in header else ("a", "b")
    assert (first.name, second.name) == (f"out[{zero}]", f"out[{other}]")
    assert pairs(first) == [(1, 1.5), (2, 2.5), (3, 3.5)]
    assert pairs(second) == [(10, 15), (30, 35)]
    assert first.predictions is not None
    assert first.predictions.columns == ["id", "y_true", "y_pred"]
    # The row that one target lacks is missing from that target alone.
    assert [len(first.notes), len(second.notes)] == [0, 1]


def test_a_standard_deviation_is_no_target(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "out.csv", "true_rate,pred_rate,pred_std,true_std\n1,2,0.1,0.2\n2,3,0.1,0.2\n")
    assert pairs(run) == [(1, 2), (2, 3)]


def test_stacked_models_are_several_runs(tmp_path: Path) -> None:
    text = "model,target,prediction\nridge,1,1.5\nridge,2,2.5\nforest,2,2.25\nforest,1,1.25\n"
    ridge, forest = read_text_file(READER, tmp_path, "out.csv", text)
    assert (ridge.name, forest.name) == ("out[ridge]", "out[forest]")
    assert pairs(ridge) == [(1, 1.5), (2, 2.5)]
    assert pairs(forest) == [(2, 2.25), (1, 1.25)]


def test_a_model_of_car_is_no_model(tmp_path: Path) -> None:
    text = "model,price,prediction,target\ngolf,1,1.5,1\ngolf,2,2.5,2\nmicra,3,2.25,3\nmicra,4,1.25,4\n"
    run = one(READER, tmp_path, "out.csv", text)
    assert run.name == "out"
    assert pairs(run) == [(1, 1.5), (2, 2.5), (3, 2.25), (4, 1.25)]


def test_epochs_stacked_on_one_another_are_not_as_many_samples(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("epoch,target,prediction\n1,1,5\n1,2,5\n10,1,1.5\n10,2,2.5\n9,1,7\n9,2,7\n")
    (run,) = forced(READER, path)
    assert pairs(run) == [(1, 1.5), (2, 2.5)]
    assert any("those of epoch 10 were read" in n.message for n in run.notes)


def test_splits_are_never_mixed(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "out.csv", "split,target,prediction\ntrain,1,1\nval,2,2.5\nvalid,3,3.5\ntrain,4,4\n")
    assert pairs(run) == [(2, 2.5), (3, 3.5)]
    assert run.split == "validation"
    assert any("2 of 4 rows are not of the validation split" in n.message for n in run.notes)


def truth_of(tmp_path: Path, predictions: str, truth: str, key: str | None = None) -> Run:
    (tmp_path / "out.csv").write_text(predictions)
    (tmp_path / "truth.csv").write_text(truth)
    (run,) = forced(READER, tmp_path / "out.csv", ReadOptions(truth=tmp_path / "truth.csv", key=key))
    return run


def test_truth_from_another_table(tmp_path: Path) -> None:
    run = truth_of(tmp_path, "id,site,prediction\nb,s,20\na,s,10\nz,s,5\n", "id,target\na,1\nb,2\nc,3\n")
    assert pairs(run) == [(2, 20), (1, 10)]
    assert any(
        "column target of truth.csv, joined by id; 1 of 3 rows have no truth there" in n.message for n in run.notes
    )
    assert run.predictions is not None
    assert run.predictions["site"].to_list() == ["s", "s"]


def test_keys_that_are_numbers_in_two_dresses(tmp_path: Path) -> None:
    assert pairs(truth_of(tmp_path, "id,prediction\n1,10\n2,20\n", "id,rate\n1.0,1\n2.0,2\n")) == [(1, 10), (2, 20)]


def test_a_key_that_was_named(tmp_path: Path) -> None:
    run = truth_of(tmp_path, "id,site,prediction\n1,s,10\n2,s,20\n", "site,id,target\ns,2,2\ns,1,1\n", key="id")
    assert pairs(run) == [(1, 10), (2, 20)]


def test_predictions_with_a_truth_keep_it(tmp_path: Path) -> None:
    run = truth_of(tmp_path, "id,target,prediction\n1,5,10\n2,6,20\n", "id,target\n1,1\n2,2\n")
    assert pairs(run) == [(5, 10), (6, 20)]
    assert any("truth of their own" in n.message for n in run.notes)


@pytest.mark.parametrize(
    ("predictions", "truth", "key", "said"),
    [
        ("id,prediction\na,1\n", "id,target\nb,1\n", None, "none of the 1 keys"),
        ("id,prediction\na,1\n", "id,target\na,1\na,2\n", None, "two truths for 'a'"),
        ("id,prediction\na,1\n", "name,target\na,1\n", None, "no column of out.csv"),
        ("id,x,prediction\na,1,1\n", "id,x,target\na,1,1\n", None, "2 columns in common"),
        ("id,prediction\na,1\n", "id,target\na,1\n", "key", "no column 'key' to join by"),
        ("id,prediction\na,1\n", "id,height,width\na,1,2\n", None, "no column that is surely the truth"),
        ("id,prediction\na,1\n", "id,target,label\na,1,2\n", None, "2 columns that could be the truth"),
        ("id,prediction\na,1\n", "id,target\na,x\n", None, "'x' in column 'y_true'"),
    ],
)
def test_truth_that_cannot_be_joined(tmp_path: Path, predictions: str, truth: str, key: str | None, said: str) -> None:
    with pytest.raises(InputError, match=said.replace("(", r"\(")):
        truth_of(tmp_path, predictions, truth, key)


def test_the_program_finds_them_in_a_folder_beside_a_native_run(tmp_path: Path) -> None:
    (tmp_path / "run1.csv").write_text("epoch,val_loss,r2,variance_ratio\n1,0.5,0.1,0.5\n")
    (tmp_path / "predictions_run1.csv").write_text("y_true,y_pred\n1,2\n2,3\n")
    (tmp_path / "predictions_stacked.csv").write_text("model,y_true,y_pred\na,1,2\na,2,3\nb,1,3\nb,2,2\n")
    (tmp_path / "test_results.csv").write_text("mp-1,1,2\nmp-2,2,3\n")
    found = list(load_runs([str(tmp_path)]))
    assert sorted(r.name for r in found if isinstance(r, Run)) == ["run1", "stacked[a]", "stacked[b]", "test_results"]


def test_several_models_beside_a_history_are_refused(tmp_path: Path) -> None:
    (tmp_path / "run.csv").write_text("epoch,val_loss,r2\n1,0.5,0.1\n")
    (tmp_path / "predictions_run.csv").write_text("model,y_true,y_pred\na,1,2\na,2,3\nb,1,3\nb,2,2\n")
    (error,) = load_runs([str(tmp_path)])
    assert isinstance(error, InputError)
    assert error.found == "predictions of 2 models or targets (a, b) beside the history of one run"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("history.csv", "epoch,target,prediction\n1,2,3\n"),
        ("data.csv", "x,y\n1,2\n"),
        ("data.csv", "prediction\n1\n"),
        ("predictions_run.csv", "y_true,y_pred\n1,2\n"),
        ("notes.txt", "what a prediction is\n"),
    ],
)
def test_what_is_not_claimed(tmp_path: Path, name: str, text: str) -> None:
    assert not claimed(READER, tmp_path, name, text)


HEADERS = st.sampled_from(
    [
        "id",
        "y_true",
        "y_pred",
        "target",
        "prediction",
        "true_a",
        "pred_a",
        "pred_b",
        "model",
        "split",
        "epoch",
        "",
        "\x1b",
    ]
)
CELLS = st.one_of(
    st.sampled_from(["", "1", "2", "nan", "a", "b", "train", "1e999", "1e80", '"', "\x00", "²"]), st.floats().map(repr)
)
TABLES = st.builds(
    lambda header, rows, sep, end: (sep.join(header) + end + end.join(map(sep.join, rows))).encode(),
    st.lists(HEADERS, min_size=1, max_size=5),
    st.lists(st.lists(CELLS, min_size=1, max_size=5), max_size=6),
    st.sampled_from([",", "\t", ";"]),
    st.sampled_from(["\n", "\r\n"]),
)


@FUZZ
@given(TABLES)
def test_any_table(content: bytes) -> None:
    sound(READER, "results.csv", content)


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    sound(READER, "results.csv", content)


def whole_parquet() -> bytes:
    buffer = io.BytesIO()
    pl.DataFrame({"model": ["a", "b"] * 2, "y_true": [1.0, 1.0, 2.0, math.nan], "y_pred": [1, 2, 3, 4]}).write_parquet(
        buffer
    )
    return buffer.getvalue()


PARQUET = whole_parquet()


@pytest.mark.parametrize(("at", "byte"), [(44, 0x15), (128, 0x0D), (299, 0x7D)])
def test_damage_that_would_end_the_process_is_a_line(tmp_path: Path, at: int, byte: int) -> None:
    # In polars 2.1 these ask for 2⁶¹ bytes, and the process aborts.
    path = tmp_path / "predictions.parquet"
    path.write_bytes(PARQUET[:at] + bytes([byte]) + PARQUET[at + 1 :])
    with pytest.raises(InputError, match="damaged Parquet"):
        forced(READER, path)


@settings(FUZZ, max_examples=max(EXAMPLES // 10, 10))  # half a second each: another process decodes the file first
@given(st.integers(0, len(PARQUET)), st.binary(max_size=8))
def test_damaged_parquet(at: int, content: bytes) -> None:
    sound(READER, "predictions.parquet", PARQUET[:at] + content + PARQUET[at + len(content) :])


@pytest.mark.parametrize("header", ["load_id,predicted_rate", "load_id,actualrate?,predicted_rate"])
def test_an_id_is_not_suggested_as_the_truth(tmp_path: Path, header: str) -> None:
    path = tmp_path / "p.csv"
    row = ",".join("123"[: header.count(",") + 1])
    path.write_text(f"{header}\n{row}\n{row}\n")
    with pytest.raises(InputError, match="--column y_true=NAME"):
        read_predictions(path, {})


@pytest.mark.parametrize(
    ("header", "columns"),
    [
        ("load_id,rate,predicted_rate", {"y_true": "rate"}),
        ("load_id,actualrate?,predicted_rate", {"y_true": "actualrate?"}),
        ("load_id,actual_rate,model", {"y_pred": "model"}),
        ("predicted_other,actual_rate,predicted_rate", {"y_true": "actual_rate"}),
    ],
)
def test_one_of_the_two_given_and_the_other_found(tmp_path: Path, header: str, columns: dict[str, str]) -> None:
    path = tmp_path / "p.csv"
    path.write_text(f"{header}\n1,2.5,3\n2,3.5,4\n3,5,6\n")
    (found,) = read_predictions(path, columns)
    assert found.rows.select("y_true", "y_pred").rows() == [(2.5, 3.0), (3.5, 4.0), (5.0, 6.0)]
