"""How time and memory grow."""

from __future__ import annotations

from typing import Any

OURS, BASELINE = "runreport", "scan and sum"


def section(rows: dict[str, Any], runs: dict[str, Any], nodes: dict[str, Any]) -> str:
    """From scaling_rows.json, scaling_runs.json and scaling_nodes.json."""
    lines = [
        "## How it grows",
        "",
        "`python benchmarks/scaling.py rows|runs|nodes`: medians over the rounds, beside which is how busy the machine of "
        f"{rows['machine']['cores']} cores was before:",
        "; ".join(
            f"{name}: {curve['repeats']} round{'s' if curve['repeats'] > 1 else ''}, load {curve['load_before']}"
            for name, curve in (("rows", rows), ("runs", runs), ("nodes", nodes))
        )
        + ".",
        "",
        "![Seconds and peak memory against rows, and seconds against runs](images/scaling.svg)",
        "",
        "| rows, 100 epochs, Parquet | runreport, s | × scan and sum | peak MiB | pandas + scikit-learn, s | peak MiB |",
        "|--:|--:|--:|--:|--:|--:|",
    ]
    for point in rows["points"]:
        ours = point["programs"][OURS]
        pandas = next((v for k, v in point["programs"].items() if k.startswith("pandas")), None)
        theirs = f"{pandas['seconds']:.3f} | {pandas['peak_mib']:.0f}" if pandas else "not measured | "
        lines.append(
            f"| {point['rows']:,} | {ours['seconds']:.3f} | {ours['times_baseline']:.2f} | {ours['peak_mib']:.0f} | {theirs} |"
        )
    lines += ["", "| runs, 60 epochs each | analyze, s | × one scan | peak GiB |", "|--:|--:|--:|--:|"]
    lines += [
        f"| {p['runs']:,} | {p['analyze_seconds']:.2f} | {p['ratio']:.1f} | {p['peak_gib']:.2f} |"
        for p in runs["points"]
    ]
    lines += [
        "",
        f"| engine, {nodes['points'][0]['rows']:,} rows | seconds | × one thread |",
        "|---|--:|--:|",
    ]
    for point in nodes["points"]:
        count = point["nodes"]
        name = f"daft on {count} node{'s' if count > 1 else ''} of one CPU" if count else "polars, one thread"
        lines.append(f"| {name} | {point['seconds']:.2f} | {point['times_one_thread']:.2f} |")
    lines += [
        "",
        f"The nodes are processes on this machine of {rows['machine']['cores']} cores: beyond as many they can gain nothing here.",
        "",
    ]
    return "\n".join(lines)
