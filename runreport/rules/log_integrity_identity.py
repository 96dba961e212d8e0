"""Whether the figures of one evaluation can all be true: the identity R² = 2rα - α² - β² (Murphy 1988).

α, r, β and R² of the same predictions satisfy it exactly. Where r or β is not logged it runs over all that it could be,
so that only a contradiction is reported, never a suspicion.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from runreport.context import Context, History
from runreport.rules.data_basis import usable
from runreport.rules.log_integrity_rounding import FLOAT32_RELATIVE, half_unit, half_units

ASSUMED_N = 50
"""Sample count where none is known. σ with ddof 1 instead of 0 moves α² and β² by 1/(n-1): with this n by 2 %."""
SQUARED_FIT = 5e-3
"""Relative scatter of ratio/std² below which a ratio column that comes without σt is a quotient of variances: logged to
three digits it scatters by less."""
SQUARED_CONTRAST = 0.05
"""...while ratio/std scatters by more than this: where the std hardly moves, the two cannot be told apart."""
FEWEST_FOR_SQUARED = 3
"""Epochs needed to recognise a quotient of variances by its course."""


class Figure(NamedTuple):
    """A logged figure and the most by which it may differ from the exact one. A tuple: made for every cell of a log."""

    value: float
    error: float = 0.0


Figures = Mapping[str, Figure]


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """R² as logged, the range that the other figures leave it, and the tolerance that was granted."""

    epoch: int | float | None
    r2: float
    lowest: float
    highest: float
    tolerance: float

    @property
    def excess(self) -> float:
        """By how much R² lies outside the range; > tolerance."""
        return max(self.r2 - self.highest, self.lowest - self.r2)


def epoch_figures(context: Context, history: History, prefix: str = "") -> dict[int | float, dict[str, Figure]]:
    """The figures of every epoch by their unprefixed names, with their rounding; the split's own statistics fill in.

    ``prefix`` is ``train_`` for the training split's columns.
    """
    names = ("r2", "variance_ratio", "pearson_r", "pred_mean", "pred_std", "true_mean", "true_std")
    columns = {name: history.finite(prefix + name) for name in names}
    table: dict[int | float, dict[str, Figure]] = {epoch: {} for epoch in history.epochs}
    for name, pairs in columns.items():
        for (epoch, value), rounding in zip(pairs, half_units(v for _, v in pairs), strict=True):
            if usable(value):
                table[epoch][name] = Figure(value=value, error=rounding + FLOAT32_RELATIVE * abs(value))
    split = "train" if prefix else "val"
    for name in ("true_mean", "true_std"):
        stated = context.split_statistic(split, name)
        if stated is not None and usable(stated) and not columns[name]:
            figure = Figure(value=stated, error=half_unit(stated) + FLOAT32_RELATIVE * abs(stated))
            for figures in table.values():
                figures[name] = figure
    return table


def std_quotient(figures: Figures) -> Figure | None:
    """σp/σt from the two stds; None where one is missing or σt is not positive."""
    pred, true = figures.get("pred_std"), figures.get("true_std")
    if pred is None or true is None or true.value <= 0 or pred.value < 0:
        return None
    alpha = pred.value / true.value
    return Figure(value=alpha, error=pred.error / true.value + alpha * true.error / true.value)


def bias_figure(figures: Figures) -> Figure | None:
    """β from the two means and σt; None where one of them is missing."""
    pred, true, std = (figures.get(name) for name in ("pred_mean", "true_mean", "true_std"))
    if pred is None or true is None or std is None or std.value <= 0:
        return None
    beta = (pred.value - true.value) / std.value
    return Figure(value=beta, error=(pred.error + true.error + abs(beta) * std.error) / std.value)


def judgeable(figures: Figures) -> bool:
    """Whether R² and a ratio are there: without both the identity says nothing."""
    alpha = std_quotient(figures) or figures.get("variance_ratio")
    return "r2" in figures and alpha is not None and alpha.value >= 0


def contradiction(
    figures: Figures, *, base: float, n: float | None, squared: bool = False, epoch: int | float | None = None
) -> Contradiction | None:
    """What contradicts the identity; None where nothing does, or where too little is logged to tell (`judgeable`).

    ``base`` is the tolerance before rounding, relative to max(1, |R²|); the rounding of every figure and the two
    conventions of ddof (1/(n-1) of α² and β²) are added to it. ``squared``: the ratio column holds α².
    """
    r2 = figures.get("r2")
    alpha = std_quotient(figures) or figures.get("variance_ratio")
    if r2 is None or alpha is None or alpha.value < 0:
        return None
    if squared and alpha is figures.get("variance_ratio"):
        root = math.sqrt(alpha.value)
        alpha = Figure(value=root, error=alpha.error / (2 * root) if root > 0 else math.sqrt(alpha.error))
    r, beta = figures.get("pearson_r"), bias_figure(figures)
    if r is not None and abs(r.value) > 1 + r.error:
        r = None
    a, b = alpha.value, 0.0 if beta is None else beta.value
    r_low, r_high = (-1.0, 1.0) if r is None else (r.value, r.value)
    highest = 2 * r_high * a - a * a - b * b
    lowest = -math.inf if beta is None else 2 * r_low * a - a * a - b * b
    ddof = 1 / ((n if n is not None and n > 1 else ASSUMED_N) - 1)
    steepest = max(abs(r_low), abs(r_high))
    tolerance = (
        base * max(1.0, abs(r2.value))
        + r2.error
        + 2 * (steepest + a) * alpha.error
        + 2 * a * (0.0 if r is None else r.error)
        + (0.0 if beta is None else 2 * abs(b) * beta.error + beta.error * beta.error)
        + ddof * (a * a + steepest * a + b * b)
    )
    if not math.isfinite(tolerance):
        return None  # Figures whose rounding is larger than themselves contradict nothing.
    if lowest - tolerance <= r2.value <= highest + tolerance:
        return None
    return Contradiction(epoch=epoch, r2=r2.value, lowest=lowest, highest=highest, tolerance=tolerance)


@dataclass(frozen=True, slots=True, kw_only=True)
class RatioColumn:
    """What the ratio column holds.

    kind
        ``ratio`` (σp/σt), ``squared`` (σp²/σt²), ``other`` (neither), ``unknown`` (no stds to compare with).
    differing
        Epochs at which it is not σp/σt; empty where that could not be compared.
    """

    kind: str
    differing: tuple[int | float, ...] = ()
    compared: int = 0
    worst: tuple[float, float] | None = None


def ratio_column(table: Mapping[int | float, Figures], *, base: float, n: float | None) -> RatioColumn:
    """Whether the logged ratio is the quotient of the logged stds, or its square."""
    ddof = 0.5 / ((n if n is not None and n > 1 else ASSUMED_N) - 1)
    differing: list[tuple[float, int | float, float, float]] = []
    squares = compared = 0
    for epoch, figures in table.items():
        logged, alpha = figures.get("variance_ratio"), std_quotient(figures)
        if logged is None or alpha is None:
            continue
        compared += 1
        tolerance = base * max(1.0, alpha.value) + logged.error + alpha.error + ddof * alpha.value
        if not math.isfinite(tolerance) or abs(logged.value - alpha.value) <= tolerance:
            continue
        differing.append((abs(logged.value - alpha.value), epoch, logged.value, alpha.value))
        square_tolerance = tolerance + 2 * alpha.value * (alpha.error + ddof * alpha.value)
        squares += abs(logged.value - alpha.value * alpha.value) <= square_tolerance
    if differing:
        _, _, logged_value, expected = max(differing)
        # α and α² agree at 0 and 1, so epochs where the ratio fits do not speak against the square.
        kind = "squared" if squares >= 0.9 * len(differing) and len(differing) >= 0.5 * compared else "other"
        return RatioColumn(
            kind=kind, differing=tuple(d[1] for d in differing), compared=compared, worst=(logged_value, expected)
        )
    if compared:
        return RatioColumn(kind="ratio", compared=compared)
    logged_pairs = [
        (f["variance_ratio"].value, f["pred_std"].value)
        for f in table.values()
        if "variance_ratio" in f and "pred_std" in f
    ]
    return RatioColumn(kind="squared" if follows_the_square(logged_pairs) else "unknown")


def follows_the_square(logged: Iterable[tuple[float, float]]) -> bool:
    """Whether ratio/std² is the same at all epochs and ratio/std is not: the validation set, hence σt, does not change.

    ``logged``: (ratio, std of the predictions) of each epoch that has both.
    """
    pairs = [(ratio, std) for ratio, std in logged if ratio > 0.01 and std > 0]
    if len(pairs) < FEWEST_FOR_SQUARED:
        return False
    return (
        _scatter([ratio / (std * std) for ratio, std in pairs]) < SQUARED_FIT
        and _scatter([ratio / std for ratio, std in pairs]) > SQUARED_CONTRAST
    )


def _scatter(values: list[float]) -> float:
    """Largest relative distance from the median."""
    centre = median(values)
    return max(abs(v / centre - 1) for v in values)
