"""Whether runs predicted the same samples, and their predictions side by side where they did."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runreport.analysis.predictions import group_column, labels
from runreport.analysis.record import Analysis
from runreport.wording import listing

if TYPE_CHECKING:
    import numpy as np

    Vector = np.ndarray[tuple[int], np.dtype[np.float64]]

TRUTH_TOLERANCE = 1e-6
"""Relative difference up to which two files' truths are the same numbers: float32 printed to seven digits."""
NO_PREDICTIONS = "no predictions"
KEYS = ("flight_name", "local_indices")
"""Columns that name a sample, where both files have them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Matched:
    """y_true (n,), run -> y_pred (n,), group labels (n,) or None; rows in the order of the first run of ``y_pred``.

    left_out
        Run -> why its predictions could not be put beside the others'.
    """

    y_true: Vector
    y_pred: Mapping[str, Vector]
    groups: np.ndarray[tuple[int], np.dtype[np.generic]] | None
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class _Group:
    """Runs on the same samples, and the first of them as the measure of "the same"."""

    first: Analysis
    predictions: dict[str, Vector]


def match_samples(analyses: Sequence[Analysis]) -> Matched | str:
    """The predictions of the most runs that were evaluated on the same samples (of two equal groups the first), with the
    runs left out and why; or, where no two runs were, the reason why none can be paired."""
    without = [a.run.name for a in analyses if a.run.predictions is None]
    groups: list[_Group] = []
    for analysis in analyses:
        frame = analysis.run.predictions
        if frame is None:
            continue
        for group in groups:
            found = _aligned(group.first, analysis)
            if not isinstance(found, str):
                group.predictions[analysis.run.name] = found
                break
        else:
            groups.append(_Group(first=analysis, predictions={analysis.run.name: frame["y_pred"].to_numpy()}))
    largest = max(groups, key=lambda group: len(group.predictions), default=None)
    if largest is None or len(largest.predictions) < 2:
        return _refusal(analyses, without)
    left_out = dict.fromkeys(without, NO_PREDICTIONS)
    for analysis in analyses:
        if analysis.run.name not in largest.predictions and analysis.run.predictions is not None:
            left_out[analysis.run.name] = str(_aligned(largest.first, analysis))
    base = largest.first.run.predictions
    if base is None:  # only runs with predictions head a group
        return _refusal(analyses, without)
    group_name = group_column(base, ("y_true", "y_pred"))
    return Matched(
        y_true=base["y_true"].to_numpy(),
        y_pred=largest.predictions,
        groups=labels(base[group_name]) if group_name is not None else None,
        left_out=left_out,
    )


def _refusal(analyses: Sequence[Analysis], without: Sequence[str]) -> str:
    """Why no two of the runs can be paired."""
    with_rows = [a for a in analyses if a.run.predictions is not None]
    if len(with_rows) < 2:
        verb = "has" if len(without) == 1 else "have"
        return f"{listing(without, most=4)} {verb} no predictions, and a paired test needs those of two runs"
    splits = {a.run.split for a in with_rows}
    if len(splits) == len(with_rows):
        return f"their predictions are of different splits ({listing(sorted(str(s) for s in splits))})"
    return str(_aligned(with_rows[0], with_rows[1]))


def _aligned(first: Analysis, other: Analysis) -> Vector | str:
    """The other run's predictions in the order of the first's rows, or why the samples are not the same."""
    import numpy as np
    import polars as pl

    names = f"{first.run.name} and {other.run.name}"
    base, frame = first.run.predictions, other.run.predictions
    if base is None or frame is None:
        return f"{names} do not both have predictions"
    if first.run.split != other.run.split:
        return f"{names} have predictions of different splits ({first.run.split} and {other.run.split})"
    if frame.height != base.height:
        return f"{first.run.name} was evaluated on {base.height} samples and {other.run.name} on {frame.height}"
    keys = [k for k in KEYS if k in base.columns and k in frame.columns]
    if keys and not base.select(keys).equals(frame.select(keys)):
        if base.select(pl.struct(keys).n_unique()).item() < base.height:
            return f"the rows of {names} are in another order and have no unique key"
        joined = base.select(keys).join(frame, on=keys, how="left", maintain_order="left")
        if joined["y_true"].null_count():
            return f"{names} were evaluated on different samples (their {listing(keys)} differ)"
        frame = joined
    truth, theirs = base["y_true"].to_numpy(), frame["y_true"].to_numpy()
    scale = max(float(np.abs(truth).max(initial=0.0)), 1e-300)
    if not np.allclose(truth, theirs, rtol=TRUTH_TOLERANCE, atol=TRUTH_TOLERANCE * scale):
        return f"{names} were evaluated on different samples (their true values differ)"
    return frame["y_pred"].to_numpy()


def same_truth_summary(analyses: Sequence[Analysis]) -> bool:
    """Whether n, mean and std of the truth agree in all runs: what summaries can show of "the same samples"."""
    seen = {(a.final["true_mean"], a.final["true_std"], a.final.n) for a in analyses if a.final is not None}
    return len(seen) == 1 and all(a.final is not None for a in analyses) and None not in next(iter(seen))
