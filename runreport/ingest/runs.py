"""From the parts of a history to runs: what readers of other people's formats share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from runreport.ingest.history import HistoryPart
from runreport.ingest.reader import Source
from runreport.run import Note, Run


def runs_of_parts(
    source: Source,
    parts: Sequence[HistoryPart],
    *,
    config: Mapping[str, object] | None = None,
    summary: Mapping[str, object] | None = None,
    split: str | None = None,
    notes: Sequence[Note] = (),
) -> list[Run]:
    """A run a part, named after the source; ``config``, ``summary`` and ``notes`` belong to the last one.

    Final figures are those of what ran last: a file that was appended to says nothing about the runs before.
    """
    runs = []
    for number, (history, read_as, part_notes) in enumerate(parts, start=1):
        last = number == len(parts)
        runs.append(
            Run(
                name=source.name if len(parts) == 1 else f"{source.name}-part{number}",
                format=source.reader,
                files=source.files,
                history=history,
                split=split if last else None,
                summary=(summary or {}) if last else {},
                config=(config or {}) if last else {},
                columns_read={known: theirs for known, theirs in read_as.items() if known != theirs},
                notes=(*part_notes, *(notes if last else ())),
            )
        )
    return runs
