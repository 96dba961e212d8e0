"""Any other CSV or TSV with a row an epoch, whatever separates its cells."""

from __future__ import annotations

from pathlib import Path

from runreport.ingest.reader import Claim, Head, Reader
from runreport.ingest.refused import is_pointer
from runreport.ingest.tables import ENDINGS, EPOCHS, header_of, is_measured, read_others_table

PRINTED = (".txt", ".log", ".dat")
"""Endings under which a table needs both an epoch and a figure in its header: most such files are prose."""


def claim(path: Path, head: Head) -> Claim | None:
    """A table whose header has an epoch or a figure that is known; and one that cannot be read, which its reading says."""
    ending = path.suffix.lower()
    if ending not in (*ENDINGS, *PRINTED):
        return None
    header = header_of(head)
    axis, measured = any(name in EPOCHS for name in header), any(is_measured(name) for name in header)
    if ending in PRINTED:
        mine = axis and measured and len(header) > 1
    else:
        mine = axis or measured or (not head.bytes.strip() and not is_pointer(head.path))
    if not mine:
        return None
    return Claim(root=path.parent, run=path.name[: -len(path.suffix)] or path.name, kind="history")


READER = Reader(
    name="table",
    reads="any other CSV or TSV with a row an epoch and a column that is known, with any separator",
    claim=claim,
    read=read_others_table,
)
