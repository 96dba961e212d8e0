"""JSON lines."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runreport.ingest.readers.jsonl import READER
from tests.ingest.readers.texts import FUZZ, claimed, columns, one, read_text_file, refused, sound

LINES = '{"epoch": 1, "train_loss": 0.5, "val_r2": 0.1}\n{"epoch": 2, "train_loss": 0.4, "val_r2": 0.2}\n'


def test_a_row_a_line(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "run.jsonl", LINES)
    assert columns(run) == {"epoch": [1, 2], "train_loss": [0.5, 0.4], "r2": [0.1, 0.2]}
    assert run.columns_read == {"r2": "val_r2"}
    assert run.notes == ()


def test_a_cut_last_line_is_dropped_and_said(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "run.jsonl", LINES + '{"epoch": 3, "train_lo')
    assert columns(run)["epoch"] == [1, 2]
    assert [(n.code, n.message) for n in run.notes] == [
        ("log.truncated", "the last line (line 3) is cut off and was left out")
    ]


def test_a_line_that_a_crash_cut_before_the_resume_is_said_too(tmp_path: Path) -> None:
    text = LINES + '{"epoch": 3, "tr\n' + '{"epoch": 3, "train_loss": 0.3, "val_r2": 0.3}\n'
    run = one(READER, tmp_path, "run.jsonl", text)
    assert columns(run)["train_loss"] == [0.5, 0.4, 0.3]
    assert "1 line cut off or damaged and left out (line 3)" in run.notes[0].message


def test_a_file_of_other_lines_is_refused(tmp_path: Path) -> None:
    assert refused(READER, tmp_path, "run.jsonl", LINES + "a\nb\nc\n") == (
        "no JSON object on line 3; expected a JSON object a line"
    )
    assert refused(READER, tmp_path, "run.jsonl", "a\n").startswith("no JSON object on line 1")


def test_mmengine_says_the_split_of_a_row_in_mode(tmp_path: Path) -> None:
    text = (
        '{"env_info": "x", "seed": 0}\n'
        '{"mode": "train", "epoch": 1, "iter": 50, "lr": 0.1, "loss": 0.5}\n'
        '{"mode": "val", "epoch": 1, "iter": 50, "loss": 0.6, "mae": 0.3}\n'
        '{"mode": "train", "epoch": 2, "iter": 50, "lr": 0.1, "loss": 0.4}\n'
        '{"mode": "val", "epoch": 2, "iter": 50, "loss": 0.5, "mae": 0.2}\n'
    )
    run = one(READER, tmp_path, "20240101.log.json", text)
    found = columns(run)
    assert run.name == "20240101"
    assert found["train_loss"] == [0.5, 0.4]
    assert found["val_loss"] == [0.6, 0.5]
    assert found["mae"] == [0.3, 0.2]
    assert run.config["seed"] == 0


def test_a_test_line_is_kept_apart(tmp_path: Path) -> None:
    run = one(READER, tmp_path, "run.jsonl", LINES + '{"test_loss": 0.7, "test_r2": 0.15}\n')
    assert (run.split, run.summary["r2"], run.summary["loss"]) == ("test", 0.15, 0.7)
    assert columns(run)["epoch"] == [1, 2]


def test_steps_are_the_axis_where_only_some_rows_have_an_epoch(tmp_path: Path) -> None:
    text = '{"step": 1, "loss": 0.5}\n{"step": 2, "loss": 0.4, "epoch": 1}\n{"step": 3, "loss": 0.3}\n'
    run = one(READER, tmp_path, "run.jsonl", text)
    assert columns(run) == {"epoch": [1, 2, 3], "train_loss": [0.5, 0.4, 0.3]}
    assert run.columns_read["epoch"] == "step"


def test_two_runs_in_one_file(tmp_path: Path) -> None:
    first, second = read_text_file(READER, tmp_path, "run.jsonl", LINES + LINES.replace("0.4", "0.1"))
    assert columns(first)["train_loss"] == [0.5, 0.4]
    assert columns(second)["train_loss"] == [0.5, 0.1]


@pytest.mark.parametrize(
    ("name", "text", "mine"),
    [
        ("run.jsonl", '{"instruction": "x", "output": "y"}\n', False),
        ("data.jsonl", '{"text": "loss"}\n', False),
        ("run.ndjson", LINES, True),
        ("run.log", LINES, True),
        ("run.log", "starting\n" * 3 + LINES, False),
        ("run.json", '{"loss": [1, 2]}', False),
        ("run.csv", LINES, False),
    ],
)
def test_what_is_claimed(tmp_path: Path, name: str, text: str, mine: bool) -> None:
    assert claimed(READER, tmp_path, name, text) is mine


CELLS = st.one_of(st.none(), st.integers(), st.floats(), st.text(max_size=4), st.lists(st.floats(), max_size=2))
ROWS = st.lists(
    st.dictionaries(st.sampled_from(["epoch", "step", "loss", "val_loss", "r2", "mode", "test_r2", "\x1b"]), CELLS),
    max_size=6,
)


@FUZZ
@given(ROWS, st.sampled_from(["\n", "\r\n", "\r", "\n\n"]), st.integers(0, 20))
def test_any_rows_cut_anywhere(rows: list[dict[str, object]], end: str, lost: int) -> None:
    content = end.join(map(json.dumps, rows)).encode()
    sound(READER, "run.jsonl", content[: max(len(content) - lost, 0)])


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    sound(READER, "run.jsonl", content)
