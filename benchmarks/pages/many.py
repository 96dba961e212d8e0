"""A folder of ten thousand logs."""

from __future__ import annotations

from typing import Any


def section(result: dict[str, Any]) -> str:
    """From many_runs.json."""
    return f"""## {result["runs"]:,} logs in one call

`python benchmarks/many_runs.py --out benchmarks/results/many_runs.json`: {result["epochs"]} epochs each,
{result["bytes"] / 1e6:.0f} MB, {result["jobs"]} processes; goals: ≤ {result["goal_ratio"]:.0f} × the scan, < {result["goal_gib"]:.0f} GiB.

| | seconds | × one polars scan | peak GiB |
|---|--:|--:|--:|
| one polars scan of the same bytes | {result["scan_seconds"]:.2f} | 1 | |
| reading every log to a run | {result["load_seconds"]:.2f} | {result["load_ratio"]:.1f} | {result["load_peak_gib"]:.2f} |
| a report of each, without charts | {result["reports_seconds"]:.2f} | {result["reports_ratio"]:.1f} | {result["reports_peak_gib"]:.2f} |
"""
