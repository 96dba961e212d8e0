"""Transformers' trainer state; the fixture is written by the library itself."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.reader import Head, ReadOptions
from runreport.ingest.readers.transformers_state import READER
from tests.ingest.readers.stores import FIXTURES, read_all
from tests.ingest.readers.texts import FUZZ, columns, forced, sound

RUN = FIXTURES / "transformers" / "run"


def logged(path: Path) -> list[dict[str, float]]:
    return list(json.loads(path.read_text())["log_history"])


def state(folder: Path, log: list[object], **more: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "trainer_state.json"
    path.write_text(json.dumps({"log_history": log, "global_step": len(log), **more}))
    return path


def test_the_whole_folder_is_one_run_with_the_rows_of_its_newest_state() -> None:
    (run,) = read_all(READER, RUN)
    rows = logged(RUN / "trainer_state.json")
    found = columns(run)
    assert run.name == "run"
    assert found["epoch"] == sorted({r["epoch"] for r in rows})
    at = {e: i for i, e in enumerate(found["epoch"])}
    for row in rows:
        if "eval_r2" in row:
            assert found["r2"][at[row["epoch"]]] == row["eval_r2"]
            assert found["val_loss"][at[row["epoch"]]] == row["eval_loss"]
        elif "loss" in row:
            assert found["train_loss"][at[row["epoch"]]] == row["loss"]
            assert found["learning_rate"][at[row["epoch"]]] == row["learning_rate"]
    # Half-way through an epoch nothing was evaluated, and nothing is carried there.
    assert found["r2"][at[0.5]] is None
    assert any("its 2 earlier states" in note.message for note in run.notes)


def test_the_mean_loss_of_the_whole_training_is_no_epochs_loss() -> None:
    (run,) = read_all(READER, RUN)
    mean = next(r["train_loss"] for r in logged(RUN / "trainer_state.json") if "train_runtime" in r)
    assert mean not in columns(run)["train_loss"]
    assert run.columns_read["train_loss"] == "loss"


def test_results_are_the_final_figures_and_the_best_metric_is_a_setting() -> None:
    (run,) = read_all(READER, RUN)
    final = json.loads((RUN / "all_results.json").read_text())
    assert run.split == "validation"
    assert run.summary["r2"] == final["eval_r2"]
    assert run.summary["mae"] == final["eval_mae"]
    assert run.config["best_metric"] == json.loads((RUN / "trainer_state.json").read_text())["best_metric"]
    assert run.config["best_model_checkpoint"] == "checkpoint-32"


def test_one_checkpoint_that_was_named_is_read_as_it_is() -> None:
    (run,) = read_all(READER, RUN / "checkpoint-24" / "trainer_state.json")
    assert columns(run)["epoch"][-1] == 3
    assert run.name == "run"
    assert dict(run.summary) == {}


def test_checkpoints_of_an_interrupted_run_are_read_to_the_newest(tmp_path: Path) -> None:
    shutil.copytree(RUN / "checkpoint-24", tmp_path / "run" / "checkpoint-24")
    shutil.copytree(RUN / "checkpoint-32", tmp_path / "run" / "checkpoint-32")
    (run,) = read_all(READER, tmp_path)
    assert columns(run)["epoch"][-1] == 4
    assert any("checkpoint-32/trainer_state.json" in n.message for n in run.notes)


def test_a_checkpoint_of_another_run_in_the_same_folder_is_said(tmp_path: Path) -> None:
    state(tmp_path / "run", [{"epoch": 1, "loss": 0.5, "step": 1}, {"epoch": 2, "loss": 0.4, "step": 2}])
    state(tmp_path / "run" / "checkpoint-1", [{"epoch": 1, "loss": 0.7, "step": 1}])
    (run,) = read_all(READER, tmp_path)
    assert columns(run)["train_loss"] == [0.5, 0.4]
    assert any("left out: checkpoint-1" in n.message for n in run.notes)


def test_bare_nan_in_the_json_is_a_logged_nan(tmp_path: Path) -> None:
    state(tmp_path, [{"epoch": 1, "eval_loss": math.nan, "step": 1}, {"epoch": 2, "eval_loss": 0.4, "step": 2}])
    assert "NaN" in (tmp_path / "trainer_state.json").read_text()
    (run,) = read_all(READER, tmp_path)
    first, second = columns(run)["val_loss"]
    assert first is not None
    assert math.isnan(first)
    assert second == 0.4


def test_test_figures_are_kept_apart(tmp_path: Path) -> None:
    state(
        tmp_path, [{"epoch": 1, "eval_r2": 0.3, "step": 1}, {"test_r2": 0.2, "test_loss": 0.9, "epoch": 1, "step": 1}]
    )
    (run,) = read_all(READER, tmp_path)
    assert (run.split, run.summary["r2"], run.summary["loss"]) == ("test", 0.2, 0.9)
    assert "test_r2" not in columns(run)


def test_results_without_a_state_are_a_run_of_final_figures(tmp_path: Path) -> None:
    shutil.copyfile(RUN / "eval_results.json", tmp_path / "eval_results.json")
    (run,) = read_all(READER, tmp_path)
    assert run.history is None
    assert run.summary["r2"] == json.loads((RUN / "eval_results.json").read_text())["eval_r2"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"log_history": [', "not JSON"),
        ("[]", "no list log_history"),
        ('{"log_history": 3}', "no list log_history"),
        ('{"log_history": [1]}', "an entry of log_history that is no object"),
        ('{"log_history": []}', "no numbers"),
        ('{"log_history": [{"epoch": 1, "train_runtime": 2.0, "train_loss": 0.5}]}', "no numbers"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_what_is_no_state_is_refused_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "trainer_state.json"
    path.write_text(text)
    with pytest.raises(InputError, match=said):
        forced(READER, path, kind="state")


def test_other_json_is_not_claimed(tmp_path: Path) -> None:
    for name, text in (("test_results.json", '{"passed": 3}'), ("config.json", '{"eval_loss": 1}')):
        (tmp_path / name).write_text(text)
        assert READER.claim(tmp_path / name, Head(tmp_path / name)) is None


def test_a_column_can_be_mapped_by_hand(tmp_path: Path) -> None:
    state(tmp_path, [{"epoch": 1, "eval_coef": 0.1, "step": 1}, {"epoch": 2, "eval_coef": 0.4, "step": 2}])
    (run,) = read_all(READER, tmp_path, ReadOptions(columns={"r2": "eval_coef"}))
    assert columns(run)["r2"] == [0.1, 0.4]


VALUES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4), st.just([]), st.just({}))
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["epoch", "step", "loss", "eval_loss", "eval_r2", "test_r2", "é\x00"]), VALUES),
    max_size=5,
)


@FUZZ
@given(ROWS, VALUES)
def test_any_state(rows: list[dict[str, object]], value: object) -> None:
    document = {"log_history": rows, "global_step": value, "best_model_checkpoint": value}
    sound(READER, "trainer_state.json", json.dumps(document).encode(), kind="state")


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    sound(READER, "trainer_state.json", content, kind="state")
    sound(READER, "eval_results.json", content, kind="eval_results")
