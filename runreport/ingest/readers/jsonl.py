"""JSON lines: an object a line, as loops, mmengine and many loggers write them."""

from __future__ import annotations

from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.columns import plain
from runreport.ingest.documents import (
    Row,
    final_figures,
    flat,
    measures,
    parse_json,
    row_of,
    rows_to_columns,
)
from runreport.ingest.history import histories_of_columns
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.runs import runs_of_parts
from runreport.ingest.table import read_text
from runreport.run import Note, Run
from runreport.wording import plural

ENDINGS = (".jsonl", ".ndjson")
MAYBE = (".json", ".log", ".txt")
"""Endings under which others write JSON lines too."""
LOOKED_AT = 50
"""Lines looked at to tell whether a file is one of these: settings and system facts may stand before the first figures."""
MOST_DAMAGED = 0.1
"""Share of lines that may be no JSON: a resumed run leaves a line cut off in the middle; a file with more is another format."""
EXPECTED = "a JSON object a line"


def claim(path: Path, head: Head) -> Claim | None:
    """By its ending, or where the first lines are objects; in both cases one must have a figure that reports know."""
    ending = path.suffix.lower()
    if ending not in (*ENDINGS, *MAYBE):
        return None
    lines = [line for line in head.text.splitlines()[:LOOKED_AT] if line.strip()]
    objects = [o for line in lines if (o := _object(line)) is not None]
    if ending in MAYBE and (len(objects) < 2 or len(objects) < len(lines) - 1):
        return None
    if not any(measures(name) for o in objects for name in row_of(o)):
        return None
    return Claim(root=path, run=path.name.removesuffix(path.suffix).removesuffix(".log"), kind="history")


def _object(line: str) -> dict[str, object] | None:
    """The object on a line, None where it is something else or cut off."""
    if not line.lstrip().startswith("{"):
        return None
    try:
        value = parse_json(line)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def read(source: Source, options: ReadOptions) -> list[Run]:
    """Its runs: one, or several where the epochs start again.

    Raises
    ------
    InputError
        No objects with figures, or more lines that are none than a crash explains.
    """
    (path,) = source.files.values()
    rows: list[Row] = []
    config: dict[str, object] = {}
    damaged: list[int] = []
    text = read_text(path)
    lines = text.split("\n")
    last = max((i for i, line in enumerate(lines, start=1) if line.strip()), default=0)
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        found = _object(line)
        if found is None:
            damaged.append(number)
            continue
        row = row_of(found)
        if any(measures(name) for name in row) or not _is_settings(found, rows):
            rows.append(row)
        else:
            config |= _settings(found)
    if not rows or len(damaged) > max(1, MOST_DAMAGED * len(rows)):
        where = f"no JSON object on line {damaged[0]}" if damaged else "no rows"
        raise InputError(path, found=where, expected=EXPECTED)
    notes = []
    if damaged and damaged[-1] == last:
        damaged.pop()
        notes.append(Note(code="log.truncated", message=f"the last line (line {last}) is cut off and was left out"))
    if damaged:
        shown = ", ".join(map(str, damaged[:5])) + (", ..." if len(damaged) > 5 else "")
        message = f"{plural(len(damaged), 'line')} cut off or damaged and left out (line {shown})"
        notes.append(Note(code="log.truncated", message=message))
    table = rows_to_columns(path, rows)
    summary = final_figures(path, table.test)
    parts = histories_of_columns(path, table.columns, options.columns, notes=[*notes, *table.notes])
    return runs_of_parts(
        source, parts, config=config, summary={**summary, "split": "test"} if summary else {},
        split="test" if summary else None,
    )  # fmt: skip


def _is_settings(found: dict[str, object], rows: list[Row]) -> bool:
    """Whether this object says how the run was set up: it stands before every row and numbers no epoch."""
    return not rows and not any(plain(name) in ("epoch", "step", "iter", "test_loss") for name, _ in flat(found))


def _settings(found: dict[str, object]) -> dict[str, object]:
    from runreport.ingest.scalars import flat as settings_of

    return settings_of(found)


READER = Reader(name="jsonl", reads="JSON lines: an object a line (.jsonl, .ndjson, .log.json)", claim=claim, read=read)
