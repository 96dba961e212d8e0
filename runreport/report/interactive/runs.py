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
from runreport.report.interactive.vega import DASHES, GRID, MUTED, SERIES, TEXT, Spec, chart, colour, document, y_axis
from runreport.report.model import Chart, ChartGroup, LegendEntry, table
from runreport.wording import fixed, number, plural

PANEL = 170
MOST_OVERLAID = 60
"""Runs drawn: more lines than that are a band, and a page of more epochs than that is slow to open."""
MOST_LINE = 200
"""Epochs drawn a run."""
MOST_NAMED = 12
"""Runs named beside their dots; more names cover each other, and the pointer names each."""
COURSES = (("r2", "R², validation"), ("variance_ratio", "Std ratio α, validation"), ("val_loss", "Validation loss"))
SIDE = 320
"""Pixels of two standard deviations in the Taylor diagram, at most."""


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
            dash=DASHES[place[series[name]] // SERIES % len(DASHES)],
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
    made.append(taylor_chart(comparison, look, order))
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


def taylor_chart(comparison: Comparison, look: Mapping[str, Style], order: Sequence[str]) -> Chart | None:
    """Std ratio as the distance from the origin, correlation as the angle (Taylor 2001, doi:10.1029/2000JD900719).

    The distance to the point "truth" is the root mean square error without bias, in standard deviations of the truth.
    """
    points = []
    body = []
    for name in comparison.names:
        final = comparison.finals[name]
        r, ratio = (final["pearson_r"], final["variance_ratio"]) if final is not None else (None, None)
        if r is None or ratio is None or not (math.isfinite(r) and math.isfinite(ratio)):
            continue
        r = max(-1.0, min(1.0, r))
        centred = math.sqrt(max(1 - 2 * ratio * r + ratio * ratio, 0.0))
        points.append((name, r, ratio, centred))
        body.append([clean(name), fixed(r, 2), fixed(ratio, 3), fixed(centred, 3)])
    if len(points) < 2:
        return None
    radius = max(1.25, 1.1 * max(p[2] for p in points))
    backward = any(p[1] < 0 for p in points)
    lowest = -radius if backward else 0.0
    # Equal units both ways, or the distances would not be distances.
    unit = SIDE / (radius - lowest)
    data = [
        {
            "run": clean(name),
            "series": look[name].series,
            "x": significant(ratio * r),
            "y": significant(ratio * math.sqrt(1 - r * r)),
            "r": significant(r),
            "ratio": significant(ratio),
            "error": significant(centred),
        }
        for name, r, ratio, centred in points
    ]
    x: Spec = {
        "field": "x",
        "type": "quantitative",
        "scale": {"domain": [significant(lowest), significant(radius)], "nice": False},
        "axis": {"title": "std ratio α", "grid": False, "tickCount": 5, "format": "~g"},
    }
    y: Spec = {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [0, significant(radius)], "nice": False},
        "axis": None if backward else {"title": None, "grid": False, "tickCount": 5, "format": "~g"},
    }
    tips: list[Spec] = [{"field": "run", "type": "nominal"}]
    tips += [
        {"field": f, "type": "quantitative", "title": t, "format": ".3~f"}
        for f, t in (("r", "r"), ("ratio", "std ratio α"), ("error", "error without bias (σ)"))
    ]
    grid = _taylor_grid(radius, backward)
    thin: Spec = {"type": "line", "strokeWidth": 1, "clip": True}
    keyed: Spec = {"x": x, "y": y, "detail": {"field": "line"}, "order": {"field": "i", "type": "quantitative"}}
    layers: list[Spec] = [
        {"data": {"values": grid["ratio"]}, "mark": thin | {"color": GRID}, "encoding": keyed},
        {"data": {"values": grid["angle"]}, "mark": thin | {"color": GRID}, "encoding": keyed},
        {
            "data": {"values": grid["error"]},
            "mark": thin | {"color": MUTED, "strokeDash": [2, 3]},
            "encoding": keyed,
        },
        {
            "data": {"values": grid["label"]},
            "mark": {"type": "text", "color": MUTED, "fontSize": 10},
            "encoding": {"x": x, "y": y, "text": {"field": "text", "type": "nominal"}},
        },
        {
            "data": {"values": [{"x": 1, "y": 0}]},
            "mark": {"type": "point", "shape": "diamond", "size": 110, "filled": True, "color": TEXT, "opacity": 1},
            "encoding": {"x": x, "y": y},
        },
        {
            "transform": [{"filter": "indexof(shown, datum.series) >= 0"}],
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0.9},
            "encoding": {"x": x, "y": y, "tooltip": tips, "color": _colours(look, order)["color"]},
        },
    ]
    if len(points) <= MOST_NAMED:
        layers.append(
            {
                "transform": [{"filter": "indexof(shown, datum.series) >= 0"}],
                "mark": {"type": "text", "dy": -10, "limit": 110},
                "encoding": {"x": x, "y": y, "text": {"field": "run", "type": "nominal"}},
            }
        )
    spec = document(
        {"params": [{"name": "shown", "value": list(order)}], "data": {"values": data}, "layer": layers},
        width=SIDE,
        height=round(unit * radius),
        padding={"left": 8, "right": 24, "top": 18, "bottom": 4},
    )
    return chart(
        "taylor",
        "Taylor diagram of the final predictions",
        spec,
        alt="Taylor diagram: each run at a distance from the origin of its std ratio and at the angle of its correlation; "
        "the closer to the truth at (1, r = 1), the smaller its error without bias.",
        note="Distance to the diamond (the truth) is the error without bias in standard deviations of the truth: "
        "1 - R² is its square plus β².",
        legend=(
            LegendEntry(label="the truth: α = 1, r = 1", colour="text", mark="dot"),
            LegendEntry(label="equal error without bias (σ)", colour="muted", mark="dash"),
        ),
        table=table(["run", "r", "std ratio α", "error without bias (σ)"], body),
    )


def _taylor_grid(radius: float, backward: bool) -> dict[str, list[Spec]]:
    """Arcs of equal std ratio, rays of equal r, arcs of equal error about the truth, and their labels."""
    end = math.pi if backward else math.pi / 2
    turns = [end * i / 60 for i in range(61)]
    step = 0.5 if radius <= 3 else radius / 4
    out: dict[str, list[Spec]] = {"ratio": [], "angle": [], "error": [], "label": []}
    for i in range(1, int(radius / step) + 1):
        size = step * i
        out["ratio"] += [_at(f"ratio{i}", k, size * math.cos(t), size * math.sin(t)) for k, t in enumerate(turns)]
    for r in (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.99):
        if r < 0 and not backward:
            continue
        upright = math.sqrt(1 - r * r)
        out["angle"] += [_at(f"r{r}", k, size * r, size * upright) for k, size in enumerate((0.0, radius))]
        out["label"].append(
            {"x": significant(1.05 * radius * r), "y": significant(1.05 * radius * upright), "text": f"{r:g}"}
        )
    for i in range(1, int(2 * radius / step) + 1):
        size = step * i
        around = [(1 + size * math.cos(t), size * math.sin(t)) for t in (math.pi * k / 60 for k in range(61))]
        inside = [(a, b) for a, b in around if math.hypot(a, b) <= radius and (backward or a >= 0)]
        out["error"] += [_at(f"error{i}", k, a, b) for k, (a, b) in enumerate(inside)]
    return out


def _at(line: str, i: int, x: float, y: float) -> Spec:
    return {"line": line, "i": i, "x": significant(x), "y": significant(y)}
