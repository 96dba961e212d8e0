"""JSON histories: ``{column: [values]}``, lists of rows, Keras ``History`` dumps, nested splits, pandas' ``to_json``."""

from __future__ import annotations

import re
from pathlib import Path

from runreport.ingest.columns import MEASURED, plain
from runreport.ingest.documents import final_figures, measures, read_json, split_of
from runreport.ingest.history import histories_of_columns
from runreport.ingest.json_shapes import EPOCH_KEY, EXPECTED, STEPPED, WRAPPERS, dumps, series_of
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.runs import runs_of_parts
from runreport.ingest.series import runs_of_series
from runreport.ingest.tables import is_measured
from runreport.run import Run

KEY = re.compile(r'"([^"\\\n]{1,120})"\s{0,40}:\s{0,40}(\[\s{0,40}(?=[-\d.N"n])|\[|\{|"?[-+]?\d|"?NaN|null)')
"""A key and how its value begins; every part is bounded, so any text is gone through in one pass."""
TRAIN_FIGURES = re.compile(r'"train"\s{0,40}:\s{0,40}\[\s{0,40}-?\d{1,15}\.\d', re.IGNORECASE)
NATIVE = "metrics_"
"""Files that begin so are the final figures of the native format."""


def claim(path: Path, head: Head) -> Claim | None:
    """A ``.json`` in whose beginning a figure that reports know has a list of numbers, or stands in a list of rows."""
    if path.suffix.lower() != ".json" or path.name.startswith(NATIVE):
        return None
    text = head.text.lstrip()
    if not text.startswith(("{", "[")) or not (_is_history(text) or _is_series(text)):
        return None
    return Claim(root=path, run=path.stem, kind="history")


def _is_history(text: str) -> bool:
    """Whether the keys of this text are those of a history."""
    keyed = rows = text.startswith("[")
    for match in KEY.finditer(text):
        key, begins = plain(match[1]), match[2]
        opens = begins.startswith("[") or begins == "{"
        if EPOCH_KEY.fullmatch(match[1]) or (key in WRAPPERS and begins == "["):
            keyed = True  # rows by epoch, or a list of rows
        measured = measures(match[1]) or _without_split(key) in MEASURED
        if measured and (begins.startswith("[") or (not opens and (rows or keyed)) or _by_index(text, match.end())):
            return True
    return False


def _is_series(text: str) -> bool:
    """Whether metrics by name have lists of their own steps and values, or those of two splits bear no other name.

    A split of a data set lists whole numbers or names under the same words: figures have a point.
    """
    keys = [(plain(match[1]), match[2]) for match in KEY.finditer(text)]
    listed = {key for key, begins in keys if begins.startswith("[")}
    if any(listed.issuperset(pair) for pair in STEPPED):
        return any(begins == "{" and (is_measured(key) or key in MEASURED) for key, begins in keys)
    return TRAIN_FIGURES.search(text) is not None and bool(listed & {"val", "valid", "validation"})


def _without_split(key: str) -> str:
    head, _, rest = key.partition("_")
    return rest if split_of(head) else key


def _by_index(text: str, start: int) -> bool:
    """Whether the object that begins here has row numbers as keys, as pandas writes a column."""
    return (
        text[start - 1 : start] == "{"
        and re.match(r'\s{0,40}"\d{1,9}"\s{0,40}:', text[start : start + 100]) is not None
    )


def read(source: Source, options: ReadOptions) -> list[Run]:
    """Its runs: one, or one a key where the document holds several.

    Raises
    ------
    InputError
        No JSON, or no history in it.
    """
    (path,) = source.files.values()
    return runs_of_document(source, path, read_json(path, EXPECTED), options)


def runs_of_document(source: Source, path: Path, document: object, options: ReadOptions) -> list[Run]:
    """The runs of a document of plain lists, objects, numbers and text.

    Raises
    ------
    InputError
        No history in it.
    """
    if any(map(is_measured, map(plain, series := series_of(document)))):
        return runs_of_series(source, path, series, options.columns)
    found = dumps(path, document)
    runs: list[Run] = []
    for dump in found:
        name = source.name if len(found) == 1 else f"{source.name}[{dump.label}]"
        of_run = Source(reader=source.reader, name=name, root=source.root, files=source.files)
        parts = histories_of_columns(path, dump.columns, options.columns, notes=dump.notes)
        summary = final_figures(path, dump.test)
        runs += runs_of_parts(
            of_run, parts, config=dump.config, summary={**summary, "split": "test"} if summary else {},
            split="test" if summary else None,
        )  # fmt: skip
    return runs


READER = Reader(
    name="json",
    reads="JSON histories: {column: [values]}, lists of rows, Keras History dumps, nested splits",
    claim=claim,
    read=read,
)
