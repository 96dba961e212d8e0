"""What the run itself says about its early stopping: the policy it declared, and the epoch it saved."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from runreport.context import History, Number
from runreport.run import Run
from runreport.selection.policies import SMOOTHING_WINDOW, PolicyPick, monitored
from runreport.selection.replay import Mode
from runreport.selection.scores import ccc_values, composite_values, finite, kge_values, trailing_mean

SavedFrom = Literal["declared", "unknown"]

MONITORS: Mapping[str, tuple[str, ...]] = {
    "val_loss": ("val_loss", "valid_loss", "validation_loss", "eval_loss", "loss"),
    "r2": ("r2", "val_r2", "valid_r2", "eval_r2", "r_squared"),
    "pearson_r": ("pearson_r", "val_pearson_r", "pearson", "val_pearson", "correlation"),
    "variance_ratio": ("variance_ratio", "val_variance_ratio"),
    "mae": ("mae", "val_mae", "eval_mae"),
    "rmse": ("rmse", "val_rmse", "eval_rmse"),
    "mse": ("mse", "val_mse", "eval_mse"),
    "ccc": ("ccc", "val_ccc"),
    "kge": ("kge", "val_kge"),
    "composite": ("composite",),
    "smoothed_r2": ("smoothed_r2", "smoothed"),
}
"""Known monitor -> what configs call it."""
LOWER_IS_BETTER = frozenset({"val_loss", "mae", "rmse", "mse"})

_SAVED_KEYS = ("selected_epoch", "best_epoch", "saved_epoch", "best_iteration")
_MONITOR_KEYS = ("monitor", "early_stopping", "early_stopping_monitor", "metric_for_best_model", "selection")
_PATIENCE_KEYS = ("patience", "early_stopping_patience", "early_stopping_rounds")
_DELTA_KEYS = ("min_delta", "early_stopping_min_delta", "early_stopping_threshold")
_FLOOR_KEYS = ("floor", "ratio_floor", "variance_ratio_floor", "min_variance_ratio")
_WARMUP_KEYS = ("stopping_warmup", "early_stopping_warmup", "start_from_epoch")


@dataclass(frozen=True, slots=True, kw_only=True)
class DeclaredPolicy:
    """The early stopping that a run says it used.

    monitor
        A known monitor, or the run's own word for it where nothing here is called so.
    patience
        In evaluated epochs; None where none is declared: then only the best epoch is kept and nothing stops.
    floor
        Least std ratio of a checkpoint that may be kept; None for no floor.
    source
        ``summary`` (written with the result) or ``config`` (what was asked for).
    """

    monitor: str
    mode: Mode
    patience: int | None = None
    min_delta: float = 0.0
    floor: float | None = None
    warmup: int = 0
    source: Literal["summary", "config"] = "summary"

    def describe(self) -> str:
        """The policy in words.

        >>> DeclaredPolicy(monitor="r2", mode="max", patience=10, min_delta=0.0005).describe()
        'highest r2, patience 10, least improvement 0.0005'
        """
        parts = [f"{'highest' if self.mode == 'max' else 'lowest'} {self.monitor}"]
        if self.patience is not None:
            parts.append(f"patience {self.patience}")
        if self.min_delta:
            parts.append(f"least improvement {self.min_delta:g}")
        if self.floor is not None:
            parts.append(f"std ratio at least {self.floor:g}")
        if self.warmup:
            parts.append(f"not before evaluation {self.warmup + 1}")
        return ", ".join(parts)

    def pick(self, history: History) -> PolicyPick:
        """What this policy picks on the logged values; ``epoch`` None with the reason where it cannot be replayed."""
        values = monitor_values(history, self.monitor)
        if not any(map(finite, values)):
            return PolicyPick(policy="declared", epoch=None, reason=f"its monitor {self.monitor} was not logged")
        eligible: list[bool] | None = None
        nothing = "no finite value to choose by"
        if self.floor is not None:
            floor = self.floor
            if not history.has("variance_ratio"):
                return PolicyPick(policy="declared", epoch=None, reason="no variance_ratio column for its floor")
            eligible = [a is not None and math.isfinite(a) and a >= floor for a in history.get("variance_ratio")]
            nothing = f"no epoch with a std ratio of at least {floor:g}"
        return monitored(
            "declared",
            history,
            values,
            mode=self.mode,
            patience=self.patience,
            min_delta=self.min_delta,
            warmup=self.warmup,
            eligible=eligible,
            nothing=nothing,
        )


def monitor_values(history: History, monitor: str) -> tuple[Number, ...]:
    """The values of a monitor, one an epoch: a column, or a score that follows from columns."""
    derived = {"composite": composite_values, "ccc": ccc_values, "kge": kge_values}
    if monitor in derived:
        return derived[monitor](history)
    if monitor == "smoothed_r2":
        return trailing_mean(history.get("r2"), SMOOTHING_WINDOW)
    return history.get(monitor)


def declared_policy(run: Run) -> DeclaredPolicy | None:
    """The policy that the run declares; None where it declares none that can be read.

    What was written with the result (``summary.policy``) goes before what the config asked for.
    """
    stated = run.summary.get("policy")
    if isinstance(stated, Mapping):
        found = _read(stated, "summary")
        if found is not None:
            return found
    nested = run.config.get("early_stopping")
    if isinstance(nested, Mapping):
        found = _read(nested, "config")
        if found is not None:
            return found
    return _read(run.config, "config") or _selected_by(run)


def _selected_by(run: Run) -> DeclaredPolicy | None:
    """The monitor that the result names, where it is one that is known; nothing is then said of patience."""
    word = run.summary.get("selected_by")
    known = isinstance(word, str) and any(word.strip().lower() in aliases for aliases in MONITORS.values())
    return _read({"monitor": word}, "summary") if known else None


def _read(keys: Mapping[str, object], source: Literal["summary", "config"]) -> DeclaredPolicy | None:
    name = next((v for k in _MONITOR_KEYS if isinstance(v := keys.get(k), str) and v.strip()), None)
    if name is None or name.strip().lower() in ("none", "off", "false"):
        return None
    word = name.strip().lower().replace("/", "_")
    monitor = next((known for known, aliases in MONITORS.items() if word in aliases), word)
    patience = _number(keys, _PATIENCE_KEYS)
    floor = _number(keys, _FLOOR_KEYS)
    return DeclaredPolicy(
        monitor=monitor,
        mode=_mode(keys, monitor),
        patience=None if patience is None else int(patience),
        min_delta=abs(_number(keys, _DELTA_KEYS) or 0.0),  # Keras takes its absolute value too
        floor=floor,
        warmup=int(_number(keys, _WARMUP_KEYS) or 0),
        source=source,
    )


def _mode(keys: Mapping[str, object], monitor: str) -> Mode:
    mode = keys.get("mode")
    if mode in ("min", "max"):
        return "min" if mode == "min" else "max"
    greater = keys.get("greater_is_better")
    if isinstance(greater, bool):
        return "max" if greater else "min"
    return "min" if monitor in LOWER_IS_BETTER or monitor.endswith("loss") else "max"


def _number(keys: Mapping[str, object], names: tuple[str, ...]) -> float | None:
    for name in names:
        value = keys.get(name)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return float(value)
    return None


def saved_epoch(run: Run) -> tuple[int | float | None, SavedFrom]:
    """The epoch whose weights the run says it kept, and where that is from; never a guess.

    >>> saved_epoch(Run(name="a", format="native", files={}, summary={"selected_epoch": 37}))
    (37, 'declared')
    >>> saved_epoch(Run(name="a", format="native", files={}))
    (None, 'unknown')
    """
    places = [run.summary]
    training = run.summary.get("training")
    if isinstance(training, Mapping):
        places.append(training)
    for place in places:
        value = _number(place, _SAVED_KEYS)
        if value is not None:
            return (int(value) if value.is_integer() else value), "declared"
    return None, "unknown"


def validation_count(run: Run) -> int | None:
    """Number of validation samples as the run states it (``splits.val.n``); None where it does not."""
    splits = run.summary.get("splits")
    if isinstance(splits, Mapping):
        for name in ("val", "validation", "valid", "dev"):
            part = splits.get(name)
            count = _number(part, ("n", "num_samples")) if isinstance(part, Mapping) else None
            if count is not None and count >= 1:
                return int(count)
    count = _number(run.summary, ("val_num_samples", "n_val", "num_val_samples"))
    return int(count) if count is not None and count >= 1 else None


def final_count(run: Run) -> int | None:
    """Number of samples behind the run's final figures; None where unknown.

    It stands in for an unlogged validation count, and whoever uses it so must say that.
    """
    count = _number(run.summary, ("num_samples",))
    if count is not None and count >= 1:
        return int(count)
    return run.predictions.height if run.predictions is not None else None
