"""Shapes of logs as public projects write them: read as what they say, or refused with the reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.run import Run


def read(folder: Path, name: str, text: str) -> list[Run]:
    (folder / name).write_text(text, encoding="utf-8")
    found = list(load_runs([str(folder / name)]))
    assert found
    runs = [item for item in found if isinstance(item, Run)]
    assert len(runs) == len(found), [str(item) for item in found]
    return runs


def refused(folder: Path, name: str, text: str | bytes) -> str:
    (folder / name).write_bytes(text.encode() if isinstance(text, str) else text)
    (item,) = load_runs([str(folder / name)])
    assert isinstance(item, InputError)
    return str(item)


def column(run: Run, name: str) -> list[object]:
    assert run.history is not None
    return list(run.history.get(name))


def test_a_row_a_split_is_not_a_repeated_epoch(tmp_path: Path) -> None:
    text = "epoch,phase,loss,rmse\n1,train,5,0.5\n1,val,6,0.6\n2,train,3,0.3\n2,val,4,0.4\n"
    (run,) = read(tmp_path, "log.csv", text)
    assert column(run, "train_loss") == [5, 3]
    assert column(run, "val_loss") == [6, 4]
    assert column(run, "rmse") == [0.6, 0.4]
    assert not any(note.code == "log.duplicate-epochs" for note in run.notes)


def test_a_row_a_metric(tmp_path: Path) -> None:
    (run,) = read(
        tmp_path, "log.csv", "epoch,metric,value\n1,train_loss,5\n1,val_loss,6\n2,train_loss,3\n2,val_loss,4\n"
    )
    assert (column(run, "train_loss"), column(run, "val_loss")) == ([5, 3], [6, 4])


@pytest.mark.parametrize("interleaved", [False, True])
def test_folds_in_one_table_are_runs(tmp_path: Path, interleaved: bool) -> None:
    rows = [f"{epoch},{fold},{epoch + 10 * fold}" for fold in (1, 2) for epoch in (1, 2, 3)]
    rows = sorted(rows) if interleaved else rows
    first, second = read(tmp_path, "cv.csv", "epoch,fold,val_loss\n" + "\n".join(rows) + "\n")
    assert (first.name, column(first, "val_loss")) == ("cv[fold 1]", [11, 12, 13])
    assert (second.name, column(second, "val_loss")) == ("cv[fold 2]", [21, 22, 23])


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Model,MAE,R2\nLinear,0.5,0.6\nRF,0.4,0.7\n", "Model"),
        (",MAE,R2\nLinear,0.5,0.6\nRF,0.4,0.7\n", "first column"),
        ("fold,rmse\n1,0.5\n2,0.6\n", "fold"),
        ("lr,batch_size,val_loss\n0.1,32,0.5\n0.01,64,0.4\n", "batch_size"),
    ],
)
def test_a_table_of_results_is_no_history(tmp_path: Path, text: str, names: str) -> None:
    message = refused(tmp_path, "results.csv", text)
    assert "a table of results" in message
    assert names in message


def test_one_row_without_an_epoch_is_final_figures(tmp_path: Path) -> None:
    (run,) = read(tmp_path, "result.csv", "r2,rmse\n0.8,0.5\n")
    assert run.history is None
    assert (run.summary["r2"], run.summary["rmse"]) == (0.8, 0.5)


def test_lines_before_the_header(tmp_path: Path) -> None:
    text = "Dataset: wind\nTrain samples: 100, batches: 10\n\nEpoch,Train Loss,Val R2\n1,0.5,0.1\n2,0.4,0.2\n"
    (run,) = read(tmp_path, "log.txt", text)
    assert (column(run, "train_loss"), column(run, "r2")) == ([0.5, 0.4], [0.1, 0.2])
    assert "2 lines before the header passed over" in [note.message for note in run.notes]


def test_decimal_commas_percents_and_thousands(tmp_path: Path) -> None:
    (run,) = read(tmp_path, "log.csv", 'epoch;loss;val_loss;val_r2\n1;1,5;2,5;10%\n2;1,25;"2,0";20%\n')
    assert (column(run, "train_loss"), column(run, "val_loss"), column(run, "r2")) == (
        [1.5, 1.25],
        [2.5, 2.0],
        [0.1, 0.2],
    )
    (run,) = read(tmp_path, "big.csv", 'epoch,loss,val_loss\n1,"12,345.5","23,456.0"\n2,"1,345.5",999.5\n')
    assert (column(run, "train_loss"), column(run, "val_loss")) == ([12345.5, 1345.5], [23456.0, 999.5])


def test_validation_every_few_epochs_stands_where_it_was(tmp_path: Path) -> None:
    document = {"train_loss": [5, 4, 3, 2], "val_epochs": [2, 4], "val_loss": [4.5, 2.5], "val_r2": [0.1, 0.2]}
    (run,) = read(tmp_path, "history.json", json.dumps(document))
    assert column(run, "train_loss") == [5, 4, 3, 2]
    assert column(run, "val_loss") == [None, 4.5, None, 2.5]


def test_bare_scores_beside_a_bare_loss_are_of_its_split(tmp_path: Path) -> None:
    (run,) = read(tmp_path, "history.json", json.dumps({"loss": [5, 4], "mae": [2, 1]}))
    assert column(run, "train_mae") == [2, 1]
    assert run.history is not None
    assert not run.history.has("mae")
    assert any("read as of training" in note.message for note in run.notes)


def test_what_is_said_of_the_best_model_is_no_figure_of_the_epoch(tmp_path: Path) -> None:
    text = "".join(
        f"Epoch {e}/3\n  Train Loss: 0.{e}\n  Val RMSE: 0.{e + 1}\n  → Best model saved! (RMSE: 0.01)\n"
        for e in (1, 2, 3)
    )
    (run,) = read(tmp_path, "train.log", text)
    assert column(run, "rmse") == [0.2, 0.3, 0.4]
    assert run.history is not None
    assert not run.history.has("train_rmse")


def test_a_bare_name_that_comes_again_is_of_the_split_named_last(tmp_path: Path) -> None:
    text = "".join(f"epoch {e}: val mae: 0.{e}, r2: 0.{e}, test mae: 0.9, r2: 0.8, lr: 0.001\n" for e in (1, 2, 3))
    (run,) = read(tmp_path, "train.log", text)
    assert column(run, "r2") == [0.1, 0.2, 0.3]


def test_lines_of_batches_between_epochs_do_not_replace_their_figures(tmp_path: Path) -> None:
    text = "".join(
        f"Iter: 000, Train Loss: 11.{e}\nEpoch: {e:03d}, Inference Time: 3.1 secs\n"
        f"Epoch: {e:03d}, Train Loss: 0.{e}, Valid Loss: 0.{e + 1}\n"
        for e in (1, 2, 3)
    )
    (run,) = read(tmp_path, "train.log", text)
    assert column(run, "train_loss") == [0.1, 0.2, 0.3]


def test_informer_and_its_descendants(tmp_path: Path) -> None:
    text = (
        "".join(
            f"\titers: 100, epoch: {e} | loss: 0.9\nEpoch: {e}, Steps: 9 | "
            f"Train Loss: 0.{e} Vali Loss: 0.{e + 1} Test Loss: 0.7\n"
            for e in (1, 2, 3)
        )
        + ">>>>>>>testing : informer<<<<<<<\nmse:0.25, mae:0.4\n"
    )
    (run,) = read(tmp_path, "train.log", text)
    assert column(run, "val_loss") == [0.2, 0.3, 0.4]
    assert (run.summary["mse"], run.summary["split"]) == (0.25, "test")


def test_one_truth_and_a_column_a_model(tmp_path: Path) -> None:
    rows = "".join(f"{i},{i + 1},{i * 2}\n" for i in range(6))
    first, second = read(tmp_path, "predictions.csv", "y_true,y_pred_rf,y_pred_nn\n" + rows)
    assert (first.name, second.name) == ("predictions[rf]", "predictions[nn]")
    assert first.predictions is not None
    assert first.predictions["y_pred"].to_list() == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    ("true", "pred"),
    [
        ("Observed", "Simulated"),
        ("y_test", "y_pred"),
        ("GT", "Pred"),
        ("actuals", "forecasts"),
        ("measured", "predicted"),
    ],
)
def test_more_names_of_truth_and_prediction(tmp_path: Path, true: str, pred: str) -> None:
    (run,) = read(tmp_path, "results.csv", f"{true},{pred}\n1,2\n2,3\n3,3.5\n")
    assert run.predictions is not None
    assert run.predictions["y_true"].to_list() == [1, 2, 3]


def test_class_labels(tmp_path: Path) -> None:
    assert "class labels" in refused(tmp_path, "predictions.csv", "true,pred\ncat,dog\ndog,dog\ndog,cat\n")
    rows = "".join(f"{i % 3},{(i + i % 2) % 3}\n" for i in range(30))
    (run,) = read(tmp_path, "test_predictions.csv", "true,pred\n" + rows)
    assert "classification" in [note.code for note in run.notes]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("log.xlsx", b"PK\x03\x04" + b"\0" * 50, "Excel"),
        ("log.h5", b"\x89HDF\r\n\x1a\n" + b"\0" * 50, "HDF5"),
        ("log.json", b'{"alpha": 1, "beta": {"gamma": "x"}}', "alpha, beta, gamma"),
        ("loss.csv", b"0.5\n0.4\n0.3\n", "no header"),
        ("notes.txt", b"nothing to see\n", "no line names an epoch"),
        ("predictions.csv", b"SalePrice,Predicted\n1,2\n2,3\n", "--column y_true=SalePrice"),
        ("predictions.csv", b"Actual,Forest,Boost\n1,2,3\n2,3,4\n", "--column y_pred=Forest"),
    ],
)
def test_refusals_say_what_the_file_is(tmp_path: Path, name: str, content: bytes, said: str) -> None:
    assert said in refused(tmp_path, name, content)
