"""A folder of ten thousand logs."""

from __future__ import annotations

from typing import Any

ROWS = (
    ("load", "reading every log to a run"), ("json", "the JSON of every run"), ("reports", "a report of each, without charts"),
    ("again", "the same reports once more, out of the cache"),
)  # fmt: skip
PEERS = {
    "losslint": "`losslint check FOLDER`", "runmedic": "`runmedic diagnose FOLDER`",
    "trainspotter": "`trainspotter analyze FILE`, each", "trainproof": "`trainproof epoch FILE`, each",
}  # fmt: skip


def section(result: dict[str, Any]) -> str:
    """From many_runs.json."""
    lines = [
        f"| one polars scan of the same bytes | {result['scan_seconds']:.1f} | 1 | {result['scan_cpu_seconds']:.1f} | 1 | |",
        *(
            _row(text, {n.removeprefix(f"{key}_"): v for n, v in result.items() if n.startswith(f"{key}_")})
            for key, text in ROWS
        ),
        *(
            _row(f"{PEERS[name]} ({peer['version']})", peer)
            for name, peer in result["peers"].items()
            if "error" not in peer
        ),
    ]
    return (
        f"""## {result["runs"]:,} logs in one call

`python benchmarks/many_runs.py --peers PYTHON --out benchmarks/results/many_runs.json`: {result["epochs"]} epochs each,
{result["bytes"] / 1e6:.0f} MB, {result["jobs"]} processes (the reading and the other programs: one), {result["cpus"]} processors, load
{result["load"]:.0f} at the end. Goals: ≤ {result["goal_ratio"]:.0f} × the scan, < {result["goal_gib"]:.0f} GiB. Seconds are those on the clock, and those of
the processor, which other work on the machine stretches less. The scan is the median of five. The other programs print JSON of losses alone: no report is
written, and nothing is said of spread, correlation or bias.

| | seconds | × the scan | processor seconds | × the scan | peak GiB |
|---|--:|--:|--:|--:|--:|
"""
        + "\n".join(lines)
        + f"\n\nThe goal for reports is {_met(result['reports_cpu_ratio'] <= result['goal_ratio'])} by processor seconds: "
        f"{result['reports_cpu_seconds'] / result['runs'] * 1000:.1f} ms a report, of which reading is "
        f"{result['load_cpu_seconds'] / result['runs'] * 1000:.1f}. Start-up of the program is in every row, so that the\n"
        "multiples of the scan rise with the number of logs.\n"
    )


def _met(met: bool) -> str:
    return "met" if met else "missed"


def _row(text: str, figures: dict[str, Any]) -> str:
    return (
        f"| {text} | {figures['seconds']:.1f} | {figures['ratio']:.1f} | {figures['cpu_seconds']:.1f} | "
        f"{figures['cpu_ratio']:.1f} | {figures['peak_gib']:.2f} |"
    )
