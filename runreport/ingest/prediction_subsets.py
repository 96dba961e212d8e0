"""Whether a table of predictions holds only the rows with the largest errors: no figure of such a table is of the model."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from runreport.errors import InputError

if TYPE_CHECKING:
    import numpy as np
    import polars as pl

FEWEST_ROWS = 50
"""Below it the gap around zero and the shape beside it cannot both be told from chance."""
CHANCE = 1e-6
"""Probability under which a gap is no accident: a person may read thousands of files and none should be refused by luck."""
MINORITY = 0.1
"""Share of the rarer sign of the error from which the errors lie on both sides of the gap."""


def refuse_worst_rows(path: Path, rows: pl.DataFrame) -> None:
    """Refuses predictions from which the rows with small errors were taken out, where that can be shown.

    Shown means all of these. No error is anywhere near zero: with a density of abs(error) that does not rise (an error
    around zero has one), P(abs(error) < t · median) ≥ t/2, so that n rows all miss it with at most (1 - t/2)ⁿ. The
    errors are densest right at the gap, as a cut leaves them, and thin out from there. They lie on both sides of it: those
    of a mere bias do not. And either the rows are sorted by their error, or even truths and predictions paired at random
    fall into the gap. In 300 simulated tables a case (good, weak, biased, bimodal, anti-correlated models, two groups with
    biases of their own; 144 and 1000 rows) no whole table was refused; of the worst tenth of 1440 rows of a model with
    normal errors 82 to 86 % were, of 10,000 rows all.

    Raises
    ------
    InputError
        Where it is shown.
    """
    if rows.height < FEWEST_ROWS:
        return
    import numpy as np

    true, pred = rows["y_true"].to_numpy(), rows["y_pred"].to_numpy()
    size = np.abs(pred - true)
    floor, low, middle, high = (float(q) for q in np.quantile(size, (0.0, 0.25, 0.5, 0.75)))
    if not 0 < floor < middle or (1 - floor / middle / 2) ** len(size) >= CHANCE:
        return
    if not low - floor < middle - low < high - middle:
        return
    above = float(np.mean(pred > true))
    if not MINORITY <= above <= 1 - MINORITY:
        return  # errors of one sign may be a bias, which keeps away from zero by itself
    steps = np.diff(size)
    if (steps <= 0).all() or (steps >= 0).all() or _gap_by_choice(true, pred, floor):
        raise InputError(
            path,
            found=f"only rows with large errors: none of {len(size)} below {floor:.3g}, where the median is {middle:.3g}",
            expected="the predictions of all samples",
            remedy="write every row: the scores of a selection by error say nothing of the model",
        )


def _gap_by_choice(true: np.ndarray, pred: np.ndarray, floor: float) -> bool:
    """Whether the errors avoid a gap into which truths and predictions of different rows would fall."""
    import numpy as np

    if true.std() == 0 or pred.std() == 0:
        return False
    if np.corrcoef(true, pred)[0, 1] <= 0:
        return False  # a model that is worse than chance keeps away from the truth by itself
    ordered = np.sort(pred)
    inside = np.searchsorted(ordered, true + floor, "left") - np.searchsorted(ordered, true - floor, "right")
    share = float(inside.sum()) / (len(true) * (len(true) - 1))
    return bool((1 - min(share, 1.0)) ** len(true) < CHANCE)
