"""A dot for each stopping policy at the epoch that it would have saved."""

from __future__ import annotations

from runreport.analysis.record import Analysis
from runreport.marks import clean
from runreport.report.charts import _thinned
from runreport.report.interactive.epoch_axis import epoch_value, params, rules, ticks, x_axis
from runreport.report.interactive.vega import Spec, chart, colour, document, y_axis
from runreport.report.model import Chart, LegendEntry
from runreport.wording import epoch as epoch_text
from runreport.wording import listing

ROW = 17
"""Pixels of a policy's line."""


def picks_chart(analysis: Analysis) -> Chart | None:
    """A dot for each policy at the epoch it picks; None without an audit."""
    audit, history = analysis.selection, analysis.history
    if audit is None or history is None:
        return None
    picked = [(clean(p.policy), p.epoch) for p in audit.picks if p.epoch is not None]
    if not picked:
        return None
    kept = _thinned(analysis)
    data = [
        {
            "policy": name,
            "epoch": epoch_value(e),
            "label": f"{name}: {epoch_text(e)}",
            "saved": "as saved" if e == audit.saved else "another",
        }
        for name, e in picked
    ]
    y: Spec = {
        "field": "policy",
        "type": "nominal",
        "sort": None,
        "axis": y_axis(labels=False, ticks=False, domain=False),
    }
    inside = "datum.epoch >= first && datum.epoch <= last"
    place = "datum.epoch > (first + last) / 2"
    text: Spec = {"x": x_axis(ticks()), "y": y, "text": {"field": "label", "type": "nominal"}}
    layers: list[Spec] = [
        *rules(analysis),
        {
            "transform": [{"filter": inside}],
            "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
            "encoding": {
                "x": x_axis(ticks()),
                "y": y,
                "color": {
                    "field": "saved",
                    "type": "nominal",
                    "legend": None,
                    "scale": {"domain": ["as saved", "another"], "range": [colour("c2"), colour("c1")]},
                },
                "shape": {
                    "field": "saved",
                    "type": "nominal",
                    "legend": None,
                    "scale": {"domain": ["as saved", "another"], "range": ["diamond", "circle"]},
                },
            },
        },
        {
            "transform": [{"filter": f"{inside} && {place}"}],
            "mark": {"type": "text", "align": "right", "dx": -9},
            "encoding": text,
        },
        {
            "transform": [{"filter": f"{inside} && !({place})"}],
            "mark": {"type": "text", "align": "left", "dx": 9},
            "encoding": text,
        },
    ]
    spec = document(
        {"params": params(analysis, kept), "data": {"values": data}, "layer": layers}, height=ROW * len(picked) + 6
    )
    legend = [LegendEntry(label="another epoch than the saved one", colour="c1", mark="dot")]
    if any(e == audit.saved for _, e in picked):
        legend.insert(0, LegendEntry(label="the saved epoch", colour="c2", mark="diamond"))
    return chart(
        "picks",
        "What each policy would have saved",
        spec,
        alt="The epoch that each stopping policy picks: " + listing([f"{n} {epoch_text(e)}" for n, e in picked]) + ".",
        legend=legend,
    )
