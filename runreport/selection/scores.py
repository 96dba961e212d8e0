"""What the policies maximise: one score an epoch, from the columns that were logged."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence

from runreport.context import History, Number

COMPOSITE_WEIGHT = 2.0
"""Weight of the ratio in the source's composite R² + 2(α - 0.7)."""
COMPOSITE_TARGET = 0.7
"""Ratio that the source's composite calls neutral."""


def finite(value: Number) -> bool:
    """Whether a logged value is a finite number."""
    return value is not None and math.isfinite(value)


def bias_values(history: History) -> tuple[Number, ...]:
    """β = (mean(y_pred) - mean(y_true)) / σt per epoch: as logged, else from the logged means; None where unknown."""
    if history.has("bias"):
        return history.get("bias")
    if not history.columns.keys() >= {"pred_mean", "true_mean", "true_std"}:
        return (None,) * len(history)
    rows = zip(history.get("pred_mean"), history.get("true_mean"), history.get("true_std"), strict=True)
    return tuple(_bias(*row) for row in rows)


def _bias(pred_mean: Number, true_mean: Number, true_std: Number) -> Number:
    if pred_mean is None or true_mean is None or true_std is None or not true_std > 0:
        return None
    value = (pred_mean - true_mean) / true_std
    return value if math.isfinite(value) else None


def composite_values(history: History) -> tuple[Number, ...]:
    """The source's R² + 2(α - 0.7) per epoch. At a given r it is largest at α = 1 + r: it rewards over-dispersion.

    >>> from runreport.context import history_of
    >>> [round(v, 3) for v in composite_values(history_of([30], r2=[-0.10], variance_ratio=[0.257]))]
    [-0.986]
    """
    rows = zip(history.get("r2"), history.get("variance_ratio"), strict=True)
    return tuple(
        None if r2 is None or alpha is None else r2 + COMPOSITE_WEIGHT * (alpha - COMPOSITE_TARGET)
        for r2, alpha in rows
    )


def ccc_value(r: float, alpha: float, beta: float) -> float:
    """Lin's concordance 2rα / (1 + α² + β²), in [-1, 1] (Lin 1989, doi:10.2307/2532051).

    >>> ccc_value(1.0, 1.0, 0.0), ccc_value(0.5, 1.0, 0.0)
    (1.0, 0.5)
    """
    return 2 * r * alpha / (1 + alpha**2 + beta**2)


def kge_value(r: float, alpha: float, beta: float) -> float:
    """Kling-Gupta efficiency 1 - √((r-1)² + (α-1)² + β²), at most 1.

    Gupta et al. 2009 (doi:10.1016/j.jhydrol.2009.08.003) with the bias in units of σt (Tang et al. 2021,
    doi:10.1175/JCLI-D-21-0067.1): the original ratio of means changes when the target's zero is moved.

    >>> kge_value(1.0, 1.0, 0.0), kge_value(0.4, 1.0, 0.8)
    (1.0, 0.0)
    """
    return 1 - math.sqrt((r - 1) ** 2 + (alpha - 1) ** 2 + beta**2)


def ccc_values(history: History) -> tuple[Number, ...]:
    """Concordance per epoch: as logged, else from r, α and β."""
    logged = history.get("ccc")
    return logged if any(finite(v) for v in logged) else _from_parts(history, ccc_value)


def kge_values(history: History) -> tuple[Number, ...]:
    """Kling-Gupta efficiency per epoch: as logged, else from r, α and β."""
    logged = history.get("kge")
    return logged if any(finite(v) for v in logged) else _from_parts(history, kge_value)


def _from_parts(history: History, formula: Callable[[float, float, float], float]) -> tuple[Number, ...]:
    rows = zip(history.get("pearson_r"), history.get("variance_ratio"), bias_values(history), strict=True)
    return tuple(None if r is None or a is None or b is None else formula(r, a, b) for r, a, b in rows)


def trailing_mean(values: Sequence[Number], window: int) -> tuple[Number, ...]:
    """Mean of an epoch's value and the ``window - 1`` before it; None until there are so many, NaN stays NaN.

    Trailing, not centred: a policy must be one that a run could have followed while it trained.

    >>> trailing_mean([1.0, 2.0, 6.0, None], 2)
    (None, 1.5, 4.0, None)
    """
    windows = [values[i : i + window] for i in range(len(values) - window + 1)]
    return (None,) * min(window - 1, len(values)) + tuple([_mean(part) for part in windows])


def _mean(part: Sequence[Number]) -> Number:
    return None if None in part else sum(part) / len(part)  # type: ignore[arg-type]  # no None among them


def evenly_spaced(epochs: Sequence[int | float]) -> bool:
    """Whether rows are one step apart (every epoch, every fifth), so that a window of rows means something.

    >>> evenly_spaced([1, 2, 3]), evenly_spaced([5, 10, 15]), evenly_spaced([1, 10, 20, 30, 37, 47])
    (True, True, False)
    """
    steps = [b - a for a, b in itertools.pairwise(epochs)]
    return not steps or max(steps) - min(steps) <= 1e-6 * max(abs(s) for s in steps)
