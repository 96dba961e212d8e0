"""XGBoost and LightGBM: ``evals_result`` dumped as JSON, ``{set: {metric: [..]}}``, and the results of their ``cv``."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.boosting import Named, Values, is_metric, resolve, set_and_metric
from runreport.ingest.documents import number_of, read_json
from runreport.ingest.history import histories_of_columns
from runreport.ingest.reader import Claim, Head, Reader, ReadOptions, Source
from runreport.ingest.runs import runs_of_parts
from runreport.marks import clean
from runreport.run import Run

OPENING = re.compile(
    r'\{\s{0,20}"([^"\\\n]{1,120})"\s{0,20}:\s{0,20}(?:\{\s{0,20}"([^"\\\n]{1,60})"\s{0,20}:\s{0,20})?\['
)
"""How a dump begins: a set, a metric of it, a list; or a list at once, as cross-validation's results do."""
MOST_SERIES = 200
"""Sets × metrics of one dump: a person evaluates a handful."""
EXPECTED = "{set: {metric: [a number a round]}}"


def claim(path: Path, head: Head) -> Claim | None:
    """A ``.json`` that opens with a list under a set and one of the libraries' metrics."""
    if path.suffix.lower() != ".json":
        return None
    opening = OPENING.match(head.text.lstrip("\ufeff \t\r\n"))
    if opening is None:
        return None
    outer, inner = opening.groups()
    if not (is_metric(inner) if inner is not None else _is_cv(outer)):
        return None
    return Claim(root=path, run=path.stem, kind="history")


def _is_cv(name: str) -> bool:
    return name.endswith(("-mean", "-stdv", "-std")) and set_and_metric(name) is not None


def read(source: Source, options: ReadOptions) -> list[Run]:
    """One run; boosting rounds number its epochs.

    Raises
    ------
    InputError
        No such dump, lists of unequal lengths, or several sets that could be validation.
    """
    (path,) = source.files.values()
    series = _series(path, read_json(path, EXPECTED))
    lengths = {len(values) for values in series.values()}
    if len(lengths) > 1:
        raise InputError(path, found=f"lists of {min(lengths)} and of {max(lengths)} rounds", expected="one length")
    resolved = resolve(path, series, options.columns)
    parts = histories_of_columns(path, resolved.columns, resolved.given, notes=resolved.notes)
    return runs_of_parts(source, parts)


def _series(path: Path, document: object) -> dict[Named, Values]:
    if not isinstance(document, dict):
        raise InputError(path, found="no JSON object", expected=EXPECTED)
    series: dict[Named, Values] = {}
    for name, value in document.items():
        by_metric: Mapping[str, object] = value if isinstance(value, dict) else {name: value}
        for metric, values in by_metric.items():
            named = (clean(name)[:120], clean(metric)[:60]) if isinstance(value, dict) else set_and_metric(clean(name))
            if named is None or not isinstance(values, list) or len(series) >= MOST_SERIES:
                raise InputError(path, found=f"{clean(metric)[:40]!r}, which is no list of a metric", expected=EXPECTED)
            numbers = [number_of(v) for v in values]
            if any(n is None and v is not None for n, v in zip(numbers, values, strict=True)):
                raise InputError(
                    path, found=f"something else than numbers in {clean(metric)[:40]!r}", expected=EXPECTED
                )
            series[named] = numbers
    return series


READER = Reader(
    name="boosting",
    reads="XGBoost and LightGBM: evals_result and cv results dumped as JSON",
    claim=claim,
    read=read,
)
