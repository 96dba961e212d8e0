"""docs/benchmarks.md from benchmarks/results/*.json, so that no figure on the page was typed.

python benchmarks/page.py
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
PAGE = ROOT / "docs" / "benchmarks.md"


def main() -> None:
    """Write the page."""
    PAGE.write_text("\n".join([*introduction(), *startup(), *per_epoch()]) + "\n", encoding="utf-8")


def introduction() -> list[str]:
    """What the page is."""
    return [
        "# Benchmarks",
        "",
        "Written by `python benchmarks/page.py` from `benchmarks/results/`; do not edit. Ratios are medians of pairs run",
        "in turn in one go, so that a slow minute of the machine hits both sides. Coverage of the intervals is in",
        "[coverage.md](coverage.md).",
        "",
    ]


def startup() -> list[str]:
    """The whole process on one history."""
    result = load("startup.json")
    low, high = result["ratio_range"]
    return [
        "## One report, from the command line",
        "",
        "`python benchmarks/startup.py --out benchmarks/results/startup.json`: `runreport analyze` on a 50-epoch history",
        'without charts, whole process, beside `python -c "import polars, jinja2"`.',
        "",
        "| analyze | the imports | ratio | range | goal |",
        "|--:|--:|--:|--:|--:|",
        f"| {result['analyze_seconds']:.2f} s | {result['imports_seconds']:.2f} s | {result['ratio']:.2f} | {low:.2f}-{high:.2f} "
        f"| ≤ {result['goal']} |",
        "",
    ]


def per_epoch() -> list[str]:
    """Per-epoch metrics over a large file, beside what a user would pick instead."""
    result = load("per_epoch_metrics.json")
    lines = [
        "## Per-epoch metrics over a large file of predictions",
        "",
        "`python benchmarks/per_epoch_metrics.py --out benchmarks/results/per_epoch_metrics.json`: n, means, stds, R², r, std",
        "ratio, bias, MAE, RMSE and more for each epoch. Goals: at most 3 × a raw polars scan-and-sum of the same columns,",
        "at least 8 × faster than pandas with scikit-learn, and memory that does not grow with the number of epochs.",
        "",
        "| data | program | seconds | × scan and sum | peak MiB |",
        "|---|---|--:|--:|--:|",
    ]
    for case, measured in result["cases"].items():
        for program, figures in measured["programs"].items():
            lines.append(
                f"| {case}, {measured['rows']:,} rows | {program} | {figures['seconds']:.3f} | "
                f"{figures['times_baseline']:.2f} | {figures['peak_mib']:.0f} |"
            )
    machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    return [*lines, "", f"Measured with {machine}."]


def load(name: str) -> Any:
    """One result file."""
    return json.loads((RESULTS / name).read_text(encoding="utf-8"))


if __name__ == "__main__":
    main()
