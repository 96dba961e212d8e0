"""File names of a run's artifacts."""

from __future__ import annotations

import re
from pathlib import Path

PREDICTIONS_PREFIX = "predictions_"
METRICS_PREFIX = "metrics_"
EPOCH_PREDICTIONS_PREFIX = "epoch_predictions_"
JOINING_PREFIXES: tuple[str, ...] = (PREDICTIONS_PREFIX, METRICS_PREFIX, EPOCH_PREDICTIONS_PREFIX)
"""Files that begin so belong to a run and are none themselves."""

_RUN_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*")


def is_run_name(name: str) -> bool:
    """Whether files can safely be named after this run.

    Letters, digits and ``. _ + -``, beginning with a letter or digit, and not with a prefix that would make its history
    look like another run's predictions.

    >>> [is_run_name(name) for name in ("run4", "../run4", "", "predictions_a", "a b")]
    [True, False, False, False, False]
    """
    return _RUN_NAME.fullmatch(name) is not None and not name.startswith(JOINING_PREFIXES)


def history_path(folder: Path, run: str) -> Path:
    """Where the history of ``run`` lies.

    >>> history_path(Path("logs/csv"), "run4").as_posix()
    'logs/csv/run4.csv'
    """
    return folder / f"{run}.csv"


def predictions_path(folder: Path, run: str) -> Path:
    """Where the predictions of ``run`` lie.

    >>> predictions_path(Path("logs/csv"), "run4").as_posix()
    'logs/csv/predictions_run4.csv'
    """
    return folder / f"{PREDICTIONS_PREFIX}{run}.csv"


def metrics_path(folder: Path, run: str) -> Path:
    """Where the metrics of ``run`` lie. The file is written last: where it is, the run is complete.

    >>> metrics_path(Path("logs/csv"), "run4").as_posix()
    'logs/csv/metrics_run4.json'
    """
    return folder / f"{METRICS_PREFIX}{run}.json"


def epoch_predictions_path(folder: Path, run: str) -> Path:
    """Where the per-epoch validation predictions of ``run`` lie.

    >>> epoch_predictions_path(Path("logs/csv"), "run4").as_posix()
    'logs/csv/epoch_predictions_run4.parquet'
    """
    return folder / f"{EPOCH_PREDICTIONS_PREFIX}{run}.parquet"


def artifact_paths(folder: Path, run: str) -> tuple[Path, ...]:
    """Every artifact of ``run``, the metrics first: removed in this order, a half-removed run never looks complete."""
    return (
        metrics_path(folder, run),
        predictions_path(folder, run),
        epoch_predictions_path(folder, run),
        history_path(folder, run),
    )
