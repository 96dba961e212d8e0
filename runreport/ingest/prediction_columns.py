"""Which columns of a predictions file are the truth and the prediction."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from runreport.errors import InputError
from runreport.ingest.columns import ambiguous, near, plain

TRUE_NAMES = (
    "y_true", "true", "target", "targets", "actual", "actuals", "truth", "label", "labels", "y", "observed", "obs",
    "ground_truth", "groundtruth", "gt", "real", "measured", "experimental", "y_test", "test_y", "y_val", "y_actual",
    "y_real",
)  # fmt: skip
PRED_NAMES = (
    "y_pred", "pred", "preds", "prediction", "predictions", "predicted", "predict", "y_hat", "yhat", "estimate", "output",
    "forecast", "forecasts", "simulated", "sim", "pred_y", "y_predict", "y_predicted", "y_val_pred", "y_test_pred",
    "calculated", "calc", "computed",
)  # fmt: skip
ID_LIKE = re.compile(
    r"(?:^|_)(?:id|ids|idx|index|key|row|rows|name|uuid|date|time|timestamp|ds|cutoff|sample|fold|split)$"
)
"""Names (after ``plain``) of columns that say which row it is: never suggested as the truth."""


def prediction_columns(path: Path, found: Sequence[str], given: Mapping[str, str] | None = None) -> tuple[str, str]:
    """The truth and the prediction column of a predictions file.

    ``y_true`` and ``y_pred`` themselves win over what else they are called; ``given`` (``--column y_true=theirs``) wins
    over both. Two that could be the truth are not guessed between.

    Raises
    ------
    InputError
        Where one of the two is missing (predictions without truth are not guessed at), or ambiguous, or both are the
        same column.
    """
    true = _sample_column(path, found, given or {}, "y_true", TRUE_NAMES)
    pred = _sample_column(path, found, given or {}, "y_pred", PRED_NAMES)
    if true == pred:
        raise InputError(path, found=f"column {true!r} as both truth and prediction", expected="two columns")
    return true, pred


def _sample_column(path: Path, found: Sequence[str], given: Mapping[str, str], known: str, names: Sequence[str]) -> str:
    """The one column of a predictions file that is ``known``."""
    if known in given:
        if given[known] not in found:
            raise InputError(path, found=f"no column {given[known]!r}", expected=near(given[known], found))
        return given[known]
    candidates = [c for c in found if plain(c) == known] or [c for c in found if plain(c) in names]
    if not candidates:
        what = "truth" if known == "y_true" else "prediction"
        raise InputError(
            path,
            found=f"no {what} column ({known}) among {', '.join(found[:12])}",
            expected="columns y_true and y_pred",
            remedy=f"name it with --column {known}=NAME",
        )
    if len(candidates) > 1:
        raise ambiguous(path, known, candidates)
    return candidates[0]
