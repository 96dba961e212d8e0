"""Per-epoch metrics over a large file, beside what a user would pick instead."""

from __future__ import annotations

from typing import Any


def section(result: dict[str, Any]) -> str:
    """From per_epoch_metrics.json."""
    lines = [
        "## Per-epoch metrics over a large file of predictions",
        "",
        "`python benchmarks/per_epoch_metrics.py --out benchmarks/results/per_epoch_metrics.json`: n, means, stds, R², r, std",
        "ratio, bias, MAE, RMSE and more for each epoch. Goals: at most 2 × a raw polars scan-and-sum of the same columns,",
        "at least 10 × faster than pandas with scikit-learn, at most 1.5 × the scan for CSV, and memory that does not grow",
        "with the number of epochs.",
        "",
        "| data | program | seconds | × scan and sum | × runreport | peak MiB |",
        "|---|---|--:|--:|--:|--:|",
    ]
    for case, measured in result["cases"].items():
        for program, figures in measured["programs"].items():
            lines.append(
                f"| {case}, {measured['rows']:,} rows | {program} | {figures['seconds']:.3f} | "
                f"{figures['times_baseline']:.2f} | {figures['times_ours']:.2f} | {figures['peak_mib']:.0f} |"
            )
    machine = ", ".join(f"{name} {value}" for name, value in result["machine"].items())
    return "\n".join([*lines, "", f"Measured with {machine}.", ""])
