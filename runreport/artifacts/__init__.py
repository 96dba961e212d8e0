"""The artifact contract: names, columns, schema version and writers of what a run leaves behind.

Shared by whatever writes runs and whatever reads them. Importing it needs the standard library only.
"""

from runreport.artifacts.atomic import replacing, strict, write_atomically, write_json
from runreport.artifacts.columns import (
    EPOCH_PREDICTION_COLUMNS,
    EPOCH_PREDICTION_MEANINGS,
    ERROR_PERCENTILES,
    HISTORY_COLUMNS,
    HISTORY_MEANINGS,
    METRICS_KEYS,
    METRICS_MEANINGS,
    PREDICTION_COLUMNS,
    PREDICTION_MEANINGS,
    SCHEMA_VERSION,
)
from runreport.artifacts.history import HistoryWriter
from runreport.artifacts.names import (
    EPOCH_PREDICTIONS_PREFIX,
    JOINING_PREFIXES,
    METRICS_PREFIX,
    PREDICTIONS_PREFIX,
    artifact_paths,
    epoch_predictions_path,
    history_path,
    is_run_name,
    metrics_path,
    predictions_path,
)
from runreport.artifacts.predictions import EpochPredictions, epoch_predictions_supported, write_predictions
from runreport.errors import InputError

__all__ = [
    "EPOCH_PREDICTIONS_PREFIX",
    "EPOCH_PREDICTION_COLUMNS",
    "EPOCH_PREDICTION_MEANINGS",
    "ERROR_PERCENTILES",
    "HISTORY_COLUMNS",
    "HISTORY_MEANINGS",
    "JOINING_PREFIXES",
    "METRICS_KEYS",
    "METRICS_MEANINGS",
    "METRICS_PREFIX",
    "PREDICTIONS_PREFIX",
    "PREDICTION_COLUMNS",
    "PREDICTION_MEANINGS",
    "SCHEMA_VERSION",
    "EpochPredictions",
    "HistoryWriter",
    "InputError",
    "artifact_paths",
    "epoch_predictions_path",
    "epoch_predictions_supported",
    "history_path",
    "is_run_name",
    "metrics_path",
    "predictions_path",
    "replacing",
    "strict",
    "write_atomically",
    "write_json",
    "write_predictions",
]
