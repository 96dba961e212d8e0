"""What more than was measured would cost, by proportion from the largest measurement."""

from __future__ import annotations

from typing import Any

from benchmarks.pages.scaling import OURS

ROWS, RUNS = 1e12, 1e6
STORE_MB_PER_S = 90.0
"""What one connection to an object store brings, of the 85-90 MB/s that S3's own performance guide names for one request;
an assumption here, nothing of it was measured."""


def page(rows: dict[str, Any], runs: dict[str, Any], nodes: dict[str, Any]) -> str:
    """docs/scale.md."""
    most, largest = rows["points"][-1], runs["points"][-1]
    cores = rows["machine"]["cores"]
    cpu_a_row = most["programs"][OURS]["cpu_seconds"] / most["rows"]
    bytes_a_row = most["bytes"] / most["rows"]
    core_hours = ROWS * cpu_a_row / 3600
    transfer_hours = ROWS * bytes_a_row / (STORE_MB_PER_S * 1e6) / 3600
    a_run = largest["analyze_seconds"] / largest["runs"]
    bytes_a_run = largest["bytes"] / largest["runs"]
    one, two = (next(p for p in nodes["points"] if p["nodes"] == n) for n in (0, 2))
    slower = "the object store: more connections, so more machines, not more cores each"
    faster = "the cores: reading and adding up takes longer than one connection a core takes to bring the bytes"
    return f"""# Past what was measured

Written by `python benchmarks/page.py` from `benchmarks/results/`; do not edit. The rates are measured
([benchmarks.md](benchmarks.md)); everything below is proportion from the largest measurement, and says so. Per-epoch
metrics are one pass over rows and merge, so proportion is what to expect; nothing of this size was run.

## 1e12 predictions

| | measured on {most["rows"]:,.0f} rows | for 1e12 rows |
|---|--:|--:|
| processor time | {cpu_a_row * 1e9:.0f} ns a row | {core_hours:,.0f} core hours |
| Parquet (zstd, float64 noise) | {bytes_a_row:.1f} bytes a row | {ROWS * bytes_a_row / 1e12:,.1f} TB |
| over one connection at {STORE_MB_PER_S:.0f} MB/s (assumed) | | {transfer_hours:,.0f} connection hours |
| on 64 machines of 16 cores, 16 connections each | | {max(core_hours, transfer_hours) / (64 * 16) * 60:,.0f} minutes |
| memory of a worker | {most["programs"][OURS]["peak_mib"]:.0f} MiB | the same: it does not grow with rows |
| what comes back to the driver | 15 numbers an epoch and piece | {ROWS * bytes_a_row / (256 * 1024**2):,.0f} pieces of 256 MiB |

The first bottleneck is {slower if transfer_hours > core_hours else faster}. Pieces are 256 MiB, and the
driver holds only moments, so it is not the limit before some 1e8 (piece, epoch) pairs. What to do there: write an object an
epoch or a few (pieces then hold few epochs each), put the machines into the store's region, use
`runreport analyze --engine daft --ray-address HOST:PORT 's3://bucket/epoch_predictions/*.parquet'`, and write float32
where the predictions are: it halves the bytes.

Daft on two nodes of one CPU each took {two["seconds"] / one["seconds"]:.2f} × the time of one thread without it on
{one["rows"]:,} rows ({one["seconds"]:.1f} s of work): starting and shipping pieces costs a fixed part. One machine is the
right tool as long as its disk holds the file: {most["rows"]:,.0f} rows took {most["programs"][OURS]["seconds"]:.1f} s on {cores} cores.

## A million runs

| | measured on {largest["runs"]:,} runs | for 1,000,000 |
|---|--:|--:|
| `analyze --no-charts --jobs 2`, {cores} cores | {a_run * 1e3:.1f} ms a run | {a_run * RUNS / 3600:.1f} hours |
| logs of 60 epochs | {bytes_a_run / 1e3:.1f} kB a run | {bytes_a_run * RUNS / 1e9:.1f} GB |
| peak memory | {largest["peak_gib"]:.2f} GiB | about the same: each run is let go |

The first bottleneck is the processor: a run costs {largest["ratio"]:.0f} × what scanning its bytes does. Folders are walked up to
100,000 files a call, so a million runs are ten calls or more, one a folder: run them on as many machines as there are, since
no run needs another. The comparison of runs is not part of this (above 200 none is made): compare a sweep by its folder.
"""
