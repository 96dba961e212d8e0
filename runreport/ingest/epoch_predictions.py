"""Whether a file of per-epoch predictions can be used, before anything is computed from it."""

from __future__ import annotations

from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.parquet_probe import check_survivable

NEEDED = ("epoch", "y_true", "y_pred")


def check_epoch_predictions(path: Path) -> None:
    """That the file is Parquet to its last page and holds rows of ``epoch, y_true, y_pred``, all numbers.

    Reads the three columns once, streaming: the footer alone says nothing of a page that was cut or overwritten, and an
    error in the middle of an analysis would take the other runs with it.

    Raises
    ------
    InputError
        Not Parquet, a missing or text column, no rows, or a row without an epoch.
    """
    import polars as pl

    check_survivable(path)
    try:
        scan = pl.scan_parquet(path, glob=False)
        schema = scan.collect_schema()
        for name in NEEDED:
            if name not in schema:
                raise InputError(
                    path, found=f"no column {name!r} among {', '.join(schema)}", expected="epoch, y_true and y_pred"
                )
            if not schema[name].is_numeric():
                raise InputError(path, found=f"column {name!r} of type {schema[name]}", expected="numbers")
        epoch = pl.col("epoch").cast(pl.Float64)
        counted = scan.select(
            pl.len().alias("rows"),
            (~epoch.is_finite().fill_null(False)).sum().alias("without"),
            *(pl.col(name).cast(pl.Float64).max().alias(f"largest_{name}") for name in NEEDED[1:]),
        ).collect(engine="streaming")
    except (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError) as error:
        why = (str(error).splitlines() or ["damaged"])[0][:80]
        raise InputError(path, found=f"cannot be read as parquet ({why})", expected="a parquet file") from None
    if counted["rows"].item() == 0:
        raise InputError(path, found="no rows", expected="a row for each epoch and sample")
    if counted["without"].item() > 0:
        raise InputError(
            path, found=f"{counted['without'].item()} rows without an epoch", expected="an epoch in every row"
        )
