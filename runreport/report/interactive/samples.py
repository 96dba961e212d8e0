"""The final predictions: against the truth, as distributions, and their error along the truth's range."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runreport.analysis.record import Analysis
from runreport.report.charts import MOST_POINTS, significant
from runreport.report.interactive.vega import MUTED, SQUARE, Spec, chart, colour, document, rows, y_axis
from runreport.report.model import Chart, ChartGroup, LegendEntry, table
from runreport.rules.segment_table import true_range_table
from runreport.rules.value_range_sample import Sample, sample_of
from runreport.wording import fixed, interval, number, percent, plural

if TYPE_CHECKING:
    import numpy as np

    Floats = np.ndarray[tuple[int], np.dtype[np.float64]]

CELLS = 40
"""Cells a side in which many samples are counted: on 300 pixels, a finer grid is a blot again."""
BINS = 30
"""Bins of the truth's range in the distributions: some 5 samples each at n = 144."""
BEYOND = 1.0
"""Ranges of the truth beyond either end that the distributions show; what lies farther out is counted."""


def sample_group(analysis: Analysis) -> ChartGroup | None:
    """Predicted against true, both distributions, and the error by true range; None without predictions."""
    sample = sample_of(analysis.context)
    final = analysis.final
    if sample is None or final is None or final["true_std"] in (None, 0):
        return None
    split = final.split
    charts = [scatter_chart(analysis, sample, split), distribution_chart(sample, split)]
    residual = residual_chart(sample, final["pearson_r"], split)
    return ChartGroup(id="samples", charts=(*charts, *([residual] if residual is not None else [])))


def square_axes(low: float, high: float, true: str = "true", pred: str = "predicted") -> tuple[Spec, Spec]:
    """Both axes over one domain, so that the identity is the diagonal."""
    scale = {"domain": [low, high], "nice": False, "zero": False, "clamp": True}
    x: Spec = {"field": "y_true", "type": "quantitative", "title": true, "scale": scale, "axis": {"tickCount": 5}}
    y: Spec = {"field": "y_pred", "type": "quantitative", "title": pred, "scale": scale, "axis": {"tickCount": 5}}
    return x, y


def line_layer(name: str, x: Spec, y: Spec, colour_of: str, dash: bool, data: Spec) -> Spec:
    """A line of the scatter, from data of its own."""
    mark: Spec = {"type": "line", "color": colour(colour_of), "strokeWidth": 2 if not dash else 1.5, "clip": True}
    if dash:
        mark["strokeDash"] = [5, 4]
    return {"name": name, "data": data, "mark": mark, "encoding": {"x": x, "y": y}}


def ends(slope: float, true_mean: float, pred_mean: float, low: float, high: float) -> list[Spec]:
    """The calibration line from the lowest to the highest prediction: the mean truth at a prediction, E[y | ŷ]."""
    return [{"y_true": significant(true_mean + slope * (p - pred_mean)), "y_pred": significant(p)} for p in (low, high)]


def scatter_chart(analysis: Analysis, sample: Sample, split: str) -> Chart:
    """Predicted against true with the identity and the calibration line; many samples are counted in cells."""
    low = float(min(sample.true.min(), sample.pred.min()))
    high = float(max(sample.true.max(), sample.pred.max()))
    margin = 0.03 * (high - low)
    low, high = significant(low - margin) or 0.0, significant(high + margin) or 0.0
    x, y = square_axes(low, high)
    note = ""
    if sample.n <= MOST_POINTS:
        data = rows(["y_true", "y_pred"], sample.true.tolist(), sample.pred.tolist())
        mark: Spec = {"type": "circle", "size": 28, "opacity": 0.6, "color": colour("c1")}
        tips = [{"field": f, "type": "quantitative", "format": ".4~g", "title": t} for f, t in TIPS]
        marks: Spec = {"data": {"values": data}, "mark": mark, "encoding": {"x": x, "y": y, "tooltip": tips}}
    else:
        note = f"{sample.n} samples, counted in cells; a larger dot is more of them."
        data = cells(sample, low, high)
        mark = {"type": "circle", "opacity": 0.75, "color": colour("c1")}
        size = {"field": "n", "type": "quantitative", "legend": None, "scale": {"range": [3, 60]}}
        tips = [{"field": "n", "type": "quantitative", "title": "samples"}]
        marks = {"data": {"values": data}, "mark": mark, "encoding": {"x": x, "y": y, "size": size, "tooltip": tips}}
    final = analysis.final
    identity: Spec = {"values": [{"y_true": v, "y_pred": v} for v in (low, high)]}
    layers = [marks, line_layer("identity", x, y, "c4", True, identity)]
    legend = [
        LegendEntry(label="a sample" if not note else "samples", colour="c1", mark="dot"),
        LegendEntry(label="predicted = true", colour="c4", mark="dash"),
    ]
    slope = final["calibration_slope"] if final is not None else None
    if slope is not None:
        data = ends(
            slope,
            float(sample.true.mean()),
            float(sample.pred.mean()),
            float(sample.pred.min()),
            float(sample.pred.max()),
        )
        layers.append(line_layer("calibration", x, y, "c2", False, {"values": data}))
        legend.append(LegendEntry(label=f"mean truth at a prediction (slope {fixed(slope, 2)})", colour="c2"))
    r = final["pearson_r"] if final is not None else None
    alt = (
        f"Predicted against true values of the {split} set, {plural(sample.n, 'sample')}: predictions from "
        f"{number(float(sample.pred.min()))} to {number(float(sample.pred.max()))}, truth from "
        f"{number(float(sample.true.min()))} to {number(float(sample.true.max()))}"
        + (f", correlation {fixed(r, 2)}." if r is not None else ".")
    )
    spec = document({"layer": layers}, width=SQUARE, height=SQUARE)
    return chart("predictions", f"Predicted against true, {split} set", spec, alt=alt, note=note, legend=legend)


LABEL = "split(replace(datum.label, ' to ', ' to|'), '|')"
"""A range's label in two lines: five of them must fit a phone."""
TIPS = (("y_true", "true"), ("y_pred", "predicted"))


def cells(sample: Sample, low: float, high: float) -> list[dict[str, object]]:
    """Counts on a grid of :data:`CELLS` a side, at the cells' centres; empty cells left out."""
    import numpy as np

    counts, _, _ = np.histogram2d(sample.true, sample.pred, bins=CELLS, range=[[low, high], [low, high]])
    width = (high - low) / CELLS
    return [
        {
            "y_true": significant(low + (int(t) + 0.5) * width),
            "y_pred": significant(low + (int(p) + 0.5) * width),
            "n": int(counts[t, p]),
        }
        for t, p in np.argwhere(counts > 0)
    ]


def distribution_chart(sample: Sample, split: str) -> Chart:
    """Counts of the truth and of the predictions in the same bins, one over the other."""
    import numpy as np

    bottom, top = float(sample.true.min()), float(sample.true.max())
    reach = BEYOND * (top - bottom)
    low = max(min(bottom, float(sample.pred.min())), bottom - reach)
    high = min(max(top, float(sample.pred.max())), top + reach)
    edges = np.linspace(low, high, BINS + 1)
    true, _ = np.histogram(sample.true, bins=edges)
    pred, _ = np.histogram(sample.pred, bins=edges)
    outside = int(((sample.pred < low) | (sample.pred > high)).sum())
    # A step is drawn from its edge to the next, so the last count stands once more at the end.
    data = rows(
        ["value", "true", "predicted"],
        edges.tolist(),
        [*true.tolist(), int(true[-1])],
        [*pred.tolist(), int(pred[-1])],
    )
    x: Spec = {
        "field": "value",
        "type": "quantitative",
        "title": "value",
        "scale": {"nice": False, "zero": False, "domain": [significant(low), significant(high)]},
        "axis": {"grid": False, "tickCount": 8},
    }
    axis = {"title": "samples in a bin", "tickCount": 4}
    shown = {"true": ("c4", 0.35), "predicted": ("c1", 0.25)}
    layers: list[Spec] = []
    for name, (tone, opacity) in shown.items():
        fill: Spec = {
            "type": "area",
            "interpolate": "step-after",
            "color": colour(tone),
            "opacity": opacity,
            "line": {"color": colour(tone), "strokeWidth": 2, "opacity": 1},
        }
        layers.append({"mark": fill, "encoding": {"x": x, "y": {"field": name, "type": "quantitative", "axis": axis}}})
    spec = document({"data": {"values": data}, "layer": layers}, height=190)
    note = (
        f"{plural(outside, 'prediction')} more than one range of the truth beyond its ends are not drawn."
        if outside
        else ""
    )
    alt = (
        f"Distributions of the true and the predicted values of the {split} set in {BINS} bins: standard deviation "
        f"{number(float(sample.true.std(ddof=0)))} true, {number(float(sample.pred.std(ddof=0)))} predicted; mean "
        f"{number(float(sample.true.mean()))} true, {number(float(sample.pred.mean()))} predicted."
    )
    legend = (
        LegendEntry(label="true", colour="c4", mark="area"),
        LegendEntry(label="predicted", colour="c1", mark="area"),
    )
    return chart("distribution", f"Distributions, {split} set", spec, alt=alt, note=note, legend=legend)


def residual_chart(sample: Sample, r: float | None, split: str) -> Chart | None:
    """Mean error in fifths of the truth with its interval, beside what regression to the mean explains at r."""
    found = [row for row in true_range_table(sample, r) if isinstance(row, dict)]
    if len(found) < 2:
        return None
    data: list[Spec] = []
    body = []
    for row in found:
        mean, bounds, expected = _number(row["mean_bias"]), row["interval"], _number(row["expected_bias"])
        pair = (_number(bounds[0]), _number(bounds[1])) if isinstance(bounds, list) else (None, None)
        data.append(
            {
                "range": str(row["range"]),
                "mean": significant(mean),
                "low": significant(pair[0]),
                "high": significant(pair[1]),
                "expected": significant(expected),
                "n": row["n"],
            }
        )
        known = (pair[0], pair[1]) if pair[0] is not None and pair[1] is not None else None
        body.append(
            [
                str(row["range"]),
                str(row["n"]),
                number(mean),
                "" if known is None else interval(known, 3),
                "" if expected is None else number(expected),
            ]
        )
    axis = {"title": None, "grid": False, "labelAngle": 0, "labelLimit": 110, "labelExpr": LABEL}
    x: Spec = {"field": "range", "type": "nominal", "sort": None, "axis": axis}
    at: Spec = {"type": "quantitative", "title": None, "axis": y_axis(format="~g"), "scale": {"zero": True}}
    tips: list[Spec] = [{"field": "range", "type": "nominal", "title": "truth"}]
    tips += [
        {"field": f, "type": "quantitative", "format": ".3~g", "title": t}
        for f, t in (("mean", "mean error"), ("expected", "explained by r"), ("n", "samples"))
    ]
    layers: list[Spec] = [
        {
            "data": {"values": [{"zero": 0}]},
            "mark": {"type": "rule", "color": MUTED, "strokeDash": [2, 3]},
            "encoding": {"y": at | {"field": "zero"}},
        },
        {
            "transform": [{"filter": "isValid(datum.low)"}],
            "mark": {"type": "rule", "color": colour("c1"), "strokeWidth": 2},
            "encoding": {"x": x, "y": at | {"field": "low"}, "y2": {"field": "high"}},
        },
        {
            "mark": {"type": "point", "filled": True, "size": 80, "color": colour("c1"), "opacity": 1},
            "encoding": {"x": x, "y": at | {"field": "mean"}, "tooltip": tips},
        },
    ]
    legend = [LegendEntry(label="mean error (predicted - true), 95 % interval", colour="c1", mark="dot")]
    if r is not None:
        layers.append(
            {
                "mark": {"type": "tick", "thickness": 3, "size": 34, "color": colour("c3"), "opacity": 1},
                "encoding": {"x": x, "y": at | {"field": "expected"}},
            }
        )
        legend.append(LegendEntry(label="what regression to the mean explains", colour="c3", mark="tick"))
    spec = document({"data": {"values": data}, "layer": layers}, height=190)
    described = "; ".join(f"{row[0]}: {row[2]}{' ' + row[3] if row[3] else ''}" for row in body)
    return chart(
        "residuals",
        f"Mean error by range of the truth, {split} set",
        spec,
        alt=f"Mean error in ranges of the truth that hold about equally many samples. {described}.",
        legend=legend,
        table=table(["truth", "n", "mean error", "95 % interval", "explained by r"], body),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def share_text(part: int, whole: int) -> str:
    """How many of how many, in words.

    >>> share_text(400, 1000)
    '400 of 1000 samples (40.0 %)'
    """
    return f"{part} of {plural(whole, 'sample')} ({percent(part / whole)})"
