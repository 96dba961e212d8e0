"""What boosting libraries call their sets and metrics: shared by the dumps and the printed logs of XGBoost and LightGBM."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from runreport.errors import InputError
from runreport.ingest.columns import plain
from runreport.ingest.documents import split_of
from runreport.run import Note

METRICS: Mapping[str, str] = {
    "l2": "mse", "mse": "mse", "mean_squared_error": "mse", "regression": "mse", "regression_l2": "mse",
    "l1": "mae", "mae": "mae", "mean_absolute_error": "mae", "regression_l1": "mae",
    "rmse": "rmse", "l2_root": "rmse", "root_mean_squared_error": "rmse",
    "r2": "r2",
}  # fmt: skip
"""Metric of LightGBM or XGBoost (lower case, underscores) -> known name."""
OTHER_METRICS = frozenset(
    [
        "rmsle",
        "mape",
        "mphe",
        "huber",
        "fair",
        "poisson",
        "quantile",
        "gamma",
        "gamma_deviance",
        "gamma_nloglik",
        "poisson_nloglik",
        "tweedie",
        "tweedie_nloglik",
        "logloss",
        "binary_logloss",
        "multi_logloss",
        "mlogloss",
        "error",
        "merror",
        "binary_error",
        "multi_error",
        "auc",
        "aucpr",
        "ndcg",
        "map",
        "average_precision",
        "cross_entropy",
        "xentropy",
        "cox_nloglik",
        "aft_nloglik",
        "interval_regression_accuracy",
    ]
)
"""Their other metrics: enough to know a dump by, and to be told as the loss where lower is better."""
HIGHER_IS_BETTER = frozenset(("r2", "auc", "aucpr", "ndcg", "map", "average_precision", "interval_regression_accuracy"))
MEAN, SPREADS = "-mean", ("-stdv", "-std")
"""Endings that cross-validation gives the mean over folds and its standard deviation."""
Named = tuple[str, str]
"""(set, metric) of a series."""
Values = Sequence[float | None]


class Resolved(NamedTuple):
    """Columns by their printed names, known name -> column, and what was decided."""

    columns: dict[str, Values]
    given: dict[str, str]
    notes: tuple[Note, ...]


def set_and_metric(name: str) -> Named | None:
    """(set, metric) of a name as the libraries print it, None where it is none.

    >>> set_and_metric("train's l2"), set_and_metric("validation_0-rmse"), set_and_metric("valid l2-mean")
    (('train', 'l2'), ('validation_0', 'rmse'), ('valid', 'l2-mean'))
    """
    for separator in ("'s ", " ", "-"):
        head, found, metric = name.partition(separator)
        if found and head and is_metric(metric):
            return head.strip(), metric.strip()
    return ("valid", name) if is_metric(name) else None


def is_metric(name: str) -> bool:
    """Whether this is a metric of XGBoost or LightGBM, with cross-validation's endings or without.

    >>> is_metric("l2"), is_metric("rmse-mean"), is_metric("loss")
    (True, True, False)
    """
    measured = _without_ending(name)
    return measured in METRICS or measured in OTHER_METRICS


def _without_ending(name: str) -> str:
    for ending in (MEAN, *SPREADS):
        name = name.strip().removesuffix(ending)
    return plain(name.partition("@")[0].partition(":")[0])


def resolve(path: Path, series: Mapping[Named, Values], given: Mapping[str, str]) -> Resolved:
    """Which set is training and which validation, and which metric the loss is: the first one.

    Raises
    ------
    InputError
        Several sets that could be validation: which one stopped the training, the log does not tell.
    """
    columns: dict[str, Values] = {f"{of}-{metric}": values for (of, metric), values in series.items()}
    sets = list(dict.fromkeys(of for of, _ in series))
    roles = {of: split_of(of) for of in sets}
    training = next((of for of in sets if roles[of] == "train"), None)
    held = [of for of in sets if roles[of] != "train"]
    validation = [of for of in held if roles[of] != "test"] or held
    found = dict(given)
    notes: list[Note] = []
    if len(validation) > 1:
        if not given:
            choices = [c for c in columns if not c.endswith(SPREADS) and c.rpartition("-")[0] in validation]
            example = METRICS.get(_without_ending(next(m for of, m in series if of == validation[0])), "val_loss")
            raise InputError(
                path,
                found=f"{len(validation)} sets that could be validation: {', '.join(validation[:8])}",
                remedy=f"choose one with --column {shlex.quote(f'{example}={choices[-1] if choices else example}')}",
            )
        # The set of a column that a person named is the one meant.
        validation = [name for name in validation if any(v.startswith(f"{name}-") for v in given.values())][:1]
    roles_read: list[tuple[str | None, str]] = [(training, "train_"), (validation[0] if validation else None, "")]
    for chosen, prefix in roles_read:
        metrics = [m for of, m in series if of == chosen and not m.endswith(SPREADS)]
        for metric in metrics:
            known = METRICS.get(_without_ending(metric))
            if known is not None and f"{prefix}{known}" not in given and f"{chosen}-{metric}" not in given.values():
                found.setdefault(f"{prefix}{known}", f"{chosen}-{metric}")
        loss = f"{prefix or 'val_'}loss"
        first = next((m for m in metrics if _without_ending(m) not in HIGHER_IS_BETTER), None)
        if chosen is not None and first is not None and loss not in given:
            # Its own column beside the metric's: an RMSE is both the loss and a figure of the report.
            columns[loss] = series[chosen, first]
            notes.append(Note(code="mapped", message=f"{loss} is {chosen}-{first}, the first metric of that set"))
    if validation and roles[validation[0]] == "test":
        message = f"the set {validation[0]} was read as validation: it was evaluated in every round"
        notes.append(Note(code="mapped", message=message))
    if any(metric.endswith(MEAN) for _, metric in series):
        notes.append(Note(code="mapped", message="the figures are means over the folds of a cross-validation"))
    return Resolved(columns, found, tuple(notes))
