"""What is already there of a planned run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from runreport.artifacts import epoch_predictions_path, history_path, metrics_path, predictions_path
from training.config_file import parse_config
from training.errors import ConfigError
from training.resume import differing
from training.sweep.plan import PlannedRun


def finished(folder: Path, run: PlannedRun, *, epoch_predictions: bool = False) -> dict[str, Any] | None:
    """The metrics of a run that is complete and was made from the same configuration; None where it is to be trained.

    Raises ConfigError where a complete run of that name was made otherwise, or where the metrics file says complete and
    another artifact is missing: to train it would write over what somebody may want.
    """
    path = metrics_path(folder, run.name)
    if not path.exists():
        return None
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
        made_from = document["config"]
        _ = document["r2"], document["variance_ratio"], document["mae"], document["pearson_r"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            f"{path}: cannot be read as a run's metrics ({error!r:.80}); use --force to replace it"
        ) from None
    try:
        # A setting that is younger than the artifacts has its default, which means what was done before there was it.
        made = parse_config(made_from, where=str(path)).to_dict()
    except ConfigError as error:
        raise ConfigError(
            f"{error}; the run was made otherwise than the sweep would; use --force to replace it"
        ) from None
    change = differing(made, run.config.to_dict())
    if change is not None:
        key, before, now = change
        raise ConfigError(f"{path}: made with {key} {before!r}, the sweep has {now!r}; use --force to replace it")
    needed = [history_path(folder, run.name), predictions_path(folder, run.name)]
    if epoch_predictions:
        needed.append(epoch_predictions_path(folder, run.name))
    for other in needed:
        if not other.exists():
            raise ConfigError(f"{other}: missing, though {path.name} is there; use --force to train the run again")
    metrics: dict[str, Any] = document
    return metrics
