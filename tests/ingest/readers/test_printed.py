"""Printed logs; those of Keras, scikit-learn, XGBoost and LightGBM are what the libraries printed."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.readers.printed import READER
from tests.ingest.readers.stores import FIXTURES, read_all
from tests.ingest.readers.texts import FUZZ, claimed, columns, forced, one, read_text_file, refused, sound

PLAIN = "Epoch 1/2 | Train Loss: 0.5 | Val Loss: 0.6 | R²: 0.1\nEpoch 2/2 | Train Loss: 0.4 | Val Loss: 0.5 | R²: 0.2\n"
FOUND = {"epoch": [1, 2], "train_loss": [0.5, 0.4], "val_loss": [0.6, 0.5], "r2": [0.1, 0.2]}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(PLAIN, id="plain"),
        pytest.param(PLAIN.replace("\n", "\r\n"), id="CRLF"),
        pytest.param("\ufeff" + PLAIN, id="byte order mark"),
        pytest.param("\x1b[32m" + PLAIN.replace("|", "\x1b[0m|\x1b[1;31m"), id="colours"),
        pytest.param("Loading data: 40%|████      | 4/10\rLoading data: 100%|██████████| 10/10\n" + PLAIN, id="tqdm noise"),
        pytest.param("2024-01-01 10:00:00 - root - INFO - " + PLAIN.replace("\nE", "\n2024-01-01 10:00:01 - root - INFO - E"),
                     id="logging"),
        pytest.param("model has 1,234 parameters\nlearning rate: 0.001\n" + PLAIN + "done in 12.5 s\n", id="other lines"),
        pytest.param(PLAIN + "Epoch 2: early stopping, restoring weights of epoch 1\nloss: 9.9\n", id="a line after the end"),
    ],
)  # fmt: skip
def test_the_same_epochs_in_every_dress(tmp_path: Path, text: str) -> None:
    run = one(READER, tmp_path, "train.log", text)
    assert columns(run) == FOUND
    assert run.name == "train"


def test_utf_16_as_powershell_redirects(tmp_path: Path) -> None:
    (tmp_path / "train.log").write_bytes(PLAIN.encode("utf-16"))
    (run,) = read_all(READER, tmp_path)
    assert columns(run) == FOUND


def test_what_was_read_as_what_is_kept(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "train.log", PLAIN)
    assert run.columns_read == {"train_loss": "Train Loss", "val_loss": "Val Loss", "r2": "R²"}


def test_many_runs_in_one_file_are_split_and_it_is_said(tmp_path: Path) -> None:
    first, second = read_text_file(READER, tmp_path, "train.log", PLAIN + PLAIN.replace("0.6", "0.9"))
    assert columns(first) == FOUND
    assert columns(second)["val_loss"] == [0.9, 0.5]
    assert [n.code for n in second.notes] == ["log.restarts"]


def test_keras_lines_and_keras_bars() -> None:
    for name in ("lines", "bar"):
        path = FIXTURES / "keras_history" / f"{name}.log"
        (run,) = read_all(READER, path)
        # An independent look at the text: the figures after the last bar of each epoch.
        ends = re.findall(
            r"- loss: ([\d.]+) - mae: ([\d.]+) - val_loss: ([\d.]+) - val_mae: ([\d.]+)", path.read_text()
        )
        assert len(ends) == 4
        found = columns(run)
        assert found["epoch"] == [1, 2, 3, 4]
        for index, known in enumerate(("train_loss", "train_mae", "val_loss", "mae")):
            assert found[known] == [float(values[index]) for values in ends]


def test_keras_lines_agree_with_the_history_of_the_same_training() -> None:
    (run,) = read_all(READER, FIXTURES / "keras_history" / "lines.log")
    history = json.loads((FIXTURES / "keras_history" / "history.json").read_text())
    assert columns(run)["val_loss"] == pytest.approx(history["val_loss"], abs=5e-5)


def test_an_epoch_that_was_not_finished_is_left_out_and_it_is_said(tmp_path: Path) -> None:
    text = (
        "Epoch 1/9\n50/50 - 1s - loss: 0.5 - val_loss: 0.6\n"
        "Epoch 2/9\n10/50 ━━━ 0s 2ms/step - loss: 0.3\r12/50 ━━━ 0s 2ms/step - loss: 0.31"
    )
    run = one(READER, tmp_path, "train.log", text)
    assert columns(run) == {"epoch": [1], "train_loss": [0.5], "val_loss": [0.6]}
    assert [n.code for n in run.notes] == ["log.truncated"]


def test_a_lightning_bar_shows_the_last_epochs_validation_until_it_ends(tmp_path: Path) -> None:
    text = (
        "Epoch 0:  50%|█ | 1/2 [00:00<00:00, train_loss=0.9]\r"
        "Epoch 0: 100%|██| 2/2 [00:00<00:00, train_loss=0.8, val_loss=0.7]\r"
        "Epoch 1:  50%|█ | 1/2 [00:00<00:00, train_loss=0.6, val_loss=0.7]\r"
        "Epoch 1: 100%|██| 2/2 [00:00<00:00, train_loss=0.5, val_loss=0.4]\r"
        "Epoch 2:  50%|█ | 1/2 [00:00<00:00, train_loss=0.3, val_loss=0.4]"
    )
    run = one(READER, tmp_path, "train.log", text)
    assert columns(run) == {"epoch": [0, 1], "train_loss": [0.8, 0.5], "val_loss": [0.7, 0.4]}


def test_nanogpt_has_losses_of_batches_between_its_evaluations(tmp_path: Path) -> None:
    text = (
        "step 0: train loss 4.2, val loss 4.3\niter 0: loss 4.26, time 35.3ms, mfu -100.00%\n"
        "iter 10: loss 3.9, time 1ms, mfu 1%\n"
        "step 20: train loss 3.1, val loss 3.2\nsaving checkpoint to out\niter 20: loss 3.0, time 1ms, mfu 2%\n"
    )
    run = one(READER, tmp_path, "nano.txt", text)
    assert columns(run) == {"epoch": [0, 20], "train_loss": [4.2, 3.1], "val_loss": [4.3, 3.2]}
    assert any("of single batches and was left out" in n.message for n in run.notes)


def test_chemprop_folds(tmp_path: Path) -> None:
    fold = (
        "Fold {0}\nSplitting data with seed {0}\nEpoch 0\nLoss = 1.2e+00, PNorm = 34.1, GNorm = 1.2, lr_0 = 1.0e-04\n"
        "Validation rmse = 1.3\nEpoch 1\nLoss = 1.1e+00, PNorm = 34.1, GNorm = 1.2, lr_0 = 2.0e-04\nValidation rmse = 1.{0}\n"
        "Model 0 best validation rmse = 1.1 on epoch 1\nModel 0 test rmse = 9.9\nEnsemble test rmse = 9.9\n"
    )
    runs = read_text_file(READER, tmp_path, "verbose.log", fold.format(0) + fold.format(1))
    assert [columns(run)["rmse"] for run in runs] == [[1.3, 1.0], [1.3, 1.1]]
    assert columns(runs[0])["train_loss"] == [1.2, 1.1]
    assert columns(runs[0])["learning_rate"] == [1e-4, 2e-4]


def test_cgcnn_validates_with_lines_that_say_test(tmp_path: Path) -> None:
    epoch = (
        "Epoch: [{0}][0/20]\tTime 3.2 (3.2)\tData 1.1 (1.1)\tLoss 1.2 (1.2)\tMAE 0.9 (0.9)\n"
        "Epoch: [{0}][10/20]\tTime 3.2 (3.2)\tData 1.1 (1.1)\tLoss 1.0 (1.{0})\tMAE 0.7 (0.8)\n"
        "Test: [0/2]\tTime 0.4 (0.4)\tLoss 0.9 (0.95)\tMAE 0.8 (0.8)\n * MAE 0.81{0}\n"
    )
    end = (
        "---------Evaluate Model on Test Set---------------\n"
        "Test: [0/2]\tTime 0.4 (0.4)\tLoss 0.5 (0.5)\tMAE 0.4 (0.4)\n ** MAE 0.411\n"
    )
    run = one(READER, tmp_path, "cgcnn.out", epoch.format(0) + epoch.format(1) + end)
    assert columns(run) == {
        "epoch": [0, 1], "train_loss": [1.0, 1.1], "train_mae": [0.8, 0.8], "val_loss": [0.95, 0.95], "mae": [0.81, 0.811],
    }  # fmt: skip
    assert (run.split, run.summary["mae"]) == ("test", 0.411)
    assert any("batch by batch" in n.message for n in run.notes)


def test_scikit_learn() -> None:
    path = FIXTURES / "sklearn" / "mlp.log"
    (run,) = read_all(READER, path)
    text = path.read_text()
    found = columns(run)
    assert found["train_loss"] == [float(v) for v in re.findall(r"loss = ([\d.]+)", text)]
    assert found["Validation score"] == [float(v) for v in re.findall(r"score: ([\d.]+)", text)]
    assert found["epoch"] == list(range(1, len(found["epoch"]) + 1))


@pytest.mark.parametrize(("name", "metric", "held"), [("xgboost", "rmse", "eval"), ("lightgbm", "l2", "valid")])
def test_boosting_logs_agree_with_the_dump_of_the_same_training(name: str, metric: str, held: str) -> None:
    (run,) = read_all(READER, FIXTURES / "boosting" / f"{name}.log")
    dump = json.loads((FIXTURES / "boosting" / f"{name}.json").read_text())
    found = columns(run)
    assert found["val_loss"] == pytest.approx(dump[held][metric], rel=1e-4)
    assert found["train_loss"] == pytest.approx(dump["train"][metric], rel=1e-4)
    # LightGBM repeats the line of the best round at the end: that is no resume.
    assert not any(n.code == "log.restarts" for n in run.notes)


def test_transformers_prints_its_rows_as_dicts(tmp_path: Path) -> None:
    text = (
        "{'loss': '0.5', 'grad_norm': '1.2', 'learning_rate': '5e-05', 'epoch': '1'}\n"
        "{'eval_loss': '0.4', 'eval_r2': '0.2', 'eval_runtime': '0.1', 'epoch': '1'}\n"
        "{'loss': '0.3', 'grad_norm': '1.2', 'learning_rate': '1e-05', 'epoch': '2'}\n"
        "{'eval_loss': '0.3', 'eval_r2': '0.3', 'eval_runtime': '0.1', 'epoch': '2'}\n"
        "{'train_runtime': '9.0', 'train_loss': '0.4', 'epoch': '2'}\n"
    )
    found = columns(one(READER, tmp_path, "slurm-1.out", text))
    assert found["train_loss"] == [0.5, 0.3]
    assert found["val_loss"] == [0.4, 0.3]
    assert found["r2"] == [0.2, 0.3]


def test_figures_of_the_test_set_after_the_end_are_final(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "train.log", PLAIN + "Test Loss: 0.7 | Test R²: 0.15\n")
    assert columns(run) == FOUND
    assert (run.split, run.summary["loss"], run.summary["r2"]) == ("test", 0.7, 0.15)


def test_a_test_figure_of_every_epoch_is_not_final(tmp_path: Path) -> None:
    text = PLAIN.replace("\n", " | Test R²: 0.9\n")
    run = one(READER, tmp_path, "train.log", text)
    assert columns(run)["Test R²"] == [0.9, 0.9]
    assert run.split is None


def test_a_section_names_the_split_of_what_follows(tmp_path: Path) -> None:
    text = "Epoch 1\n  Train: loss 0.5, mae 0.4\n  Val: loss 0.6, mae 0.5\n"
    text += "Epoch 2\n  Train: loss 0.4, mae 0.3\n  Val: loss 0.5, mae 0.4\n"
    assert columns(one(READER, tmp_path, "train.log", text)) == {
        "epoch": [1, 2], "train_loss": [0.5, 0.4], "train_mae": [0.4, 0.3], "val_loss": [0.6, 0.5], "mae": [0.5, 0.4],
    }  # fmt: skip


def test_what_is_printed_after_the_last_epoch_is_not_of_it(tmp_path: Path) -> None:
    lines = (FIXTURES / "keras_history" / "lines.log").read_text()
    run = one(READER, tmp_path, "fit.log", lines)
    evaluated = one(READER, tmp_path, "fit_evaluate.log", lines + "4/4 - 0s - 5ms/step - loss: 9.9 - mae: 8.8\n")
    assert columns(evaluated) == columns(run)
    assert any("after the last epoch" in n.message for n in evaluated.notes)


def test_a_line_of_a_splits_name_alone_names_it_for_the_lines_after_it(tmp_path: Path) -> None:
    epoch = (
        "Epoch {0}\n-------\nloss: 2.3  [   64/60000]\nloss: 0.{0}  [ 6464/60000]\n"
        "Test Error: \n Accuracy: 37.8%, Avg loss: 0.7{0} \n\n"
    )
    run = one(READER, tmp_path, "quickstart.log", epoch.format(1) + epoch.format(2) + "Done!\n")
    assert columns(run)["train_loss"] == [0.1, 0.2]
    assert columns(run)["val_loss"] == [0.71, 0.72]
    assert run.columns_read["val_loss"] == "test loss"
    assert any("test loss read as of validation" in n.message for n in run.notes)


def test_the_last_of_several_values_in_an_epoch_is_kept_and_it_is_said(tmp_path: Path) -> None:
    text = "Epoch 1, loss: 0.9\nEpoch 1, loss: 0.8\nEpoch 2, loss: 0.7\n"
    run = one(READER, tmp_path, "train.log", text)
    assert columns(run)["train_loss"] == [0.8, 0.7]
    assert [n.code for n in run.notes] == ["merged"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Test: [0/4]\tLoss 0.0044 (0.0044)\tMAE 0.038 (0.038)\n ** MAE 0.042\n", "no line with an epoch and a figure"),
        ("loss: 0.5\nloss: 0.4\n", "no line with an epoch and a figure"),
        ("a story\n", "no line with an epoch and a figure"),
        ("Epoch 1: speed: 3\n", "no column that is known among epoch, speed"),
        ("\x01\x02\x03Epoch 1 loss: 0.5", "binary data"),
    ],
)
def test_text_without_epochs_or_figures_is_refused(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(READER, tmp_path, "train.log", text)
    assert not claimed(READER, tmp_path, "train.log", text)


def test_an_epoch_too_large_to_count_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text(f"Epoch {'9' * 400}: loss: 0.5\n")
    with pytest.raises(InputError, match="no epoch number"):
        forced(READER, tmp_path / "a.log")


@pytest.mark.parametrize(
    "unit", ["Epoch 1 loss: 0.5 ", "1", "\x1b[", "\x1b[0", "loss: ", "[", "(1", "\b", "|", "Epoch "]
)
def test_a_line_of_a_megabyte_is_gone_through(tmp_path: Path, unit: str) -> None:
    # Quadratic work on it would take days; that the test ends is what it says.
    sound(READER, "a.log", (unit * (1_000_000 // len(unit))).encode())
    sound(READER, "a.log", ((unit * 1_000)[:4_990] + "\n").encode() * 100)


PIECES = st.sampled_from(
    ["Epoch ", "1", "2", "/5", " | ", "loss", ": ", "0.1", "val ", "=", "nan", "(", ")", "\t", "[", "]", "\n", "\r",
     "\x08", "\x1b[0m",
     "step ", "100%|", "* MAE 1\n", "train-rmse:", "best iteration is", "Test: [", "²"]
)  # fmt: skip


@FUZZ
@given(st.lists(PIECES, max_size=60))
def test_any_text(pieces: list[str]) -> None:
    sound(READER, "train.log", "".join(pieces).encode())


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    sound(READER, "train.log", content)
