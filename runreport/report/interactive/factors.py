"""What a setting changed, on the page: the chart of the Markdown report in the page's colours."""

from __future__ import annotations

from collections.abc import Mapping

from runreport.compare.design import Effect
from runreport.context import Final
from runreport.marks import clean
from runreport.report.charts import significant
from runreport.report.charts_factors import level_labels, spread
from runreport.report.interactive.vega import MUTED, Spec, chart, colour, document, y_axis
from runreport.report.model import Chart, ChartGroup, LegendEntry
from runreport.wording import fixed

PANELS = (("r2", "R²"), ("variance_ratio", "Std ratio α"))
HEIGHT = 190


def factor_group(index: int, effect: Effect, finals: Mapping[str, Final | None]) -> ChartGroup | None:
    """R² and std ratio at each level; None where no level has an R²."""
    if not any("r2" in summaries for summaries in effect.summaries):
        return None
    charts = tuple(factor_panel(index, effect, finals, metric, title) for metric, title in PANELS)
    return ChartGroup(id=f"levels-{index + 1}", charts=charts)


def factor_panel(index: int, effect: Effect, finals: Mapping[str, Final | None], metric: str, title: str) -> Chart:
    """One metric: a dot a run, side by side, and the mean over seeds with its interval."""
    labels = level_labels(effect.factor)
    dots: list[Spec] = [
        {"level": labels[i], "run": clean(name), "value": significant(final[metric]), "shift": shift}
        for i, level in enumerate(effect.factor.levels)
        for name, shift in zip(level.runs, spread(len(level.runs)), strict=True)
        if name not in level.without_r2 and (final := finals.get(name)) is not None and final[metric] is not None
    ]
    means: list[Spec] = []
    described = []
    for label, summaries in zip(labels, effect.summaries, strict=True):
        summary = summaries.get(metric)
        if summary is None:
            continue
        low, high = summary.interval or (None, None)
        means.append(
            {"level": label, "mean": significant(summary.mean), "low": significant(low), "high": significant(high)}
        )
        described.append(f"{label}: mean {fixed(summary.mean, 3)}")
    short = max(len(label) for label in labels) * len(labels) <= 60
    x: Spec = {
        "field": "level",
        "type": "nominal",
        "sort": None,
        "scale": {"domain": labels},
        "axis": {
            "title": clean(effect.factor.keys[0]),
            "grid": False,
            "labelAngle": 0 if short else -30,
            "labelLimit": 160,
        },
    }
    y: Spec = {
        "type": "quantitative",
        "title": None,
        "scale": {"zero": False, "padding": 8},
        "axis": y_axis(format="~g"),
    }
    tips: list[Spec] = [
        {"field": "run", "type": "nominal"},
        {"field": "value", "type": "quantitative", "format": ".4~g", "title": title},
    ]
    shift: Spec = {"field": "shift", "type": "quantitative", "scale": {"domain": [-1, 1]}}
    layers: list[Spec] = []
    values = [d["value"] for d in dots if isinstance(d["value"], float)]
    if metric == "r2" and values and min(values) < 0 < max(values):
        rule: Spec = {"type": "rule", "color": MUTED, "strokeDash": [2, 3]}
        layers.append({"data": {"values": [{"zero": 0}]}, "mark": rule, "encoding": {"y": y | {"field": "zero"}}})
    layers += [
        {
            "data": {"values": dots},
            "mark": {"type": "circle", "size": 46, "opacity": 0.7, "color": colour("c4")},
            "encoding": {"x": x, "y": y | {"field": "value"}, "xOffset": shift, "tooltip": tips},
        },
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "strokeWidth": 2, "color": colour("c1")},
            "encoding": {"x": x, "y": y | {"field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "filled": True, "shape": "diamond", "size": 90, "color": colour("c1"), "opacity": 1},
            "encoding": {"x": x, "y": y | {"field": "mean"}},
        },
    ]  # fmt: skip
    legend = [
        LegendEntry(label="one run", colour="c4", mark="dot"),
        LegendEntry(label="mean over seeds, 95 % interval", colour="c1", mark="diamond"),
    ]
    if metric == "variance_ratio":
        best: list[Spec] = [
            {"level": label, "mean": significant(summary.mean)}
            for label, summaries in zip(labels, effect.summaries, strict=True)
            if (summary := summaries.get("pearson_r")) is not None
        ]
        if best:
            tick: Spec = {"type": "tick", "thickness": 3, "size": 36, "color": colour("c3"), "opacity": 1}
            layers.append({"data": {"values": best}, "mark": tick, "encoding": {"x": x, "y": y | {"field": "mean"}}})
            legend.append(LegendEntry(label="mean r (the best α)", colour="c3", mark="tick"))
    spec = document({"data": {"values": means}, "layer": layers}, height=HEIGHT)
    return chart(
        f"levels-{index + 1}-{metric.replace('_', '-')}",
        title,
        spec,
        alt=f"{title} at each level of {clean(effect.factor.keys[0])}, a dot for each run. {'; '.join(described)}.",
        legend=legend,
    )
