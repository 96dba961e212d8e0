"""What single printed lines say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runreport.ingest.printed_lines import parse_line
from tests.ingest.readers.texts import FUZZ

LINES: list[tuple[str, str | None, float | None, dict[str, float]]] = [
    ("Epoch 3/50 | Train Loss: 0.1 | Val Loss: 0.2 | R²: 0.3", "epoch", 3, {"Train Loss": 0.1, "Val Loss": 0.2, "R²": 0.3}),
    ("step 250: train loss 2.5, val loss 2.6", "step", 250, {"train loss": 2.5, "val loss": 2.6}),
    ("iter 10: loss 4.2655, time 35.3ms, mfu -100.00%", "iter", 10, {"loss": 4.2655}),
    ("Epoch=3 train_loss=0.5 val_loss=-1e-3", "epoch", 3, {"train_loss": 0.5, "val_loss": -1e-3}),
    ("epoch: 298; loss: 0.00000487", "epoch", 298, {"loss": 4.87e-6}),
    ("[Epoch 4] Train MSE 0.5 Val MSE -inf", "epoch", 4, {"Train MSE": 0.5, "Val MSE": -math.inf}),
    ("2024-01-01 12:00:00,123 - INFO - Epoch 3: val_loss=0.5 time=00:01:23", "epoch", 3, {"val_loss": 0.5}),
    ("{'loss': '0.5', 'learning_rate': '5e-05', 'epoch': '0.5'}", "epoch", 0.5, {"loss": 0.5, "learning_rate": 5e-5}),
    ("| end of epoch   1 | time:  5.21s | valid loss  1.61 |", "epoch", 1, {"time": 5.21, "valid loss": 1.61}),
    ("Epoch 5 Train - loss: 0.1 r2: 0.3 | Val - loss: 0.2, R^2: 0.25, lr=1e-3", "epoch", 5,
     {"train loss": 0.1, "train r2": 0.3, "val loss": 0.2, "val R^2": 0.25, "lr": 1e-3}),
    ("Epoch [5/50] | Train Loss: 0.15 (0.1) | Val R2: 0.57", "epoch", 5, {"Train Loss": 0.15, "Val R2": 0.57}),
    ("9067.1s\t267\tEpoch: 003, Loss: 0.38", "epoch", 3, {"Loss": 0.38}),
    ("Epoch: [0][10/50]\tTime 3.2 (3.2)\tLoss 1.2 (1.1)\tMAE 0.9 (0.8)", "epoch", 0, {"Time": 3.2, "Loss": 1.1, "MAE": 0.8}),
    ("3/3 - 0s - 17ms/step - loss: 2.3 - val_mae: 1.1", None, None, {"loss": 2.3, "val_mae": 1.1}),
    ("Epoch 3: 100%|██| 50/50 [00:01<00:00, 40.0it/s, train_loss=0.1]", "epoch", 3, {"train_loss": 0.1}),
    ("[1]\ttrain's l2: 4.2\tvalid's l2: 4.3", "iter", 1, {"train's l2": 4.2, "valid's l2": 4.3}),
    ("[12:00:00] [3]\ttrain-rmse:0.5", "iter", 3, {"train-rmse": 0.5}),
    ("[10]\tcv_agg's l2: 0.55 + 0.01", "iter", 10, {"cv_agg's l2": 0.55}),
    ("0:\tlearn: 1.2\ttest: 1.3\ttotal: 10ms", "iter", 0, {"train_loss": 1.2, "val_loss": 1.3}),
    ("Iteration 1, loss = 2.04897283", "iter", 1, {"loss": 2.04897283}),
    ("Epoch 1 | KL loss: 0.1 | best val loss: 0.2", "epoch", 1, {"KL loss": 0.1, "best val loss": 0.2}),
    ("Test Loss: 0.2 | Test R²: 0.35", None, None, {"Test Loss": 0.2, "Test R²": 0.35}),
    # Numbers that are none of the figure: shares, dates, thousands, units.
    ("Epoch 1 loss: 1,234.5 accuracy: 50% date: 2024-01-01", "epoch", 1, {}),
]  # fmt: skip


@pytest.mark.parametrize(("line", "axis", "at", "figures"), LINES, ids=[line[:40] for line, *_ in LINES])
def test_lines(line: str, axis: str | None, at: float | None, figures: dict[str, float]) -> None:
    found = parse_line(line)
    assert found is not None
    assert (found.axis, found.at, found.figures) == (axis, at, figures)


@pytest.mark.parametrize(
    "line",
    [
        "Epoch 7: val_loss improved from 0.3 to 0.2, saving model",
        "Epoch 00007: ReduceLROnPlateau reducing learning rate to 0.0005.",
        "Early stopping at epoch 12. Best val_loss: 0.3",
        "Best epoch: 7, val loss: 0.3",
        "Model 0 best validation rmse = 0.94 on epoch 27",
        "{'train_runtime': 12.5, 'train_loss': 0.3, 'epoch': 3.0}",
        "0.1, 0.2, 0.3",
        "no numbers here",
        "2024-01-01 12:00:00",
        "",
    ],
)
def test_lines_that_say_nothing_of_an_epoch(line: str) -> None:
    assert parse_line(line) is None


def test_an_unfinished_bar_is_partial() -> None:
    for line, partial in (
        ("Epoch 3:  40%|██ | 20/50 [00:01<00:00, train_loss=0.1]", True),
        ("Epoch 3: 100%|████| 50/50 [00:01<00:00, train_loss=0.1]", False),
        ("1/3 ━━━ 0s 27ms/step - loss: 14.5", True),
        ("3/3 ━━━ 0s 27ms/step - loss: 14.5", False),
    ):
        found = parse_line(line)
        assert found is not None
        assert found.partial is partial


@FUZZ
@given(
    st.lists(
        st.sampled_from(
            ["Epoch ", "1", "/5", " | ", "loss", ": ", "0.1", "val ", "=", "nan", "(", ")", "\t", "[", "]", "²", "-"]
        ),
        max_size=30,
    )
)
def test_any_line(pieces: list[str]) -> None:
    found = parse_line("".join(pieces))
    if found is not None:
        assert (found.axis is None) == (found.at is None)
        assert found.at is None or not math.isnan(found.at) or found.axis is not None
        assert all(name.strip() for name in found.figures)
