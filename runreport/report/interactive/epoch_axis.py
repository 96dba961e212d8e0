"""What every chart over the epochs shares: its axis with the range chosen on the page, and its upright lines."""

from __future__ import annotations

from collections.abc import Sequence

from runreport.analysis.record import Analysis
from runreport.context import History
from runreport.report.interactive.vega import MUTED, Spec, colour


def epoch_value(epoch: int | float) -> int | float:
    """An epoch as JSON has it: whole ones without a point."""
    return int(epoch) if float(epoch).is_integer() else epoch


def domain(history: History) -> list[int | float]:
    """First and last logged epoch."""
    return [epoch_value(history.epochs[0]), epoch_value(history.epochs[-1])]


def params(analysis: Analysis, kept: Sequence[int | float]) -> list[Spec]:
    """What the page's script sets: the range of epochs shown (``first``, ``last``) and the one epoch (``at``)."""
    history = analysis.history
    if history is None:
        return []
    low, high = domain(history)
    saved = analysis.context.saved_epoch
    at = saved if saved is not None and saved in kept else kept[-1]
    return [
        {"name": "first", "value": low},
        {"name": "last", "value": high},
        {"name": "at", "value": epoch_value(at)},
    ]


def x_axis(axis: Spec | None) -> Spec:
    """The epochs of the range."""
    scale = {"domain": {"expr": "[first, last]"}, "nice": False, "zero": False, "padding": 6}
    return {"field": "epoch", "type": "quantitative", "scale": scale, "axis": axis}


def ticks() -> Spec:
    """Numbers of whole epochs, without a title: the heading above says what they are."""
    return {"title": None, "tickMinStep": 1, "tickCount": 8, "grid": False}


def rules(analysis: Analysis) -> list[Spec]:
    """The saved epoch and the epoch that is shown, as upright lines."""
    history, saved = analysis.history, analysis.context.saved_epoch
    inside = "datum.epoch >= first && datum.epoch <= last"
    shown: Spec = {"type": "rule", "color": MUTED, "strokeWidth": 1, "opacity": 0.6}
    layers: list[Spec] = [
        {
            "data": {"values": [{}]},
            "transform": [{"calculate": "at", "as": "epoch"}, {"filter": inside}],
            "mark": shown,
            "encoding": {"x": x_axis(ticks())},
        }
    ]
    if saved is not None and history is not None and saved in history.epochs:
        layers.append(
            {
                "data": {"values": [{"epoch": epoch_value(saved)}]},
                "transform": [{"filter": inside}],
                "mark": {"type": "rule", "color": colour("c2"), "strokeDash": [5, 4], "strokeWidth": 2},
                "encoding": {"x": x_axis(ticks())},
            }
        )
    return layers
