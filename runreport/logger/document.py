"""What the metrics file says of a finished run."""

from __future__ import annotations

import datetime
import platform
import sys
from collections.abc import Mapping
from operator import sub
from typing import Any

from runreport.artifacts import ERROR_PERCENTILES, METRICS_KEYS, SCHEMA_VERSION, strict
from runreport.logger.moments import Metrics, Sample, metrics, percentile
from runreport.logger.plain import as_json

COMPUTED = frozenset(
    (
        "mae", "mse", "rmse", "mape", "r2", "mean_error", "std_error", "num_samples", "num_dropped", "prediction_range",
        "true_range", "variance_ratio", "pearson_r", "pred_mean", "pred_std", "true_mean", "true_std",
        *(f"error_{percent}_percentile" for percent in ERROR_PERCENTILES),
    )
)  # fmt: skip
"""Keys that follow from the predictions: nobody else may set them."""

RESERVED = frozenset({"schema_version", "run", "config", "split", "date"})
"""Keys that the logger sets from what it was made with."""

_VERSIONED = (
    "torch",
    "numpy",
    "lightning",
    "pytorch_lightning",
    "keras",
    "tensorflow",
    "jax",
    "transformers",
    "sklearn",
)


def metrics_document(sample: Sample) -> dict[str, Any]:
    """The keys in `COMPUTED` (num_dropped only where pairs were left out); None where undefined."""
    found = metrics(sample)
    true, pred = sample.usable()
    error = sorted(map(sub, pred, true))
    document: dict[str, Any] = {name: value for name, value in found.items() if name in COMPUTED}
    for percent in ERROR_PERCENTILES:
        document[f"error_{percent}_percentile"] = percentile(error, percent) if error else None
    document["num_samples"] = found["n"]
    if found["n_dropped"]:
        document["num_dropped"] = found["n_dropped"]
    document["prediction_range"] = _pair(found["pred_min"], found["pred_max"])
    document["true_range"] = _pair(found["true_min"], found["true_max"])
    return document


def split_entry(found: Metrics) -> dict[str, float | int | None]:
    """n, mean, std (ddof 0), least and largest of a split's target, from its `metrics`."""
    return {name: found[name] for name in ("n", "true_mean", "true_std", "true_min", "true_max")}


def whole_document(
    sample: Sample, *, run: str, split: str, config: Mapping[str, Any], given: Mapping[str, Any]
) -> dict[str, Any]:
    """Everything that goes into ``metrics_<run>.json``, the keys of the contract first and in its order.

    ``given`` adds what only the caller knows. Keys of the contract that neither gives are left out: unknown is not
    null. Non-finite numbers are None, as in the file. Raises ValueError where ``given`` holds a computed or a reserved key.
    """
    taken = sorted((COMPUTED | RESERVED) & given.keys())
    if taken:
        raise ValueError(f"{taken[0]} is computed or set by the logger: leave it out, or give yours another name")
    known = {
        "schema_version": SCHEMA_VERSION,
        "run": run,
        "split": split,
        **({"seed": config["seed"]} if isinstance(config.get("seed"), int) else {}),
        "versions": versions(),
        "config": dict(config),
        "date": datetime.datetime.now(tz=datetime.UTC).date().isoformat(),
        **metrics_document(sample),
        **as_json(given),
    }
    first = [key for key in METRICS_KEYS if key in known]
    ordered: dict[str, Any] = strict({key: known[key] for key in (*first, *(key for key in known if key not in first))})
    return ordered


def versions() -> dict[str, str]:
    """Versions of Python and of the libraries for training that this process has loaded; none is imported for it."""
    loaded = {name: getattr(sys.modules.get(name), "__version__", None) for name in _VERSIONED}
    return {
        "python": platform.python_version(),
        **{name: str(version) for name, version in loaded.items() if version is not None},
    }


def _pair(low: float | None, high: float | None) -> list[float] | None:
    return [low, high] if low is not None and high is not None else None
