"""Metrics of every epoch of a predictions file, read once, in memory that does not depend on its length.

polars decodes the file in its streaming engine and hands over batches in order. Predictions are written epoch by epoch,
so a batch holds few, long runs of equal keys; their moments are taken in numpy, block by block, and merged. Batches in
which keys alternate go through the polars expressions instead: slower, same result.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from runreport.errors import InputError
from runreport.metrics.blocks import BLOCK_ROWS, BlockMoments
from runreport.metrics.expressions import (
    MOMENT_SCHEMA,
    MOMENTS,
    PRED,
    TRUE,
    column_tolerances,
    metrics_from_moments,
    moments_by,
)
from runreport.metrics.merging import merge_moments

# Batches of a fixed size, whatever the row groups and however many threads decode them, make the blocks, and so the
# last digits of the result, a property of the file alone. Eight blocks: 4 MiB of float64 pairs in flight a batch.
BATCH_ROWS = 8 * BLOCK_ROWS

# Below this mean length of a run of equal keys, numpy's fixed cost a run exceeds what polars takes to group the rows.
# Measured, in ns a row, numpy against polars: 330 and 150 at 256 rows, 100 and 85 at 1,024, 70 and 110 at 2,048.
MIN_RUN_ROWS = 1_024

# Moments are merged whenever this many parts have piled up (15 float64 each: 8 MiB), so that they stay few however long
# the file.
MAX_PARTS = 65_536

# What loggers write for a missing number in a CSV cell, beside the empty cell and NaN in any case.
CSV_NULLS = ("NA", "N/A", "None", "null", "NULL")


def epoch_metrics(path: Path, by: Sequence[str] = ("epoch",), *, true: str = TRUE, pred: str = PRED) -> pl.DataFrame:
    """One row of metrics for every distinct value of the columns `by` in a file of predictions, sorted by them.

    `path`: a .parquet file, a .csv or a .tsv (header row, numbers as text; cells that are empty, NaN, NA or None are
    missing). `true` and `pred` name the columns of true and predicted values, in target units. Columns, definitions and
    nulls of the result are those of `runreport.metrics.expressions.metrics_by`, whose values it equals but for the last
    digits. The same file gives the same bytes, on any number of threads.

    Memory: a few batches and one row of moments a group; it does not grow with the rows of a group.
    Raises InputError where the file cannot be read or lacks a column, ValueError for an empty `by`.
    """
    keys = list(by)
    if not keys:
        raise ValueError("epoch_metrics needs at least one column to group by")
    found = table_moments(_scan(path, [true, pred]), keys, where=path, true=true, pred=pred)
    lazy = metrics_from_moments(
        found.moments.lazy(), keys, true_tolerance=found.true_tolerance, pred_tolerance=found.pred_tolerance
    )
    return lazy.sort(keys).collect()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableMoments:
    """One row of `MOMENTS` a group, after the columns that name it, in order of first appearance.

    The tolerances are `constant_tolerance` of the two source columns: what `metrics_from_moments` needs beside them.
    """

    moments: pl.DataFrame
    true_tolerance: float
    pred_tolerance: float


def table_moments(
    table: pl.LazyFrame, by: Sequence[str], *, where: str | Path, true: str = TRUE, pred: str = PRED
) -> TableMoments:
    """The moments of every distinct value of the columns `by` in a table of predictions, or in a part of one.

    `where` is the table's name in errors. Moments of several parts become those of the whole by `merge_moments`.
    Raises InputError where the table cannot be read or lacks a column.
    """
    keys = list(by)
    try:
        schema = table.collect_schema()
        missing = [name for name in (true, pred, *keys) if name not in schema]
        if missing:
            raise InputError(where, found=f"no column {missing[0]!r}", expected=f"it among {', '.join(schema.names())}")
        rows = table.select(*keys, pl.col(true).alias(TRUE), pl.col(pred).alias(PRED))
        true_tolerance, pred_tolerance = column_tolerances(rows.collect_schema(), keys)
        moments = _moments(rows.with_columns(_as_floats(rows, TRUE), _as_floats(rows, PRED)), keys)
    except (OSError, ValueError, pl.exceptions.PolarsError) as problem:
        detail = str(problem).strip().splitlines()[0] if str(problem).strip() else type(problem).__name__
        raise InputError(where, found=detail, expected="a readable table of predictions") from problem
    return TableMoments(moments=moments, true_tolerance=true_tolerance, pred_tolerance=pred_tolerance)


def _scan(path: Path, numbers: Sequence[str]) -> pl.LazyFrame:
    """The file as a lazy table. Where it is text, the columns `numbers` are read as Float64 rather than guessed at.

    Inference would take one "nan" for a column of words, and fail on a fraction after a hundred integers.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        return pl.scan_parquet(path, glob=False)
    if suffix not in {".csv", ".tsv"}:
        raise InputError(path, found=f"file type {suffix!r}", expected=".parquet, .csv or .tsv")
    floats: dict[str, pl.DataType] = dict.fromkeys(numbers, pl.Float64())
    separator = "\t" if suffix == ".tsv" else ","
    return pl.scan_csv(path, glob=False, separator=separator, null_values=list(CSV_NULLS), schema_overrides=floats)


def _moments(rows: pl.LazyFrame, keys: list[str]) -> pl.DataFrame:
    """The merged `MOMENTS` of every group, after the columns `keys`, in order of first appearance."""
    blocks = BlockMoments()
    merged = moments_by(rows.limit(0), keys).collect()
    owners: list[pl.DataFrame] = []
    moments: list[tuple[float | None, ...]] = []
    for batch in rows.collect_batches(chunk_size=BATCH_ROWS, maintain_order=True, engine="streaming"):
        batch_owners, batch_moments = _batch_moments(batch, keys, blocks)
        owners.append(batch_owners)
        moments.extend(batch_moments)
        # With more groups than parts allowed, merging at every batch would take quadratic time.
        if len(moments) > max(MAX_PARTS, 2 * merged.height):
            merged = _merged(merged, owners, moments, keys)
            owners, moments = [], []
    return _merged(merged, owners, moments, keys) if moments else merged


def _merged(
    earlier: pl.DataFrame, owners: list[pl.DataFrame], moments: list[tuple[float | None, ...]], keys: list[str]
) -> pl.DataFrame:
    parts = pl.concat(owners).hstack(pl.DataFrame(moments, schema=MOMENT_SCHEMA, orient="row"))
    return merge_moments(pl.concat([earlier, parts]).lazy(), keys).collect()


def _batch_moments(
    batch: pl.DataFrame, keys: list[str], blocks: BlockMoments
) -> tuple[pl.DataFrame, list[tuple[float | None, ...]]]:
    """The parts of one batch: their keys and, row by row, their `MOMENTS`. A group may have several parts."""
    starts = _run_starts(batch, keys)
    if batch.height < MIN_RUN_ROWS * len(starts):
        grouped = moments_by(batch.lazy(), keys).collect()
        return grouped.select(keys), grouped.select(MOMENTS).rows()
    true, pred = batch[TRUE], batch[PRED]
    moments: list[tuple[float | None, ...]] = []
    owners: list[int] = []
    for start, stop in zip(starts, [*starts[1:], batch.height], strict=True):
        for first in range(start, stop, BLOCK_ROWS):
            rows = min(BLOCK_ROWS, stop - first)
            # A batch is several chunks of memory where row groups meet: slicing first copies at most one block.
            moments.append(blocks.of_block(true.slice(first, rows).to_numpy(), pred.slice(first, rows).to_numpy()))
            owners.append(start)
    return pl.DataFrame([batch[key][owners] for key in keys]), moments


def _run_starts(batch: pl.DataFrame, keys: list[str]) -> list[int]:
    """Indices of the rows whose keys differ from those of the row before; the first row is always one."""
    starts = {0}
    for key in keys:
        column = batch[key]
        if column.null_count():
            # Its positions in the order of values, null included, are as good to compare.
            column = column.rank("dense").fill_null(0)
        # Plain vectors rather than expressions: a query, however small, queues behind the file's decoding.
        values = column.to_numpy() if column.dtype.is_integer() else None
        before, after = (column[:-1], column[1:]) if values is None else (values[:-1], values[1:])
        starts.update((np.flatnonzero(np.asarray(before != after)) + 1).tolist())
    return sorted(starts)


def _as_floats(rows: pl.LazyFrame, name: str) -> pl.Expr:
    """The column as Float32 or Float64 with NaN for null, which is what numpy can hold without a copy."""
    narrow = rows.collect_schema()[name] == pl.Float32
    return pl.col(name).cast(pl.Float32 if narrow else pl.Float64).fill_null(float("nan"))
