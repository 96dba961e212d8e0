"""What the page's charts share: the frame of a document, axes, marks, and the drawing that needs no script.

Documents are plain Vega-Lite (https://vega.github.io/vega-lite/docs/); the tests check each against altair's schema.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from runreport.marks import clean
from runreport.report.charts import significant, stable_svg
from runreport.report.model import Chart, LegendEntry, Table

Spec = dict[str, object]

SCHEMA = "https://vega.github.io/schema/vega-lite/v6.json"
"""The name of the format, not an address that anything fetches."""
DRAWN_WIDTH = 640
"""Pixels of the drawing without script; with it a chart is as wide as its column."""
AXIS = 52
"""Pixels kept for the numbers of a vertical axis, the same in every panel, so that epochs stand under each other."""
SQUARE = 300
"""Side of a square chart: fits a phone of 375 pixels with its margins."""
SERIES, PER_DASH = 8, 4
"""Colours of the page for runs, after Okabe & Ito (2008) for who sees few; every four further runs have other dashes, so
that no two of a dozen differ in their colour alone by a shade."""
DASHES: tuple[tuple[int, ...], ...] = ((1, 0), (6, 3), (2, 2))

TEXT, MUTED, GRID = "var(--text)", "var(--muted)", "var(--grid)"
CONFIG: Spec = {
    "aria": False,  # the figure around it says what it shows, once; not each of a hundred points
    "font": "inherit",
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": MUTED,
        "titleFontWeight": "normal",
        "titleFontSize": 12,
        "labelFontSize": 11,
        "gridColor": GRID,
        "domainColor": GRID,
        "tickColor": GRID,
        "labelOverlap": True,
    },
    "text": {"fill": TEXT, "fontSize": 11},
}


def colour(name: str) -> str:
    """A colour of the page.

    >>> colour("c1")
    'var(--c1)'
    """
    return f"var(--{name})"


def document(
    content: Mapping[str, object], *, width: int | None = None, height: int, padding: int | Mapping[str, int] = 2
) -> Spec:
    """A whole document; as wide as its place on the page where ``width`` is None."""
    frame: Spec = {
        "$schema": SCHEMA,
        "background": "transparent",
        "config": CONFIG,
        "height": height,
        "width": width if width is not None else "container",
        "padding": padding,
    }
    if width is None:
        frame["autosize"] = {"type": "fit-x", "contains": "padding"}
    return frame | dict(content)


def chart(
    name: str,
    title: str,
    spec: Spec,
    *,
    alt: str,
    note: str = "",
    legend: Sequence[LegendEntry] = (),
    table: Table | None = None,
) -> Chart:
    """The chart with its drawing."""
    return Chart(
        id=name,
        title=title,
        alt=alt,
        note=note,
        spec=spec,
        svg=static(spec, name),
        legend=tuple(legend),
        table=table,
    )


def static(spec: Spec, prefix: str) -> str:
    """The document drawn, for a page without script."""
    import vl_convert

    fixed = {k: v for k, v in spec.items() if k != "autosize"}
    if fixed.get("width") == "container":
        fixed |= {"width": DRAWN_WIDTH, "autosize": {"type": "fit-x", "contains": "padding"}}
    return stable_svg(vl_convert.vegalite_to_svg(json.dumps(fixed)), f"{prefix}-")


def rows(names: Sequence[str], *columns: Sequence[object]) -> list[dict[str, object]]:
    """Records for a document: floats to the digits that a pixel can show, text cleaned."""
    return [
        {name: _plain(value) for name, value in zip(names, values, strict=True)}
        for values in zip(*columns, strict=True)
    ]


def _plain(value: object) -> object:
    if isinstance(value, float):
        return significant(value)
    return clean(value) if isinstance(value, str) else value


def y_axis(**more: object) -> Spec:
    """A vertical axis whose numbers take the same room in every panel."""
    return {"title": None, "tickCount": 4, "minExtent": AXIS, "maxExtent": AXIS} | more
