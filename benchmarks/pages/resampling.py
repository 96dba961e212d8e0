"""The bootstrap."""

from __future__ import annotations

from typing import Any


def section(result: dict[str, Any]) -> str:
    """From bootstrap.json."""
    rows = "\n".join(f"| {name} | {seconds:.2f} |" for name, seconds in result["cpu_seconds"].items())
    return f"""## {result["resamples"]:,} resamples of {result["rows"]:,} rows

`python benchmarks/bootstrap.py --out benchmarks/results/bootstrap.json`: every metric in every resample, one thread.

| resampled | CPU seconds |
|---|--:|
{rows}

`scipy.stats.bootstrap` of R² alone takes {result["scipy_cpu_seconds"] / result["scipy_resamples"] * 1000:.1f} ms a resample of rows, {result["times_faster_a_resample"]:.0f} times as long.
The standard error of R² is {result["standard_error"]:.5f} here and {result["scipy_standard_error"]:.5f} by scipy's {result["scipy_resamples"]} resamples.
numpy {result["numpy"]}, scipy {result["scipy"]}, Python {result["python"]}.
"""
