"""Predicted against true on the validation set, one epoch at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from runreport.analysis.record import Analysis
from runreport.report.charts import significant
from runreport.report.interactive.epoch_axis import epoch_value
from runreport.report.interactive.samples import TIPS, line_layer, share_text, square_axes
from runreport.report.interactive.vega import SQUARE, Spec, chart, colour, document
from runreport.report.model import ChartGroup, LegendEntry
from runreport.wording import epoch as epoch_text
from runreport.wording import fixed, percent, plural

if TYPE_CHECKING:
    import numpy as np

    from runreport.context import EpochPredictions

MOST_NUMBERS = 30_000
"""Predictions kept in a page, over all its epochs: some 200 kB."""
FEWEST_ROWS, MOST_ROWS = 200, 1000
"""Samples drawn: below the first a cloud has no shape, above the second it has no dots."""
REACH = 2.0
"""Ranges of the truth beyond either end that the axes show: an early epoch far off must not flatten all others."""
SEED = 0
"""Of the draw of samples, where not all are drawn."""


def by_epoch_group(analysis: Analysis) -> ChartGroup | None:
    """The scatter and its slider; None without per-epoch predictions that fit in memory."""
    held = analysis.context.epoch_predictions
    if held is None or len(held.epochs) < 2 or not held.y_true.std(ddof=0) > 0:
        return None
    n = len(held.y_true)
    count = min(n, max(FEWEST_ROWS, min(MOST_ROWS, MOST_NUMBERS // len(held.epochs))))
    epochs = _epochs(held, analysis.context.saved_epoch, max(2, MOST_NUMBERS // count))
    drawn = sampled_rows(n, count)
    true = held.y_true[drawn]
    at = {e: i for i, e in enumerate(held.epochs)}
    low, high = _domain(held)
    saved = analysis.context.saved_epoch
    shown = epochs.index(saved) if saved in epochs else len(epochs) - 1
    pages = [_page(held, at[e], drawn, low, high, analysis) for e in epochs]
    notes = []
    if count < n:
        notes.append(f"{share_text(count, n)} are drawn, chosen at random (seed {SEED}); the lines are of all.")
    if len(epochs) < len(held.epochs):
        notes.append(f"{len(epochs)} of {len(held.epochs)} epochs can be shown.")
    spec = _spec(true.tolist(), pages[shown], low, high)
    made = chart(
        "by-epoch",
        f"Predicted against true, {held.split} set, one epoch at a time",
        spec,
        alt=f"Predicted against true values of the {held.split} set at the epoch of the slider, with the identity and the "
        f"calibration line. {plural(count, 'sample')}, {plural(len(epochs), 'epoch')}.",
        note=" ".join(notes),
        legend=(
            LegendEntry(label="a sample", colour="c1", mark="dot"),
            LegendEntry(label="predicted = true", colour="c4", mark="dash"),
            LegendEntry(label="mean truth at a prediction", colour="c2"),
        ),
    )
    state = {
        "epochs": [epoch_value(e) for e in epochs],
        "at": shown,
        "last_index": len(epochs) - 1,
        "y_true": [significant(float(v)) for v in true],
        "y_pred": [page["y_pred"] for page in pages],
        "line": [page["line"] for page in pages],
        "said": [page["said"] for page in pages],
    }
    return ChartGroup(id="by-epoch-group", charts=(made,), controls="epoch", label="Epoch shown", state=state)


def sampled_rows(n: int, count: int) -> np.ndarray[tuple[int], np.dtype[np.intp]]:
    """Numbers of the rows drawn, in file order: all of them, or ``count`` without replacement."""
    import numpy as np

    if count >= n:
        return np.arange(n)
    return np.sort(np.random.default_rng(SEED).choice(n, size=count, replace=False))


def _epochs(held: EpochPredictions, saved: int | float | None, most: int) -> list[int | float]:
    """The epochs that can be shown: all, or evenly spaced ones with the first, the last and the saved."""
    every = held.epochs
    if len(every) <= most:
        return list(every)
    step = -(-len(every) // max(most - 2, 1))
    return sorted({*every[::step], every[-1], *([saved] if saved in every and saved is not None else [])})


def _domain(held: EpochPredictions) -> tuple[float, float]:
    """Axes that hold every epoch, at most :data:`REACH` ranges of the truth beyond its ends."""
    bottom, top = float(held.y_true.min()), float(held.y_true.max())
    reach = REACH * (top - bottom)
    low = max(min(bottom, float(held.y_pred.min())), bottom - reach)
    high = min(max(top, float(held.y_pred.max())), top + reach)
    margin = 0.03 * (high - low)
    return significant(low - margin) or 0.0, significant(high + margin) or 0.0


def _page(
    held: EpochPredictions,
    index: int,
    drawn: np.ndarray[tuple[int], np.dtype[np.intp]],
    low: float,
    high: float,
    analysis: Analysis,
) -> dict[str, object]:
    """What the scatter shows at one epoch; figures are of all samples of the split."""
    true, pred = held.y_true, held.y_pred[index]
    mean, std = float(pred.mean()), float(pred.std(ddof=0))
    true_mean, true_std = float(true.mean()), float(true.std(ddof=0))
    covariance = float(((pred - mean) * (true - true_mean)).mean())
    slope = covariance / (std * std) if std > 0 else None
    line: list[dict[str, object]] = []
    if slope is not None:
        line = [
            {"y_true": significant(true_mean + slope * (p - mean)), "y_pred": significant(p)}
            for p in (float(pred.min()), float(pred.max()))
        ]
    outside = int(((pred < low) | (pred > high)).sum())
    epoch = held.epochs[index]
    r2 = 1.0 - float(((pred - true) ** 2).mean()) / (true_std * true_std)
    said = f"Epoch {epoch_text(epoch)}: R² {fixed(r2)}, std ratio {percent(std / true_std)}"
    if std > 0:
        said += f", r {fixed(covariance / (std * true_std), 2)}, slope {fixed(slope, 2)}"
    said += f", mean off by {fixed((mean - true_mean) / true_std, 2)} σ"
    if epoch == analysis.context.saved_epoch:
        said = said.replace(":", " (saved):", 1)
    if outside:
        said += f"; {plural(outside, 'prediction')} beyond the axes, drawn at their edge"
    return {"y_pred": [significant(float(v)) for v in pred[drawn]], "line": line, "said": f"{said}."}


def _spec(true: list[float], page: dict[str, object], low: float, high: float) -> Spec:
    x, y = square_axes(low, high)
    pred = page["y_pred"]
    points = [
        {"y_true": significant(t), "y_pred": p}
        for t, p in zip(true, pred if isinstance(pred, list) else [], strict=True)
    ]
    tips = [{"field": f, "type": "quantitative", "format": ".4~g", "title": t} for f, t in TIPS]
    identity: Spec = {"values": [{"y_true": v, "y_pred": v} for v in (low, high)]}
    return document(
        {
            "layer": [
                {
                    "data": {"name": "points", "values": points},
                    "mark": {"type": "circle", "size": 28, "opacity": 0.6, "color": colour("c1")},
                    "encoding": {"x": x, "y": y, "tooltip": tips},
                },
                line_layer("identity", x, y, "c4", True, identity),
                line_layer("calibration", x, y, "c2", False, {"name": "line", "values": page["line"]}),
            ]
        },
        width=SQUARE,
        height=SQUARE,
    )
