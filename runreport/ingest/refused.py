"""Files that no reader takes: what they are, and what to do instead."""

from __future__ import annotations

import re
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.compressed import ENDINGS as COMPRESSED
from runreport.ingest.compressed import plain_path
from runreport.ingest.reader import Head
from runreport.ingest.table import LFS_POINTER, is_number
from runreport.marks import clean

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
KINDS = (
    (b"PK\x03\x04", "a ZIP file or an Excel workbook"), (b"\xd0\xcf\x11\xe0", "an old Excel workbook"),
    (b"\x89HDF", "an HDF5 file"), (b"MATLAB 5.0", "a MATLAB file"), (b"ARROW1", "an Arrow file"), (b"FEA1", "a Feather file"),
    (b"%PDF", "a PDF"), (b"\x89PNG", "a picture"), (b"\xff\xd8\xff", "a picture"), (b"GIF8", "a picture"),
    (b"BZh", "a bzip2 file"), (b"\xfd7zXZ", "an xz file"), (b"SQLite format 3", "an SQLite database of no logger that is known"),
    (b"PAR1", "Parquet that is neither named epoch_predictions_<run>.parquet nor after predictions"),
)  # fmt: skip
"""First bytes of a file -> what it is."""
JSON_TEXT = re.compile(r"\{|\[\s{0,40}(?:[\[{\"\]]|[-+]?\d[\d.eE+-]{0,30}\s{0,40},)")
"""How JSON begins, and lines of a log in brackets (``[3/50] loss``, ``[ Info:``) do not."""
LOOKED_AT, LONGEST = 50, 5_000
"""Lines looked at to tell what a text is, and the characters of one that may be a row of numbers."""
KEY = re.compile(r'"([^"\\\n]{1,120})"\s{0,40}:')


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
    kind = next((what for begins, what in KINDS if head.bytes.startswith(begins)), None)
    if kind is not None:
        return InputError(
            path, found=f"{kind}, which is not read", expected="a log that `runreport formats` lists",
            remedy="save the table or the history as CSV",
        )  # fmt: skip
    found = _contents(path, head)
    return InputError(
        path,
        found=found,
        expected="a history CSV, predictions_<run>.csv, or another log that `runreport formats` lists",
        remedy=_what_to_do(found),
    )


def _contents(path: Path, head: Head) -> str:
    """What a file holds that no reader knows, in a few words."""
    text = head.text.lstrip()
    if "\x00" in text[:2000]:
        return "binary data of a format that is not known here"
    if text.startswith(("{", "[")) and (path.suffix.lower() == ".json" or JSON_TEXT.match(text)):
        keys = list(dict.fromkeys(clean(key)[:40] for key in KEY.findall(text)))
        shown = ", ".join(keys[:8]) + (", ..." if len(keys) > 8 else "")
        return f"JSON without a list of losses or scores ({shown})" if keys else "JSON without names"
    if path.suffix.lower() in (".yaml", ".yml"):
        return "YAML without a list of losses or scores"
    if plain_path(path).suffix.lower() not in (*LOGS, "", ".md"):
        return f"a file whose ending ({path.suffix}) no reader goes by"
    if path.suffix.lower() == ".md":
        return "prose, not a log"
    lines = [line for line in text.splitlines()[:LOOKED_AT] if line.strip()]
    if lines and all(map(_is_numbers, lines)):
        shown = clean(lines[0])[:40].strip()
        return f"numbers without a line of names above them ({shown}): what they measure, nothing says"
    from runreport.ingest.printed_epochs import collect, lines_of

    names = list(dict.fromkeys(name for record in collect(lines_of(head.text)).records for name in record.figures))
    if names:
        shown = ", ".join(clean(name)[:40] for name in names[:5]) + (", ..." if len(names) > 5 else "")
        return f"epochs or steps whose figures have names that are not known here ({shown})"
    return "text in which no line names an epoch, a step or a round with a figure"


def _is_numbers(line: str) -> bool:
    cells = line.replace(",", " ").replace(";", " ").split()
    return bool(cells) and len(line) < LONGEST and all(map(is_number, cells))


def _what_to_do(found: str) -> str:
    """The way out that goes with what was found."""
    if found.startswith("epochs or steps"):
        return "say which is which with --reader printed --column val_loss=NAME"
    if found.startswith("numbers without"):
        return "write the names of the columns in the first line, such as epoch,train_loss,val_loss"
    return "name the reader with --reader NAME, or save the log as CSV"
