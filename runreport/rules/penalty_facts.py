"""What is known of a run's spread penalty: its weight, where that was read, and its formula if the files tell it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from runreport.context import Context, once_a_run
from runreport.rules.data_basis import estimate, judged_epoch, usable
from runreport.wording import setting

Kind = Literal["variance_ratio", "std_hinge", "kl_moments", "wasserstein"]
"""The penalties whose formula is known here, by the name that a training config gives them."""

KINDS: tuple[Kind, ...] = get_args(Kind)
LABELS: Mapping[Kind, str] = {
    "variance_ratio": "variance-ratio penalty",
    "std_hinge": "std-hinge penalty",
    "kl_moments": "KL penalty on moments",
    "wasserstein": "Wasserstein penalty",
}
OWN_KEYS = ("variance_lambda", "penalty", "lambda_schedule")
"""Config keys that only a config of this project's training holds together: there the names mean what they mean here.
Anybody's config may hold one of them with another formula behind it."""

WEIGHT_KEYS = (
    "variance_lambda",
    "lambda_variance",
    "lambda_var",
    "variance_weight",
    "variance_loss_weight",
    "std_weight",
    "spread_weight",
    "penalty_weight",
    "penalty_lambda",
    "lambda",
    "penalty",
)
"""Config keys that hold the weight of a spread penalty, the most telling first."""

QUADRATIC_REACH = 2.0
"""Root mean squared errors that Huber's quadratic part must reach for it to count as ½MSE: 95 % of normal errors."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Penalty:
    """A spread penalty.

    weight
        λ: as logged at the judged epoch, else as configured; ≤ 0 is off throughout the run.
    key
        The config key that sets λ; None where only the log tells of it, or it is nested.
    epoch
        The epoch whose logged λ this is; None where it is the configured one.
    kind
        Which formula; None where the files do not tell.
    target
        The ratio at which the penalty itself is least (std_hinge: silent from there on).
    unknown
        Why the formula, or λ at the judged epoch, is not known, as half a sentence; None where both are.
    """

    weight: float
    key: str | None = None
    epoch: int | float | None = None
    kind: Kind | None = None
    target: float = 1.0
    unknown: str | None = None

    @property
    def label(self) -> str:
        """What to call it: by its formula where that is known."""
        return LABELS[self.kind] if self.kind is not None else "spread penalty"


@once_a_run
def penalty_of(context: Context) -> Penalty | None:
    """The run's spread penalty; None where neither config nor log says whether one is on.

    A config key that is there but empty (null) says that the penalty is off. Where λ was logged, the judged epoch's
    counts: schedules change it. A λ that ends at 0 after having been on is still on in the sense that it shaped the
    weights, so the largest logged one then stands, and ``unknown`` says so.
    """
    weight, key = _configured(context)
    logged = [] if context.history is None else context.history.finite("variance_lambda")
    kind, target = _kind(context)
    # λ = 0 throughout the log switches off whatever the config says; a config without any λ leaves the log.
    if logged and max(v for _, v in logged) <= 0:
        return Penalty(weight=0.0, key=key, kind=kind)
    if weight is None and not logged:
        return None
    if not logged:
        return Penalty(
            weight=weight or 0.0,
            key=key,
            kind=kind,
            target=target,
            unknown=_why_unknown(context, kind, key) or _why_unscheduled(context),
        )
    epoch, _ = judged_epoch(context, tuple(e for e, _ in logged))
    at = dict(logged)[epoch]
    unknown = _why_unknown(context, kind, key)
    if at <= 0:
        at = max(v for _, v in logged)
        unknown = unknown or "its weight λ had fallen to 0 by the judged epoch, and what it left behind has no formula"
    return Penalty(weight=at, key=key, epoch=epoch, kind=kind, target=target, unknown=unknown)


def _configured(context: Context) -> tuple[float | None, str | None]:
    """(λ, its key) from the config; (0, None) where a key says that it is off."""
    if not context.config:
        return None, None
    for key in WEIGHT_KEYS:
        weight = context.config_number(key)
        if weight is not None:
            return weight, key
    nested = context.config.get("penalty")
    if isinstance(nested, Mapping):
        for name in ("weight", "lambda", *WEIGHT_KEYS):
            value = nested.get(name)
            if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
                return float(value), None
    off = any(key in context.config and context.config[key] in (None, "none", "off", False) for key in WEIGHT_KEYS)
    return (0.0, None) if off else (None, None)


def _kind(context: Context) -> tuple[Kind | None, float]:
    """(formula, ratio at which it is least); None for a config that is not this project's own.

    Files marked ``published`` restate the page that this project began from, whose penalty is (1 - α²)².
    """
    config = context.config
    if all(key in config for key in OWN_KEYS):
        kind = next((k for k in KINDS if config["penalty"] == k), None)
        target = context.config_number("std_hinge_target") if kind == "std_hinge" else None
        return kind, 1.0 if target is None else target
    if context.run.summary.get("published") is True and "variance_lambda" in config:
        return "variance_ratio", 1.0
    return None, 1.0


def _why_unknown(context: Context, kind: Kind | None, key: str | None) -> str | None:
    if kind is not None:
        return None
    named = context.config.get("penalty")
    if isinstance(named, str):
        return f"the formula of the penalty {named[:40]!r} is not known here"
    return f"the config's {key} does not say which formula it weighs" if key else "its formula is not in these files"


def _why_unscheduled(context: Context) -> str | None:
    schedule = context.config.get("lambda_schedule")
    if not isinstance(schedule, str) or schedule == "constant":
        return None
    return f"its weight follows the schedule {schedule[:40]!r}, and the log has no variance_lambda column"


@dataclass(frozen=True, slots=True, kw_only=True)
class Base:
    """The base loss as ``quadratic``·MSE of targets whose std, in the units that the loss sees, is ``true_std``.

    ``most``: the loss pulls at most as hard as that, so the equilibrium lies at the ratio that follows from it, or above.
    """

    quadratic: float
    true_std: float
    label: str
    most: bool = False


def base_of(context: Context) -> Base | str:
    """The base loss where it is, or pulls at most as hard as, a multiple of the squared error, else why not.

    Huber's loss of normal errors pulls at a ratio as ½MSE does, times the share of errors within δ (Stein 1981,
    doi:10.1214/aos/1176345632): with δ unknown or small that share is anything up to 1.
    """
    std, loss = estimate(context.final, "true_std"), context.config.get("loss")
    if std is None or not std > 0:
        return "the std of the truth is not known"
    scale = 1.0
    if context.config.get("standardise_target") is True:
        train = context.split_statistic("train", "true_std")
        if train is None or not train > 0:
            return "the loss saw a standardised target, and the training std is not in these files"
        scale = train
    if loss == "mse":
        return Base(quadratic=1.0, true_std=std / scale, label="MSE")
    if loss != "huber":
        return f"the base loss {setting(loss)[:40]} is no multiple of the squared error"
    delta, rmse = context.config_number("huber_delta"), estimate(context.final, "rmse")
    if rmse is None:
        r2 = estimate(context.final, "r2")
        rmse = std * math.sqrt(1 - r2) if r2 is not None and r2 <= 1 and usable(std * std * (1 - r2)) else None
    if delta is None or rmse is None or delta < QUADRATIC_REACH * rmse / scale:
        return Base(quadratic=0.5, true_std=std / scale, label="½MSE (Huber's loss pulls no harder)", most=True)
    return Base(quadratic=0.5, true_std=std / scale, label="½MSE (Huber's quadratic part)")
