"""Time and peak memory of per-epoch metrics over a large file of predictions, beside what a user would pick instead.

    python benchmarks/per_epoch_metrics.py                       # 30 M rows: 100 epochs of 300,000
    python benchmarks/per_epoch_metrics.py --rows 300000 --repeats 3 --out small.json

The data is generated in a temporary folder and removed afterwards. Every measurement is a process of its own, which
reports the seconds from after its imports to the finished table and its peak resident memory. The programs run one
after the other in each round, in alternating order, so that a slow minute of the machine hits them all; ratios are
medians of the rounds' own ratios to `scan and sum`. All programs must agree on R² to 1e-9.

The parent imports the standard library only: Linux passes a parent's peak memory on to its children.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BASELINE = "scan and sum"
OURS = "runreport"
AGREEMENT = 1e-9
SEED = 20241020


def scan_and_sum(path: Path) -> Callable[[], list[float]]:
    """What reading the same columns costs at all: polars' streaming engine, one sum each."""
    import polars as pl

    scan = pl.scan_parquet if path.suffix == ".parquet" else pl.scan_csv

    def work() -> list[float]:
        scan(path).select(pl.col("epoch", "y_true", "y_pred").sum()).collect(engine="streaming")
        return []

    return work


def ours(path: Path) -> Callable[[], list[float]]:
    from runreport.metrics.streaming import epoch_metrics

    return lambda: epoch_metrics(path)["r2"].to_list()


def plain_group_by(path: Path) -> Callable[[], list[float]]:
    """The same moments by polars' own aggregations: 8 digits at 1e9 ± 1, see runreport.metrics.expressions."""
    import polars as pl

    true, pred = pl.col("y_true").cast(pl.Float64), pl.col("y_pred").cast(pl.Float64)
    error = pred - true
    scan = pl.scan_parquet if path.suffix == ".parquet" else pl.scan_csv

    def work() -> list[float]:
        moments = [
            pl.len().alias("n"),
            true.mean().alias("tm"),
            pred.mean().alias("pm"),
            true.var(ddof=0).alias("tv"),
            pred.var(ddof=0).alias("pv"),
            error.mean().alias("em"),
            error.var(ddof=0).alias("ev"),
            error.abs().mean().alias("mae"),
            (error / true).abs().mean().alias("mape"),
            *(getattr(side, end)().alias(f"{end}{i}") for i, side in enumerate((true, pred)) for end in ("min", "max")),
        ]
        table = scan(path).group_by("epoch").agg(moments).sort("epoch").collect(engine="streaming")
        return table.select(1 - (pl.col("ev") + pl.col("em") ** 2) / pl.col("tv")).to_series().to_list()

    return work


def duckdb_sql(path: Path) -> Callable[[], list[float]]:
    import duckdb

    query = f"""
        SELECT epoch, count(*), avg(t), avg(p), var_pop(t) AS tv, var_pop(p), avg(p - t) AS em, var_pop(p - t) AS ev,
               corr(t, p), avg(abs(p - t)), avg(abs((p - t) / t)), min(t), max(t), min(p), max(p)
        FROM (SELECT epoch, y_true::DOUBLE AS t, y_pred::DOUBLE AS p FROM '{path}')
        GROUP BY epoch ORDER BY epoch"""

    def work() -> list[float]:
        rows = duckdb.connect().execute(query).fetchall()
        return [1 - (row[7] + row[6] ** 2) / row[4] for row in rows]

    return work


def pandas_and_sklearn(path: Path) -> Callable[[], list[float]]:
    import numpy as np
    import pandas as pd  # type: ignore[import-untyped]
    from sklearn.metrics import mean_absolute_error, mean_absolute_percentage_error, mean_squared_error, r2_score

    read = pd.read_parquet if path.suffix == ".parquet" else pd.read_csv

    def work() -> list[float]:
        found = []
        for _, group in read(path, columns=["epoch", "y_true", "y_pred"]).groupby("epoch"):
            true = group["y_true"].to_numpy(dtype=np.float64)
            pred = group["y_pred"].to_numpy(dtype=np.float64)
            error = pred - true
            mean_absolute_error(true, pred)
            mean_squared_error(true, pred)
            mean_absolute_percentage_error(true, pred)
            np.corrcoef(true, pred)
            for values in (true, pred, error):
                values.mean(), values.std(ddof=0), values.min(), values.max()
            found.append(float(r2_score(true, pred)))
        return found

    if path.suffix != ".parquet":
        read = lambda path, columns: pd.read_csv(path, usecols=columns)  # noqa: E731
    return work


PROGRAMS: dict[str, tuple[Callable[[Path], Callable[[], list[float]]], tuple[str, ...]]] = {
    BASELINE: (scan_and_sum, ("polars",)),
    OURS: (ours, ("polars", "numpy")),
    "polars group_by": (plain_group_by, ("polars",)),
    "DuckDB SQL": (duckdb_sql, ("duckdb",)),
    "pandas + scikit-learn": (pandas_and_sklearn, ("pandas", "sklearn", "pyarrow")),
}
"""Name → program, and the modules without which it is skipped."""


def generate(path: Path, epochs: int, rows: int, dtype: str) -> None:
    """Predictions of one fixed validation set over `epochs` epochs, `rows` rows each, a row group an epoch, zstd."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq
    from pyarrow import csv

    generator = np.random.default_rng(SEED)
    true = generator.normal(0.937, 0.4827, rows).astype(dtype)
    fields = [("epoch", pa.int32()), ("y_true", pa.from_numpy_dtype(dtype)), ("y_pred", pa.from_numpy_dtype(dtype))]
    schema = pa.schema(fields)
    parquet = path.suffix == ".parquet"
    with pq.ParquetWriter(path, schema, compression="zstd") if parquet else csv.CSVWriter(path, schema) as writer:
        for epoch in range(1, epochs + 1):
            pred = 0.808 + 0.02 * (true - 0.937) + 0.1 * generator.standard_normal(rows)
            arrays = [np.full(rows, epoch, np.int32), true, pred.astype(dtype)]
            writer.write_table(pa.table([pa.array(a) for a in arrays], schema=schema))


def run_child(*arguments: str) -> dict[str, Any]:
    command = [sys.executable, str(Path(__file__).resolve()), *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    result: dict[str, Any] = json.loads(done.stdout or "{}")
    return result


def child(name: str, path: Path) -> None:
    work = PROGRAMS[name][0](path)
    start = time.perf_counter()
    found = work()
    seconds = time.perf_counter() - start
    usage = resource.getrusage(resource.RUSAGE_SELF)
    cpu = usage.ru_utime + usage.ru_stime
    print(json.dumps({"seconds": seconds, "cpu_seconds": cpu, "peak_mib": usage.ru_maxrss / 1024, "r2": found}))


def available() -> list[str]:
    names = []
    for name, (_, modules) in PROGRAMS.items():
        missing = [module for module in modules if find_spec(module) is None]
        if missing:
            print(f"skipped: {name}, which needs {', '.join(missing)}", file=sys.stderr)
        else:
            names.append(name)
    return names


def measure(path: Path, names: list[str], repeats: int) -> dict[str, dict[str, float]]:
    """Medians per program over `repeats` rounds, after one unmeasured read that fills the page cache."""
    run_child("--child", BASELINE, str(path))
    rounds: list[dict[str, dict[str, Any]]] = []
    for index in range(repeats):
        order = names if index % 2 == 0 else names[::-1]
        rounds.append({name: run_child("--child", name, str(path)) for name in order})
    reference = rounds[0][OURS]["r2"]
    for name in names:
        for found, expected in zip(rounds[0][name]["r2"], reference, strict=False):
            if abs(found - expected) > AGREEMENT:
                raise SystemExit(f"{name} finds R² = {found}, {OURS} {expected}: not the same work, nothing to compare")
    medians = {}
    for name in names:
        medians[name] = {
            "seconds": statistics.median(one[name]["seconds"] for one in rounds),
            "cpu_seconds": statistics.median(one[name]["cpu_seconds"] for one in rounds),
            "peak_mib": statistics.median(one[name]["peak_mib"] for one in rounds),
            "times_baseline": statistics.median(one[name]["seconds"] / one[BASELINE]["seconds"] for one in rounds),
            "times_ours": statistics.median(one[name]["seconds"] / one[OURS]["seconds"] for one in rounds),
        }
    return medians


def table(title: str, medians: dict[str, dict[str, float]]) -> str:
    lines = [
        f"### {title}",
        "",
        f"| program | seconds | × {BASELINE} | × {OURS} | CPU seconds | peak MiB |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, row in medians.items():
        lines.append(
            f"| {name} | {row['seconds']:.3f} | {row['times_baseline']:.2f} | {row['times_ours']:.2f} "
            f"| {row['cpu_seconds']:.2f} | {row['peak_mib']:.0f} |"
        )
    return "\n".join([*lines, ""])


def machine() -> dict[str, Any]:
    versions: dict[str, str | None] = {}
    for package in ("polars", "numpy", "duckdb", "pandas", "scikit-learn", "pyarrow"):
        try:
            versions[package] = version(package)
        except PackageNotFoundError:
            versions[package] = None
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {"cores": cores, "architecture": platform.machine(), "python": platform.python_version(), **versions}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=30_000_000, help="rows in all (default: 30 million)")
    parser.add_argument("--epochs", type=int, default=100, help="epochs they are spread over (default: 100)")
    parser.add_argument("--repeats", type=int, default=5, help="rounds of measurement (default: 5)")
    parser.add_argument("--csv-rows", type=int, default=3_000_000, help="rows of the CSV comparison; 0 leaves it out")
    parser.add_argument("--out", type=Path, help="write the figures to this JSON file as well")
    parser.add_argument("--child", nargs=2, metavar=("PROGRAM", "PATH"), help=argparse.SUPPRESS)
    parser.add_argument("--generate", nargs=4, metavar=("PATH", "EPOCHS", "ROWS", "TYPE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.child:
        return child(options.child[0], Path(options.child[1]))
    if options.generate:
        path, epochs, rows, dtype = options.generate
        return generate(Path(path), int(epochs), int(rows), dtype)

    names = available()
    report: dict[str, Any] = {"rows": options.rows, "epochs": options.epochs, "machine": machine(), "cases": {}}
    per_epoch = max(1, options.rows // options.epochs)
    cases = [
        (f"parquet, {dtype}", dtype, ".parquet", options.epochs, per_epoch, names) for dtype in ("float64", "float32")
    ]
    # Memory must not follow the number of epochs: the same file, a quarter and a half as long.
    for share in (4, 2):
        epochs = max(1, options.epochs // share)
        cases.append((f"parquet, float64, {epochs} epochs", "float64", ".parquet", epochs, per_epoch, [BASELINE, OURS]))
    if options.csv_rows:
        csv_per_epoch = max(1, options.csv_rows // options.epochs)
        cases.append(("CSV, float64", "float64", ".csv", options.epochs, csv_per_epoch, [BASELINE, OURS, *names[2:]]))
    for title, dtype, suffix, epochs, rows, programs in cases:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / f"predictions{suffix}"
            run_child("--generate", str(path), str(epochs), str(rows), dtype)
            medians = measure(path, programs, options.repeats)
            full_title = f"{title}: {epochs * rows:,} rows in {epochs} epochs, {path.stat().st_size / 1e6:.0f} MB"
        print(table(full_title, medians), flush=True)
        report["cases"][title] = {"rows": epochs * rows, "epochs": epochs, "programs": medians}
    if options.out:
        options.out.write_text(json.dumps(report, indent=2) + "\n")
    return None


if __name__ == "__main__":
    main()
