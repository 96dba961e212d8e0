"""The picture of how time and memory grow."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.pages.scaling import OURS

PALETTE = ["#0072B2", "#999999", "#E69F00", "#009E73", "#D55E00"]
"""Okabe and Ito's, which colour-blind readers can tell apart."""


def save(rows: dict[str, Any], runs: dict[str, Any], path: Path) -> None:
    """Three panels side by side, as SVG."""
    import altair as alt
    import polars as pl

    long = pl.DataFrame([
        {"rows": p["rows"], "program": name, "seconds": f["seconds"], "MiB": f["peak_mib"]}
        for p in rows["points"]
        for name, f in p["programs"].items()
    ])  # fmt: skip
    programs = sorted(
        long["program"].unique(maintain_order=True), key=lambda name: name != OURS
    )  # ours has the strong colour
    colour = alt.Color("program:N", title=None, scale=alt.Scale(domain=programs, range=PALETTE), sort=programs)
    x = alt.X("rows:Q", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s"), title="rows of predictions")
    lines = alt.Chart(long).mark_line(point=True).properties(width=250, height=220)
    time = lines.encode(x=x, y=alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds"), color=colour)
    memory = lines.encode(x=x, y=alt.Y("MiB:Q", scale=alt.Scale(type="log"), title="peak MiB"), color=colour)
    logs = pl.DataFrame([
        {"runs": p["runs"], "program": name, "seconds": p[key]}
        for p in runs["points"]
        for name, key in (("runreport", "analyze_seconds"), ("scan and sum", "scan_seconds"))
    ])  # fmt: skip
    many = (
        alt.Chart(logs)
        .mark_line(point=True)
        .encode(
            x=alt.X("runs:Q", scale=alt.Scale(type="log"), axis=alt.Axis(format="~s"), title="runs in one call"),
            y=alt.Y("seconds:Q", scale=alt.Scale(type="log"), title="seconds"),
            color=colour,
        )
        .properties(width=250, height=220)
    )
    alt.hconcat(time, memory, many).configure_view(stroke=None).configure(background="white").save(str(path))
