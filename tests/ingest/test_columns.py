"""Which column is which."""

from __future__ import annotations

from pathlib import Path

import pytest

from runreport.errors import InputError
from runreport.ingest.columns import ALIASES, map_columns, near, plain
from runreport.ingest.history import histories_of_columns
from runreport.ingest.prediction_columns import PRED_NAMES, TRUE_NAMES, prediction_columns

FILE = Path("run.csv")


@pytest.mark.parametrize(
    ("header", "known"),
    [
        ("Valid R²", "r2"),
        ("val/loss", "val_loss"),
        ("eval_loss", "val_loss"),
        ("loss", "train_loss"),
        ("Loss", "train_loss"),
        ("val_r2_score", "r2"),
        ("R^2", "r2"),
        ("R2 (%)", "r2"),
        ("val_r2_percent", "r2"),
        ("train_r2_pct", "train_r2"),
        ("lr-Adam", "learning_rate"),
        ("valid_rmse", "rmse"),
        ("Epoch", "epoch"),
        ("std_ratio", "variance_ratio"),
        ("grad norm", "grad_norm_total"),
    ],
)
def test_the_fields_own_names(header: str, known: str) -> None:
    assert map_columns(FILE, [header], {}) == {known: header}


@pytest.mark.parametrize("header", ["rho", "spearman", "test_loss", "test_r2", "mae_percent", "val_accuracy", "r", ""])
def test_what_is_something_else_stays_unknown(header: str) -> None:
    assert map_columns(FILE, [header], {}) == {}


def test_no_alias_stands_for_two_things() -> None:
    spelled = [plain(name) for known, aliases in ALIASES.items() for name in (known, *aliases)]
    assert len(spelled) == len(set(spelled))
    assert not set(TRUE_NAMES) & set(PRED_NAMES)
    assert all(name == plain(name) for name in spelled)


def test_the_known_name_wins_over_its_aliases() -> None:
    assert map_columns(FILE, ["loss", "train_loss", "R2", "r2"], {}) == {"train_loss": "train_loss", "r2": "r2"}


def test_an_epoch_beside_a_step_is_the_epoch() -> None:
    assert map_columns(FILE, ["step", "Epoch", "iter"], {}) == {"epoch": "Epoch"}


@pytest.mark.parametrize(("found", "names"), [(["eval_loss", "valid_loss"], 2), (["Val Loss", "val-loss"], 2)])
def test_an_ambiguity_is_not_guessed_and_names_the_choices(found: list[str], names: int) -> None:
    with pytest.raises(InputError) as caught:
        map_columns(FILE, found, {})
    text = str(caught.value)
    assert f"{names} columns that could be val_loss" in text
    assert all(repr(name) in text for name in found)
    assert "--column" in text


def test_a_given_column_settles_it_and_wins_over_the_known_name() -> None:
    assert map_columns(FILE, ["eval_loss", "valid_loss"], {"val_loss": "eval_loss"}) == {"val_loss": "eval_loss"}
    assert map_columns(FILE, ["r2", "mine"], {"r2": "mine"}) == {"r2": "mine"}


def test_a_given_column_is_not_read_as_something_else_too() -> None:
    assert map_columns(FILE, ["loss", "r2"], {"val_loss": "loss"}) == {"val_loss": "loss", "r2": "r2"}
    assert map_columns(FILE, ["r2"], {"mae": "r2"}) == {"mae": "r2"}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"val_los": "a"}, "unknown name 'val_los' in --column; expected 'val_loss'"),
        ({"val_loss": "aa"}, "no column 'aa'; expected 'a'"),
        ({"val_loss": "a", "r2": "a"}, "column 'a' given twice"),
    ],
)
def test_a_given_column_that_cannot_be(given: dict[str, str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        map_columns(FILE, ["a", "b"], given)
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("found", "pair"),
    [
        (["y_true", "y_pred"], ("y_true", "y_pred")),
        (["prediction", "target"], ("target", "prediction")),
        (["Actual", "Predicted", "id"], ("Actual", "Predicted")),
        (["y", "yhat"], ("y", "yhat")),
        (["target", "y_true", "pred"], ("y_true", "pred")),
    ],
)
def test_truth_and_prediction(found: list[str], pair: tuple[str, str]) -> None:
    assert prediction_columns(FILE, found) == pair


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (["y_pred", "id"], "no truth column (y_true) among y_pred, id"),
        (["y_true"], "no prediction column (y_pred) among y_true"),
        (["target", "label", "y_pred"], "2 columns that could be y_true: 'target', 'label'"),
        (["y_true", "pred", "output"], "2 columns that could be y_pred: 'pred', 'output'"),
    ],
)
def test_predictions_are_not_guessed_at(found: list[str], said: str) -> None:
    with pytest.raises(InputError) as caught:
        prediction_columns(FILE, found)
    assert said in str(caught.value)
    assert "--column y_" in str(caught.value)


def test_given_truth_and_prediction() -> None:
    found = ["target", "label", "y_pred"]
    assert prediction_columns(FILE, found, {"y_true": "label"}) == ("label", "y_pred")
    with pytest.raises(InputError, match="no column 'lable'; expected 'label'"):
        prediction_columns(FILE, found, {"y_true": "lable"})
    with pytest.raises(InputError, match="as both truth and prediction"):
        prediction_columns(FILE, found, {"y_true": "y_pred"})


def test_near_gives_the_nearest_or_a_few() -> None:
    assert near("variance_rato", ALIASES).startswith("'variance_ratio' or ")
    assert near("zzz", list("abcdefghijkl")) == "one of a, b, c, d, e, f, g, h, ..."


@pytest.mark.parametrize(
    ("found", "mapped"),
    [
        (["loss", "mae", "val_mae"], {"train_loss": "loss", "train_mae": "mae", "mae": "val_mae"}),
        (["r2", "val_r2"], {"train_r2": "r2", "r2": "val_r2"}),
        (["train_r2", "r2"], {"train_r2": "train_r2", "r2": "r2"}),
        (["Loss/train", "Loss/val", "r2_val"], {"train_loss": "Loss/train", "val_loss": "Loss/val", "r2": "r2_val"}),
        (["train_loss_epoch", "val_loss_epoch"], {"train_loss": "train_loss_epoch", "val_loss": "val_loss_epoch"}),
        (["val_loss", "val_loss_epoch"], {"val_loss": "val_loss"}),
        (["coef_det", "lr-AdamW"], {"r2": "coef_det", "learning_rate": "lr-AdamW"}),
        (["val_loss", "lr-Adam", "lr-SGD"], {"val_loss": "val_loss"}),
    ],
)  # fmt: skip
def test_names_as_loggers_write_them(found: list[str], mapped: dict[str, str]) -> None:
    assert map_columns(FILE, found, {}) == mapped


@pytest.mark.parametrize(
    ("header", "values", "divided"),
    [("R2 (%)", (50.0, 94.7), True), ("val_r2_percent", (50.0, 94.7), True), ("R2", (0.5, 0.947), False)],
)
def test_per_cent_in_the_header_is_divided_by_100(header: str, values: tuple[float, float], divided: bool) -> None:
    ((history, _, notes),) = histories_of_columns(FILE, {"epoch": [1.0, 2.0], header: list(values)}, {})
    assert history.get("r2") == pytest.approx((0.5, 0.947))
    assert any("divided by 100" in note.message for note in notes) is divided


def test_rows_at_several_steps_name_their_epochs() -> None:
    columns = {"epoch": [1.0, 1.0, 2.0, 2.0], "step": [1.0, 2.0, 3.0, 4.0], "val_loss": [4.0, 3.0, 2.0, 1.0]}
    ((_, _, notes),) = histories_of_columns(FILE, columns, {})
    assert [n.message for n in notes if n.code == "merged"] == [
        "2 epochs (1, 2) logged at several steps each; the last value of each column was kept"
    ]
