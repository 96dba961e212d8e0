"""One report from the command line, whole process."""

from __future__ import annotations

from typing import Any


def section(result: dict[str, Any]) -> str:
    """From startup.json."""
    low, high = result["ratio_range"]
    return f"""## One report, from the command line

`python benchmarks/startup.py --out benchmarks/results/startup.json`: `runreport analyze` on a 50-epoch history without
charts, whole process, beside `python -c "import polars, jinja2"`.

| analyze | the imports | ratio | range | goal |
|--:|--:|--:|--:|--:|
| {result["analyze_seconds"]:.2f} s | {result["imports_seconds"]:.2f} s | {result["ratio"]:.2f} | {low:.2f}-{high:.2f} | ≤ {result["goal"]} |
"""
