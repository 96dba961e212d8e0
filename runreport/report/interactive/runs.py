"""Several runs beside each other: their courses one over the other, and a Taylor diagram of their final predictions."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runreport.analysis.record import Analysis
from runreport.compare.design import Design
from runreport.compare.record import Comparison
from runreport.marks import clean
from runreport.report.charts import LOG_DECADES, LOWEST_R2, significant
from runreport.report.interactive.epoch_axis import epoch_value
from runreport.report.interactive.taylor import taylor_chart
from runreport.report.interactive.vega import (
    DASHES,
    MUTED,
    PER_DASH,
    SERIES,
    Spec,
    chart,
    colour,
    document,
    y_axis,
)
from runreport.report.model import Chart, ChartGroup, LegendEntry, table
from runreport.wording import fixed, number, plural

PANEL = 170
MOST_OVERLAID = 60
"""Runs drawn: more lines than that are a band, and a page of more epochs than that is slow to open."""
MOST_LINE = 200
"""Epochs drawn a run."""
COURSES = (("r2", "R², validation"), ("variance_ratio", "Std ratio α, validation"), ("val_loss", "Validation loss"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """How a run is drawn: its entry in the legend (a level, where the runs form a design), colour and dashes."""

    series: str
    colour: str
    dash: tuple[int, ...]


def styles(comparison: Comparison) -> tuple[dict[str, Style], tuple[str, ...]]:
    """Run -> style, and the legend's entries in order: the levels of the main factor, or the runs themselves."""
    design = comparison.design
    series: dict[str, str] = {}
    if isinstance(design, Design) and design.factors and comparison.effects:
        levels = comparison.effects[0].factor.levels
        main = clean(comparison.effects[0].factor.keys[0])
        series = {run: f"{main} = {clean(level.label)}" for level in levels for run in level.runs}
        order = [f"{main} = {clean(level.label)}" for level in levels]
    else:
        order = []
    rest = [name for name in comparison.names if name not in series]
    labels = _distinct([clean(name) for name in rest])
    series |= dict(zip(rest, labels, strict=True))
    order = list(dict.fromkeys([*order, *labels]))
    place = {label: i for i, label in enumerate(order)}
    made = {
        name: Style(
            series=series[name],
            colour=f"c{place[series[name]] % SERIES + 1}",
            dash=DASHES[place[series[name]] // PER_DASH % len(DASHES)],
        )
        for name in comparison.names
    }
    return made, tuple(order)


def _distinct(labels: Sequence[str]) -> list[str]:
    out: list[str] = []
    for label in labels:
        while label in out:
            label += "'"
        out.append(label)
    return out


def run_group(analyses: Sequence[Analysis], comparison: Comparison) -> ChartGroup | None:
    """Courses of R², std ratio and validation loss, and the Taylor diagram, with the runs' switches."""
    look, order = styles(comparison)
    known = {a.run.name: a for a in analyses}
    chosen = [known[name] for name in comparison.names if name in known][:MOST_OVERLAID]
    left = len(comparison.names) - len(chosen)
    note = f"{plural(left, 'more run')} not drawn." if left > 0 else ""
    made = [course_chart(chosen, look, order, name, title, note) for name, title in COURSES]
    made.append(
        taylor_chart(comparison, {name: style.series for name, style in look.items()}, _colours(look, order)["color"])
    )
    charts = tuple(c for c in made if c is not None)
    if not charts:
        return None
    legend = tuple(
        LegendEntry(label=label, colour=style.colour, mark="line" if style.dash == DASHES[0] else "dash", key=label)
        for label in order
        for style in [next(s for s in look.values() if s.series == label)]
    )
    return ChartGroup(
        id="runs", charts=charts, controls="runs", label="Runs shown", legend=legend, state={"shown": list(order)}
    )


def _colours(look: Mapping[str, Style], order: Sequence[str]) -> Spec:
    first = {label: next(s for s in look.values() if s.series == label) for label in order}
    return {
        "color": {
            "field": "series",
            "type": "nominal",
            "legend": None,
            "scale": {"domain": list(order), "range": [colour(first[label].colour) for label in order]},
        },
        "strokeDash": {
            "field": "series",
            "type": "nominal",
            "legend": None,
            "scale": {"domain": list(order), "range": [list(first[label].dash) for label in order]},
        },
    }


def course_chart(
    analyses: Sequence[Analysis],
    look: Mapping[str, Style],
    order: Sequence[str],
    name: str,
    title: str,
    note: str,
) -> Chart | None:
    """One metric of every run over its epochs; None where no run logged it."""
    data: list[Spec] = []
    values: list[float] = []
    described = []
    for analysis in analyses:
        history = analysis.history
        if history is None or not history.has(name):
            continue
        finite = history.finite(name)
        step = -(-len(finite) // MOST_LINE)
        kept = sorted({*finite[::step], finite[-1]})
        label = clean(analysis.run.name)
        data += [
            {
                "run": label,
                "series": look[analysis.run.name].series,
                "epoch": epoch_value(e),
                "value": significant(v),
            }
            for e, v in kept
        ]
        values += [v for _, v in finite]
        described.append([label, number(finite[0][1]), number(finite[-1][1]), *_extremes([v for _, v in finite])])
    if not data:
        return None
    cut = name == "r2" and min(values) < LOWEST_R2 < sorted(values)[len(values) // 4]
    log = name == "val_loss" and min(values) > 0 and math.log10(max(values) / min(values)) > LOG_DECADES
    notes = [note] if note else []
    if cut:
        notes.insert(0, f"The axis is cut at {fixed(LOWEST_R2, 0)}; the lowest is {number(min(values))}.")
    if log:
        notes.insert(0, "Logarithmic axis.")
    scale: Spec = {"type": "log"} if log else {"zero": False}
    if cut:
        scale["domainMin"] = LOWEST_R2
    x: Spec = {
        "field": "epoch",
        "type": "quantitative",
        "scale": {"nice": False, "zero": False, "padding": 6},
        "axis": {"title": "epoch", "tickMinStep": 1, "tickCount": 8, "grid": False},
    }
    y: Spec = {"field": "value", "type": "quantitative", "scale": scale, "axis": y_axis(format="~g")}
    tips: list[Spec] = [
        {"field": "run", "type": "nominal"},
        {"field": "epoch", "type": "quantitative"},
        {"field": "value", "type": "quantitative", "title": title, "format": ".4~g"},
    ]
    line: Spec = {"type": "line", "strokeWidth": 2, "clip": True, "opacity": 0.9 if len(described) <= SERIES else 0.6}
    layers: list[Spec] = []
    if name == "r2":
        layers.append(
            {
                "data": {"values": [{"zero": 0}]},
                "mark": {"type": "rule", "color": MUTED, "strokeDash": [2, 3], "clip": True},
                "encoding": {"y": y | {"field": "zero"}},
            }
        )
    layers += [
        {"mark": line, "encoding": {"x": x, "y": y, "detail": {"field": "run"}, **_colours(look, order)}},
        {
            "mark": {"type": "circle", "size": 90, "opacity": 0, "clip": True},
            "encoding": {"x": x, "y": y, "tooltip": tips},
        },
    ]
    spec = document(
        {
            "params": [{"name": "shown", "value": list(order)}],
            "data": {"values": data},
            "transform": [{"filter": "indexof(shown, datum.series) >= 0"}],
            "layer": layers,
        },
        height=PANEL,
    )
    alt = f"{title} of {plural(len(described), 'run')} over their epochs; the table below holds first, last and extreme values."
    return chart(
        f"course-{name.replace('_', '-')}",
        title,
        spec,
        alt=alt,
        note=" ".join(notes),
        table=table(["run", "first", "last", "lowest", "highest"], described),
    )


def _extremes(values: Sequence[float]) -> list[str]:
    return [number(min(values)), number(max(values))]
