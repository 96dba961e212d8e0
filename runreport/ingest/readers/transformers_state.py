"""Hugging Face Transformers: ``trainer_state.json`` (also those of the checkpoints) and ``*_results.json``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.columns import plain
from runreport.ingest.documents import Row, final_figures, number_of, read_json, row_of, rows_to_columns
from runreport.ingest.history import histories_of_columns
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.runs import runs_of_parts
from runreport.ingest.scalars import flat
from runreport.run import Note, Run

STATE = "trainer_state.json"
RESULTS = ("predict_results.json", "test_results.json", "eval_results.json", "all_results.json")
"""Final figures, the most telling first; ``train_results.json`` holds the mean loss over all epochs, which is no epoch's."""
CHECKPOINT = re.compile(r"checkpoint-(\d{1,18})")
EXPECTED = "a state of Transformers' Trainer"
CLOCKS = ("_runtime", "_per_second", "total_flos", "jit_compilation_time", "model_preparation_time")
"""Endings of what the trainer logs about the machine and not about the model."""
ENTIRE = "train_runtime"
"""The entry with this name sums up the whole training: its ``train_loss`` is the mean over all epochs."""
SETTINGS = (
    "best_metric", "best_model_checkpoint", "best_global_step", "num_train_epochs", "max_steps", "train_batch_size",
    "logging_steps", "eval_steps", "save_steps",
)  # fmt: skip
SPLIT_PREFIXES = (("predict", "test"), ("test", "test"), ("eval", "validation"))
"""Prefix of a final figure -> the split it is of; test goes before validation."""


def claim(path: Path, head: Head) -> Claim | None:
    """States and results by their names; a checkpoint's state belongs to the folder that holds the checkpoint."""
    if path.name == STATE:
        saved = CHECKPOINT.fullmatch(path.parent.name)
        root = path.parent.parent if saved else path.parent
        return Claim(root=root, run=root.resolve().name, kind=saved[0] if saved else "state")
    if path.name in (*RESULTS, "train_results.json") and "_" in head.text and head.text.lstrip().startswith("{"):
        prefixed = any(f'"{prefix}_' in head.text for prefix in ("train", "eval", "predict", "test"))
        if prefixed or (path.parent / STATE).is_file():
            return Claim(root=path.parent, run=path.parent.resolve().name, kind=path.stem)
    return None


def complete(source: Source) -> Source:
    """The results beside the state; the other states are taken only where they were found or named themselves."""
    there = {Path(n).stem: source.root / n for n in RESULTS if (source.root / n).is_file()}
    if "state" not in source.files and any(kind in there for kind in source.files):
        state = source.root / STATE
        there |= {"state": state} if state.is_file() else {}
    named_one_checkpoint = all(CHECKPOINT.fullmatch(kind) for kind in source.files)
    return (
        source if named_one_checkpoint and len(source.files) == 1 else replace(source, files={**there, **source.files})
    )


def read(source: Source, options: ReadOptions) -> list[Run]:
    """One run: the history of its newest state, with the final figures beside it.

    Raises
    ------
    InputError
        No state or results that can be read, or none with a figure.
    """
    final: dict[str, float] = {}
    for name in RESULTS:
        path = source.files.get(Path(name).stem)
        if path is not None:
            final = {**_numbers(path), **final}
    states = {
        kind: _state(path) for kind, path in source.files.items() if kind == "state" or CHECKPOINT.fullmatch(kind)
    }
    if not states:
        summary, split = _summary(source.folder, final)
        if not summary:
            found = "no final figure that is known"
            raise InputError(source.folder, found=found, expected="eval_loss, eval_r2, eval_mae or eval_rmse")
        return [Run(name=source.name, format=source.reader, files=source.files, summary=summary, split=split)]
    newest = max(states, key=lambda kind: (_step(states[kind]), kind == "state"))
    path, document = source.files[newest], states[newest]
    rows = _rows(path, document)
    found_rows = rows_to_columns(path, rows)
    summary, split = _summary(path, {**found_rows.test, **final})
    notes = [*found_rows.notes, *_others(states, newest, rows, source.files)]
    config = flat({name: document[name] for name in SETTINGS if document.get(name) is not None})
    if isinstance(best := config.get("best_model_checkpoint"), str):
        config["best_model_checkpoint"] = (
            best.replace("\\", "/").rstrip("/").rpartition("/")[2]
        )  # not where the machine had it
    if not found_rows.columns:
        raise InputError(path, found="no training and no evaluation in log_history", expected="at least one logged row")
    parts = histories_of_columns(path, found_rows.columns, options.columns, notes=notes)
    return runs_of_parts(source, parts, config=config, summary=summary, split=split)


def _state(path: Path) -> Mapping[str, object]:
    document = read_json(path, EXPECTED)
    if not isinstance(document, dict) or not isinstance(document.get("log_history"), list):
        raise InputError(path, found="no list log_history", expected=EXPECTED)
    return document


def _step(document: Mapping[str, object]) -> float:
    step = document.get("global_step")
    number = number_of(step)
    return -1.0 if number is None or math.isnan(number) else number


def _rows(path: Path, document: Mapping[str, object]) -> list[Row]:
    """The logged rows without clocks, and without the one that sums the training up."""
    log = document["log_history"]
    rows: list[Row] = []
    for entry in log if isinstance(log, list) else []:
        if not isinstance(entry, dict):
            raise InputError(path, found="an entry of log_history that is no object", expected=EXPECTED)
        if ENTIRE not in entry:
            rows.append({n: v for n, v in row_of(entry).items() if not n.endswith(CLOCKS)})
    return rows


def _others(
    states: Mapping[str, Mapping[str, object]], newest: str, rows: Sequence[Row], files: Mapping[str, Path]
) -> list[Note]:
    """What the states that were not used are: earlier ones of this run, or of another run in the same folder."""
    if len(states) == 1:
        return []
    logged = {tuple(sorted((n, repr(v)) for n, v in row.items())) for row in rows}
    strange = [
        kind for kind in states if kind != newest
        if any(tuple(sorted((n, repr(v)) for n, v in r.items())) not in logged for r in _rows(files[kind], states[kind]))
    ]  # fmt: skip
    notes = []
    earlier = len(states) - 1 - len(strange)
    if earlier:
        name = "its earlier state" if earlier == 1 else f"its {earlier} earlier states"
        notes.append(Note(code="merged", message=f"the newest state was read ({_where(newest)}); it contains {name}"))
    if strange:
        shown = ", ".join(sorted(strange)[:5]) + (", ..." if len(strange) > 5 else "")
        message = f"not of this run by their logged figures and left out: {shown}"
        notes.append(Note(code="unused", message=message))
    return notes


def _where(kind: str) -> str:
    return STATE if kind == "state" else f"{kind}/{STATE}"


def _numbers(path: Path) -> Row:
    document = read_json(path, "a JSON object of final figures")
    if not isinstance(document, dict):
        raise InputError(path, found="no JSON object", expected="a JSON object of final figures")
    return {name: value for name, value in row_of(document).items() if not name.endswith(CLOCKS)}


def _summary(path: Path, figures: Mapping[str, float]) -> tuple[dict[str, object], str | None]:
    """Final figures of one split, and which; the training's own are none."""
    for prefix, split in SPLIT_PREFIXES:
        of_split = {n: v for n, v in figures.items() if plain(n).startswith(f"{prefix}_")}
        summary = final_figures(path, of_split)
        if summary:
            return {**summary, "split": split}, split
    return {}, None


READER = Reader(
    name="transformers",
    reads="Hugging Face Transformers: trainer_state.json, also in checkpoint-N/, and *_results.json",
    claim=claim,
    read=read,
    complete=complete,
)
