"""YAML histories: the shapes of the JSON ones, read as plain values."""

from __future__ import annotations

import math
import re
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.columns import MEASURED, plain
from runreport.ingest.documents import split_of
from runreport.ingest.json_shapes import EXPECTED
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.readers.json_history import runs_of_document
from runreport.ingest.scalars import load_yaml
from runreport.run import Run

ENDINGS = (".yaml", ".yml")
MAX_BYTES = 8 * 1024**2
"""Largest YAML read as a history: ten columns of 30,000 epochs, in a second or two."""
MOST_VALUES = 2_000_000
"""Values of a document with its aliases unfolded."""
MOST_WHOLE = 10**19
"""Whole numbers beyond it are infinite, so that no later arithmetic overflows, as in JSON."""
KEY = re.compile(r"^([ \t]{0,40}(?:- )?)([\"']?)([\w /.²^()-]{1,120})\2:[ \t]*(\[|$|[-+.\dn])", re.MULTILINE)
"""A key, and whether a list, a block or a number follows it."""
ITEM = re.compile(r"\s*- *[-+.\dn\"']")


def claim(path: Path, head: Head) -> Claim | None:
    """A YAML in which a figure that reports know has a list of numbers, or stands in a list of rows."""
    if path.suffix.lower() not in ENDINGS:
        return None
    text = head.text
    rows = False
    for match in KEY.finditer(text):
        key, begins = plain(match[3]), match[4]
        rows = rows or "- " in match[1]
        if not _measured(key):
            continue
        listed = begins == "[" or (begins == "" and ITEM.match(text, match.end()) is not None)
        if listed or (rows and begins):
            return Claim(root=path, run=path.stem, kind="history")
    return None


def _measured(key: str) -> bool:
    words = key.split("_")
    endings = {"_".join(words[i:]) for i in range(len(words))}
    return bool(endings & MEASURED) or (split_of(words[0]) is not None and "_".join(words[1:]) in MEASURED)


def read(source: Source, options: ReadOptions) -> list[Run]:
    """Its runs: one, or one a key where the document holds several.

    Raises
    ------
    InputError
        No YAML of plain values, or no history in it.
    """
    (path,) = source.files.values()
    document = _plain(path, load_yaml(path, EXPECTED, MAX_BYTES), [MOST_VALUES])
    if isinstance(document, dict):
        document = _without_common_prefix(document)
    return runs_of_document(source, path, document, options)


def _plain(path: Path, value: object, budget: list[int]) -> object:
    """A copy with text for keys: aliases unfold, as far as a history could."""
    budget[0] -= 1
    if budget[0] < 0:
        raise InputError(path, found=f"YAML that unfolds to more than {MOST_VALUES} values", expected=EXPECTED)
    if isinstance(value, dict):
        return {str(key): _plain(path, inner, budget) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(path, inner, budget) for inner in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return value if abs(value) < MOST_WHOLE else (math.inf if value > 0 else -math.inf)
    return value


def _without_common_prefix(document: dict[str, object]) -> dict[str, object]:
    """Keys without what all keys of lists begin with (``model_eval_loss``, ``model_epoch``): the model's name."""
    keys = [str(k) for k, v in document.items() if isinstance(v, list)]
    if len(keys) < 2 or any(plain(k) in MEASURED for k in keys):
        return document
    words = [key.split("_") for key in keys]
    count = 0
    while all(len(w) > count + 1 and w[count] == words[0][count] for w in words):
        count += 1
    prefix = "_".join(words[0][:count]) + "_"
    if not count or split_of(words[0][0]) is not None:
        return document
    return {str(k).removeprefix(prefix): v for k, v in document.items()}


READER = Reader(
    name="yaml",
    reads="YAML histories: {column: [values]}, lists of rows, rows by epoch (.yaml, .yml)",
    claim=claim,
    read=read,
)
