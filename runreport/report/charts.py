"""Charts, as Vega-Lite by altair, drawn to SVG. Data are rounded first, so that the same run gives the same bytes on any
machine; large runs are aggregated, because a chart of a million points shows nothing that a few hundred cells do not."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from runreport.analysis.record import Analysis
from runreport.context import History
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, number

if TYPE_CHECKING:
    import altair as alt
    import polars as pl

MOST_POINTS = 2000
"""Points drawn one by one; altair itself refuses more than 5,000 rows, and a scatter is a blot long before."""
MOST_EPOCHS = 600
"""Epochs drawn; a longer run is thinned evenly, its saved and extreme epochs kept."""
DIGITS = 6
"""Significant digits of plotted data: finer than a pixel, coarser than the last bits that differ between machines."""
LOWEST_R2 = -1.0
"""R² below which the axis is cut (and says so), where most epochs lie above: one early epoch at -400 would flatten all."""
LOG_DECADES = 2.0
"""Decades a positive loss must span before its axis is logarithmic."""
WIDTH, HEIGHT = 620, 150
BLUE, ORANGE, GREY, GREEN = "#1f6fb4", "#d9730d", "#8a8a8a", "#2c8a57"


def significant(value: float | None) -> float | None:
    """A value to :data:`DIGITS` significant digits; None for what is not finite."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.{DIGITS}g}")


def to_svg(chart: alt.TopLevelMixin) -> str:
    """The chart as an SVG document."""
    import vl_convert

    return stable_svg(vl_convert.vegalite_to_svg(chart.to_json(indent=None))) + "\n"


_DEFINED = re.compile(r'\bid="([^"]+)"')
_PLACED = re.compile(r'(?<=[ <])(d|transform|[xy][12]?|width|height)="([^"]*)"')
_LONG = re.compile(r"(\.\d{2})\d+")


def stable_svg(svg: str, prefix: str = "") -> str:
    """The drawing with ids counted from 1 and places to a hundredth of a pixel.

    The renderer numbers its clip paths over all charts of a process, so that the same chart had other bytes alone than
    after another. ``prefix`` keeps apart the ids of several drawings on one page.

    >>> stable_svg('<g id="clip7"/><g clip-path="url(#clip7)" transform="translate(0.12345)"/>')
    '<g id="clip1"/><g clip-path="url(#clip1)" transform="translate(0.12)"/>'
    """
    names = {old: f"{prefix}clip{i}" for i, old in enumerate(dict.fromkeys(_DEFINED.findall(svg)), start=1)}
    svg = re.sub(r'(\bid="|url\(#|href="#)([^")]+)', lambda match: match[1] + names.get(match[2], match[2]), svg)
    return _PLACED.sub(lambda match: match[1] + '="' + _LONG.sub(r"\1", match[2]) + '"', svg)


def history_chart(analysis: Analysis) -> alt.TopLevelMixin | None:
    """R², std ratio (with r, the ratio it should have) and losses over the epochs; None without any of them."""
    history = analysis.history
    if history is None or len(history) < 2:
        return None
    import altair as alt

    kept = _thinned(analysis)
    saved = analysis.context.saved_epoch
    last = history.epochs[-1]
    axis = alt.X("epoch:Q", title="epoch", scale=alt.Scale(domain=[history.epochs[0], last], nice=False, padding=8))
    panels: list[Any] = []
    for title, columns in (
        ("R²", (("r2", "validation", BLUE), ("train_r2", "train", GREY))),
        ("std ratio, r", (("variance_ratio", "std ratio α", BLUE), ("pearson_r", "correlation r (the best α)", GREEN))),
        ("loss", (("val_loss", "validation loss", BLUE), ("train_loss", "train loss", GREY))),
    ):
        drawn = [(name, label, colour) for name, label, colour in columns if history.has(name)]
        if not drawn:
            continue
        values = [
            {"epoch": e, "value": significant(history.at(e, name)), "series": label}
            for name, label, _ in drawn
            for e in kept
            if history.at(e, name) is not None
        ]
        shown = title if len(drawn) > 1 else title.partition(",")[0]
        scale, said = _scale([v["value"] for v in values if isinstance(v["value"], float)], title)
        colours = alt.Color(
            "series:N",
            title=None,
            sort=[label for _, label, _ in drawn],
            scale=alt.Scale(domain=[label for _, label, _ in drawn], range=[c for _, _, c in drawn]),
            legend=alt.Legend(orient="top", labelLimit=400),
        )
        lines = (
            alt.Chart(_data(values))
            .mark_line(**_line_style(history))
            .encode(x=axis, y=alt.Y("value:Q", title=f"{shown}{said}", scale=scale), color=colours)
        )
        layers: list[Any] = [lines]
        if saved is not None and history.epochs[0] <= saved <= last:
            layers.append(_saved_mark(saved, labelled=not panels))
        panels.append(alt.layer(*layers).properties(width=WIDTH, height=HEIGHT))
    if not panels:
        return None
    return _themed(alt.vconcat(*panels, spacing=8).resolve_scale(color="independent"))


def predictions_chart(analysis: Analysis) -> alt.TopLevelMixin | None:
    """Predicted against true, with the identity and the calibration line; None without predictions."""
    frame = analysis.run.predictions
    final = analysis.final
    if frame is None or final is None or final["true_std"] in (None, 0):
        return None
    import altair as alt
    import polars as pl

    low = min(float(frame[c].min()) for c in ("y_true", "y_pred"))  # type: ignore[arg-type]
    high = max(float(frame[c].max()) for c in ("y_true", "y_pred"))  # type: ignore[arg-type]
    margin = 0.03 * (high - low)
    domain = [significant(low - margin), significant(high + margin)]
    x = alt.X("y_true:Q", title="true", scale=alt.Scale(domain=domain, nice=False))
    y = alt.Y("y_pred:Q", title="predicted", scale=alt.Scale(domain=domain, nice=False))
    if frame.height <= MOST_POINTS:
        rows = [
            {"y_true": significant(t), "y_pred": significant(p)}
            for t, p in zip(frame["y_true"].to_list(), frame["y_pred"].to_list(), strict=True)
        ]
        marks = alt.Chart(_data(rows)).mark_circle(size=22, opacity=0.55, color=BLUE).encode(x=x, y=y)
    else:
        marks = (
            alt.Chart(_data(_cells(frame.select(pl.col("y_true", "y_pred")), low, high)))
            .mark_circle(color=BLUE, opacity=0.7)
            .encode(x=x, y=y, size=alt.Size("n:Q", title="samples", scale=alt.Scale(range=[4, 120])))
        )
    lines = [{"y_true": v, "y_pred": v, "line": "predicted = true"} for v in domain]
    names, colours = ["predicted = true"], [GREY]
    slope, pred_mean, true_mean = final["calibration_slope"], final["pred_mean"], final["true_mean"]
    if slope is not None and pred_mean is not None and true_mean is not None:
        name = f"mean truth at a prediction (b = {fixed(slope, 2)})"
        ends = [float(v) for v in (frame["y_pred"].min(), frame["y_pred"].max())]  # type: ignore[arg-type]
        lines += [
            {"y_true": significant(true_mean + slope * (p - pred_mean)), "y_pred": significant(p), "line": name}
            for p in ends
        ]
        names, colours = [*names, name], [*colours, ORANGE]
    drawn = (
        alt.Chart(_data(lines))
        .mark_line(clip=True)
        .encode(
            x=x,
            y=y,
            color=alt.Color(
                "line:N",
                title=None,
                scale=alt.Scale(domain=names, range=colours),
                legend=alt.Legend(orient="top", labelLimit=400),
            ),
        )
    )
    return _themed(alt.layer(marks, drawn).properties(width=380, height=380))


def _data(rows: Sequence[Mapping[str, object]]) -> Any:
    """Rows inside the chart: no file beside it, and no frame library between."""
    import altair as alt

    return alt.Data(values=rows)  # type: ignore[no-untyped-call]


def _thinned(analysis: Analysis) -> list[int | float]:
    history = analysis.history
    if history is None or len(history) <= MOST_EPOCHS:
        return list(history.epochs) if history is not None else []
    from runreport.analysis.epochs import telling_epochs

    step = math.ceil(len(history) / MOST_EPOCHS)
    told = telling_epochs(history, analysis.context.saved_epoch)
    return sorted({*history.epochs[::step], *told})


def _scale(values: list[float], title: str) -> tuple[Any, str]:
    """The vertical scale of a panel and what its title must say about it."""
    import altair as alt

    if title == "R²" and values and min(values) < LOWEST_R2:
        above = sorted(values)[len(values) // 4]
        if above > LOWEST_R2:
            top = max(max(values), 0.0)
            return (
                alt.Scale(domain=[LOWEST_R2, significant(top + 0.05)], clamp=True, nice=False),
                f" (cut at {fixed(LOWEST_R2, 0)}; lowest {number(min(values))})",
            )
    if title == "loss" and values and min(values) > 0 and math.log10(max(values) / min(values)) > LOG_DECADES:
        return alt.Scale(type="log"), " (log)"
    return alt.Scale(zero=title != "loss"), ""


def _line_style(history: History) -> dict[str, Any]:
    """Lines through logged epochs; where epochs are missing, a faint dash between points that claims nothing."""
    if any(b - a > 1 for a, b in pairwise(history.epochs)):
        return {"point": {"size": 45}, "strokeDash": [2, 4], "strokeWidth": 1, "clip": True}
    return {"point": {"size": 14}, "clip": True}


def _saved_mark(saved: int | float, *, labelled: bool) -> Any:
    """A rule at the saved epoch, named above the first panel."""
    import altair as alt

    base = alt.Chart(_data([{"epoch": saved, "label": f"saved: epoch {epoch_text(saved)}"}])).encode(x="epoch:Q")
    rule = base.mark_rule(color=ORANGE, strokeDash=[5, 4])
    if not labelled:
        return rule
    text = base.mark_text(align="center", baseline="bottom", dy=-3, color=ORANGE, fontSize=11)
    return alt.layer(rule, text.encode(y=alt.value(0), text="label:N"))


def _cells(frame: pl.DataFrame, low: float, high: float, bins: int = 60) -> list[dict[str, float | int | None]]:
    """Counts on a grid of ``bins`` × ``bins`` cells, at the cells' centres."""
    import polars as pl

    width = (high - low) / bins or 1.0
    grid = (
        frame.select(((pl.col(c) - low) / width).floor().clip(0, bins - 1).alias(c) for c in ("y_true", "y_pred"))
        .group_by("y_true", "y_pred")
        .len("n")
        .sort("y_true", "y_pred")
    )
    return [
        {"y_true": significant(low + (t + 0.5) * width), "y_pred": significant(low + (p + 0.5) * width), "n": n}
        for t, p, n in grid.iter_rows()
    ]


def _themed(chart: Any) -> alt.TopLevelMixin:
    """Quiet axes on white, readable in a light and a dark page."""
    themed: alt.TopLevelMixin = (
        chart.configure(background="#ffffff", padding=10)
        .configure_view(stroke="#dddddd")
        .configure_axis(gridColor="#eeeeee", labelColor="#444444", titleColor="#222222", domainColor="#bbbbbb")
        .configure_legend(labelColor="#222222")
    )
    return themed
