"""What few logs do: count apart, sum up, name targets, number the stages of a program, repeat a round."""

from __future__ import annotations

from pathlib import Path

import pytest

from runreport.ingest.load import load_runs
from runreport.ingest.reader import ReadOptions
from runreport.run import Run
from tests.ingest.curves import CURVES, EPOCHS, T, V, both_losses, caffe, gluonts, lines, read_one


def test_lines_and_bars_that_count_apart_are_one_run_and_it_is_said(tmp_path: Path) -> None:
    run, history = read_one(tmp_path / "a.log", lines(lambda e: gluonts(e, validated=True)))
    assert list(history.epochs) == [0, 1, 2, 3, 4, 5]
    said = [note.message for note in run.notes]
    assert any("progress bars count epochs from 1" in message for message in said)
    assert any("'avg_epoch_loss' is 'epoch_loss' with fewer digits" in message for message in said)


def test_bars_that_count_as_the_lines_do_are_left_as_they_are(tmp_path: Path) -> None:
    bar = "100%|####| 50/50 [00:05<00:00,  9.1it/s, epoch={0}, loss={1}]\nEpoch {0}: val_loss {2}\n"
    _, history = read_one(tmp_path / "a.log", lines(lambda e: bar.format(e, T[e], V[e])))
    assert list(history.epochs) == list(EPOCHS)
    assert both_losses(history) == CURVES


@pytest.mark.parametrize(
    ("losses", "nets", "said"),
    [(3, 1, "weighted sum of the net's losses: l2_0, l2_1, l2_2"), (1, 2, "further test nets (#1 and on) left out")],
)
def test_what_caffes_test_nets_come_to_is_said(tmp_path: Path, losses: int, nets: int, said: str) -> None:
    (tmp_path / "a.log").write_text(lines(lambda e: caffe(e, losses=losses, nets=nets)), encoding="utf-8")
    (run,) = load_runs([str(tmp_path / "a.log")])
    assert any(said in note.message for note in run.notes)


def test_two_means_of_one_name_that_differ_are_asked_about(tmp_path: Path) -> None:
    text = lines(lambda e: f"Epoch {e} avg_loss={T[e]} avg_epoch_loss={V[e]}\n")
    (tmp_path / "a.log").write_text(text, encoding="utf-8")
    (error,) = load_runs([str(tmp_path / "a.log")])
    assert "2 columns that could be train_loss" in str(error)


def test_figures_of_single_targets_are_kept_under_their_names_and_one_can_be_chosen(tmp_path: Path) -> None:
    text = lines(lambda e: f"Epoch {e}\nVal Loss: {V[e]}\nTarget: mass - Val R^2: 0.{e}\nTarget: size - Val R^2: 0.1\n")
    run, history = read_one(tmp_path / "a.log", text)
    assert not history.has("r2")
    assert any("not recognised and not used: Val R^2 [mass], Val R^2 [size]" in note.message for note in run.notes)
    _, history = read_one(tmp_path / "a.log", text, ReadOptions(columns={"r2": "Val R^2 [mass]"}))
    assert list(history.get("r2")) == [0.1, 0.2, 0.3, 0.4, 0.5, 0.6]


def test_two_kinds_of_loss_are_no_loss_by_themselves(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "epoch,val_mse_loss,val_mae_loss,val_r2\n" + lines(lambda e: f"{e},1,2,0.{e}\n"), encoding="utf-8"
    )
    (error,) = load_runs([str(tmp_path / "a.csv")])
    assert "2 columns that could be val_loss: 'val_mse_loss', 'val_mae_loss'" in str(error)


@pytest.mark.parametrize("total", ["valid_loss", "val_total_loss", "Loss/val"])
def test_a_term_of_the_loss_does_not_stand_for_it(tmp_path: Path, total: str) -> None:
    rows = lines(lambda e: f"{e},{V[e]},7,{T[e]}\n")
    _, history = read_one(tmp_path / "a.csv", f"epoch,{total},val_mse_loss,train_loss\n{rows}")
    assert both_losses(history) == CURVES


@pytest.mark.parametrize("words", ["Early stopping, best iteration is:", "Stopping. Best iteration:"])
def test_the_best_round_is_read_where_it_was_not_printed_in_its_turn(tmp_path: Path, words: str) -> None:
    printed = "".join(f"[{e}]\ttrain's rmse: {1 / e}\tvalid's rmse: {2 / e}\n" for e in (10, 20, 30))
    text = f"{printed}{words}\n[25]\ttrain's rmse: 0.03\tvalid's rmse: 0.01\n\n"
    (tmp_path / "a.log").write_text(text + text.replace("[25]", "[20]"), encoding="utf-8")
    first, second = load_runs([str(tmp_path / "a.log")])
    assert isinstance(first, Run)
    assert isinstance(second, Run)
    assert first.history is not None
    assert second.history is not None
    assert (list(first.history.epochs), list(first.history.get("rmse"))) == ([10, 20, 25, 30], [0.2, 0.1, 0.01, 2 / 30])
    assert (list(second.history.epochs), list(second.history.get("rmse"))) == ([10, 20, 30], [0.2, 0.1, 2 / 30])


@pytest.mark.parametrize("title", ["STEP 3: TRAINING", "[Step 3/5] Training the model", "Step 3. Training"])
def test_the_stages_of_a_program_are_no_steps(tmp_path: Path, title: str) -> None:
    after = title.replace("3", "4", 1)
    (tmp_path / "a.log").write_text(f"{title}\nValidation R2: 0.61\n{after}\nR2: 0.85\n", encoding="utf-8")
    (error,) = load_runs([str(tmp_path / "a.log")])
    assert "no line names an epoch" in str(error)


def test_steps_with_figures_below_them_are_steps(tmp_path: Path) -> None:
    _, history = read_one(tmp_path / "a.log", lines(lambda e: f"Step {e * 200}:\n  eval_loss: {V[e]}\n"))
    assert (list(history.epochs)[:2], list(history.get("val_loss"))) == ([200, 400], [*V.values()])


def test_the_last_evaluation_stays_where_a_store_put_the_sum_of_the_whole_beside_it(tmp_path: Path) -> None:
    rows = lines(lambda e: f"{e},{T[e]},{V[e]},{'99.5,7.0' if e == 6 else ','}\n")
    run, history = read_one(tmp_path / "a.csv", f"step,loss,eval_loss,train_runtime,train_loss\n{rows}")
    assert both_losses(history) == CURVES
    assert any("train_runtime, train_loss left out" in note.message for note in run.notes)


def test_of_steps_within_an_epoch_the_last_is_taken_and_it_is_said(tmp_path: Path) -> None:
    text = lines(
        lambda e: (
            f"[GPU 0] Epoch {e} Training ====\nEpoch Step: 1 | Accumulation Step: 1 | Loss: 9.9\n"
            f"Epoch Step: 41 | Accumulation Step: 5 | Loss: {T[e]}\n[GPU 0] Epoch {e} Validation ====\n"
            f"Validation loss: tensor({V[e]}, device='cuda:0', grad_fn=<MseLossBackward0>)\n"
        )
    )
    run, history = read_one(tmp_path / "a.log", text)
    assert both_losses(history) == CURVES
    assert any("batch by batch: the last of each epoch was taken" in note.message for note in run.notes)


def test_results_after_epochs_without_figures_are_of_no_epoch(tmp_path: Path) -> None:
    text = "# Epoch [10/20] complete.\n# Epoch [20/20] complete.\n# Results for 1 layers -> Train MAE: 0.09 | Val MAE: 0.04\n"
    (tmp_path / "a.log").write_text(text, encoding="utf-8")
    (error,) = load_runs([str(tmp_path / "a.log")])
    assert "no line names an epoch" in str(error)


@pytest.mark.parametrize("by_epoch", [False, True])
def test_runs_that_only_several_columns_tell_apart(tmp_path: Path, by_epoch: bool) -> None:
    grid = [(d, m, s) for d in ("wind", "sun") for m in ("mlp", "lstm") for s in (1, 2)]
    rows = [(e, i, *g) for i, g in enumerate(grid) for e in EPOCHS]
    rows = sorted(rows) if by_epoch else rows
    text = "".join(f"{d},{m},{s},{e},{i + 1 / e}\n" for e, i, d, m, s in rows)
    (tmp_path / "a.csv").write_text("dataset,model,seed,epoch,val_loss\n" + text, encoding="utf-8")
    runs = [run for run in load_runs([str(tmp_path / "a.csv")]) if isinstance(run, Run)]
    assert {run.name for run in runs} == {f"a[seed {s}, {m}, {d}]" for d, m, s in grid}
    of_name = {run.name: run for run in runs}
    for i, (d, m, s) in enumerate(grid):
        history = of_name[f"a[seed {s}, {m}, {d}]"].history
        assert history is not None
        assert list(history.get("val_loss")) == [i + 1 / e for e in EPOCHS]


def test_the_name_of_a_split_may_be_longer_than_any_name(tmp_path: Path) -> None:
    rows = lines(lambda e: f"{e},train{'9' * 120}x,{T[e]}\n{e},val,{V[e]}\n")
    _, history = read_one(tmp_path / "a.csv", "epoch,split,loss\n" + rows)
    assert both_losses(history) == CURVES
