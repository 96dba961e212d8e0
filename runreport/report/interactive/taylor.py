"""A Taylor diagram of the runs' final predictions: std ratio as the distance from the origin, correlation as the angle.

K. E. Taylor (2001), "Summarizing multiple aspects of model performance in a single diagram", J. Geophys. Res. 106,
7183-7192, doi:10.1029/2000JD900719. The distance to the truth at (1, 0) is the root mean square error without bias, in
standard deviations of the truth: 1 - R² is its square plus β².
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from runreport.compare.record import Comparison
from runreport.marks import clean
from runreport.report.charts import significant
from runreport.report.interactive.vega import GRID, MUTED, TEXT, Spec, chart, document
from runreport.report.model import Chart, LegendEntry, table
from runreport.wording import fixed, listing, number

SIDE = 320
"""Pixels from side to side: fits a phone."""
MOST_NAMED = 12
"""Runs named beside their dots; more names cover each other, and the pointer and the table name each."""
LETTER, LINE, OFF = 6.2, 13.0, 11.0
"""Pixels of a letter and a line of a name as drawn, and between a dot and its name."""
CORRELATIONS = (-0.9, -0.6, -0.3, 0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.99)
"""Rays drawn."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """A run's place: correlation, std ratio, and root mean square error without bias in standard deviations of the truth."""

    run: str
    series: str
    r: float
    ratio: float

    @property
    def x(self) -> float:
        """Along the base line."""
        return self.ratio * self.r

    @property
    def y(self) -> float:
        """Above the base line."""
        return self.ratio * math.sqrt(1 - self.r * self.r)

    @property
    def error(self) -> float:
        """Distance to the truth.

        >>> Point(run="a", series="a", r=1.0, ratio=0.5).error
        0.5
        """
        return math.sqrt(max(1 - 2 * self.ratio * self.r + self.ratio * self.ratio, 0.0))


def points_of(comparison: Comparison, series: Mapping[str, str]) -> list[Point]:
    """The runs whose correlation and std ratio are known."""
    found = []
    for name in comparison.names:
        final = comparison.finals[name]
        r, ratio = (final["pearson_r"], final["variance_ratio"]) if final is not None else (None, None)
        if r is not None and ratio is not None and math.isfinite(r) and math.isfinite(ratio):
            found.append(Point(run=clean(name), series=series[name], r=max(-1.0, min(1.0, r)), ratio=ratio))
    return found


def taylor_chart(comparison: Comparison, series: Mapping[str, str], colours: object) -> Chart | None:
    """The diagram; None with fewer than two runs that have a place in it. series: run -> its entry in the legend."""
    points = points_of(comparison, series)
    if len(points) < 2:
        return None
    radius = max(1.25, 1.1 * max(p.ratio for p in points))
    backward = any(p.r < 0 for p in points)
    lowest = -radius if backward else 0.0
    pixels = SIDE / (radius - lowest)  # the same both ways, or the distances would not be distances
    step = 0.5 if radius <= 3 else radius / 4
    scale: Spec = {"nice": False}
    x: Spec = {
        "field": "x",
        "type": "quantitative",
        "scale": scale | {"domain": [significant(lowest), significant(radius)]},
        "axis": {"title": "std ratio α", "grid": False, "tickCount": 5, "format": "~g"},
    }
    y: Spec = {
        "field": "y",
        "type": "quantitative",
        "scale": scale | {"domain": [0, significant(radius)]},
        "axis": None if backward else {"title": None, "grid": False, "tickCount": 5, "format": "~g"},
    }
    data = [
        {
            "run": p.run,
            "series": p.series,
            "x": significant(p.x),
            "y": significant(p.y),
            "r": significant(p.r),
            "ratio": significant(p.ratio),
            "error": significant(p.error),
        }
        for p in points
    ]
    tips: list[Spec] = [{"field": "run", "type": "nominal"}]
    tips += [
        {"field": f, "type": "quantitative", "title": t, "format": ".3~f"}
        for f, t in (("r", "r"), ("ratio", "std ratio α"), ("error", "error without bias (σ)"))
    ]
    layers = [
        *_grid(radius, step, backward, x, y),
        {
            "transform": [{"filter": "indexof(shown, datum.series) >= 0"}],
            "mark": {"type": "point", "filled": True, "size": 90, "opacity": 0.9},
            "encoding": {"x": x, "y": y, "tooltip": tips, "color": colours},
        },
        *_names(points, pixels, x, y),
    ]
    shown = list(dict.fromkeys(series.values()))
    spec = document(
        {"params": [{"name": "shown", "value": shown}], "data": {"values": data}, "layer": layers},
        width=SIDE,
        height=round(pixels * radius),
        padding={"left": 8, "right": 26, "top": 18, "bottom": 4},
    )
    return chart(
        "taylor",
        "Taylor diagram of the final predictions",
        spec,
        alt="Taylor diagram: each run at a distance from the origin of its std ratio and at the angle of its correlation; "
        "the closer to the truth at (1, r = 1), the smaller its error without bias.",
        note="Rays are correlations. The distance to the truth is the error without bias in standard deviations of the truth: "
        "1 - R² is its square plus β².",
        legend=(
            LegendEntry(label="the truth: α = 1, r = 1", colour="text", mark="diamond"),
            LegendEntry(label=f"equal error without bias, {number(step, 2)} σ apart", colour="muted", mark="dash"),
        ),
        table=table(
            ["run", "r", "std ratio α", "error without bias (σ)"],
            [[p.run, fixed(p.r, 2), fixed(p.ratio, 3), fixed(p.error, 3)] for p in points],
            sortable=True,
        ),
    )


def _grid(radius: float, step: float, backward: bool, x: Spec, y: Spec) -> list[Spec]:
    """Arcs of equal std ratio, rays of equal correlation, arcs of equal error, their labels, and the truth."""
    end = math.pi if backward else math.pi / 2
    turns = [end * i / 60 for i in range(61)]
    ratios: list[Spec] = []
    rays: list[Spec] = []
    errors: list[Spec] = []
    labels: list[Spec] = []
    for i in range(1, int(radius / step) + 1):
        ratios += [_at(f"ratio{i}", k, step * i * math.cos(t), step * i * math.sin(t)) for k, t in enumerate(turns)]
    for r in CORRELATIONS if backward else [c for c in CORRELATIONS if c >= 0]:
        upright = math.sqrt(1 - r * r)
        rays += [_at(f"r{r}", k, size * r, size * upright) for k, size in enumerate((0.0, radius))]
        place: Spec = {"x": significant(1.06 * radius * r), "y": significant(1.06 * radius * upright)}
        labels.append(place | {"text": f"{r:g}"})
    for i in range(1, int(2 * radius / step) + 1):
        around = [(1 + step * i * math.cos(t), step * i * math.sin(t)) for t in (math.pi * k / 60 for k in range(61))]
        inside = [(a, b) for a, b in around if math.hypot(a, b) <= radius and (backward or a >= 0)]
        errors += [_at(f"error{i}", k, a, b) for k, (a, b) in enumerate(inside)]
    thin: Spec = {"type": "line", "strokeWidth": 1, "clip": True}
    keyed: Spec = {"x": x, "y": y, "detail": {"field": "line"}, "order": {"field": "i", "type": "quantitative"}}
    dashed = thin | {"color": MUTED, "strokeDash": [2, 3], "opacity": 0.6}
    truth: Spec = {"type": "point", "shape": "diamond", "size": 110, "filled": True, "color": TEXT, "opacity": 1}
    text: Spec = {"type": "text", "color": MUTED, "fontSize": 10}
    return [
        {"data": {"values": ratios}, "mark": thin | {"color": GRID}, "encoding": keyed},
        {"data": {"values": rays}, "mark": thin | {"color": GRID}, "encoding": keyed},
        {"data": {"values": errors}, "mark": dashed, "encoding": keyed},
        {
            "data": {"values": labels},
            "mark": text,
            "encoding": {"x": x, "y": y, "text": {"field": "text", "type": "nominal"}},
        },
        {"data": {"values": [{"x": 1, "y": 0}]}, "mark": truth, "encoding": {"x": x, "y": y}},
    ]


def _at(line: str, i: int, x: float, y: float) -> Spec:
    return {"line": line, "i": i, "x": significant(x), "y": significant(y)}


def _names(points: Sequence[Point], pixels: float, x: Spec, y: Spec) -> list[Spec]:
    """Names beside their dots, a layer a side; runs at one place share a line, and a name without room is left out."""
    if len(points) > MOST_NAMED:
        return []
    together: dict[tuple[int, int], list[Point]] = {}
    for p in points:
        together.setdefault((round(p.x * pixels), round(p.y * pixels)), []).append(p)
    dots = [(px - 5.0, py - 5.0, px + 5.0, py + 5.0) for px, py in together]
    placed: list[tuple[float, float, float, float]] = []
    sides: dict[str, list[Spec]] = {}
    for (px, py), group in together.items():
        text = listing([p.run for p in group], most=2)
        wide = LETTER * min(len(text), 20)
        boxes = {
            "top": (px - wide / 2, py + OFF - LINE / 2, px + wide / 2, py + OFF + LINE / 2),
            "right": (px + OFF, py - LINE / 2, px + OFF + wide, py + LINE / 2),
            "left": (px - OFF - wide, py - LINE / 2, px - OFF, py + LINE / 2),
            "bottom": (px - wide / 2, py - OFF - LINE / 2, px + wide / 2, py - OFF + LINE / 2),
        }
        own = (px - 5.0, py - 5.0, px + 5.0, py + 5.0)
        taken = [*placed, *(d for d in dots if d != own)]
        side = next((s for s, box in boxes.items() if not any(_overlap(box, other) for other in taken)), None)
        if side is None:
            continue
        placed.append(boxes[side])
        place: Spec = {
            "x": significant(group[0].x),
            "y": significant(group[0].y),
            "series": group[0].series,
            "name": text,
        }
        sides.setdefault(side, []).append(place)
    marks: dict[str, Spec] = {
        "top": {"dy": -OFF},
        "bottom": {"dy": OFF},
        "right": {"dx": OFF, "align": "left"},
        "left": {"dx": -OFF, "align": "right"},
    }
    return [
        {
            "data": {"values": rows},
            "transform": [{"filter": "indexof(shown, datum.series) >= 0"}],
            "mark": {"type": "text", "limit": LETTER * 20, "baseline": "middle"} | marks[side],
            "encoding": {"x": x, "y": y, "text": {"field": "name", "type": "nominal"}},
        }
        for side, rows in sides.items()
    ]


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
