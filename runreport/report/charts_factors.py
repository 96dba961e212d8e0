"""A factor's chart: R² and std ratio against its levels, each seed a dot, the mean over seeds with its 95 % interval."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from runreport.compare.design import Effect, Factor
from runreport.context import Final
from runreport.report.charts import BLUE, GREEN, GREY, ORANGE, _data, _scale, _themed, significant

if TYPE_CHECKING:
    import altair as alt

PANELS = (("r2", "R²"), ("variance_ratio", "std ratio α"))
MOST_LABEL = 24
"""Characters of a level's name on the axis; the table beside the chart holds it whole."""
STEP, HEIGHT = 90, 190


def factor_chart(effect: Effect, finals: Mapping[str, Final | None]) -> alt.TopLevelMixin | None:
    """The chart, or None where no level has an R². finals: run -> its final figures."""
    if not any("r2" in summaries for summaries in effect.summaries):
        return None
    import altair as alt

    labels = level_labels(effect.factor)
    panels: list[Any] = []
    for metric, title in PANELS:
        dots = [
            {"level": labels[i], "value": significant(final[metric]), "shift": shift}
            for i, level in enumerate(effect.factor.levels)
            for name, shift in zip(level.runs, spread(len(level.runs)), strict=True)
            if name not in level.without_r2 and (final := finals.get(name)) is not None and final[metric] is not None
        ]
        means = [
            {
                "level": labels[i],
                "mean": significant(s.mean),
                "low": significant(s.interval[0]) if s.interval is not None else None,
                "high": significant(s.interval[1]) if s.interval is not None else None,
                "series": "mean over seeds, 95 % interval",
            }
            for i, summaries in enumerate(effect.summaries)
            if (s := summaries.get(metric)) is not None
        ]
        values = [d["value"] for d in dots if isinstance(d["value"], float)]
        scale, said = _scale(values, title)
        if not said:
            scale = alt.Scale(zero=False, padding=8)
        last = metric == PANELS[-1][0]
        x = alt.X(
            "level:N",
            sort=labels,
            scale=alt.Scale(domain=labels),
            title=effect.factor.keys[0] if last else None,
            axis=alt.Axis(labels=last, ticks=last, labelAngle=0 if _short(labels) else -30, labelLimit=200),
        )
        named = ["one run"] + [means[0]["series"]] + (["mean r (the best α)"] if last else [])
        colours = [GREY, BLUE] + ([GREEN] if last else [])
        colour = alt.Color(
            "series:N",
            title=None,
            scale=alt.Scale(domain=named, range=colours),
            legend=alt.Legend(orient="top", labelLimit=400, symbolOpacity=1),
        )
        y = alt.Y("value:Q", title=f"{title}{said}", scale=scale)
        layers: list[Any] = [
            alt.Chart(_data([d | {"series": "one run"} for d in dots]))
            .mark_circle(size=34, opacity=0.65)
            .encode(x=x, y=y, xOffset=alt.XOffset("shift:Q", scale=alt.Scale(domain=[-1, 1])), color=colour)
        ]
        centre = {"x": x, "xOffset": alt.XOffset("zero:Q", scale=alt.Scale(domain=[-1, 1]))}
        base = alt.Chart(_data([m | {"zero": 0} for m in means]))
        whole = alt.Chart(_data([m | {"zero": 0} for m in means if m["low"] is not None]))
        layers.append(
            whole.mark_rule(strokeWidth=2).encode(**centre, y=alt.Y("low:Q", scale=scale), y2="high:Q", color=colour)
        )
        layers.append(
            base.mark_point(size=70, filled=True, shape="diamond", opacity=1).encode(
                **centre, y=alt.Y("mean:Q", scale=scale), color=colour
            )
        )
        if last:
            best = [
                {"level": labels[i], "mean": significant(s.mean), "zero": 0, "series": "mean r (the best α)"}
                for i, summaries in enumerate(effect.summaries)
                if (s := summaries.get("pearson_r")) is not None
            ]
            layers.append(
                alt.Chart(_data(best))
                .mark_tick(thickness=2, size=52, opacity=1)
                .encode(**centre, y=alt.Y("mean:Q", scale=scale), color=colour)
            )
        elif values and min(values) < 0 < max(values):
            layers.append(alt.Chart(_data([{"value": 0}])).mark_rule(color=ORANGE, strokeDash=[4, 4]).encode(y=y))
        width = min(620, max(260, STEP * len(labels)))
        panels.append(alt.layer(*layers).properties(width=width, height=HEIGHT))
    return _themed(alt.vconcat(*panels, spacing=10).resolve_scale(color="independent"))


def level_labels(factor: Factor) -> list[str]:
    """A different short label for each level."""
    out: list[str] = []
    for level in factor.levels:
        text = level.label if len(level.label) <= MOST_LABEL else level.label[: MOST_LABEL - 1] + "…"
        while text in out:
            text += "'"
        out.append(text)
    return out


def spread(count: int) -> list[float]:
    """Places of ``count`` dots side by side, so that none hides another: within ±0.5 of the level's band of ±1.

    >>> spread(1), spread(3)
    ([0.0], [-0.5, 0.0, 0.5])
    """
    return [0.0] if count < 2 else [round(-0.5 + i / (count - 1), 4) for i in range(count)]


def _short(labels: list[str]) -> bool:
    return max(len(label) for label in labels) * len(labels) <= 70
