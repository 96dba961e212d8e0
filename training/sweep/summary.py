"""The table at the end of a sweep: what each setting came to, over its seeds."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from typing import Any

from training.sweep.plan import PlannedRun

SHOWN = (("r2", "R²"), ("pearson_r", "r"), ("variance_ratio", "variance ratio"), ("mae", "MAE"))
"""Keys of the metrics file that the table has, and what it calls them."""


def summary_table(runs: Sequence[PlannedRun], metrics: Mapping[str, Mapping[str, Any]]) -> str:
    """A row for each setting, in the order of the plan: mean ± standard deviation over seeds (ddof 1) of the test split.

    ``metrics`` holds the metrics of complete runs by name. The column ``runs`` counts them out of those planned; a number
    that is undefined in some of them is of the others, and says of how many in brackets.
    """
    settings: dict[str, list[PlannedRun]] = {}
    for run in runs:
        settings.setdefault(run.label, []).append(run)
    rows = [["setting", "runs", *(title for _, title in SHOWN)]]
    for label, planned in settings.items():
        done = [metrics[run.name] for run in planned if run.name in metrics]
        cells = [_cell([document[key] for document in done]) for key, _ in SHOWN]
        rows.append([label or "all", f"{len(done)}/{len(planned)}", *cells])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    )


def _cell(values: Sequence[float | None]) -> str:
    """Mean ± standard deviation.

    >>> _cell([0.5, 0.7, 0.6]), _cell([0.5]), _cell([]), _cell([0.5, None, 0.7])
    ('0.600 ± 0.100', '0.500', '–', '0.600 ± 0.141 (2)')
    """
    known = [value for value in values if value is not None]
    if not known:
        return "–"
    text = f"{statistics.fmean(known):.3f}"
    if len(known) > 1:
        text += f" ± {statistics.stdev(known):.3f}"
    return text if len(known) == len(values) else f"{text} ({len(known)})"
