"""fastai's CSVLogger: ``history.csv`` with a time as minutes and seconds, and a header for each fit."""

from __future__ import annotations

from pathlib import Path

from runreport.ingest.reader import Claim, Head, Reader
from runreport.ingest.tables import ENDINGS, folder_name, header_of, read_others_table

BEGINS, ENDS = ("epoch", "train_loss", "valid_loss"), "time"
"""How every header of fastai begins and ends; its metrics, which are of validation, stand between."""
USUAL = "history"
"""What fastai calls the file where nobody says otherwise: the folder then tells whose it is."""


def claim(path: Path, head: Head) -> Claim | None:
    """A table with fastai's header."""
    names = header_of(head)
    if path.suffix.lower() not in ENDINGS or names[:3] != BEGINS or names[-1] != ENDS:
        return None
    return Claim(root=path.parent, run=folder_name(path.parent) if path.stem == USUAL else path.stem, kind="history")


READER = Reader(name="fastai", reads="fastai's CSVLogger: history.csv", claim=claim, read=read_others_table)
