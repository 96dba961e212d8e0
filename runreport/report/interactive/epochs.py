"""The course of a run: panels over the epochs that share one range and one epoch, and what each policy would have saved."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from runreport.analysis.record import Analysis
from runreport.context import History
from runreport.marks import clean
from runreport.report.charts import LOG_DECADES, LOWEST_R2, _thinned
from runreport.report.interactive.epoch_axis import domain, epoch_value, params, rules, ticks, x_axis
from runreport.report.interactive.picks import picks_chart
from runreport.report.interactive.vega import MUTED, TEXT, Spec, chart, colour, document, rows, y_axis
from runreport.report.model import Chart, ChartGroup, LegendEntry, Table, table
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, listing, number, percent

PANEL, OVERVIEW = 130, 46
"""Heights in pixels: a panel, the strip in which epochs are chosen."""
TINY = 1e-3
"""Largest value below which an axis counts in powers of ten."""
SMALL = "datum.value === 0 ? '0' : format(datum.value, '.1~e')"
GAP = 1.5
"""Steps between logged epochs from which a line is dashed: it claims nothing about the epochs between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A column as a line."""

    column: str
    label: str
    colour: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Columns that share an axis. ``level``: a value that means something, and what."""

    id: str
    title: str
    series: tuple[Series, ...]
    level: tuple[float, str] | None = None
    may_log: bool = False
    cut: bool = False


PANELS = (
    Panel(
        id="r2",
        title="R²",
        series=(Series(column="r2", label="validation", colour="c1"), Series(column="train_r2", label="train", colour="c4")),
        level=(0.0, "0: as good as the mean"),
        cut=True,
    ),
    Panel(
        id="ratio",
        title="Std ratio α and correlation r",
        series=(
            Series(column="variance_ratio", label="std ratio α", colour="c1"),
            Series(column="pearson_r", label="correlation r (the best α)", colour="c3"),
        ),
    ),
    Panel(
        id="loss",
        title="Loss",
        series=(
            Series(column="val_loss", label="validation", colour="c1"),
            Series(column="train_loss", label="train", colour="c4"),
        ),
        may_log=True,
    ),
    Panel(
        id="rate",
        title="Learning rate",
        series=(Series(column="learning_rate", label="learning rate", colour="c1"),),
        may_log=True,
    ),
    Panel(
        id="gradient",
        title="Gradient of the penalty over that of the base loss",
        series=(Series(column="grad_norm_ratio", label="gradient ratio", colour="c1"),),
        level=(1.0, "1: equally large"),
        may_log=True,
    ),
)  # fmt: skip


def epoch_group(analysis: Analysis) -> ChartGroup | None:
    """The strip, the panels that have data, and the policies' picks; None with fewer than two epochs or no known column."""
    history = analysis.history
    if history is None or len(history) < 2:
        return None
    kept = _thinned(analysis)
    thinned = f"{len(kept)} of {len(history)} epochs are drawn." if len(kept) < len(history) else ""
    made = [panel_chart(panel, analysis, kept, thinned) for panel in PANELS]
    panels = [c for c in made if c is not None]
    if not panels:
        return None
    first = next(p for p in PANELS if any(history.has(s.column) for s in p.series))
    charts = [overview(first, analysis, kept), *panels]
    picks = picks_chart(analysis)
    if picks is not None:
        charts.append(picks)
    at = analysis.context.saved_epoch
    shown = at if at in kept else kept[-1]
    state = {
        "epochs": [epoch_value(e) for e in kept],
        "at": kept.index(shown),
        "last_index": len(kept) - 1,
        "said": [said_of(analysis, e) for e in kept],
    }
    return ChartGroup(
        id="epochs", charts=tuple(charts), controls="epochs", label="Epochs", legend=_marks(analysis), state=state
    )


def said_of(analysis: Analysis, epoch: int | float) -> str:
    """A line of what is known of an epoch."""
    row = next((r for r in analysis.rows if r.epoch == epoch), None)
    found: list[str] = []
    for name, label, show in (
        ("r2", "R²", fixed),
        ("variance_ratio", "std ratio", percent),
        ("pearson_r", "r", lambda v: fixed(v, 2)),
        ("val_loss", "val loss", number),
        ("train_loss", "train loss", number),
        ("learning_rate", "learning rate", lambda v: number(v, 2)),
    ):
        value = row.values.get(name) if row is not None else None
        if value is not None:
            found.append(f"{label} {show(value)}")
    if row is not None and row.bias is not None:
        found.insert(min(3, len(found)), f"mean off by {fixed(row.bias, 2)} σ")
    audit = analysis.selection
    by = [clean(p.policy) for p in audit.picks if p.epoch == epoch] if audit is not None else []
    picked = f" Picked by {listing(by)}." if by else ""
    saved = " (saved)" if epoch == analysis.context.saved_epoch else ""
    return f"Epoch {epoch_text(epoch)}{saved}: {', '.join(found) or 'nothing was logged'}.{picked}"


def _marks(analysis: Analysis) -> tuple[LegendEntry, ...]:
    saved = analysis.context.saved_epoch
    entries = [LegendEntry(label="the epoch shown", colour="muted", mark="rule")]
    if saved is not None and analysis.history is not None and saved in analysis.history.epochs:
        entries.insert(0, LegendEntry(label=f"saved: epoch {epoch_text(saved)}", colour="c2", mark="dash"))
    return tuple(entries)


def panel_chart(panel: Panel, analysis: Analysis, kept: Sequence[int | float], thinned: str) -> Chart | None:
    """One panel, or None where the log has none of its columns."""
    history = analysis.history
    if history is None:
        return None
    drawn = [s for s in panel.series if history.has(s.column)]
    if not drawn:
        return None
    names = [s.column for s in drawn]
    data = rows(
        ["epoch", *names],
        [epoch_value(e) for e in kept],
        *([history.at(e, name) for e in kept] for name in names),
    )
    values = [v for name in names for _, v in history.finite(name)]
    log = panel.may_log and min(values) > 0 and math.log10(max(values) / min(values)) > LOG_DECADES
    cut = panel.cut and _worth_cutting(values)
    notes = [thinned] if thinned else []
    if log:
        notes.insert(0, "Logarithmic axis.")
    if cut:
        notes.insert(
            0,
            f"Cut at {fixed(LOWEST_R2, 0)} (lowest: {number(min(values))}); choose a range of epochs to see it uncut.",
        )
    scale: Spec = {"type": "log"} if log else {"zero": False, "nice": True, "domainMin": {"expr": "cut"}}
    given = [*params(analysis, kept), {"name": "cut", "value": LOWEST_R2 if cut else None}]
    axis = y_axis(labelExpr=SMALL) if max(abs(v) for v in values) < TINY else y_axis(format="~g")
    y: Spec = {"type": "quantitative", "scale": scale, "axis": axis}
    layers: list[Spec] = []
    if panel.level is not None and not log:
        layers.append(
            {
                "data": {"values": [{"level": panel.level[0]}]},
                "mark": {"type": "rule", "color": MUTED, "strokeDash": [2, 3], "clip": True},
                "encoding": {"y": y | {"field": "level"}},
            }
        )
    sparse = any(b - a > GAP for a, b in zip(history.epochs, history.epochs[1:], strict=False))
    for series in drawn:
        line: Spec = {"type": "line", "color": colour(series.colour), "strokeWidth": 2, "clip": cut}
        line["point"] = {"size": 60 if sparse else (22 if len(kept) <= 80 else 0), "color": colour(series.colour)}
        if sparse:
            line |= {"strokeDash": [2, 4], "strokeWidth": 1}
        layers.append({"mark": line, "encoding": {"x": x_axis(ticks()), "y": y | {"field": series.column}}})
    # On the first of them, so that the other layers know its range as well.
    layers[-len(drawn)]["params"] = [{"name": "brush", "select": {"type": "interval", "encodings": ["x"]}}]
    layers += rules(analysis)
    layers.append(_pointer(drawn))
    spec = document(
        {
            "params": given,
            "data": {"values": data},
            "transform": [{"filter": "datum.epoch >= first && datum.epoch <= last"}],
            "layer": layers,
        },
        height=PANEL,
    )
    legend = [LegendEntry(label=s.label, colour=s.colour, mark="dots" if sparse else "line") for s in drawn]
    if panel.level is not None and not log:
        legend.append(LegendEntry(label=panel.level[1], colour="muted", mark="dash"))
    return chart(
        f"panel-{panel.id}",
        panel.title,
        spec,
        alt=_alt(panel.title, drawn, history),
        note=" ".join(notes),
        legend=legend,
        table=_table(drawn, history, kept),
    )


def _worth_cutting(values: Sequence[float]) -> bool:
    """Whether most of R² lies above the cut, and some far below."""
    return min(values) < LOWEST_R2 < sorted(values)[len(values) // 4]


def _pointer(drawn: Sequence[Series]) -> Spec:
    """The nearest epoch under the pointer, with its values."""
    tips: list[Spec] = [{"field": "epoch", "type": "quantitative", "title": "epoch"}]
    tips += [{"field": s.column, "type": "quantitative", "title": s.label, "format": ".4~g"} for s in drawn]
    return {
        "mark": {"type": "rule", "color": TEXT, "strokeWidth": 1},
        "params": [
            {
                "name": "hover",
                "select": {"type": "point", "fields": ["epoch"], "nearest": True, "on": "pointerover", "clear": "pointerout"},
            }
        ],
        "encoding": {
            "x": x_axis(ticks()),
            "opacity": {"condition": {"param": "hover", "empty": False, "value": 0.5}, "value": 0},
            "tooltip": tips,
        },
    }  # fmt: skip


def _alt(title: str, drawn: Sequence[Series], history: History) -> str:
    parts = []
    for series in drawn:
        finite = history.finite(series.column)
        (e0, v0), (e1, v1) = finite[0], finite[-1]
        parts.append(
            f"{series.label}: {number(v0)} at epoch {epoch_text(e0)}, {number(v1)} at epoch {epoch_text(e1)}, "
            f"lowest {number(min(v for _, v in finite))}, highest {number(max(v for _, v in finite))}"
        )
    return f"{title} over the epochs. {'. '.join(parts)}."


def _table(drawn: Sequence[Series], history: History, kept: Sequence[int | float]) -> Table:
    body = [[epoch_text(e), *(_cell(history.at(e, s.column)) for s in drawn)] for e in kept]
    return table(["epoch", *(s.label for s in drawn)], body)


def _cell(value: float | None) -> str:
    return "" if value is None else number(value, 4)


def overview(panel: Panel, analysis: Analysis, kept: Sequence[int | float]) -> Chart:
    """The strip over all epochs in which a range is chosen by dragging."""
    history = analysis.history
    if history is None:
        raise ValueError("no history to choose epochs of")
    series = next(s for s in panel.series if history.has(s.column))
    data = rows(["epoch", "value"], [epoch_value(e) for e in kept], [history.at(e, series.column) for e in kept])
    values = [v for _, v in history.finite(series.column)]
    scale: Spec = {"zero": False, "nice": False}
    if panel.cut and _worth_cutting(values):
        scale["domainMin"] = LOWEST_R2
    x: Spec = {
        "field": "epoch",
        "type": "quantitative",
        "scale": {"domain": domain(history), "nice": False, "zero": False, "padding": 6},
        "axis": ticks(),
    }
    blank = y_axis(labels=False, ticks=False, grid=False, domain=False)
    y: Spec = {"field": "value", "type": "quantitative", "scale": scale, "axis": blank}
    spec = document(
        {
            "params": [{"name": "brush", "select": {"type": "interval", "encodings": ["x"]}}],
            "data": {"values": data},
            "mark": {"type": "line", "color": colour("c1"), "strokeWidth": 1.5, "clip": True, "point": {"size": 12}},
            "encoding": {"x": x, "y": y},
        },
        height=OVERVIEW,
    )
    said = f"All epochs: {panel.title.partition(' and ')[0]}, {series.label}"
    return chart(
        "overview", said, spec, alt=f"A strip over all {len(history)} logged epochs, for choosing a range of them."
    )
