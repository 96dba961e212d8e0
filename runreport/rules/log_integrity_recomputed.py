"""Logged figures against the same figures computed again from the predictions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from runreport.context import Context, Final, History
from runreport.rules.data_basis import HUGE, usable
from runreport.rules.log_integrity_identity import ASSUMED_N
from runreport.rules.log_integrity_rounding import FLOAT32_RELATIVE, column_decimals, half_unit

LEAST_RATIO_FOR_R = 1e-3
"""Below this std ratio a correlation rests on the last digits of nearly constant float32 predictions."""
EPOCH_NAMES = ("r2", "variance_ratio", "pearson_r")
SUMMARY_NAMES = (
    "r2", "variance_ratio", "pearson_r", "mae", "rmse", "pred_mean", "pred_std", "true_mean", "true_std",
)  # fmt: skip
STD_LIKE = frozenset({"variance_ratio", "pred_std", "true_std"})
IN_TARGET_UNITS = frozenset({"mae", "rmse", "pred_mean", "pred_std", "true_mean", "true_std"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure that was logged as ``logged`` and comes out as ``computed``."""

    name: str
    logged: float
    computed: float
    tolerance: float
    epoch: int | float | None = None


def tolerance(
    name: str, logged: float, facts: Mapping[str, float | None], *, base: float, column: int | None = None
) -> float:
    """By how much a logged figure may differ from the computed one.

    ``base`` relative to the figure's scale (σt for what is in target units, else max(1, |figure|)), plus the rounding of
    the logged figure, of float32, and for stds the two conventions of ddof.
    """
    true_std, true_mean, n = (facts.get(key) for key in ("true_std", "true_mean", "n"))
    scale = abs(true_std or 0.0) if name in IN_TARGET_UNITS else max(1.0, abs(logged))
    room = base * scale + half_unit(logged, column) + FLOAT32_RELATIVE * abs(logged)
    if name in STD_LIKE:
        room += 0.5 * abs(logged) / ((n if n is not None and n > 1 else ASSUMED_N) - 1)
    if name not in IN_TARGET_UNITS and true_std and true_mean is not None:
        # Predictions kept as float32 lose digits where the targets sit far from zero.
        room += FLOAT32_RELATIVE * abs(true_mean / true_std)
    return room


def epoch_differences(logged: History, computed: History, *, base: float) -> tuple[list[Difference], int]:
    """(epochs and figures that differ, number of comparisons made)."""
    differences: list[Difference] = []
    made = 0
    for name in EPOCH_NAMES:
        pairs = logged.finite(name)
        places = column_decimals(v for _, v in pairs)
        again = dict(computed.finite(name))
        ratios = dict(computed.finite("variance_ratio"))
        for epoch, value in pairs:
            found = again.get(epoch)
            if found is None or not usable(value) or not usable(found):
                continue
            if name == "pearson_r" and ratios.get(epoch, 0.0) < LEAST_RATIO_FOR_R:
                continue
            made += 1
            facts = {key: computed.at(epoch, key) for key in ("true_std", "true_mean", "n")}
            room = tolerance(name, value, facts, base=base, column=places)
            if abs(value - found) > room:
                differences.append(Difference(name=name, logged=value, computed=found, tolerance=room, epoch=epoch))
    return differences, made


def summary_differences(context: Context, final: Final, *, base: float) -> tuple[list[Difference], int]:
    """The run's own final figures against those of its predictions; nothing where they are of different splits."""
    summary = context.run.summary
    split = summary.get("split")
    if final.basis != "predictions" or (isinstance(split, str) and split != final.split):
        return [], 0
    differences: list[Difference] = []
    made = 0
    facts = {"true_std": final["true_std"], "true_mean": final["true_mean"], "n": final.n}
    count = _number(summary, "num_samples")
    left_out = any(note.code == "predictions.not-finite" for note in context.run.notes)
    if count is not None and final.n is not None:
        made += 1
        if count != final.n and not left_out:
            difference = Difference(name="num_samples", logged=count, computed=float(final.n), tolerance=0.0)
            # Other rows, other figures: nothing else can be compared.
            return [difference], made
    if left_out:
        return [], made
    for name in SUMMARY_NAMES:
        value, found = _number(summary, name), final[name]
        if value is None or found is None or not usable(value) or not usable(found):
            continue
        ratio = final["variance_ratio"]
        if name == "pearson_r" and (ratio is None or ratio < LEAST_RATIO_FOR_R):
            continue
        made += 1
        room = tolerance(name, value, facts, base=base)
        if abs(value - found) > room:
            differences.append(Difference(name=name, logged=value, computed=found, tolerance=room))
    return differences, made


def _number(summary: Mapping[str, object], name: str) -> float | None:
    value = summary.get(name)
    if isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < HUGE:
        return float(value)
    return None
