"""Post-hoc recalibration: the line that maps validation predictions onto validation truth."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from runreport.artifacts import write_atomically

Values = NDArray[np.float64]

BLOCKS = 5
"""Blocks of the cross-fit: each fit then rests on four fifths of the split, as in five-fold cross-validation."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """``intercept + slope·y_pred``."""

    slope: float
    intercept: float

    def __call__(self, y_pred: Values) -> Values:
        """Predictions on the line, the same shape."""
        return self.intercept + self.slope * y_pred


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalibration:
    """What a line would do for predictions. All R² are of the validation split; None where undefined.

    slope, intercept
        Least squares of y_true on y_pred over the whole split. The slope is r/α: below 1 predictions are spread too
        widely for what they know, above 1 too narrowly.
    r2_before
        R² of the predictions as they are.
    r2_after
        R² with the line fitted on the very same samples: r², an optimistic number.
    r2_after_crossfit
        R² with, for each of ``blocks`` blocks of neighbouring samples, the line fitted on the other blocks.
    applied
        Whether the run's test predictions were put through the line.
    """

    slope: float | None
    intercept: float | None
    r2_before: float | None
    r2_after: float | None
    r2_after_crossfit: float | None
    blocks: int
    applied: bool = False

    @property
    def line(self) -> Line | None:
        """The line, None where none could be fitted."""
        if self.slope is None or self.intercept is None:
            return None
        return Line(slope=self.slope, intercept=self.intercept)

    def to_dict(self) -> dict[str, Any]:
        """As the metrics file and the checkpoint have it."""
        return asdict(self)


def fit_line(y_true: Values, y_pred: Values) -> Line | None:
    """Least squares of y_true (n,) on y_pred (n,); None where predictions are constant, fewer than two or not finite.

    >>> fit_line(np.array([1.0, 3.0]), np.array([0.0, 4.0]))
    Line(slope=0.5, intercept=1.0)
    """
    if len(y_pred) < 2 or not np.isfinite(y_pred).all() or y_pred.min() == y_pred.max():
        return None
    centred = y_pred - y_pred.mean()
    slope = float(centred @ (y_true - y_true.mean()) / (centred @ centred))
    return Line(slope=slope, intercept=float(y_true.mean() - slope * y_pred.mean()))


def recalibration_of(y_true: Values, y_pred: Values, *, blocks: int = BLOCKS) -> Recalibration:
    """The line through validation predictions, and what it is worth on samples that it was not fitted on.

    y_true, y_pred: (n,), in time order, so that blocks are runs of neighbours: neighbours are alike, and a random fold
    would have the answer to its samples next door. With fewer than two samples a block there are fewer blocks, and no
    cross-fit below two. A block that the others give no line for leaves ``r2_after_crossfit`` undefined.
    """
    line = fit_line(y_true, y_pred)
    number = min(blocks, len(y_true) // 2)
    crossed: Values | None = np.empty_like(y_pred) if number >= 2 else None
    for held in np.array_split(np.arange(len(y_true)), max(number, 1)):
        rest = np.setdiff1d(np.arange(len(y_true)), held)
        fitted = fit_line(y_true[rest], y_pred[rest])
        if crossed is None or fitted is None:
            crossed = None
            break
        crossed[held] = fitted(y_pred[held])
    return Recalibration(
        slope=None if line is None else line.slope,
        intercept=None if line is None else line.intercept,
        r2_before=_r2(y_true, y_pred),
        r2_after=None if line is None else _r2(y_true, line(y_pred)),
        r2_after_crossfit=None if crossed is None else _r2(y_true, crossed),
        blocks=number,
    )


def recalibrated(y_pred: Tensor, recalibration: Recalibration | None) -> Tensor:
    """Predictions (n,) on the line where it is to be applied, in double precision; otherwise as they are."""
    if recalibration is None or not recalibration.applied or recalibration.line is None:
        return y_pred
    return recalibration.line.intercept + recalibration.line.slope * y_pred.double()


def _r2(y_true: Values, y_pred: Values) -> float | None:
    if not np.isfinite(y_pred).all() or y_true.min() == y_true.max():
        return None
    return float(1.0 - np.sum((y_true - y_pred) ** 2) / np.sum((y_true - y_true.mean()) ** 2))


def attach_to_checkpoint(path: Path, recalibration: Recalibration) -> None:
    """Adds the recalibration to a checkpoint under ``recalibration``, by atomic rename; all else stays as it is."""
    document: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    document["recalibration"] = recalibration.to_dict()
    write_atomically(path, lambda part: torch.save(document, part))
