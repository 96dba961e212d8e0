"""Keras' CSVLogger, and ``pandas.DataFrame(history.history).to_csv(...)``."""

from __future__ import annotations

from pathlib import Path

from runreport.ingest.history import INDEXES
from runreport.ingest.reader import Claim, Head, Reader
from runreport.ingest.tables import ENDINGS, header_of, read_others_table

BESIDE = frozenset(("epoch", "lr", "learning_rate", *INDEXES))
"""Columns of a Keras log that have no twin of validation."""


def claim(path: Path, head: Head) -> Claim | None:
    """A table with ``loss``, and with nothing but figures that each have a ``val_`` twin, the epoch and the rate."""
    if path.suffix.lower() not in ENDINGS:
        return None
    names = set(header_of(head)) - BESIDE
    bare = {name for name in names if not name.startswith("val_")}
    held_out = {name.removeprefix("val_") for name in names if name.startswith("val_")}
    if "loss" not in bare or (held_out and held_out != bare) or (not held_out and not _bare_keras(head)):
        return None
    return Claim(root=path.parent, run=path.name[: -len(path.suffix)] or path.name, kind="history")


def _bare_keras(head: Head) -> bool:
    """A log without validation: CSVLogger begins with the epoch and sorts the rest."""
    first, *rest = header_of(head) or ("",)
    return first == "epoch" and len(rest) > 1 and rest == sorted(rest)


READER = Reader(
    name="keras-csv",
    reads="Keras' CSVLogger, and a History saved with pandas: loss, val_loss, mae, val_mae, ...",
    claim=claim,
    read=read_others_table,
)
