"""Layouts in which common trainers leave a history, each written here as they do: what is read is what stands there.

The numbers are two curves, ``t`` of training and ``v`` of validation; every layout must give them back, under the names of
training and validation and no other, whatever it calls them.
"""
# ruff: noqa: E501  (logs, each as it is written)

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path

import pytest

from runreport.errors import InputError
from runreport.ingest.load import load_runs
from runreport.run import Run
from tests.ingest.curves import BOTH, EPOCHS, RMSE, T, V, caffe, gluonts, lines


def stacked(row: Callable[[int, str, float], str], words: tuple[str, str]) -> str:
    """All epochs of training, then all of validation."""
    return "".join(row(e, word, curve[e]) for word, curve in zip(words, (T, V), strict=True) for e in EPOCHS)


MATLAB = (
    "|====================================================================================|\n"
    "|  Epoch  |  Iteration  |  Time Elapsed  |  Mini-batch  |  Validation  |  Base Learning  |\n"
    "|         |             |   (hh:mm:ss)   |     Loss     |     Loss     |      Rate       |\n"
    "|====================================================================================|\n"
    + lines(
        lambda e: f"| {e:7d} | {e * 50:11d} |       00:00:{e:02d} | {T[e]:12.4f} | {V[e]:12.4f} | {0.001:15.4f} |\n"
    )
    + "|====================================================================================|\n"
)
TRAINNET = (
    "    Iteration    Epoch    TimeElapsed    LearnRate    TrainingLoss    ValidationLoss\n"
    "    _________    _____    ___________    _________    ____________    ______________\n"
    + lines(
        lambda e: f"    {e * 50:9d}    {e:5d}       00:00:{e:02d}    {0.001:9.3f}    {T[e]:12.4f}    {V[e]:14.4f}\n"
    )
)
NEQUIP = "epoch, wall, LR,training_loss_f,training_loss,validation_loss_f,validation_loss\n"
GLOG = "I0101 10:00:0{}.123456 140 logging_writer.py:48] "
LOGURU = "2024-05-01 12:00:0{}.123 | INFO     | __main__:train:42 - "
SAGEMAKER = "[2024-01-01:00:00:0{}:INFO] "
LAYOUTS: dict[str, tuple[str, str, dict[str, dict[int, float]]]] = {
    "printed: bare splits with colons": ("a.log", lines(lambda e: f"epoch {e}: train: {T[e]} val: {V[e]}\n"), BOTH),
    "printed: bare splits without": ("a.log", lines(lambda e: f"Epoch {e} | train {T[e]} | valid {V[e]}\n"), BOTH),
    "table: bare splits": ("a.csv", "epoch,train,val\n" + lines(lambda e: f"{e},{T[e]},{V[e]}\n"), BOTH),
    "JSON: bare splits": ("a.json", json.dumps({"train": [*T.values()], "val": [*V.values()]}), BOTH),
    "printed: a count in brackets": ("a.txt", lines(lambda e: f"[{e}/6] Train Loss: {T[e]}, Valid Loss: {V[e]}\n"), BOTH),
    "printed: a bare count": ("a.log", lines(lambda e: f"{e}/6 train_loss={T[e]} val_loss={V[e]}\n"), BOTH),
    "scikit-learn's HistGradientBoosting": (
        "a.log", lines(lambda e: f"[{e}/6] 1 tree, 31 leaves, max depth = 8, train loss: {T[e]}, val loss: {V[e]}, in 0.01s\n"), BOTH,
    ),
    "scikit-learn's GradientBoosting": (
        "a.txt", "      Iter       Train Loss   Remaining Time \n" + lines(lambda e: f"{e:10d} {T[e]:16.4f}            1.20m\n"),
        {"train_loss": T},
    ),
    "scikit-learn's loss_curve_": ("a.csv", "loss_curve_\n" + lines(lambda e: f"{T[e]}\n"), {"train_loss": T}),
    "R: nnet": ("a.txt", "# weights:  41\ninitial  value 200.1 \n" + lines(lambda e: f"iter  {e * 10} value {T[e]}\n"), {"train_loss": T}),
    "R: keras' data frame": (
        "a.csv", '"","epoch","value","metric","data"\n' + stacked(lambda e, w, x: f'"{e}",{e},{x},"loss","{w}"\n', ("training", "validation")),
        BOTH,
    ),
    "R: luz": ("a.txt", lines(lambda e: f"Epoch {e}/6\nTrain metrics: Loss: {T[e]}\nValid metrics: Loss: {V[e]}\n"), BOTH),
    "MATLAB: trainNetwork": ("a.txt", MATLAB, BOTH),
    "MATLAB: trainnet": ("a.txt", TRAINNET, BOTH),
    "skorch, in colours": (
        "a.txt", "  epoch    train_loss    valid_loss     dur\n-------  ------------  ------------  ------\n"
        + lines(lambda e: f"      {e}        \x1b[36m{T[e]:.4f}\x1b[0m        \x1b[32m{V[e]:.4f}\x1b[0m  0.0123\n"), BOTH,
    ),
    "fastai, printed": (
        "a.txt", "epoch     train_loss  valid_loss  time    \n" + lines(lambda e: f"{e}         {T[e]:.4f}      {V[e]:.4f}      00:02     \n"), BOTH,
    ),
    "DeePMD": (
        "lcurve.out", "#  step      rmse_val    rmse_trn         lr\n# If there is no available reference data, rmse_*_{val,trn} will print nan\n"
        + lines(lambda e: f"{e * 100:7d} {V[e]:11.4f} {T[e]:11.4f} {1e-3:11.1e}\n"), RMSE,
    ),
    "NequIP": ("metrics_epoch.csv", NEQUIP + lines(lambda e: f"         {e},    8.080,    0.005,    0.46,    {T[e]},    0.16,    {V[e]}\n"), BOTH),
    "MACE": (
        "run_train.txt", json.dumps({"loss": 3.0, "mode": "eval", "epoch": None}) + "\n"
        + lines(lambda e: json.dumps({"loss": T[e], "mode": "opt", "epoch": e}) + "\n" + json.dumps({"loss": V[e], "mode": "eval", "epoch": e}) + "\n"),
        BOTH,
    ),
    "SchNetPack": ("log.csv", "Time,Learning rate,Train loss,Validation loss\n" + lines(lambda e: f"{1.6e9 + e},0.0001,{T[e]},{V[e]}\n"), BOTH),
    "fairchem": (
        "a.log", lines(lambda e: f"2023-01-01 00:00:00 (INFO): loss: {T[e]}, lr: 1.0e-4, epoch: {e}.00, step: {e * 10}.00\n"
        f"2023-01-01 00:00:00 (INFO): Evaluating on val.\n2023-01-01 00:00:00 (INFO): loss: {V[e]}, epoch: {e}.0000\n"), BOTH,
    ),
    "Paddle's Model.fit": (
        "a.log", lines(lambda e: f"Epoch {e}/6\nstep 10/10 [==========] - loss: {T[e]} - 20ms/step\nEval begin...\n"
        f"step 5/5 [==========] - loss: {V[e]} - 15ms/step\nEval samples: 100\n"), BOTH,
    ),
    "clu, behind a glog prefix": (
        "a.log", lines(lambda e: f"{GLOG.format(e)}[{e * 100}] learning_rate=0.001, loss={T[e]}\n{GLOG.format(e)}[{e * 100}] eval_loss={V[e]}\n"), BOTH,
    ),
    "loguru": ("a.log", lines(lambda e: f"{LOGURU.format(e)}Epoch {e:>3} train_loss={T[e]} val_loss={V[e]}\n"), BOTH),
    "SageMaker's XGBoost": ("a.log", lines(lambda e: f"{SAGEMAKER.format(e)}[{e}]#011train-rmse:{T[e]}#011validation-rmse:{V[e]}\n"), RMSE),
    "SageMaker's linear learner": (
        "a.log", lines(lambda e: f"#quality_metric: host=algo-1, epoch={e}, validation mse_objective <loss>={V[e]}\n"
        f"#quality_metric: host=algo-1, epoch={e}, train mse_objective <loss>={T[e]}\n"), BOTH,
    ),
    "H2O's scoring history": (
        "a.csv", "timestamp,duration,number_of_trees,training_rmse,validation_rmse\n" + lines(lambda e: f"2024-01-01 00:00:0{e},{e}.1 sec,{e},{T[e]},{V[e]}\n"), RMSE,
    ),
    "Ray Tune": ("progress.csv", "train_loss,val_loss,timestamp,done,training_iteration,trial_id\n" + lines(lambda e: f"{T[e]},{V[e]},16,False,{e},a\n"), BOTH),
    "Comet": (
        "a.csv", "metricName,metricValue,step,epoch\n" + stacked(lambda e, w, x: f"{w},{x},{e * 10},{e}\n", ("train_loss", "val_loss")), BOTH,
    ),
    "Aim": (
        "a.csv", "run.name,metric.name,metric.context.subset,step,value\n" + stacked(lambda e, w, x: f"r,loss,{w},{e},{x}\n", ("train", "val")), BOTH,
    ),
    "Neptune, long": (
        "a.csv", "run_id,attribute_path,step,value\n" + stacked(lambda e, w, x: f"R-1,metrics/{w}/loss,{e},{x}\n", ("train", "val")), BOTH,
    ),
    "Sacred": (
        "metrics.json", json.dumps({f"{w}.loss": {"steps": [*EPOCHS], "values": [*c.values()], "timestamps": []} for w, c in (("train", T), ("val", V))}), BOTH,
    ),
    "ClearML": ("a.json", json.dumps({"loss": {w: {"name": w, "x": [*EPOCHS], "y": [*c.values()]} for w, c in (("train", T), ("val", V))}}), BOTH),
    "NeuralHydrology": (
        "output.log", lines(lambda e: f"2021-01-01 10:00:00,123: Epoch {e} average loss: avg_loss: {T[e]}, avg_total_loss: {T[e]}\n"
        f"2021-01-01 10:00:00,123: Epoch {e} average validation loss: {V[e]} -- Median validation metrics: avg_loss: {V[e]}, NSE: 0.5\n"), BOTH,
    ),
    "PyTorch's MNIST example": (
        "a.log", lines(lambda e: f"Train Epoch: {e} [0/60000 (0%)]\tLoss: 9.0\nTrain Epoch: {e} [640/60000 (1%)]\tLoss: {T[e]}\n\nTest set: Average loss: {V[e]}\n"), BOTH,
    ),
    "PyTorch's first tutorial": ("a.log", lines(lambda e: f"[{e},  2000] loss: {T[e]}\n"), {"train_loss": T}),
    "the kind of the loss in brackets": ("a.log", lines(lambda e: f"Epoch {e:03d} | Train Loss(mse): {T[e]} | Val Loss (MSE): {V[e]}\n"), BOTH),
    "arrows": ("a.log", lines(lambda e: f"--> Epoch {e}: train loss -> {T[e]}, val loss -> {V[e]}\n"), BOTH),
    "a padded count, and sections": ("slurm-1.out", lines(lambda e: f"[  {e}/6] train: rmse={T[e]} | val: rmse={V[e]} | lr=1e-3\n"), RMSE),
    "rich": (
        "a.txt", "┏━━━━━━━┳━━━━━━━━━━━━┳━━━━━━━━━━┓\n┃ Epoch ┃ Train Loss ┃ Val Loss ┃\n┡━━━━━━━╇━━━━━━━━━━━━╇━━━━━━━━━━┩\n"
        + lines(lambda e: f"│ {e} │ {T[e]} │ {V[e]} │\n") + "└───────┴────────────┴──────────┘\n", BOTH,
    ),
    "XGBoost's cv as CSV": ("a.csv", ",train-rmse-mean,train-rmse-std,test-rmse-mean,test-rmse-std\n" + lines(lambda e: f"{e},{T[e]},0.1,{V[e]},0.1\n"), RMSE),
    "a row a batch": ("a.csv", "epoch,batch,loss\n" + lines(lambda e: f"{e},0,9\n{e},1,{T[e]}\n"), {"train_loss": T}),
    "GluonTS on MXNet": ("a.log", lines(lambda e: gluonts(e, validated=False)), {"train_loss": T}),
    "GluonTS on MXNet, with validation": ("a.log", lines(lambda e: gluonts(e, validated=True)), BOTH),
    "Caffe": ("a.log", lines(caffe), BOTH),
    "Caffe, pasted with an indent": ("a.log", lines(lambda e: caffe(e).replace("I0101", "        I0101")), BOTH),
    "printed: bare names behind one split a line": (
        "a.log", lines(lambda e: f"Epoch {e}/6\nVal MSE: 1 | RMSE: {V[e]} | R2: 0.1\nTrain MSE: 1 | RMSE: {T[e]} | R2: 0.9\n"), RMSE,
    ),
    "printed: bars of each split": (
        "a.log", lines(lambda e: f"Epoch {e} [Train]: 100%|##| 9/9 [00:01<00:00, 9.0it/s, loss={T[e]}]\nEpoch {e} [Val]: 100%|##| 3/3 [00:01<00:00, 9.0it/s, loss={V[e]}]\n"),
        BOTH,
    ),
    "Caffe with three losses": ("a.log", lines(lambda e: caffe(e, losses=3)), BOTH),
    "Caffe with two test nets": ("a.log", lines(lambda e: caffe(e, nets=2)), BOTH),
    "TabNet, printed": ("a.log", lines(lambda e: f"epoch {e}  | loss: {T[e]} | val_0_rmse: {V[e]} |  0:00:0{e}s\n"), {"train_loss": T, "rmse": V}),
    "TabNet, pasted": (
        "a.md", "# Results\n\n| Epoch | Loss | Val_0_RMSE | Time |\n|---|---|---|---|\n" + lines(lambda e: f"| {e} | {T[e]} | {V[e]} | 0:00:0{e}s |\n"),
        {"train_loss": T, "rmse": V},
    ),
    "printed: units in brackets": (
        "a.log", lines(lambda e: f"Epoch [{e}/6], Train Loss (meters^2): {T[e]}\nEpoch [{e}/6], Validation Loss (meters^2): {V[e]}, Baseline Loss (meters^2): 9\n"),
        BOTH,
    ),
    "table: units in brackets": ("a.csv", "Epoch,Train RMSE (eV),Val RMSE (eV)\n" + lines(lambda e: f"{e},{T[e]},{V[e]}\n"), RMSE),
    "table: the kind of the loss": ("a.csv", "Epoch,Train MSE Loss,Val MSE Loss\n" + lines(lambda e: f"{e},{T[e]},{V[e]}\n"), BOTH),
    "JSON: the kind of the loss": ("a.json", json.dumps({"train_mse_loss": [*T.values()], "val_mse_loss": [*V.values()]}), BOTH),
    "JSON lines: means": ("a.jsonl", lines(lambda e: json.dumps({"epoch": e, "avg_train_loss": T[e], "mean_epoch_valid_loss": V[e]}) + "\n"), BOTH),
    "printed: ordinals": ("a.txt", lines(lambda e: f"  {e}th epoch,\n   training loss: {T[e]}\n   val loss: {V[e]}\n"), BOTH),
    "printed: a glued number": ("a.txt", lines(lambda e: f"Epoch{e}:  loss: {T[e]} - val_loss: {V[e]}\n"), BOTH),
    "printed: a line behind a bar": (
        "a.log", lines(lambda e: f"Epoch Progress: {e}%|#   | {e}/100 [00:0{e}<01:00,  3.2s/it]Size: 10%, Epoch: {e}, Train Loss: {T[e]}, Val Loss: {V[e]}\n"), BOTH,
    ),
    "printed: settings before the first epoch": (
        "a.log", "{'batch_size': 64,\n 'epoch': 300.0,\n 'learning_rate': 0.001,\n 'lr_factor': 0.5}\n" + lines(lambda e: f"Epoch [{e}/300] - Train Loss: {T[e]}, Valid Loss: {V[e]}, LR: [0.001]\n"), BOTH,
    ),
    "printed: targets on lines of their own": (
        "a.log", lines(lambda e: f"Epoch {e}/6\nTrain Loss: {T[e]}, Val Loss: {V[e]}\nTarget: mass - Train RMSE: 7 - Val RMSE: 8\nTarget: size - Train RMSE: 5 - Val RMSE: 6\n"), BOTH,
    ),
    "printed: names of targets before the split": (
        "a.log", lines(lambda e: f"Epoch {e}/6 | Train Loss: {T[e]} | Val Loss: {V[e]}\n    hip Train RMSE: 7 | Val RMSE: 8\n    knee Train RMSE: 5 | Val RMSE: 6\n"), BOTH,
    ),
    "printed: levels before the split": (
        "a.log", lines(lambda e: f"INFO Epoch {e}\nINFO Train RMSE: {T[e]} | Val RMSE: {V[e]}\n"), RMSE,
    ),
    "printed: the split last": ("a.log", lines(lambda e: f"Epoch: {e:04d} loss_train: {T[e]} loss_val: {V[e]} loss_test: 9 time: 0.3s\n"), BOTH),
    "printed: Spanish": ("a.log", lines(lambda e: f"  Época {e}/6 | Train Loss: {T[e]} | Val Loss: {V[e]}\n"), BOTH),
    "printed: Chinese": ("a.log", lines(lambda e: f"第 {e} 轮 train_loss: {T[e]} val_loss: {V[e]}\n"), BOTH),
    "Markdown, the best row in bold": (
        "a.md", "| Iteration | Train RMSE | Val RMSE |\n|---|---|---|\n" + lines(lambda e: f"| {e} | {T[e]} | {f'**{V[e]}**' if e == 6 else V[e]} |\n"), RMSE,
    ),
    "LightGBM, and scores after it": (
        "a.txt", lines(lambda e: f"[{e}]\ttraining's rmse: {T[e]}\tvalid_0's rmse: {V[e]}\n") + "Train R2: 0.99\nVal R2:   0.98\n", RMSE,
    ),
    "Transformers' log as a table": (
        "a.csv", "loss,epoch,step,eval_loss,train_runtime,train_loss,total_flos\n"
        + lines(lambda e: f"{T[e]},{e},{e * 10},,,,\n,{e},{e * 10},{V[e]},,,\n") + ",6,60,,99.5,7.0,1e15\n", BOTH,
    ),
    "Transformers' log as JSON": (
        "a.json", json.dumps([row for e in EPOCHS for row in ({"loss": T[e], "epoch": e}, {"eval_loss": V[e], "epoch": e})]
                             + [{"train_runtime": 99.5, "train_loss": 7.0, "epoch": 6}]), BOTH,
    ),
    "Transformers' log as JSON lines": (
        "a.jsonl", lines(lambda e: json.dumps({"loss": T[e], "epoch": e}) + "\n" + json.dumps({"eval_loss": V[e], "epoch": e}) + "\n")
        + json.dumps({"train_runtime": 99.5, "train_loss": 7.0, "epoch": 6}) + "\n", BOTH,
    ),
    "mmengine, printed": (
        "a.log", lines(lambda e: f"2023/05/01 10:00:00 - mmengine - INFO - Epoch(train)  [{e}][50/100]  lr: 1.0000e-03  eta: 0:01:00  loss: 9.9\n"
        f"2023/05/01 10:00:00 - mmengine - INFO - Epoch(train)  [{e}][100/100]  lr: 1.0000e-03  eta: 0:01:00  loss: {T[e]}\n"
        f"2023/05/01 10:00:00 - mmengine - INFO - Epoch(val) [{e}][10/10]    RMSE: {V[e]}  data_time: 0.01\n"), {"train_loss": T, "rmse": V},
    ),
    "Lightning's checkpoints": (
        "a.log", lines(lambda e: f"INFO: Epoch {e}, global step {e * 50}: 'val_loss' reached {V[e]} (best {V[6]}), saving model to '/a/epoch={e}-step=50.ckpt' as top 1\n")
        + "Metric val_loss improved by 0.012 >= min_delta = 0.0. New best score: 0.1\n", {"val_loss": V},
    ),
    "TensorFlow Addons' RSquare": ("a.csv", "epoch,loss,r_square,val_loss,val_r_square\n" + lines(lambda e: f"{e},{T[e]},0.5,{V[e]},0.4\n"), BOTH),
    "Lightning with one loader named": (
        "metrics.csv", "epoch,step,train_loss,val_loss/dataloader_idx_0\n" + lines(lambda e: f"{e},{e},{T[e]},\n{e},{e},,{V[e]}\n"), BOTH,
    ),
}  # fmt: skip


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_curves_are_read(tmp_path: Path, layout: str) -> None:
    name, text, expected = LAYOUTS[layout]
    (tmp_path / name).write_text(text, encoding="utf-8")
    (run,) = load_runs([str(tmp_path / name)])
    assert isinstance(run, Run), str(run)
    assert run.history is not None
    assert not any(note.code == "log.duplicate-epochs" for note in run.notes)
    for known in ("train_loss", "val_loss", "train_rmse", "rmse", "epoch_seconds"):
        logged = list(run.history.get(known)) if run.history.has(known) else None
        if known in expected:
            assert logged == pytest.approx([*expected[known].values()], abs=1e-9), known
        elif known == "epoch_seconds":
            assert logged is None or max(v for v in logged if v is not None) < 100, (
                "times of the clock are no durations"
            )
        elif logged is not None:
            # The first metric of a boosting library is its loss too.
            assert logged == list(run.history.get("train_rmse" if known == "train_loss" else "rmse")), known


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("a.log", "".join(f"epoch {e}: train: 0.{e} val: 0.{e}\n" for e in EPOCHS), "--column train_loss=train --column val_loss=val"),
        ("a.csv", "epoch,train,val\n" + "".join(f"{e},0.{e},0.{e}\n" for e in EPOCHS), "does not say what they measure"),
        ("a.log", "epoch 1 train: 0.5 val: 0.6\n", "1 row cannot show it"),
        ("a.log", "".join(f"Epoch {e}, Validation Joint Loss: {e}\n" for e in EPOCHS), "names that are not known here (Validation Joint Loss)"),
        ("a.log", "".join(f"Epoch {e}, Validation Joint Loss: {e}\n" for e in EPOCHS), "--reader printed --column val_loss=NAME"),
        ("a.txt", "0.5 0.6\n0.4 0.5\n", "numbers without a line of names"),
        ("a.txt", "[ Info: nothing here\n[ Info: nor here\n", "no line names an epoch"),
        ("leaderboard.csv", "model,score_val,eval_metric,pred_time_val\nA,-0.5,root_mean_squared_error,0.1\nB,-0.6,root_mean_squared_error,0.2\n",
         "a table of results: column 'model'"),
        ("results.json", '[{"model": "a", "rmse": 0.5}, {"model": "b", "rmse": 0.4}]', "a list of results: 'model'"),
        ("metrics.csv", "epoch,step,train_loss,val_loss/dataloader_idx_0,val_loss/dataloader_idx_1\n0,1,1,2,3\n1,2,1,2,3\n",
         "--column val_loss=val_loss/dataloader_idx_0"),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_asked_about(tmp_path: Path, name: str, text: str, said: str) -> None:
    (tmp_path / name).write_text(text, encoding="utf-8")
    (error,) = load_runs([str(tmp_path / name)])
    assert isinstance(error, InputError)
    assert said in str(error)


@pytest.mark.parametrize("lists", [([9, 7, 5, 3, 2], [1, 4, 6, 8, 0]), (["a.png", "b.png"], ["c.png"])])
def test_a_split_of_a_data_set_is_no_history(tmp_path: Path, lists: tuple[list[object], list[object]]) -> None:
    (tmp_path / "splits.json").write_text(json.dumps({"train": lists[0], "val": lists[1]}), encoding="utf-8")
    (error,) = load_runs([str(tmp_path)])
    assert "no runs in this folder" in str(error)


def test_bare_train_and_val_beside_a_loss_are_scores_that_nobody_named(tmp_path: Path) -> None:
    text = "".join(f"Epoch: {e:03d}, Loss: {T[e]}, Train: 0.9{e}, Val: 0.8{e}, Test: 0.7{e}\n" for e in EPOCHS)
    (tmp_path / "a.log").write_text(text, encoding="utf-8")
    (run,) = load_runs([str(tmp_path / "a.log")])
    assert isinstance(run, Run)
    assert run.history is not None
    assert list(run.history.get("train_loss")) == [*T.values()]
    assert not run.history.has("val_loss")


@pytest.mark.parametrize(
    "said", ["Evaluating on test set", "Evaluating the best model on the test set", "Testing on test data"]
)
def test_figures_after_an_announced_test_are_no_epochs(tmp_path: Path, said: str) -> None:
    text = lines(lambda e: f"Epoch {e}\nTrain loss: {T[e]}\nVal loss: {V[e]}\n") + f"{said}\nRMSE: 9.0\nTest R2: 0.5\n"
    (tmp_path / "a.log").write_text(text, encoding="utf-8")
    (run,) = load_runs([str(tmp_path / "a.log")])
    assert isinstance(run, Run)
    assert run.history is not None
    assert not run.history.has("rmse")
    assert run.summary["r2"] == 0.5


def test_figures_on_lines_of_their_own_after_an_announced_validation(tmp_path: Path) -> None:
    text = lines(lambda e: f"Epoch {e}\nloss: {T[e]}\nEvaluating on validation set\nloss: {V[e]}\nmae: 0.{e}\n")
    (tmp_path / "a.log").write_text(text, encoding="utf-8")
    (run,) = load_runs([str(tmp_path / "a.log")])
    assert isinstance(run, Run)
    assert run.history is not None
    assert (list(run.history.get("train_loss")), list(run.history.get("val_loss"))) == ([*T.values()], [*V.values()])
    assert list(run.history.get("mae")) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_figures_of_several_test_loaders_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    rows = lines(lambda e: f"{e},{e},{T[e]},{V[e]},,\n") + "7,7,,,0.5,0.7\n"
    text = "epoch,step,train_loss,val_loss,test_loss/dataloader_idx_0,test_loss/dataloader_idx_1\n" + rows
    (tmp_path / "metrics.csv").write_text(text, encoding="utf-8")
    (run,) = load_runs([str(tmp_path / "metrics.csv")])
    assert isinstance(run, Run)
    assert run.summary == {}
    assert any("figures of several test loaders left out" in note.message for note in run.notes)


def test_matlabs_nan_between_validations_is_no_divergence(tmp_path: Path) -> None:
    rows = lines(lambda e: f"{T[e]},{V[e] if e % 3 == 0 else 'NaN'},0.001\n")
    (tmp_path / "info.csv").write_text("TrainingLoss,ValidationLoss,BaseLearnRate\n" + rows, encoding="utf-8")
    (run,) = load_runs([str(tmp_path / "info.csv")])
    assert isinstance(run, Run)
    assert run.history is not None
    assert list(run.history.get("val_loss")) == [None, None, V[3], None, None, V[6]]


@pytest.mark.parametrize("val", [["0.5", "nan", "0.4", "0.3", "0.2"], ["0.5", "nan", "nan", "nan", "nan"]])
def test_nan_of_a_run_that_diverged_stays(tmp_path: Path, val: list[str]) -> None:
    rows = "".join(f"{e},0.{9 - e},{v}\n" for e, v in enumerate(val))
    (tmp_path / "log.csv").write_text("epoch,train_loss,val_loss\n" + rows, encoding="utf-8")
    (run,) = load_runs([str(tmp_path / "log.csv")])
    assert isinstance(run, Run)
    assert run.history is not None
    logged = run.history.get("val_loss")
    assert [v is not None and math.isnan(v) for v in logged] == [cell == "nan" for cell in val]


def test_one_metric_a_file_is_one_run(tmp_path: Path) -> None:
    folder = tmp_path / "run7"
    folder.mkdir()
    for name, curve in BOTH.items():
        text = "step,value,timestamp\n" + lines(lambda e, curve=curve: f"{e},{curve[e]},16000000{e}\n")  # type: ignore[misc]
        (folder / f"{name}.csv").write_text(text, encoding="utf-8")
    (run,) = load_runs([str(folder)])
    assert isinstance(run, Run)
    assert run.name == "run7"
    assert run.history is not None
    assert (list(run.history.get("train_loss")), list(run.history.get("val_loss"))) == ([*T.values()], [*V.values()])


@pytest.mark.parametrize(
    ("times", "kept"),
    [("1.5,1.4,1.6,1.5,1.5,1.7", True), ("1.5,3,4.5,6,7.5,9", False), ("1600000001,1600000002,1600000003,1,2,3", True)],
)
def test_times_from_the_start_are_no_seconds_of_an_epoch(tmp_path: Path, times: str, *, kept: bool) -> None:
    rows = "".join(f"{e},0.5,{t}\n" for e, t in zip(EPOCHS, times.split(","), strict=True))
    (tmp_path / "log.csv").write_text("epoch,val_loss,time\n" + rows, encoding="utf-8")
    (run,) = load_runs([str(tmp_path / "log.csv")])
    assert isinstance(run, Run)
    assert run.history is not None
    assert run.history.has("epoch_seconds") is kept
    assert any("not used as the seconds of an epoch" in note.message for note in run.notes) is not kept
