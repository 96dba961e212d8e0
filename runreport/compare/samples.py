"""Whether runs predicted the same samples, and their predictions side by side where they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from runreport.analysis.predictions import group_column, labels
from runreport.analysis.record import Analysis
from runreport.wording import listing

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[tuple[int], np.dtype[np.float64]]

TRUTH_TOLERANCE = 1e-6
"""Relative difference up to which two files' truths are the same numbers: float32 printed to seven digits."""
KEYS = ("flight_name", "local_indices")
"""Columns that name a sample, where both files have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """y_true (n,), run -> y_pred (n,), group labels (n,) or None; rows in the first run's order."""

    y_true: Vector
    y_pred: Mapping[str, Vector]
    groups: np.ndarray[tuple[int], np.dtype[np.generic]] | None


def match_samples(analyses: Sequence[Analysis]) -> Matched | str:
    """The runs' predictions on the same samples, or the reason why they cannot be paired."""
    without = [a.run.name for a in analyses if a.run.predictions is None]
    if without:
        verb = "has" if len(without) == 1 else "have"
        return f"{listing(without, most=4)} {verb} no predictions, and a paired test needs those of every run"
    splits = {a.run.split for a in analyses}
    if len(splits) > 1:
        return f"their predictions are of different splits ({listing(sorted(str(s) for s in splits))})"
    import numpy as np
    import polars as pl

    first = analyses[0].run
    base = first.predictions
    if base is None:
        return "no predictions"
    predictions: dict[str, Vector] = {first.name: base["y_pred"].to_numpy()}
    truth = base["y_true"].to_numpy()
    for analysis in analyses[1:]:
        run = analysis.run
        other = run.predictions
        if other is None or other.height != base.height:
            count = 0 if other is None else other.height
            return f"{first.name} was evaluated on {base.height} samples and {run.name} on {count}"
        keys = [k for k in KEYS if k in base.columns and k in other.columns]
        if keys and not base.select(keys).equals(other.select(keys)):
            if base.select(pl.struct(keys).n_unique()).item() < base.height:
                return f"the rows of {first.name} and {run.name} are in another order and have no unique key"
            joined = base.select(keys).join(other, on=keys, how="left", maintain_order="left")
            if joined["y_true"].null_count():
                return f"{first.name} and {run.name} were evaluated on different samples (their {listing(keys)} differ)"
            other = joined
        theirs = other["y_true"].to_numpy()
        scale = max(float(np.abs(truth).max()), 1e-300)
        if not np.allclose(truth, theirs, rtol=TRUTH_TOLERANCE, atol=TRUTH_TOLERANCE * scale):
            return f"{first.name} and {run.name} were evaluated on different samples (their true values differ)"
        predictions[run.name] = other["y_pred"].to_numpy()
    group = group_column(base, ("y_true", "y_pred"))
    return Matched(y_true=truth, y_pred=predictions, groups=labels(base[group]) if group is not None else None)


def same_truth_summary(analyses: Sequence[Analysis]) -> bool:
    """Whether n, mean and std of the truth agree in all runs: what summaries can show of "the same samples"."""
    seen = {(a.final["true_mean"], a.final["true_std"], a.final.n) for a in analyses if a.final is not None}
    return len(seen) == 1 and all(a.final is not None for a in analyses) and None not in next(iter(seen))
