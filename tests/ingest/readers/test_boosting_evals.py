"""Evaluation results of XGBoost and LightGBM; fixtures written by the libraries themselves."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runreport.errors import InputError
from runreport.ingest.reader import ReadOptions
from runreport.ingest.readers import json_history
from runreport.ingest.readers.boosting_evals import READER
from tests.ingest.readers.stores import FIXTURES, read_all
from tests.ingest.readers.texts import FUZZ, claimed, columns, one, refused, sound

FOLDER = FIXTURES / "boosting"


def test_xgboost() -> None:
    (run,) = read_all(READER, FOLDER / "xgboost.json")
    dump = json.loads((FOLDER / "xgboost.json").read_text())
    found = columns(run)
    assert found["train_rmse"] == found["train_loss"] == dump["train"]["rmse"]
    assert found["rmse"] == found["val_loss"] == dump["eval"]["rmse"]
    assert found["mae"] == dump["eval"]["mae"]
    assert run.columns_read["rmse"] == "eval-rmse"


def test_lightgbm() -> None:
    (run,) = read_all(READER, FOLDER / "lightgbm.json")
    dump = json.loads((FOLDER / "lightgbm.json").read_text())
    found = columns(run)
    assert found["mse"] == found["val_loss"] == dump["valid"]["l2"]
    assert found["mae"] == dump["valid"]["l1"]
    assert found["train_mse"] == dump["train"]["l2"]
    assert "rmse" not in found


def test_lightgbm_cross_validation_reads_the_means_and_says_so() -> None:
    (run,) = read_all(READER, FOLDER / "lightgbm_cv.json")
    dump = json.loads((FOLDER / "lightgbm_cv.json").read_text())
    found = columns(run)
    assert found["mse"] == dump["valid l2-mean"]
    assert found["train_mse"] == dump["train l2-mean"]
    assert found["valid-l2-stdv"] == dump["valid l2-stdv"]
    assert any("means over the folds" in n.message for n in run.notes)


def test_two_sets_that_could_be_validation_are_asked_about() -> None:
    path = FOLDER / "xgboost_sklearn.json"
    with pytest.raises(InputError, match="2 sets that could be validation: validation_0, validation_1") as caught:
        read_all(READER, path)
    assert "--column rmse=validation_1-rmse" in str(caught.value)
    (run,) = read_all(READER, path, ReadOptions(columns={"rmse": "validation_1-rmse"}))
    dump = json.loads(path.read_text())
    assert columns(run)["rmse"] == columns(run)["val_loss"] == dump["validation_1"]["rmse"]


def test_a_metric_that_rises_is_not_the_loss(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "evals.json", json.dumps({"train": {"auc": [0.5, 0.6], "l2": [0.3, 0.2]}}))
    assert columns(run)["train_loss"] == [0.3, 0.2]


def test_a_test_set_of_every_round_is_read_as_validation_and_it_is_said(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "evals.json", json.dumps({"train": {"rmse": [2, 1]}, "test": {"rmse": [3, 2]}}))
    assert columns(run)["rmse"] == [3, 2]
    assert any("the set test was read as validation" in n.message for n in run.notes)


def test_a_test_set_beside_a_validation_set_is_not_validation(tmp_path: Path) -> None:
    dump = {"train": {"rmse": [2, 1]}, "valid": {"rmse": [3, 2]}, "test": {"rmse": [5, 4]}}
    run = one(READER, tmp_path, "evals.json", json.dumps(dump))
    assert columns(run)["rmse"] == [3, 2]
    assert columns(run)["test-rmse"] == [5, 4]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"train": {"rmse": [1, 2]}, "eval": {"rmse": [1]}}', "lists of 1 and of 2 rounds"),
        ('{"train": {"rmse": 3}}', "'rmse', which is no list of a metric"),
        ('{"train": {"rmse": ["x"]}}', "something else than numbers in 'rmse'"),
        ('{"train": {"rmse": []}}', "no rows"),
        ("[]", "no JSON object"),
    ],
)
def test_damaged_dumps_are_refused_in_a_line(tmp_path: Path, text: str, said: str) -> None:
    assert said in refused(READER, tmp_path, "evals.json", text)


def test_what_is_claimed(tmp_path: Path) -> None:
    assert claimed(READER, tmp_path, "a.json", '{"valid_0": {"l2": [1.0]}}')
    assert claimed(READER, tmp_path, "a.json", '{"l2-mean": [1.0], "l2-stdv": [0.1]}')
    assert not claimed(READER, tmp_path, "a.json", '{"train": {"loss": [1.0]}, "val": {"loss": [1.0]}}')
    assert claimed(json_history.READER, tmp_path, "a.json", '{"train": {"loss": [1.0]}, "val": {"loss": [1.0]}}')


SERIES = st.one_of(
    st.lists(st.one_of(st.floats(), st.integers(), st.none()), max_size=3), st.text(max_size=3), st.none()
)
DUMPS = st.dictionaries(
    st.sampled_from(["train", "valid_0", "valid_1", "l2-mean", "\x1b"]),
    st.one_of(SERIES, st.dictionaries(st.sampled_from(["l2", "rmse", "auc", ""]), SERIES, max_size=3)),
    max_size=4,
)


@FUZZ
@given(DUMPS)
def test_any_dump(dump: dict[str, object]) -> None:
    sound(READER, "evals.json", json.dumps(dump).encode())


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    sound(READER, "evals.json", content)
