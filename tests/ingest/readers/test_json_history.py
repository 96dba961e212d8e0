"""JSON histories in every shape that people dump them; the Keras one is written by Keras."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runreport.ingest.reader import ReadOptions
from runreport.ingest.readers.json_history import READER
from tests.ingest.readers.stores import FIXTURES, read_all
from tests.ingest.readers.texts import FUZZ, claimed, columns, one, read_text_file, refused, sound

LOSS, R2 = [0.5, 0.4, 0.3], [0.1, 0.2, 0.25]
SAME = {"epoch": [1, 2, 3], "val_loss": LOSS, "r2": R2}


def test_keras_history_names_train_without_a_prefix() -> None:
    (run,) = read_all(READER, FIXTURES / "keras_history" / "history.json")
    history = json.loads((FIXTURES / "keras_history" / "history.json").read_text())
    found = columns(run)
    assert found["train_loss"] == history["loss"]
    assert found["val_loss"] == history["val_loss"]
    assert found["mae"] == history["val_mae"]
    assert found["train_mae"] == history["mae"]


ROWS = [{"epoch": e, "val_loss": v, "r2": r} for e, v, r in zip([1, 2, 3], LOSS, R2, strict=True)]
SHAPES: list[tuple[str, object]] = [
    ("columns", {"epoch": [1, 2, 3], "val_loss": LOSS, "r2": R2}),
    ("columns without an epoch", {"val_loss": LOSS, "r2": R2}),
    ("rows", ROWS),
    ("rows under a key", {"history": ROWS, "best_epoch": 3}),
    ("nested splits", {"val": {"loss": LOSS, "r2": R2}}),
    ("nested rows", [{"epoch": r["epoch"], "val": {"loss": r["val_loss"], "r2": r["r2"]}} for r in ROWS]),
    ("rows by epoch", {str(r["epoch"]): {"val_loss": r["val_loss"], "r2": r["r2"]} for r in ROWS}),
    ("rows by a named epoch", {f"epoch_{r['epoch']}": {"val_loss": r["val_loss"], "r2": r["r2"]} for r in ROWS}),
    ("keras with params", {"params": {"epochs": 3}, "epoch": [1, 2, 3], "history": {"val_loss": LOSS, "r2": R2}}),
    ("pandas", {"epoch": dict(zip("012", [1, 2, 3], strict=True)), "val_loss": dict(zip("012", LOSS, strict=True)),
                "r2": dict(zip("012", R2, strict=True))}),
    ("numbers as text", {"val_loss": [str(v) for v in LOSS], "r2": R2}),
    ("lists of one", {"val_loss": [[v] for v in LOSS], "r2": R2}),
]  # fmt: skip


@pytest.mark.parametrize(("shape", "document"), SHAPES, ids=[s for s, _ in SHAPES])
@pytest.mark.parametrize("indent", [None, 2])
def test_every_shape_says_the_same(tmp_path: Path, shape: str, document: object, indent: int | None) -> None:
    run = one(READER, tmp_path, "run.json", json.dumps(document, indent=indent))
    assert columns(run) == SAME
    assert run.name == "run"


def test_a_config_beside_the_history_is_the_runs(tmp_path: Path) -> None:
    document = {"config": {"lr": 0.1, "model": {"depth": 3}, "sizes": [1, 2]}, "history": {"val_loss": LOSS}}
    run = one(READER, tmp_path, "run.json", json.dumps(document))
    assert run.config == {"lr": 0.1, "model.depth": 3}


def test_nan_is_data_and_null_is_absence(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "run.json", '{"val_loss": [0.5, NaN, null], "r2": [0.1, -Infinity, 0.2]}')
    first, second, third = columns(run)["val_loss"]
    assert (first, third) == (0.5, None)
    assert second is not None
    assert math.isnan(second)
    assert columns(run)["r2"][1] == -math.inf


def test_lists_of_other_lengths_are_left_out_and_it_is_said(tmp_path: Path) -> None:
    document = {"batch_loss": [1.0] * 30, "val_loss": LOSS, "train_loss": LOSS, "r2": R2[:2]}
    run = one(READER, tmp_path, "run.json", json.dumps(document))
    assert set(columns(run)) == {"epoch", "val_loss", "train_loss"}
    (said,) = [n.message for n in run.notes if n.code == "unused"]
    assert "batch_loss (30)" in said
    assert "r2 (2)" in said


def test_losses_of_batches_beside_those_of_epochs(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "run.json", json.dumps({"loss": [1.0] * 30, "val_loss": LOSS}))
    assert set(columns(run)) == {"epoch", "val_loss"}


def test_several_runs_in_one_file_are_several_runs(tmp_path: Path) -> None:
    document = {"adam": {"val_loss": LOSS}, "sgd": {"val_loss": [9.0, 8.0]}}
    adam, sgd = read_text_file(READER, tmp_path, "runs.json", json.dumps(document))
    assert (adam.name, sgd.name) == ("runs[adam]", "runs[sgd]")
    assert columns(sgd)["val_loss"] == [9.0, 8.0]
    folds = read_text_file(READER, tmp_path, "folds.json", json.dumps([{"val_loss": LOSS}, {"val_loss": R2}]))
    assert [run.name for run in folds] == ["folds[1]", "folds[2]"]


def test_a_single_test_figure_is_final(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "run.json", json.dumps({"val_loss": LOSS, "test_r2": 0.4, "test_mse": 0.25}))
    assert run.split == "test"
    assert run.summary == {"r2": 0.4, "mse": 0.25, "rmse": 0.5, "split": "test"}


def test_a_test_row_is_kept_apart(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "run.json", json.dumps([*ROWS, {"epoch": 3, "test_r2": 0.4}]))
    assert columns(run) == SAME
    assert run.summary["r2"] == 0.4


def test_rows_without_an_epoch_are_not_guessed_at(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "run.json", json.dumps([*ROWS, {"val_loss": 0.1, "r2": 0.9}]))
    assert columns(run) == SAME
    assert any("1 row without epoch left out" in n.message for n in run.notes)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty file"),
        ("{", "not JSON"),
        ("3", "a JSON value without rows"),
        ("[1, 2]", "a list that is not one of rows"),
        ('{"name": "x"}', "no lists of numbers"),
        ('{"speed": [1, 2]}', "no column that is known"),
        ('{"a":' * 50_000, "nested too deeply"),
        ('[{"epoch": "x", "val_loss": 1}]', None),
    ],
)
def test_what_is_no_history_is_refused_in_a_line(tmp_path: Path, text: str, said: str | None) -> None:
    if said is None:  # an epoch that is text is no number: the rows are numbered instead
        assert columns(one(READER, tmp_path, "run.json", text))["epoch"] == [1]
        return
    assert said in refused(READER, tmp_path, "run.json", text)


def test_more_names_than_a_log_has_are_refused(tmp_path: Path) -> None:
    rows = [{"epoch": i, "loss": 1.0, f"key{i}": 1.0} for i in range(3000)]
    assert "different names" in refused(READER, tmp_path, "run.json", json.dumps(rows))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("config.json", '{"loss": "mse", "lr": 0.1, "layers": [1, 2]}'),
        ("metrics_run.json", '{"r2": 0.3, "val_loss": [1, 2]}'),
        ("final.json", '{"r2": 0.3, "mae": 0.5}'),
        ("package.json", '{"name": "x", "version": "1"}'),
        ("run.txt", '{"val_loss": [1, 2]}'),
    ],
)
def test_other_json_is_not_claimed(tmp_path: Path, name: str, text: str) -> None:
    assert not claimed(READER, tmp_path, name, text)


def test_mapping_by_hand(tmp_path: Path) -> None:
    text = json.dumps({"loss": LOSS, "coef": R2})
    run = one(READER, tmp_path, "run.json", text, ReadOptions(columns={"r2": "coef"}))
    assert columns(run)["r2"] == R2


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=4))
KEYS = st.sampled_from(
    ["epoch", "loss", "val_loss", "r2", "history", "config", "train", "val", "1", "2", "test_r2", "", "\x1b["]
)
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(KEYS, inner, max_size=4)),
    max_leaves=20,
)


@FUZZ
@given(DOCUMENTS)
def test_any_document(document: object) -> None:
    sound(READER, "run.json", json.dumps(document).encode())


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    sound(READER, "run.json", content)


def test_nan_that_fills_the_rows_of_the_other_split_is_no_value(tmp_path: Path) -> None:
    nan = math.nan
    interleaved = {"epoch": [1, 1, 2, 2], "loss": [0.5, nan, 0.4, nan], "eval_loss": [nan, 0.6, nan, 0.7]}
    run = one(READER, tmp_path, "run.json", json.dumps(interleaved))
    assert columns(run) == {"epoch": [1, 2], "train_loss": [0.5, 0.4], "val_loss": [0.6, 0.7]}
    assert any("NaN in rows of the other split" in n.message for n in run.notes)


def test_nan_in_both_splits_at_once_is_a_run_that_diverged(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "run.json", json.dumps({"loss": [0.5, math.nan], "val_loss": [0.6, math.nan]}))
    assert [v is not None and math.isnan(v) for v in columns(run)["val_loss"]] == [False, True]


def test_figures_of_folds_are_no_epochs(tmp_path: Path) -> None:
    folds = {"val_loss": [0.5, 0.4], "min_val_loss": [0.3, 0.2], "max_val_loss": [0.9, 0.8]}
    said = refused(READER, tmp_path, "score.json", json.dumps(folds))
    assert said.startswith("the last, least and largest val_loss of 2 fits; expected a value an epoch")
