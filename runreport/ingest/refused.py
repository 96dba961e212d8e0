"""Files that no reader takes: what they are, and what to do instead."""

from __future__ import annotations

from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.compressed import ENDINGS as COMPRESSED
from runreport.ingest.compressed import plain_path
from runreport.ingest.reader import Head
from runreport.ingest.table import LFS_POINTER

PICKLES = frozenset((".pkl", ".pickle", ".joblib", ".pt", ".pth", ".ckpt", ".bin", ".npy", ".npz"))
"""Formats that run code when they are loaded, or may; arrays of numpy hold pickled objects where they are not numbers."""
PICKLED = b"\x80"
"""The first byte of a pickle since protocol 2."""
LOGS = frozenset(
    (
        ".csv", ".tsv", ".txt", ".log", ".out", ".err", ".json", ".jsonl", ".ndjson", ".parquet", ".db", ".sqlite",
        ".sqlite3", ".wandb", ".xlsx", ".xls", ".feather", ".arrow", ".h5", ".hdf5", ".mat", ".dat",
    )
)  # fmt: skip
"""Endings under which somebody may keep a log. Of anything else in a folder (code, pictures, weights, notes) nobody
expects a report, and a line that named it would hide the file that was meant."""
EVENTS = "tfevents"


def is_silent(path: Path) -> bool:
    """Whether a file that no reader claims is passed over without a word: it could not be meant as a log.

    >>> is_silent(Path("model.pt")), is_silent(Path("README.md")), is_silent(Path("history.csv"))
    (True, True, False)
    """
    return plain_path(path).suffix.lower() not in LOGS and EVENTS not in path.name


def is_pointer(path: Path) -> bool:
    """Whether this is what Git LFS leaves in place of a file that could be a log."""
    if is_silent(path):
        return False
    return Head(path).bytes.startswith(LFS_POINTER)


def why_refused(path: Path) -> InputError:
    """Why this file was not read."""
    head = Head(path)
    if head.bytes.startswith(LFS_POINTER):
        return InputError(path, found="a Git LFS pointer, not the file itself", remedy="fetch it with `git lfs pull`")
    if path.suffix.lower() in PICKLES or head.bytes.startswith(PICKLED):
        return InputError(
            path,
            found="a pickle, a checkpoint or an array, which is never loaded: loading one can run code in it",
            expected="a log that `runreport formats` lists",
            remedy="save its figures as CSV or JSON",
        )
    if path.is_file() and not head.bytes.strip() and path.suffix.lower() not in COMPRESSED:
        return InputError(path, found="an empty file", expected="a log that `runreport formats` lists")
    return InputError(
        path,
        found="not a file that can be read here",
        expected="a history CSV, predictions_<run>.csv, or another log that `runreport formats` lists",
        remedy="name the reader with --reader NAME, or save the log as CSV",
    )
