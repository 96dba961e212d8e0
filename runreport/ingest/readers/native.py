"""The artifacts that ``training`` and ``RunLogger`` leave: ``<run>.csv`` and what lies beside it."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from runreport.ingest.compressed import ENDINGS as COMPRESSED
from runreport.ingest.native import read_native
from runreport.ingest.reader import Claim, Head, Reader, Source

PREFIXES = (
    ("epoch_predictions_", (".parquet",), "epoch_predictions"),
    ("predictions_", (".csv", ".tsv"), "predictions"),
    ("metrics_", (".json",), "metrics"),
    ("", (".csv", ".tsv"), "history"),
)
"""File-name prefix, endings, and what such a file is; the first that matches counts."""
OWN_COLUMNS = frozenset({"epoch", "val_loss", "r2", "variance_ratio"})
"""Columns that together no other logger writes."""


def classify(path: Path) -> tuple[str, str] | None:
    """(kind, run name) of a file by its name, or None where it is none of ours.

    >>> classify(Path("logs/predictions_run4.csv")), classify(Path("run4.csv")), classify(Path("notes.txt"))
    (('predictions', 'run4'), ('history', 'run4'), None)
    """
    for prefix, endings, kind in PREFIXES:
        for ending in endings:
            if path.name.startswith(prefix) and path.name.endswith(ending):
                name = path.name[len(prefix) : -len(ending)]
                if name:
                    return kind, name
    return None


def claim(path: Path, head: Head) -> Claim | None:
    """A file by its prefix; a table with no prefix where one with a prefix lies beside it, or where its header is ours."""
    found = classify(path)
    if found is None:
        return None
    kind, name = found
    if kind == "history" and not {c.strip(' "') for c in head.line.split(",")} >= OWN_COLUMNS:
        beside = (path.parent / f"{p}{name}{end}" for p, ends, _ in PREFIXES if p for end in ends)
        if not any(file.is_file() for file in beside):
            return None
    return Claim(root=path.parent, run=name, kind=kind)


def complete(source: Source) -> Source:
    """The artifacts of one run beside a file of it; that file itself goes before another of its kind."""
    files = {}
    root = str(source.root)
    for prefix, endings, kind in reversed(PREFIXES):
        there = source.files.get(kind)
        if there is None:
            names = (f"{prefix}{source.name}{ending}{c}" for c in ("", *COMPRESSED) for ending in endings)
            # Text, not paths: a dozen names are looked up for each log of a folder, and hardly one is there.
            found = next((name for name in names if os.path.isfile(os.path.join(root, name))), None)  # noqa: PTH113, PTH118
            there = source.root / found if found is not None else None
        if there is not None:
            files[kind] = there
    return replace(source, files=files)


READER = Reader(
    name="native",
    reads="<run>.csv (a row an epoch), predictions_<run>.csv, metrics_<run>.json, epoch_predictions_<run>.parquet",
    claim=claim,
    read=read_native,
    complete=complete,
)
