"""Criteria as written by a person: YAML → tiers of conditions."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from runreport.artifacts.columns import HISTORY_COLUMNS
from runreport.criteria.default import DEFAULT
from runreport.errors import InputError

Operator = Literal[">", ">=", "<", "<="]
PATTERN = re.compile(
    r"^\s*(?P<metric>[A-Za-z][A-Za-z0-9_]*?)(?P<over>\s+over\s+training|_(?:min|max)_over_training)?"
    r"\s*(?P<operator>>=|<=|>|<)\s*(?P<bound>[-+]?[0-9.]+(?:[eE][-+]?[0-9]+)?)\s*(?P<percent>%?)\s*$"
)
FINAL_METRICS = (
    "r2", "variance_ratio", "pearson_r", "bias", "calibration_slope", "recalibrated_r2", "ccc", "pred_spread", "mae", "mse",
    "rmse", "mape", "mean_error", "std_error", "loss", "true_mean", "true_std", "true_min", "true_max", "pred_mean",
    "pred_std", "pred_min", "pred_max", "n",
)  # fmt: skip
"""Figures that a report's final figures may hold, from predictions or from a run's own summary."""
MAX_BYTES = 1_000_000
"""A criteria file larger than this is some other file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Criterion:
    """One condition on a metric: of the final figures, or of every logged epoch."""

    metric: str
    operator: Operator
    bound: float
    over_training: bool = False

    @property
    def text(self) -> str:
        """The condition as it reads.

        >>> Criterion(metric="r2", operator=">", bound=-0.04).text
        'r2 > -0.04'
        """
        return f"{self.metric}{' over training' if self.over_training else ''} {self.operator} {self.bound:g}"

    def holds(self, value: float) -> bool:
        """Whether a value meets the condition."""
        return {
            ">": value > self.bound,
            ">=": value >= self.bound,
            "<": value < self.bound,
            "<=": value <= self.bound,
        }[self.operator]

    @property
    def asks_for_more(self) -> bool:
        """Whether larger values meet it."""
        return self.operator in (">", ">=")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tier:
    """A named set of conditions that must hold together."""

    name: str
    criteria: tuple[Criterion, ...]


def parse_criterion(text: str) -> Criterion | None:
    """A condition from its text, or None where it is not one.

    >>> parse_criterion("variance_ratio over training > 35 %").bound
    0.35
    >>> parse_criterion("make it good") is None
    True
    """
    match = PATTERN.match(text)
    if match is None:
        return None
    try:
        bound = float(match["bound"]) / (100 if match["percent"] else 1)
    except ValueError:
        return None
    if not math.isfinite(bound):
        return None
    operator: Operator = match["operator"]  # type: ignore[assignment]  # the pattern admits these four only
    return Criterion(metric=match["metric"], operator=operator, bound=bound, over_training=bool(match["over"]))


def default_tiers() -> tuple[Tier, ...]:
    """The tiers used when no file is given."""
    return tuple(Tier(name=name, criteria=_conditions("default", name, list(items))) for name, items in DEFAULT.items())


def read_tiers(path: Path) -> tuple[Tier, ...]:
    """Tiers from a YAML file: ``tiers: {name: [condition, ...]}``, or ``{metric: "> number"}`` a tier.

    Raises
    ------
    InputError
        Not readable, not YAML, no tiers, or a condition that cannot be read.
    """
    import yaml

    try:
        if path.stat().st_size > MAX_BYTES:
            raise InputError(path, found="a file over 1 MB", expected="a YAML file of criteria")
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise InputError(path, found=f"cannot be read ({why})", expected="a YAML file of criteria") from None
    except (yaml.YAMLError, RecursionError) as error:
        where = getattr(error, "problem_mark", None)
        at = f" at line {where.line + 1}" if where is not None else ""
        raise InputError(path, found=f"not YAML{at}", expected="tiers: {name: [r2 > 0, ...]}") from None
    tiers = document.get("tiers") if isinstance(document, dict) else None
    if not isinstance(tiers, dict) or not tiers:
        raise InputError(path, found="no tiers", expected="tiers: {name: [r2 > 0, ...]}")
    return tuple(Tier(name=str(name), criteria=_conditions(path, str(name), items)) for name, items in tiers.items())


def refuse_unknown(path: Path | str, tier: str, criterion: Criterion) -> None:
    """A metric that no report can have is a slip of the pen, not something that cannot be told.

    Raises
    ------
    InputError
        With the nearest names that are known.
    """
    from difflib import get_close_matches

    from runreport.ingest.columns import near

    known = (*FINAL_METRICS, *HISTORY_COLUMNS) if criterion.over_training else FINAL_METRICS
    nearest = get_close_matches(criterion.metric, known, n=1)
    # A log may have columns of its own: there only a name that is nearly a known one is taken for a slip.
    if criterion.metric not in known and (nearest or not criterion.over_training):
        raise InputError(
            path,
            found=f"unknown metric {criterion.metric!r} in tier {tier!r}",
            expected=near(criterion.metric, list(known)),
        )


def _conditions(path: Path | str, tier: str, items: object) -> tuple[Criterion, ...]:
    if isinstance(items, dict):
        items = [f"{metric} {condition}" for metric, condition in items.items()]
    if not isinstance(items, list) or not items:
        raise InputError(path, found=f"no conditions in tier {tier!r}", expected="a list such as [r2 > 0]")
    criteria = []
    for item in items:
        criterion = parse_criterion(item) if isinstance(item, str) else None
        if criterion is None:
            raise InputError(path, found=f"{item!r} in tier {tier!r}", expected="a condition such as 'r2 > 0'")
        refuse_unknown(path, tier, criterion)
        criteria.append(criterion)
    return tuple(criteria)
