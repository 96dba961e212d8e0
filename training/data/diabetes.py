"""A small real data set that scikit-learn ships."""

from __future__ import annotations

import numpy as np

from training.config import Config
from training.data.pool import Pool, make_pool
from training.errors import ConfigError


def read_diabetes(config: Config) -> Pool:  # noqa: ARG001 - every reader has the same signature
    """442 patients: 10 measurements each, and the disease's progression after a year as the target (25 to 346).

    Efron, Hastie, Johnstone & Tibshirani 2004, doi:10.1214/009053604000000067. Read from scikit-learn's own files as
    they were measured: scikit-learn's scaled version is scaled over all patients, those of the test split included.
    """
    try:
        from sklearn.datasets import load_diabetes
    except ImportError as error:
        raise ConfigError("data.kind: diabetes is read from scikit-learn's files: pip install scikit-learn") from error
    bunch = load_diabetes(scaled=False)
    return make_pool(
        "diabetes",
        inputs=np.asarray(bunch.data),
        target=np.asarray(bunch.target),
        input_names=tuple(str(name) for name in bunch.feature_names),
        only_group="patients",
    )
