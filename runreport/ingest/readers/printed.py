"""Printed logs: what a training loop wrote to the terminal, whatever loop it was, as long as epochs or steps are named."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import permutations
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.boosting import Named, resolve, set_and_metric
from runreport.ingest.columns import KNOWN, MEASURED, plain, usual_name
from runreport.ingest.documents import MOST_CELLS, MOST_COLUMNS, final_figures, split_of
from runreport.ingest.history import HistoryPart, histories_of_columns
from runreport.ingest.printed_epochs import Record, collect, final_test, finished, lines_of
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.runs import runs_of_parts
from runreport.ingest.table import read_bytes
from runreport.run import Note, Run

ENDINGS = frozenset((".log", ".txt", ".out", ".stdout", ".stderr", ".err", ".console", ""))
MAX_PRINTED_BYTES = 256 * 1024**2
"""Largest printed log read: a progress bar over thousands of epochs writes tens of MiB."""
MOST_CONTROL = 0.1
"""Share of control characters from which a file is binary and no text: colours and bars use well under one in ten."""
BINARY = re.compile(r"[\x00-\x06\x0e-\x1a\x1c-\x1f\ufffd]")
CLOSE = 0.05
"""Relative difference up to which one value may be another one rounded: half a unit of the second digit, the fewest that
losses are printed with."""
EXPECTED = "lines such as `Epoch 3/50 | Train Loss: 0.1 | Val Loss: 0.2`"


def claim(path: Path, head: Head) -> Claim | None:
    """A text file with an epoch and a figure that reports know in its beginning."""
    if path.suffix.lower() not in ENDINGS or BINARY.search(head.text[:1000].replace("\x00", "\x01")):
        return None
    log = collect(lines_of(head.text))
    if not log.tells and not log.has_bare_splits:
        return None
    return Claim(root=path, run=path.stem, kind="history")


def read(source: Source, options: ReadOptions) -> list[Run]:
    """Its runs: one, or several where the epochs start again.

    Raises
    ------
    InputError
        Binary data, no line with an epoch and a figure, or no figure that is known.
    """
    (path,) = source.files.values()
    log = collect(lines_of(_text(path)))
    notes: list[Note] = []
    records = finished(log, notes)
    if not records:
        raise InputError(path, found="no line with an epoch and a figure", expected=EXPECTED)
    test = final_test(log, records)
    if log.boosting:
        parts = _boosting(path, records, options, notes)
    else:
        columns = _columns(path, records, notes)
        given = dict(options.columns)
        if "lr_0" in columns and "lr_1" not in columns and "learning_rate" not in given:
            given["learning_rate"] = "lr_0"  # chemprop numbers its rates, of which it mostly has one
        parts = histories_of_columns(path, columns, given, notes=notes)
    summary = final_figures(path, test)
    return runs_of_parts(
        source, parts, summary={**summary, "split": "test"} if summary else {}, split="test" if summary else None
    )


def _text(path: Path) -> str:
    """The file as text: UTF-8 with what is none replaced, or UTF-16 with a mark, as PowerShell redirects."""
    data = read_bytes(path, EXPECTED)
    if len(data) > MAX_PRINTED_BYTES:
        raise InputError(path, found=f"{len(data) / 1024**2:.0f} MiB of text", expected="at most 256 MiB")
    wide = data.startswith((b"\xff\xfe", b"\xfe\xff"))
    text = data.decode("utf-16" if wide else "utf-8-sig", errors="replace")
    if len(BINARY.findall(text)) > MOST_CONTROL * len(text):
        raise InputError(path, found="binary data", expected=EXPECTED)
    return text


def _columns(path: Path, records: list[Record], notes: list[Note]) -> dict[str, list[float | None]]:
    """Records → columns, the axis first."""
    names = list(dict.fromkeys(name for record in records for name in record.figures))
    plains = {plain(name): name for name in names}
    if "train_loss" in plains and "loss" in plains:
        # nanoGPT prints the loss of single batches between its evaluations, and the mean train loss at these.
        names.remove(plains["loss"])
        kept = [r for r in records if any(n in r.figures for n in names if plain(n) in MEASURED)]
        if len(kept) < len(records):
            records = kept
        message = f"{plains['loss']!r} beside {plains['train_loss']!r} is of single batches and was left out"
        notes.append(Note(code="unused", message=message))
    axis = "iteration" if all(r.word == "iter" for r in records) else records[0].axis
    names = [n for n in names if plain(n) != axis]
    if len(names) > MOST_COLUMNS or len(names) * len(records) > MOST_CELLS:
        raise InputError(path, found=f"{len(names)} different names before numbers", expected="a training log")
    columns: dict[str, list[float | None]] = {axis: [r.at for r in records]}
    return columns | _without_rounded({name: [r.figures.get(name) for r in records] for name in names}, notes)


def _without_rounded(columns: dict[str, list[float | None]], notes: list[Note]) -> dict[str, list[float | None]]:
    """The columns without those that are another one rounded, under another name for the same figure.

    GluonTS prints ``avg_epoch_loss=5.22`` on its bar and ``'epoch_loss'=5.223534`` below it.
    """
    known: dict[tuple[str, str | None], list[str]] = {}
    for name in columns:
        short = usual_name(name)
        if short in KNOWN:
            known.setdefault((KNOWN[short], split_of(short.split("_")[0])), []).append(name)
    left = dict(columns)
    for names in known.values():
        for rounded, exact in permutations(names, 2):
            if rounded in left and exact in left and _is_rounded(columns[rounded], columns[exact]):
                del left[rounded]
                message = f"{rounded!r} is {exact!r} with fewer digits and was left out"
                notes.append(Note(code="unused", message=message))
    return left


def _is_rounded(rounded: Sequence[float | None], exact: Sequence[float | None]) -> bool:
    """Whether the one is the other with fewer digits wherever both were printed, and never printed alone."""
    both = [(r, e) for r, e in zip(rounded, exact, strict=True) if r is not None and e is not None]
    alone = any(r is not None and e is None for r, e in zip(rounded, exact, strict=True))
    if not both or alone or [r for r, _ in both] == [e for _, e in both]:
        return False
    return all(
        r == e or (abs(r - e) <= 0.501 * 10.0 ** -_decimals(r) and abs(r - e) <= CLOSE * abs(e)) for r, e in both
    )


def _decimals(value: float) -> int:
    """Digits behind the point that a printed value had, zeros at its end left out."""
    if not math.isfinite(value):
        return 0
    exponent = Decimal(repr(value)).normalize().as_tuple().exponent
    return -exponent if isinstance(exponent, int) else 0


def _boosting(path: Path, records: list[Record], options: ReadOptions, notes: list[Note]) -> list[HistoryPart]:
    """The rounds of a boosting library."""
    series: dict[Named, list[float | None]] = {}
    for index, record in enumerate(records):
        for name, value in record.figures.items():
            named = set_and_metric(name)
            if named is not None:
                series.setdefault(named, [None] * len(records))[index] = value
    if len(series) > MOST_COLUMNS:
        raise InputError(path, found=f"{len(series)} different sets and metrics", expected="a training log")
    resolved = resolve(path, series, options.columns)
    columns = {"iteration": [r.at for r in records], **resolved.columns}
    return histories_of_columns(path, columns, resolved.given, notes=[*notes, *resolved.notes])


READER = Reader(
    name="printed",
    reads="printed logs: lines with an epoch, step or round and figures (.log, .txt, .out)",
    claim=claim,
    read=read,
)
